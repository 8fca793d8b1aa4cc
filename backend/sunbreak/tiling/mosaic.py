"""Mosaic of tiles, one strip at a time: memory depends on the scene's width and not on its height."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sunbreak.tiling.layout import Tile
from sunbreak.tiling.spans import span_of

# tiles with at most so many pixels are added together: a loop over them would take most of the time
_SMALL = 256


class StripMosaic:
    """Weighted mean of overlapping tiles in a window of rows that moves down the scene.

    The mean is updated tile by tile (West 1979). Where tiles agree it is exact for any number of tiles and weights.

    Args:
        channels: Channels of the values.
        height: Rows of the scene.
        width: Columns of the scene.
        capacity: Rows kept in memory: the layout's `capacity`.
        top: First row to be taken; no tiles above it may be added.
    """

    def __init__(self, channels: int, height: int, width: int, capacity: int, top: int = 0) -> None:
        rows = min(capacity, height)
        self._mean = np.zeros((channels, rows, width), np.float32)
        self._weight = np.zeros((rows, width), np.float32)
        self._top = top
        self._taken = 0
        self._waiting: list[tuple[Sequence[Tile], NDArray[np.float32]]] = []

    def add_all(self, tiles: Sequence[Tile], values: NDArray[np.float32]) -> None:
        """Add tiles of one strip.

        Small tiles without a halo are kept until the strip's rows are taken, and are then added column by column, all
        tiles at once. The result does not depend on how the strip's tiles are grouped.

        Args:
            tiles: Positions and weights; all of one shape.
            values: (tile, channel, row, column), at least as large as the tiles, or with a single row and column if all
                pixels of a tile are equal. The caller must not change it afterwards; large ones are overwritten.

        Raises:
            ValueError: A tile lies outside the rows in memory.
        """
        tile = tiles[0]
        shape = tile.weights.shape
        alike = values.shape[2:] == (1, 1)
        values = values if alike else values[..., : tile.height, : tile.width]
        halo = any(one.inset != (0, 0) for one in tiles)
        if halo or tile.weights.size > _SMALL or not (alike or values.shape[2:] == shape):
            for tile, value in zip(tiles, values, strict=True):
                whole = np.broadcast_to(value, (len(value), tile.height, tile.width)) if alike else value
                self.add(tile, whole if whole.flags.writeable else whole.copy())
            return
        if self._waiting:
            other = self._waiting[0][0][0]
            if (other.row, other.weights.shape) != (tile.row, tile.weights.shape):
                self._add_waiting()
        self._waiting.append((tiles, values))

    def add(self, tile: Tile, values: NDArray[np.float32]) -> None:
        """Add one tile.

        Args:
            tile: Its position and weights.
            values: (channel, tile.height, tile.width). Overwritten.

        Raises:
            ValueError: The tile lies outside the rows held at present.
        """
        self._shift()
        inner_rows, inner_cols = tile.inner
        first = tile.row + inner_rows.start - self._top
        last = tile.row + inner_rows.stop - self._top
        if first < 0 or last > self._weight.shape[0]:
            raise ValueError(f"tile rows {tile.row}..{tile.row + tile.height} are outside the mosaic's window")
        rows = slice(first, last)
        cols = slice(tile.col + inner_cols.start, tile.col + inner_cols.stop)
        weight, mean = self._weight[rows, cols], self._mean[:, rows, cols]
        weight += tile.weights
        change = values[:, inner_rows, inner_cols]
        change -= mean
        change *= tile.weights / weight
        mean += change

    def take(self, stop: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the rows from the last call's `stop` up to `stop`; no later tile may overlap them.

        Returns:
            The mean (channel, row, column), zero where no tile was added, and the covered pixels (row, column). The
            mean is a view that the next `add` or `take` overwrites.
        """
        self._add_waiting()
        self._shift()
        count = stop - self._top
        covered = self._weight[:count] > 0
        self._taken = count
        return self._mean[:, :count], covered

    def _add_waiting(self) -> None:
        """Add the small tiles of a strip column by column: the first column of all tiles, then the second."""
        if not self._waiting:
            return
        self._shift()
        tiles = [tile for group, _ in self._waiting for tile in group]
        values = np.concatenate([group for _, group in self._waiting])
        self._waiting.clear()
        first, weights = tiles[0].row - self._top, tiles[0].weights
        rows, columns = weights.shape
        if first < 0 or first + rows > self._weight.shape[0]:
            raise ValueError(f"tile rows {tiles[0].row}..{tiles[0].row + rows} are outside the mosaic's window")
        starts = np.array([tile.col for tile in tiles])
        held, mean = self._weight[first : first + rows], self._mean[:, first : first + rows]
        for column in range(columns):
            where = starts + column
            # no pixel occurs twice: the tiles of a strip start at different columns
            total = held[:, where] + weights[:, column, None]
            held[:, where] = total
            before = mean[:, :, where]
            change = np.moveaxis(values[..., column % values.shape[3]], 0, -1) - before
            mean[:, :, where] = before + change * (weights[:, column, None] / total)

    def _shift(self) -> None:
        """Move the remaining rows to the top. Delayed until the returned views are no longer used."""
        if not self._taken:
            return
        kept = self._weight.shape[0] - self._taken
        weighted: NDArray[np.bool_] = np.any(self._weight > 0, axis=0)
        columns = span_of(weighted)
        if columns is not None:  # the rest is zero
            for plane in (*self._mean, self._weight):
                plane[:kept, columns] = plane[self._taken :, columns]
                plane[kept:, columns] = 0
        self._top += self._taken
        self._taken = 0
