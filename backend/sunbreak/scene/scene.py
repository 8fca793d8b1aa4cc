"""A scene: Sentinel-2 and, if given, Sentinel-1 and a cloud mask on one grid, checked before a run begins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.scene.band_order import spectral_order
from sunbreak.scene.discovery import Classification, Finding, find_bands
from sunbreak.scene.georeference import describe_bounds, has_known_unit, pixel_size_metres
from sunbreak.scene.grid import Grid
from sunbreak.scene.mask import CloudMask, find_mask
from sunbreak.scene.mask_codings import CodingOption
from sunbreak.scene.product import Level
from sunbreak.scene.radar import RadarPair
from sunbreak.scene.radar_files import find_radar
from sunbreak.scene.radar_units import RadarUnitOption
from sunbreak.scene.radiometry import OffsetOption, Radiometry, UnitOption, decide, scale_of
from sunbreak.scene.reader import SceneReader
from sunbreak.scene.reasons import Reasons, notes_of, reasons_of
from sunbreak.scene.sentinel2 import BandStack
from sunbreak.scene.validity import Look, NodataOption, look

MAX_DAYS_APART = 3
_PIXEL_SIZE = 10.0


@dataclass(frozen=True)
class Scene:
    """What a run works on. Made by `Scene.open`; holds no open files and can travel between processes.

    Attributes:
        grid: The grid of the run: the Sentinel-2 grid, cropped if asked for.
        bands: Canonical names of the bands there are, in native order.
        level: Processing level, where known or inferred.
        radiometry: From stored numbers to reflectance.
        dtype: numpy name of the stored numbers' dtype.
        nodata: The declared nodata value, else 0 for integers and NaN for floats.
        notes: What was detected and assumed, one sentence each.
        warnings: What is unusual, one sentence each.
        inputs: Every file that is read.
        stem: A name for outputs.
        acquired: When Sentinel-2 was acquired, where known.
        stack: Where the bands are read from.
        radar: Where Sentinel-1 is read from.
        cloud_mask: Where the given mask is read from.
        origin: (column, row) of the grid's first pixel in the files' whole grid.
        reasons: What was assumed for which reason.
    """

    grid: Grid
    bands: tuple[str, ...]
    level: Level | None
    radiometry: Radiometry
    dtype: str
    nodata: float | None
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    inputs: tuple[Path, ...]
    stem: str
    acquired: datetime | None
    stack: BandStack
    radar: RadarPair | None
    cloud_mask: CloudMask | None
    origin: tuple[int, int]
    reasons: Reasons = field(default_factory=Reasons, compare=False)

    @property
    def has_s1(self) -> bool:
        """Whether there is Sentinel-1."""
        return self.radar is not None

    @property
    def source_name(self) -> str:
        """How Sentinel-2 is called: the name of its one file, or of the product or folder."""
        files = self.stack.files
        return files[0].path.name if len(files) == 1 else self.stem

    @property
    def has_mask(self) -> bool:
        """Whether a cloud mask was given."""
        return self.cloud_mask is not None

    @classmethod
    def open(
        cls,
        s2: Path | str | Sequence[Path | str],
        s1: Path | str | Sequence[Path | str] | None = None,
        *,
        mask: Path | str | None = None,
        mask_coding: CodingOption = "auto",
        window: tuple[int, int, int, int] | None = None,
        bbox: tuple[float, float, float, float] | None = None,
        s2_unit: UnitOption = "auto",
        s2_offset: OffsetOption = "auto",
        s2_nodata: NodataOption = "auto",
        s2_scale: float | None = None,
        s1_unit: RadarUnitOption = "auto",
        s2_bands: Sequence[str] | None = None,
    ) -> Scene:
        """Open and check a scene.

        Args:
            s2: A multi-band GeoTIFF, a product as its ``.SAFE`` folder, the metadata file in it or its zip archive, a
                folder of single-band files, or a list of files.
            s1: A GeoTIFF with VV and VH, or two files.
            mask: A cloud mask in one of the codings of `sunbreak.scene.mask_codings`. A product of level 2A brings its
                own SCL.
            mask_coding: The coding of `mask`; ``auto`` recognises it where that is certain.
            window: (column, row, width, height) in pixels of the Sentinel-2 grid; only this part is worked on.
            bbox: (left, bottom, right, top) in the scene's CRS; only this part is worked on.
            s2_unit: What the stored Sentinel-2 numbers are.
            s2_offset: Added to stored numbers before they are divided by the quantification value.
            s2_scale: Reflectance of one stored number, where the files do not say: 0.01 for percent.
            s2_nodata: The stored number of pixels without data, ``none`` if all pixels hold data, or ``auto``: what the
                files declare, and what fills a connected part of all bands though they do not.
            s1_unit: What the stored Sentinel-1 numbers are.
            s2_bands: Names of the bands in the file's order, if the file has none or wrong ones.

        Raises:
            InputError: with a code for everything that can be wrong with the files or options.
        """
        finding = find_bands(s2, s2_bands)
        stack = finding.stack
        notes, warnings = list(finding.notes), list(finding.warnings)
        name = str(finding.inputs[0])
        crop = window_of(stack.grid, window, bbox, name, notes)
        looked = look(finding, crop, name, s2_nodata)
        order = _order_by_spectra(looked, name) if finding.assumed else None
        if order is not None:
            finding = find_bands(s2, unnamed=order)
            stack, notes = finding.stack, [*finding.notes, *notes[len(finding.notes) :]]
            looked = look(finding, crop, name, s2_nodata)
        sample = looked.sample
        radiometry, noted, warned = decide(
            name,
            np.dtype(stack.dtype),
            stack.bands,
            sample,
            finding.facts,
            finding.stored,
            s2_unit,
            s2_offset,
            scale_of(s2_scale),
        )
        stack = looked.settled(radiometry, notes, warnings)
        level = _level(finding, notes, warnings)
        grid = stack.grid.crop(crop)
        reasons = reasons_of(
            finding, stack, radiometry, noted[0], sample.shape[1], reordered=order is not None, unit=s2_unit,
            scale=s2_scale, nodata=s2_nodata,
        )  # fmt: skip
        notes += noted + notes_of(finding, reasons, level, radiometry)
        warnings += warned + _pixel_warnings(stack.grid)
        inputs = list(finding.inputs)
        radar = cloud_mask = None
        if s1 is not None:
            radar, noted, warned = find_radar(s1, stack.grid, crop, s1_unit)
            reasons = replace(reasons, radar=tuple(noted))
            notes += noted
            warnings += warned + _date_warnings(finding.facts.acquired, radar.acquired)
            inputs += [path for file in radar.files for path in file.files]
        own = finding.classification
        if mask is not None:
            cloud_mask, noted, warned = find_mask(mask, stack.grid, crop, option=mask_coding)
            reasons = replace(reasons, mask=tuple(noted))
            notes += noted
            warnings += warned
        elif mask_coding != "auto":
            warnings.append(f"The mask coding {mask_coding} is not used: no mask is given.")
        if mask is None and own is not None and "B10" not in stack.bands:
            told = len(notes)
            cloud_mask = _own_mask(own, stack.grid, crop, notes, warnings)
            reasons = replace(reasons, mask=tuple(notes[told:]))
        if own is not None and (cloud_mask is None or cloud_mask.file.path != own.path):
            why = "a cloud mask is given" if mask is not None else "it is for scenes without B10"
            notes.append(
                f"{own.path.name} is not used: {why}."
                if own.band is None
                else f"{own.path.name}: band SCL is not a Sentinel-2 band and is left out."
            )
        if cloud_mask is None and finding.quality_mask is not None:
            notes.append(
                f"The product brings the cloud mask {finding.quality_mask.name}, which is not used; to use it, give "
                f"--mask {finding.quality_mask}."
            )
        if cloud_mask is not None:
            inputs += cloud_mask.file.files
        return cls(
            grid, stack.bands, level, radiometry, stack.dtype, stack.nodata, tuple(notes), tuple(warnings),
            tuple(dict.fromkeys(inputs)), finding.stem, finding.facts.acquired, stack, radar, cloud_mask,
            (int(crop.col_off), int(crop.row_off)), reasons,
        )  # fmt: skip

    def cropped(self, window: Window) -> Scene:
        """The part of the scene in a window with whole-numbered offsets and sizes, inside its grid."""
        column, row = self.origin
        origin = column + int(window.col_off), row + int(window.row_off)
        return replace(self, grid=self.grid.crop(window), origin=origin)

    def reader(self) -> SceneReader:
        """Open the files for reading: a context manager, for one thread."""
        return SceneReader(self)


def _own_mask(own: Classification, grid: Grid, crop: Window, notes: list[str], warnings: list[str]) -> CloudMask | None:
    """The product's own scene classification; None if a band that is called so holds something else."""
    try:
        found, noted, warned = find_mask(
            own.path, grid, crop, option="auto" if own.band is None else "scl", band=own.band, of_product=True
        )
    except InputError as error:
        if own.band is None or error.code != "mask-values":
            raise
        warnings.append(f"The band SCL of {own.path.name} holds no scene classification.")
        return None
    notes.append(f"Without B10 clouds are those of the product's own scene classification, {own.title}.")
    notes += noted
    warnings += warned
    return found


def window_of(
    grid: Grid,
    window: tuple[int, int, int, int] | None,
    bbox: tuple[float, float, float, float] | None,
    name: str,
    notes: list[str],
) -> Window:
    """The part of a grid that is worked on, whole pixels.

    Args:
        grid: The whole grid.
        window: (column, row, width, height) in pixels.
        bbox: (left, bottom, right, top) in the grid's CRS; what reaches beyond the grid is cut, and noted.
        name: Of the file, for messages.
        notes: Receives sentences for the user.

    Raises:
        InputError: ``bad-window``, ``window-outside`` or ``too-small``.
    """
    if window is not None and bbox is not None:
        raise InputError("Both --window and --bbox are given.", "Give one of them.", code="bad-window")
    crop = grid.window
    if window is not None:
        column, row, width, height = window
        if (
            column < 0
            or row < 0
            or width < 1
            or height < 1
            or column + width > grid.width
            or row + height > grid.height
        ):
            raise InputError(
                f"{name}: the window {column} {row} {width} {height} leaves the scene of {grid.width} x "
                f"{grid.height} pixels.",
                "Give column, row, width and height inside the scene.",
                code="window-outside",
            )
        crop = Window(column, row, width, height)
    if bbox is not None:
        crop = _crop_to_bounds(grid, bbox, name, notes)
    if crop.width < 2 or crop.height < 2:
        raise InputError(
            f"{name}: {crop.width:.0f} x {crop.height:.0f} pixels are too few to work on.",
            "Give a larger part or scene.",
            code="too-small",
        )
    return crop


def _crop_to_bounds(grid: Grid, bbox: tuple[float, float, float, float], name: str, notes: list[str]) -> Window:
    left, bottom, right, top = bbox
    if not (all(math.isfinite(value) for value in bbox) and left < right and bottom < top):
        raise InputError(
            f"--bbox {left:g} {bottom:g} {right:g} {top:g} is not left, bottom, right, top.",
            "Give them in this order.",
            code="bad-window",
        )
    transform = grid.transform
    x0, x1 = (left - transform.c) / transform.a, (right - transform.c) / transform.a
    y0, y1 = (top - transform.f) / transform.e, (bottom - transform.f) / transform.e
    slack = 1e-6
    first_column, last_column = math.floor(min(x0, x1) + slack), math.ceil(max(x0, x1) - slack)
    first_row, last_row = math.floor(min(y0, y1) + slack), math.ceil(max(y0, y1) - slack)
    column, row = max(first_column, 0), max(first_row, 0)
    width, height = min(last_column, grid.width) - column, min(last_row, grid.height) - row
    if width < 1 or height < 1:
        raise InputError(
            f"{name}: the bounding box {left:g} {bottom:g} {right:g} {top:g} lies outside the scene, "
            f"{describe_bounds(grid)}.",
            "Give left, bottom, right and top in the scene's coordinate reference system.",
            code="window-outside",
        )
    if (first_column, first_row) != (column, row) or (last_column, last_row) != (column + width, row + height):
        notes.append("The bounding box reaches beyond the scene and was cut to it.")
    return Window(column, row, width, height)


def _order_by_spectra(looked: Look, name: str) -> tuple[str, ...] | None:
    placed = [source.index for source in looked.stack.sources]
    others = [mask.index for mask in looked.stack.masks if mask.index is not None]
    return spectral_order(name, looked.sample, placed, max(*placed, *others))


def _level(finding: Finding, notes: list[str], warnings: list[str]) -> Level | None:
    level, bands = finding.facts.level, finding.stack.bands
    if level is None and "B10" in bands:
        level = "L1C"
        notes.append("Level L1C, since band B10 is there.")
    elif level is None and len(bands) == 12:
        level = "L2A"
        notes.append("Level L2A, since all bands but B10 are there.")
    elif level == "L2A" and "B10" in bands:
        warnings.append("The scene is called L2A but has band B10, which L2A does not have; is its B10 filled in?")
    return level


def _pixel_warnings(grid: Grid) -> list[str]:
    unknown = [] if has_known_unit(grid) else ["The unit of the scene's CRS is not known and is taken for metres."]
    width, height = pixel_size_metres(grid)
    if all(abs(size - _PIXEL_SIZE) <= 0.2 * _PIXEL_SIZE for size in (width, height)):
        return unknown
    return [
        *unknown,
        f"Pixels are {width:.3g} m x {height:.3g} m on the ground; the models were trained on 10 m x 10 m.",
    ]


def _date_warnings(s2: datetime | None, s1: datetime | None) -> list[str]:
    if s2 is None or s1 is None:
        return []
    days = abs((s2.date() - s1.date()).days)
    return [f"Sentinel-1 and Sentinel-2 were acquired {days} days apart."] if days > MAX_DAYS_APART else []
