"""The temporal guide: what lies under clouds, predicted from other dates of the same place.

`blocks` says which numbers are used, `sample` holds a regular sample of them, `gaussian` fits how the dates go together,
`fields` corrects what neighbouring clear pixels show, `validation` measures the errors, and `guide` applies all of it.
"""
