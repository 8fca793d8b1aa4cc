"""Explanation of a per-pixel classification: a saliency map for the logits of a class, summed over pixels of a scene.

All that is computed of a tile adds up over tiles (see `sunbreak.models.cam_segmentation`): a tile sums the logits of
its core, and its margin holds all that these depend on. The result is that of one run over the whole scene in an
endless canvas of zeros, and has no seams. Grad-CAM weighs channels by gradients of the whole scene, so that it runs
twice over the tiles: first for the gradients, then for the map. HiResCAM and integrated gradients run once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.engine import Inputs, Planes, TilePlace
from sunbreak.engine.checkpoints import State
from sunbreak.landcover.explanation import BandShare
from sunbreak.landcover.pixel_tiles import PixelTiles
from sunbreak.landcover.sliding_window import CleanedRows
from sunbreak.models.card import ModelCard
from sunbreak.models.card_landcover import RADIUS
from sunbreak.scene import Grid, Scene
from sunbreak.tiling import ExactLayout, Layout

# parts of a scene begin at multiples of the largest stride, so that tiles see the grid of features of the whole scene
_STRIDE = 16


class PixelExplanation(PixelTiles):
    """The task: evidence for a class of some pixels of a scene, on cells of some pixels.

    For Grad-CAM it is run twice, and `weigh` is called between.

    Args:
        scene: What to explain.
        card: The per-pixel classifier's card.
        cell: Side in pixels of the cells: the stride of the stage, see `sunbreak.models.cam_segmentation.stride_of`,
            or `sunbreak.models.input_attribution.CELL` for integrated gradients.
        method: ``gradcam``, ``hirescam`` or ``integrated-gradients``.
        cleaned: Explain this version of the scene.
        inside: (row, column) mask of the scene: the pixels whose logits are summed, as far as they are valid. None
            gives all to the runtime, which may choose those where the class is predicted.
        everywhere: Map the whole scene, even if it reaches further than the pixels inside see.

    Raises:
        InputError: The scene lacks a band or the radar that the model needs.
    """

    unit = "tiles"
    channels = 1

    def __init__(
        self,
        scene: Scene,
        card: ModelCard,
        cell: int,
        method: str,
        *,
        cleaned: CleanedRows | None = None,
        inside: NDArray[np.bool_] | None = None,
        everywhere: bool = False,
    ) -> None:
        super().__init__(scene, card, cleaned=cleaned)
        self.cell, self.method, self.inside, self.everywhere = cell, method, inside, everywhere
        self._core = card.tile - 2 * RADIUS
        cells = -(-scene.grid.height // cell), -(-scene.grid.width // cell)
        self.layout: Layout = ExactLayout(*cells, self._core // cell, RADIUS // cell)
        self.field: NDArray[np.float32] = np.zeros(cells, np.float32)
        """(row, column) in cells: signed evidence, the sum over all tiles."""
        self.known: NDArray[np.bool_] = np.zeros(cells, bool)
        """(row, column) in cells: whether a pixel of the cell is valid."""
        self.pixels = 0
        """How many pixels have their logits summed."""
        self._weighing = False
        self._gradients: NDArray[np.float64] = np.zeros(0)
        self._logits, self._bands = np.zeros(len(card.classes)), np.zeros(len(card.inputs))
        self._places: deque[list[TilePlace]] = deque()

    def read(self, reader: Any, first: int, stop: int) -> Planes:
        """See `sunbreak.engine.TileTask`: beside the bands, which pixels count."""
        planes = super().read(reader, first, stop)
        valid = planes["valid"]
        return planes | {"counted": valid if self.inside is None else valid & self.inside[first:stop]}

    def wants(self, strip: Planes, columns: Sequence[slice]) -> list[bool]:
        """See `sunbreak.engine.TileTask`: tiles where a pixel counts.

        The map of Grad-CAM reaches as far around these pixels as the margin is wide. The runtime skips tiles where none
        is in the core.
        """
        found = strip["valid" if self.everywhere and self._weighing else "counted"]
        return [bool(found[:, part].any()) for part in columns]

    def encode(self, strip: Planes, tiles: Sequence[TilePlace]) -> Inputs:
        """See `sunbreak.engine.TileTask`: `x`, and `counted` (tile, row, column), 1 at the core's pixels that count."""
        places = [replace(tile, inset=(tile.inset[0] * self.cell, tile.inset[1] * self.cell)) for tile in tiles]
        self._places.append(places)
        counted = np.zeros((len(places), self.card.tile, self.card.tile), np.float32)
        for plane, place in zip(counted, places, strict=True):
            top, left = place.inset
            seen = strip["counted"][:, place.columns][top : top + self._core, left : left + self._core]
            plane[RADIUS : RADIUS + seen.shape[0], RADIUS : RADIUS + seen.shape[1]] = seen
        return {**super().encode(strip, places), "counted": counted}

    def decode(self, outputs: tuple[NDArray[np.float32], ...]) -> NDArray[np.float32]:
        """See `sunbreak.engine.TileTask`: adds up what the tiles give; there is nothing to blend."""
        self.take_margins()
        places = self._places.popleft()
        evidence, *rest = outputs
        if not self._weighing:
            bands, logits, pixels = (part.sum(axis=0, dtype=np.float64) for part in rest)
            self._bands += bands
            self._logits += logits
            self.pixels += int(pixels[0])
        if self.method == "gradcam" and not self._weighing:
            gradients = evidence.sum(axis=0, dtype=np.float64)
            self._gradients = gradients if self._gradients.size == 0 else self._gradients + gradients
        else:
            for raw, place in zip(evidence, places, strict=True):
                self._add(raw, place)
        return np.zeros((len(places), 1, 1, 1), np.float32)

    def _add(self, raw: NDArray[np.float32], place: TilePlace) -> None:
        """Add the map of a tile: of Grad-CAM its core, where the activations are exact, else all of it."""
        (rows, in_rows), (columns, in_columns) = (
            self._cells(window, inset) for window, inset in zip((place.rows, place.columns), place.inset, strict=True)
        )
        self.field[rows, columns] += raw[in_rows, in_columns]

    def _cells(self, window: slice, inset: int) -> tuple[slice, slice]:
        """The cells of the scene, and of a full tile's map, that a tile adds to, along one axis."""
        first, stop, before = window.start, window.stop, RADIUS - inset
        if self._weighing:
            first, before = first + inset, RADIUS
            stop = min(stop, first + self._core)
        cells = slice(first // self.cell, -(-stop // self.cell))
        return cells, slice(before // self.cell, before // self.cell + cells.stop - cells.start)

    def compose(
        self, row: int, planes: Planes, values: NDArray[np.float32], covered: NDArray[np.bool_]
    ) -> dict[str, NDArray[Any]]:
        """See `sunbreak.engine.TileTask`. Writes nothing: the normalisation needs the maximum of the whole scene."""
        valid = cells_with(planes["valid"], self.cell)
        self.known[row : row + len(valid)] = valid
        return {}

    def weigh(self) -> NDArray[np.float64]:
        """End the first run of Grad-CAM: the weights of the channels (channel,), mean gradients; none if no tile ran.

        The next run adds the tiles' maps with these weights. The mean is over the places of the scene.
        """
        self._weighing = True
        self.field[...] = 0
        return self._gradients / self.field.size

    def state(self) -> State:
        """See `sunbreak.engine.checkpoints.Resumable`."""
        sums = {"gradients": self._gradients.copy(), "logits": self._logits.copy(), "bands": self._bands.copy()}
        return {"field": self.field.copy(), "known": self.known.copy(), "pixels": np.array(self.pixels), **sums}

    def restore(self, state: State) -> None:
        """See `sunbreak.engine.checkpoints.Resumable`."""
        self.field[...], self.known[...] = state["field"], state["known"]
        self._bands[...], self._logits[...] = state["bands"], state["logits"]
        self._gradients = state["gradients"].copy()
        self.pixels = int(state["pixels"])

    def positive(self) -> NDArray[np.float32]:
        """Positive evidence (row, column) in cells, NaN where nothing is known.

        Around pixels that were chosen, it is given as far as they see, or everywhere.
        """
        shown = self.known
        if self.inside is not None and not self.everywhere:
            import cv2

            reach = 2 * (RADIUS // self.cell) + 1
            chosen = cells_with(self.inside, self.cell).astype(np.uint8)
            shown = shown & (cv2.dilate(chosen, np.ones((reach, reach), np.uint8)) > 0)
        return np.where(shown, np.maximum(self.field, 0), np.float32(np.nan))

    def in_pixels(self, part: Window) -> NDArray[np.float32]:
        """Positive evidence in a part of the scene, interpolated to pixels as in `sunbreak.models.cam.to_image`.

        Args:
            part: In pixels.
        """
        import torch

        from sunbreak.models.cam import to_image

        rows, columns = (size * self.cell for size in self.field.shape)
        image = to_image(torch.from_numpy(self.field)[None], rows, columns)[0].numpy()
        image[~self.known.repeat(self.cell, 0).repeat(self.cell, 1)] = np.nan
        row, column = int(part.row_off), int(part.col_off)
        return image[row : row + int(part.height), column : column + int(part.width)]

    def logits(self) -> NDArray[np.float32]:
        """Logits (class,) summed over the pixels; at a point those of its pixel."""
        return self._logits.astype(np.float32)

    def bands(self) -> list[BandShare]:
        """The contributions of the bands to the mean logit of the pixels, largest first."""
        mean = self._bands / max(self.pixels, 1)
        total = max(float(np.abs(mean).sum()), 1e-30)
        shares = [
            BandShare(name, float(value), abs(float(value)) / total)
            for name, value in zip(self.card.inputs, mean, strict=True)
        ]
        return sorted(shares, key=lambda share: -share.share)


def cells_with(pixels: NDArray[np.bool_], cell: int) -> NDArray[np.bool_]:
    """Which cells hold a true pixel, (row, column) in cells; cells at the lower and right edge may be partial."""
    rows, columns = (np.arange(0, size, cell) for size in pixels.shape)
    found: NDArray[np.bool_] = np.logical_or.reduceat(np.logical_or.reduceat(pixels, rows, 0), columns, 1)
    return found


def around(grid: Grid, pixel: Window) -> tuple[Window, Window]:
    """The parts of a scene that explain a pixel: what must be read, and the part of it that the map shows.

    The map shows what the pixel's class depends on. Its activations depend on what lies as far around.

    Args:
        grid: The scene's grid.
        pixel: A window of one pixel in it.

    Returns:
        Both windows are in the scene, and begin at multiples of the network's largest stride.
    """

    def part(reach: int) -> Window:
        spans = []
        for first, size in ((pixel.col_off, grid.width), (pixel.row_off, grid.height)):
            start = max((int(first) - reach) // _STRIDE * _STRIDE, 0)
            spans.append((start, min(-(-(int(first) + reach + 1) // _STRIDE) * _STRIDE, size) - start))
        (column, width), (row, height) = spans
        return Window(column, row, width, height)

    return part(2 * RADIUS), part(RADIUS)
