"""Items in the layout of Earth Search v1: ``sentinel-2-l2a``, ``sentinel-2-c1-l2a`` and ``sentinel-2-l1c``.

The files of L1C are COGs with https addresses here. Three dates of ``sentinel-2-l2a`` differ in what the item says of the
offset: taken off and stated so, taken off but still stated for the bands (a known fault of the catalogue), still in.
"""

from __future__ import annotations

from typing import Any

from . import world
from .dates import OPTICAL, OpticalDate, Tile
from .footprints import collection, footprint, grid_facts, item
from .store import Store

ASSETS = {
    "B01": "coastal", "B02": "blue", "B03": "green", "B04": "red", "B05": "rededge1", "B06": "rededge2",
    "B07": "rededge3", "B08": "nir", "B8A": "nir08", "B09": "nir09", "B10": "cirrus", "B11": "swir16", "B12": "swir22",
}  # fmt: skip
_COG = "image/tiff; application=geotiff; profile=cloud-optimized"
STILL_IN = ("2021-05-31",)  # days of sentinel-2-l2a whose offset was not taken off
STATED_WRONG = ("2021-06-10", "2021-07-25")  # days whose bands state an offset that was taken off


def collections() -> list[dict[str, Any]]:
    """The collections."""
    return [
        collection("sentinel-2-c1-l2a", "Sentinel-2 Collection 1 Level-2A", "proprietary"),
        collection("sentinel-2-l2a", "Sentinel-2 Level-2A", "proprietary"),
        collection("sentinel-2-l1c", "Sentinel-2 Level-1C", "proprietary"),
    ]


def items(store: Store, files: dict[str, str], origin: str) -> list[dict[str, Any]]:
    """All items; see `planetary.items` for the arguments."""
    made = []
    for date in OPTICAL:
        for tile in date.tiles:
            made.append(first(date, tile, store, files, origin))
            made.append(collection_1(date, tile, store, files, origin))
            made.append(top(date, tile, store, files, origin))
    return made


def _base(
    name: str, collection_name: str, date: OpticalDate, tile: Tile, product: str, baseline: str
) -> dict[str, Any]:
    cloud, shadow, empty = world.cloud_cover(date, tile)
    made = item(name, collection_name, date.datetime, footprint(date, tile))
    made["properties"] |= {
        "created": "2023-09-14T09:34:11.000Z",
        "updated": "2023-09-14T09:34:11.000Z",
        "platform": f"sentinel-2{date.unit.lower()}",
        "constellation": "sentinel-2",
        "instruments": ["msi"],
        "eo:cloud_cover": cloud,
        "grid:code": f"MGRS-{tile.name}",
        "mgrs:utm_zone": int(tile.name[:2]),
        "mgrs:latitude_band": tile.name[2],
        "mgrs:grid_square": tile.name[3:],
        "s2:processing_baseline": baseline,
        "s2:product_uri": product,
        "s2:cloud_shadow_percentage": shadow,
        "s2:nodata_pixel_percentage": empty,
        "sunbreak:made_from": "L1C numbers of the demo scene",
    }
    return made


def _fill(
    made: dict[str, Any], folder: str, tile: Tile, stored: dict[str, str], thumbnail: str, offset: float,
    files: dict[str, str], origin: str,
) -> None:  # fmt: skip
    for key, name in stored.items():
        band = next((band for band, asset in ASSETS.items() if asset == key), {"scl": "SCL"}.get(key, "TCI"))
        path = f"/{folder}/{band}.tif"
        files[path] = name
        size = 10 * world.step(band)
        made["assets"][key] = {
            "href": origin + path,
            "type": _COG,
            "roles": ["data", "reflectance"],
            **grid_facts(tile, band, short=False),
        }
        if key in ASSETS.values():
            facts = {"nodata": 0, "data_type": "uint16", "bits_per_sample": 15, "spatial_resolution": size}
            made["assets"][key]["raster:bands"] = [{**facts, "scale": 0.0001, "offset": offset}]
    path = f"/{folder}/thumbnail.jpg"
    files[path] = thumbnail
    made["assets"]["thumbnail"] = {"href": origin + path, "type": "image/jpeg", "roles": ["thumbnail"]}


def _product(date: OpticalDate, tile: Tile, level: str, baseline: str) -> str:
    number = baseline.replace(".", "")
    return f"S2{date.unit}_MSI{level}_{date.stamp}_N{number}_R{date.orbit:03d}_T{tile.name}_20230131T081502.SAFE"


def _bands(date: OpticalDate, tile: Tile, level: str, shift: int, store: Store) -> dict[str, str]:
    bands = [band for band in world.BANDS if level == "L1C" or band != "B10"]
    stored = {ASSETS[band]: store.band(date, tile, band, level, shift) for band in bands}
    if level == "L2A":
        stored["scl"] = store.classes(date, tile)
    return stored | {"visual": store.visual(date, tile)}


def first(date: OpticalDate, tile: Tile, store: Store, files: dict[str, str], origin: str) -> dict[str, Any]:
    """An item of ``sentinel-2-l2a``."""
    day = date.day.replace("-", "")
    name = f"S2{date.unit}_{tile.name}_{day}_0_L2A"
    baseline = date.again or date.baseline
    made = _base(name, "sentinel-2-l2a", date, tile, _product(date, tile, "L2A", baseline), baseline)
    has_offset = float(baseline) >= 4
    still_in = has_offset and date.day in STILL_IN
    stated = -0.1 if still_in or (has_offset and date.day in STATED_WRONG) else 0
    made["properties"] |= {
        "earthsearch:boa_offset_applied": has_offset and not still_in,
        "earthsearch:s3_path": f"s3://sentinel-cogs/sentinel-s2-l2a-cogs/{name}",
        "proj:epsg": tile.epsg,
        "s2:sequence": "0",
    }
    folder = f"sentinel-cogs/sentinel-s2-l2a-cogs/{tile.name[:2]}/{tile.name[2]}/{tile.name[3:]}/{date.day[:4]}/{name}"
    stored = _bands(date, tile, "L2A", 1000 if still_in else 0, store)
    _fill(made, folder, tile, stored, store.thumbnail(date, tile, "jpg"), stated, files, origin)
    return made


def collection_1(date: OpticalDate, tile: Tile, store: Store, files: dict[str, str], origin: str) -> dict[str, Any]:
    """An item of ``sentinel-2-c1-l2a``, whose numbers have the offset on all dates."""
    name = f"S2{date.unit}_T{tile.name}_{date.stamp}_L2A"
    made = _base(name, "sentinel-2-c1-l2a", date, tile, _product(date, tile, "L2A", "05.00"), "05.00")
    made["properties"] |= {"proj:code": f"EPSG:{tile.epsg}"}
    folder = f"sentinel-cogs/sentinel-2-c1-l2a/{tile.name[:2]}/{tile.name[2]}/{tile.name[3:]}/{date.day[:4]}/{name}"
    stored = _bands(date, tile, "L2A", 1000, store)
    _fill(made, folder, tile, stored, store.thumbnail(date, tile, "jpg"), -0.1, files, origin)
    return made


def top(date: OpticalDate, tile: Tile, store: Store, files: dict[str, str], origin: str) -> dict[str, Any]:
    """An item of ``sentinel-2-l1c``, with all 13 bands; the offset is in from baseline 04.00."""
    name = f"S2{date.unit}_{tile.name}_{date.day.replace('-', '')}_0_L1C"
    baseline = date.again or date.baseline
    shift = 1000 if float(baseline) >= 4 else 0
    made = _base(name, "sentinel-2-l1c", date, tile, _product(date, tile, "L1C", baseline), baseline)
    made["properties"] |= {"proj:epsg": tile.epsg, "s2:sequence": "0", "s2:product_type": "S2MSI1C"}
    folder = f"sentinel-cogs/sentinel-s2-l1c/{tile.name[:2]}/{tile.name[2]}/{tile.name[3:]}/{date.day[:4]}/{name}"
    stored = _bands(date, tile, "L1C", shift, store)
    _fill(made, folder, tile, stored, store.thumbnail(date, tile, "jpg"), -shift / 10000, files, origin)
    return made
