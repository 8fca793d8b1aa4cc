"""Reads rows of a series as blocks of features, with what is known of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.clouds.dates import DateClouds
from sunbreak.clouds.given_masks import decode
from sunbreak.removal.temporal.blocks import REACH, Blocks, Image, Mask, patterns, radar_features, reflectance_features
from sunbreak.scene import DateRows, SeriesReader
from sunbreak.scene.reader import S2Block

Hidden = Callable[[SeriesReader, int, int], Mask]
"""Gives the pixels (row, column) of the target that show no ground, for the rows [first, stop)."""


@dataclass
class BlockRows:
    """Some rows of a series.

    Attributes:
        first: The first row.
        dates: Sentinel-2 by member of the series.
        radar: Features of radar by index of their block, (feature, row, column).
        known: (row, column) by index of a block, True where it is seen.
    """

    first: int
    dates: dict[int, S2Block]
    radar: dict[int, Image]
    known: dict[int, Mask]

    @property
    def codes(self) -> NDArray[np.int32]:
        """(row, column), patterns of known blocks."""
        return patterns([self.known[index] for index in range(len(self.known))])

    def features(self, blocks: Blocks, index: int, rows: slice) -> Image:
        """Features of a block in some of the rows, (feature, row, column)."""
        if index in self.radar:
            return self.radar[index][:, rows]
        optical = self.dates[blocks.blocks[index].member]
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

    @property
    def members(self) -> list[int]:
        """The dates that have blocks, the target first."""
        return sorted({block.member for block in self.blocks.blocks})

    def read(self, reader: SeriesReader, first: int, stop: int, only: int | None = None) -> BlockRows:
        """The rows [first, stop) over the full width. What a pixel gets does not depend on the rows.

        Args:
            reader: The series, opened.
            first: The first row.
            stop: The row after the last one.
            only: The one date to read; the result then has no other blocks. All dates by default.

        Raises:
            InputError: ``damaged`` if a file cannot be decoded.
        """
        members = self.members if only is None else [only]
        blocks = {i: block for i, block in enumerate(self.blocks.blocks) if block.member in members}
        # windows of backscatter reach beyond the rows
        reach = REACH if any(block.radar for block in blocks.values()) else 0
        top, bottom = max(first - reach, 0), min(stop + reach, self.height)
        window = Window(0, top, reader.series.grid.width, bottom - top)
        inner = slice(first - top, stop - top)
        dates, radar, known = {}, {}, {}
        for member in members:
            rows = reader.member(member, window, decode)
            for index, block in blocks.items():
                if block.member == member and block.radar:
                    backscatter = _radar(rows)
                    radar[index] = radar_features(backscatter)[:, inner]
                    known[index] = np.asarray(np.isfinite(backscatter).all(axis=0))[inner]
                elif block.member == member:
                    known[index] = self._clear(reader, member, window, rows)[inner]
            optical = rows.optical
            dates[member] = S2Block(optical.raw[:, inner], optical.valid[inner], optical.radiometry)
        return BlockRows(first, dates, radar, known)

    def _clear(self, reader: SeriesReader, member: int, window: Window, rows: DateRows) -> Mask:
        if member:
            return self.clouds.clear(reader, member - 1, window, rows)
        first = int(window.row_off)
        clear: Mask = rows.optical.valid & ~self.hidden(reader, first, first + int(window.height))
        return clear


def _radar(rows: DateRows) -> Image:
    if rows.radar is None:
        raise ValueError("a date without radar has a block of radar")
    return rows.radar
