"""The place that a user names: a rectangle in degrees, polygons of a GeoJSON file, or where a raster lies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import box, mapping
from shapely.geometry.base import BaseGeometry

from sunbreak.errors import InputError
from sunbreak.scene.points_and_polygons import read_polygons
from sunbreak.sources import raster_at

_RASTERS = (".tif", ".tiff", ".jp2", ".vrt")
_POINTS = 96  # along the longer side
_WIDEST = 300_000.0  # metres
_RADIUS, _SQUARED_ECCENTRICITY = 6_378_137.0, 0.00669437999014  # of the WGS 84 ellipsoid
_HINT = "Give WEST,SOUTH,EAST,NORTH in degrees, such as 7.10,43.60,7.25,43.70."


@dataclass(frozen=True)
class Place:
    """A place.

    Attributes:
        geometry: Polygons in degrees of longitude and latitude (WGS 84).
    """

    geometry: BaseGeometry

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north in degrees."""
        west, south, east, north = self.geometry.bounds
        return float(west), float(south), float(east), float(north)

    def to_geojson(self) -> dict[str, object]:
        """The geometry as GeoJSON."""
        return dict(mapping(self.geometry))

    @cached_property
    def points(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Longitudes and latitudes of a regular grid of points inside, at most 96 along its longer side, each (n,)."""
        west, south, east, north = self.bounds
        width, height = _metres(self.bounds)
        longest = max(width, height)
        columns, rows = (max(1, round(_POINTS * side / longest)) for side in (width, height))
        x = west + (np.arange(columns) + 0.5) * (east - west) / columns
        y = north - (np.arange(rows) + 0.5) * (north - south) / rows
        lon, lat = (axis.ravel() for axis in np.meshgrid(x, y))
        inside = shapely.contains_xy(self.geometry, lon, lat)
        if not inside.any():  # narrower than the grid
            point = self.geometry.representative_point()
            return np.array([point.x]), np.array([point.y])
        return lon[inside], lat[inside]

    def covered_by(self, footprint: BaseGeometry) -> float:
        """The fraction (0..1) of the place inside a footprint."""
        lon, lat = self.points
        shapely.prepare(footprint)
        return float(shapely.contains_xy(footprint, lon, lat).mean())


def place_from_bbox(text: str) -> Place:
    """A rectangle, ``WEST,SOUTH,EAST,NORTH`` in degrees.

    Raises:
        InputError: It is something else, or too large (``bad-place``).
    """
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"{text!r} is not a rectangle.", _HINT, code="bad-place") from None
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):  # false for NaN too
        raise InputError(
            f"{text} is not a rectangle in degrees: west < east and south < north.", _HINT, code="bad-place"
        )
    return _checked(Place(box(west, south, east, north)), text)


def place_from_file(path: Path) -> Place:
    """The polygons of a GeoJSON file, or the rectangle of a georeferenced raster.

    Raises:
        InputError: The file cannot be read, holds no polygon, or is too large (``bad-place``).
    """
    if path.suffix.lower() not in _RASTERS:
        return _checked(Place(read_polygons(path)), str(path))
    from rasterio.warp import transform_bounds

    from sunbreak.scene.georeference import grid_of

    with raster_at(path).open() as dataset:
        grid = grid_of(dataset, path)
        bounds = transform_bounds(grid.crs, "EPSG:4326", *dataset.bounds, densify_pts=21)
    return _checked(Place(box(*bounds)), str(path))


def _checked(place: Place, name: str) -> Place:
    width, height = _metres(place.bounds)
    if max(width, height) > _WIDEST:
        raise InputError(
            f"{name}: the place is {width / 1000:.0f} x {height / 1000:.0f} km, and at most {_WIDEST / 1000:.0f} are "
            "searched.",
            "Give a smaller one.",
            code="bad-place",
        )
    if not place.geometry.area > 0 or not all(map(math.isfinite, place.bounds)):
        raise InputError(f"{name}: the place has no area.", _HINT, code="bad-place")
    return place


def _metres(bounds: tuple[float, float, float, float]) -> tuple[float, float]:
    """Length of the middle parallel and of a meridian of a rectangle in degrees, on the WGS 84 ellipsoid.

    The radii of curvature are those of the prime vertical and of the meridian (Snyder 1987, equations 4-20 and 4-18).
    """
    west, south, east, north = bounds
    middle, half = math.radians(south + north) / 2, math.radians(north - south) / 2
    width = math.radians(east - west) * math.cos(middle) * _RADIUS / math.sqrt(_curvature(middle))
    nodes, weights = np.polynomial.legendre.leggauss(8)
    radii = _RADIUS * (1 - _SQUARED_ECCENTRICITY) / _curvature(middle + half * nodes) ** 1.5
    return width, half * float(weights @ radii)


def _curvature(latitude: Any) -> Any:
    return 1 - _SQUARED_ECCENTRICITY * np.sin(latitude) ** 2
