"""Reads windows of a scene: Sentinel-2 as stored, Sentinel-1 in dB, the given mask, all on the scene's grid.

A reader has its own dataset handles and belongs to one thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.scene.grid import Grid
from sunbreak.scene.mask import CloudMask, Decoder, MaskReader
from sunbreak.scene.radar import RadarPair, RadarReader
from sunbreak.scene.radiometry import Radiometry
from sunbreak.scene.sentinel2 import BandStack, StackReader

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class S2Block:
    """A window of Sentinel-2 data.

    Attributes:
        raw: (band, row, column), exactly as stored.
        valid: (row, column), judged by the bands that were read.
        radiometry: How the numbers relate to reflectance.
    """

    raw: NDArray[Any]
    valid: NDArray[np.bool_]
    radiometry: Radiometry

    def reflectance(self) -> NDArray[np.float32]:
        """Reflectance (band, row, column), a new float32 array; invalid pixels are NaN."""
        values = self.radiometry.to_reflectance(self.raw)
        if not self.valid.all():
            values[:, ~self.valid] = np.nan
        return values


class SceneFiles(Protocol):
    """What a reader needs of a `Scene`. `sunbreak.scene.scene` imports this module, so it cannot be imported here."""

    @property
    def grid(self) -> Grid:
        """The grid of the windows."""

    @property
    def origin(self) -> tuple[int, int]:
        """Column and row of the grid's first pixel in the files."""

    @property
    def stack(self) -> BandStack:
        """Sentinel-2."""

    @property
    def radiometry(self) -> Radiometry:
        """How the stored numbers relate to reflectance."""

    @property
    def radar(self) -> RadarPair | None:
        """Sentinel-1."""

    @property
    def cloud_mask(self) -> CloudMask | None:
        """The given mask."""


class SceneReader:
    """Open handles on the files of a `Scene`; a context manager.

    Windows are whole-numbered, relative to `Scene.grid`, and must lie inside it.
    """

    def __init__(self, scene: SceneFiles) -> None:
        self.scene = scene
        self._exit = ExitStack()
        self._s2 = self._exit.enter_context(StackReader(scene.stack))
        self._s1 = self._exit.enter_context(RadarReader(scene.radar)) if scene.radar else None
        self._mask = self._exit.enter_context(MaskReader(scene.cloud_mask)) if scene.cloud_mask else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files."""
        self._exit.close()

    def s2(self, window: Window, bands: Sequence[str] | None = None) -> S2Block:
        """Sentinel-2 of a window, all bands in the scene's order or those named in `bands`.

        Raises:
            InputError: ``damaged`` if a file cannot be decoded, ``band-missing`` if the scene lacks a band.
        """
        sources = self.scene.stack.select(bands)
        raw = self._s2.read(self._on_file(window), sources)
        return S2Block(raw, self.scene.stack.valid(raw, sources), self.scene.radiometry)

    def s1(self, window: Window) -> NDArray[np.float32]:
        """Sentinel-1 of a window: (2, row, column) float32, VV and VH in dB, NaN where there is none.

        Raises:
            InputError: ``damaged`` if a file cannot be decoded.
            ValueError: the scene has no Sentinel-1.
        """
        if self._s1 is None:
            raise ValueError("the scene was opened without Sentinel-1")
        return self._s1.read(self._on_file(window))

    def mask(self, window: Window, decode: Decoder) -> NDArray[np.uint8]:
        """The given cloud mask of a window. `sunbreak.clouds.given_masks.given_classes` calls this with its decoder.

        Args:
            window: The window.
            decode: Turns stored values into class codes.

        Returns:
            Class codes (row, column); 0, which is clear, where the mask does not reach.

        Raises:
            InputError: ``damaged`` if the file cannot be decoded.
            ValueError: the scene has no mask.
        """
        if self._mask is None:
            raise ValueError("the scene was opened without a mask")
        return self._mask.read(self._on_file(window), decode)

    def _on_file(self, window: Window) -> Window:
        column, row, width, height = (int(value) for value in window.flatten())
        grid = self.scene.grid
        if (
            column < 0
            or row < 0
            or width < 1
            or height < 1
            or column + width > grid.width
            or row + height > grid.height
        ):
            raise ValueError(
                f"window {column, row, width, height} does not lie in a grid of {grid.width} x {grid.height}"
            )
        first_column, first_row = self.scene.origin
        return Window(column + first_column, row + first_row, width, height)
