"""A regular sample of a series: every n-th pixel of every n-th row, of all dates. Memory does not grow with the scene."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sunbreak.removal.temporal.blocks import Blocks, Image, Mask, patterns
from sunbreak.removal.temporal.gaussian import DatesModel

PIXELS = 160_000


def step_of(height: int, width: int, pixels: int = PIXELS) -> int:
    """The smallest step at which the sample holds about as many pixels as allowed."""
    return max(1, math.ceil(math.sqrt(height * width / pixels)))


@dataclass
class Lattice:
    """The sample.

    Attributes:
        blocks: What is sampled.
        step: Pixels from one place to the next.
        rows: Rows of the scene that are sampled.
        columns: Columns of the scene that are sampled.
        values: Features of each block, (feature, pixel); pixels run along the rows.
        known: (pixel,) of each block, True where it is seen.
    """

    blocks: Blocks
    step: int
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    values: list[Image]
    known: list[Mask]

    @classmethod
    def of(cls, blocks: Blocks, height: int, width: int, pixels: int = PIXELS) -> Lattice:
        """An empty sample of a scene."""
        step = step_of(height, width, pixels)
        rows, columns = (np.arange(step // 2, side, step) if side > step // 2 else np.array([side // 2]) for side in (height, width))
        size = len(rows) * len(columns)
        values = [np.zeros((len(block.names), size), np.float32) for block in blocks.blocks]
        return cls(blocks, step, rows, columns, values, [np.zeros(size, bool) for _ in blocks.blocks])

    def add(self, first: int, values: Sequence[Image], known: Sequence[Mask]) -> None:
        """Take the sample's places out of some rows over the full width of the scene.

        Args:
            first: The first of the rows.
            values: Features of each block, (feature, row, column).
            known: (row, column) of each block.
        """
        stop = first + known[0].shape[0]
        taken = np.flatnonzero((self.rows >= first) & (self.rows < stop))
        if not len(taken):
            return
        within = np.ix_(self.rows[taken] - first, self.columns)
        width = len(self.columns)
        part = slice(taken[0] * width, (taken[-1] + 1) * width)
        for own, block in zip(self.values, values, strict=True):
            own[:, part] = block[:, within[0], within[1]].reshape(len(own), -1)
        for mask, seen in zip(self.known, known, strict=True):
            mask[part] = seen[within].ravel()

    @property
    def clear(self) -> Mask:
        """(pixel,) where the target is seen."""
        return self.known[0]

    @property
    def target(self) -> Image:
        """(band, pixel) reflectance of the target."""
        return self.values[0]

    @property
    def codes(self) -> NDArray[np.int32]:
        """(pixel,) patterns of the known blocks."""
        return patterns(self.known)

    def standardised(self, model: DatesModel) -> Image:
        """(feature, pixel) as the model takes them."""
        return np.concatenate([model.standardised(block, i) for i, block in enumerate(self.values)])

    def grid(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """Values (..., pixel) as (..., row, column)."""
        return values.reshape(*values.shape[:-1], len(self.rows), len(self.columns))
