"""What the files of a virtual raster (VRT) say about the scene, and which VRTs of a folder are left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sunbreak.errors import InputError
from sunbreak.scene.product import ProductFacts, facts_about, find_sidecar
from sunbreak.sources import RasterSource, VirtualRaster, raster_at

_OFFSET_SINCE, _OFFSET = 4.0, -1000.0  # processing baseline, DN


def facts_of_files(
    file: RasterSource, bands: Sequence[int], warnings: list[str]
) -> tuple[ProductFacts | None, list[Path]]:
    """What is claimed about the files that bands of a VRT take pixels from; None of a raster that is a file itself.

    Args:
        file: The raster.
        bands: Its bands (from 1) that are Sentinel-2 bands.
        warnings: Receives a sentence if the files are of several dates.

    Returns:
        The facts that the files share, and the STAC items beside them.

    Raises:
        InputError: ``mixed-levels``, ``mixed-units`` for files that need different offsets, ``mixed-dates`` for bands
            of different dates or tiles.
    """
    if not isinstance(file, VirtualRaster):
        return None, []
    used = [file.band_parts()[band - 1] for band in bands]
    items = {part.path: find_sidecar(part.path, warnings) for parts in used for part in parts}
    facts = {part: facts_about(part.path, part.tags, items[part.path]) for parts in used for part in parts}
    levels = {one.level for one in facts.values() if one.level}
    if len(levels) > 1:
        raise _mixed(file, "mixes files of levels L1C and L2A", "mixed-levels")
    scales = {one.quantification for one in facts.values() if one.quantification}
    if len({_offset(one) for one in facts.values()} - {None}) > 1 or len(scales) > 1:
        raise _mixed(file, "mixes files whose numbers need different offsets (processing baselines)", "mixed-units")
    days = [{one.acquired.date() for part in parts if (one := facts[part]).acquired} for parts in used]
    tiles = [{tile for part in parts if (tile := facts[part].tile)} for parts in used]
    # a mosaic may have several, but then all bands have the same
    if len({frozenset(one) for one in days if one}) > 1 or len({frozenset(one) for one in tiles if one}) > 1:
        named = sorted({*(str(day) for found in days for day in found), *(tile for found in tiles for tile in found)})
        raise _mixed(file, f"has bands of different dates or tiles ({', '.join(named)})", "mixed-dates")
    merged = ProductFacts()
    for one in facts.values():
        merged = merged.or_else(one)
    of_all = {day for found in days for day in found}
    if len(of_all) > 1:
        warnings.append(
            f"{file.path.name} takes pixels from files of {len(of_all)} dates ({min(of_all)} to {max(of_all)}): its "
            "date is not known."
        )
        merged = replace(merged, acquired=None)
    if any(len(found) > 1 for found in tiles):
        merged = replace(merged, tile=None)
    return merged, [item.path for item in items.values() if item is not None]


def date_of_files(file: RasterSource) -> datetime | None:
    """When the files of a VRT were acquired, if all that say so are of one day; None of a raster that is a file."""
    if not isinstance(file, VirtualRaster):
        return None
    parts = dict.fromkeys(part for parts in file.band_parts() for part in parts)
    dates = [facts_about(part.path, part.tags, find_sidecar(part.path)).acquired for part in parts]
    known = [date for date in dates if date]
    return min(known) if len({date.date() for date in known}) == 1 else None


def same_files(one: Iterable[RasterSource], other: Iterable[RasterSource]) -> bool:
    """Whether two scenes have a file in common. Two VRTs may take different bands of one file, and are none then."""
    first, second = list(one), list(other)
    return bool(_own(first) & _taken(second) or _taken(first) & _own(second))


def _own(files: Iterable[RasterSource]) -> set[Path]:
    return {file.path.resolve() for file in files}


def _taken(files: Iterable[RasterSource]) -> set[Path]:
    return {path.resolve() for file in files for path in file.files}


def without_doubled(paths: Sequence[Path], notes: list[str]) -> list[Path]:
    """The rasters of a folder without the VRTs over others of them, and without VRTs that are not read beside others.

    Args:
        paths: The rasters, and folders of single bands.
        notes: Receives a sentence about each that is left out.
    """
    others = {path.resolve() for path in paths if path.suffix.lower() != ".vrt"}
    kept = []
    for path in paths:
        reason = _reason_against(path, others) if path.suffix.lower() == ".vrt" and others else ""
        if reason:
            notes.append(f"{path.name} in the folder is left out: {reason}.")
        else:
            kept.append(path)
    return kept


def _reason_against(path: Path, others: set[Path]) -> str:
    try:
        raster = raster_at(path)
        raster.check(hollow=True)
        doubled = any(others.intersection((file, *file.parents)) for file in raster.files[1:])
        return "its files are in the folder too" if doubled else ""
    except InputError as error:
        return error.message.rstrip(".")


def _offset(facts: ProductFacts) -> float | None:
    """What has to be added to the numbers of a file, None where nothing is claimed."""
    if facts.harmonised or facts.offset_applied:
        return 0.0
    if facts.offset is not None:
        return facts.offset
    if facts.baseline is None:
        return None
    return _OFFSET if facts.baseline >= _OFFSET_SINCE else 0.0


def _mixed(file: RasterSource, what: str, code: str) -> InputError:
    return InputError(f"{file.path} {what}.", "Make a VRT of files of one kind.", code=code)
