"""Comparison of two rasters: metrics of the whole images, error layers and a page.

The rasters are read in blocks, so that memory depends on their width and not on their height.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sunbreak.errors import InputError
from sunbreak.evaluation.blocks import BlockReader, Picture, blocks_of
from sunbreak.evaluation.comparison_page import Comparison, Row, write_comparison_page
from sunbreak.evaluation.other_dates import Baselines, GivenDates, open_baselines
from sunbreak.events import Reporter
from sunbreak.extras import require
from sunbreak.jobs.result import Result, provenance_of, report
from sunbreak.layers import roles
from sunbreak.layers.output import LayerSet
from sunbreak.metrics.blockwise import METRICS, Blockwise, Figures, Region
from sunbreak.metrics.temporal_fills import FILLS
from sunbreak.scene import Scene
from sunbreak.tables import CsvTable

_PAGE, _TABLE = "comparison.html", "comparison.csv"


@dataclass(frozen=True)
class ComparisonResult(Result):
    """Layers, numbers, and the metrics as rows of a table."""

    rows: tuple[Row, ...]


def compare_rasters(
    predicted: Scene,
    target: Scene,
    directory: Path,
    reporter: Reporter,
    *,
    cloudy: Scene | None = None,
    dates: GivenDates | None = None,
    overwrite: bool = False,
) -> ComparisonResult:
    """Compare a raster with a target; writes the layers `error` and `spectral_angle`, a page and a table.

    Reflectance is clipped to [0, 1], so that the peak of PSNR and SSIM is 1. A pixel counts if it is known in all
    rasters.

    Args:
        predicted: The evaluated raster. If it was opened with a mask, metrics are also given inside and outside of it.
        target: The reference.
        directory: Output folder.
        reporter: Receives progress and messages.
        cloudy: The scene before cleaning; gets the same metrics, as a baseline.
        dates: Other dates; the fills of `cloudy` that they allow get the same metrics, see
            `sunbreak.evaluation.other_dates`.
        overwrite: Replace existing layers.

    Returns:
        Layers by role, and all metrics: ``psnr``, ``psnr_inside``, ``psnr_B04``, ``psnr_inside_B04``, ``cloudy_psnr``
        ``nearest_date_psnr`` ...; values that are not finite are left out.

    Raises:
        InputError: The rasters have different grids or bands (``grids-differ``, ``bands-differ``), or no pixel is known
            in all of them (``all-nodata``); SciPy is not installed (``missing-extra``); and what `open_baselines` says.
        OutputError: Nothing can be written there.
    """
    require("scipy", "evaluation", "Comparing images")
    start = time.monotonic()
    scenes = {"prediction": predicted, "target": target} | ({"cloudy": cloudy} if cloudy else {})
    _check_comparable(list(scenes.values()))
    _say(scenes, reporter)
    regions = ("all", "inside", "outside") if predicted.has_mask else ("all",)
    baselines = open_baselines(predicted, cloudy, target, dates, reporter) if dates else None
    names = [name for name in scenes if name != "target"] + (list(FILLS) if baselines else [])
    judged = {name: Blockwise(len(predicted.bands), regions) for name in names}
    pictures = {name: Picture(scene) for name, scene in scenes.items()}
    outline = Picture(predicted, 1)
    stem = predicted.stem
    with LayerSet(
        directory,
        stem,
        predicted.grid,
        [roles.error(), roles.spectral_angle()],
        provenance=provenance_of(predicted, "comparison", {}, {"target": target.inputs[0].name}),
        inputs=[
            *(path for scene in scenes.values() for path in scene.inputs),
            *(baselines.series.inputs if baselines else ()),
        ],
        overwrite=overwrite,
        acquired=predicted.acquired,
        beside=(_PAGE, _TABLE),
    ) as layers:
        _measure(scenes, baselines, judged, layers, reporter, pictures, outline)
        known = judged["prediction"].pixels("all")
        if not known:
            raise InputError(
                f"{predicted.inputs[0]}: no pixel is known both here and in {target.inputs[0]}.",
                "Compare rasters that hold data at the same place.",
                code="all-nodata",
            )
        rows = _rows(judged, regions, predicted.bands)
        numbers: dict[str, float | str] = {
            key: value for row in rows for key, value in row.numbers() if math.isfinite(value)
        }
        pixels = predicted.grid.height * predicted.grid.width
        numbers["compared_share"] = known / pixels
        if predicted.has_mask:
            numbers["mask_share"] = judged["prediction"].pixels("inside") / known
        if numbers["rmse"] == 0:
            reporter.message("The rasters are identical at all compared pixels: PSNR is infinite and is not given.")
        content = Comparison(
            {name: scene.inputs[0].name for name, scene in scenes.items()},
            predicted.cloud_mask.file.path.name if predicted.cloud_mask else None,
            rows,
            known / pixels,
            _cautions(scenes, rows[0].figures),
            {name: picture.values for name, picture in pictures.items()},
            outline.values[0] > 0 if predicted.has_mask else None,
            baselines.described if baselines else None,
        )

        def write_beside(folder: Path, files: Mapping[str, Path]) -> None:
            write_comparison_page(folder / f"{stem}_{_PAGE}", content, layers.specs, files)
            _write_table(folder / f"{stem}_{_TABLE}", rows)

        for text in content.cautions:
            reporter.message(text, "warning")
        paths = layers.finish(beside=write_beside, checkpoint=reporter.checkpoint)
    numbers |= {"report": str(layers.path_beside(_PAGE)), "table": str(layers.path_beside(_TABLE))}
    done = report(paths, numbers | {"seconds": time.monotonic() - start}, reporter)
    return ComparisonResult(done.layers, done.numbers, tuple(rows))


def _measure(
    scenes: Mapping[str, Scene],
    baselines: Baselines | None,
    judged: Mapping[str, Blockwise],
    layers: LayerSet,
    reporter: Reporter,
    pictures: Mapping[str, Picture],
    outline: Picture,
) -> None:
    """Measure all blocks. The next block is read while one is measured."""
    grid = scenes["prediction"].grid
    blocks = list(blocks_of(grid.height, grid.width))
    strips = {role: np.full((0, 0), np.nan, np.float32) for role in ("error", "spectral_angle")}
    with BlockReader(scenes, baselines) as reading:
        waiting = reading.start(blocks[0])
        for number, block in enumerate(blocks):
            reporter.checkpoint()
            pixels = waiting.result()
            if number + 1 < len(blocks):
                waiting = reading.start(blocks[number + 1])
            rows, columns = block.core
            shape = rows.stop - rows.start, columns.stop - columns.start
            truth = pixels.images["target"]
            regions: dict[str, Region] = {"all": np.ones(shape, np.bool_)}
            if pixels.inside is not None:
                regions |= {"inside": pixels.inside, "outside": ~pixels.inside}
                outline.add(block, pixels.inside[None].astype(np.float32))
            for name, sums in judged.items():
                maps = sums.add(pixels.images[name], truth, block.core, regions, block.patches)
                if name == "prediction":
                    if block.column == 0:
                        strips = {role: np.empty((shape[0], grid.width), np.float32) for role in strips}
                    place = slice(block.column, block.column + shape[1])
                    strips["error"][:, place], strips["spectral_angle"][:, place] = maps.error, maps.angle
            for name, picture in pictures.items():
                picture.add(block, pixels.images[name][:, rows, columns])
            if block.column + shape[1] == grid.width:
                for role, values in strips.items():
                    layers.write(role, block.row, values[None])
            reporter.progress(number + 1, len(blocks), "blocks")


def _rows(judged: Mapping[str, Blockwise], regions: tuple[str, ...], bands: tuple[str, ...]) -> list[Row]:
    """The metrics: first over all bands, then of each band."""
    together = [
        Row(name, region, "", sums.pixels(region), sums.figures(region))
        for name, sums in judged.items()
        for region in regions
    ]
    single = [
        Row(name, region, band, sums.pixels(region), figures)
        for name, sums in judged.items()
        for region in regions
        for band, figures in zip(bands, sums.band_figures(region), strict=True)
    ]
    return together + single


def _write_table(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = CsvTable(file)
        table.row(["raster", "region", "band", "pixels", *METRICS])
        for row in rows:
            figures = [row.figures.get(name, math.nan) for name in METRICS]
            table.row(
                [row.raster, row.region, row.band, row.pixels, *("" if math.isnan(v) else f"{v:.6g}" for v in figures)]
            )


def _check_comparable(scenes: list[Scene]) -> None:
    first = scenes[0]
    for scene in scenes[1:]:
        name, other = scene.inputs[0], first.inputs[0]
        difference = _difference(first, scene)
        if difference:
            raise InputError(
                f"{name} is not on the grid of {other}: {difference}.",
                "Warp or clip one of them to the grid of the other first (in QGIS: Raster > Projections > Warp).",
                code="grids-differ",
            )
        if scene.bands != first.bands:
            only = [f"{band} only in {path.name}" for path, one, two in (
                (other, first.bands, scene.bands), (name, scene.bands, first.bands)
            ) for band in one if band not in two]  # fmt: skip
            raise InputError(
                f"{name} has {len(scene.bands)} bands and {other} has {len(first.bands)}: {', '.join(only)}.",
                "Compare rasters with the same bands.",
                code="bands-differ",
            )


def _difference(one: Scene, two: Scene) -> str:
    """The difference between the grids of two scenes as text; empty if they are equal."""
    a, b = one.grid, two.grid
    if a.crs != b.crs:
        return f"it is in {b.crs.to_string()[:40]}, the other in {a.crs.to_string()[:40]}"
    if a.shape != b.shape:
        return f"it has {b.width} x {b.height} pixels, the other {a.width} x {a.height}"
    if not np.allclose(a.pixel_size, b.pixel_size, rtol=1e-6):
        return f"its pixels are {b.pixel_size[0]:g} wide, those of the other {a.pixel_size[0]:g}"
    slack = 0.01 * max(a.pixel_size)
    shift = b.transform.c - a.transform.c, b.transform.f - a.transform.f
    if max(map(abs, shift)) > slack:
        return f"it is shifted {shift[0]:+g} east and {shift[1]:+g} north"
    return "" if a.transform.almost_equals(b.transform, slack) else "its rows or columns have another direction"


def _say(scenes: Mapping[str, Scene], reporter: Reporter) -> None:
    for scene in scenes.values():
        for text in scene.notes:
            reporter.message(f"{scene.stem}: {text}")
        for text in scene.warnings:
            reporter.message(f"{scene.stem}: {text}", "warning")


def _cautions(scenes: Mapping[str, Scene], figures: Figures) -> list[str]:
    """Warnings about conditions that distort the metrics."""
    found = []
    first = scenes["prediction"]
    for scene in list(scenes.values())[1:]:
        if first.level and scene.level and scene.level != first.level:
            found.append(
                f"{scene.stem} is {scene.level} and {first.stem} {first.level}: the atmosphere counts as error."
            )
        if first.acquired and scene.acquired and first.acquired.date() != scene.acquired.date():
            days = abs((scene.acquired.date() - first.acquired.date()).days)
            found.append(f"{scene.stem} was acquired {days} days apart: changes on the ground count as error.")
    if abs(abs(figures["bias"]) - 0.1) < 0.01:
        found.append(
            f"The mean difference is {figures['bias']:+.3f}, close to the offset of newer products (-1000 DN): it may "
            "have been removed from only one raster (--s2-offset)."
        )
    return found
