"""Writes what was fetched: a cloud optimised GeoTIFF for each overpass, with a STAC item, and a collection of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak import __version__
from sunbreak.catalogue.overpasses import Overpass
from sunbreak.drafts import draft, write_json
from sunbreak.layers.cog import to_cog
from sunbreak.layers.stac import footprint
from sunbreak.scene.fetched_folder import COLLECTION, MADE_BY, RADAR, SCENE, VERSION
from sunbreak.scene.grid import Grid

OTHER_DATES = "other-dates"
_SCALE = 1e-4
_BLOCK = 512
_ROWS = 1024
_RASTER = "https://stac-extensions.github.io/raster/v1.1.0/schema.json"
_PROJECTION = "https://stac-extensions.github.io/projection/v1.1.0/schema.json"
_EO = "https://stac-extensions.github.io/eo/v1.1.0/schema.json"
_SAT = "https://stac-extensions.github.io/sat/v1.0.0/schema.json"


@dataclass(frozen=True)
class Fetched:
    """An overpass to be fetched.

    Attributes:
        overpass: Its items.
        bands: Canonical names of its bands, in the order of the file.
        use: ``scene``, ``radar``, ``reference`` or ``reference-radar``.
        partner: For radar, the name of the date that it belongs to.
    """

    overpass: Overpass
    bands: tuple[str, ...]
    use: str
    partner: str = ""

    @property
    def is_radar(self) -> bool:
        """Whether it is Sentinel-1."""
        return self.overpass.first.collection.sensor == "radar"

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The type of its numbers: DN of Sentinel-2, linear power of Sentinel-1."""
        return np.dtype("float32" if self.is_radar else "uint16")

    @property
    def name(self) -> str:
        """Name of its file without an ending, such as ``S2A_20180610T103021_T32UMA_L2A``."""
        first = self.overpass.first
        satellite = first.platform.replace("sentinel-", "S").replace("sentinel", "S").upper() or "S"
        time = f"{first.acquired:%Y%m%dT%H%M%S}"
        if self.is_radar:
            orbit = f"{first.orbit[:3]}{first.relative_orbit or ''}".upper()
            return "_".join(filter(None, (_plain(satellite), time, orbit, "RTC")))
        tile = f"T{first.tile}" if first.tile else ""
        return "_".join(filter(None, (_plain(satellite), time, tile, first.collection.level)))

    @property
    def place(self) -> str:
        """Path of its file in the folder, with ``/`` and without an ending."""
        return self.name if self.use in (SCENE, RADAR) else f"{OTHER_DATES}/{self.name}"


def write_raster(
    path: Path, one: Fetched, grid: Grid, bands: Mapping[str, NDArray[np.generic]], work: Path, threads: int
) -> None:
    """Write the file of an overpass: block 512, ZSTD, overviews, names, scale, offset, unit and no data inside.

    Args:
        path: The file.
        one: What it is.
        grid: Its grid.
        bands: (row, column) of each band.
        work: A folder for a copy that is not compressed; the caller removes it.
        threads: For the compression.

    Raises:
        OSError: The disk is full, or the folder cannot be written.
        rasterio.errors.RasterioError: GDAL cannot write it.
    """
    with draft(work / "plain.tif") as plain:
        with rasterio.open(
            plain, "w", driver="GTiff", width=grid.width, height=grid.height, count=len(one.bands), dtype=one.dtype,
            crs=grid.crs, transform=grid.transform, nodata=np.nan if one.is_radar else 0, tiled=True,
            blockxsize=_BLOCK, blockysize=_BLOCK, interleave="band", BIGTIFF="IF_SAFER",
        ) as file:  # fmt: skip
            _describe(file, one)
            for index, band in enumerate(one.bands, 1):
                for first in range(0, grid.height, _ROWS):
                    part = bands[band][first : first + _ROWS]
                    file.write(part, index, window=Window(0, first, grid.width, part.shape[0]))
        with draft(path) as place, rasterio.Env(GDAL_PAM_ENABLED="NO"):
            # SCL among the bands must not be averaged
            to_cog(plain, place, one.dtype, categories=True, threads=threads)


def write_item(folder: Path, one: Fetched, grid: Grid, digest: str) -> None:
    """Write the STAC item of an overpass, beside its file. It holds no address of a file.

    Raises:
        OSError: It cannot be written.
    """
    first = one.overpass.first
    raster = folder / f"{one.place}.tif"
    geometry, bbox = footprint(grid)
    collection = first.collection
    properties: dict[str, Any] = {
        "datetime": f"{first.acquired:%Y-%m-%dT%H:%M:%SZ}",
        "created": f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
        "platform": first.platform,
        "constellation": "sentinel-1" if one.is_radar else "sentinel-2",
        "license": collection.licence,
        "attribution": collection.attributed(first.acquired.year),
        "proj:epsg": grid.crs.to_epsg(),
        "proj:shape": list(grid.shape),
        "proj:transform": list(grid.transform)[:6],
        "sunbreak:use": one.use,
        "sunbreak:items": [item.id for item in one.overpass.items],
        "sunbreak:catalogue": first.profile.title,
        "sunbreak:collection": collection.name,
        "sunbreak:request": digest,
        "sunbreak:software": __version__,
    }
    if one.is_radar:
        properties |= {"sunbreak:for": one.partner, "sunbreak:quantity": collection.quantity}
        properties |= {"sat:orbit_state": first.orbit} if first.orbit else {}
        properties |= {"sat:relative_orbit": first.relative_orbit} if first.relative_orbit else {}
    else:
        properties["s2:product_type"] = f"S2MSI{collection.level[1:]}"
        properties |= {"s2:processing_baseline": first.baseline} if first.baseline else {}
    up = "../" * one.place.count("/")
    write_json(
        folder / f"{one.place}.stac.json",
        {
            "type": "Feature",
            "stac_version": "1.0.0",
            "stac_extensions": [_RASTER, _PROJECTION, _EO, _SAT],
            "id": one.name,
            "geometry": geometry,
            "bbox": bbox,
            "properties": properties,
            "assets": {
                "data": {
                    "href": f"./{one.name}.tif",
                    "type": "image/tiff; application=geotiff; profile=cloud-optimized",
                    "roles": ["data"],
                    "file:size": raster.stat().st_size,
                    "eo:bands": [{"name": band} for band in one.bands],
                    "raster:bands": [_stored(one, band) for band in one.bands],
                }
            },
            "links": [
                {"rel": "collection", "href": f"{up or './'}{COLLECTION}", "type": "application/json"},
                *([{"rel": "license", "href": collection.licence_url}] if collection.licence_url else []),
            ],
            "collection": "sunbreak-scenes",
        },
        indent=1,
    )


def write_collection(folder: Path, fetched: Sequence[Fetched], grid: Grid) -> None:
    """Write the collection that lists the items of a folder.

    Raises:
        OSError: It cannot be written.
    """
    times = sorted(one.overpass.acquired for one in fetched)
    _, bbox = footprint(grid)
    attributions = dict.fromkeys(
        one.overpass.first.collection.attributed(one.overpass.acquired.year) for one in fetched
    )
    providers = dict.fromkeys(one.overpass.first.profile.title for one in fetched)
    write_json(
        folder / COLLECTION,
        {
            "type": "Collection",
            "stac_version": "1.0.0",
            "id": "sunbreak-scenes",
            "description": "A scene with its radar and other dates, fetched by sunbreak get. "
            + "; ".join(filter(None, attributions)),
            "license": "various",
            "providers": [{"name": name, "roles": ["host"]} for name in providers],
            "extent": {
                "spatial": {"bbox": [bbox]},
                "temporal": {"interval": [[f"{time:%Y-%m-%dT%H:%M:%SZ}" for time in (times[0], times[-1])]]},
            },
            "sunbreak:made_by": MADE_BY,
            "sunbreak:version": VERSION,
            "links": [
                {"rel": "root", "href": f"./{COLLECTION}", "type": "application/json"},
                *(
                    {"rel": "item", "href": f"./{one.place}.stac.json", "type": "application/geo+json"}
                    for one in fetched
                ),
            ],
        },
        indent=1,
    )


def _describe(file: Any, one: Fetched) -> None:
    first = one.overpass.first
    collection = first.collection
    tags = {
        "ACQUISITION_DATETIME": f"{first.acquired:%Y-%m-%dT%H:%M:%SZ}",
        "TIFFTAG_COPYRIGHT": collection.attributed(first.acquired.year),
        "TIFFTAG_SOFTWARE": f"Sunbreak {__version__}",
        "LICENCE": collection.licence,
        "ITEMS": " ".join(item.id for item in one.overpass.items),
    }
    if not one.is_radar:
        tags["PRODUCT_TYPE"] = f"S2MSI{collection.level[1:]}"
        tags |= {"PROCESSING_BASELINE": first.baseline} if first.baseline else {}
    file.update_tags(**tags)
    for index, band in enumerate(one.bands, 1):
        file.set_band_description(index, band)
        stored = _stored(one, band)
        if "unit" in stored:
            file.set_band_unit(index, stored["unit"])
    stated = [_stored(one, band) for band in one.bands]
    if any("scale" in band for band in stated):
        file.scales = [band.get("scale", 1.0) for band in stated]
        file.offsets = [band.get("offset", 0.0) for band in stated]


def _stored(one: Fetched, band: str) -> dict[str, Any]:
    """How a band is stored, in the fields of STAC's raster extension."""
    if one.is_radar:
        return {
            "data_type": "float32",
            "nodata": "nan",
            "unit": f"{one.overpass.first.collection.quantity} (linear power)",
        }
    stored: dict[str, Any] = {"data_type": "uint16", "nodata": 0}
    offset = one.overpass.first.offset
    if band != "SCL" and offset is not None:
        stored |= {"scale": _SCALE, "offset": round(offset * _SCALE, 6), "unit": "reflectance"}
    return stored


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum())
