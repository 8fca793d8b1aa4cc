"""Items in the layout of Planetary Computer: ``sentinel-2-l2a``, ``sentinel-1-rtc``, and the decoy ``sentinel-1-grd``.

The numbers of Sentinel-2 still have the offset of processing baseline 04.00 and later. The addresses of files begin with
the storage account and the container, as a local Azure server has them, and need a token.
"""

from __future__ import annotations

from typing import Any

from . import world
from .dates import OPTICAL, RADAR, SLICE, OpticalDate, RadarDate, Tile
from .footprints import collection, footprint, grid_facts, item
from .store import Store

S2_FILES = ("sentinel2l2a01", "sentinel2-l2")
RTC_FILES = ("sentinel1euwestrtc", "sentinel1-grd-rtc")
GRD_FILES = ("sentinel1euwest", "s1-grd")
_COG = "image/tiff; application=geotiff; profile=cloud-optimized"
BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12")


def collections() -> list[dict[str, Any]]:
    """The collections, with the fields that tell the storage account and the container."""
    return [
        collection(name, title, licence, **{"msft:storage_account": files[0], "msft:container": files[1]})
        for name, title, licence, files in (
            ("sentinel-2-l2a", "Sentinel-2 Level-2A", "proprietary", S2_FILES),
            ("sentinel-1-rtc", "Sentinel 1 Radiometrically Terrain Corrected (RTC)", "CC-BY-4.0", RTC_FILES),
            ("sentinel-1-grd", "Sentinel 1 Level-1 Ground Range Detected (GRD)", "proprietary", GRD_FILES),
        )
    ]


def items(store: Store, files: dict[str, str], origin: str) -> list[dict[str, Any]]:
    """All items.

    Args:
        store: Where the files are.
        files: Gets the name in the store of each path of a file.
        origin: Of the addresses, such as ``http://127.0.0.1:8080``.
    """
    made = [
        optical(date, tile, baseline, store, files, origin)
        for date in OPTICAL
        for tile in date.tiles
        for baseline in (date.baseline, date.again)
        if baseline
    ]
    for radar in RADAR:
        made += [terrain_corrected(radar, store, files, origin), ground_range(radar, store, files, origin)]
    return made


def optical(
    date: OpticalDate,
    tile: Tile,
    baseline: str,
    store: Store,
    files: dict[str, str],
    origin: str,
    needs: tuple[str, ...] = S2_FILES,
) -> dict[str, Any]:
    """An item of Sentinel-2 L2A; `needs` are the account and the container, which the path begins with."""
    number = baseline.replace(".", "")
    made_on = "20230131T081502" if float(baseline) >= 4 else f"{date.day.replace('-', '')}T141210"
    name = f"S2{date.unit}_MSIL2A_{date.stamp}_R{date.orbit:03d}_T{tile.name}_{made_on}"
    product = f"S2{date.unit}_MSIL2A_{date.stamp}_N{number}_R{date.orbit:03d}_T{tile.name}_{made_on}.SAFE"
    cloud, shadow, empty = world.cloud_cover(date, tile)
    made = item(name, "sentinel-2-l2a", date.datetime, footprint(date, tile))
    made["properties"] |= {
        "platform": f"Sentinel-2{date.unit}",
        "constellation": "Sentinel 2",
        "instruments": ["msi"],
        "proj:epsg": tile.epsg,
        "proj:code": f"EPSG:{tile.epsg}",
        "eo:cloud_cover": cloud,
        "sat:orbit_state": "descending",
        "sat:relative_orbit": date.orbit,
        "s2:mgrs_tile": tile.name,
        "s2:processing_baseline": baseline,
        "s2:product_uri": product,
        "s2:product_type": "S2MSI2A",
        "s2:generation_time": f"{made_on[:4]}-{made_on[4:6]}-{made_on[6:8]}T{made_on[9:11]}:{made_on[11:13]}:{made_on[13:]}.000Z",
        "s2:cloud_shadow_percentage": shadow,
        "s2:nodata_pixel_percentage": empty,
        "sunbreak:made_from": "L1C numbers of the demo scene, through one clear atmosphere",
    }
    folder = "/".join((*needs, tile.name[:2], tile.name[2], tile.name[3:], *date.day.split("-"), product, "IMG_DATA"))
    shift = 1000 if float(baseline) >= 4 else 0

    def add(key: str, band: str, stored: str, media: str = _COG, ending: str = "tif") -> None:
        size = 10 * world.step(band)
        path = f"/{folder}/R{size}m/T{tile.name}_{date.stamp}_{key}_{size}m.{ending}"
        files[path] = stored
        made["assets"][key] = {"href": origin + path, "type": media, "roles": ["data"]}
        if ending == "tif":
            made["assets"][key] |= {"gsd": float(size), **grid_facts(tile, band)}

    for band in BANDS:
        add(band, band, store.band(date, tile, band, "L2A", shift))
        made["assets"][band]["eo:bands"] = [{"name": band}]
    add("SCL", "SCL", store.classes(date, tile))
    add("visual", "TCI", store.visual(date, tile))
    add("preview", "SCL", store.thumbnail(date, tile), "image/png", "png")
    made["assets"]["preview"]["roles"] = ["thumbnail"]
    return made


def _radar(date: RadarDate, name: str, collection_name: str) -> dict[str, Any]:
    made = item(name, collection_name, date.datetime, footprint(date, SLICE))
    made["properties"] |= {
        "platform": f"SENTINEL-1{date.unit}",
        "constellation": "Sentinel-1",
        "start_datetime": date.datetime.replace("653288", "153776"),
        "sar:instrument_mode": "IW",
        "sar:frequency_band": "C",
        "sar:polarizations": list(date.polarisations),
        "sar:product_type": "GRD",
        "sat:orbit_state": date.state,
        "sat:absolute_orbit": date.absolute,
        "sat:relative_orbit": date.orbit,
    }
    return made


def terrain_corrected(
    date: RadarDate, store: Store, files: dict[str, str], origin: str, needs: tuple[str, ...] = RTC_FILES
) -> dict[str, Any]:
    """An item of ``sentinel-1-rtc``: gamma0, linear, without data -32768."""
    made = _radar(date, f"{date.name}_rtc", "sentinel-1-rtc")
    made["properties"] |= {"proj:epsg": SLICE.epsg, "proj:code": f"EPSG:{SLICE.epsg}", **grid_facts(SLICE, "B02")}
    for polarisation in date.polarisations:
        key = polarisation.lower()
        year, month, day = date.day.split("-")
        path = f"/{'/'.join(needs)}/GRD/{year}/{int(month)}/{int(day)}/IW/DV/{date.name}/measurement/iw-{key}.rtc.tiff"
        files[path] = store.radar(date, polarisation)
        made["assets"][key] = {
            "href": origin + path,
            "type": _COG,
            "title": f"{polarisation}: gamma naught, terrain-corrected",
            "raster:bands": [{"nodata": -32768, "data_type": "float32", "spatial_resolution": 10.0}],
            "roles": ["data"],
        }
    return made


def ground_range(date: RadarDate, store: Store, files: dict[str, str], origin: str) -> dict[str, Any]:
    """An item of ``sentinel-1-grd``: amplitudes without coordinates, which must never be chosen."""
    made = _radar(date, date.name, "sentinel-1-grd")
    made["properties"] |= {"proj:epsg": 4326, **grid_facts(SLICE, "B02"), "s1:processing_level": "1"}
    for polarisation in date.polarisations:
        path = f"/{'/'.join(GRD_FILES)}/GRD/{date.name}/measurement/iw-{polarisation.lower()}.tiff"
        files[path] = store.ground_range(date, polarisation)
        made["assets"][polarisation.lower()] = {"href": origin + path, "type": _COG, "roles": ["data"]}
    return made
