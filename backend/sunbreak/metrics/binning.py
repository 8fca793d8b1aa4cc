"""Classification metrics in bins of cloud cover, of SSIM or of any other number.

Bins are closed on the right: .1 to .2 contains .2 and not .1. A `Binning` counts the patches that are in no bin, with
the reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.metrics import bootstrap
from sunbreak.metrics.bootstrap import Draws, Estimate
from sunbreak.metrics.classification import Average, Mode, accuracy, confusion, macro, resampled_confusions

Values = NDArray[Any]

# decimal literals: 3 * .1 is larger than .3
COVER_EDGES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
SSIM_FLOOR = 0.7
SSIM_EDGES = (0.7, 0.8, 0.9, 1.0)
FIGURES = ("f1", "precision", "recall", "accuracy", "confidence")


@dataclass(frozen=True)
class Binning:
    """Which bin each patch is in.

    Attributes:
        of: Displayed name of the binned quantity: ``cloud cover``.
        titles: One per bin.
        index: (patch,) bin of each patch, -1 for none.
        left_out: How many patches are in no bin, by reason; reasons with 0 patches are included.
        remarks: How many patches are in a separate bin, by reason.
    """

    of: str
    titles: tuple[str, ...]
    index: NDArray[np.int64]
    left_out: dict[str, int] = field(default_factory=dict)
    remarks: dict[str, int] = field(default_factory=dict)

    @property
    def count(self) -> NDArray[np.int64]:
        """Patches in each bin."""
        return np.bincount(self.index[self.index >= 0], minlength=len(self.titles))


def cover_bins(cover: Values, mode: Mode) -> Binning:
    """Bins of a tenth of cloud cover (0..1).

    ``paper``: ten bins as from `pandas.cut`, which exclude a cover of exactly 0. ``corrected``: these patches are a
    separate first bin.
    """
    values = _decimals(cover)
    unknown, zero = ~((values >= 0) & (values <= 1)), values == 0
    titles = [f"{10 * tenth}–{10 * tenth + 10} %" for tenth in range(10)]
    index = _cut(values, COVER_EDGES)
    left_out = {"cover unknown": int(unknown.sum())}
    remarks: dict[str, int] = {}
    if mode == "corrected":
        titles.insert(0, "0 %")
        index = np.where(zero, 0, np.where(index >= 0, index + 1, -1))
        remarks["cover exactly zero"] = int(zero.sum())
    else:
        left_out["cover exactly zero"] = int(zero.sum())
    return Binning("cloud cover", tuple(titles), index, left_out, remarks)


def ssim_bins(ssim: Values, mode: Mode) -> Binning:
    """Bins of a tenth of SSIM.

    ``paper``: three bins from .7 to 1; lower values are left out. ``corrected``: values of .7 or less are a separate
    first bin.
    """
    values = _decimals(ssim)
    low = values <= SSIM_FLOOR
    titles = ["0.7–0.8", "0.8–0.9", "0.9–1"]
    index = _cut(values, SSIM_EDGES)
    left_out = {"SSIM unknown": int((~(values <= 1)).sum())}
    remarks: dict[str, int] = {}
    if mode == "corrected":
        titles.insert(0, "≤ 0.7")
        index = np.where(low, 0, np.where(index >= 0, index + 1, -1))
        remarks["SSIM of 0.7 or less"] = int(low.sum())
    else:
        left_out["SSIM of 0.7 or less"] = int(low.sum())
    return Binning("SSIM", tuple(titles), index, left_out, remarks)


def quantile_bins(values: Values, of: str, bins: int = 10) -> Binning:
    """Bins of (nearly) equal size in the order of the values; those that are not finite are left out."""
    numbers = np.asarray(values, np.float64)
    known = np.flatnonzero(np.isfinite(numbers))
    index = np.full(len(numbers), -1, np.int64)
    titles = []
    for place, part in enumerate(np.array_split(known[np.argsort(numbers[known], kind="stable")], bins)):
        index[part] = place
        titles.append(f"{numbers[part[0]]:.3g}–{numbers[part[-1]]:.3g}" if part.size else "empty")
    return Binning(of, tuple(titles), index, {f"{of} unknown": len(numbers) - len(known)})


def figures_by_bin(
    binning: Binning,
    labels: Values,
    predicted: Values,
    confidence: Values,
    classes: int,
    average: Average,
    counts: Draws,
) -> dict[str, list[Estimate]]:
    """Macro F1, precision and recall, accuracy and mean confidence of every bin, with intervals.

    Args:
        binning: Which patch is in which bin.
        labels: (patch,).
        predicted: (patch,).
        confidence: (patch,) largest probability.
        classes: How many classes there are.
        average: Which classes count in the means, decided within each bin.
        counts: (replicate, patch) draws.

    Returns:
        By name (see `FIGURES`), one estimate per bin; NaN for empty bins.
    """
    result: dict[str, list[Estimate]] = {name: [] for name in FIGURES}
    for place in range(len(binning.titles)):
        inside = binning.index == place
        if not inside.any():
            for found in result.values():
                found.append(Estimate(float("nan")))
            continue
        drawn = np.ascontiguousarray(counts[:, inside])
        matrix = confusion(labels[inside], predicted[inside], classes)
        matrices = resampled_confusions(labels[inside], predicted[inside], classes, drawn)
        values, replicates = macro(matrix, average), macro(matrices, average)
        for name in ("f1", "precision", "recall"):
            result[name].append(bootstrap.estimate(float(values[name]), replicates[name]))
        result["accuracy"].append(bootstrap.estimate(float(accuracy(matrix)), accuracy(matrices)))
        result["confidence"].append(bootstrap.estimate_mean(confidence[inside], drawn))
    return result


def _cut(values: NDArray[np.float64], edges: tuple[float, ...]) -> NDArray[np.int64]:
    """Bins closed on the right; -1 outside all of them and for NaN."""
    index = np.searchsorted(np.asarray(edges), values, side="left") - 1
    return np.where((index >= 0) & (index < len(edges) - 1), index, -1)


def _decimals(values: Values) -> NDArray[np.float64]:
    """To float64. Values just above 1 become 1, and a float32 .3 (.30000001) stays in its bin."""
    numbers = np.asarray(values, np.float64)
    if np.asarray(values).dtype == np.float32:
        numbers = np.asarray(np.round(numbers, 7), np.float64)
    return np.where((numbers > 1) & (numbers < 1 + 1e-5), 1.0, numbers)
