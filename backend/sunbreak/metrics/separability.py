"""Out-of-distribution detection from a classifier's outputs: scores per patch and areas under their curves.

Two conventions. ``paper`` (Hauptvogel's Table 2): clear patches are the positives, no score is negated, and the area
under precision/recall is by trapezoid; an area under .5 means a flipped sign. ``corrected``: out-of-distribution
patches are the positives, each score has a declared orientation, and average precision replaces the area.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sunbreak.metrics.bootstrap import Draws
from sunbreak.metrics.classification import cross_entropy, log_sum_exp, softmax

Values = NDArray[Any]
Floats = NDArray[np.float64]

RECALL = 0.95
NEIGHBOURS = 50
PAPER_COVER = 0.1
_SLICE = 32


@dataclass(frozen=True)
class Score:
    """One out-of-distribution score per patch.

    Attributes:
        name: Name in columns and files.
        title: Displayed name.
        clear_is_high: The declared orientation: whether in-distribution inputs are expected to score high.
        needs: What it is computed from.
        paper: Whether it is one of the paper's four scores.
    """

    name: str
    title: str
    clear_is_high: bool
    needs: Literal["logits", "labels", "features"]
    paper: bool = False


SCORES = (
    Score("max_probability", "Max. probability", True, "logits", paper=True),
    Score("cross_entropy", "Cross-entropy", False, "labels", paper=True),
    Score("precision", "Precision (sum of exp)", True, "logits", paper=True),
    Score("logit_sum", "Logit-sum", True, "logits", paper=True),
    Score("entropy", "Entropy", False, "logits"),
    Score("energy", "Energy", False, "logits"),
    Score("max_logit", "Max. logit", True, "logits"),
    Score("mahalanobis", "Mahalanobis distance", False, "features"),
    Score("knn", "kNN distance", False, "features"),
)
PAPER_SCORES = tuple(score for score in SCORES if score.paper)


def logit_scores(logits: Values, labels: Values) -> dict[str, Floats]:
    """All scores that need no features, (patch,) each, in float64.

    Energy is -log sum exp (Liu et al. 2020), "precision" is sum exp (Malinin and Gales 2018): the reverse ranking.
    """
    values = np.asarray(logits, np.float64)
    probabilities = softmax(values)
    evidence = log_sum_exp(values)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        terms = np.where(probabilities > 0, probabilities * np.log(probabilities), 0.0)
        precision = np.exp(evidence)
    return {
        "max_probability": probabilities.max(axis=1),
        "cross_entropy": cross_entropy(values, labels),
        "precision": precision,
        "logit_sum": values.sum(axis=1),
        "entropy": -terms.sum(axis=1),
        "energy": -evidence,
        "max_logit": values.max(axis=1),
    }


def paper_scores(logits: Values, labels: Values) -> dict[str, Floats]:
    """The paper's four scores in its own arithmetic, (patch,) each.

    Computed in the precision of the stored logits (float32 saturates, and ties change an area in the third digit), with
    1e-15 added to the sum and without a shift before the exponential. An overflow becomes the largest float32. NaN
    becomes 0, also the cross-entropy of a patch with any probability of exactly 0.
    """
    values = np.asarray(logits)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        powers = np.exp(values)
        probabilities = powers / (powers.sum(axis=1, keepdims=True) + powers.dtype.type(1e-15))
        chosen = np.zeros(values.shape)
        chosen[np.arange(len(labels)), labels] = 1
        scores = {
            "max_probability": probabilities.max(axis=1),
            "cross_entropy": -(np.log(probabilities) * chosen).sum(axis=1),
            "precision": powers.sum(axis=1),
            "logit_sum": values.sum(axis=1),
        }
    largest = float(np.finfo(np.float32).max)
    return {
        name: np.nan_to_num(np.asarray(score, np.float64), nan=0.0, posinf=largest) for name, score in scores.items()
    }


@dataclass(frozen=True)
class ClassGaussians:
    """Gaussians of the classes' clear features with one covariance for all of them (Lee et al. 2018).

    Attributes:
        whitening: (feature, direction), which makes the covariance the identity.
        means: (class, direction), of the whitened features.
    """

    whitening: Floats
    means: Floats

    @classmethod
    def fit(cls, features: Values, labels: Values) -> ClassGaussians:
        """Fit to clear patches that are not evaluated themselves.

        Directions without variance are left out, as in a pseudo-inverse, so fewer patches than features are enough.

        Args:
            features: (patch, feature).
            labels: (patch,).
        """
        clear = np.asarray(features, np.float64)
        known, place = np.unique(labels, return_inverse=True)
        means = np.stack([clear[place == index].mean(axis=0) for index in range(len(known))])
        centred = clear - means[place]
        spread, directions = np.linalg.eigh(centred.T @ centred / len(clear))
        kept = spread > max(float(spread[-1]), 0.0) * len(spread) * np.finfo(np.float64).eps
        whitening: Floats = directions[:, kept] / np.sqrt(spread[kept])
        return cls(whitening, means @ whitening)

    def distance(self, features: Values) -> Floats:
        """Squared Mahalanobis distance of each patch (patch, feature) to the nearest class mean, (patch,)."""
        white = np.asarray(features, np.float64) @ self.whitening
        nearest: Floats = np.min([((white - mean) ** 2).sum(axis=1) for mean in self.means], axis=0)
        return nearest


def knn(features: Values, reference: Values, neighbours: int = NEIGHBOURS) -> Floats:
    """Distance to the k-th nearest reference patch between features of unit length (Sun et al. 2022).

    Args:
        features: (patch, feature).
        reference: (reference patch, feature) of clear patches that are not evaluated themselves.
        neighbours: k; all of the reference if it has fewer.

    Returns:
        (patch,) from 0 to 2.
    """
    clear, judged = _unit(reference), _unit(features)
    rank = min(neighbours, len(clear)) - 1
    result = np.empty(len(judged))
    for start in range(0, len(judged), 512):
        squares = 2 - 2 * (judged[start : start + 512] @ clear.T)
        result[start : start + 512] = np.partition(squares, rank, axis=1)[:, rank]
    distances: Floats = np.sqrt(np.maximum(result, 0))
    return distances


@dataclass(frozen=True)
class Areas:
    """Areas of one score, (replicate,) each.

    Attributes:
        roc: Area under the ROC curve: the probability that a positive scores above a negative.
        pr_trapezoid: Area under the precision/recall curve, by trapezoid.
        average_precision: Precision at each step of recall, weighted by the step.
        fpr95: False positive rate at 95 % true positive rate.
    """

    roc: Floats
    pr_trapezoid: Floats
    average_precision: Floats
    fpr95: Floats


def areas(score: Values, positive: Values, counts: Draws | None = None) -> Areas:
    """Areas under the curves of one score; equal scores are one step.

    Args:
        score: (patch,), high for the positives.
        positive: (patch,) bool.
        counts: (replicate, patch) draws; every patch once if left out.

    Returns:
        (replicate,) each, or (1,) without draws; NaN where a side has no patch.
    """
    weights = np.ones((1, len(score)), np.float32) if counts is None else counts
    order = np.argsort(-np.asarray(score, np.float64), kind="stable")
    ranked = np.asarray(score, np.float64)[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    right = np.asarray(positive, bool)[order]
    result = np.empty((4, len(weights)))
    # in slices of resamples that fit into the cache
    for start in range(0, len(weights), _SLICE):
        part = weights[start : start + _SLICE, order]
        hits = np.cumsum(np.where(right, part, np.float32(0)), axis=1, dtype=np.float64)[:, last]
        alarms = np.cumsum(np.where(right, np.float32(0), part), axis=1, dtype=np.float64)[:, last]
        result[:, start : start + _SLICE] = _areas(hits, alarms)
    return Areas(*result)


def _areas(hits: Floats, alarms: Floats) -> tuple[Floats, ...]:
    """Areas from running counts (replicate, step) of positives and negatives at or above each score."""
    positives, negatives = hits[:, -1], alarms[:, -1]
    defined = (positives > 0) & (negatives > 0)
    p, n = np.where(defined, positives, 1)[:, None], np.where(defined, negatives, 1)[:, None]
    recall = np.pad(hits / p, ((0, 0), (1, 0)))
    rate = np.pad(alarms / n, ((0, 0), (1, 0)))
    flagged = hits + alarms
    # by convention precision is 1 before the first positive prediction
    precision = np.ones_like(recall)
    np.divide(hits, flagged, out=precision[:, 1:], where=flagged > 0)
    step = np.diff(recall, axis=1)
    roc = (np.diff(rate, axis=1) * (recall[:, 1:] + recall[:, :-1])).sum(axis=1) / 2
    trapezoid = (step * (precision[:, 1:] + precision[:, :-1])).sum(axis=1) / 2
    stepped = (step * precision[:, 1:]).sum(axis=1)
    # counts, not rates, decide who reaches 95 %: .95 has no exact binary form
    first = np.argmax(hits >= np.ceil(RECALL * p - 1e-9), axis=1)
    false_alarms = (alarms / n)[np.arange(len(hits)), first]
    return tuple(np.where(defined, values, np.nan) for values in (roc, trapezoid, stepped, false_alarms))


def _unit(features: Values) -> NDArray[np.float32]:
    values = np.asarray(features, np.float32)
    length = np.linalg.norm(values, axis=1, keepdims=True)
    unit: NDArray[np.float32] = values / np.where(length > 0, length, 1)
    return unit
