"""What an item of a catalogue is: one image of a Sentinel-2 tile or a Sentinel-1 slice, with the files of its bands."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from sunbreak.catalogue.profiles import Collection, Profile

_QUANTIFICATION = 10_000
_SHIFTED_SINCE = 4.0  # processing baseline
_SHIFT = -1000.0
_BASELINE_IN_ID = re.compile(r"_N(\d{2})(\d{2})_")
_TILE = re.compile(r"(?<![A-Z0-9])T?(\d{1,2}[C-X][A-Z]{2})(?![A-Z0-9])")


@dataclass(frozen=True)
class Asset:
    """The file of a band.

    Attributes:
        key: Its key in the item.
        href: Its address, without a signature.
        offset: Added to stored numbers, as the item states it for the band in DN; None if it states none.
        checksum: Multihash of the whole file as hexadecimal digits; empty if unknown.
        size: Of the whole file in bytes; 0 if unknown.
    """

    key: str
    href: str
    offset: float | None = None
    checksum: str = ""
    size: int = 0


@dataclass(frozen=True)
class CatalogueItem:
    """An item.

    Attributes:
        id: Its id in the catalogue.
        profile: The profile of the catalogue.
        collection: Its collection.
        acquired: Time of acquisition (UTC).
        platform: Such as ``sentinel-2a``.
        footprint: Where it has data, in degrees of longitude and latitude.
        assets: The file of each band that it has, by the band's canonical name.
        picture: The true-colour picture, if there is one.
        tile: Tile of the Sentinel-2 grid, such as ``32UMA``; empty if unknown.
        tile_cloud: Cloud cover of the whole image in percent; None if unknown.
        offset: Added to stored numbers of Sentinel-2 (DN); None if the item does not tell.
        baseline: Processing baseline; empty if unknown.
        made: When it was processed; empty if unknown.
        orbit: ``ascending`` or ``descending``; empty if unknown.
        relative_orbit: Number of the relative orbit; None if unknown.
    """

    id: str
    profile: Profile
    collection: Collection
    acquired: datetime
    platform: str
    footprint: BaseGeometry
    assets: Mapping[str, Asset]
    picture: Asset | None = None
    tile: str = ""
    tile_cloud: float | None = None
    offset: float | None = None
    baseline: str = ""
    made: str = ""
    orbit: str = ""
    relative_orbit: int | None = None


def read_item(content: Mapping[str, Any], collection: Collection, profile: Profile) -> CatalogueItem | str:
    """An item of a collection from its JSON, or why it cannot be used."""
    name = content.get("id")
    if not isinstance(name, str) or not name:
        return "an item has no id"
    facts = content.get("properties")
    facts = facts if isinstance(facts, dict) else {}
    acquired = _time(facts.get("datetime")) or _time(facts.get("start_datetime"))
    if acquired is None:
        return f"{name} has no date"
    try:
        footprint = shape(content["geometry"])
    except Exception:
        # shapely raises what the malformed geometry happens to cause
        return f"{name} has no geometry"
    if footprint.is_empty or not all(map(math.isfinite, footprint.bounds)):
        return f"{name} has no geometry"
    files = content.get("assets")
    files = files if isinstance(files, dict) else {}
    assets = {
        band: asset for band, keys in collection.bands.items() if (asset := _asset(files, keys, profile)) is not None
    }
    missing = [band for band in collection.bands if band not in assets and band != "SCL"]
    if missing:
        shown = ", ".join(missing[:4]) + (", ..." if len(missing) > 4 else "")
        return f"{name} has no file of {shown}"
    if collection.sensor == "radar" and (reason := _unusable_radar(facts, f"{name} {collection.name}")):
        return f"{name} {reason}"
    baseline = _baseline(facts, name)
    return CatalogueItem(
        id=name,
        profile=profile,
        collection=collection,
        acquired=acquired,
        platform=str(facts.get("platform") or "").lower(),
        footprint=footprint,
        assets=assets,
        picture=_asset(files, (collection.picture,), profile) if collection.picture else None,
        tile=_tile(facts, name) if collection.sensor == "optical" else "",
        tile_cloud=_number(facts.get("eo:cloud_cover")),
        offset=_offset(collection, facts, baseline, assets) if collection.sensor == "optical" else None,
        baseline=baseline,
        made=str(facts.get("s2:generation_time") or facts.get("created") or facts.get("updated") or ""),
        orbit=str(facts.get("sat:orbit_state") or "").lower(),
        relative_orbit=_whole(facts.get("sat:relative_orbit")),
    )


def _asset(files: Mapping[str, Any], keys: Sequence[str], profile: Profile) -> Asset | None:
    key = next((key for key in keys if isinstance(files.get(key), dict)), None)
    if key is None:
        return None
    content = files[key]
    href = content
    for part in profile.address.split("."):
        href = href.get(part) if isinstance(href, dict) else None
    if isinstance(href, dict):
        href = href.get("href")
    if not isinstance(href, str):
        return None
    checksum = content.get("file:checksum")
    return Asset(
        key,
        href.partition("?")[0],
        _stated_offset(content),
        checksum if isinstance(checksum, str) else "",
        _whole(content.get("file:size")) or 0,
    )


def _stated_offset(asset: Mapping[str, Any]) -> float | None:
    """The offset of a band in DN, from STAC 1.0 (``raster:bands``) or 1.1 (``raster:offset``, ``bands``)."""
    for field in ("raster:bands", "bands"):
        bands = asset.get(field)
        if isinstance(bands, list) and len(bands) == 1 and isinstance(bands[0], dict):
            found = _in_dn(bands[0], ("scale", "offset")) or _in_dn(bands[0], ("raster:scale", "raster:offset"))
            if found is not None:
                return found[0]
    found = _in_dn(asset, ("raster:scale", "raster:offset"))
    return None if found is None else found[0]


def _in_dn(content: Mapping[str, Any], names: tuple[str, str]) -> tuple[float] | None:
    scale, offset = (_number(content.get(name)) for name in names)
    return None if scale is None or not scale > 0 else (round((offset or 0.0) / scale, 3),)


def _offset(
    collection: Collection, facts: Mapping[str, Any], baseline: str, assets: Mapping[str, Asset]
) -> float | None:
    if collection.offset == "none":
        return 0.0
    of_product = None if not baseline else _SHIFT if float(baseline) >= _SHIFTED_SINCE else 0.0
    if collection.offset == "baseline":
        return of_product
    applied = facts.get("earthsearch:boa_offset_applied")
    if isinstance(applied, bool):
        return 0.0 if applied else of_product
    stated = {asset.offset for band, asset in assets.items() if band != "SCL"}
    stated.discard(None)
    if len(stated) == 1:
        value = stated.pop()
        # many items state the offset of newer products for older ones, and the other way round
        return value if of_product is None or value == of_product else None
    return of_product


def _baseline(facts: Mapping[str, Any], name: str) -> str:
    for value in (facts.get("s2:processing_baseline"), facts.get("processing:version")):
        if isinstance(value, (str, int, float)) and re.fullmatch(r"\d{1,2}(\.\d{1,2})?", str(value)):
            return str(value)
    uri = str(facts.get("s2:product_uri") or facts.get("sentinel:product_id") or name)
    found = _BASELINE_IN_ID.search(uri)
    return f"{found[1]}.{found[2]}" if found else ""


def _tile(facts: Mapping[str, Any], name: str) -> str:
    parts = [facts.get(f"mgrs:{part}") for part in ("utm_zone", "latitude_band", "grid_square")]
    stated = "".join(str(part) for part in parts) if all(parts) else facts.get("s2:mgrs_tile") or facts.get("grid:code")
    text = str(stated or name).upper().replace("MGRS-", "").replace("_", " ").replace("-", " ")
    found = _TILE.search(text)
    return found[1].rjust(5, "0") if found else ""


def _unusable_radar(facts: Mapping[str, Any], names: str) -> str:
    mode = facts.get("sar:instrument_mode")
    if mode not in (None, "IW"):
        return f"is of the mode {str(mode)[:10]}, not IW"
    product = str(facts.get("sar:product_type") or "RTC").upper()
    # some catalogues state the product that the terrain-corrected one was made from
    if product in ("GRD", "SLC", "RAW", "OCN") and "rtc" not in names.lower():
        return f"is {product}, without terrain correction"
    return ""


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        # Python 3.10 reads no more than six digits of a second, and no Z
        time = datetime.fromisoformat(re.sub(r"(\.\d{1,6})\d*", r"\1", value.strip().upper().replace("Z", "+00:00")))
    except ValueError:
        return None
    return time.replace(tzinfo=timezone.utc) if time.tzinfo is None else time.astimezone(timezone.utc)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)


def _whole(value: object) -> int | None:
    number = _number(value)
    return None if number is None or number != int(number) else int(number)
