"""Reads rows of a series as blocks of features, with what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from rasterio.windows import Window

from sunbreak.clouds.dates import DateClouds
from sunbreak.clouds.given_masks import decode
from sunbreak.removal.temporal.blocks import REACH, Blocks, Image, Mask, radar_features, reflectance_features
from sunbreak.scene import DateRows, SeriesReader

Hidden = Callable[[SeriesReader, int, int], Mask]
"""Gives the pixels (row, column) of the target that show no ground, for the rows [first, stop)."""


@dataclass
class BlockRows:
    """Some rows of a series.

    Attributes:
        first: The first row.
        dates: The rows of each member, the target first.
        radar: Features of radar by index of their block, (feature, row, column).
        known: (row, column) of each block, True where it is seen.
    """

    first: int
    dates: list[DateRows]
    radar: dict[int, Image]
    known: list[Mask]

    def features(self, blocks: Blocks, index: int, rows: slice) -> Image:
        """Features of a block in some of the rows, (feature, row, column)."""
        if index in self.radar:
            return self.radar[index][:, rows]
        optical = self.dates[blocks.blocks[index].member].optical
        return reflectance_features(optical.radiometry.to_reflectance(optical.raw[:, rows]))


class BlockReader:
    """Reads blocks of features of a series.

    Args:
        blocks: What is read.
        clouds: Where the other dates are clear.
        hidden: Where the target is not.
        height: Rows of the target.
    """

    def __init__(self, blocks: Blocks, clouds: DateClouds, hidden: Hidden, height: int) -> None:
        self.blocks, self.clouds, self.hidden, self.height = blocks, clouds, hidden, height

    def read(self, reader: SeriesReader, first: int, stop: int) -> BlockRows:
        """The rows [first, stop) over the full width. What a pixel gets does not depend on the rows.

        Raises:
            InputError: ``damaged`` if a file cannot be decoded.
        """
        # windows of backscatter reach beyond the rows
        top, bottom = (max(first - REACH, 0), min(stop + REACH, self.height)) if self._has_radar else (first, stop)
        wide = reader.read(top, bottom, decode)
        inner = slice(first - top, stop - top)
        radar = {
            index: radar_features(_radar(wide, block.member))[:, inner]
            for index, block in enumerate(self.blocks.blocks)
            if block.radar
        }
        window = Window(0, top, wide[0].optical.valid.shape[1], bottom - top)
        clear = [wide[0].optical.valid & ~self.hidden(reader, top, bottom)]
        members = sorted({block.member for block in self.blocks.blocks})
        seen = {0: clear[0]}
        for member in members[1:]:
            seen[member] = self.clouds.clear(reader, member - 1, window, wide[member])
        known = [
            (np.isfinite(_radar(wide, block.member)).all(axis=0) if block.radar else seen[block.member])[inner]
            for block in self.blocks.blocks
        ]
        return BlockRows(first, [_cut(rows, inner) for rows in wide], radar, known)

    @property
    def _has_radar(self) -> bool:
        return any(block.radar for block in self.blocks.blocks)


def all_features(blocks: Blocks, rows: BlockRows, part: slice) -> list[Image]:
    """Features of every block in some of the rows."""
    return [rows.features(blocks, index, part) for index in range(len(blocks.blocks))]


def _radar(dates: Sequence[DateRows], member: int) -> Image:
    radar = dates[member].radar
    if radar is None:
        raise ValueError(f"date {member} has no radar")
    return radar


def _cut(rows: DateRows, part: slice) -> DateRows:
    from sunbreak.scene.reader import S2Block

    optical = rows.optical
    return DateRows(S2Block(optical.raw[:, part], optical.valid[part], optical.radiometry), None, None)
