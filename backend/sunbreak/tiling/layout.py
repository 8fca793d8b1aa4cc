"""Layout of the tiles of a scene.

There are two layouts. *Blended*: overlapping tiles of one fixed size, for networks whose output depends on the whole
tile (global norms and gates, as in UnCRtainTS). Overlaps are blended with weights. *Exact*: a core with a halo as wide
as the receptive field, for local networks. Only the core is kept, and the mosaic equals the whole-image result.
Scenes are processed one row of tiles (a strip) at a time, from top to bottom.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

WEIGHT_FLOOR = 1e-3


class Tile(NamedTuple):
    """One tile: its input window and the part of the output that is used.

    Attributes:
        row: First input row in the scene.
        col: First input column in the scene.
        height: Input rows.
        width: Input columns.
        weights: Blend weight of each output pixel that is used, (rows, columns), float32.
        inset: Rows and columns of halo before the used part.
    """

    row: int
    col: int
    height: int
    width: int
    weights: NDArray[np.float32]
    inset: tuple[int, int] = (0, 0)

    @property
    def slices(self) -> tuple[slice, slice]:
        """The input window in the scene as (rows, columns)."""
        return slice(self.row, self.row + self.height), slice(self.col, self.col + self.width)

    @property
    def inner(self) -> tuple[slice, slice]:
        """The used part of the output inside the tile, as (rows, columns)."""
        (top, left), (rows, cols) = self.inset, self.weights.shape
        return slice(top, top + rows), slice(left, left + cols)


@dataclass(frozen=True)
class Strip:
    """One row of tiles.

    Attributes:
        row: First input row.
        stop: Row after the last input row.
        done: All rows before this one are final once this strip's tiles have been added.
        tiles: From left to right.
    """

    row: int
    stop: int
    done: int
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class BlendedLayout:
    """Fixed-size overlapping tiles.

    Tiles of `size` x `size` are spaced by `size - overlap`. The last one of a row or column is shifted inside, so every
    tile is full. A scene smaller than a tile gets one tile of the scene's size, which the caller pads.

    Args:
        height: Rows of the scene.
        width: Columns of the scene.
        size: Side of a tile in pixels.
        overlap: Pixels shared by neighbours, less than `size`.
        bell: Weight each tile by a bell (the fourth power of a sine) over its whole side instead of a ramp over the
            overlap. For tiles that overlap by half or more: their borders are less reliable than their centres.
    """

    height: int
    width: int
    size: int
    overlap: int
    bell: bool = False

    def __post_init__(self) -> None:
        _check_scene(self.height, self.width)
        if not 0 <= self.overlap < self.size:
            raise ValueError(f"overlap {self.overlap} must be at least 0 and less than the tile size {self.size}")

    @cached_property
    def rows(self) -> tuple[int, ...]:
        """First rows of the strips."""
        return _starts(self.height, self.size, self.overlap)

    @cached_property
    def cols(self) -> tuple[int, ...]:
        """First columns of the tiles."""
        return _starts(self.width, self.size, self.overlap)

    @property
    def count(self) -> int:
        """Number of tiles."""
        return len(self.rows) * len(self.cols)

    @property
    def capacity(self) -> int:
        """Rows that a mosaic keeps in memory."""
        return min(self.size, self.height)

    def strips(self) -> Iterator[Strip]:
        """The rows of tiles from top to bottom."""
        tile_height, tile_width = min(self.size, self.height), min(self.size, self.width)
        if self.bell:
            weights = np.outer(_bell(tile_height), _bell(tile_width)).astype(np.float32)
        else:
            weights = np.outer(_ramp(tile_height, self.overlap), _ramp(tile_width, self.overlap))
            weights = np.maximum(weights, np.float32(WEIGHT_FLOOR)).astype(np.float32)
        for index, row in enumerate(self.rows):
            last = index == len(self.rows) - 1
            yield Strip(
                row,
                row + tile_height,
                self.height if last else self.rows[index + 1],
                tuple(Tile(row, col, tile_height, tile_width, weights) for col in self.cols),
            )


@dataclass(frozen=True)
class ExactLayout:
    """Adjacent cores without overlap, each read with a halo that is clipped at the scene's edges.

    At the scene's edge the network pads the tile as it would pad the whole image, so the result is the same there.

    Args:
        height: Rows of the scene.
        width: Columns of the scene.
        size: Side of a core in pixels.
        halo: Pixels read on every side; at least the receptive field's radius.
    """

    height: int
    width: int
    size: int
    halo: int

    def __post_init__(self) -> None:
        _check_scene(self.height, self.width)
        if self.size < 1 or self.halo < 0:
            raise ValueError(f"core size {self.size} must be positive and halo {self.halo} not negative")

    @property
    def count(self) -> int:
        """Number of tiles."""
        return -(-self.height // self.size) * -(-self.width // self.size)

    @property
    def capacity(self) -> int:
        """Rows that a mosaic keeps in memory."""
        return min(self.size, self.height)

    def strips(self) -> Iterator[Strip]:
        """The rows of tiles from top to bottom."""
        for core_row in range(0, self.height, self.size):
            core_stop = min(core_row + self.size, self.height)
            row, stop = max(core_row - self.halo, 0), min(core_stop + self.halo, self.height)
            tiles = []
            for core_col in range(0, self.width, self.size):
                core_end = min(core_col + self.size, self.width)
                col, end = max(core_col - self.halo, 0), min(core_end + self.halo, self.width)
                weights = np.ones((core_stop - core_row, core_end - core_col), np.float32)
                inset = core_row - row, core_col - col
                tiles.append(Tile(row, col, stop - row, end - col, weights, inset))
            yield Strip(row, stop, core_stop, tuple(tiles))


Layout = BlendedLayout | ExactLayout


def _check_scene(height: int, width: int) -> None:
    if height < 1 or width < 1:
        raise ValueError(f"a scene of {height} x {width} pixels cannot be tiled")


def _starts(length: int, size: int, overlap: int) -> tuple[int, ...]:
    """First pixels of tiles that cover `length`; the last one is shifted inside."""
    if length <= size:
        return (0,)
    step = size - overlap
    starts = list(range(0, length - size, step))
    return (*starts, length - size)


def _ramp(length: int, overlap: int) -> NDArray[np.float64]:
    """Weights that rise over the overlap from both ends and are 1 between; never zero."""
    position = np.arange(length) + 0.5
    edge = np.minimum(position, length - position)
    ramp: NDArray[np.float64] = np.clip(edge / max(overlap, 1), WEIGHT_FLOOR, 1.0)
    return ramp


def _bell(length: int) -> NDArray[np.float64]:
    """Weights that rise and fall smoothly over the whole length; never zero."""
    position = (np.arange(length) + 0.5) / length
    bell: NDArray[np.float64] = np.maximum(np.sin(np.pi * position) ** 4, WEIGHT_FLOOR**2)
    return bell
