"""Area of classes adjusted for classification error (Olofsson et al. 2014, equations 9 to 11).

Pixel counts of a map are biased where the classifier confuses classes. A confusion matrix of reference pixels says what
part of each mapped class belongs to which class in truth; applied to the mapped areas it gives unbiased areas with a
standard error. The strata are the mapped classes.

P. Olofsson, G. M. Foody, M. Herold, S. V. Stehman, C. E. Woodcock, M. A. Wulder: Good practices for estimating area
and assessing accuracy of land change. Remote Sensing of Environment 148, 42-57, 2014.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float = NDArray[np.float64]

_Z95 = 1.96  # of the normal distribution, as in the paper


@dataclass(frozen=True)
class AdjustedAreas:
    """Areas by class, in the unit of the mapped areas.

    Attributes:
        area: Adjusted for classification error, (class,).
        half_width: Half of the 95 % confidence interval, (class,): 1.96 standard errors.
    """

    area: Float
    half_width: Float


def adjusted_areas(confusion: ArrayLike, mapped: ArrayLike) -> AdjustedAreas | None:
    """The areas of classes adjusted for classification error.

    Args:
        confusion: Counts of reference pixels, (label, prediction).
        mapped: Area of each class on the map, (class,), not negative.

    Returns:
        The adjusted areas. None where they are not defined: nothing is mapped, or a mapped class has fewer than two
        reference pixels that were predicted as it.

    Raises:
        ValueError: The shapes do not fit, or a number is negative or not finite.
    """
    counts, areas = np.asarray(confusion, float), np.asarray(mapped, float)
    if counts.ndim != 2 or counts.shape != (len(counts), len(counts)) or areas.shape != (len(counts),):
        raise ValueError(f"a confusion of {counts.shape} does not fit {areas.shape} areas")
    if not (np.isfinite(counts).all() and np.isfinite(areas).all() and (counts >= 0).all() and (areas >= 0).all()):
        raise ValueError("counts and areas must be finite and not negative")
    total = areas.sum()
    there = areas > 0
    if total <= 0 or (counts.sum(axis=0)[there] < 2).any():
        return None
    weights = (areas / total)[there, None]  # W_i
    sampled = counts.T[there]  # n_ij: mapped class i, reference class j
    sizes = sampled.sum(axis=1, keepdims=True)  # n_i.
    parts = sampled / sizes
    proportions = (weights * parts).sum(axis=0)  # equation 9
    variances = (weights**2 * parts * (1 - parts) / (sizes - 1)).sum(axis=0)  # equation 10
    return AdjustedAreas(total * proportions, _Z95 * total * np.sqrt(variances))  # equation 11
