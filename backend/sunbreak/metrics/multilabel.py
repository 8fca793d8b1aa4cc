"""Multi-label metrics, each named by its average, and the threshold that turns probabilities into labels.

A division by zero gives 0, as in scikit-learn with ``zero_division=0``. Macro averages are given over all labels and
over the labels that occur in the truth, because papers use both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]
Average = Literal["sample", "micro", "macro", "macro_supported"]
Rule = Literal["fixed", "relative"]
Objective = Literal["f1", "f2"]
_STEPS = 200


@dataclass(frozen=True)
class Scores:
    """Precision, recall, F1 and F2 by one average.

    Sample and macro averages are means of the F of each patch or label, not the F of mean precision and recall.
    """

    precision: float
    recall: float
    f1: float
    f2: float


@dataclass(frozen=True)
class LabelScores:
    """Metrics of each label, (label,) float64.

    Attributes:
        support: Number of patches with the label.
        precision: Fraction of the predictions that are correct.
        recall: Fraction of the true labels that are predicted.
        f1: Harmonic mean of both.
        f2: F-measure that weights recall four times.
        average_precision: Area under the precision-recall curve in steps; NaN without support.
    """

    support: NDArray[np.int64]
    precision: Float
    recall: Float
    f1: Float
    f2: Float
    average_precision: Float


@dataclass(frozen=True)
class MultilabelReport:
    """All metrics of one set of predictions.

    Attributes:
        sample: Metrics of each patch, averaged over patches.
        micro: Metrics of all decisions together.
        macro: Metrics of each label, averaged over all labels; labels that do not occur count as 0.
        macro_supported: The same over the labels that occur.
        map_macro: Mean average precision over the labels that occur; NaN if none does.
        map_micro: Average precision of all decisions together; NaN if no label occurs.
        subset_accuracy: Fraction of patches with all labels correct.
        by_label: Metrics of each label.
        patches: Number of patches.
    """

    sample: Scores
    micro: Scores
    macro: Scores
    macro_supported: Scores
    map_macro: float
    map_micro: float
    subset_accuracy: float
    by_label: LabelScores
    patches: int

    def figures(self) -> dict[str, float]:
        """All metrics by names with their average, such as ``f1_sample``."""
        averages: tuple[tuple[Average, Scores], ...] = (
            ("sample", self.sample),
            ("micro", self.micro),
            ("macro", self.macro),
            ("macro_supported", self.macro_supported),
        )
        named = {f"{key}_{name}": value for name, scores in averages for key, value in vars(scores).items()}
        rest = {"map_macro": self.map_macro, "map_micro": self.map_micro, "subset_accuracy": self.subset_accuracy}
        return named | rest


@dataclass(frozen=True)
class Threshold:
    """Turns probabilities into labels.

    Attributes:
        rule: ``fixed``: a label is predicted if its probability is at least `value`; ``relative``: if it is at least
            `value` times the largest probability of the patch, so that every patch gets a label. The second suits a
            softmax, whose probabilities shrink with the number of labels.
        value: In [0, 1].
    """

    rule: Rule
    value: float

    def predict(self, probabilities: NDArray[Any]) -> Bool:
        """Labels of each patch, (patch, label) bool, from probabilities of the same shape."""
        p = np.asarray(probabilities, np.float64)
        limit = self.value * p.max(axis=1, keepdims=True) if self.rule == "relative" else np.float64(self.value)
        labels: Bool = p >= limit
        return labels


@dataclass(frozen=True)
class ThresholdSearch:
    """Outcome of `search_threshold`.

    Attributes:
        best: The threshold.
        score: Its score.
        objective: Metric of the score.
        average: Average of the score.
        values: Tried thresholds.
        scores: Score of each.
    """

    best: Threshold
    score: float
    objective: Objective
    average: Average
    values: Float
    scores: Float


def multilabel_report(probabilities: NDArray[Any], targets: NDArray[Any], threshold: Threshold) -> MultilabelReport:
    """Compute all metrics of a set of predictions.

    Args:
        probabilities: (patch, label), finite; larger means likelier.
        targets: (patch, label) of zeros and ones, or bool.
        threshold: Turns the probabilities into labels.

    Raises:
        ValueError: The shapes differ or are no (patch, label), there are no patches, a probability is not finite, or a
            target is neither 0 nor 1.
    """
    p, truth = _checked(probabilities, targets)
    predicted = threshold.predict(p)
    tables = _tables(predicted, truth)
    supported = np.asarray(truth.any(axis=0))
    areas = np.array([average_precision(p[:, label], truth[:, label]) for label in range(truth.shape[1])])
    precision, recall, f1, f2 = _ratios(*tables["label"])
    return MultilabelReport(
        sample=_mean(tables["sample"]),
        micro=_mean(tables["micro"]),
        macro=_mean(tables["label"]),
        macro_supported=_mean(tables["label"], supported),
        map_macro=float(areas[supported].mean()) if supported.any() else float("nan"),
        map_micro=average_precision(p.ravel(), truth.ravel()),
        subset_accuracy=float((predicted == truth).all(axis=1).mean()),
        by_label=LabelScores(truth.sum(axis=0, dtype=np.int64), precision, recall, f1, f2, areas),
        patches=len(truth),
    )


def average_precision(scores: NDArray[Any], truth: NDArray[Any]) -> float:
    """Area under the precision-recall curve by steps: sum of (R_n - R_n-1) P_n; equal scores are one step.

    Args:
        scores: (sample,); larger means likelier.
        truth: (sample,) bool or 0 and 1.

    Returns:
        In [0, 1]; NaN if nothing is true.
    """
    values, positive = np.asarray(scores, np.float64), np.asarray(truth).astype(bool)
    if not positive.any():
        return float("nan")
    order = np.argsort(-values, kind="stable")
    hits = np.cumsum(positive[order])
    # last index of each group of equal scores
    ends = np.append(np.flatnonzero(np.diff(values[order])), len(order) - 1)
    recall = hits[ends] / hits[-1]
    precision = hits[ends] / (ends + 1)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def search_threshold(
    probabilities: NDArray[Any],
    targets: NDArray[Any],
    *,
    rule: Rule = "fixed",
    objective: Objective = "f1",
    average: Average = "sample",
) -> ThresholdSearch:
    """Find the threshold with the best F on validation data, out of 200 evenly spaced from 0.005 to 1.

    Of neighbouring thresholds with the same score, the middle one is chosen.

    Args:
        probabilities: (patch, label) in [0, 1].
        targets: (patch, label) of zeros and ones.
        rule: See `Threshold`.
        objective: Metric to maximise.
        average: Average of the metric.

    Raises:
        ValueError: As `multilabel_report`, or a probability is outside [0, 1].
    """
    p, truth = _checked(probabilities, targets)
    if p.min() < 0 or p.max() > 1:
        raise ValueError(f"probabilities from {p.min():g} to {p.max():g} do not lie in [0, 1]")
    values = np.arange(1, _STEPS + 1) / _STEPS
    supported = np.asarray(truth.any(axis=0))
    scores = np.empty(_STEPS)
    for index, value in enumerate(values):
        table = _tables(Threshold(rule, float(value)).predict(p), truth)
        within = table["label" if average.startswith("macro") else average]
        mean = _mean(within, supported if average == "macro_supported" else None)
        scores[index] = mean.f1 if objective == "f1" else mean.f2
    first = int(scores.argmax())
    worse = np.flatnonzero(scores[first:] < scores[first])
    last = first + int(worse[0]) - 1 if worse.size else _STEPS - 1
    best = (first + last) // 2
    return ThresholdSearch(
        Threshold(rule, float(values[best])), float(scores[best]), objective, average, values, scores
    )


def _checked(probabilities: NDArray[Any], targets: NDArray[Any]) -> tuple[Float, Bool]:
    p, truth = np.asarray(probabilities, np.float64), np.asarray(targets)
    if p.ndim != 2 or p.shape != truth.shape or p.size == 0:
        raise ValueError(f"probabilities {p.shape} and targets {truth.shape} are not the same (patch, label)")
    if not np.isfinite(p).all():
        raise ValueError(f"{(~np.isfinite(p)).any(axis=1).sum()} patches have probabilities that are not finite")
    if truth.dtype != np.bool_ and not np.isin(truth, (0, 1)).all():
        raise ValueError("targets are neither 0 nor 1")
    return p, truth.astype(np.bool_)


Counts = tuple[Float, Float, Float]


def _tables(predicted: Bool, truth: Bool) -> dict[str, Counts]:
    """Numbers of correct, predicted and true labels: of each patch, of each label, and of all."""
    right = predicted & truth
    by = {"sample": 1, "label": 0, "micro": None}
    return {
        name: (
            np.atleast_1d(right.sum(axis=axis)).astype(np.float64),
            np.atleast_1d(predicted.sum(axis=axis)).astype(np.float64),
            np.atleast_1d(truth.sum(axis=axis)).astype(np.float64),
        )
        for name, axis in by.items()
    }


def _ratios(right: Float, predicted: Float, true: Float) -> tuple[Float, Float, Float, Float]:
    # F_b = (1 + b^2) TP / (b^2 (TP + FN) + TP + FP)
    return (
        _divided(right, predicted),
        _divided(right, true),
        _divided(2 * right, true + predicted),
        _divided(5 * right, 4 * true + predicted),
    )


def _divided(above: Float, below: Float) -> Float:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _mean(counts: Counts, where: Bool | None = None) -> Scores:
    if where is not None:
        if not where.any():
            return Scores(0.0, 0.0, 0.0, 0.0)
        counts = counts[0][where], counts[1][where], counts[2][where]
    precision, recall, f1, f2 = (float(values.mean()) for values in _ratios(*counts))
    return Scores(precision, recall, f1, f2)
