"""What the values of a mask file stand for: the known codings as a table, and how a file's coding is recognised.

A new coding is one row of `CODINGS` and its rule in `recognise`. `sunbreak.clouds.given_masks` turns the words of the
table into class codes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rasterio.io import DatasetReader
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.scene.sampling import strips

Meaning = Literal["thick cloud", "thin cloud", "shadow", "no data"]

_HINT = "Give a scene classification (SCL 0..11), a mask of 0 and 1 (or 255), or a probability 0..1."
_MANY = 300  # more different values than any coding has


@dataclass(frozen=True)
class MaskCoding:
    """What the values of a mask stand for.

    Attributes:
        name: Its name.
        title: What the user is told that the file is.
        values: Stored values and what they stand for; every other value is clear. Empty for a probability.
        cloud_from: Probability from which on a pixel is thick cloud; None for classes.
    """

    name: str
    title: str
    values: tuple[tuple[int, Meaning], ...] = ()
    cloud_from: float | None = None


#: Sen2Cor: cloud shadow, medium and high probability of cloud, thin cirrus.
SCL = MaskCoding(
    "scl",
    "a scene classification (SCL): 3, 8, 9 and 10 are cloud or shadow",
    ((0, "no data"), (3, "shadow"), (8, "thick cloud"), (9, "thick cloud"), (10, "thin cloud")),
)
BINARY = MaskCoding("binary", "a binary mask: 1 is cloud", ((1, "thick cloud"),))
BINARY_255 = MaskCoding("binary-255", "a binary mask: 255 is cloud", ((255, "thick cloud"),))
PROBABILITY = MaskCoding("probability", "a cloud probability: 0.5 and more is cloud", cloud_from=0.5)

CODINGS = (SCL, BINARY, BINARY_255, PROBABILITY)


def recognise(path: Path, dataset: DatasetReader, scale: float, offset: float) -> MaskCoding:
    """The coding of a mask. All of the file is read: one stray value changes its meaning.

    Args:
        path: The file, for messages and for its name.
        dataset: The file, open; its first band is the mask.
        scale: With `offset`, from stored values to probability.
        offset: See `scale`.

    Raises:
        InputError: ``mask-values``: the values fit no coding.
    """
    nodata = dataset.nodata
    if dataset.dtypes[0] in ("uint8", "int8", "uint16", "int16") and scale == 1.0:
        return _of_classes(path, _values(dataset), nodata)
    return _of_probability(path, dataset, nodata, scale, offset)


def physical(raw: NDArray[Any], nodata: float | None, scale: float, offset: float) -> NDArray[np.float32]:
    """Stored values as numbers, NaN where they are the declared nodata value."""
    values = raw.astype(np.float32)
    if nodata is not None and not np.isnan(nodata):
        values[raw == nodata] = np.nan
    return values * np.float32(scale) + np.float32(offset)


def _of_classes(path: Path, values: set[int], nodata: float | None) -> MaskCoding:
    present = values - ({int(nodata)} if nodata is not None and not np.isnan(nodata) and nodata != 0 else set())
    named_scl = "SCL" in path.stem.upper()
    if present <= set(range(12)) and (named_scl or not present <= {0, 1}):
        return SCL
    if present <= {0, 1}:
        return BINARY
    if present <= {0, 255}:
        return BINARY_255
    shown = ", ".join(str(value) for value in sorted(present)[:8])
    raise InputError(f"{path}: values such as {shown} fit no known kind of mask.", _HINT, code="mask-values")


def _of_probability(
    path: Path, dataset: DatasetReader, nodata: float | None, scale: float, offset: float
) -> MaskCoding:
    low, high = np.inf, -np.inf
    for strip in _strips(dataset):
        values = physical(strip, nodata, scale, offset)
        values = values[np.isfinite(values)]
        if values.size:
            low, high = min(low, float(values.min())), max(high, float(values.max()))
    if high == -np.inf:
        raise InputError(f"{path} holds no valid value.", _HINT, code="mask-values")
    if low < -1e-6 or high > 1 + 1e-6:
        raise InputError(f"{path}: values from {low:g} to {high:g} are not probabilities.", _HINT, code="mask-values")
    return PROBABILITY


def _values(dataset: DatasetReader) -> set[int]:
    found: set[int] = set()
    for strip in _strips(dataset):
        found.update(int(value) for value in np.unique(strip))
        if len(found) > _MANY:
            break
    return found


def _strips(dataset: DatasetReader) -> Iterator[NDArray[Any]]:
    for window in strips(Window(0, 0, dataset.width, dataset.height)):
        yield dataset.read(1, window=window)
