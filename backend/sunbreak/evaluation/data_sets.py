"""Evaluation of a removal model on a data set: every patch is cleaned as by `sunbreak clean` and compared.

One patch is in memory at a time. Its metrics are written before the next patch starts, so that a stopped evaluation
resumes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

from sunbreak import __version__
from sunbreak.clouds import CloudSettings
from sunbreak.clouds.choice import choose
from sunbreak.clouds.classes import replaced
from sunbreak.clouds.detector import CloudDetector, detect_in
from sunbreak.clouds.margins import Margins
from sunbreak.clouds.registry import detector
from sunbreak.datasets.reading import opened, raster_shape, read_raster
from sunbreak.defaults import CLOUD_DETECTOR, REFERENCE_DETECTOR
from sunbreak.drafts import scratch_folder, write_json
from sunbreak.engine.run import run_task
from sunbreak.engine.runtime import DeviceName, Runtime, RuntimeName, make_runtime
from sunbreak.errors import InputError
from sunbreak.evaluation.data_set_items import Item
from sunbreak.evaluation.patch_table import (
    CLEANED,
    CLOUDY,
    KEPT,
    MEAN,
    NEAREST,
    REGIONS,
    TABLE,
    Figures,
    append,
    begin,
    written,
)
from sunbreak.events import Reporter
from sunbreak.layers.roles import SCALE
from sunbreak.metrics import calibration, detail, image
from sunbreak.metrics.fills import mean_fill, nearest_fill
from sunbreak.models.registry import ModelFiles, check_weights
from sunbreak.outputs import check_files
from sunbreak.removal.task import DEFAULT_BUFFER, DEFAULT_FEATHER, CloudRemoval
from sunbreak.scene import S2_BANDS, Scene

SUMMARY = "summary.json"
_DN = np.float32(10000)
Image = NDArray[np.float32]


@dataclass(frozen=True)
class Evaluation:
    """The result of an evaluation.

    Attributes:
        figures: Method to means over the patches in which a metric is defined, and the number of these patches if not
            all (``psnr_cloud_images``).
        patches: Number of patches.
        table: Metrics of each patch and method.
        summary: The means as JSON.
    """

    figures: Mapping[str, Figures]
    patches: int
    table: Path
    summary: Path


def evaluate_dataset(
    items: Sequence[Item],
    files: ModelFiles,
    directory: Path,
    reporter: Reporter,
    *,
    device: DeviceName = "auto",
    runtime: RuntimeName = "auto",
    replace_all: bool = False,
    overwrite: bool = False,
) -> Evaluation:
    """Clean every patch and compare it with its clear image, and with baselines that need no network.

    Inside clouds is where s2cloudless detects clouds at 10 m. Outside is what cleaning does not change: pixels more
    than 4 pixels away from the clouds and shadows that the default detector finds. Metrics of sigma are those of
    the replaced pixels inside clouds.

    Args:
        items: The patches.
        files: The model.
        directory: Folder of table and summary; finished patches of the same evaluation are not computed again.
        reporter: Receives the progress; may cancel.
        device: Device of the network.
        runtime: Runtime of the network.
        replace_all: Whether clear pixels are replaced too.
        overwrite: Replace the results of another evaluation.

    Raises:
        InputError: No patch can be used.
        OutputError: The folder holds another evaluation, or cannot be written.
        Cancelled: The caller asked to stop; finished patches are kept.
    """
    check_weights(files)
    card = files.card
    table = directory / TABLE
    key = f"evaluation 3 {__version__} {card.name} {card.digest} {replace_all}"
    summary = directory / SUMMARY
    # the summary of this evaluation has its table beside it
    check_files([summary, table], overwrite=overwrite or table.is_file())
    done = begin(table, key, overwrite)
    network: Runtime | None = None
    clouds = detector(REFERENCE_DETECTOR, CloudSettings(factor=1))
    skipped: list[str] = []
    used = []
    for number, item in enumerate(items):
        reporter.checkpoint()
        reporter.progress(number, len(items), "patches")
        try:
            stamped = item.key
            if (item.name, stamped) not in done:
                network = network or make_runtime(files, device, runtime)
                done[item.name, stamped] = figures = _judge(item, files, network, clouds, replace_all)
                append(table, item.name, stamped, figures)
            used.append((item.name, stamped))
        except InputError as error:
            skipped.append(error.message)
    reporter.progress(len(items), len(items), "patches")
    if skipped:
        reporter.message(f"{len(skipped)} unusable patches are left out, such as: {skipped[0]}", "warning")
    if not used:
        raise InputError(f"None of {len(items)} patches can be used: {skipped[0]}", code="no-samples")
    means = mean_figures([done[one] for one in used])
    with written(summary):
        facts = {"model": card.name, "sha256": card.sha256, "replace_all": replace_all, "patches": len(used)}
        write_json(summary, {**facts, "skipped": skipped, "means": means}, indent=1)
    return Evaluation(means, len(used), table, summary)


def mean_figures(patches: Sequence[Mapping[str, Figures]]) -> dict[str, Figures]:
    """Means over the patches in which a metric is finite, and the number of these patches if not all."""
    means: dict[str, Figures] = {}
    for method in dict.fromkeys(method for figures in patches for method in figures):
        rows = [figures[method] for figures in patches if method in figures]
        own = means.setdefault(method, {})
        for metric in dict.fromkeys(metric for row in rows for metric in row):
            values = [row[metric] for row in rows if math.isfinite(row.get(metric, math.nan))]
            if values:
                own[metric] = float(np.mean(values))
            if len(values) < len(patches):
                own[f"{metric}_images"] = len(values)
    return means


def _judge(
    item: Item, files: ModelFiles, network: Runtime, clouds: CloudDetector, replace_all: bool
) -> dict[str, Figures]:
    """Metrics of one patch by method."""
    clear = read_raster(item.clear, len(S2_BANDS))
    shape = raster_shape(item.cloudy, len(S2_BANDS))
    if clear.shape[1:] != shape:
        raise InputError(f"{item.clear}: has another size than {item.cloudy.name}.", code="unreadable")
    layers = _clean(item, files, network, replace_all)
    cloudy, target, cleaned = (
        np.clip(part, 0, _DN).astype(np.float32) / _DN for part in (layers["raw"], clear, layers["cleaned"])
    )
    mask = replaced(detect_in(clouds, cloudy).classes)
    inside, outside = mask, layers["cloud_mask"][0] == 0
    candidates = {
        CLEANED: cleaned,
        CLOUDY: cloudy,
        NEAREST: nearest_fill(cloudy, mask),
        MEAN: mean_fill(cloudy, mask),
    }
    results = {name: _figures(candidate, target, inside, outside) for name, candidate in candidates.items()}
    # elsewhere the pixel is the observed one and has no sigma
    replaced_there = inside & (layers["reconstructed"][0] > 0)
    if "uncertainty" in layers and replaced_there.any():
        sigma = np.maximum(layers["uncertainty"][:, replaced_there] * np.float32(SCALE), np.float32(SCALE))
        results[CLEANED] |= _about_sigma((target - cleaned)[:, replaced_there], sigma)
    return results


def _figures(candidate: Image, target: Image, inside: NDArray[np.bool_], outside: NDArray[np.bool_]) -> Figures:
    similarity, angles = image.ssim_map(candidate, target), image.spectral_angles(candidate, target)
    figures: Figures = {}
    for region, part in zip(REGIONS, (np.ones_like(inside), inside, outside), strict=True):
        if not part.any():
            continue
        figures |= {
            f"psnr{region}": image.psnr(candidate, target, part),
            f"ssim{region}": _finite_mean(similarity[:, part]),
            f"sam{region}": _finite_mean(angles[part]),
            f"rmse{region}": image.rmse(candidate, target, part),
            f"mae{region}": image.mae(candidate, target, part),
            f"detail{region}": detail.gradient_ratio(candidate, target, part),
            f"correlation{region}": detail.luminance_correlation(candidate, target, part),
        }
    return figures


def _about_sigma(error: Image, sigma: Image) -> Figures:
    shares, kept = calibration.sparsification(error, sigma)
    figures = {
        "coverage_68": calibration.coverage(error, sigma, 1),
        "coverage_95": calibration.coverage(error, sigma),
        "sparsification": calibration.sparsification_area(error, sigma),
    }
    for share in KEPT:
        figures[f"rmse_{share}"] = float(kept[int(np.argmin(np.abs(shares - (1 - share / 100))))])
    return figures


def _clean(item: Item, files: ModelFiles, network: Runtime, replace_all: bool) -> dict[str, NDArray[Any]]:
    """The layers of `sunbreak clean` with default settings, and the stored values of the input."""
    card = files.card
    with scratch_folder() as place:
        radar = item.s1 if card.uses_radar else None
        scene = Scene.open(
            _located(item.cloudy, place), _located(radar, place) if radar else None,
            s2_unit="dn", s2_offset=0.0, s1_unit="db", s2_bands=S2_BANDS,
        )  # fmt: skip
        with scene.reader() as reader:
            block = reader.s2(scene.grid.window)
        chosen = choose(CLOUD_DETECTOR, CloudSettings(), scene).detector or detector(REFERENCE_DETECTOR)
        mask = detect_in(chosen, block.reflectance()).classes
        task = CloudRemoval(
            scene,
            card,
            lambda _, first, stop: mask[first:stop],
            DEFAULT_FEATHER,
            Margins.all(DEFAULT_BUFFER),
            replace_all=replace_all,
        )
        task.look_around()
        layers: dict[str, NDArray[Any]] = {"raw": block.raw}

        def write(role: str, row: int, values: NDArray[Any]) -> None:
            whole = layers.setdefault(role, np.zeros((len(values), *scene.grid.shape), values.dtype))
            whole[:, row : row + values.shape[1]] = values

        run_task(task, scene, network, write, Reporter())
    return layers


def _located(path: Path, folder: Path) -> Path:
    """The file itself, or a georeferenced copy: patches of some data sets have no georeference."""
    with opened(path) as source:
        if source.crs is not None:
            return path
        copy = folder / path.name
        profile = {
            "driver": "GTiff", "count": source.count, "height": source.height, "width": source.width,
            "dtype": source.dtypes[0], "nodata": source.nodata, "crs": "EPSG:32631",
            "transform": from_origin(500_000, 5_000_000, 10, 10),
        }  # fmt: skip
        with rasterio.open(copy, "w", **profile) as target:
            target.write(source.read())
    return copy


def _finite_mean(values: NDArray[np.float64]) -> float:
    known = np.isfinite(values)
    return float(values[known].mean()) if known.any() else math.nan
