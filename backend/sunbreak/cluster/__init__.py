"""Calls of functions on the workers of a dask cluster: what travels is JSON text, what comes back too.

This package knows nothing of scenes. `sunbreak.batches` sends scenes through it, `sunbreak.jobs` the parts of one.
It needs the extra `distributed`.
"""
