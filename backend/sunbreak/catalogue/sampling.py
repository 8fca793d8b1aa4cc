"""Values of remote rasters at points, read from their overviews."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.io import DatasetReader
from rasterio.warp import transform
from rasterio.windows import Window

from sunbreak.scene.georeference import TRANSFORM_ERRORS

_PIXELS = 256  # along the shorter side of what is read


def sample(
    dataset: DatasetReader, lon: NDArray[np.float64], lat: NDArray[np.float64], bands: Sequence[int]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Values at points, and which points lie in the raster.

    Args:
        dataset: A raster with a CRS. It is read at the overview that has about 256 pixels under the points.
        lon: Degrees, (n,).
        lat: Degrees, (n,).
        bands: Numbers of the bands, from 1.

    Returns:
        Stored numbers (band, n), zero outside, and whether each point lies inside (n,).
    """
    values = np.zeros((len(bands), lon.size), np.float32)
    x, y = _projected(dataset.crs, lon, lat)
    inverse = ~dataset.transform
    with np.errstate(invalid="ignore"):
        column, row = inverse * (x, y)
        inside = (column >= 0) & (row >= 0) & (column < dataset.width) & (row < dataset.height)
    if not inside.any():
        return values, inside
    left, top = math.floor(column[inside].min()), math.floor(row[inside].min())
    width = math.floor(column[inside].max()) - left + 1
    height = math.floor(row[inside].max()) - top + 1
    step = max(1, min(width, height) // _PIXELS)
    shape = (math.ceil(height / step), math.ceil(width / step))
    read = dataset.read(list(bands), window=Window(left, top, width, height), out_shape=(len(bands), *shape))
    rows = ((row[inside] - top) * shape[0] / height).astype(int).clip(0, shape[0] - 1)
    columns = ((column[inside] - left) * shape[1] / width).astype(int).clip(0, shape[1] - 1)
    values[:, inside] = read[:, rows, columns]
    return values, inside


def _projected(
    crs: CRS, lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coordinates in a CRS, infinite for points outside of its domain; one of them makes rasterio refuse them all."""
    try:
        x, y = transform(CRS.from_epsg(4326), crs, lon, lat)
        return np.array(x), np.array(y)
    except TRANSFORM_ERRORS:
        if lon.size == 1:
            return np.array([np.inf]), np.array([np.inf])
        half = lon.size // 2
        parts = [_projected(crs, lon[part], lat[part]) for part in (slice(half), slice(half, None))]
        return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])
