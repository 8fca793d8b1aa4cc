"""By how many pixels cloud removal dilates each class of a cloud mask. Imports nothing else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Margins:
    """By how many pixels each class is dilated.

    Attributes:
        thick: Thick cloud.
        thin: Thin cloud.
        shadow: Shadow.
    """

    thick: int = 0
    thin: int = 0
    shadow: int = 0

    @classmethod
    def all(cls, pixels: int) -> Margins:
        """The same for every class."""
        return cls(pixels, pixels, pixels)

    @property
    def reach(self) -> int:
        """The largest."""
        return max(self.thick, self.thin, self.shadow)
