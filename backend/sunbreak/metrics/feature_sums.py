"""Sums for the Frechet distance and the inception-like score, accumulated batch by batch.

Memory does not depend on the number of images: stored are the mean, a triangular factor of the scatter (exact at any
rank) and the moments of each bootstrap resample. Resamples weight every image by a Poisson draw, so the images are read
once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.metrics.bootstrap import LEVEL, Estimate
from sunbreak.metrics.frechet import distance_of_factors

Float = NDArray[np.float64]


class FeatureSums:
    """Accumulates features (image, width) and probabilities (image, label).

    Args:
        width: Features per image.
        labels: Probabilities per image.
        replicates: Resamples for intervals; 0 for none. Each takes width x width float64.
        seed: Of the resamples.
    """

    def __init__(self, width: int, labels: int, replicates: int = 0, seed: int = 0) -> None:
        self.width, self.labels, self.replicates = width, labels, replicates
        self.count = 0
        self._random = np.random.default_rng(seed)
        self._origin: Float | None = None
        # R of the QR decomposition of [1, features]: its first row holds the mean, the others a factor of the scatter
        self._r = np.zeros((0, width + 1))
        self._p = np.zeros((1 + replicates, labels))
        self._entropy = np.zeros(1 + replicates)
        self._weight = np.zeros(replicates)
        self._sum = np.zeros((replicates, width))
        self._squares = np.zeros((replicates, width, width))

    def add(self, features: NDArray[Any], probabilities: NDArray[Any]) -> None:
        """Add a batch.

        Raises:
            ValueError: A shape does not match, or a feature is not finite.
        """
        x, p = np.asarray(features, np.float64), np.clip(np.asarray(probabilities, np.float64), 0, 1)
        if x.shape != (len(x), self.width) or p.shape != (len(x), self.labels):
            raise ValueError(f"features {x.shape} and probabilities {p.shape} do not fit ({self.width}, {self.labels})")
        if not (np.isfinite(x).all() and np.isfinite(p).all()):
            raise ValueError("a feature is not finite")
        if not len(x):
            return
        if self._origin is None:
            # keeps precision if the mean is far from 0
            self._origin = x.mean(axis=0)
        x = x - self._origin
        stacked = np.concatenate([self._r, np.concatenate([np.ones((len(x), 1)), x], axis=1)])
        self._r = np.asarray(np.linalg.qr(stacked, mode="r"))
        self.count += len(x)
        weights = self._random.poisson(1.0, (self.replicates, len(x))).astype(np.float64)
        self._weight += weights.sum(axis=1)
        self._sum += weights @ x
        for total, weight in zip(self._squares, weights, strict=True):
            total += x.T @ (x * weight[:, None])
        every = np.concatenate([np.ones((1, len(x))), weights])
        self._p += every @ p
        self._entropy += every @ _entropy(p).sum(axis=1)

    def mean(self) -> Float:
        """Mean feature, (width,)."""
        self._check()
        mean: Float = self._origin + self._r[0, 1:] / self._r[0, 0]
        return mean

    def factor(self) -> Float:
        """(at most width, width) whose product with its transpose is the unbiased covariance."""
        self._check()
        factor: Float = self._r[1:, 1:] / np.sqrt(self.count - 1)
        return factor

    def resample(self, number: int) -> tuple[Float, Float]:
        """Mean and factor of one resample."""
        self._check()
        weight = max(self._weight[number], 2.0)
        mean = self._sum[number] / weight
        scatter = self._squares[number] - weight * np.outer(mean, mean)
        values, vectors = np.linalg.eigh(scatter / (weight - 1))
        factor: Float = np.sqrt(np.maximum(values, 0))[:, None] * vectors.T
        return self._origin + mean, factor

    def scores(self) -> Float:
        """The inception-like score of the set, then that of each resample.

        The score exp(E_x sum_l KL(Bern p_l(x) || Bern mean p_l)) is exp(entropy of the mean - mean entropy), so sums
        suffice.
        """
        self._check()
        weight = np.concatenate([[self.count], np.maximum(self._weight, 1)])
        spread = _entropy(np.clip(self._p / weight[:, None], 0, 1)).sum(axis=1) - self._entropy / weight
        scores: Float = np.exp(np.maximum(spread, 0))
        return scores

    def _check(self) -> None:
        if self.count < 2:
            raise ValueError(f"a set of {self.count} images has no covariance")


@dataclass(frozen=True)
class Distance:
    """How far set A is from the reference set B.

    Attributes:
        frechet: Frechet distance with its interval.
        bias: Mean increase of the distance by resampling; approximates the bias of the distance itself.
        score: Inception-like score of A: variety of the labels over the images; a collapsed set scores 1.
        reference_score: The score of B.
        layer: Layer of the features.
        width: Number of features.
        counts: Images in A and B.
    """

    frechet: Estimate
    bias: float
    score: Estimate
    reference_score: Estimate
    layer: str
    width: int
    counts: tuple[int, int]

    @property
    def bound(self) -> float:
        """Score below which A counts as collapsed: half the label information of B, in nats."""
        return float(np.sqrt(self.reference_score.value))

    @property
    def collapsed(self) -> bool:
        """Whether A, if it was generated, suffers from mode collapse."""
        return self.score.value < self.bound

    @property
    def deficient(self) -> bool:
        """Whether a set has at most as many images as features, so that its covariance is rank deficient."""
        return min(self.counts) <= self.width

    def text(self) -> str:
        """The distance with its interval, layer and counts."""
        between = f" ({self.frechet.low:.4g} to {self.frechet.high:.4g})" if np.isfinite(self.frechet.low) else ""
        counts = f"{self.counts[0]} and {self.counts[1]} images"
        return f"Frechet distance {self.frechet.value:.4g}{between} in {self.width} features of {self.layer}, {counts}"

    def figures(self) -> dict[str, float | str | int | bool]:
        """All values by name."""
        return {
            "frechet": self.frechet.value,
            "frechet_low": self.frechet.low,
            "frechet_high": self.frechet.high,
            "bias": self.bias,
            "score": self.score.value,
            "score_low": self.score.low,
            "score_high": self.score.high,
            "reference_score": self.reference_score.value,
            "collapse_bound": self.bound,
            "collapsed": self.collapsed,
            "layer": self.layer,
            "width": self.width,
            "images": self.counts[0],
            "reference_images": self.counts[1],
        }


def distance(a: FeatureSums, b: FeatureSums, layer: str) -> Distance:
    """Compare two sets of features.

    Resampled sets repeat images, which increases their distance. The interval is therefore the spread of the resampled
    distances, centred on the distance itself; `bias` is their mean increase.

    Args:
        a: The evaluated set.
        b: The reference.
        layer: Name of the layer, for the text.

    Raises:
        ValueError: The widths differ, or a set has fewer than two images.
    """
    if a.width != b.width:
        raise ValueError(f"{a.width} and {b.width} features cannot be compared")
    value = distance_of_factors(a.mean() - b.mean(), a.factor(), b.factor())
    replicates = []
    for number in range(min(a.replicates, b.replicates)):
        (mean_a, factor_a), (mean_b, factor_b) = a.resample(number), b.resample(number)
        replicates.append(distance_of_factors(mean_a - mean_b, factor_a, factor_b))
    low = high = bias = float("nan")
    if replicates:
        bias = float(np.mean(replicates)) - value
        low, high = (max(value + tail, 0.0) for tail in _tails(np.array(replicates) - value - bias))
    return Distance(Estimate(value, low, high), bias, _score(a), _score(b), layer, a.width, (a.count, b.count))


def _score(sums: FeatureSums) -> Estimate:
    score, *replicates = sums.scores()
    if not replicates:
        return Estimate(float(score))
    low, high = _tails(np.array(replicates))
    return Estimate(float(score), low, high)


def _tails(values: Float) -> tuple[float, float]:
    low, high = np.percentile(values, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return float(low), float(high)


def _entropy(p: Float) -> Float:
    """Entropy of Bernoulli distributions in nats, elementwise."""
    q = 1 - p
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy: Float = -(np.where(p > 0, p * np.log(p), 0.0) + np.where(q > 0, q * np.log(q), 0.0))
    return entropy
