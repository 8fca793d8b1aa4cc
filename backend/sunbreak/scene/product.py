"""What the names, tags and sidecars around a raster say about its product: level, baseline, date, band names.

No pixels are read here; `radiometry` and `radar` compare these claims with the data.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Literal

from sunbreak.errors import InputError
from sunbreak.json_files import parse_json
from sunbreak.scene.bands import band_in_file_name, band_of_wavelength, canonical_band
from sunbreak.scene.folder_items import assets_of, item_of_folder
from sunbreak.scene.safe import metadata_values, offset_of, product_of, special_value
from sunbreak.sources import is_file, read_bytes

Level = Literal["L1C", "L2A"]

PRODUCT_NAME = re.compile(r"S2[A-D]_MSI(L1C|L2A)_(\d{8}T\d{6})_N(\d{4})_R\d{3}_T(\w{5})")
_LEVEL = re.compile(r"MSI(?:L)?(L?1C|L?2A)|(?<![A-Za-z0-9])(L1C|L2A)(?![A-Za-z0-9])|(S2_SR)(?![A-Za-z0-9])")
_L2A_BAND = re.compile(r"_B(?:8A|\d\d)_(?:10|20|60)m\.\w+$")  # L1C names its files without a resolution
_BASELINE = re.compile(r"(?<![A-Za-z0-9])N(0[0-9]\d{2})(?![0-9])")
_DATE = re.compile(
    r"(?<!\d)(20[1-4]\d)([-_]?)(0[1-9]|1[0-2])\2([0-3]\d)(?:[T_ ]([0-2]\d):?([0-5]\d):?([0-5]\d))?(?!\d)"
)
# before 2017: the date in the name of a product is that of its making, and so is the only one in that of a granule
_OLD_SENSED = re.compile(r"_V(20[1-4]\d{5}T\d{6})_")
_OLD_GRANULE = re.compile(r"S2[A-D]_(?:OPER|USER)_MSI_L\w+_TL_")
_DATE_TAGS = (
    "datetime", "product_start_time", "acquisition_date", "acquisition_datetime", "sensing_time", "date",
    "start_datetime",
)  # fmt: skip
_BASELINE_TAGS = ("processing_baseline", "s2:processing_baseline", "processing:version")
_APPLIED_TAGS = ("earthsearch:boa_offset_applied", "sentinel:boa_offset_applied", "boa_offset_applied")
_OFFSET_TAGS = ("boa_add_offset", "radio_add_offset", "radiometric_offset")
_QUANTIFICATION_TAGS = ("quantification_value", "boa_quantification_value")
_MAX_SIDECAR = 2 * 2**20
_LONGEST_COMPOSITE = timedelta(days=31)
_CLAIMS = ("level", "baseline", "acquired", "harmonised", "offset", "quantification", "tile", "offset_applied")


@dataclass(frozen=True)
class ProductFacts:
    """What is claimed about one file or folder. None where nothing is claimed.

    Attributes:
        level: Processing level.
        baseline: Processing baseline, such as 4.0 or 5.09.
        acquired: Date (and time, UTC) of acquisition.
        harmonised: The name says that the baseline offset was removed (Google Earth Engine's ``*_HARMONIZED``).
        offset: Additive offset in DN that a tag states.
        of_product: Whether the offset is stated by the metadata of the product that holds the file.
        offset_applied: Whether the baseline offset was taken out of the numbers, where a STAC item says so.
        differing: The offsets that are stated, where they differ between bands; `offset` is None then.
        nodata: The stored number of pixels without data, where the product's metadata sets one aside.
        saturated: The stored number of saturated pixels, likewise.
        quantification: Quantification value that a tag states.
        tile: MGRS tile.
        said_by: What claims each of them, in words, by the name of the attribute.
    """

    level: Level | None = None
    baseline: float | None = None
    acquired: datetime | None = None
    harmonised: bool = False
    offset: float | None = None
    quantification: float | None = None
    tile: str | None = None
    of_product: bool = False
    offset_applied: bool | None = None
    differing: str = ""
    nodata: float | None = None
    saturated: float | None = None
    said_by: Mapping[str, str] = field(default_factory=dict, compare=False)

    def said(self, where: str) -> ProductFacts:
        """These facts, claimed by something, in words such as ``the name of the file``."""
        claims = {name: getattr(self, name) for name in _CLAIMS}
        return replace(
            self,
            said_by={
                name: where for name, value in claims.items() if value or (value is not None and name != "harmonised")
            },
        )

    def or_else(self, other: ProductFacts) -> ProductFacts:
        """These facts, completed by those of `other`."""
        return ProductFacts(
            self.level or other.level,
            self.baseline if self.baseline is not None else other.baseline,
            self.acquired or other.acquired,
            self.harmonised or other.harmonised,
            self.offset if self.offset is not None or self.differing else other.offset,
            self.quantification if self.quantification is not None else other.quantification,
            self.tile or other.tile,
            self.of_product if self.offset is not None else other.of_product,
            self.offset_applied if self.offset_applied is not None else other.offset_applied,
            self.differing or ("" if self.offset is not None else other.differing),
            self.nodata if self.nodata is not None else other.nodata,
            self.saturated if self.saturated is not None else other.saturated,
            {**other.said_by, **self.said_by},
        )


@dataclass(frozen=True)
class Sidecar:
    """A STAC item beside a raster: its path, its properties and the band objects of the raster."""

    path: Path
    properties: Mapping[str, Any] = field(default_factory=dict)
    bands: tuple[Mapping[str, Any], ...] = ()

    @property
    def names(self) -> tuple[str | None, ...]:
        """The canonical band names, None where a band's name is unknown."""
        return tuple(_band_of(band) for band in self.bands)


def find_date(text: str) -> datetime | None:
    """The first date (and time) in a name, such as ``20200101T101319`` or ``2018-03-07``."""
    for match in _DATE.finditer(text):
        year, _, month, day, hour, minute, second = match.groups()
        try:
            return datetime(
                int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=timezone.utc
            )
        except ValueError:
            continue
    return None


def facts_from_name(name: str) -> ProductFacts:
    """What a file's or folder's name says."""
    harmonised = "harmonized" in name.lower() or "harmonised" in name.lower()
    product = PRODUCT_NAME.search(name)
    if product:
        level, acquired, baseline, tile = product.groups()
        return ProductFacts(_level(level), int(baseline) / 100, find_date(acquired), harmonised, tile=tile)
    found = _LEVEL.search(name)
    level = _level(next(group for group in found.groups() if group)) if found else None
    sensed = _OLD_SENSED.search(name)
    made_then = sensed is None and _OLD_GRANULE.match(name)
    baseline_found = _BASELINE.search(name)
    return ProductFacts(
        level=level or ("L2A" if _L2A_BAND.search(name) else None),
        baseline=int(baseline_found[1]) / 100 if baseline_found else None,
        acquired=None if made_then else find_date(sensed[1] if sensed else name),
        harmonised=harmonised,
    )


def facts_from_tags(tags: Mapping[str, Any]) -> ProductFacts:
    """What metadata tags (of a GeoTIFF) or STAC properties say. Keys are compared without regard to case."""
    lower = {str(key).lower(): value for key, value in tags.items()}
    text = " ".join(str(lower.get(key, "")) for key in ("product_uri", "product_id", "s2:product_uri", "title"))
    facts = facts_from_name(text)
    level = str(lower.get("s2:product_type") or lower.get("product_type") or lower.get("processing:level") or "")
    offset = _first_number(lower, _OFFSET_TAGS)
    quantification = _first_number(lower, _QUANTIFICATION_TAGS)
    dated = [key for key in _DATE_TAGS if lower.get(key) and not (key == "start_datetime" and _is_long(lower))]
    date = next((find_date(str(lower[key])) for key in dated), None)
    return ProductFacts(
        level=facts.level or _level(level),
        baseline=_first_number(lower, _BASELINE_TAGS) if facts.baseline is None else facts.baseline,
        acquired=date or facts.acquired,
        harmonised=facts.harmonised,
        offset=offset if offset is not None and abs(offset) <= 1e5 else None,
        quantification=quantification if quantification and 1e-3 <= quantification <= 1e9 else None,
        tile=facts.tile,
        offset_applied=next((_flag(lower[key]) for key in _APPLIED_TAGS if key in lower), None),
    )


def _is_long(tags: Mapping[str, Any]) -> bool:
    """Whether the time from start to end dates nothing, as in the items that Sunbreak writes for undated scenes."""
    start, end = (find_date(str(tags.get(key) or "")) for key in ("start_datetime", "end_datetime"))
    return start is not None and end is not None and end - start > _LONGEST_COMPOSITE


def facts_about(
    path: Path, tags: Mapping[str, Any], sidecar: Sidecar | None, files: ProductFacts | None = None
) -> ProductFacts:
    """Everything that is claimed about one raster: sidecar, tags, product's metadata, own name, product's name.

    Args:
        path: The raster.
        tags: Its tags.
        sidecar: The STAC item beside it.
        files: What is claimed about the files of a virtual raster; comes after its tags.
    """
    facts = _facts_of_item(sidecar).said("the STAC item beside the file") if sidecar else ProductFacts()
    facts = facts.or_else(facts_from_tags(tags).said("tags in the file"))
    facts = facts.or_else(files.said("the files of the virtual raster") if files else ProductFacts())
    facts = facts.or_else(_facts_of_product(path).said("the metadata of the product"))
    facts = facts.or_else(facts_from_name(path.name).said("the name of the file"))
    for parent in path.parents:
        if PRODUCT_NAME.search(parent.name):
            return facts.or_else(facts_from_name(parent.name).said("the name of the product"))
    return facts


def _facts_of_product(path: Path) -> ProductFacts:
    """What the metadata of the product that contains a raster says: its name, time, offset and scale."""
    product = product_of(path)
    values = metadata_values(product) if product else {}
    tags = {name.lower(): texts[0] for name, texts in values.items() if len(set(texts)) == 1}
    offsets = offset_of(values, band_in_file_name(path.stem))
    tags |= {"boa_add_offset": offsets[0]} if len(offsets) == 1 else {}
    facts = facts_from_tags(tags)
    return replace(
        facts,
        of_product=facts.offset is not None,
        differing=" and ".join(offsets[:3])[:60] if len(offsets) > 1 else "",
        nodata=_number(special_value(values, "NODATA")),
        saturated=_number(special_value(values, "SATURATED")),
    )


def _facts_of_item(item: Sidecar) -> ProductFacts:
    """What a STAC item says. Where it says that the offset was taken out, the offset of its bands is that of before."""
    facts = facts_from_tags(item.properties)
    # bands of classes and masks have none
    of_bands = [band for band in item.bands if _band_of(band)] or item.bands
    scales = {item_scale(band) for band in of_bands} - {(None, None)}
    if len(scales) > 1:
        shown = sorted(f"{scale} and {offset}" for scale, offset in scales)
        return replace(facts, differing=f"scale and offset {shown[0]}, {shown[-1]}"[:100])
    scale, offset = scales.pop() if scales else (None, None)
    if not scale:
        return facts
    stated = None if facts.offset_applied or offset is None else round(offset / scale, 6) + 0.0
    return replace(
        facts,
        quantification=facts.quantification or round(1 / scale, 6),
        offset=facts.offset if facts.offset is not None else stated,
    )


def item_scale(band: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Scale and offset of a band in a STAC item (raster extension), where it has them as numbers."""
    scale, offset = (_number(band.get(f"raster:{key}", band.get(key))) for key in ("scale", "offset"))
    return scale if scale and math.isfinite(scale) and scale > 0 else None, offset


def find_sidecar(path: Path, warnings: list[str] | None = None) -> Sidecar | None:
    """The STAC item beside a raster (``x.tif.stac.json`` or ``x.stac.json``), or in its folder; None if there is none.

    Args:
        path: The raster.
        warnings: Receives a sentence about a file that is there and cannot be read.
    """
    for candidate in (path.with_name(path.name + ".stac.json"), path.with_suffix(".stac.json")):
        try:
            if not is_file(candidate):
                continue
            item = parse_json(read_bytes(candidate, "JSON file", limit_bytes=_MAX_SIDECAR), str(candidate))
        except OSError:
            continue
        except InputError as error:
            if warnings is not None:
                warnings.append(f"The STAC item beside {path.name} is left out: {error.message}")
            continue
        if isinstance(item, dict):
            return _sidecar(candidate, item, path)
    found = item_of_folder(path)
    return _sidecar(*found, path) if found else None


def _sidecar(file: Path, item: Mapping[str, Any], raster: Path) -> Sidecar:
    properties = item.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    return Sidecar(file, properties, _bands_in(item, properties, raster))


def _bands_in(item: Mapping[str, Any], properties: Mapping[str, Any], raster: Path) -> tuple[Mapping[str, Any], ...]:
    for holder in [*assets_of(item, raster), properties]:
        found = [holder.get(key) for key in ("bands", "eo:bands", "raster:bands")]
        lists: list[Any] = [bands for bands in found if _is_list_of_objects(bands)]
        if lists:
            # the two extensions of STAC 1.0 describe the same bands in the same order
            longest = max(len(bands) for bands in lists)
            same = [bands for bands in lists if len(bands) == longest]
            return tuple({key: value for bands in same for key, value in bands[at].items()} for at in range(longest))
    return ()


def _is_list_of_objects(bands: Any) -> bool:
    return isinstance(bands, list) and bool(bands) and all(isinstance(band, dict) for band in bands)


def _band_of(band: Mapping[str, Any]) -> str | None:
    for key in ("name", "eo:common_name", "common_name", "description"):
        found = canonical_band(str(band[key])) if band.get(key) else None
        if found:
            return found
    return band_of_wavelength(band.get("eo:center_wavelength", band.get("center_wavelength")))


def _level(text: str) -> Level | None:
    if "1C" in text:
        return "L1C"
    return "L2A" if "2A" in text or text == "S2_SR" else None


def _first_number(tags: Mapping[str, Any], keys: Iterable[str]) -> float | None:
    numbers = (_number(tags[key]) for key in keys if key in tags)
    return next((number for number in numbers if number is not None), None)


def _flag(value: Any) -> bool | None:
    text = str(value).strip().lower()
    return text in ("true", "1", "yes") if text in ("true", "1", "yes", "false", "0", "no") else None


def _number(value: Any) -> float | None:
    """A finite number, None for anything else."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
