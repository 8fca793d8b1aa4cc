"""Gives the `Grid` of an opened raster, and refuses rasters without a usable georeference."""

from __future__ import annotations

import math
from pathlib import Path

from rasterio._err import CPLE_BaseError
from rasterio.crs import CRS
from rasterio.errors import CRSError, RasterioError
from rasterio.io import DatasetReader
from rasterio.warp import transform as transformed
from rasterio.warp import transform_bounds

from sunbreak.errors import InputError
from sunbreak.scene.grid import Grid
from sunbreak.sources import unread_sidecars

METRES_PER_DEGREE = 111_320.0
#: What rasterio raises when coordinates cannot be transformed; not all of it is a `RasterioError`.
TRANSFORM_ERRORS = (CPLE_BaseError, RasterioError, CRSError, ValueError)
_WORLD_FILES = (".tfw", ".tifw", ".wld", ".TFW", ".j2w")
_LARGEST = 1e12  # of a coordinate; orbits of satellites fit in
_FARTHEST_EAST, _NORTH_POLE = 540.0, 90.0  # degrees
_SMALLEST = 1e-9  # side of a pixel, in metres or degrees


def grid_of(dataset: DatasetReader, path: Path) -> Grid:
    """The grid of a raster.

    Raises:
        InputError: ``not-projected`` (ground control points only), ``no-crs``, ``no-transform``, ``rotated``, or
            ``bad-crs`` if the place on Earth cannot be told.
    """
    transform = dataset.transform
    if dataset.gcps[0] and (dataset.crs is None or transform.is_identity):
        raise InputError(
            f"{path} is not on a map grid: it only has ground control points.",
            "Terrain-correct it (radar) or warp it first: gdalwarp -t_srs EPSG:326xx -tr 10 10 in.tif out.tif.",
            code="not-projected",
        )
    if dataset.crs is None:
        raise InputError(
            f"{path} has no coordinate reference system.",
            _beside(path)
            or "Assign the right one: gdal_edit.py -a_srs EPSG:326xx file.tif, or in QGIS with 'Assign projection'.",
            code="no-crs",
        )
    if transform.is_identity:
        raise InputError(
            f"{path} has no geotransform: where its pixels lie is unknown.",
            _beside(path)
            or "Export it again with its georeference, or set it: gdal_translate -a_ullr ... in.tif out.tif.",
            code="no-transform",
        )
    scale = max(abs(transform.a), abs(transform.e))
    if not all(math.isfinite(value) for value in transform) or min(abs(transform.a), abs(transform.e)) < _SMALLEST:
        flat = abs(transform.b) > 0 and abs(transform.d) > 0
        if not flat:
            raise InputError(
                f"{path} has a geotransform with pixels of size 0.", "Export it again.", code="no-transform"
            )
    if abs(transform.b) > 1e-9 * scale or abs(transform.d) > 1e-9 * scale:
        raise InputError(
            f"{path} is rotated or sheared against its map grid.",
            "Warp it to a straight grid first: gdalwarp -tr 10 10 -r bilinear in.tif out.tif.",
            code="rotated",
        )
    grid = Grid(dataset.crs, transform, dataset.width, dataset.height)
    if not _on_earth(grid):
        raise InputError(
            f"{path} has a coordinate reference system or geotransform by which it lies nowhere on Earth.",
            "Assign the right one: gdal_edit.py -a_srs EPSG:326xx -a_ullr ... file.tif.",
            code="bad-crs",
        )
    return grid


def _beside(path: Path) -> str:
    """What to do about a georeference that stands in a file beside a raster; nothing if none does."""
    said = " ".join(unread_sidecars(path))
    world = next((place for suffix in _WORLD_FILES if (place := path.with_suffix(suffix)).is_file()), None)
    if said or world is None:
        return said
    return f"{world.name} beside it is not read; write both to one file: gdal_translate -of COG in.tif out.tif."


def _on_earth(grid: Grid) -> bool:
    """Whether the middle of a grid has a longitude and a latitude."""
    left, bottom, right, top = grid.bounds
    if max(abs(value) for value in grid.bounds) > _LARGEST:
        return False
    try:
        (x,), (y,) = transformed(grid.crs, CRS.from_epsg(4326), [(left + right) / 2], [(bottom + top) / 2])
    except TRANSFORM_ERRORS:
        return False
    # longitudes may count on beyond 180 degrees; nan is neither
    return bool(abs(x) <= _FARTHEST_EAST and abs(y) <= _NORTH_POLE)


def pixel_size_metres(grid: Grid) -> tuple[float, float]:
    """Pixel width and height in metres, for degrees at the latitude of the grid's centre (spherical, good to 0.5 %)."""
    width, height = grid.pixel_size
    if grid.crs.is_geographic:
        _, bottom, _, top = grid.bounds
        return width * METRES_PER_DEGREE * math.cos(math.radians((bottom + top) / 2)), height * METRES_PER_DEGREE
    factor = _metres(grid.crs) or 1.0
    return width * factor, height * factor


def has_known_unit(grid: Grid) -> bool:
    """Whether the unit of the CRS is known; if it is neither degrees nor a known length, it is taken for metres."""
    return bool(grid.crs.is_geographic or _metres(grid.crs))


def _metres(crs: CRS) -> float | None:
    """Metres of one unit of a CRS, None if its unit is not a known length."""
    try:
        return float(crs.linear_units_factor[1])
    except CRSError:
        return None


def describe_bounds(grid: Grid, like: Grid | None = None) -> str:
    """Bounds as text, in the CRS of `like` where they can be expressed in it."""
    bounds, crs = grid.bounds, grid.crs
    if like is not None and like.crs != crs:
        try:
            moved = transform_bounds(crs, like.crs, *bounds)
        except TRANSFORM_ERRORS:
            moved = (math.nan,)
        if all(math.isfinite(value) for value in moved):
            bounds, crs = moved, like.crs
    digits = 5 if crs.is_geographic else 0
    name = crs.to_string() if len(crs.to_string()) < 20 else "its CRS"
    return "(" + ", ".join(f"{value:.{digits}f}" for value in bounds) + f") in {name}"
