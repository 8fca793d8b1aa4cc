"""Which declared nodata values, scales and offsets mean something."""

from __future__ import annotations

import math
from collections.abc import Sequence
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


def unused_declarations(dataset: DatasetReader, path: Path, bands: Sequence[int]) -> tuple[list[str], list[str]]:
    """What a file declares of some of its bands (from 1) and is not used: notes and warnings for the user."""
    notes = []
    for index in bands:
        value, dtype = dataset.nodatavals[index - 1], dataset.dtypes[index - 1]
        if value is not None and usable_nodata(value, dtype) is None:
            notes.append(f"{path.name}: the declared nodata value {value:g} is no {dtype} number and is not used.")
    shifts = {
        float(dataset.offsets[index - 1])
        for index in bands
        if dataset.offsets[index - 1] and dataset.scales[index - 1] in (0.0, 1.0)
    }
    warnings = [
        f"{path.name} declares an offset of {shift:g} without a scale, which is not used. If it counts, give it with "
        "--s2-offset."
        for shift in sorted(shifts)
    ]
    return list(dict.fromkeys(notes)), warnings


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
