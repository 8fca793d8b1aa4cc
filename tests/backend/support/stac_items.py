"""Items in the layouts of the catalogues, as small dictionaries."""

from __future__ import annotations

from typing import Any

from shapely.geometry import box, mapping

from sunbreak.catalogue.items import CatalogueItem, read_item
from sunbreak.catalogue.profile_files import find_profile
from sunbreak.catalogue.profiles import Profile

PLACE = (8.0, 50.0, 8.1, 50.1)
BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12", "SCL")


def optical(
    name: str, time: str, footprint: tuple[float, float, float, float] = (7.0, 49.0, 9.0, 51.0), **properties: Any
) -> dict[str, Any]:
    """An item as Planetary Computer has it."""
    return {
        "type": "Feature",
        "id": name,
        "collection": "sentinel-2-l2a",
        "geometry": mapping(box(*footprint)),
        "properties": {
            "datetime": time, "platform": "Sentinel-2A", "eo:cloud_cover": 40.0, "s2:mgrs_tile": "32UMA",
            "s2:processing_baseline": "05.09", "sat:orbit_state": "descending", "sat:relative_orbit": 108, **properties,
        },
        "assets": {band: {"href": f"https://files.test/c/{name}/{band}.tif?old=signature"} for band in BANDS},
    }  # fmt: skip


def radar(
    name: str, time: str, footprint: tuple[float, float, float, float] = (7.0, 49.0, 9.0, 51.0), **properties: Any
) -> dict[str, Any]:
    """An item of terrain-corrected Sentinel-1 as Planetary Computer has it."""
    return {
        "type": "Feature",
        "id": name,
        "collection": "sentinel-1-rtc",
        "geometry": mapping(box(*footprint)),
        "properties": {
            "datetime": time, "platform": "SENTINEL-1A", "sar:instrument_mode": "IW", "sat:orbit_state": "descending",
            "sat:relative_orbit": 66, "sar:polarizations": ["VV", "VH"], **properties,
        },
        "assets": {key: {"href": f"https://files.test/r/{name}/{key}.rtc.tiff"} for key in ("vv", "vh")},
    }  # fmt: skip


def read(content: dict[str, Any], profile: Profile | None = None) -> CatalogueItem:
    """The item, which has to be usable."""
    profile = profile or find_profile("planetary-computer")
    collection = next(one for one in profile.collections if one.name == content["collection"])
    item = read_item(content, collection, profile)
    assert isinstance(item, CatalogueItem), item
    return item
