"""Faithfulness of a saliency map: whether it depends on the weights, and whether its salient pixels matter.

The sanity check is the rank correlation with the map of randomised weights (Adebayo et al. 2018). Deletion and
insertion curves are those of Petsiuk et al. 2018.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.extras import require

Floats = NDArray[np.float64]
Predict = Callable[[NDArray[np.float32]], NDArray[Any]]


def spearman(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Rank correlation of two maps of the same shape; NaN if one of them is constant."""
    require("scipy", "evaluation", "Correlating ranks")
    from scipy.stats import spearmanr

    a, b = np.asarray(first, np.float64).ravel(), np.asarray(second, np.float64).ravel()
    if a.size < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(spearmanr(a, b).statistic)


def deletion_curve(
    image: NDArray[np.float32], saliency: NDArray[Any], predict: Predict, steps: int, fill: float = 0.0
) -> Floats:
    """Probability of the class while the most salient pixels are removed, in `steps` equal parts.

    Args:
        image: (band, row, column), standardised.
        saliency: (row, column).
        predict: From images (batch, band, row, column) to the probability of the class (batch,).
        steps: Number of parts.
        fill: Value of removed pixels.

    Returns:
        (steps + 1,), from the whole image to none of it. Lower is better.
    """
    return _curve(image, np.full_like(image, fill), saliency, predict, steps)


def insertion_curve(
    image: NDArray[np.float32], saliency: NDArray[Any], predict: Predict, steps: int, start: NDArray[np.float32]
) -> Floats:
    """Probability of the class while the most salient pixels are inserted into `start`; higher is better.

    Arguments and result as in `deletion_curve`. `start` has the image's shape and is, for example, a blurred image.
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
