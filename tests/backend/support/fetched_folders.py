"""Writes folders in the layout of `sunbreak get`: a collection, items, and rasters of a scene and two other dates."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sunbreak.scene import S2_BANDS

SCENE = "S2A_20180610T103021_T32UMA_L1C"
RADAR = "S1A_20180609T053412_139"
EARLY, LATE = "other-dates/S2B_20180531T103019_T32UMA_L1C", "other-dates/S2A_20180625T103021_T32UMA_L1C"
EARLY_RADAR, LATE_RADAR = "other-dates/S1B_20180530T053330_139", "other-dates/S1A_20180626T053413_139"
USES = {
    SCENE: ("scene", ""),
    RADAR: ("radar", SCENE),
    LATE: ("reference", SCENE),
    EARLY: ("reference", SCENE),
    LATE_RADAR: ("reference-radar", LATE),
    EARLY_RADAR: ("reference-radar", EARLY),
}


def write_fetched(
    write_raster: Callable[..., Path],
    cloudy_dn: Callable[..., np.ndarray],
    radar_db: Callable[..., np.ndarray],
    folder: str = "got",
) -> Path:
    """A scene of 70 x 90 pixels with one cloud, two other dates without, and the radar of each; its folder."""
    cloud = (slice(20, 50), slice(30, 70))
    for seed, name in enumerate(USES):
        if USES[name][0].endswith("radar"):
            power = 10 ** (radar_db(70, 90, seed) / 10)
            raster = write_raster(f"{folder}/{name}.tif", power.astype(np.float32), bands=("VV", "VH"))
        else:
            dn = cloudy_dn(70, 90, cloud if name == SCENE else None, seed)
            raster = write_raster(f"{folder}/{name}.tif", dn, bands=S2_BANDS)
        write_item(raster, *USES[name])
    root = raster.parents[1]
    write_collection(root, [f"./{name}.stac.json" for name in USES])
    return root


def write_item(raster: Path, use: str | None, belongs_to: str = "", **properties: Any) -> Path:
    """The item beside a raster; its date is that in the raster's name."""
    day = raster.name.split("_")[1]
    date = f"{day[:4]}-{day[4:6]}-{day[6:8]}T{day[9:11]}:{day[11:13]}:{day[13:15]}Z"
    told = {"datetime": date, "sunbreak:use": use, "sunbreak:for": Path(belongs_to).name, **properties}
    item = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": raster.stem,
        "geometry": None,
        "properties": {key: value for key, value in told.items() if value},
        "links": [],
        "assets": {"data": {"href": f"./{raster.name}", "type": "image/tiff; application=geotiff", "roles": ["data"]}},
    }
    path = raster.with_name(f"{raster.stem}.stac.json")
    path.write_text(json.dumps(item), encoding="utf-8")
    return path


def write_collection(folder: Path, hrefs: list[object], **fields: Any) -> Path:
    """The collection that names the items by these addresses."""
    collection = {
        "type": "Collection",
        "id": f"sunbreak-{SCENE}",
        "stac_version": "1.0.0",
        "description": "A scene, its radar and its other dates.",
        "license": "various",
        "extent": {"spatial": {"bbox": [[8.9, 47.8, 9.0, 47.9]]}, "temporal": {"interval": [[None, None]]}},
        "links": [{"rel": "root", "href": "./collection.json"}, *({"rel": "item", "href": href} for href in hrefs)],
        "summaries": {},
        "sunbreak:made_by": "sunbreak get",
        "sunbreak:version": 1,
        **fields,
    }
    path = folder / "collection.json"
    path.write_text(json.dumps(collection), encoding="utf-8")
    return path
