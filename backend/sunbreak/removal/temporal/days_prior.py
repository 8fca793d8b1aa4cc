"""How the colour of ground moves with the days between two dates, where the scene itself cannot tell."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class DaysPrior:
    """Correlation of a band between two dates: ``start * exp(-days / fading)``.

    Attributes:
        start: Correlation of two dates close together.
        fading: Days after which it has fallen to 1 / e of that.
    """

    start: float = 0.9
    fading: float = 60.0

    def correlation(self, days: float) -> float:
        """The correlation at a number of days, whatever its sign."""
        return self.start * math.exp(-abs(days) / self.fading)
