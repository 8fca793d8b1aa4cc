"""Sliding window for classification and saliency maps: standardised patches of a scene at a fixed stride."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import gcd
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.engine import Inputs, Planes, TilePlace
from sunbreak.errors import InputError
from sunbreak.landcover.standardising import Standardising
from sunbreak.models.card import ModelCard
from sunbreak.scene import Scene, SceneReader
from sunbreak.tiling import BlendedLayout, Layout

# free arrays kept for reuse: groups have two sizes, and a few are in the network
_SPARE = 8

RowSource = Callable[[int, int], NDArray[Any]]


@dataclass(frozen=True)
class CleanedRows:
    """A cleaned version of the scene, read instead of its Sentinel-2 data.

    Attributes:
        raw: Returns the stored numbers (band, row, column) of the rows [first, stop), all bands of the scene.
        share: Returns the reconstructed fraction (row, column) of these rows, 0..1, NaN where unknown.
    """

    raw: RowSource
    share: RowSource


class Patches:
    """Reads a scene as standardised patches.

    Args:
        scene: The scene to cut into patches.
        card: The card of the classifier.
        stride: Pixels between neighbouring patches.
        cell: Side in pixels of the cells on which results are blended; divides both stride and patch size.
        cleaned: The cleaned version to read instead of the scene's Sentinel-2 data.
        share: Returns the reconstructed fraction of rows, if the scene itself is a cleaned one.
        compare: Whether to return the patches of the cloudy scene as well, as a second version.

    Raises:
        InputError: The scene lacks a band or the radar that the model needs.
    """

    def __init__(
        self,
        scene: Scene,
        card: ModelCard,
        stride: int,
        cell: int,
        *,
        cleaned: CleanedRows | None = None,
        share: RowSource | None = None,
        compare: bool = False,
    ) -> None:
        check_fit(scene, card)
        self.scene, self.card, self.cell = scene, card, cell
        self.cleaned, self.compare = cleaned, compare
        self.share = cleaned.share if cleaned is not None else share
        cells = -(-scene.grid.height // cell), -(-scene.grid.width // cell)
        self.layout: Layout = BlendedLayout(
            *cells, card.tile // cell, (card.tile - stride) // cell, bell=2 * stride <= card.tile
        )
        self.side = card.tile // cell
        self._in_network: deque[tuple[NDArray[np.float32], NDArray[np.float32]]] = deque()
        self._spare: list[NDArray[np.float32]] = []
        self._before: dict[str, NDArray[Any]] = {}
        self._standardising = Standardising(scene, card)

    def read(self, reader: SceneReader, first: int, stop: int) -> Planes:
        """See `sunbreak.engine.TileTask`."""
        window = Window(0, first, self.scene.grid.width, stop - first)
        block = reader.s2(window)
        radar = reader.s1(window) if self.card.uses_radar else None
        planes: Planes = {"valid": block.valid}
        raw = self.cleaned.raw(first, stop) if self.cleaned is not None else block.raw
        planes["x"] = self._standardised(raw, block.valid, radar)
        if self.compare:
            planes["before"] = self._standardised(block.raw, block.valid, radar)
        if self.share is not None:
            planes["share"] = np.nan_to_num(self.share(first, stop)).astype(np.float32)
        return planes

    def wants(self, strip: Planes, columns: Sequence[slice]) -> list[bool]:
        """See `sunbreak.engine.TileTask`: patches without a valid pixel are skipped."""
        # cumulative sums over the columns: the counts in patches are needed several times per strip
        valid = strip["valid"]
        self._before = {"valid": sums_before(np.count_nonzero(valid, axis=0))}
        if "share" in strip:
            self._before["share"] = sums_before(np.where(valid, strip["share"], 0).sum(axis=0, dtype=np.float64))
        return [bool(count) for count in sums_within(self._before["valid"], columns)]

    def encode(self, strip: Planes, tiles: Sequence[TilePlace]) -> Inputs:
        """See `sunbreak.engine.TileTask`: `x` (patch, channel, row, column), or (version, patch, ...) to `compare`.

        The layout is channels-last, which is fastest on the CPU. Overlapping neighbours are views of one window, so
        that their common pixels are copied once. Patches at the edge of the scene are padded by reflection.
        """
        tile, columns = self.card.tile, [place.columns for place in tiles]
        versions = ("x", "before") if self.compare else ("x",)
        channels, rows, _ = strip["x"].shape
        short = tile - rows, tile - (columns[0].stop - columns[0].start)
        stride = None if any(short) else self._common_stride(columns)
        if stride is not None:
            window = slice(columns[0].start, columns[-1].stop)
            held = self._array((len(versions), 1, channels, tile, window.stop - window.start))
            for version, name in zip(held, versions, strict=True):
                version[0] = strip[name][..., window]
            by_version, _, *within = held.strides
            strides = by_version, stride * within[-1], *within
            x = as_strided(held, (len(versions), len(columns), channels, tile, tile), strides)
        else:
            x = held = self._array((len(versions), len(columns), channels, tile, tile))
            for version, name in zip(x, versions, strict=True):
                plane = strip[name]
                for patch, part in zip(version, columns, strict=True):
                    seen = plane[..., part]
                    patch[...] = np.pad(seen, ((0, 0), (0, short[0]), (0, short[1])), "reflect") if any(short) else seen
        self._in_network.append((held, self._evidence(columns)))
        return {"x": x if self.compare else x[0]}

    def _common_stride(self, columns: Sequence[slice]) -> int | None:
        """Columns between neighbouring patches, if they are all equal and the patches overlap; else None."""
        steps = {after.start - before.start for before, after in pairwise(columns)}
        return steps.pop() if len(steps) == 1 and max(steps) < self.card.tile else None

    def take_evidence(self) -> NDArray[np.float32]:
        """The evidence of the oldest group in the network; call this once, when the group is decoded.

        Returns:
            (patch, 2): fraction of valid pixels in each patch, and reconstructed fraction of the valid pixels.
        """
        held, evidence = self._in_network.popleft()
        self._spare.append(held)
        return evidence

    def _array(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """An array for a group (version, patch, channel, row, column), channels-last in memory.

        Arrays of earlier groups are reused: allocating fresh memory takes longer than filling it.
        """
        for index, spare in enumerate(self._spare):
            if spare.shape == shape:
                return self._spare.pop(index)
        if len(self._spare) > _SPARE:
            self._spare.clear()
        versions, patches, channels, *sides = shape
        return np.moveaxis(np.empty((versions, patches, *sides, channels), np.float32), -1, 2)

    def _evidence(self, columns: Sequence[slice]) -> NDArray[np.float32]:
        evidence = np.zeros((len(columns), 2), np.float32)
        known = sums_within(self._before["valid"], columns)
        evidence[:, 0] = known / self.card.tile**2
        if "share" in self._before:
            evidence[:, 1] = np.clip(sums_within(self._before["share"], columns) / np.maximum(known, 1), 0, 1)
        return evidence

    def known_pixels(self, valid: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Valid pixels in each cell, (row, column) in cells."""
        rows, columns = (np.arange(0, size, self.cell) for size in valid.shape)
        counts: NDArray[np.int64] = np.add.reduceat(np.add.reduceat(valid.astype(np.int64), rows, 0), columns, 1)
        return counts

    def _standardised(
        self, raw: NDArray[Any], valid: NDArray[np.bool_], radar: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        """Standardised channels (channel, row, column), channels-last in memory; unknown pixels are 0, the mean."""
        standardising = self._standardising
        x = np.moveaxis(np.empty((*valid.shape, standardising.channels), np.float32), -1, 0)
        standardising.fill(x, [raw[band] for band in standardising.in_scene], valid, radar)
        return x


def sums_before(values: NDArray[Any]) -> NDArray[Any]:
    """Cumulative sums of values (column,): the sum before each column, and the total, (column + 1,)."""
    sums = np.zeros(len(values) + 1, values.dtype)
    np.cumsum(values, out=sums[1:])
    return sums


def sums_within(before: NDArray[Any], columns: Sequence[slice]) -> NDArray[Any]:
    """Sums over the columns of each patch, (patch,), from `sums_before`."""
    found: NDArray[Any] = before[[part.stop for part in columns]] - before[[part.start for part in columns]]
    return found


def default_stride(card: ModelCard) -> int:
    """The card's stride."""
    return card.tile - card.overlap


def check_stride(stride: int, card: ModelCard) -> None:
    """Refuse a stride that leaves gaps or is not positive.

    Raises:
        InputError: The stride is not in the range from 1 to the patch size.
    """
    if not 1 <= stride <= card.tile:
        raise InputError(
            f"The stride is {stride} pixels, and patches have {card.tile}.",
            f"Give a number from 1 to {card.tile}.",
            code="bad-option",
        )


def cell_size(tile: int, stride: int) -> int:
    """Side of the cells in pixels: the stride if it divides the patch size, else the greatest common divisor.

    With cells as large as the stride, every cell is covered by patches at the same relative positions. Edge effects of
    the patches then affect all cells equally and leave no pattern.
    """
    return gcd(tile, stride)


def check_fit(scene: Scene, card: ModelCard) -> None:
    """Refuse a scene that the classifier cannot process.

    Raises:
        InputError: A band or the radar is missing.
    """
    missing = [band for band in card.bands if band not in scene.bands]
    if missing:
        raise InputError(
            f"{scene.stack.title}: the model {card.name} needs the bands {scene.stack.lacking(missing)}, which are not "
            "there.",
            "Give all bands of the product, name them with --s2-bands, or choose a classifier of other bands.",
            code="bands-missing",
        )
    if card.uses_radar and not scene.has_s1:
        raise InputError(
            f"The model {card.name} needs Sentinel-1, and none was given.",
            "Give it with --s1, or choose a model without radar.",
            code="no-s1",
        )


def fit_warnings(scene: Scene, card: ModelCard) -> list[str]:
    """Warnings for the user about this classifier on this scene."""
    said = []
    if scene.level and card.level not in (scene.level, "any"):
        said.append(f"The scene is {scene.level}; the model {card.name} was trained on {card.level}.")
    if not card.temperature:
        said.append(f"The confidence of the model {card.name} was not calibrated.")
    return said
