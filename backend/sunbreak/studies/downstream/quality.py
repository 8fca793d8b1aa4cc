"""Image quality of the cleaned images (Table 1), and its correlation with the drop in classification."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from sunbreak.metrics import bootstrap
from sunbreak.metrics.binning import quantile_bins
from sunbreak.metrics.bootstrap import Draws, Estimate
from sunbreak.metrics.classification import confusion, macro, resampled_confusions, softmax
from sunbreak.studies.downstream.table import INPUTS, QUALITY, PatchTable

QUALITY_TITLES = {
    "psnr": "PSNR, dB",
    "ssim": "SSIM",
    "sam": "SAM, degrees",
    "mae": "MAE, reflectance",
    "detail": "Detail ratio",
}
DIGITS = {"psnr": 2, "ssim": 3, "sam": 2, "mae": 4, "detail": 3}
# Hauptvogel, Table 1
PUBLISHED = {
    "Hauptvogel": {"psnr": 28.79, "ssim": 0.884, "sam": 8.10},
    "Ebel et al. 2023": {"psnr": 28.90, "ssim": 0.880, "sam": 8.32},
}
BINS = 10


@dataclass(frozen=True)
class QualityFigure:
    """Mean of a metric over the patches in which it is defined.

    Attributes:
        input: The input that is compared with the clear images.
        figure: psnr (dB), ssim, sam (degrees), mae (reflectance) or detail (gradient ratio; 1 is the detail of the
            clear image).
        mean: The mean with its interval.
        patches: Number of patches in the mean.
        infinite: Number of patches excluded because image and target are identical.
        unknown: Number of patches excluded because the metric is not defined.
    """

    input: str
    figure: str
    mean: Estimate
    patches: int
    infinite: int
    unknown: int


@dataclass(frozen=True)
class Correlation:
    """Spearman's correlation of an image metric with the drop in classification against the clear image.

    Attributes:
        input: The cleaned input.
        figure: The image metric.
        loss: ``true-class probability`` per patch, ``correctness`` per patch, or ``macro F1`` over ten bins of equal
            size.
        rho: The correlation with its interval; negative means that better images lose less (for SAM and MAE: positive).
        points: Number of patches or bins.
    """

    input: str
    figure: str
    loss: str
    rho: Estimate
    points: int


def quality_figures(part: PatchTable, counts: Draws) -> list[QualityFigure]:
    """Means of all image metrics of the table."""
    found = []
    for name in INPUTS:
        for figure in QUALITY:
            if (figure, name) not in part.quality:
                continue
            values = np.asarray(part.quality[figure, name], np.float64)
            found.append(
                QualityFigure(
                    input=name,
                    figure=figure,
                    mean=bootstrap.estimate_mean(values, counts),
                    patches=int(np.isfinite(values).sum()),
                    infinite=int(np.isinf(values).sum()),
                    unknown=int(np.isnan(values).sum()),
                )
            )
    return found


def correlations(part: PatchTable, counts: Draws) -> list[Correlation]:
    """Correlations of all image metrics of the cleaned inputs with three measures of the drop."""
    found = []
    for name in ("removed", "removed_raw"):
        if name not in part.logits:
            continue
        losses = _losses(part, name)
        for figure in QUALITY:
            if (figure, name) not in part.quality:
                continue
            values = np.asarray(part.quality[figure, name], np.float64)
            # identical images have the highest rank
            known = ~np.isnan(values)
            if known.sum() < 2 * BINS:
                continue
            ranked = values[known]
            for loss, lost in losses.items():
                value = float(bootstrap.spearman(ranked, lost[known])[0])
                drawn = bootstrap.spearman(ranked, lost[known], np.ascontiguousarray(counts[:, known]))
                rho = bootstrap.estimate(value, drawn)
                found.append(Correlation(name, figure, loss, rho, int(known.sum())))
            found.append(_by_bins(part, name, figure, values, counts))
    return found


def _losses(part: PatchTable, name: str) -> dict[str, NDArray[np.float64]]:
    rows = np.arange(len(part))
    clear, cleaned = part.logits["clear"], part.logits[name]
    probability = softmax(clear)[rows, part.label] - softmax(cleaned)[rows, part.label]
    right = (clear.argmax(axis=1) == part.label).astype(np.float64)
    return {"true-class probability": probability, "correctness": right - (cleaned.argmax(axis=1) == part.label)}


def _by_bins(part: PatchTable, name: str, figure: str, values: NDArray[Any], counts: Draws) -> Correlation:
    """Correlation between the order of the metric's bins and the drop in macro F1 within them."""
    bins = quantile_bins(values, figure, BINS)
    drops, drawn = np.empty(BINS), np.empty((len(counts), BINS))
    for place in range(BINS):
        inside = bins.index == place
        labels, part_counts = part.label[inside], np.ascontiguousarray(counts[:, inside])
        f1 = {}
        for key in ("clear", name):
            predicted = part.logits[key][inside].argmax(axis=1)
            classes = len(part.classes)
            f1[key] = (
                float(macro(confusion(labels, predicted, classes), "supported")["f1"]),
                macro(resampled_confusions(labels, predicted, classes, part_counts), "supported")["f1"],
            )
        drops[place] = f1["clear"][0] - f1[name][0]
        drawn[:, place] = f1["clear"][1] - f1[name][1]
    rho = bootstrap.estimate(float(_rank_correlation(drops[None])[0]), _rank_correlation(drawn))
    return Correlation(name, figure, "macro F1", rho, BINS)


def _rank_correlation(drops: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spearman's correlation of each row with the order of its columns."""
    ranks = rankdata(drops, axis=1, nan_policy="propagate")
    ranks -= ranks.mean(axis=1, keepdims=True)
    order = np.arange(drops.shape[1]) - (drops.shape[1] - 1) / 2
    spread = np.sqrt((ranks**2).sum(axis=1) * (order**2).sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        rho: NDArray[np.float64] = np.where(spread > 0, (ranks @ order) / spread, np.nan)
    return rho
