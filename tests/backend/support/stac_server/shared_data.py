"""Items of a real place in Italy: the 16 dates of 2018 in ``timeseries`` of the shared data.

They are L1C numbers of SEN12MS-CR-TS in degrees, warped to UTM here. L2A is computed with one clear atmosphere, and the
scene classification with thresholds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import rasterio
from rasterio.warp import transform_bounds

from . import cdse, earth_search, planetary
from .dates import RealDate, Tile
from .store import Store

_EPSG = 32633
_TILE = "33TUG"
_EDGE = 80  # metres that the warped image lacks at each side
_NAME = re.compile(r"_(\d{4}-\d{2}-\d{2})_patch_0\.tif$")
_FIRST_OF_A = date(2018, 6, 10)


def shared_items(folder: Path, store: Store, files: dict[str, str], origin: str) -> dict[str, list[dict[str, Any]]]:
    """Items by catalogue; see `planetary.items` for the other arguments.

    Args:
        folder: The shared data.
    """
    made: dict[str, list[dict[str, Any]]] = {"planetary-computer": [], "earth-search": [], "cdse": []}
    for day, tile in _dates(folder / "timeseries"):
        made["planetary-computer"].append(planetary.optical(day, tile, day.baseline, store, files, origin))
        made["earth-search"] += [
            make(day, tile, store, files, origin)
            for make in (earth_search.first, earth_search.collection_1, earth_search.top)
        ]
        made["cdse"] += [cdse.product(day, tile, level, store, files, origin) for level in ("L1C", "L2A")]
    return made


def _dates(folder: Path) -> Iterator[tuple[RealDate, Tile]]:
    for file in sorted(folder.glob("*.tif")):
        named = _NAME.search(file.name)
        if named is None:
            continue
        with rasterio.open(file) as raster:
            left, bottom, right, top = transform_bounds(raster.crs, f"EPSG:{_EPSG}", *raster.bounds)
        left, top = (60 * round(edge / 60) for edge in (left + 2 * _EDGE, top - 2 * _EDGE))
        columns, rows = (int(size - 2 * _EDGE) // 60 * 6 for size in (right - left, top - bottom))
        tile = Tile(_TILE, int(left), int(top), columns, rows, _EPSG)
        days = (date.fromisoformat(named[1]) - _FIRST_OF_A).days
        unit = "A" if days % 10 == 0 else "B"
        yield RealDate(named[1], unit, orbit=122, time="100021", baseline="02.06", file=file), tile
