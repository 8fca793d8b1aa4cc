"""A regular sample of a series: every n-th pixel of every n-th row, of all dates, whatever the size of the scene."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sunbreak.removal.temporal.blocks import Blocks, Image, Mask, patterns
from sunbreak.removal.temporal.gaussian import DatesModel
from sunbreak.removal.temporal.reading import BlockRows

PIXELS = 160_000

T = TypeVar("T", bound=np.generic)


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
        rows, columns = _places(height, step), _places(width, step)
        size = len(rows) * len(columns)
        values: list[Image] = [np.zeros((len(block.names), size), np.float32) for block in blocks.blocks]
        return cls(blocks, step, rows, columns, values, [np.zeros(size, bool) for _ in blocks.blocks])

    def take(self, place: int, rows: BlockRows) -> None:
        """Take one row of the sample, or the blocks of it that are there.

        Args:
            place: Number of the row in the sample.
            rows: That row of the scene.
        """
        width = len(self.columns)
        part = slice(place * width, (place + 1) * width)
        for index, seen in rows.known.items():
            self.values[index][:, part] = rows.features(self.blocks, index, slice(0, 1))[:, 0, self.columns]
            self.known[index][part] = seen[0, self.columns]

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

    def grid(self, values: NDArray[T]) -> NDArray[T]:
        """Values (..., pixel) as (..., row, column)."""
        return values.reshape(*values.shape[:-1], len(self.rows), len(self.columns))

    def only(self, members: Sequence[int]) -> Lattice:
        """The sample of the target and some other dates, which are numbered anew in this order."""
        number = {member: place for place, member in enumerate((0, *members))}
        kept = [i for i, block in enumerate(self.blocks.blocks) if block.member in number]
        kept.sort(key=lambda i: (self.blocks.blocks[i].radar, number[self.blocks.blocks[i].member]))
        renamed = [replace(self.blocks.blocks[i], member=number[self.blocks.blocks[i].member]) for i in kept]
        blocks = Blocks(tuple(renamed), tuple(self.blocks.days[member] for member in (0, *members)))
        values, known = [self.values[i] for i in kept], [self.known[i] for i in kept]
        return Lattice(blocks, self.step, self.rows, self.columns, values, known)


def _places(side: int, step: int) -> NDArray[np.intp]:
    """Every `step`-th pixel of a side, at least one."""
    places: NDArray[np.intp] = np.arange(min(step // 2, side - 1), side, step)
    return places
