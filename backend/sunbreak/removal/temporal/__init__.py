"""The temporal guide: what lies under clouds, predicted from other dates of the same place.

`blocks` says which numbers are used, `reading` reads them, and `sample` holds a regular sample of them. `gaussian` fits
how the dates go together, `fields` corrects what neighbouring clear pixels show, `validation` measures the errors and
`sigma` calibrates them. `misfits` and `change` find clouds that were missed and ground that changed. `fitting` does all
of this for a scene, and `guide` applies it.
"""
