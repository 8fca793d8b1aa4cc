"""Items in the layout of the Copernicus Data Space (STAC 1.1): ``sentinel-2-l1c`` and ``sentinel-2-l2a``.

``href`` is in an object store that needs an account; ``alternate.https`` is served here, as COG instead of JPEG 2000, and
needs the bearer token `TOKEN`.
"""

from __future__ import annotations

from typing import Any

from . import world
from .dates import OPTICAL, OpticalDate, Tile
from .footprints import collection, footprint, grid_facts, item
from .store import Store

TOKEN = "a-token-for-tests"
PREFIX = "odata"
_SIZES = (10, 20, 60)


def collections() -> list[dict[str, Any]]:
    """The collections."""
    return [
        collection("sentinel-2-l2a", "Sentinel-2 Level-2A", "other"),
        collection("sentinel-2-l1c", "Sentinel-2 Level-1C", "other"),
    ]


def items(store: Store, files: dict[str, str], origin: str) -> list[dict[str, Any]]:
    """All items; see `planetary.items` for the arguments."""
    return [
        product(date, tile, level, store, files, origin)
        for date in OPTICAL
        for tile in date.tiles
        for level in ("L1C", "L2A")
    ]


def product(
    date: OpticalDate, tile: Tile, level: str, store: Store, files: dict[str, str], origin: str
) -> dict[str, Any]:
    """An item."""
    baseline = date.again or date.baseline
    shift = 1000 if float(baseline) >= 4 else 0
    number = baseline.replace(".", "")
    name = f"S2{date.unit}_MSI{level}_{date.stamp}_N{number}_R{date.orbit:03d}_T{tile.name}_20230131T081502"
    cloud, _, empty = world.cloud_cover(date, tile)
    made = item(name, f"sentinel-2-{level.lower()}", date.datetime, footprint(date, tile), version="1.1.0")
    made["properties"] |= {
        "start_datetime": date.datetime,
        "end_datetime": date.datetime,
        "created": "2023-01-31T08:15:02.000000Z",
        "platform": f"sentinel-2{date.unit.lower()}",
        "constellation": "sentinel-2",
        "instruments": ["msi"],
        "eo:cloud_cover": cloud,
        "grid:code": f"MGRS-{tile.name}",
        "sat:orbit_state": "descending",
        "sat:relative_orbit": date.orbit,
        "product:type": f"S2MSI{level[1:]}",
        "processing:version": baseline,
        "processing:level": level,
        "statistics": {"nodata": empty},
        "proj:code": f"EPSG:{tile.epsg}",
        "sunbreak:made_from": "L1C numbers of the demo scene",
    }

    def add(key: str, band: str, stored: str, **facts: Any) -> None:
        path = f"/{PREFIX}/Products/{name}/Nodes/{key}.tif"
        files[path] = stored
        made["assets"][key] = {
            "href": f"s3://eodata/Sentinel-2/MSI/{level}/{date.day.replace('-', '/')}/{name}.SAFE/{key}.jp2",
            "type": "image/tiff; application=geotiff; profile=cloud-optimized",
            "roles": ["data"],
            "gsd": 10 * world.step(band),
            "proj:code": f"EPSG:{tile.epsg}",
            **grid_facts(tile, band),
            **facts,
            "alternate": {"https": {"href": origin + path, "auth:refs": ["oidc"]}},
        }

    numbers = {"nodata": 0, "data_type": "uint16", "raster:scale": 0.0001, "raster:offset": -shift / 10000}
    for band in world.BANDS:
        if level == "L2A" and band == "B10":
            continue
        own = 10 * world.step(band)
        stored = store.band(date, tile, band, level, shift)
        key = band if level == "L1C" else f"{band}_{own}m"
        add(key, band, stored, **numbers, bands=[{"name": band}])
    if level == "L2A":
        add("SCL_20m", "SCL", store.classes(date, tile))
    add("TCI" if level == "L1C" else "TCI_10m", "TCI", store.visual(date, tile))
    path = f"/public/{name}.jpg"
    files[path] = store.thumbnail(date, tile, "jpg")
    made["assets"]["thumbnail"] = {"href": origin + path, "type": "image/jpeg", "roles": ["thumbnail"]}
    return made
