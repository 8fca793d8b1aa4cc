"""Works out what GDAL is to read for a virtual raster (VRT): a text of our own over the files that were checked.

GDAL never sees the user's text. What the VRT leaves out and its files declare alike is taken from the files: names,
nodata value, scale and offset. Every such decision is a note.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rasterio.crs import CRS
from rasterio.errors import CRSError

from sunbreak.errors import InputError
from sunbreak.sources.claims import Claims
from sunbreak.sources.gdal import environment
from sunbreak.sources.vrt_document import DTYPES, INTO_A_FILE, Rectangle, VrtBand, VrtDocument, VrtSource, broken
from sunbreak.sources.vrt_parts import Part

_LARGEST_STEP = 100.0  # pixels of a file for one of the VRT, and the other way round; bands of Sentinel-2 have 6
_MOST_LAYERS = 32.0  # files that lie on each other, on average over a band
_NAMED = 3  # files that a sentence names
_FOREIGN = ("EXTENSION", "PARAMETERFILE", "NADGRIDS", "GRIDS=")
_MAX_CRS = 2**16
_CRS_TEXT = re.compile(r"EPSG:\d{1,7}\s*$|[A-Z_]{3,20}\s*[\[(]")


@dataclass(frozen=True)
class PlannedBand:
    """A band as GDAL is to read it: the band, with what its files add, and for each source its file and rectangles."""

    band: VrtBand
    sources: tuple[tuple[VrtSource, Part, Rectangle, Rectangle], ...]


@dataclass(frozen=True)
class Plan:
    """What GDAL is to read for a VRT.

    Attributes:
        document: What the VRT says.
        crs: Its coordinate reference system as a code or WKT.
        bands: Its bands.
        mask: Its mask, if it has one.
        parts: Its files, each once.
        notes: What is taken from the files, one sentence each.
        warnings: What is unusual, one sentence each.
    """

    document: VrtDocument
    crs: str | None
    bands: tuple[PlannedBand, ...]
    mask: PlannedBand | None
    parts: tuple[Part, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def unwritten(self) -> float:
        """The largest fraction of blocks that were never written, over the files."""
        return max(part.unwritten for part in self.parts)

    def claims(self) -> Claims:
        """What the VRT claims to hold against what its files store."""
        document = self.document
        stored = sum(part.path.stat().st_size for part in self.parts)
        pixel = max(np.dtype(DTYPES[band.dtype]).itemsize for band in document.bands)
        block = min(document.width, 128), min(document.height, 128)
        return Claims(stored, document.width, document.height, len(document.bands), pixel, block, 1, partly=True)


def make_plan(path: Path, document: VrtDocument, places: Mapping[VrtSource, Path], parts: Mapping[Path, Part]) -> Plan:
    """Work out what GDAL is to read.

    Args:
        path: The VRT.
        document: What it says.
        places: The file of each source.
        parts: What each file is.

    Raises:
        InputError: ``bad-vrt`` for sources that do not fit their files; ``unsupported-vrt`` for resampling;
            ``mixed-units`` for files with different scales in one band; ``too-large``; ``bad-crs``.
    """
    notes = [f"{path.name} is a virtual raster (VRT) over {_counted(len(parts))} in its folder."]
    warnings: list[str] = []
    planned = [
        _placed(path, document, str(number), band, places, parts) for number, band in enumerate(document.bands, 1)
    ]
    mask = None if document.mask is None else _placed(path, document, "mask", document.mask, places, parts)
    bands = [_completed(path, number, band) for number, band in enumerate(planned, 1)]
    taken = {
        what: [
            number
            for number, (one, other) in enumerate(zip(planned, bands, strict=True), 1)
            if differs(one.band, other.band)
        ]
        for what, differs in (
            ("nodata value", lambda one, other: one.nodata != other.nodata),
            ("scale and offset", lambda one, other: (one.scale, one.offset) != (other.scale, other.offset)),
            ("names", lambda one, other: one.description != other.description),
        )
    }
    for what, numbers in taken.items():
        if numbers:
            where = "" if len(numbers) == len(bands) else f" of band {_listed(numbers)}"
            notes.append(
                f"{path.name}: the {what}{where} {'are' if what != 'nodata value' else 'is'} taken from its files."
            )
    between = [
        number
        for number, band in enumerate(bands, 1)
        if any(_resampled(taken, placed) for _, _, taken, placed in band.sources)
    ]
    if between:
        notes.append(
            f"{path.name}: pixels of band {_listed(between)} differ in size or place from those of the files and are "
            "resampled (nearest neighbour), as the VRT says; bands given as files of their own are resampled better."
        )
    if any(band.band.hidden and band.band.nodata is not None for band in bands):
        notes.append(f"{path.name}: the nodata value that the VRT hides (HideNoDataValue) is taken as no data.")
    cut = [
        number
        for number, band in enumerate(bands, 1)
        if any(
            source.scale is None and not np.can_cast(part.dtypes[source.band - 1], DTYPES[band.band.dtype])
            for source, part, _, _ in band.sources
        )
    ]
    if cut:
        warnings.append(
            f"{path.name}: the type of band {_listed(cut)} is narrower than that of the files: numbers are rounded or "
            "cut."
        )
    used = {source.use_mask for band in bands for source, _, _, _ in band.sources} == {True}
    masked = [part.path.name for part in parts.values() if part.masked]
    if masked and mask is None and not used:
        warnings.append(
            f"{path.name} does not use the masks inside {_named(masked)}: pixels that they hide count as data."
        )
    stated = all(band.band.nodata is not None for band in bands)  # gdalbuildvrt has read it beside the files
    unread = [] if stated else [sentence for part in parts.values() for sentence in part.unread]
    warnings += unread[:_NAMED]
    if len(unread) > _NAMED:
        warnings.append(f"{path.name}: the same holds for {len(unread) - _NAMED} more of its files.")
    return Plan(
        document, _crs(path, document.crs), tuple(bands), mask, tuple(parts.values()), tuple(notes), tuple(warnings)
    )  # fmt: skip


def _placed(
    path: Path,
    document: VrtDocument,
    number: str,
    band: VrtBand,
    places: Mapping[VrtSource, Path],
    parts: Mapping[Path, Part],
) -> PlannedBand:
    """A band with the file and the rectangles of each source, checked against the file."""
    if not band.sources:
        raise broken(path, f"band {number} is made of nothing")
    whole = Rectangle(0, 0, document.width, document.height)
    sources = []
    for source in band.sources:
        part = parts[places[source]]
        if source.band > part.count:
            raise broken(path, f"band {number} takes band {source.band} of {part.path.name}, which has {part.count}")
        if source.claimed not in (None, (part.width, part.height)):
            raise broken(
                path,
                f"it was made for another {part.path.name}, of {source.claimed[0]} x {source.claimed[1]} pixels "
                f"(now {part.width} x {part.height})",
            )
        taken = source.taken or Rectangle(0, 0, part.width, part.height)
        placed = source.placed or whole
        steps = (taken.width / placed.width, taken.height / placed.height)
        if not all(1 / _LARGEST_STEP <= step <= _LARGEST_STEP for step in steps):
            raise InputError(
                f"{path} makes {placed.width:g} x {placed.height:g} pixels of {taken.width:g} x {taken.height:g} of "
                f"{part.path.name}: too large a difference.",
                INTO_A_FILE,
                code="too-large",
            )
        if source.resampling not in ("nearest", "near") and _resampled(taken, placed):
            raise InputError(
                f"{path} is a virtual raster (VRT) that resamples band {number} ({source.resampling[:20]}), which is "
                "not read.",
                INTO_A_FILE,
                code="unsupported-vrt",
            )
        sources.append((source, part, taken, placed))
    covered = sum(_inside(placed, whole) for _, _, _, placed in sources)
    if covered > _MOST_LAYERS * document.width * document.height:
        raise InputError(
            f"{path} lays more than {_MOST_LAYERS:g} files on each other in band {number}.",
            INTO_A_FILE,
            code="too-large",
        )
    return PlannedBand(band, tuple(sources))


def _completed(path: Path, number: int, planned: PlannedBand) -> PlannedBand:
    """A band with what its files say alike and it does not say itself."""
    band, sources = planned.band, planned.sources
    direct = [(source, part) for source, part, _, _ in sources if source.scale is None]
    scales = {(part.scales[source.band - 1] or 1.0, part.offsets[source.band - 1]) for source, part in direct}
    scales |= {(1.0, 0.0)} if len(direct) < len(sources) and band.scale is None else set()
    if len(scales) > 1:
        raise InputError(
            f"{path}: the files of band {number} have different scales and offsets.",
            "Convert them to one first, or give them one by one.",
            code="mixed-units",
        )
    if band.scale is None and band.offset is None and direct and scales != {(1.0, 0.0)}:
        scale, offset = next(iter(scales))
        band = replace(band, scale=repr(scale), offset=repr(offset))
    own = {
        id(source): source.nodata if source.nodata is not None else _declared(source, part) for source, part in direct
    }
    stated = list(dict.fromkeys(text for text in own.values() if text is not None))
    if band.nodata is None and stated:
        band = replace(band, nodata=stated[0])
    kept = []
    for source, part, taken, placed in sources:
        text = own.get(id(source))
        if source.nodata is None and text is not None and band.nodata is not None and not _same(text, band.nodata):
            source = replace(source, nodata=text)  # else it would be data in the VRT
        kept.append((source, part, taken, placed))
    if band.description is None:
        band = replace(band, description=_description(sources))
    if not band.tags:
        all_tags = [tuple(part.band_tags[source.band - 1].items()) for source, part, _, _ in sources]
        band = replace(band, tags=all_tags[0] if len(set(all_tags)) == 1 else ())
    return PlannedBand(band, tuple(kept))


def _declared(source: VrtSource, part: Part) -> str | None:
    value = part.nodata[source.band - 1]
    if value is None:
        return None
    # of integers GDAL reads the number without a point
    return repr(int(value)) if math.isfinite(value) and value == int(value) else repr(float(value))


def _same(one: str, other: str) -> bool:
    a, b = float(one), float(other)
    return a == b or (math.isnan(a) and math.isnan(b))


def _description(sources: Iterable[tuple[VrtSource, Part, Rectangle, Rectangle]]) -> str | None:
    """What the files call a band: alike in all, or else the words that the names of its single-band files share."""
    pairs = [(source, part) for source, part, _, _ in sources]
    described = {part.descriptions[source.band - 1] for source, part in pairs}
    if len(described) == 1 and None not in described:
        return described.pop()
    if any(described) or any(part.count > 1 for _, part in pairs):
        return None
    stems = list(dict.fromkeys(part.path.stem for _, part in pairs))
    if len(stems) == 1:
        return stems[0]
    words = [_words(stem) for stem in stems]
    shared = set(words[0]).intersection(*words[1:])
    return "_".join(word for word in words[0] if word in shared) or None


def _words(stem: str) -> list[str]:
    for mark in "-. ":
        stem = stem.replace(mark, "_")
    return [word for word in stem.split("_") if word]


def _resampled(taken: Rectangle, placed: Rectangle) -> bool:
    """Whether pixels of the file and of the VRT are not the same ones."""
    shifts = (taken.left - placed.left, taken.top - placed.top)
    sizes = (taken.width - placed.width, taken.height - placed.height)
    return any(abs(size) > 1e-3 for size in sizes) or any(abs(shift - round(shift)) > 1e-3 for shift in shifts)


def _inside(part: Rectangle, whole: Rectangle) -> float:
    """Pixels of a part that lie in the whole."""
    width = min(part.left + part.width, whole.width) - max(part.left, 0.0)
    height = min(part.top + part.height, whole.height) - max(part.top, 0.0)
    return max(width, 0.0) * max(height, 0.0)


def _crs(path: Path, text: str | None) -> str | None:
    """A coordinate reference system as a code of EPSG or as WKT that names no file."""
    if text is None:
        return None
    wrong = InputError(
        f"{path} has a coordinate reference system that is not read.",
        "Assign the right one: gdal_edit.py -a_srs EPSG:326xx file.vrt, or in QGIS with 'Assign projection'.",
        code="bad-crs",
    )
    head = text.lstrip()[:80].upper()
    if len(text) > _MAX_CRS or not _CRS_TEXT.match(head):
        raise wrong
    try:
        with environment():  # GDAL writes its errors to the terminal elsewhere
            crs = CRS.from_epsg(int(head[5:].strip())) if head.startswith("EPSG:") else CRS.from_wkt(text)
            code, wkt = crs.to_epsg(), crs.to_wkt()
    except (CRSError, ValueError):
        raise wrong from None
    if code is not None:
        return f"EPSG:{code}"
    if any(word in wkt.upper() or word in text.upper() for word in _FOREIGN):
        raise wrong
    return str(wkt)


def _counted(files: int) -> str:
    return "one file" if files == 1 else f"{files} files"


def _listed(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:13]))
    return shown if len(numbers) <= 13 else f"{shown}, ..."


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more files"
