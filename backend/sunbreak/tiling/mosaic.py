"""Sewing tiles together one strip at a time, so that memory depends on the scene's width and not on its height."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sunbreak.tiling.layout import Tile


class StripMosaic:
    """Weighted mean of overlapping tiles over a window of rows that moves down the scene.

    The mean is updated tile by tile (West 1979): where tiles agree it is exact, whatever their number and weights.

    Args:
        channels: Channels of the values that come in.
        height: Rows of the scene.
        width: Columns of the scene.
        capacity: Rows held at once: the layout's `capacity`.
        top: First row that will be taken; tiles of what lies above do not come.
    """

    def __init__(self, channels: int, height: int, width: int, capacity: int, top: int = 0) -> None:
        rows = min(capacity, height)
        self._mean = np.zeros((channels, rows, width), np.float32)
        self._weight = np.zeros((rows, width), np.float32)
        self._top = top
        self._taken = 0

    def add(self, tile: Tile, values: NDArray[np.float32]) -> None:
        """Add one tile.

        Args:
            tile: Where it lies and how its pixels count.
            values: (channel, tile.height, tile.width). Overwritten.

        Raises:
            ValueError: The tile lies outside the rows held at present.
        """
        self._forget()
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
        """Hand out the rows from the last call's `stop` up to `stop`, which no later tile may touch.

        Returns:
            The mean (channel, row, column), zero where no tile was added, and where one was (row, column). The mean is
            a view that is overwritten by the next `add` or `take`.
        """
        self._forget()
        count = stop - self._top
        covered = self._weight[:count] > 0
        self._taken = count
        return self._mean[:, :count], covered

    def _forget(self) -> None:
        """Move the rows still needed to the top. Put off until the views handed out are done with."""
        if not self._taken:
            return
        kept = self._weight.shape[0] - self._taken
        for plane in (*self._mean, self._weight):
            plane[:kept] = plane[self._taken :]
            plane[kept:] = 0
        self._top += self._taken
        self._taken = 0
