"""Single-label classification: confusion, precision, recall, F1, cross-entropy and calibration.

Labels and predictions are class indices from 0, the columns of the logits. A class without support (no patch has this
label) has no recall. Whether it counts in a mean is a convention; every mean here names its convention.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sunbreak.metrics.bootstrap import Draws

Values = NDArray[Any]
Floats = NDArray[np.float64]
Mode = Literal["paper", "corrected"]
Average = Literal["all", "occurring", "supported"]

MODES: tuple[Mode, ...] = ("paper", "corrected")
AVERAGES: dict[Average, str] = {
    "all": "every class of the scheme; 0 where a figure is not defined",
    "occurring": "every class among the labels or the predictions; 0 where a figure is not defined",
    "supported": "the classes that some label has; 0 where nothing was predicted as the class",
}
# the paper's test script averages over one-hot columns of all classes, its bins over the classes that occur
# (scikit-learn's default)
OVERALL_AVERAGE: dict[Mode, Average] = {"paper": "all", "corrected": "supported"}
BIN_AVERAGE: dict[Mode, Average] = {"paper": "occurring", "corrected": "supported"}
CALIBRATION_BINS = 15


@dataclass(frozen=True)
class ClassFigures:
    """Metrics of each class, (..., class); NaN if undefined.

    Attributes:
        precision: Fraction of the predictions of the class that are correct.
        recall: Fraction of the patches of the class that were predicted as it.
        f1: Harmonic mean of the two: 2 TP / (2 TP + FP + FN).
        support: How many patches have the class as their label.
        predicted: How many patches were predicted as the class.
    """

    precision: Floats
    recall: Floats
    f1: Floats
    support: Floats
    predicted: Floats


def softmax(logits: Values) -> Floats:
    """Probabilities (..., class) of logits, in float64 and safe for large ones."""
    shifted = np.asarray(logits, np.float64)
    powers = np.exp(shifted - shifted.max(axis=-1, keepdims=True))
    probabilities: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return probabilities


def log_sum_exp(logits: Values) -> Floats:
    """Log sum exp over the classes, (...), safe for large logits."""
    values = np.asarray(logits, np.float64)
    top = values.max(axis=-1)
    result: Floats = top + np.log(np.exp(values - top[..., None]).sum(axis=-1))
    return result


def cross_entropy(logits: Values, labels: Values) -> Floats:
    """Negative log probability of the true class of each patch, (patch,), in nats."""
    rows = np.arange(len(labels))
    result: Floats = log_sum_exp(logits) - np.asarray(logits, np.float64)[rows, labels]
    return result


def confusion(labels: Values, predicted: Values, classes: int) -> NDArray[np.int64]:
    """Counts of patches, (true class, predicted class)."""
    cells = np.asarray(labels, np.int64) * classes + np.asarray(predicted, np.int64)
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def resampled_confusions(labels: Values, predicted: Values, classes: int, counts: Draws) -> Floats:
    """Confusion counts of every resample, (replicate, true class, predicted class).

    Args:
        labels: (patch,).
        predicted: (patch,).
        classes: How many classes there are.
        counts: (replicate, patch), see `bootstrap.draws`.
    """
    cells = np.asarray(labels, np.int64) * classes + np.asarray(predicted, np.int64)
    present, column = np.unique(cells, return_inverse=True)
    member = np.zeros((len(cells), len(present)), np.float32)
    member[np.arange(len(cells)), column] = 1
    result = np.zeros((len(counts), classes**2))
    result[:, present] = counts @ member
    return result.reshape(-1, classes, classes)


def normalise(counts: Values) -> Floats:
    """Confusion as fractions of each true class (rows); rows of classes without support are NaN."""
    matrix = np.asarray(counts, np.float64)
    return _ratio(matrix, np.broadcast_to(matrix.sum(axis=-1, keepdims=True), matrix.shape))


def class_figures(counts: Values) -> ClassFigures:
    """Precision, recall and F1 of each class from confusion counts (..., true, predicted)."""
    matrix = np.asarray(counts, np.float64)
    right = np.diagonal(matrix, axis1=-2, axis2=-1)
    support, predicted = matrix.sum(axis=-1), matrix.sum(axis=-2)
    return ClassFigures(
        precision=_ratio(right, predicted),
        recall=_ratio(right, support),
        f1=_ratio(2 * right, support + predicted),
        support=support,
        predicted=predicted,
    )


def macro(counts: Values, average: Average) -> dict[str, Floats]:
    """Unweighted means over classes of precision, recall and F1, each (...).

    F1 is the mean of the classes' F1, not the F1 of the means.

    Args:
        counts: (..., true, predicted).
        average: Which classes count, see `AVERAGES`. NaN where none does.
    """
    figures = class_figures(counts)
    counted = {
        "all": np.ones_like(figures.support, bool),
        "occurring": figures.support + figures.predicted > 0,
        "supported": figures.support > 0,
    }[average]
    number = counted.sum(axis=-1).astype(np.float64)
    # without patches no class counts, in any convention
    number = np.where(figures.support.sum(axis=-1) > 0, number, 0.0)
    return {
        name: _ratio(np.where(counted, np.nan_to_num(values), 0.0).sum(axis=-1), number)
        for name, values in (("precision", figures.precision), ("recall", figures.recall), ("f1", figures.f1))
    }


def accuracy(counts: Values) -> Floats:
    """Fraction of correct patches, (...); also the micro average of precision, recall and F1."""
    matrix = np.asarray(counts, np.float64)
    return _ratio(np.trace(matrix, axis1=-2, axis2=-1), matrix.sum(axis=(-2, -1)))


@dataclass(frozen=True)
class Reliability:
    """Confidence against accuracy in bins of equal width on [0, 1], closed on the right (Guo et al. 2017).

    Attributes:
        edges: (bin + 1,).
        count: Patches in each bin.
        confidence: Mean confidence in each bin; NaN if empty.
        accuracy: Fraction of correct patches in each bin; NaN if empty.
    """

    edges: Floats
    count: NDArray[np.int64]
    confidence: Floats
    accuracy: Floats

    @property
    def error(self) -> float:
        """Expected calibration error: mean difference of confidence and accuracy, bins weighted by size."""
        gaps = np.abs(np.nan_to_num(self.confidence - self.accuracy))
        return float((self.count * gaps).sum() / self.count.sum()) if self.count.sum() else float("nan")

    @property
    def overconfidence(self) -> float:
        """Mean confidence minus accuracy; above 0 the classifier is overconfident."""
        gaps = np.nan_to_num(self.confidence - self.accuracy)
        return float((self.count * gaps).sum() / self.count.sum()) if self.count.sum() else float("nan")


def reliability(confidence: Values, correct: Values, bins: int = CALIBRATION_BINS) -> Reliability:
    """Bins of the reliability diagram.

    Args:
        confidence: (patch,) largest probability.
        correct: (patch,) whether the prediction is correct.
        bins: How many bins of equal width.
    """
    place = _confidence_bin(confidence, bins)
    count = np.bincount(place, minlength=bins)
    return Reliability(
        edges=np.arange(bins + 1) / bins,
        count=count,
        confidence=_ratio(np.bincount(place, np.asarray(confidence, np.float64), bins), count),
        accuracy=_ratio(np.bincount(place, np.asarray(correct, np.float64), bins), count),
    )


def resampled_reliability(
    confidence: Values, correct: Values, counts: Draws, bins: int = CALIBRATION_BINS
) -> tuple[Floats, Floats]:
    """Accuracy of each bin and the expected calibration error of every resample.

    Returns:
        (replicate, bin), NaN where a bin is empty, and (replicate,).
    """
    place = _confidence_bin(confidence, bins)
    here = np.arange(len(place))
    # patches, correct ones and gaps of each bin in one matrix product
    member = np.zeros((len(place), 3, bins), np.float32)
    member[here, 0, place] = 1
    member[here, 1, place] = np.asarray(correct, np.float32)
    member[here, 2, place] = np.asarray(confidence, np.float64) - np.asarray(correct, np.float64)
    sums = (counts @ member.reshape(len(place), -1)).reshape(-1, 3, bins)
    gaps = np.abs(sums[:, 2]).sum(axis=1, dtype=np.float64)
    return _ratio(sums[:, 1], sums[:, 0]), _ratio(gaps, sums[:, 0].sum(axis=1, dtype=np.float64))


def _confidence_bin(confidence: Values, bins: int) -> NDArray[np.int64]:
    place = np.ceil(np.asarray(confidence, np.float64) * bins).astype(np.int64) - 1
    return np.clip(place, 0, bins - 1)


def _ratio(above: Values, below: Values) -> Floats:
    above, below = np.asarray(above, np.float64), np.asarray(below, np.float64)
    result: Floats = np.full(np.broadcast_shapes(above.shape, below.shape), np.nan)
    np.divide(above, below, out=result, where=below > 0)
    return result
