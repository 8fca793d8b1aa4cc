"""A result of `sunbreak find`, as the backend writes it: six dates of Sentinel-2 and four of Sentinel-1."""

from __future__ import annotations

import json

QUERY_BOX = (10.36, 48.68, 10.46, 48.74)

# date, days from 2021-06-03, cloud cover of the area, coverage, use
SCENES = (
    ("20210506", -28, 0.004, 1.0, "reference"),
    ("20210511", -23, 0.71, 1.0, ""),
    ("20210531", -3, 0.88, 0.62, ""),
    ("20210605", 2, 0.38, 1.0, "scene"),
    ("20210615", 12, None, 1.0, ""),
    ("20210620", 17, 0.03, 1.0, "reference"),
)
# date, coverage, use, the date that it is for
RADAR = (
    ("20210508", 1.0, "reference-radar", "20210506"),
    ("20210530", 1.0, "", ""),
    ("20210604", 1.0, "radar", "20210605"),
    ("20210607", 0.7, "", ""),
)


def scene_id(date: str) -> str:
    return f"S2A_MSIL2A_{date}T102031_R065_T32UPV"


def radar_id(date: str) -> str:
    return f"S1A_IW_GRDH_{date}T052611_rtc"


def content(*, scenes=SCENES, radar=RADAR, thumbnails=None, notes=(), warnings=()) -> str:
    """The JSON. `thumbnails` is the date of a scene to its picture."""
    pictures = thumbnails or {}
    return json.dumps(
        {
            "version": 1,
            "sunbreak": "0.1.0",
            "profile": "planetary-computer",
            "title": "Microsoft Planetary Computer",
            "date": "2021-06-03",
            "days": 30,
            "bbox": list(QUERY_BOX),
            "place": {"type": "Polygon", "coordinates": []},
            "scenes": [
                {
                    "id": scene_id(date),
                    "items": [scene_id(date)],
                    "collection": "sentinel-2-l2a",
                    "datetime": f"{date[:4]}-{date[4:6]}-{date[6:]}T10:20:31.024000Z",
                    "platform": "sentinel-2a",
                    "level": "L2A",
                    "tiles": ["32UPV"],
                    "days": days,
                    "tile_cloud": 41.2,
                    "area_cloud": cloud,
                    "area_shadow": None if cloud is None else 0.05,
                    "covers": covers,
                    "thumbnail": pictures.get(date),
                    "use": use,
                    "why": "nearest to the date" if use == "scene" else "",
                }
                for date, days, cloud, covers, use in scenes
            ],
            "radar": [
                {
                    "id": radar_id(date),
                    "items": [radar_id(date)],
                    "collection": "sentinel-1-rtc",
                    "datetime": f"{date[:4]}-{date[4:6]}-{date[6:]}T05:26:11Z",
                    "platform": "sentinel-1a",
                    "orbit": "descending",
                    "relative_orbit": 168,
                    "covers": covers,
                    "polarisations": ["VV", "VH"],
                    "quantity": "gamma0, terrain-corrected",
                    "use": use,
                    "for": scene_id(of) if of else "",
                    "days": 0,
                    "why": "same orbit, 1 day before" if use == "radar" else "",
                }
                for date, covers, use, of in radar
            ],
            "licence": [],
            "notes": list(notes),
            "warnings": list(warnings),
        }
    )
