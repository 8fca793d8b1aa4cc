"""Finds pixels without data that no file declares: the same number in all bands, over a connected part of the scene.

Exports fill the ground outside of a footprint with 0, -9999, 65535 and other numbers, and do not always say so. Ground,
water and clouds hardly ever have one number in all bands, so a few windows across the scene and along its border tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FEWEST_BANDS = 3
_FEWEST_PIXELS = 32
_SOLID = 0.7  # of the pixels with one number in all bands, those whose right and lower neighbours have it too
_DARK, _BRIGHT = 0.002, 2.0  # reflectance in all bands that no ground has


@dataclass(frozen=True)
class Fill:
    """A number that stands for no data.

    Attributes:
        value: The stored number.
        share: Fraction of the sampled pixels that have it in all bands.
    """

    value: float
    share: float


class FillSearch:
    """Counts pixels with one number in all bands; see `add`.

    Args:
        bands: Images of fewer bands tell nothing.
        saturated: The number that stands for saturated pixels, which are data.
    """

    def __init__(self, bands: int = _FEWEST_BANDS, saturated: float | None = None) -> None:
        self._bands = bands
        self._saturated = saturated
        self._pixels = 0
        self._counts: dict[float, int] = {}
        self._solid: dict[float, int] = {}

    def add(self, raw: NDArray[Any], valid: NDArray[np.bool_]) -> None:
        """Look at stored numbers (band, row, column), where they are valid so far: (row, column)."""
        if len(raw) < self._bands:
            return
        self._pixels += raw[0].size
        same = valid.copy()
        for band in raw[1:]:
            same &= band == raw[0]
        if self._saturated is not None:
            same &= raw[0] != raw.dtype.type(self._saturated)
        if not same.any():
            return
        within = same.copy()
        within[:, :-1] &= same[:, 1:] & (raw[0][:, :-1] == raw[0][:, 1:])
        within[:-1] &= same[1:] & (raw[0][:-1] == raw[0][1:])
        for value, count in zip(*np.unique(raw[0][same], return_counts=True), strict=True):
            self._counts[float(value)] = self._counts.get(float(value), 0) + int(count)
        for value, count in zip(*np.unique(raw[0][within], return_counts=True), strict=True):
            self._solid[float(value)] = self._solid.get(float(value), 0) + int(count)

    @property
    def found(self) -> Fill | None:
        """The commonest number that fills a connected part; None if there is none."""
        if not self._counts:
            return None
        value = max(self._counts, key=lambda number: (self._counts[number], number))
        count = self._counts[value]
        if count < _FEWEST_PIXELS or self._solid.get(value, 0) < _SOLID * count:
            return None
        return Fill(value, count / self._pixels)


def is_certain(reflectance: float) -> bool:
    """Whether no ground, water or cloud has this reflectance in all bands."""
    return not _DARK < reflectance < _BRIGHT
