"""A STAC 1.1 Item beside every layer: where, when, how it is stored, and what it was made with.

The document is written as plain JSON: importing pystac takes longer than everything else here, and nothing is
fetched. The tests read it back and validate it with pystac.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from rasterio.warp import transform

from sunbreak import __version__
from sunbreak.layers.roles import Category, LayerSpec
from sunbreak.scene.grid import Grid

_EXTENSIONS = {
    "proj": "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "raster": "https://stac-extensions.github.io/raster/v2.0.0/schema.json",
    "processing": "https://stac-extensions.github.io/processing/v1.2.0/schema.json",
    "classification": "https://stac-extensions.github.io/classification/v2.0.0/schema.json",
    "eo": "https://stac-extensions.github.io/eo/v2.0.0/schema.json",
}
_COMMON_NAMES = {
    "B01": "coastal",
    "B02": "blue",
    "B03": "green",
    "B04": "red",
    "B05": "rededge071",
    "B06": "rededge075",
    "B07": "rededge078",
    "B08": "nir",
    "B8A": "nir08",
    "B09": "nir09",
    "B10": "cirrus",
    "B11": "swir16",
    "B12": "swir22",
}
# Figures of a run -> percent of the valid pixels. The extension has no field for thin clouds and shadows.
_COVERS = {
    "cloud_share": "eo:cloud_cover",
    "thin_cloud_share": "sunbreak:thin_cloud_cover",
    "shadow_share": "sunbreak:shadow_cover",
}
# The first Sentinel-2 image was taken after this launch: the start of "some day" when no date is known.
_FIRST_LIGHT = datetime(2015, 6, 23, tzinfo=timezone.utc)
_COG = "image/tiff; application=geotiff; profile=cloud-optimized"


class Origin(NamedTuple):
    """An acquisition that a layer is derived from: the name of its file or product, and when it was acquired."""

    name: str
    acquired: datetime | None


def write_item(
    path: Path,
    raster: str,
    spec: LayerSpec,
    grid: Grid,
    *,
    acquired: datetime | None,
    provenance: Mapping[str, str],
    inputs: Sequence[Path],
    companions: Mapping[str, str],
    numbers: Mapping[str, float | str] = MappingProxyType({}),
    derived_from: Sequence[Origin] = (),
) -> None:
    """Write the item of one layer.

    Args:
        path: The JSON file.
        raster: Name of the layer's file, in the same folder.
        spec: How the layer is stored.
        grid: Its grid.
        acquired: When the scene was taken; without it the item gives the time from the first Sentinel-2 to now.
        provenance: What made the layer; ``model`` becomes ``mlm:name``, every entry is written as ``sunbreak:<key>``.
        inputs: What it was made from; only the names are written.
        companions: Asset key -> name of a file in the same folder (``style``, ``thumbnail``).
        numbers: Figures of the run. Shares of cloud and shadow are written in percent: they are those of the scene as
            it was observed, for every layer.
        derived_from: The acquisitions that it links to as ``derived_from``; only the names are written.
    """
    now = datetime.now(timezone.utc)
    geometry, bbox = footprint(grid)
    properties: dict[str, Any] = {
        "title": spec.title,
        "created": _time(now),
        **_when(acquired, now),
        **_projection(grid),
    }
    properties["processing:software"] = {"sunbreak": __version__}
    if "model" in provenance:
        properties["mlm:name"] = provenance["model"]
    properties |= {f"sunbreak:{key.lower()}": value for key, value in provenance.items()}
    properties["sunbreak:role"] = spec.role
    properties["sunbreak:inputs"] = [source.name for source in inputs]
    properties |= {field: round(100 * float(numbers[name]), 2) for name, field in _COVERS.items() if name in numbers}
    used = ["proj", "raster", "processing"]
    bands = _bands(spec)
    fields = [*properties, *(key for band in bands for key in band)]
    used += [name for name in ("classification", "eo") if any(field.startswith(f"{name}:") for field in fields)]
    assets: dict[str, Any] = {
        "data": {"href": f"./{raster}", "type": _COG, "title": spec.title, "roles": ["data"], "bands": bands}
    }
    types = {"style": "application/xml", "thumbnail": "image/png"}
    for key, name in companions.items():
        assets[key] = {"href": f"./{name}", "type": types[key], "roles": [key]}
    item = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [_EXTENSIONS[name] for name in used],
        "id": Path(raster).stem,
        "geometry": geometry,
        "bbox": bbox,
        "properties": properties,
        "links": [_origin(source) for source in derived_from],
        "assets": assets,
    }
    path.write_text(json.dumps(item, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def _origin(source: Origin) -> dict[str, Any]:
    day = f", {source.acquired.date().isoformat()}" if source.acquired else ""
    return {"rel": "derived_from", "href": source.name, "title": f"{source.name}{day}"}


def footprint(grid: Grid) -> tuple[dict[str, Any], list[float]]:
    """GeoJSON geometry and bounding box (west, south, east, north) of a grid in degrees.

    A grid across the 180th meridian becomes two polygons and a box whose west is greater than its east (RFC 7946,
    3.1.9).
    """
    left, bottom, right, top = grid.bounds
    steps = np.linspace(0.0, 1.0, 9)[:-1]
    # Edges are curved in degrees: eight points each keep the outline within a fraction of a pixel's error for one
    # scene.
    xs = np.concatenate(
        [left + (right - left) * steps, right + 0 * steps, right - (right - left) * steps, left + 0 * steps]
    )
    ys = np.concatenate(
        [bottom + 0 * steps, bottom + (top - bottom) * steps, top + 0 * steps, top - (top - bottom) * steps]
    )
    lon_list, lat_list = transform(grid.crs, "EPSG:4326", xs.tolist(), ys.tolist())[:2]
    lon, lat = np.asarray(lon_list), np.asarray(lat_list)
    # a grid in degrees may run on past 180
    lon = np.where(np.abs(lon) > 180, (lon + 180) % 360 - 180, lon)
    south, north = float(lat.min()), float(lat.max())
    if np.ptp(lon) <= 180:
        return _polygon(lon, lat), _rounded([float(lon.min()), south, float(lon.max()), north])
    from shapely.geometry import Polygon, box, mapping

    turned = np.where(lon < 0, lon + 360, lon)
    outline = Polygon(zip(turned, lat, strict=True))
    west = outline.intersection(box(0, -90, 180, 90))
    east = outline.intersection(box(180, -90, 360, 90))
    east_ring = np.asarray(east.exterior.coords) - (360, 0)
    parts = [mapping(west)["coordinates"], mapping(Polygon(east_ring))["coordinates"]]
    bounds = [float(turned.min()), south, float(turned.max()) - 360, north]
    return {"type": "MultiPolygon", "coordinates": parts}, _rounded(bounds)


def _polygon(lon: np.ndarray[Any, Any], lat: np.ndarray[Any, Any]) -> dict[str, Any]:
    ring = [_rounded([x, y]) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def _rounded(numbers: Sequence[float]) -> list[float]:
    return [round(number, 8) for number in numbers]  # a millimetre


def _projection(grid: Grid) -> dict[str, Any]:
    authority = grid.crs.to_authority()
    where: dict[str, Any] = {"proj:code": ":".join(authority)} if authority else {"proj:code": None}
    if not authority:
        where["proj:wkt2"] = grid.crs.to_wkt(version="WKT2_2019")
    where["proj:shape"] = list(grid.shape)
    where["proj:transform"] = list(grid.transform)[:6]
    where["proj:bbox"] = list(grid.bounds)
    return where


def _bands(spec: LayerSpec) -> list[dict[str, Any]]:
    bands = []
    for name in spec.bands:
        band: dict[str, Any] = {"name": name, "data_type": spec.dtype}
        if spec.nodata is not None:
            band["nodata"] = "nan" if np.isnan(spec.nodata) else spec.nodata
        if spec.unit:
            band["unit"] = spec.unit
        if (spec.scale, spec.offset) != (1.0, 0.0):
            band |= {"raster:scale": spec.scale, "raster:offset": spec.offset}
        if name in _COMMON_NAMES:
            band["eo:common_name"] = _COMMON_NAMES[name]
        if spec.categories:
            band["classification:classes"] = [
                {
                    "value": c.value,
                    "name": _machine_name(c),
                    "title": c.name,
                    "color_hint": c.colour[1:].upper(),
                }
                for c in spec.categories
            ]
        bands.append(band)
    return bands


def _machine_name(category: Category) -> str:
    """The name of a class in the characters that the classification extension allows."""
    return re.sub(r"[^0-9A-Za-z_-]+", "_", category.name).strip("_") or f"class_{category.value}"


def _when(acquired: datetime | None, now: datetime) -> dict[str, Any]:
    if acquired is not None:
        return {"datetime": _time(acquired)}
    return {"datetime": None, "start_datetime": _time(_FIRST_LIGHT), "end_datetime": _time(now)}


def _time(moment: datetime) -> str:
    """RFC 3339 in UTC; a time without a zone is taken as UTC, which Sentinel products use."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return aware.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
