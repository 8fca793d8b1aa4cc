"""What `sunbreak inspect` finds out about a scene: what its files hold, and what a run will assume about them.

Only a sample of the pixels is read, except of a cloud mask, whose values decide on its coding.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
from rasterio.windows import Window

from sunbreak import __version__
from sunbreak.clouds.class_counts import ClassCounts
from sunbreak.clouds.given_masks import given_classes
from sunbreak.defaults import CLOUD_DETECTOR
from sunbreak.diagnostics.inspection_fits import Fit, fits_of
from sunbreak.scene import Grid, Scene, SceneSeries
from sunbreak.scene.georeference import pixel_size_metres
from sunbreak.scene.sampling import sample_density, sample_windows
from sunbreak.scene.series import days_between

VERSION = 1
"""Of the JSON form. It changes when a field gets another meaning or goes away; fields may be added."""


@dataclass(frozen=True)
class FoundBand:
    """Where a band is read from.

    Attributes:
        name: Canonical name.
        file: Path of its file.
        index: The band in it, from 1.
        resampled: Whether it is coarser than the grid and is resampled (bilinear).
        why: What gave it its name.
    """

    name: str
    file: str
    index: int
    resampled: bool
    why: str


@dataclass(frozen=True)
class FoundGrid:
    """The grid that is worked on.

    Attributes:
        crs: Coordinate reference system, as an authority's code or WKT.
        width: Columns.
        height: Rows.
        pixel_size: Width and height of a pixel in units of the CRS.
        pixel_metres: The same in metres.
        bounds: Left, bottom, right, top in units of the CRS.
        south_up: Whether the first row is the southernmost.
        part: Column, row, width and height in the files' whole grid, if only a part is worked on.
    """

    crs: str
    width: int
    height: int
    pixel_size: tuple[float, float]
    pixel_metres: tuple[float, float]
    bounds: tuple[float, float, float, float]
    south_up: bool
    part: tuple[int, int, int, int] | None


@dataclass(frozen=True)
class FoundOptical:
    """Sentinel-2 of one date.

    Attributes:
        name: Its file, product or folder.
        files: The files that bands are read from.
        level: ``L1C`` or ``L2A``; None if it is not known.
        level_why: What says so.
        acquired: When, as ISO 8601 (UTC); None if it is not known.
        acquired_why: What says so.
        bands: In native order.
        dtype: numpy name of the stored numbers' dtype.
        unit: ``dn`` or ``reflectance``.
        unit_why: What says so.
        offset: Added to stored numbers.
        offset_why: A sentence.
        quantification: Reflectance is (number + offset) / quantification.
        quantification_why: What says so.
        nodata: What stands for no data in `cleaned`; None for NaN.
        nodata_why: Which pixels hold no data, by which rule.
        nodata_share: Fraction of the sampled pixels without data.
        sampled_pixels: How many were sampled.
        sampled_all: Whether these are all pixels.
        grid: The grid.
    """

    name: str
    files: tuple[str, ...]
    level: str | None
    level_why: str
    acquired: str | None
    acquired_why: str
    bands: tuple[FoundBand, ...]
    dtype: str
    unit: str
    unit_why: str
    offset: float
    offset_why: str
    quantification: float
    quantification_why: str
    nodata: float | None
    nodata_why: str
    nodata_share: float
    sampled_pixels: int
    sampled_all: bool
    grid: FoundGrid


@dataclass(frozen=True)
class FoundRadar:
    """Sentinel-1.

    Attributes:
        vv: Where VV is read from: path and band.
        vh: Where VH is.
        unit: ``db``, ``linear`` or ``amplitude``.
        acquired: When, as ISO 8601; None if it is not known.
        days_apart: Days from Sentinel-2 to it; None if a date is not known.
        coverage: About which fraction of the scene has both polarisations.
        resampled: Whether it lies on another grid than the scene.
        why: What was decided about it, one sentence each.
    """

    vv: tuple[str, int]
    vh: tuple[str, int]
    unit: str
    acquired: str | None
    days_apart: int | None
    coverage: float
    resampled: bool
    why: tuple[str, ...]


@dataclass(frozen=True)
class FoundMask:
    """The cloud mask that was given, or that the product brings.

    Attributes:
        file: Its path.
        coding: Value of ``--mask-coding`` that chooses its coding.
        title: What the coding is.
        of_product: Whether it came with the scene.
        shares: ``cloud_share``, ``thin_cloud_share`` and ``shadow_share`` of the sampled pixels.
        why: What was decided about it, one sentence each.
    """

    file: str
    coding: str
    title: str
    of_product: bool
    shares: dict[str, float]
    why: tuple[str, ...]


@dataclass(frozen=True)
class Inspection:
    """Everything that was found.

    Attributes:
        sentinel2: The scene.
        sentinel1: Its radar, if given.
        mask: Its cloud mask, if there is one.
        dates: The other dates, if given.
        fits: Which jobs can be done by default, and what is missing for the others.
        notes: What a run says about the scene, one sentence each.
        warnings: What is unusual, likewise.
        version: Of the JSON form.
        sunbreak: Release.
    """

    sentinel2: FoundOptical
    sentinel1: FoundRadar | None
    mask: FoundMask | None
    dates: tuple[FoundOptical, ...]
    fits: tuple[Fit, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    version: int = VERSION
    sunbreak: str = __version__

    def to_dict(self) -> dict[str, Any]:
        """The inspection as plain values that JSON can hold, see `VERSION`."""
        return {"version": self.version, "sunbreak": self.sunbreak, **asdict(self)}


def inspect_scene(given: Scene | SceneSeries, detector: str = CLOUD_DETECTOR) -> Inspection:
    """Inspect an opened scene, alone or with other dates.

    Args:
        given: The scene.
        detector: What would detect its clouds, see `sunbreak.clouds.choice`.

    Raises:
        InputError: ``damaged`` if a file cannot be decoded.
    """
    series = SceneSeries.of(given)
    scene = series.target
    dates = tuple(_optical(other) for other in series.others)
    # what is assumed about other dates is not said by their series
    about = [f"{other.source_name}: {text}" for other in series.others for text in other.notes]
    return Inspection(
        _optical(scene),
        _radar(scene),
        _mask(scene),
        dates,
        fits_of(series, detector),
        tuple(dict.fromkeys((*scene.notes, *series.notes, *about))),
        tuple(dict.fromkeys((*scene.warnings, *series.warnings))),
    )


def windows_of(scene: Scene) -> list[Window]:
    """The windows of a scene that are looked at."""
    return list(sample_windows(scene.grid.window, *sample_density(scene.stack.files)))


def _optical(scene: Scene) -> FoundOptical:
    reasons, radiometry, grid = scene.reasons, scene.radiometry, scene.grid
    pixels = empty = 0
    with scene.reader() as reader:
        for window in windows_of(scene):
            valid = reader.s2(window).valid
            pixels, empty = pixels + valid.size, empty + int(np.count_nonzero(~valid))
    nodata = scene.nodata
    return FoundOptical(
        name=scene.source_name,
        files=tuple(str(file.path) for file in scene.stack.files),
        level=scene.level,
        level_why=reasons.level,
        acquired=_iso(scene.acquired),
        acquired_why=reasons.acquired,
        bands=tuple(
            FoundBand(band.name, str(band.file.path), band.index, band.resampled, reasons.bands.get(band.file.path, ""))
            for band in scene.stack.sources
        ),
        dtype=scene.dtype,
        unit=radiometry.unit,
        unit_why=reasons.unit,
        offset=radiometry.offset,
        offset_why=reasons.offset,
        quantification=radiometry.quantification,
        quantification_why=reasons.quantification,
        nodata=None if nodata is None or math.isnan(nodata) else nodata,
        nodata_why=reasons.nodata,
        nodata_share=empty / pixels,
        sampled_pixels=pixels,
        sampled_all=pixels == grid.width * grid.height,
        grid=_grid(scene),
    )


def _grid(scene: Scene) -> FoundGrid:
    grid, whole = scene.grid, scene.stack.grid
    part = None if grid.shape == whole.shape else (*scene.origin, grid.width, grid.height)
    return FoundGrid(
        _crs(grid), grid.width, grid.height, grid.pixel_size, pixel_size_metres(grid), grid.bounds,
        grid.transform.e > 0, part,
    )  # fmt: skip


def _crs(grid: Grid) -> str:
    authority: tuple[str, str] | None = grid.crs.to_authority()
    return ":".join(authority) if authority else str(grid.crs.to_wkt())


def _radar(scene: Scene) -> FoundRadar | None:
    pair = scene.radar
    if pair is None:
        return None
    with scene.reader() as reader:
        filled = [float(np.isfinite(reader.s1(window)).all(axis=0).mean()) for window in windows_of(scene)]
    column, row = scene.origin
    part = Window(column, row, scene.grid.width, scene.grid.height)
    outline = min(mapping.coverage(part) for mapping in pair.mappings)
    vv, vh = ((str(band.file.path), band.index) for band in pair.bands)
    return FoundRadar(
        vv, vh, pair.unit, _iso(pair.acquired), days_between(scene.acquired, pair.acquired),
        min(outline, float(np.mean(filled))), None in pair.shifts, scene.reasons.radar,
    )  # fmt: skip


def _mask(scene: Scene) -> FoundMask | None:
    mask = scene.cloud_mask
    if mask is None:
        return None
    counts = ClassCounts()
    with scene.reader() as reader:
        for window in windows_of(scene):
            counts.add(given_classes(reader, window))
    coding = mask.coding
    return FoundMask(
        str(mask.file.path), coding.option, coding.title, mask.of_product, counts.shares(), scene.reasons.mask
    )


def _iso(date: datetime | None) -> str | None:
    return None if date is None else date.isoformat()
