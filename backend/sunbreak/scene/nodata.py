"""Which declared nodata values mean something."""

from __future__ import annotations

import numpy as np


def usable_nodata(value: float | None, dtype: str) -> float | None:
    """A declared nodata value if numbers of the dtype can equal it, else None: no uint16 number is -9999."""
    if value is None:
        return None
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return float(value)
    limits = np.iinfo(kind)
    return float(value) if value == int(value) and limits.min <= value <= limits.max else None
