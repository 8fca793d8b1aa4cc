"""Which declared nodata values, scales and offsets mean something."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from rasterio.io import DatasetReader

from sunbreak.errors import InputError

SCALE_HINT = "Declare the right one, or none: gdal_edit.py -unsetscale -unsetoffset file.tif."
_LARGEST = 1e9  # of scales and offsets; beyond, float32 numbers lose what they stand for


def usable_nodata(value: float | None, dtype: str) -> float | None:
    """A declared nodata value if numbers of the dtype can equal it, else None: no uint16 number is -9999."""
    if value is None:
        return None
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return float(value)
    if not math.isfinite(value):
        return None
    limits = np.iinfo(kind)
    return float(value) if value == int(value) and limits.min <= value <= limits.max else None


def usable_scale(dataset: DatasetReader, index: int, path: Path) -> tuple[float, float]:
    """The scale and offset that a band declares; a scale of 0 stands for none.

    Raises:
        InputError: ``bad-scale`` if they are not finite, or so large or small that no number survives them.
    """
    scale, offset = float(dataset.scales[index - 1]) or 1.0, float(dataset.offsets[index - 1])
    if not (1 / _LARGEST <= abs(scale) <= _LARGEST and abs(offset) <= _LARGEST):  # false for NaN as well
        raise InputError(
            f"{path} declares a scale of {scale:g} and an offset of {offset:g} in band {index}.",
            SCALE_HINT,
            code="bad-scale",
        )
    return scale, offset
