"""An inspection as rows for people: what was found, and why it is taken as that.

The rows travel in the JSON of an inspection too, so that QGIS shows the same. Their keys are stable.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sunbreak.diagnostics.inspection import FoundBand, FoundGrid, FoundMask, FoundOptical, FoundRadar, Inspection
from sunbreak.diagnostics.inspection_fits import Fit

_UNITS = {"dn": "DN", "reflectance": "reflectance"}
_RADAR_UNITS = {"db": "dB", "linear": "linear power, turned into dB", "amplitude": "amplitude, turned into dB"}
_SOUTH_UP = "south-up: it is processed north-up, and layers lie as the scene does"
_RADAR_DATE = ("S1 was acquired", "The date of S1")
_JOBS = {"detect-clouds": "clouds", "clean": "clean", "classify": "classify"}


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        key: Stable name.
        title: What it is about.
        found: What was found.
        why: Where that comes from.
        well: False for what cannot be done.
    """

    key: str
    title: str
    found: str
    why: str = ""
    well: bool = True


def rows_of(inspection: Inspection) -> tuple[Row, ...]:
    """The table: Sentinel-2, its grid, Sentinel-1, clouds, other dates, and what can be done."""
    one = inspection.sentinel2
    return (
        *_optical(one),
        *_grid(one.grid),
        *_radar(inspection.sentinel1),
        *_mask(inspection.mask),
        *(row for date in inspection.dates for row in _date(date)),
        *(row for fit in inspection.fits for row in _fit(fit)),
    )


def _optical(one: FoundOptical) -> Iterator[Row]:
    # the name of the folder alone: the text may be shown to others
    files = "one file" if len(one.files) == 1 else f"{len(one.files)} files"
    folder = Path(os.path.commonpath([Path(file).parent for file in one.files]))
    yield Row("scene", "Sentinel-2", one.name, f"{files} in {folder.name}")
    yield Row("level", "level", one.level or "not known", one.level_why)
    yield Row("acquired", "acquired", _date_of(one.acquired), one.acquired_why)
    yield Row("bands", f"{len(one.bands)} bands", _bands(one.bands), _naming(one.bands))
    coarse = [band.name for band in one.bands if band.resampled]
    if coarse:
        yield Row("resampled", "resampled", ", ".join(coarse), "they are coarser; bilinear")
    yield Row("numbers", "numbers", f"{one.dtype}, {_UNITS[one.unit]}", one.unit_why)
    yield Row("offset", "offset", f"{one.offset:g}", one.offset_why)
    number = f"(number {one.offset:+g})" if one.offset else "number"
    yield Row("reflectance", "reflectance", f"{number} / {one.quantification:g}", one.quantification_why)
    about = f"{one.nodata_share:.1%} of the pixels"
    if not one.sampled_all:
        about = f"about {about} (a sample of {one.sampled_pixels:,})"
    yield Row("nodata", "no data", about, one.nodata_why)


def _grid(grid: FoundGrid) -> Iterator[Row]:
    crs = grid.crs if len(grid.crs) <= 20 else f"{grid.crs[:40]}..."
    yield Row("grid", "grid", f"{crs}, {grid.width} x {grid.height} pixels", _SOUTH_UP if grid.south_up else "north-up")
    across, down = grid.pixel_metres
    yield Row("pixel", "pixel", f"{across:.4g} m x {down:.4g} m")
    digits = 5 if max(map(abs, grid.bounds)) <= 360 else 0
    yield Row("bounds", "bounds", ", ".join(f"{side:.{digits}f}" for side in grid.bounds), "left, bottom, right, top")
    if grid.part is not None:
        column, row, width, height = grid.part
        yield Row("part", "part", f"column {column}, row {row}, {width} x {height} pixels", "as given")


def _radar(radar: FoundRadar | None) -> Iterator[Row]:
    if radar is None:
        yield Row("radar", "Sentinel-1", "none given", "give it with --s1")
        return
    dated = [text for text in radar.why if text.startswith(_RADAR_DATE)]
    why = [text for text in radar.why if text not in dated]
    yield Row("radar", "Sentinel-1", f"VV: {_place(radar.vv)}; VH: {_place(radar.vh)}", " ".join(why))
    yield Row("radar_unit", "unit", _RADAR_UNITS[radar.unit])
    days = [] if radar.days_apart is None else [f"It is {_days(radar.days_apart)} from Sentinel-2."]
    yield Row("radar_acquired", "acquired", _date_of(radar.acquired), " ".join(dated + days))
    how = (
        "resampled to the grid above (bilinear, as power)" if radar.resampled else "its pixels are those of Sentinel-2"
    )
    yield Row("radar_coverage", "covers", f"about {radar.coverage:.0%} of the scene", how)


def _mask(mask: FoundMask | None) -> Iterator[Row]:
    if mask is None:
        yield Row("mask", "cloud mask", "none", "no mask is given, and the product brings none")
        return
    origin = "of the product" if mask.of_product else "given"
    yield Row("mask", "cloud mask", f"{Path(mask.file).name} ({origin}): {mask.title}", " ".join(mask.why))
    cloud, shadow = mask.shares["cloud_share"], mask.shares["shadow_share"]
    yield Row(
        "mask_shares", "it marks", f"about {cloud:.1%} cloud, {shadow:.1%} shadow", f"--mask-coding {mask.coding}"
    )


def _date(one: FoundOptical) -> Iterator[Row]:
    level = one.level or "level not known"
    found = f"{_date_of(one.acquired)}, {level}, {len(one.bands)} bands, offset {one.offset:g}"
    yield Row("date", "other date", f"{one.name}: {found}, {one.nodata_share:.1%} no data", one.offset_why)


def _fit(fit: Fit) -> Iterator[Row]:
    title = _JOBS[fit.job]
    if not fit.possible:
        others = f" Models that fit: {', '.join(fit.models)}." if fit.models else ""
        yield Row(fit.job, title, "not possible as it is", f"{fit.missing} {fit.hint}{others}".strip(), False)
        return
    found = fit.how if fit.job == "detect-clouds" else f"possible with {fit.how}"
    yield Row(fit.job, title, found, " ".join(fit.warnings))


def _bands(bands: tuple[FoundBand, ...]) -> str:
    """Names; of one file whose bands are in another order than theirs, with their places in it."""
    in_order = [band.index for band in bands] == list(range(1, len(bands) + 1))
    one_file = len({band.file for band in bands}) == 1
    if in_order or not one_file:
        return ", ".join(band.name for band in bands)
    return ", ".join(f"{band.name} (band {band.index})" for band in bands)


def _naming(bands: tuple[FoundBand, ...]) -> str:
    return "by " + " and ".join(dict.fromkeys(band.why for band in bands))


def _place(place: tuple[str, int]) -> str:
    return f"band {place[1]} of {Path(place[0]).name}"


def _days(number: int) -> str:
    return "1 day" if abs(number) == 1 else f"{abs(number)} days"


def _date_of(iso: str | None) -> str:
    if not iso:
        return "not known"
    # a date without a time of day has that of midnight
    return iso[:10] if iso[11:19] == "00:00:00" else f"{iso[:16].replace('T', ' ')} UTC"
