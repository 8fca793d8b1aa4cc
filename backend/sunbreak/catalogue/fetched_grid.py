"""The one grid that everything fetched for a place lies on: pixels of 10 m in the CRS of the scene."""

from __future__ import annotations

import math

from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.transform import from_origin
from rasterio.warp import transform_bounds

from sunbreak.catalogue.place import Place
from sunbreak.errors import InputError
from sunbreak.scene.grid import Grid

PIXEL = 10.0  # metres
_LARGEST = 10980 * 3  # pixels along a side


def grid_of_place(dataset: DatasetReader, place: Place) -> Grid:
    """The grid of a place in the CRS of a raster, aligned with that raster's pixels of 10 m, snapped outwards.

    Args:
        dataset: A band of the scene with a projected CRS.
        place: The place.

    Raises:
        InputError: The raster has no projected CRS in metres (``not-projected``), or the place is too large.
    """
    crs = dataset.crs
    if crs is None or not crs.is_projected or abs(crs.linear_units_factor[1] - 1) > 1e-9:
        raise InputError(
            f"{dataset.name}: it has no coordinate reference system in metres.", "Choose another scene.",
            code="not-projected",
        )  # fmt: skip
    try:
        west, south, east, north = transform_bounds("EPSG:4326", crs, *place.bounds, densify_pts=21)
    except RasterioError as error:
        raise InputError(
            f"The place cannot be put into {crs} ({error}).", "Check the place.", code="bad-place"
        ) from error
    left, top = dataset.transform.c, dataset.transform.f
    first = math.floor((west - left) / PIXEL), math.floor((top - north) / PIXEL)
    last = math.ceil((east - left) / PIXEL), math.ceil((top - south) / PIXEL)
    width, height = last[0] - first[0], last[1] - first[1]
    if max(width, height) > _LARGEST:
        raise InputError(
            f"The place has {width} x {height} pixels of 10 m, at most {_LARGEST} a side are fetched.",
            "Give a smaller place.",
            code="bad-place",
        )
    return Grid(crs, from_origin(left + first[0] * PIXEL, top - first[1] * PIXEL, PIXEL, PIXEL), width, height)
