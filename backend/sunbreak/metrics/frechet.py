"""Frechet distance between two sets of features, exact at any rank, and a multi-label inception-like score."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Features = NDArray[Any]


def frechet_distance(x: Features, y: Features) -> float:
    """Squared Frechet (Wasserstein-2) distance between Gaussians fitted to two sets of features (Heusel et al. 2017).

    |mu1 - mu2|^2 + tr(S1) + tr(S2) - 2 tr((S1 S2)^(1/2)). With centred features A, B scaled by their degrees of
    freedom, the last trace is the nuclear norm of A B^T. No matrix square root is needed, so the distance is exact for
    fewer samples than features and for identical sets.

    Args:
        x: (sample, feature), at least two samples.
        y: (sample, feature).

    Raises:
        ValueError: The widths differ or a set has fewer than two samples.
    """
    a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(f"feature sets of shapes {a.shape} and {b.shape} cannot be compared")
    if min(len(a), len(b)) < 2:
        raise ValueError("a set of fewer than two samples has no covariance")
    shift = a.mean(axis=0) - b.mean(axis=0)
    a = (a - a.mean(axis=0)) / np.sqrt(len(a) - 1)
    b = (b - b.mean(axis=0)) / np.sqrt(len(b) - 1)
    # the triangular factor has the same covariance and at most as many rows as features
    return distance_of_factors(shift, _compact(a), _compact(b))


def distance_of_factors(shift: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """The same distance from the difference of the means and factors of the covariances.

    Args:
        shift: (feature,) difference of the means.
        a: (any, feature) with a^T a the covariance of the first set.
        b: (any, feature) likewise for the second set.
    """
    overlap = np.linalg.norm(a @ b.T, "nuc")
    return float(max(shift @ shift + (a**2).sum() + (b**2).sum() - 2 * overlap, 0.0))


def _compact(scaled: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(scaled) <= scaled.shape[1]:
        return scaled
    factor: NDArray[np.float64] = np.asarray(np.linalg.qr(scaled, mode="r"))
    return factor


def multilabel_score(probabilities: Features) -> float:
    """Inception-like score for labels: exp(E_x sum_l KL(Bern p_l(x) || Bern mean p_l)); a collapsed set scores 1.

    Args:
        probabilities: (sample, label) in [0, 1].
    """
    p = np.clip(np.asarray(probabilities, np.float64), 0, 1)
    mean = p.mean(axis=0)
    divergence = _relative_entropy(p, mean) + _relative_entropy(1 - p, 1 - mean)
    return float(np.exp(divergence.sum(axis=1).mean()))


def _relative_entropy(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        terms: NDArray[np.float64] = np.where(p > 0, p * (np.log(p) - np.log(q)), 0.0)
    return terms
