"""What the text of a GDAL virtual raster (VRT) says, as far as it is read: bands that are pieced together from files.

Everything that this module does not know is refused: a VRT can also warp, run code, or read raw bytes and addresses.
No file but the VRT itself is touched here.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from sunbreak.errors import InputError
from sunbreak.regular_files import read_regular
from sunbreak.sources.claims import MAX_BANDS, MAX_SIDE
from sunbreak.sources.xml_elements import Element, XmlError, read_xml

MAX_SOURCES = 20_000
_MAX_BYTES = 32 * 2**20
_MAX_ELEMENTS = 500_000
_MAX_TAGS = 10_000
_MAX_PIXELS = 1e7  # of an offset or side of a rectangle
INTO_A_FILE = "Turn it into a file: gdal_translate -of COG in.vrt out.tif."

#: numpy's name of each type of GDAL that is read.
DTYPES = {
    "Byte": "uint8", "Int8": "int8", "UInt16": "uint16", "Int16": "int16", "UInt32": "uint32", "Int32": "int32",
    "UInt64": "uint64", "Int64": "int64", "Float32": "float32", "Float64": "float64",
}  # fmt: skip
_NUMBER = re.compile(r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,4})?")
_NODATA = re.compile(rf"{_NUMBER.pattern}|[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
# pictures of the data, and what only other programs need
_SKIPPED = frozenset(
    ("Histograms", "ColorTable", "CategoryNames", "GDALRasterAttributeTable", "Overview", "OverviewList")
)
_OF_DATASET = {"SRS", "GeoTransform", "Metadata", "BlockXSize", "BlockYSize", "VRTRasterBand", "MaskBand"}
_OF_BAND = {
    "Description", "NoDataValue", "HideNoDataValue", "ColorInterp", "Scale", "Offset", "UnitType", "Metadata",
    "SimpleSource", "ComplexSource",
}  # fmt: skip
_SOURCES = ("SimpleSource", "ComplexSource")
_OF_SOURCE = {"SourceFilename", "SourceBand", "SourceProperties", "SrcRect", "DstRect"}
_OF_COMPLEX = {*_OF_SOURCE, "NODATA", "ScaleOffset", "ScaleRatio", "UseMaskBand"}


@dataclass(frozen=True)
class Rectangle:
    """A part of a raster in pixels: the first column and row, columns and rows. May end between pixels."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class VrtSource:
    """A part of a file that stands for a part of a band.

    Attributes:
        name: Path of the file, as it is written.
        relative: It counts from the folder of the VRT.
        band: Band of the file, from 1; 0 for its mask.
        taken: The part of the file; None for all of it.
        placed: Where it lies in the VRT; None for all of it.
        claimed: Width and height of the file when the VRT was written, if it says so.
        nodata: Number of the file that leaves what lies below as it is.
        scale: With `shift`, what the numbers are multiplied with; None for numbers as they are stored.
        shift: What is added to them then.
        resampling: How it is resampled where its pixels have another size.
        use_mask: What the mask of the file hides leaves what lies below as it is.
    """

    name: str
    relative: bool
    band: int
    taken: Rectangle | None
    placed: Rectangle | None
    claimed: tuple[int, int] | None
    nodata: str | None
    scale: str | None
    shift: str | None
    resampling: str
    use_mask: bool


@dataclass(frozen=True)
class VrtBand:
    """A band: what it says about itself, as text, and what it is made of; later sources lie on earlier ones.

    `hidden` says that the nodata value fills gaps, and is not to be told to programs that read the band.
    """

    dtype: str
    description: str | None
    nodata: str | None
    colour: str | None
    scale: str | None
    offset: str | None
    unit: str | None
    hidden: bool
    tags: tuple[tuple[str, str], ...]
    sources: tuple[VrtSource, ...]


@dataclass(frozen=True)
class VrtDocument:
    """A virtual raster: size in pixels, coordinate reference system, geotransform (GDAL's six numbers), bands, mask."""

    width: int
    height: int
    crs: str | None
    transform: tuple[float, ...] | None
    tags: tuple[tuple[str, str], ...]
    bands: tuple[VrtBand, ...]
    mask: VrtBand | None

    @property
    def layers(self) -> tuple[VrtBand, ...]:
        """The bands, and the mask if there is one."""
        return self.bands if self.mask is None else (*self.bands, self.mask)


def read_document(path: Path) -> VrtDocument:
    """Read the text of a VRT.

    Raises:
        InputError: ``missing-file``, ``unreadable``, ``not-a-file``; ``bad-vrt`` if it is not valid;
            ``unsupported-vrt`` for what is not read; ``not-projected`` for ground control points; ``too-large``;
            ``complex``.
    """
    content = read_regular(path, "virtual raster", limit_bytes=_MAX_BYTES)
    try:
        root = read_xml(content, _SKIPPED, _MAX_ELEMENTS)
    except XmlError as error:
        raise broken(path, str(error)) from None
    if root.name != "VRTDataset":
        raise broken(path, f"it is an XML text {root.name[:40]}")
    kind = root.attributes.get("subClass", "")
    if kind:
        raise _unread(path, f"of the kind {kind[:40]}")
    if root.all("GCPList"):
        raise InputError(
            f"{path} is not on a map grid: it only has ground control points.",
            "Terrain-correct it (radar) or warp it first: gdalwarp -t_srs EPSG:326xx -tr 10 10 in.vrt out.tif.",
            code="not-projected",
        )
    _only(path, root, _OF_DATASET)
    width, height = (_count(path, root.attributes.get(f"raster{side}Size"), f"raster{side}Size") for side in "XY")
    if max(width, height) > MAX_SIDE:
        raise InputError(
            f"{path} claims {width} x {height} pixels: too large to read.",
            "Cut a part out of it first: gdal_translate -projwin ... -of COG in.vrt out.tif.",
            code="too-large",
        )
    bands = root.all("VRTRasterBand")
    masks = [band for mask in root.all("MaskBand") for band in mask.all("VRTRasterBand")]
    sources = sum(child.name in _SOURCES for band in (*bands, *masks) for child in band.children)
    if len(bands) > MAX_BANDS or sources > MAX_SOURCES:
        raise InputError(
            f"{path} has {len(bands)} bands with {sources} sources: more than {MAX_BANDS} or {MAX_SOURCES}.",
            INTO_A_FILE,
            code="too-large",
        )
    if not bands:
        raise broken(path, "it holds no bands")
    if len(masks) != len(root.all("MaskBand")) or len(masks) > 1:
        raise broken(path, "it holds more or less than one mask")
    return VrtDocument(
        width, height, root.value("SRS") or None, _transform(path, root.value("GeoTransform")), _tags(path, root),
        tuple(_band(path, str(number), band) for number, band in enumerate(bands, 1)),
        next((_band(path, "mask", mask) for mask in masks), None),
    )  # fmt: skip


def broken(path: Path, reason: str) -> InputError:
    """The error for a VRT that is not valid."""
    return InputError(
        f"{path} is not a valid virtual raster (VRT): {reason}.", "Make it again, for example with gdalbuildvrt.",
        code="bad-vrt",
    )  # fmt: skip


def _unread(path: Path, what: str) -> InputError:
    return InputError(
        f"{path} is a virtual raster (VRT) {what}, which is not read.", INTO_A_FILE, code="unsupported-vrt"
    )


def _only(path: Path, element: Element, known: set[str], where: str = "") -> None:
    other = next((child.name for child in element.children if child.name not in known), None)
    if other is not None:
        raise _unread(path, f"with {other[:40]}{where}")


def _band(path: Path, number: str, band: Element) -> VrtBand:
    where = f" in band {number}"
    kind = band.attributes.get("subClass", "VRTSourcedRasterBand")
    if kind != "VRTSourcedRasterBand":
        raise _unread(path, f"whose band {number} is of the kind {kind[:40]}")
    _only(path, band, _OF_BAND, where)
    if band.attributes.get("band", number).strip() != number:
        raise broken(path, f"its bands are not numbered from 1 ({band.attributes['band'][:20]})")
    dtype = band.attributes.get("dataType", "Byte")
    if dtype not in DTYPES:
        if dtype.startswith("C"):
            raise InputError(
                f"{path} holds complex numbers ({dtype[:20]}), as single-look complex radar does.",
                "Give a terrain-corrected backscatter product (GRD, gamma0 or sigma0).",
                code="complex",
            )
        raise broken(path, f"there is no type of data {dtype[:20]}")
    return VrtBand(
        dtype,
        band.value("Description") or None,
        _checked(path, band.value("NoDataValue"), _NODATA, f"NoDataValue{where}"),
        band.value("ColorInterp"),
        _checked(path, band.value("Scale"), _NUMBER, f"Scale{where}"),
        _checked(path, band.value("Offset"), _NUMBER, f"Offset{where}"),
        band.value("UnitType") or None,
        _is_set(band.value("HideNoDataValue")),
        _tags(path, band),
        tuple(_source(path, child, where, number == "mask") for child in band.children if child.name in _SOURCES),
    )


def _source(path: Path, source: Element, where: str, of_mask: bool) -> VrtSource:
    _only(path, source, _OF_COMPLEX if source.name == "ComplexSource" else _OF_SOURCE, where)
    names = source.all("SourceFilename")
    if len(names) != 1 or names[0].children or not names[0].text.strip():
        raise broken(path, f"a source{where} names no file")
    band = source.value("SourceBand") or "1"
    if of_mask and re.fullmatch(r"mask(?:,\d{1,4})?", band):
        band = "0"
    elif band.startswith("mask"):
        raise _unread(path, f"that takes the mask of a file{where}")
    scale = _checked(path, source.value("ScaleRatio"), _NUMBER, f"ScaleRatio{where}")
    shift = _checked(path, source.value("ScaleOffset"), _NUMBER, f"ScaleOffset{where}")
    if scale is None and shift is not None:
        scale = "1"
    properties = next(iter(source.all("SourceProperties")), None)
    claimed = None
    if properties is not None and {"RasterXSize", "RasterYSize"} <= properties.attributes.keys():
        sides = [
            _count(path, properties.attributes[f"Raster{side}Size"], f"a size of a source{where}") for side in "XY"
        ]
        claimed = sides[0], sides[1]
    return VrtSource(
        names[0].text.strip(),
        names[0].attributes.get("relativeToVRT", names[0].attributes.get("relativetoVRT", "0")).strip() == "1",
        0 if band == "0" and of_mask else _count(path, band, f"SourceBand{where}"),
        _rectangle(path, source, "SrcRect", where),
        _rectangle(path, source, "DstRect", where),
        claimed,
        _checked(path, source.value("NODATA"), _NODATA, f"NODATA{where}"),
        scale,
        None if scale is None else shift or "0",
        source.attributes.get("resampling", "nearest").strip().lower(),
        _is_set(source.value("UseMaskBand")),
    )


def _rectangle(path: Path, source: Element, name: str, where: str) -> Rectangle | None:
    found = source.all(name)
    if not found:
        return None
    texts = [
        _checked(path, found[0].attributes.get(key), _NUMBER, name + where)
        for key in ("xOff", "yOff", "xSize", "ySize")
    ]
    numbers = [math.nan if text is None else float(text) for text in texts]
    if not all(abs(number) <= _MAX_PIXELS for number in numbers) or min(numbers[2:]) <= 0:
        raise broken(path, f"{name}{where} is no part of a raster")
    return Rectangle(*numbers)


def _transform(path: Path, text: str | None) -> tuple[float, ...] | None:
    if not text:
        return None
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 6 or not all(_NUMBER.fullmatch(part) and math.isfinite(float(part)) for part in parts):
        raise broken(path, "its geotransform is not six finite numbers")
    return tuple(float(part) for part in parts)


def _tags(path: Path, element: Element) -> tuple[tuple[str, str], ...]:
    """The metadata of the default domain; other domains say how other programs store and show it."""
    items = [
        item
        for metadata in element.all("Metadata")
        if not metadata.attributes.get("domain")
        for item in metadata.all("MDI")
    ]
    if len(items) > _MAX_TAGS:
        raise InputError(f"{path} holds more than {_MAX_TAGS} items of metadata.", INTO_A_FILE, code="too-large")
    return tuple((item.attributes["key"], item.text) for item in items if item.attributes.get("key"))


def _count(path: Path, text: str | None, what: str) -> int:
    stripped = (text or "").strip()
    if not re.fullmatch(r"[0-9]{1,9}", stripped) or int(stripped) < 1:
        raise broken(path, f"{what} is {stripped[:20]!r}, not a whole number from 1")
    return int(stripped)


def _is_set(text: str | None) -> bool:
    return (text or "0").lower() not in ("0", "false", "no", "off")


def _checked(path: Path, text: str | None, pattern: re.Pattern[str], what: str) -> str | None:
    if text is None or not text.strip():
        return None
    stripped = text.strip()
    if not pattern.fullmatch(stripped) or (pattern is _NUMBER and not math.isfinite(float(stripped))):
        raise broken(path, f"{what} is {stripped[:20]!r}, not a number")
    return stripped
