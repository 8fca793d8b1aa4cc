"""How the colour of ground moves with the days between two dates, where the scene itself cannot tell."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).with_name("days_prior.json")
"""The fitted numbers, and what they were fitted on."""


@dataclass(frozen=True)
class DaysPrior:
    """Correlation of a band between two dates: ``start * exp(-days / fading)``.

    Attributes:
        start: Correlation of two dates close together.
        fading: Days after which it has fallen to 1 / e of that.
        factor: On the standard deviation according to the fit, where the scene itself cannot calibrate it.
    """

    start: float
    fading: float
    factor: float

    @classmethod
    def load(cls) -> DaysPrior:
        """The fitted prior."""
        card = json.loads(FILE.read_text(encoding="utf-8"))
        return cls(card["start"], card["fading_days"], card["sigma_factor"])

    def correlation(self, days: float) -> float:
        """The correlation at a number of days, whatever its sign."""
        return self.start * math.exp(-abs(days) / self.fading)

    def weights(self, days: Sequence[float]) -> NDArray[np.float64]:
        """Weights of dates for a value at day 0, which sum to 1: ordinary kriging in time.

        Args:
            days: Signed days to each date.
        """
        count = len(days)
        system: NDArray[np.float64] = np.ones((count + 1, count + 1))
        system[-1, -1] = 0
        system[:count, :count] = [
            [1.0 if i == j else self.correlation(a - b) for j, b in enumerate(days)] for i, a in enumerate(days)
        ]
        toward = np.array([*(self.correlation(day) for day in days), 1.0])
        found: NDArray[np.float64] = np.maximum(np.linalg.solve(system, toward)[:count], 0)
        shares: NDArray[np.float64] = found / found.sum()
        return shares
