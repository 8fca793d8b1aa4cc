"""Reading several rasters of one grid block by block, with a halo, for the comparison of whole images.

A block holds a few patches. Its halo is what the structural similarity needs, so that figures do not depend on how the
image is divided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.clouds.classes import replaced
from sunbreak.clouds.given_masks import given_classes
from sunbreak.evaluation.other_dates import Baselines
from sunbreak.metrics.blockwise import HALO, Core, Image, Region
from sunbreak.scene import Scene

PATCH = 256
_ROWS, _COLUMNS = 2, 4  # patches in a block
_PICTURE_SIDE = 512
_RGB = ("B04", "B03", "B02")


@dataclass(frozen=True)
class Block:
    """A part of the rasters.

    Attributes:
        window: What is read: the core with its halo.
        core: The core inside the window, as (rows, columns).
        patches: The patches inside the core, relative to it.
        row: First row of the core in the rasters.
        column: First column of the core in the rasters.
    """

    window: Window
    core: Core
    patches: tuple[Core, ...]
    row: int
    column: int

    @property
    def core_window(self) -> Window:
        """The core's place in the rasters."""
        rows, columns = self.core
        return Window(self.column, self.row, columns.stop - columns.start, rows.stop - rows.start)


@dataclass(frozen=True)
class Pixels:
    """A block as it was read.

    Attributes:
        images: Raster or baseline to reflectance (band, row, column) on [0, 1], NaN where any raster has no data.
        inside: Cloud mask of the core (row, column); None without a mask.
    """

    images: dict[str, Image]
    inside: Region | None


class BlockReader:
    """Reads blocks of all rasters in a background thread, one after the other.

    Args:
        scenes: The rasters by name; `prediction` sets the bands and brings the mask.
        baselines: Fills of the raster `cloudy` from other dates, read as further images.
    """

    def __init__(self, scenes: Mapping[str, Scene], baselines: Baselines | None = None) -> None:
        self._scenes = dict(scenes)
        self._bands = scenes["prediction"].bands
        self._readers = {name: scene.reader() for name, scene in scenes.items()}
        self._baselines = baselines.reader() if baselines is not None else None
        self._thread = ThreadPoolExecutor(1, "sunbreak-read")

    def __enter__(self) -> BlockReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(cancel_futures=True)
        for reader in self._readers.values():
            reader.close()
        if self._baselines is not None:
            self._baselines.close()

    def start(self, block: Block) -> Future[Pixels]:
        """Begin to read a block in the background."""
        return self._thread.submit(self._read, block)

    def _read(self, block: Block) -> Pixels:
        images = {}
        for name, reader in self._readers.items():
            values = reader.s2(block.window, self._bands).reflectance()
            images[name] = np.clip(values, 0, 1, out=values)
        known = np.logical_and.reduce([np.isfinite(values).all(axis=0) for values in images.values()])
        if self._baselines is not None:
            mask = replaced(given_classes(self._readers["prediction"], block.window))
            images |= self._baselines.fill(block.window, images["cloudy"], mask)
        if not known.all():
            for values in images.values():
                values[:, ~known] = np.nan
        masked = self._scenes["prediction"].has_mask
        inside = replaced(given_classes(self._readers["prediction"], block.core_window)) if masked else None
        return Pixels(images, inside)


class Picture:
    """A raster at the size of a picture: one pixel of every n is kept.

    Attributes:
        values: (band, row, column), NaN where unknown; red, green and blue if the raster has them, else its first band.

    Args:
        scene: The raster.
        bands: Number of bands to keep instead.
    """

    def __init__(self, scene: Scene, bands: int = 0) -> None:
        height, width = scene.grid.shape
        self._step = max(1, -(-max(height, width) // _PICTURE_SIDE))
        names = _RGB if set(_RGB) <= set(scene.bands) else scene.bands[:1]
        self._bands = [scene.bands.index(name) for name in names] if not bands else list(range(bands))
        shape = -(-height // self._step), -(-width // self._step)
        self.values = np.full((len(self._bands), *shape), np.nan, np.float32)

    def add(self, block: Block, values: NDArray[np.float32]) -> None:
        """Add the core of a block, (band, row, column)."""
        step, first, left = self._step, -block.row % self._step, -block.column % self._step
        picked = values[self._bands][:, first::step, left::step]
        row, column = (block.row + first) // step, (block.column + left) // step
        self.values[:, row : row + picked.shape[1], column : column + picked.shape[2]] = picked


def blocks_of(height: int, width: int) -> Iterator[Block]:
    """Divide an image of `height` x `width` pixels into blocks of whole patches, row after row."""
    tops, lefts = _edges(height), _edges(width)
    for i in range(0, len(tops) - 1, _ROWS):
        rows = tops[i : i + _ROWS + 1]
        for j in range(0, len(lefts) - 1, _COLUMNS):
            columns = lefts[j : j + _COLUMNS + 1]
            top, left = max(rows[0] - HALO, 0), max(columns[0] - HALO, 0)
            bottom, right = min(rows[-1] + HALO, height), min(columns[-1] + HALO, width)
            patches = tuple(
                (slice(a - rows[0], b - rows[0]), slice(c - columns[0], d - columns[0]))
                for a, b in pairwise(rows)
                for c, d in pairwise(columns)
            )
            core = slice(rows[0] - top, rows[-1] - top), slice(columns[0] - left, columns[-1] - left)
            yield Block(Window(left, top, right - left, bottom - top), core, patches, rows[0], columns[0])


def _edges(size: int) -> list[int]:
    """Edges of the patches along one side: nearly equal sizes of about `PATCH` pixels."""
    count = max(1, round(size / PATCH))
    return [size * i // count for i in range(count + 1)]
