"""The standard deviation of the prediction's error, calibrated by the cross-validation on the same scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sunbreak.removal.temporal.blocks import Image
from sunbreak.removal.temporal.fields import SmoothFields
from sunbreak.removal.temporal.sample import Lattice
from sunbreak.removal.temporal.validation import Validation

_DISTANCES = (0.0, 4.0, 8.0, 16.0, 32.0, 64.0)  # pixels; lower ends of the classes
_LEAST = 200  # values for a class of its own
_FLOOR = np.float32(1e-4)
_GROUPS = 6
_CAP = np.float32(9)


@dataclass(frozen=True)
class Calibration:
    scale: Image
    by_distance: NDArray[np.float64]
    around: SmoothFields | None

    @classmethod
    def of(cls, found: Validation, lattice: Lattice) -> "Calibration":
        held = found.held
        if held.sum() < _LEAST:
            return cls(np.full(len(found.errors), 1.5, np.float32), np.ones(len(_DISTANCES)), None)
        z = found.errors[:, held] / found.expected[:, held]
        square = np.minimum((z**2).mean(axis=0), _CAP * np.median((z**2).mean(axis=0)) + 1e-9)
        place = np.digitize(found.distance[held], _DISTANCES) - 1
        base = square.mean(); factors = np.ones(len(_DISTANCES))
        for i in range(len(_DISTANCES)):
            m = place == i
            factors[i] = (square[m].sum() + _LEAST * base * (factors[i-1] if i else 1)) / (m.sum() + _LEAST) / base
        factors = np.maximum.accumulate(factors)
        whole = np.zeros(held.size, np.float32)
        whole[held] = np.log(np.maximum(square / (base * factors[place]), .05))
        around = SmoothFields(lattice.grid(whole)[None], lattice.grid(held), lattice.step)
        f = around.at(lattice.rows + .5, lattice.columns + .5).reshape(-1)[held]
        z = z / np.sqrt(factors[place] * np.exp(f))
        scale = np.quantile(np.abs(z), .95, axis=1) / 1.96
        return cls(scale.astype(np.float32), factors, around)

    def sigma(self, predicted: Image, expected: Image, distance: Image, rows, columns) -> Image:
        place = np.digitize(distance, _DISTANCES) - 1
        factor = self.by_distance[place]
        if self.around is not None:
            factor = factor * np.exp(self.around.at(rows, columns)[0])
        out = expected * self.scale[:, None, None] * np.sqrt(factor).astype(np.float32)
        return np.maximum(out, _FLOOR)
