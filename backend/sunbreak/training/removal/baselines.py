"""What a removal network is worth on pairs whose clear image is known, beside fills that need no network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.clouds import CloudSettings
from sunbreak.clouds.classes import replaced
from sunbreak.clouds.detector import detect_in
from sunbreak.clouds.registry import detector
from sunbreak.engine.runtime import Runtime
from sunbreak.errors import InputError
from sunbreak.metrics import calibration, detail, image
from sunbreak.metrics.fills import mean_fill, nearest_fill
from sunbreak.removal.task import DEFAULT_BUFFER, DEFAULT_FEATHER, feathered, grown
from sunbreak.sources.gdal import open_dataset
from sunbreak.training.removal.samples import Sample, network_input

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
        InputError: There is none.
    """
    samples = []
    for clear in sorted(folder.glob("*_s2.tif")):
        stem = clear.name.removesuffix("_s2.tif")
        parts = []
        for path in (folder / f"{stem}_s1.tif", clear, folder / f"{stem}_s2_cloudy.tif"):
            with open_dataset(path) as source:
                parts.append(source.read())
        samples.append(Sample(stem, *parts))
    if not samples:
        raise InputError(f"{folder}: no <id>_s2.tif with <id>_s1.tif and <id>_s2_cloudy.tif.", code="no-samples")
    return samples


def predict(runtime: Runtime, samples: Sequence[Sample], prior: Sequence[float] = ()) -> list[tuple[Image, Image]]:
    """Mean and variance of whole samples, each (13, row, column).

    Args:
        runtime: The network.
        samples: With their masks, if the network is guided.
        prior: Spectrum of a guided network; empty for one without a guide.
    """
    results = []
    for sample in samples:
        runtime.submit({"x": network_input(sample.s1, sample.cloudy, sample.hidden, prior)[None]})
        mean, variance = runtime.collect()
        results.append((mean[0], variance[0]))
    return results


def evaluate(
    samples: Sequence[Sample], predictions: Sequence[tuple[Image, Image]], sigma_factor: Image
) -> dict[str, Any]:
    """Figures of merit, means over the samples, by method.

    Methods: the cloudy image itself; clouds filled with the nearest clear pixel, and with the mean of the clear pixels;
    the raw prediction; the prediction inside the mask; and the default of `sunbreak clean`, which grows the mask first.
    The mask is s2cloudless at 10 m.

    Args:
        samples: Pairs whose truth is known.
        predictions: Mean and variance of each.
        sigma_factor: (13,) calibration factor of sigma.

    Returns:
        Figures by method: psnr (dB), ssim, sam (degrees), psnr_in_cloud, for the raw prediction also the ratio of its
        gradients to the truth's outside of the grown mask; for the prediction inside clouds the share of values within
        the 68 and 95 % interval, and the number of images in which it is better there than the mean of clear pixels.
    """
    clouds = detector(settings=CloudSettings(factor=1))
    rows: dict[str, list[dict[str, float]]] = {}
    inside: list[tuple[float, float]] = []
    for sample, (mean, variance) in zip(samples, predictions, strict=True):
        cloudy, target = reflectance(sample)
        mask = replaced(detect_in(clouds, cloudy).classes)
        share, wider = feathered(mask, _FEATHER), feathered(grown(mask, DEFAULT_BUFFER), _FEATHER)
        results = {
            "cloudy image": cloudy,
            "nearest clear pixel": nearest_fill(cloudy, mask),
            _MEAN: mean_fill(cloudy, mask),
            _RAW: mean,
            "network, clear pixels kept": cloudy + share * (mean - cloudy),
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
            if name == _RAW and not (grown(mask, DEFAULT_BUFFER)).all():
                figures["detail_outside"] = detail.gradient_ratio(result, target, ~grown(mask, DEFAULT_BUFFER))
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
    """The same network's figures with the default of `sunbreak clean` where no radar is given."""
    blind = [replace(sample, s1=None) for sample in samples]
    figures = evaluate(blind, predict(runtime, blind, prior), sigma_factor)
    return {f"{_DEFAULT}, without radar": figures[_DEFAULT]}


def temperature(samples: Sequence[Sample], predictions: Sequence[tuple[Image, Image]]) -> Image:
    """Factor on sigma per band (13,), fitted where the prediction is used, or clouds or shadows changed the image.

    Errors go together within a scene, whose two dates differ in the same way all over it. So n scenes are n
    observations of how wrong the next one will be: as with a mean of n values, its spread is wider by sqrt(1 + 1/n).
    """
    errors, sigmas = [], []
    for sample, (mean, variance) in zip(samples, predictions, strict=True):
        cloudy, target = reflectance(sample)
        changed = np.abs(cloudy - target).mean(axis=0) > 0.01 if sample.hidden is None else sample.hidden
        errors.append((target - mean)[:, changed])
        sigmas.append(np.sqrt(variance[:, changed]))
    factor = calibration.temperature(np.concatenate(errors, axis=1), np.concatenate(sigmas, axis=1))
    return np.asarray(factor * np.sqrt(1 + 1 / scenes(samples)), np.float32)


def scenes(samples: Sequence[Sample]) -> int:
    """From how many scenes they come, by their names: patches of one are told apart by an ending such as _p30."""
    return len({_PATCH.sub("", sample.name) for sample in samples})


def reflectance(sample: Sample) -> tuple[Image, Image]:
    """The cloudy and the clear image on [0, 1]."""
    cloudy, clear = (
        np.clip(part, 0, 10000).astype(np.float32) / np.float32(10000) for part in (sample.cloudy, sample.clear)
    )
    return cloudy, clear


def _mean(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Means over the images in which a figure is finite; how many that are is said where it is not all of them.

    The PSNR of an image that is already perfect is infinite, and there is none inside clouds where there are no clouds.
    """
    means: dict[str, float] = {}
    for key in sorted({key for row in rows for key in row}):
        values = [row[key] for row in rows if key in row and np.isfinite(row[key])]
        if values:
            means[key] = float(np.mean(values))
        if len(values) < len(rows):
            means[f"{key}_images"] = len(values)
    return means
