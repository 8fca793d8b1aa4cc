"""Finds Sentinel-1 in the files that a user named: the bands of VV and VH, their unit and their coverage."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.io import DatasetReader
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.scene.fill import Fill, FillSearch
from sunbreak.scene.georeference import describe_bounds, grid_of
from sunbreak.scene.given_files import rasters_of_archive
from sunbreak.scene.grid import Grid
from sunbreak.scene.nodata import usable_nodata, usable_scale
from sunbreak.scene.product import ProductFacts, facts_about, find_sidecar
from sunbreak.scene.radar import RadarBand, RadarPair, RadarReader, RadarUnit, calibrated
from sunbreak.scene.radar_units import RadarUnitOption, are_swapped, decide_unit
from sunbreak.scene.resample import Mapping, refuse_too_fine
from sunbreak.scene.sampling import border_windows, sample_windows, strips
from sunbreak.scene.virtual import date_of_files
from sunbreak.sources import RasterSource, is_folder, local_path, raster_source, unread_sidecars
from sunbreak.sources.gdal import environment

_POLARISATION = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:sigma|gamma|beta)(?:0|nought)?[ _]?)?(VV|VH)(?![A-Za-z0-9])", re.IGNORECASE
)
# the fourth letter of the product's key: power, amplitude or dB
_HYP3 = re.compile(r"_RTC\d+_[A-Z]_[gs]([pad])[um][a-z]{3}_")
_FAINTEST, _STRONGEST = -60.0, 1000.0  # no dB lies below, no power above
_ZEROS = 0.01  # of the pixels of one polarisation, from which connected zeros are no data
_ENOUGH = 0.995  # less coverage than this is worth a warning


@dataclass(frozen=True)
class _RadarFile:
    source: RasterSource
    grid: Grid
    names: list[str | None]
    bands: list[RadarBand]
    dtype: str
    facts: ProductFacts
    missing: float


def find_radar(
    given: Path | str | Sequence[Path | str], grid: Grid, crop: Window, unit: RadarUnitOption = "auto"
) -> tuple[RadarPair, list[str], list[str]]:
    """Find VV and VH in one two-band file or two files, and how they overlap the scene.

    Args:
        given: What the user named.
        grid: The scene's whole grid.
        crop: The part of it that is worked on.
        unit: What the user says about the stored numbers.

    Returns:
        The pair, notes and warnings.

    Raises:
        InputError: everything `RasterSource` and `grid_of` say; ``s1-not-projected``, ``s1-bands``, ``s1-units``,
            ``no-overlap``, ``all-nodata``.
    """
    many = [given] if isinstance(given, (str, Path)) else given
    sources = [raster_source(one, "Sentinel-1 file") for one in unzipped(many)]
    if len(sources) not in (1, 2):
        raise InputError(
            f"{len(sources)} Sentinel-1 files were given.",
            "Give one file with VV and VH, or two; tiles of one image are joined as a virtual raster (gdalbuildvrt).",
            code="s1-bands",
        )
    files = [_look_into(source, alone=len(sources) == 1) for source in sources]
    notes: list[str] = []
    warnings = [
        f"{file.source.path.name}: {file.missing:.0%} of its blocks were never written; was its export interrupted?"
        for file in files
        if file.missing > 0
    ]
    for file in files:
        find_sidecar(file.source.path, warnings)
        warnings += unread_sidecars(file.source.path, nameless=not any(file.names))
        noted, warned = file.source.remarks()
        notes += noted
        warnings += warned
    places = _assign(files, notes)
    # zeros of a file with both are known by being in both
    apart = len(files) == 2
    bands = (
        _with_fill(files[places[0][0]].bands[places[0][1]], "VV", apart, notes),
        _with_fill(files[places[1][0]].bands[places[1][1]], "VH", apart, notes),
    )
    mappings = (Mapping(files[places[0][0]].grid, grid), Mapping(files[places[1][0]].grid, grid))
    for file, mapping in zip((files[place[0]] for place in places), mappings, strict=True):
        refuse_too_fine(mapping, file.source.path)
    outline = min(mapping.coverage(crop) for mapping in mappings)
    if outline == 0:
        raise InputError(
            f"{sources[0].identity} does not overlap Sentinel-2: "
            f"it covers {describe_bounds(mappings[0].source, grid)}, Sentinel-2 {describe_bounds(grid.crop(crop))}.",
            "Give a Sentinel-1 scene of the same place.",
            code="no-overlap",
        )
    integers = any(np.dtype(file.dtype).kind in "iu" for file in files) and bands[0].scale == 1.0
    samples = [_sample(band, mapping, crop) for band, mapping in zip(bands, mappings, strict=True)]
    empty = [(name, band) for name, band, values in zip(("VV", "VH"), bands, samples, strict=True) if not values.any()]
    if len(empty) == 1:
        raise InputError(
            f"{empty[0][1].file.identity} holds no valid pixel of {empty[0][0]} under the scene: all are zero or "
            "nodata.",
            "Give a Sentinel-1 scene that holds both polarisations there.",
            code="all-nodata",
        )
    sample = np.concatenate(samples)
    stored = decide_unit(sources[0].identity, sample, integers, _named_unit(sources[0], unit), notes, warnings)
    named = any(name for file in files for name in file.names)
    if are_swapped(sources[0].identity, samples, stored, named, notes, warnings):
        bands, mappings = (bands[1], bands[0]), (mappings[1], mappings[0])
    shifts = (mappings[0].shift(), mappings[1].shift())
    if None in shifts:
        notes.append("S1 lies on another grid and is resampled to the S2 grid (bilinear, in linear power).")
    acquired = next((file.facts.acquired for file in files if file.facts.acquired), None)
    notes += _further_notes(files, bands, stored, named)
    days = {file.facts.acquired.date().isoformat() for file in files if file.facts.acquired}
    if len(days) > 1:
        warnings.append(f"VV and VH of Sentinel-1 are of different dates: {' and '.join(sorted(days))}.")
    pair = RadarPair(bands, mappings, shifts, stored, acquired)
    covered = min(outline, _filled(pair, crop))
    if covered < _ENOUGH:
        warnings.append(f"Sentinel-1 covers only about {covered:.0%} of the scene.")
    return pair, notes, warnings


def _further_notes(
    files: Sequence[_RadarFile], bands: tuple[RadarBand, RadarBand], unit: RadarUnit, named: bool
) -> list[str]:
    """What else is assumed about Sentinel-1, one sentence each."""
    notes = []
    if named:
        notes.append("S1: VV and VH are known by their names.")
    unused = sum(len(file.bands) for file in files) - 2
    if unused:
        notes.append(f"S1: {unused} other band{'s are' if unused > 1 else ' is'} not used.")
    notes += [
        f"S1: the scale {band.scale:g} and offset {band.offset:g} in {band.file.path.name} are applied."
        for band in bands
        if (band.scale, band.offset) != (1.0, 0.0)
    ]
    if unit != "db":
        notes.append("S1: numbers of 0 and less hold no data.")
    elif bands[0].file == bands[1].file:
        notes.append("S1: pixels that are 0 in both polarisations hold no data.")
    dated = next((file.facts for file in files if file.facts.acquired), None)
    if dated is None or dated.acquired is None:
        notes.append("The date of S1 is not known: it is taken to show the ground of the scene.")
    else:
        notes.append(f"S1 was acquired on {dated.acquired.date().isoformat()}, by {dated.said_by.get('acquired', '')}.")
    return list(dict.fromkeys(notes))


@dataclass(frozen=True)
class RadarFacts:
    """What a radar file is known to hold.

    Attributes:
        polarisations: ``VV`` or ``VH`` for each band, None for a band whose polarisation is not known.
        acquired: Date of acquisition, where known.
    """

    polarisations: tuple[str | None, ...]
    acquired: datetime | None


def radar_facts(given: Path | str) -> RadarFacts:
    """What the names and tags of one radar file say, or of an archive with VV and VH.

    Raises:
        InputError: everything `RasterSource` says; ``s1-not-projected`` for a folder.
    """
    found: list[str | None] = []
    acquired = None
    for one in unzipped([given]):
        source = raster_source(one, "Sentinel-1 file")
        _refuse_folder(source.path)
        with source.open() as dataset:
            found += polarisations(dataset, source.path, alone=False)
            acquired = acquired or _claims(source, dataset).acquired
    return RadarFacts(tuple(found), acquired)


def _look_into(source: RasterSource, *, alone: bool) -> _RadarFile:
    path = source.path
    _refuse_folder(path)
    missing = source.check()
    with source.open() as dataset:
        return _RadarFile(
            source, _grid(dataset, path), polarisations(dataset, path, alone=alone), _bands(dataset, source),
            dataset.dtypes[0], _claims(source, dataset), missing,
        )  # fmt: skip


def unzipped(given: Sequence[Path | str]) -> list[Path | str]:
    """What was given; an archive stands for the VV and the VH in it, if it holds one of each.

    Raises:
        InputError: The file is missing, or the archive cannot be read.
    """
    path = local_path(given[0], "Sentinel-1 file") if len(given) == 1 else None
    if path is None or not path.is_file() or not is_folder(path):
        return list(given)
    rasters = rasters_of_archive(path)
    found = [[one for one in rasters if _named(one) == name] for name in ("VV", "VH")]
    return [pair[0] for pair in found] if all(len(pair) == 1 for pair in found) else list(given)


def _named(path: Path) -> str | None:
    """The polarisation that the name of a file speaks of."""
    names = {match.upper() for match in _POLARISATION.findall(path.stem)}
    return names.pop() if len(names) == 1 else None


def _claims(source: RasterSource, dataset: DatasetReader) -> ProductFacts:
    files = ProductFacts(acquired=date_of_files(source))
    return facts_about(source.path, dataset.tags(), find_sidecar(source.path), files)


def _refuse_folder(path: Path) -> None:
    if is_folder(path):
        kind = "a zip archive" if path.is_file() else "a folder"
        raise InputError(
            f"{path} is {kind}; Sentinel-1 is read from rasters.",
            "Terrain-correct the product (SNAP, pyroSAR, ASF RTC) and give the VV and VH GeoTIFF.",
            code="s1-not-projected",
        )


def _sample(band: RadarBand, mapping: Mapping, crop: Window) -> NDArray[np.float32]:
    """Finite stored numbers of one polarisation from the part of its file that overlaps the scene."""
    part = mapping.lattice(crop).source_window(mapping.source)
    if part is None:
        return np.empty(0, np.float32)
    with band.file.open() as dataset, band.file.reading(), environment():

        def finite(window: Window) -> NDArray[np.float32]:
            values = calibrated(dataset.read(band.index, window=window), band)
            found: NDArray[np.float32] = values[np.isfinite(values)]
            return found

        sample = np.concatenate([finite(window) for window in sample_windows(part)])
        if sample.any():
            return sample
        # there may be data between the sampled windows
        return next((found for found in map(finite, strips(part)) if found.any()), sample)


def _with_fill(band: RadarBand, name: str, zeros: bool, notes: list[str]) -> RadarBand:
    """The band, with the number that fills a connected part of it where no backscatter can be so, if there is one."""
    search = FillSearch(bands=1)
    with band.file.open() as dataset, band.file.reading(), environment():
        whole = Window(0, 0, dataset.width, dataset.height)
        for window in (*sample_windows(whole), *border_windows(whole)):
            raw = dataset.read([band.index], window=window)
            search.add(raw, np.isfinite(calibrated(raw[0], band)))
    fill = search.found
    if fill is None or band.nodata is not None or not _is_no_backscatter(fill, band, zeros):
        return band
    notes.append(f"{band.file.path.name}: {fill.value:g} in {fill.share:.1%} of {name} is taken as no data.")
    return replace(band, nodata=fill.value)


def _is_no_backscatter(fill: Fill, band: RadarBand, zeros: bool) -> bool:
    """Whether a number is neither dB nor power. 0 dB is, but not over a part of the image."""
    value = fill.value * band.scale + band.offset
    return value <= _FAINTEST or value >= _STRONGEST or (zeros and fill.value == 0 and fill.share >= _ZEROS)


def _named_unit(source: RasterSource, option: RadarUnitOption) -> RadarUnitOption:
    """The unit, where the file's name says what the numbers do not: amplitude looks like power (ASF HyP3)."""
    found = {match[1] for path in source.files if (match := _HYP3.search(path.name))}
    return "amplitude" if option == "auto" and found == {"a"} else option


def _filled(pair: RadarPair, crop: Window) -> float:
    with RadarReader(pair) as reader:
        fractions = [np.isfinite(reader.read(window)).all(axis=0).mean() for window in sample_windows(crop)]
    return float(np.mean(fractions))


def _grid(dataset: DatasetReader, path: Path) -> Grid:
    try:
        return grid_of(dataset, path)
    except InputError as error:
        if error.code != "not-projected":
            raise
        raise InputError(
            f"{path} is in radar geometry: it only has ground control points.",
            "Terrain-correct it first (SNAP, pyroSAR, or an RTC product from ASF).",
            code="s1-not-projected",
        ) from error


def _bands(dataset: DatasetReader, source: RasterSource) -> list[RadarBand]:
    return [
        RadarBand(source, index, usable_nodata(nodata, dtype), *usable_scale(dataset, index, source.path))
        for index, (nodata, dtype) in enumerate(zip(dataset.nodatavals, dataset.dtypes, strict=True), 1)
    ]


def polarisations(dataset: DatasetReader, path: Path, *, alone: bool) -> list[str | None]:
    """``VV`` or ``VH`` for each band, from its description and tags, else None.

    Args:
        dataset: The opened file.
        path: Its path.
        alone: It is the only file, so the name of a file with one band tells nothing.
    """
    found: list[str | None] = []
    for index in range(1, dataset.count + 1):
        tags = {key.lower(): value for key, value in dataset.tags(index).items()}
        texts = [dataset.descriptions[index - 1], tags.get("polarisation"), tags.get("polarization"), tags.get("name")]
        found.append(next((name for name in map(_polarisation, texts) if name), None))
    if not any(found) and dataset.count == 1 and not alone:
        tags = {key.lower(): value for key, value in dataset.tags().items()}
        texts = [tags.get("polarisation"), tags.get("polarization"), path.stem]
        found = [next((name for name in map(_polarisation, texts) if name), None)]
    return found


def _polarisation(text: str | None) -> str | None:
    if not text:
        return None
    names = {found.upper() for found in _POLARISATION.findall(text.replace("_", " "))}
    return names.pop() if len(names) == 1 else None


def _assign(files: Sequence[_RadarFile], notes: list[str]) -> tuple[tuple[int, int], tuple[int, int]]:
    """(file, band from 0) of VV and of VH."""
    places = {
        name: [
            (place, band) for place, file in enumerate(files) for band, found in enumerate(file.names) if found == name
        ]
        for name in ("VV", "VH")
    }
    if len(places["VV"]) == 1 and len(places["VH"]) == 1:
        return places["VV"][0], places["VH"][0]
    counts = [len(file.names) for file in files]
    if not places["VV"] and not places["VH"]:
        if counts == [2]:
            notes.append(f"{files[0].source.path.name} does not name its polarisations.")
            return (0, 0), (0, 1)
        if counts == [1, 1]:
            notes.append("The polarisations of Sentinel-1 are not named.")
            return (0, 0), (1, 0)
    raise InputError(
        f"{files[0].source.identity}: VV and VH are missing or cannot be identified (bands: "
        f"{', '.join(map(str, counts))}).",
        "Give VV and VH in one file or two, named in the band descriptions or file names.",
        code="s1-bands",
    )
