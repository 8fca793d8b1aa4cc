"""Whether a saliency map is worth anything: does it depend on the weights, and do the pixels it names matter?

Rank correlation with the map of randomised weights is the sanity check of Adebayo et al. 2018; deletion and insertion
curves are those of Petsiuk et al. 2018.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

Floats = NDArray[np.float64]
Predict = Callable[[NDArray[np.float32]], NDArray[Any]]


def spearman(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Rank correlation of two maps of the same shape; NaN if one of them is constant."""
    a, b = np.asarray(first, np.float64).ravel(), np.asarray(second, np.float64).ravel()
    if a.size < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(spearmanr(a, b).statistic)


def deletion_curve(
    image: NDArray[np.float32], saliency: NDArray[Any], predict: Predict, steps: int, fill: float = 0.0
) -> Floats:
    """Probability of the class while the most salient pixels go, in `steps` equal shares.

    Args:
        image: (band, row, column), standardised.
        saliency: (row, column).
        predict: From images (batch, band, row, column) to the probability of the class (batch,).
        steps: How many shares.
        fill: What takes the place of a pixel that went.

    Returns:
        (steps + 1,), from the whole image to nothing. Low curves are good.
    """
    return _curve(image, np.full_like(image, fill), saliency, predict, steps)


def insertion_curve(
    image: NDArray[np.float32], saliency: NDArray[Any], predict: Predict, steps: int, start: NDArray[np.float32]
) -> Floats:
    """Probability of the class while the most salient pixels come into `start`, such as a blurred image; high is good.

    Arguments and result as in `deletion_curve`; `start` has the image's shape.
    """
    return _curve(start, image, saliency, predict, steps)


def area(curve: NDArray[Any]) -> float:
    """Area under a curve over [0, 1], by trapezoid."""
    values = np.asarray(curve, np.float64)
    return float(((values[1:] + values[:-1]) / 2).mean())


def _curve(
    first: NDArray[np.float32], last: NDArray[np.float32], saliency: NDArray[Any], predict: Predict, steps: int
) -> Floats:
    """From `first` to `last`, the most salient pixels first."""
    order = np.argsort(-np.asarray(saliency, np.float64).ravel(), kind="stable")
    edges = np.linspace(0, order.size, steps + 1).round().astype(int)
    current = first.reshape(len(first), -1).copy()
    target = last.reshape(len(last), -1)
    images = [current.reshape(first.shape).copy()]
    for begin, end in pairwise(edges):
        chosen = order[begin:end]
        current[:, chosen] = target[:, chosen]
        images.append(current.reshape(first.shape).copy())
    return np.concatenate([np.asarray(predict(image[None]), np.float64) for image in images])
