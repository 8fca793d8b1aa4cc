"""Computes all numbers of the report from a table of patches, with intervals, in paper mode and corrected mode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.errors import InputError
from sunbreak.metrics import binning, bootstrap, classification
from sunbreak.metrics.binning import Binning
from sunbreak.metrics.bootstrap import Draws, Estimate
from sunbreak.metrics.classification import AVERAGES, MODES, Average, Mode, Reliability
from sunbreak.studies.downstream import quality, separation
from sunbreak.studies.downstream.quality import Correlation, QualityFigure
from sunbreak.studies.downstream.remarks import Remark, remarks_on
from sunbreak.studies.downstream.separation import Separation
from sunbreak.studies.downstream.table import INPUT_TITLES, INPUTS, PatchTable

Floats = NDArray[np.float64]

REPLICATES = 1000


@dataclass(frozen=True)
class InputFigures:
    """Classification results of one input.

    Attributes:
        confusion: Confusion matrix of counts, (true class, predicted class).
        shares: Confusion matrix normalised by true class; NaN rows for classes without support.
        shares_low: Lower bounds of the intervals of `shares`.
        shares_high: Upper bounds of the intervals of `shares`.
        per_class: precision, recall and f1, one estimate per class.
        macro: precision, recall and f1 by kind of average.
        overall: accuracy, cross_entropy (nats), confidence, calibration_error, overconfidence.
        reliability: Bins of confidence.
        reliability_accuracy: Accuracy in each bin with its interval.
    """

    confusion: NDArray[np.int64]
    shares: Floats
    shares_low: Floats
    shares_high: Floats
    per_class: dict[str, list[Estimate]]
    macro: dict[Average, dict[str, Estimate]]
    overall: dict[str, Estimate]
    reliability: Reliability
    reliability_accuracy: list[Estimate]


@dataclass(frozen=True)
class Difference:
    """Difference between two inputs, on the same patches and the same bootstrap resamples.

    Attributes:
        first: The reference input.
        second: The other input.
        figures: Second minus first: macro_f1 by kind of average, accuracy.
        shares: Difference of the normalised confusion matrices, (true class, predicted class).
        shares_low: Lower bounds of the intervals.
        shares_high: Upper bounds of the intervals.
    """

    first: str
    second: str
    figures: dict[str, Estimate]
    shares: Floats
    shares_low: Floats
    shares_high: Floats


@dataclass(frozen=True)
class BinTable:
    """Metrics in bins: one estimate per bin, by input and metric."""

    binning: Binning
    figures: dict[str, dict[str, list[Estimate]]]


@dataclass(frozen=True)
class ModeFigures:
    """The results that depend on the mode.

    Attributes:
        mode: Name of the mode.
        by_cover: Metrics of all inputs by cloud cover.
        by_ssim: For each cleaned input its metrics and those of the clear images, by SSIM of the cleaned input.
        separations: All scores of all comparisons with the clear images.
    """

    mode: Mode
    by_cover: BinTable
    by_ssim: dict[str, BinTable]
    separations: list[Separation]


@dataclass(frozen=True)
class Evaluation:
    """All numbers of the report.

    Attributes:
        table: The patches of the evaluated split.
        split: Name of the split.
        class_counts: Patches of each class, by split of the whole table.
        inputs: Results by input.
        differences: Each input minus the clear one, and the default output minus the raw prediction.
        modes: Results by mode.
        quality: Image quality of each input against the clear image.
        correlations: Correlations of image quality with the drop in classification.
        remarks: Remarks on exclusions and special cases.
        replicates: Number of bootstrap resamples.
        seed: Seed of the resamples.
    """

    table: PatchTable
    split: str
    class_counts: dict[str, NDArray[np.int64]]
    inputs: dict[str, InputFigures]
    differences: list[Difference]
    modes: dict[Mode, ModeFigures]
    quality: list[QualityFigure]
    correlations: list[Correlation]
    remarks: list[Remark]
    replicates: int
    seed: int


def evaluate(
    table: PatchTable,
    *,
    split: str = "test",
    modes: Sequence[Mode] = MODES,
    replicates: int = REPLICATES,
    seed: int = 0,
    checkpoint: Callable[[str], None] = lambda step: None,
) -> Evaluation:
    """Compute all numbers.

    Args:
        table: All patches; other splits are used for class counts and as reference of feature distances.
        split: The evaluated split.
        modes: The modes to compute.
        replicates: Number of bootstrap resamples.
        seed: Seed of the resamples.
        checkpoint: Called with the name of each step before it; may raise to stop.

    Raises:
        InputError: The split is missing, has incomplete logits, or has fewer than two patches.
    """
    part = table.of_split(split)
    if len(part) < 2:
        raise InputError(
            f"{table.source}: the split '{split}' has a single patch.",
            "Metrics and intervals need at least two patches.",
            code="table-empty",
        )
    checkpoint("resamples")
    counts = bootstrap.draws(len(part), replicates, seed)
    checkpoint("classification")
    outputs = {name: _Output.of(part, name, counts) for name in INPUTS if name in part.logits}
    figures = {name: _input_figures(output, part, counts) for name, output in outputs.items()}
    differences = [_difference(a, b, outputs, figures) for a, b in _pairs(outputs)]
    by_mode: dict[Mode, ModeFigures] = {}
    binnings: list[tuple[Binning, Mode, str]] = []
    reference = separation.reference_rows(table, split)
    for mode in modes:
        checkpoint(f"bins ({mode})")
        cover = _bin_table(binning.cover_bins(part.cover, mode), outputs, part, mode, counts)
        ssim: dict[str, BinTable] = {
            name: _bin_table(
                binning.ssim_bins(part.quality["ssim", name], mode),
                {key: outputs[key] for key in ("clear", name)},
                part,
                mode,
                counts,
            )
            for name in ("removed", "removed_raw")
            if name in outputs and ("ssim", name) in part.quality
        }
        checkpoint(f"separability ({mode})")
        separations = separation.separations(part, table, reference, mode, counts)
        by_mode[mode] = ModeFigures(mode, cover, ssim, separations)
        binnings += [(cover.binning, mode, "")]
        binnings += [(found.binning, mode, f" of {INPUT_TITLES[name]}") for name, found in ssim.items()]
    checkpoint("image quality")
    return Evaluation(
        table=part,
        split=split,
        class_counts={
            name: np.bincount(table.label[table.split == name], minlength=len(table.classes))
            for name in sorted(set(table.split.tolist()), key=_split_order)
        },
        inputs=figures,
        differences=differences,
        modes=by_mode,
        quality=quality.quality_figures(part, counts),
        correlations=quality.correlations(part, counts),
        remarks=remarks_on(table, part, split, reference, binnings),
        replicates=replicates,
        seed=seed,
    )


@dataclass(frozen=True)
class _Output:
    """Output of the classifier for one input, and its resampled confusion matrices."""

    predicted: NDArray[np.int64]
    confidence: Floats
    cross_entropy: Floats
    resampled: Floats

    @classmethod
    def of(cls, part: PatchTable, name: str, counts: Draws) -> _Output:
        logits = part.logits[name]
        predicted = logits.argmax(axis=1)
        return cls(
            predicted=predicted,
            confidence=classification.softmax(logits).max(axis=1),
            cross_entropy=classification.cross_entropy(logits, part.label),
            resampled=classification.resampled_confusions(part.label, predicted, len(part.classes), counts),
        )


def _input_figures(output: _Output, part: PatchTable, counts: Draws) -> InputFigures:
    matrix = classification.confusion(part.label, output.predicted, len(part.classes))
    ours, drawn = classification.class_figures(matrix), classification.class_figures(output.resampled)
    shares = classification.normalise(matrix)
    low, high = bootstrap.interval(classification.normalise(output.resampled))
    correct = output.predicted == part.label
    bins = classification.reliability(output.confidence, correct)
    accuracies, errors = classification.resampled_reliability(output.confidence, correct, counts)
    gap = output.confidence - correct
    return InputFigures(
        confusion=matrix,
        shares=shares,
        shares_low=np.where(np.isnan(shares), np.nan, low),
        shares_high=np.where(np.isnan(shares), np.nan, high),
        per_class={
            name: bootstrap.estimates(getattr(ours, name), getattr(drawn, name))
            for name in ("precision", "recall", "f1")
        },
        macro={average: _macro(matrix, output.resampled, average) for average in AVERAGES},
        overall={
            "accuracy": bootstrap.estimate_mean(correct, counts),
            "cross_entropy": bootstrap.estimate_mean(output.cross_entropy, counts),
            "confidence": bootstrap.estimate_mean(output.confidence, counts),
            "calibration_error": bootstrap.estimate(bins.error, errors),
            "overconfidence": bootstrap.estimate_mean(gap, counts),
        },
        reliability=bins,
        reliability_accuracy=bootstrap.estimates(bins.accuracy, accuracies),
    )


def _macro(matrix: Any, resampled: Floats, average: Average) -> dict[str, Estimate]:
    values, drawn = classification.macro(matrix, average), classification.macro(resampled, average)
    return {name: bootstrap.estimate(float(values[name]), drawn[name]) for name in values}


def _pairs(outputs: dict[str, _Output]) -> list[tuple[str, str]]:
    pairs = [("clear", name) for name in outputs if name != "clear"]
    if "removed" in outputs and "removed_raw" in outputs:
        pairs.append(("removed_raw", "removed"))
    return pairs


def _difference(first: str, second: str, outputs: dict[str, _Output], figures: dict[str, InputFigures]) -> Difference:
    a, b = outputs[first].resampled, outputs[second].resampled
    found = {}
    for average in AVERAGES:
        drawn = classification.macro(b, average)["f1"] - classification.macro(a, average)["f1"]
        value = figures[second].macro[average]["f1"].value - figures[first].macro[average]["f1"].value
        found[f"macro_f1_{average}"] = bootstrap.estimate(value, drawn)
    drawn = classification.accuracy(b) - classification.accuracy(a)
    value = figures[second].overall["accuracy"].value - figures[first].overall["accuracy"].value
    found["accuracy"] = bootstrap.estimate(value, drawn)
    low, high = bootstrap.interval(classification.normalise(b) - classification.normalise(a))
    shares = figures[second].shares - figures[first].shares
    unknown = np.isnan(shares)
    return Difference(first, second, found, shares, np.where(unknown, np.nan, low), np.where(unknown, np.nan, high))


def _bin_table(bins: Binning, outputs: dict[str, _Output], part: PatchTable, mode: Mode, counts: Draws) -> BinTable:
    average = classification.BIN_AVERAGE[mode]
    return BinTable(
        bins,
        {
            name: binning.figures_by_bin(
                bins, part.label, output.predicted, output.confidence, len(part.classes), average, counts
            )
            for name, output in outputs.items()
        },
    )


def _split_order(name: str) -> tuple[int, str]:
    usual = ("train", "val", "test")
    return (usual.index(name) if name in usual else len(usual), name)
