"""The standard deviation of the prediction's error, calibrated by the cross-validation on the same scene.

The fit gives a standard deviation for each pattern of dates. The validation scales it for each band, lets it grow with
the distance from clear pixels, and raises it where the pixels around were predicted worse than the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sunbreak.removal.temporal.blocks import Image
from sunbreak.removal.temporal.days_prior import DaysPrior
from sunbreak.removal.temporal.fields import SmoothFields
from sunbreak.removal.temporal.sample import Lattice
from sunbreak.removal.temporal.validation import Validation, distance_to

_DISTANCES = (0.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Pixels from clear ground: lower ends of the classes."""
_LEAST = 200  # pixels; with fewer a class stays near the one before
_FLOOR = np.float32(2e-4)
_MOST = 9.0  # times the median: a larger error is a change or a cloud, which the local factor must not follow
_FAINT = 0.05  # least variance ratio of a pixel: one that happens to be predicted exactly says little
_LEVEL, _NORMAL = 0.95, 1.96  # share of the errors within so many sigma
_HALF = 0.674  # sigma within which half of the errors lie


@dataclass(frozen=True, eq=False)
class Calibration:
    """Factors on the standard deviation according to the fit.

    Attributes:
        scale: (band,).
        typical: (band,), the same from the median, which change and missed clouds hardly move.
        by_distance: Factor on the variance for each class of distance.
        validated: Pixels that it rests on.
    """

    scale: Image
    typical: Image
    by_distance: NDArray[np.float64]
    validated: int
    _factor: Image
    _step: int

    @classmethod
    def of(cls, found: Validation, lattice: Lattice, prior: DaysPrior) -> Calibration:
        """Calibrate by the errors of a validation, or where there are none by the prior's factor."""
        held = found.held
        count, shape = int(held.sum()), (len(lattice.rows), len(lattice.columns))
        if count < _LEAST:
            scale = np.full(len(found.errors), prior.factor, np.float32)
            return cls(scale, scale, np.ones(len(_DISTANCES)), count, np.ones(shape, np.float32), lattice.step)
        ratios = found.errors[:, held] / found.expected[:, held]
        square = (ratios**2).mean(axis=0)
        square = np.minimum(square, _MOST * np.median(square) + 1e-9)
        place = _class_of(found.distance[held])
        by_distance = _by_distance(square / square.mean(), place)
        whole = np.zeros(held.size, np.float32)
        whole[held] = np.log(np.maximum(square / (square.mean() * by_distance[place]), _FAINT))
        around = SmoothFields(lattice.grid(whole)[None], lattice.grid(held), lattice.step)
        logarithm = around.at(lattice.rows + 0.5, lattice.columns + 0.5)[0]
        ratios /= np.sqrt(by_distance[place] * np.exp(logarithm.ravel()[held])).astype(np.float32)
        scale = (np.quantile(np.abs(ratios), _LEVEL, axis=1) / _NORMAL).astype(np.float32)
        typical = (np.quantile(np.abs(ratios), 0.5, axis=1) / _HALF).astype(np.float32)
        distance = distance_to(lattice.grid(lattice.clear)) * lattice.step
        factor = np.sqrt(by_distance[_class_of(distance)] * np.exp(logarithm)).astype(np.float32)
        return cls(scale, typical, by_distance, count, factor, lattice.step)

    def sigma(self, expected: Image, rows: NDArray[np.floating], columns: NDArray[np.floating]) -> Image:
        """The calibrated standard deviation, (band, row, column).

        Args:
            expected: (band, row, column), according to the fit.
            rows: Rows in the scene, the centre of the first pixel is 0.5.
            columns: Columns likewise.
        """
        import cv2

        offset = self._step // 2 + 0.5
        across, down = np.meshgrid(
            ((columns - offset) / self._step).astype(np.float32), ((rows - offset) / self._step).astype(np.float32)
        )
        factor = cv2.remap(self._factor, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(np.maximum(expected * self.scale[:, None, None] * factor, _FLOOR), np.float32)


def _class_of(distance: NDArray[np.floating]) -> NDArray[np.intp]:
    return np.digitize(distance, _DISTANCES) - 1


def _by_distance(square: NDArray[np.floating], place: NDArray[np.intp]) -> NDArray[np.float64]:
    """Mean of the squared ratios in each class; it never falls, and follows the class before where there are few."""
    factors = np.ones(len(_DISTANCES))
    for i in range(len(_DISTANCES)):
        own, before = square[place == i], factors[i - 1] if i else 1.0
        factors[i] = (own.sum(dtype=np.float64) + _LEAST * before) / (len(own) + _LEAST)
    return np.maximum.accumulate(factors)
