"""Values of remote rasters at points, read from their overviews."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.io import DatasetReader
from rasterio.windows import Window

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
    x, y = Transformer.from_crs("EPSG:4326", dataset.crs, always_xy=True).transform(lon, lat)
    inverse = ~dataset.transform
    column, row = inverse * (np.asarray(x), np.asarray(y))
    with np.errstate(invalid="ignore"):
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
