"""Tiles for networks that give a class for each pixel: full windows of one size, zeros beyond the scene's edges.

The result of a scene is that of the network over the scene in an endless canvas of zeros, the mean of the standardised
input. Each tile is a core with a margin as wide as the network sees, and cores lie side by side from the scene's
origin. Core and margin are multiples of the network's largest stride, so that all tiles see the same grid of features:
the mosaic has no seams.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.engine import Inputs, Planes, TilePlace
from sunbreak.errors import InputError
from sunbreak.landcover.sliding_window import CleanedRows, RowSource, check_fit
from sunbreak.landcover.standardising import Standardising
from sunbreak.models.card import ModelCard
from sunbreak.models.card_landcover import RADIUS, is_per_pixel
from sunbreak.scene import Scene, SceneReader
from sunbreak.tiling import ExactLayout, Layout

# free arrays kept for reuse: as many groups as runtimes hold
_SPARE = 4

Margin = tuple[int, int]
"""Rows and columns of zeros before the first pixel of a tile that lies in the scene."""


class PixelTiles:
    """Reads a scene as standardised tiles of the side that the card names.

    The strips hold stored numbers, which take half the memory or less of standardised ones; tiles are standardised when
    they are encoded.

    Args:
        scene: The scene to cut into tiles.
        card: The card of the classifier, one of those that `sunbreak.models.card_landcover.is_per_pixel` names.
        cleaned: The cleaned version to read instead of the scene's Sentinel-2 data.
        share: Returns the reconstructed fraction of rows, if the scene itself is a cleaned one.
        compare: Whether to return the tiles of the cloudy scene as well, as a second version.

    Raises:
        InputError: The scene lacks a band or the radar that the model needs.
    """

    cell = 1
    read_rows = 64
    encoded = frozenset({"x", "before", "radar"})

    def __init__(
        self,
        scene: Scene,
        card: ModelCard,
        *,
        cleaned: CleanedRows | None = None,
        share: RowSource | None = None,
        compare: bool = False,
    ) -> None:
        check_fit(scene, card)
        self.scene, self.card = scene, card
        self.cleaned, self.compare = cleaned, compare
        self.share = cleaned.share if cleaned is not None else share
        self.layout: Layout = ExactLayout(*scene.grid.shape, card.tile - 2 * RADIUS, RADIUS)
        self._standardising = Standardising(scene, card)
        self._in_network: deque[tuple[NDArray[np.float32], list[Margin]]] = deque()
        self._spare: list[NDArray[np.float32]] = []

    def read(self, reader: SceneReader, first: int, stop: int) -> Planes:
        """See `sunbreak.engine.TileTask`: `valid`, the stored numbers of the card's bands `x`, and what else is needed.

        With a comparison, `before` holds the numbers of the cloudy scene; `share` is the reconstructed fraction, 0
        where it is unknown, `radar` VV and VH in dB.
        """
        window, bands = Window(0, first, self.scene.grid.width, stop - first), self._standardising.in_scene
        block = reader.s2(window)
        raw = self.cleaned.raw(first, stop) if self.cleaned is not None else block.raw
        planes: Planes = {"valid": block.valid, "x": raw[bands]}
        if self.compare:
            planes["before"] = block.raw[bands]
        if self.card.uses_radar:
            planes["radar"] = reader.s1(window)
        if self.share is not None:
            planes["share"] = np.nan_to_num(self.share(first, stop)).astype(np.float32)
        return planes

    def wants(self, strip: Planes, columns: Sequence[slice]) -> list[bool]:
        """See `sunbreak.engine.TileTask`: tiles without a valid pixel are skipped."""
        return [bool(strip["valid"][:, part].any()) for part in columns]

    def encode(self, strip: Planes, tiles: Sequence[TilePlace]) -> Inputs:
        """See `sunbreak.engine.TileTask`: `x` (tile, channel, row, column), or (version, tile, ...) to `compare`.

        Tiles are full: their part in the scene lies behind a margin of zeros at the upper and left edges of the scene,
        and is followed by zeros at the others. The layout is channels-last, which is fastest on the CPU.
        """
        versions = ("x", "before") if self.compare else ("x",)
        margins = [(RADIUS - tile.inset[0], RADIUS - tile.inset[1]) for tile in tiles]
        held = self._array((len(versions), len(tiles), self._standardising.channels, self.card.tile, self.card.tile))
        for version, name in zip(held, versions, strict=True):
            for tile, (top, left), x in zip(tiles, margins, version, strict=True):
                valid, raw = strip["valid"][:, tile.columns], strip[name][..., tile.columns]
                radar = strip["radar"][..., tile.columns] if "radar" in strip else None
                rows, columns = valid.shape
                inner = x[:, top : top + rows, left : left + columns]
                x[:, :top] = x[:, top + rows :] = 0
                x[:, :, :left] = x[:, :, left + columns :] = 0
                self._standardising.fill(inner, raw, valid, radar)
        self._in_network.append((held, margins))
        return {"x": held if self.compare else held[0]}

    def take_margins(self) -> list[Margin]:
        """The margins of the oldest group in the network; call this once, when the group is decoded."""
        held, margins = self._in_network.popleft()
        if len(self._spare) < _SPARE:
            self._spare.append(held)
        return margins

    def evidence(self, planes: Planes) -> NDArray[np.float32]:
        """What is known about each pixel, (1 or 2, row, column): 1 where it is valid, and its reconstructed fraction.

        The second exists if a reconstructed fraction is read. Both are NaN where the pixel is not valid.
        """
        valid = planes["valid"]
        parts = [np.ones(valid.shape, np.float32), *([planes["share"]] if "share" in planes else [])]
        return np.where(valid, np.stack(parts), np.float32(np.nan))

    def _array(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """An array for a group (version, tile, channel, row, column), channels-last in memory; reused ones first."""
        for index, spare in enumerate(self._spare):
            if spare.shape == shape:
                return self._spare.pop(index)
        versions, tiles, channels, *sides = shape
        return np.moveaxis(np.empty((versions, tiles, *sides, channels), np.float32), -1, 2)


def refuse_stride(card: ModelCard, stride: int | None) -> None:
    """Refuse a stride for a network that gives a class for each pixel.

    Raises:
        InputError: There is one (``bad-option``).
    """
    if stride is not None and is_per_pixel(card):
        raise InputError(
            f"The model {card.name} gives a class for each pixel; there are no patches and no stride.",
            "Leave --stride out, or choose a classifier of patches.",
            code="bad-option",
        )


def within_scene(values: NDArray[np.float32], margins: Sequence[Margin]) -> NDArray[np.float32]:
    """Results of full tiles as the engine takes them: from the first pixel of each tile that lies in the scene.

    Args:
        values: (tile, channel, row, column) of full tiles.
        margins: The margin of each tile, see `PixelTiles.take_margins`.

    Returns:
        (tile, channel, row, column), a view where all margins are equal; rows and columns that lie beyond the scene may
        follow.
    """
    if len(set(margins)) == 1:
        top, left = margins[0]
        return values[..., top:, left:]
    moved = np.zeros_like(values)
    for after, before, (top, left) in zip(moved, values, margins, strict=True):
        rows, columns = before.shape[-2:]
        after[:, : rows - top, : columns - left] = before[:, top:, left:]
    return moved
