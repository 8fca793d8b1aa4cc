"""Measures a removal network on pairs with a known clear image, and compares it with simple fills as baselines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import RasterioError

from sunbreak.clouds import CloudSettings
from sunbreak.clouds.classes import replaced
from sunbreak.clouds.detector import detect_in
from sunbreak.clouds.registry import detector
from sunbreak.defaults import REFERENCE_DETECTOR
from sunbreak.engine.runtime import Runtime
from sunbreak.errors import InputError
from sunbreak.metrics import calibration, detail, image
from sunbreak.metrics.fills import mean_fill, nearest_fill
from sunbreak.removal.edges import dilated, feathered
from sunbreak.removal.task import DEFAULT_BUFFER, DEFAULT_FEATHER
from sunbreak.sources.gdal import open_dataset
from sunbreak.training.removal.network_batches import network_input
from sunbreak.training.removal.samples import Sample

__all__ = [
    "evaluate",
    "predict",
    "reflectance",
    "temperature",
    "triplets",
    "without_radar",
]

_FEATHER = DEFAULT_FEATHER
_RAW, _MEAN, _DEFAULT = "network, every pixel", "mean of clear pixels", "network, default of clean"
_PATCH = re.compile(r"_p\d+$")
Image = NDArray[np.float32]


def triplets(folder: Path) -> list[Sample]:
    """Samples stored as `<id>_s1.tif`, `<id>_s2_cloudy.tif` and `<id>_s2.tif`.

    Raises:
        InputError: There are no such files.
    """
    samples = []
    for clear in sorted(folder.glob("*_s2.tif")):
        stem = clear.name.removesuffix("_s2.tif")
        parts = []
        for path in (folder / f"{stem}_s1.tif", clear, folder / f"{stem}_s2_cloudy.tif"):
            try:
                with open_dataset(path) as source:
                    parts.append(source.read())
            except RasterioError as error:
                raise InputError(f"{path}: cannot be read ({error}).", "Fetch it again.", code="unreadable") from error
        samples.append(Sample(stem, *parts))
    if not samples:
        raise InputError(f"{folder}: no <id>_s2.tif with <id>_s1.tif and <id>_s2_cloudy.tif.", code="no-samples")
    return samples


def predict(runtime: Runtime, samples: Sequence[Sample], prior: Sequence[float] = ()) -> list[tuple[Image, Image]]:
    """Mean and variance of whole samples, each (13, row, column).

    Args:
        runtime: The network.
        samples: Samples, with masks if the network is guided.
        prior: Prior of a guided network; empty for a network without a guide.
    """
    results = []
    for sample in samples:
        runtime.submit({"x": network_input(sample.s1, sample.cloudy, sample.hidden, prior, sample.opaque)[None]})
        mean, variance = runtime.collect()
        results.append((mean[0], variance[0]))
    return results


def evaluate(
    samples: Sequence[Sample], predictions: Sequence[tuple[Image, Image]], sigma_factor: Image
) -> dict[str, Any]:
    """Figures of merit by method, as means over the samples.

    Methods: the cloudy image; clouds filled with the nearest clear pixel; clouds filled with the mean of the clear
    pixels; the raw prediction; the prediction inside the cloud mask; and the default of `sunbreak clean`, which dilates
    the mask first. The mask is s2cloudless at 10 m.

    Args:
        samples: Pairs with a known clear image.
        predictions: Mean and variance of each sample.
        sigma_factor: (13,) calibration factor of sigma.

    Returns:
        Figures by method: psnr (dB), ssim, sam (degrees) and psnr_in_cloud. The raw prediction also has its gradient
        ratio to the truth outside the dilated mask. In addition, for the prediction inside clouds: the fraction of
        values within the 68 and 95 % intervals, and the number of images in which it is better than the mean of the
        clear pixels.
    """
    clouds = detector(REFERENCE_DETECTOR, CloudSettings(factor=1))
    rows: dict[str, list[dict[str, float]]] = {}
    inside: list[tuple[float, float]] = []
    for sample, (mean, variance) in zip(samples, predictions, strict=True):
        cloudy, target = reflectance(sample)
        mask = replaced(detect_in(clouds, cloudy).classes)
        fraction, wider = feathered(mask, _FEATHER), feathered(dilated(mask, DEFAULT_BUFFER), _FEATHER)
        results = {
            "cloudy image": cloudy,
            "nearest clear pixel": nearest_fill(cloudy, mask),
            _MEAN: mean_fill(cloudy, mask),
            _RAW: mean,
            "network, clear pixels kept": cloudy + fraction * (mean - cloudy),
            _DEFAULT: cloudy + wider * (mean - cloudy),
        }
        for name, result in results.items():
            figures = {
                "psnr": image.psnr(result, target),
                "ssim": image.ssim(result, target),
                "sam": image.sam_degrees(result, target),
            }
            if mask.any():
                figures["psnr_in_cloud"] = image.psnr(result, target, mask)
            if name == _RAW and not (dilated(mask, DEFAULT_BUFFER)).all():
                figures["detail_outside"] = detail.gradient_ratio(result, target, ~dilated(mask, DEFAULT_BUFFER))
            rows.setdefault(name, []).append(figures)
        if mask.any():
            error = (target - mean)[:, mask]
            sigma = np.sqrt(variance[:, mask]) * sigma_factor[:, None]
            inside.append((calibration.coverage(error, sigma, 1), calibration.coverage(error, sigma)))
    means = {name: _mean(values) for name, values in rows.items()}
    coverage = np.mean(inside, axis=0) if inside else (float("nan"),) * 2
    inner = "psnr_in_cloud"
    pairs = [(a[inner], b[inner]) for a, b in zip(rows[_DEFAULT], rows[_MEAN], strict=True) if inner in a]
    return {
        **means,
        "coverage in cloud": {"68 %": float(coverage[0]), "95 %": float(coverage[1])},
        "better than the mean of clear pixels inside clouds": {
            "images": sum(ours > fill for ours, fill in pairs),
            "of": len(pairs),
        },
    }


def without_radar(
    runtime: Runtime, samples: Sequence[Sample], sigma_factor: Image, prior: Sequence[float]
) -> dict[str, Any]:
    """Figures of the same network without radar, with the default of `sunbreak clean`."""
    no_radar = [replace(sample, s1=None) for sample in samples]
    figures = evaluate(no_radar, predict(runtime, no_radar, prior), sigma_factor)
    return {f"{_DEFAULT}, without radar": figures[_DEFAULT]}


def temperature(samples: Sequence[Sample], predictions: Sequence[tuple[Image, Image]]) -> Image:
    """Calibration factor of sigma per band (13,), fitted on the hidden pixels: 95 % lie within 1.96 sigma.

    Without a mask, it is fitted where clouds or shadows changed the image. Errors within a scene are correlated,
    because its two dates differ in the same way everywhere. So n scenes are n observations, and the prediction
    interval for the next scene is wider by sqrt(1 + 1/n), as for a mean of n values.
    """
    errors, sigmas = [], []
    for sample, (mean, variance) in zip(samples, predictions, strict=True):
        cloudy, target = reflectance(sample)
        changed = np.abs(cloudy - target).mean(axis=0) > 0.01 if sample.hidden is None else sample.hidden
        errors.append((target - mean)[:, changed])
        sigmas.append(np.sqrt(variance[:, changed]))
    factor = calibration.interval_factor(np.concatenate(errors, axis=1), np.concatenate(sigmas, axis=1))
    return np.asarray(factor * np.sqrt(1 + 1 / scenes(samples)), np.float32)


def scenes(samples: Sequence[Sample]) -> int:
    """Number of scenes of the samples, by their names: patches of one scene differ in an ending such as _p30."""
    return len({_PATCH.sub("", sample.name) for sample in samples})


def reflectance(sample: Sample) -> tuple[Image, Image]:
    """The cloudy and the clear image on [0, 1]."""
    cloudy, clear = (
        np.clip(part, 0, 10000).astype(np.float32) / np.float32(10000) for part in (sample.cloudy, sample.clear)
    )
    return cloudy, clear


def _mean(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Means over the images with a finite figure. If some images have none, ``<figure>_images`` is their count.

    The PSNR of a perfect image is infinite. An image without clouds has no PSNR inside clouds.
    """
    means: dict[str, float] = {}
    for key in sorted({key for row in rows for key in row}):
        values = [row[key] for row in rows if key in row and np.isfinite(row[key])]
        if values:
            means[key] = float(np.mean(values))
        if len(values) < len(rows):
            means[f"{key}_images"] = len(values)
    return means
