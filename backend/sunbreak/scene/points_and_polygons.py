"""Places in a scene that a user names: a point, or polygons of a vector file."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import CRSError, RasterioError
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.scene.georeference import describe_bounds
from sunbreak.scene.grid import Grid


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


def burn(path: Path, grid: Grid) -> NDArray[np.bool_]:
    """Where the polygons of a GeoJSON file cover pixels of the grid, (row, column); a pixel counts by its centre.

    Coordinates are in the CRS that the file names, else in degrees (RFC 7946).

    Raises:
        InputError: The file is not GeoJSON, holds no polygon, or lies outside the scene.
    """
    from rasterio.features import rasterize
    from rasterio.warp import transform_geom

    content = _read(path)
    shapes = [shape for shape in _geometries(content) if shape.get("type") in ("Polygon", "MultiPolygon")]
    if not shapes:
        raise InputError(f"{path}: holds no polygon.", "Give a file with polygons.", code="no-polygon")
    try:
        moved = [transform_geom(_crs(content), grid.crs, shape) for shape in shapes]
        inside: NDArray[np.bool_] = rasterize(
            moved, out_shape=grid.shape, transform=grid.transform, dtype="uint8"
        ).astype(bool)
    except (CRSError, RasterioError, ValueError, TypeError, KeyError, IndexError) as error:
        raise InputError(
            f"{path}: its polygons cannot be used ({error}).", "Check the file in QGIS.", code="bad-vector"
        ) from error
    if not inside.any():
        raise InputError(
            f"{path}: its polygons cover no pixel of the scene, {describe_bounds(grid)}.",
            "Give polygons inside the scene, with their CRS.",
            code="polygon-outside",
        )
    return inside


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else "not a GeoJSON file"
        raise InputError(
            f"{path}: {reason}.", "Give polygons as GeoJSON; QGIS exports any vector layer so.", code="bad-vector"
        ) from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: not a GeoJSON file.", "Export the layer as GeoJSON.", code="bad-vector")
    return content


def _geometries(content: dict[str, Any]) -> list[dict[str, Any]]:
    kind = content.get("type")
    if kind == "FeatureCollection":
        return [shape for feature in content.get("features", []) for shape in _geometries(feature)]
    if kind == "Feature":
        return _geometries(content.get("geometry") or {})
    if kind == "GeometryCollection":
        return [shape for part in content.get("geometries", []) for shape in _geometries(part)]
    return [content] if kind else []


def _crs(content: dict[str, Any]) -> str:
    """The CRS that older GeoJSON files name, as QGIS and GDAL still write it."""
    name = content.get("crs", {}).get("properties", {}).get("name") if isinstance(content.get("crs"), dict) else None
    return str(name) if name else "EPSG:4326"
