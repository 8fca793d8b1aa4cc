"""Places in a scene that a user names: a point, or polygons of a vector file."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window
from shapely import GEOSException, make_valid, unary_union
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from sunbreak.errors import InputError
from sunbreak.json_files import read_json
from sunbreak.scene.georeference import TRANSFORM_ERRORS, describe_bounds
from sunbreak.scene.grid import Grid

_MAX_BYTES = 64 * 2**20
_EXPORT = "Give polygons as GeoJSON; QGIS exports any vector layer so."
_GEOMETRY_ERRORS = (*TRANSFORM_ERRORS, TypeError, KeyError, IndexError, AttributeError, OverflowError)
_CRS_CODE = re.compile(
    r"(?:EPSG:|urn:ogc:def:crs:EPSG:[\d.]*:|https?://www\.opengis\.net/def/crs/EPSG/[\d.]+/)(?P<code>\d{1,7})"
    r"|(?P<crs84>(?:urn:ogc:def:crs:)?OGC:[\d.]*:?CRS84|https?://www\.opengis\.net/def/crs/OGC/[\d.]+/CRS84)",
    re.IGNORECASE,
)


def parse_point(text: str) -> tuple[float, float]:
    """``X,Y`` as two numbers.

    Raises:
        InputError: It is something else.
    """
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"{text!r} is not a point.", "Give X,Y in the scene's CRS.", code="bad-point") from None
    return x, y


def window_around(grid: Grid, x: float, y: float, side: int) -> Window:
    """The window of `side` x `side` pixels around a point, moved inside the scene; the scene's size if that is smaller.

    Args:
        grid: The scene's grid.
        x: In the scene's CRS.
        y: In the scene's CRS.
        side: In pixels.

    Raises:
        InputError: The point lies outside the scene.
    """
    column, row = (x - grid.transform.c) / grid.transform.a, (y - grid.transform.f) / grid.transform.e
    if not (math.isfinite(column) and 0 <= column < grid.width and 0 <= row < grid.height):
        raise InputError(
            f"The point {x:g}, {y:g} lies outside the scene, {describe_bounds(grid)}.",
            "Give a point inside, in the scene's coordinate reference system.",
            code="point-outside",
        )
    width, height = min(side, grid.width), min(side, grid.height)
    first_column = min(max(int(column) - side // 2, 0), grid.width - width)
    first_row = min(max(int(row) - side // 2, 0), grid.height - height)
    return Window(first_column, first_row, width, height)


def read_polygons(path: Path) -> BaseGeometry:
    """The polygons of a GeoJSON file as one geometry in degrees of longitude and latitude.

    Raises:
        InputError: The file is not GeoJSON, holds no polygon, or its polygons cannot be used.
    """
    from rasterio.warp import transform_geom

    shapes, crs = _polygons(path)
    try:
        return unary_union([make_valid(shape(transform_geom(crs, "EPSG:4326", one))) for one in shapes])
    except (*_GEOMETRY_ERRORS, GEOSException) as error:
        raise _unusable(path, error) from error


def burn(path: Path, grid: Grid) -> NDArray[np.bool_]:
    """Where the polygons of a GeoJSON file cover pixels of the grid, (row, column); a pixel counts by its centre.

    Coordinates are in the CRS that the file names, else in degrees (RFC 7946).

    Raises:
        InputError: The file is not GeoJSON, holds no polygon, or lies outside the scene.
    """
    from rasterio.features import rasterize
    from rasterio.warp import transform_geom

    shapes, crs = _polygons(path)
    try:
        moved = [transform_geom(crs, grid.crs, one) for one in shapes]
        inside: NDArray[np.bool_] = rasterize(
            moved, out_shape=grid.shape, transform=grid.transform, dtype="uint8"
        ).astype(bool)
    except _GEOMETRY_ERRORS as error:
        raise _unusable(path, error) from error
    if not inside.any():
        raise InputError(
            f"{path}: its polygons cover no pixel of the scene, {describe_bounds(grid)}.",
            "Give polygons inside the scene, with their CRS.",
            code="polygon-outside",
        )
    return inside


def _polygons(path: Path) -> tuple[list[dict[str, Any]], str]:
    """The polygons of a GeoJSON file, and the CRS of their coordinates."""
    content = _read(path)
    crs = _crs(content, path)
    shapes = [one for one in _geometries(content) if one.get("type") in ("Polygon", "MultiPolygon")]
    if not shapes:
        raise InputError(f"{path}: holds no polygon.", "Give a file with polygons.", code="no-polygon")
    return shapes, crs


def _unusable(path: Path, error: Exception) -> InputError:
    reason = " ".join(str(error).split())[:200]
    return InputError(f"{path}: its polygons cannot be used ({reason}).", "Check the file in QGIS.", code="bad-vector")


def _read(path: Path) -> dict[str, Any]:
    try:
        content = read_json(path, limit_bytes=_MAX_BYTES, hint=_EXPORT)
    except InputError as error:
        message = error.message
        if error.code == "not-json":
            message = f"{path}: not a GeoJSON file: it {message.removeprefix(str(path)).strip()}"
        raise InputError(message, _EXPORT, code="bad-vector") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: not a GeoJSON file.", _EXPORT, code="bad-vector")
    return content


def _geometries(content: object) -> list[dict[str, Any]]:
    if not isinstance(content, dict):
        return []
    for kind, key in (("FeatureCollection", "features"), ("GeometryCollection", "geometries")):
        if content.get("type") == kind:
            parts = content.get(key)
            return [shape for part in (parts if isinstance(parts, list) else []) for shape in _geometries(part)]
    if content.get("type") == "Feature":
        return _geometries(content.get("geometry"))
    return [content] if isinstance(content.get("type"), str) else []


def _crs(content: dict[str, Any], path: Path) -> str:
    """The CRS that older GeoJSON files name, as QGIS and GDAL still write it.

    Only a code is taken. GDAL would open a file, or fetch an address, that stands in its place.

    Raises:
        InputError: It is no code.
    """
    held = content.get("crs")
    properties = held.get("properties") if isinstance(held, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not name:
        return "EPSG:4326"
    found = _CRS_CODE.fullmatch(str(name))
    if found is None:
        raise InputError(
            f"{path}: its coordinate reference system {str(name)[:60]!r} is not a code such as EPSG:32632.",
            "Export the layer in EPSG:4326.",
            code="bad-vector",
        )
    # longitude comes first in GeoJSON, whatever the code says
    return "EPSG:4326" if found["crs84"] else f"EPSG:{found['code']}"
