"""Reads the reconstructed fraction of each pixel of a cleaned scene from the layer beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.scene import Scene
from sunbreak.sources import raster_source
from sunbreak.sources.gdal import environment

_CLEANED, _RECONSTRUCTED = "_cleaned.tif", "_reconstructed.tif"


def beside(s2: Path) -> Path | None:
    """Path of the `reconstructed` layer beside a `cleaned` layer of Sunbreak; None if there is none."""
    if not s2.name.endswith(_CLEANED):
        return None
    other = s2.with_name(s2.name.removesuffix(_CLEANED) + _RECONSTRUCTED)
    return other if other.is_file() else None


class ShareRaster:
    """A `reconstructed` layer on a scene's grid; called with rows, it gives their fractions. Not thread-safe.

    Args:
        path: The layer.
        scene: The scene, possibly a part of its files.

    Raises:
        InputError: Everything that `RasterSource` says, or ``other-grid``.
    """

    def __init__(self, path: Path, scene: Scene) -> None:
        self.path = path
        self._column, self._row = scene.origin
        self._width = scene.grid.width
        whole = scene.stack.grid
        self._turned = whole.height if scene.stack.turned else None
        whole = whole.turned() if scene.stack.turned else whole
        self._source = raster_source(path, "layer of reconstructed fractions")
        self._source.check(hollow=True)
        with self._source.open() as file:
            same = file.shape == whole.shape and file.transform.almost_equals(whole.transform, 1e-6)
            codes = {crs.to_epsg() for crs in (file.crs, whole.crs) if crs is not None} - {None}
            same = same and len(codes) < 2
            self._scale, self._nodata = float(file.scales[0]), file.nodata
        if not same:
            raise InputError(
                f"{path}: lies on another grid than the scene.",
                "Give the layer that was written beside the cleaned scene.",
                code="other-grid",
            )
        self._file: rasterio.DatasetReader | None = None

    def __call__(self, first: int, stop: int) -> NDArray[np.float32]:
        """Fractions (row, column) of the rows [first, stop) of the scene, 0..1, NaN where unknown."""
        if self._file is None:
            self._file = self._source.open()
        row = self._row + first if self._turned is None else self._turned - self._row - stop
        with self._source.reading(), environment():
            stored = self._file.read(1, window=Window(self._column, row, self._width, stop - first))
        stored = stored if self._turned is None else stored[::-1]
        share: NDArray[np.float32] = stored.astype(np.float32) * np.float32(self._scale)
        if self._nodata is not None:
            share[stored == self._nodata] = np.nan
        return share

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
