"""Where the images lie, as items state it."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from pyproj import Transformer
from shapely.geometry import Polygon, box, mapping

from . import world
from .dates import OpticalDate, RadarDate, Tile


def footprint(date: OpticalDate | RadarDate, tile: Tile) -> Polygon:
    """The part of a tile that has data, in degrees."""
    left, bottom, right, top = tile.bounds
    shape = box(left, bottom, right, top)
    if date.edge is not None:
        low, high = date.edge.at(bottom), date.edge.at(top)
        far = left - 1 if date.edge.side == "west" else right + 1
        shape = shape.intersection(Polygon([(far, bottom), (low, bottom), (high, top), (far, top)]))
    to_degrees = Transformer.from_crs(f"EPSG:{tile.epsg}", "EPSG:4326", always_xy=True)
    degrees = shapely.transform(shape, lambda points: np.column_stack(to_degrees.transform(*points.T)))
    assert isinstance(degrees, Polygon)
    return degrees


def item(name: str, collection: str, when: str, place: Polygon, *, version: str = "1.0.0") -> dict[str, Any]:
    """An item without assets."""
    return {
        "type": "Feature",
        "stac_version": version,
        "stac_extensions": [
            f"https://stac-extensions.github.io/{extension}/schema.json"
            for extension in ("eo/v1.1.0", "sat/v1.0.0", "projection/v1.1.0", "raster/v1.1.0", "file/v2.1.0")
        ],
        "id": name,
        "collection": collection,
        "geometry": mapping(place),
        "bbox": list(place.bounds),
        "properties": {"datetime": when},
        "links": [],
        "assets": {},
    }


def grid_facts(tile: Tile, band: str, *, short: bool = True) -> dict[str, Any]:
    """``proj:shape`` and ``proj:transform`` of a band; the transform with six numbers, or with nine."""
    transform_, shape = world.grid(tile, band)
    numbers = [float(number) for number in tuple(transform_)]
    return {"proj:shape": list(shape), "proj:transform": numbers[:6] if short else numbers}


def collection(name: str, title: str, licence: str, **more: Any) -> dict[str, Any]:
    """A collection."""
    return {
        "type": "Collection",
        "stac_version": "1.0.0",
        "id": name,
        "title": title,
        "description": f"{title}, made from the demo scene of Sunbreak for tests. The images are simulated.",
        "license": licence,
        "extent": {
            "spatial": {"bbox": [[-180, -90, 180, 90]]},
            "temporal": {"interval": [["2014-10-10T00:00:00Z", None]]},
        },
        "links": [],
        **more,
    }
