"""Comparison of a cleaned raster with a clear one: metrics per 256 px patch, then their means, as in the literature.

Memory does not depend on the size of the scene: one patch is read at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.clouds.classes import replaced
from sunbreak.clouds.given_masks import given_classes
from sunbreak.errors import InputError
from sunbreak.evaluation.other_dates import TITLES, BaselineReader, GivenDates, open_baselines
from sunbreak.events import Reporter
from sunbreak.extras import require
from sunbreak.metrics import detail, image
from sunbreak.scene import Scene, SceneReader
from sunbreak.scene.mask_codings import CodingOption
from sunbreak.sources import raster_at

PATCH = 256

Image = NDArray[np.float32]
Figures = dict[str, float]


def compare(
    predicted: Path,
    target: Path,
    *,
    cloudy: Path | None = None,
    mask: Path | None = None,
    mask_coding: CodingOption = "auto",
    sigma: Path | None = None,
    dates: GivenDates | None = None,
    reporter: Reporter | None = None,
) -> dict[str, Figures]:
    """Metrics of a cleaned raster: overall, inside clouds and outside clouds.

    Args:
        predicted: The cleaned scene.
        target: The clear scene on the same grid.
        cloudy: The scene before cleaning; gives the same metrics for it, and for a fill with the mean colour.
        mask: Cloud mask.
        mask_coding: What the values of `mask` stand for.
        sigma: The uncertainty layer; gives the coverage of its intervals inside clouds.
        dates: Other dates; gives the same metrics for the fills of the cloudy scene that they allow, see
            `sunbreak.evaluation.other_dates`.
        reporter: Receives messages about the other dates; may cancel.

    Returns:
        By name of the row: psnr (dB), ssim, sam (degrees), rmse, mae, detail, and where there is a mask psnr_cloud and
        psnr_clear. Means over the patches in which they are defined.

    Raises:
        InputError: The grids or bands differ, or SciPy is not installed (``missing-extra``); and what `open_baselines`
            says.
    """
    require("scipy", "evaluation", "Comparing images")
    scenes = {"cleaned": Scene.open(predicted, mask=mask, mask_coding=mask_coding), "target": Scene.open(target)}
    if cloudy is not None:
        scenes["cloudy"] = Scene.open(cloudy)
    _check_same(scenes)
    rows: dict[str, list[Figures]] = {}
    coverage: list[Figures] = []
    baselines = None
    if dates:
        opened = open_baselines(scenes["cleaned"], scenes.get("cloudy"), scenes["target"], dates, reporter)
        baselines = opened.reader
    for window, images, clouds, fills in _patches(scenes, baselines):
        truth = images["target"]
        known: NDArray[np.bool_] = np.isfinite(np.concatenate([truth, images["cleaned"]])).all(axis=0)
        if not known.any():
            continue
        candidates = {"cleaned": images["cleaned"]}
        if "cloudy" in images:
            candidates["cloudy image"] = images["cloudy"]
            if clouds is not None and (clouds & known).any() and (~clouds & known).any():
                mean = images["cloudy"][:, ~clouds & known].mean(axis=1)
                candidates["mean colour in clouds"] = np.where(clouds, mean[:, None, None], images["cloudy"])
        candidates |= {TITLES[name]: filled for name, filled in fills.items()}
        for name, candidate in candidates.items():
            rows.setdefault(name, []).append(_figures(candidate, truth, known, clouds))
        if sigma is not None and clouds is not None and (clouds & known).any():
            inside = clouds & known
            z = np.abs(images["cleaned"] - truth)[:, inside] / np.maximum(_sigma(sigma, window)[:, inside], 1e-6)
            coverage.append({"68 %": float((z < 1).mean()), "95 %": float((z < 1.96).mean())})
    if not rows:
        raise InputError(f"{predicted}: no pixel is known both here and in {target}.", code="all-nodata")
    results = {name: mean_figures(figures) for name, figures in rows.items()}
    if coverage:
        results["coverage in clouds"] = mean_figures(coverage)
    return results


def _figures(candidate: Image, truth: Image, known: NDArray[np.bool_], clouds: NDArray[np.bool_] | None) -> Figures:
    candidate = np.where(known, np.clip(candidate, 0, 1), truth)
    figures = {
        "psnr": image.psnr(candidate, truth, mask=known),
        "ssim": image.ssim(candidate, truth),
        "sam": image.sam_degrees(candidate, truth, mask=known),
        "rmse": image.rmse(candidate, truth, mask=known),
        "mae": image.mae(candidate, truth, mask=known),
        "detail": detail.gradient_ratio(candidate, truth),
    }
    if clouds is not None:
        for name, part in (("psnr_cloud", clouds & known), ("psnr_clear", ~clouds & known)):
            if part.any():
                figures[name] = image.psnr(candidate, truth, mask=part)
    return figures


def _patches(
    scenes: dict[str, Scene], baselines: Callable[[], BaselineReader] | None
) -> Iterator[tuple[Window, dict[str, Image], NDArray[np.bool_] | None, dict[str, Image]]]:
    """Window, images, clouds, and the fills of the cloudy scene."""
    first = scenes["cleaned"]
    height, width = first.grid.shape
    with ExitStack() as opened:
        readers: dict[str, SceneReader] = {name: opened.enter_context(scene.reader()) for name, scene in scenes.items()}
        dates = opened.enter_context(baselines()) if baselines else None
        for row in range(0, height, PATCH):
            for col in range(0, width, PATCH):
                window = Window(col, row, min(PATCH, width - col), min(PATCH, height - row))
                images = {name: reader.s2(window, first.bands).reflectance() for name, reader in readers.items()}
                images = {name: np.clip(values, 0, 1) for name, values in images.items()}
                clouds = replaced(given_classes(readers["cleaned"], window)) if first.has_mask else None
                fills: dict[str, Image] = {}
                if dates is not None and clouds is not None:
                    fills = dates.fill(window, images["cloudy"], clouds)
                yield window, images, clouds, fills


def _sigma(path: Path, window: Window) -> Image:
    raster = raster_at(path)
    with raster.open() as source, raster.reading():
        raw = source.read(window=window).astype(np.float32)
        raw[raw == source.nodata] = np.nan
        return raw * np.float32(source.scales[0])  # type: ignore[no-any-return]


def _check_same(scenes: dict[str, Scene]) -> None:
    first = scenes["cleaned"]
    for scene in scenes.values():
        grid = scene.grid
        same_place = grid.crs == first.grid.crs and grid.transform.almost_equals(first.grid.transform, 1e-6)
        if grid.shape != first.grid.shape or not same_place:
            raise InputError(
                f"{scene.inputs[0]} is not on the grid of {first.inputs[0]}.",
                "Compare rasters with the same size, origin and CRS.",
                code="grids-differ",
            )
        missing = [band for band in first.bands if band not in scene.bands]
        if missing:
            raise InputError(
                f"{scene.stack.title} has no {scene.stack.lacking(missing)}.",
                "Compare the same bands.",
                code="bands-missing",
            )


def mean_figures(rows: list[Figures]) -> Figures:
    """Mean of each metric over the rows in which it is finite; NaN if there are none."""
    keys = dict.fromkeys(key for row in rows for key in row)
    result: Figures = {}
    for key in keys:
        values: Any = np.array([row[key] for row in rows if key in row and np.isfinite(row[key])])
        result[key] = float(values.mean()) if values.size else float("nan")
    return result
