"""From a table of patches to all numbers of the report, with intervals, in the paper's and in corrected conventions."""

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
    """How the classifier does on one input.

    Attributes:
        confusion: Counts, (true class, predicted class).
        shares: Confusion as shares of each true class; NaN rows for classes without support.
        shares_low: Lower ends of the intervals of `shares`.
        shares_high: Upper ends.
        per_class: precision, recall and f1, one estimate per class.
        macro: By convention of the mean, precision, recall and f1.
        overall: accuracy, cross_entropy (nats), confidence, calibration_error, overconfidence.
        reliability: The bins of confidence.
        reliability_accuracy: Accuracy in each of them with its interval.
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
    """What changes from one input to another, on the same patches and the same resamples.

    Attributes:
        first: The input compared with.
        second: The input that is looked at.
        figures: Second less first: macro_f1 by convention, accuracy, cross_entropy, confidence.
        shares: Difference of the normalised confusions (true class, predicted class).
        shares_low: Lower ends of the intervals.
        shares_high: Upper ends.
    """

    first: str
    second: str
    figures: dict[str, Estimate]
    shares: Floats
    shares_low: Floats
    shares_high: Floats


@dataclass(frozen=True)
class BinTable:
    """Figures in bins: by input and figure, one estimate per bin."""

    binning: Binning
    figures: dict[str, dict[str, list[Estimate]]]


@dataclass(frozen=True)
class ModeFigures:
    """What depends on the convention.

    Attributes:
        mode: Its name.
        by_cover: All inputs by cloud cover.
        by_ssim: By cleaned input: its figures and those of the clear images, by the SSIM of that input.
        separations: Every score of every comparison with the clear images.
    """

    mode: Mode
    by_cover: BinTable
    by_ssim: dict[str, BinTable]
    separations: list[Separation]


@dataclass(frozen=True)
class Evaluation:
    """Every number of the report.

    Attributes:
        table: The patches of the evaluated split.
        split: Its name.
        class_counts: By split of the whole table, patches of each class.
        inputs: By input.
        differences: Each input less the clear one, and the product's default less the raw prediction.
        modes: By convention.
        quality: Image quality of each input beside the clear image.
        correlations: Image quality against what the classifier loses.
        remarks: What was left out or treated apart.
        replicates: Resamples behind each interval.
        seed: Their seed.
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
    """Compute everything.

    Args:
        table: All patches; other splits serve the class counts and as reference of distances between features.
        split: The split that is evaluated.
        modes: The conventions wanted.
        replicates: Resamples behind each interval.
        seed: Seed of the resamples.
        checkpoint: Called with the name of each step before it; may raise to stop.

    Raises:
        InputError: The split is missing or its logits are not whole, or fewer than two patches are in it.
    """
    part = table.of_split(split)
    if len(part) < 2:
        raise InputError(
            f"{table.source}: the split '{split}' has a single patch.",
            "Figures and intervals need at least two.",
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
    """What the classifier said about one input, and the resampled confusion of it."""

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
