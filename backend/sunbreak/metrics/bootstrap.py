"""Bootstrap intervals: how much a metric varies with the sample of patches.

A resample is stored as counts of draws per patch. Metrics that are sums over patches then become one matrix product for
all resamples. Inputs with the same patches share the draws, which keeps their differences paired.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]
Draws = NDArray[np.float32]
LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A metric with its interval.

    Attributes:
        value: The metric on all patches; NaN if undefined.
        low: Lower end of the interval; NaN if there is none.
        high: Upper end of the interval.
    """

    value: float
    low: float = float("nan")
    high: float = float("nan")


def draws(patches: int, replicates: int = 1000, seed: int = 0) -> Draws:
    """How often each patch occurs in each resample with replacement.

    Returns:
        (replicate, patch); every row sums to the number of patches. Counts are exact in float32.

    Raises:
        ValueError: There is no patch or no replicate.
    """
    if patches < 1 or replicates < 1:
        raise ValueError(f"{replicates} resamples of {patches} patches cannot be drawn")
    generator = np.random.default_rng(seed)
    counts = np.empty((replicates, patches), np.float32)
    for row in counts:
        row[:] = np.bincount(generator.integers(0, patches, patches), minlength=patches)
    return counts


def interval(replicates: Values, level: float = LEVEL) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Percentile interval (Efron 1979) over the first axis.

    Resamples in which the metric is undefined (NaN) are left out. If that is more than half of them, there is no
    interval.

    Args:
        replicates: (replicate, ...).
        level: Fraction of the resamples inside.

    Returns:
        Lower and upper ends, each (...).
    """
    values = np.asarray(replicates, np.float64)
    tails = [50 * (1 - level), 50 * (1 + level)]
    missing = np.isnan(values)
    if not missing.any():
        low, high = np.percentile(values, tails, axis=0)
        return low, high
    defined = 2 * missing.sum(axis=0) <= len(values)
    flat = np.where(defined, values, 0.0)
    low, high = np.nanpercentile(flat, tails, axis=0)
    return np.where(defined, low, np.nan), np.where(defined, high, np.nan)


def estimate(value: float, replicates: Values, level: float = LEVEL) -> Estimate:
    """One metric with the interval of its resamples (replicate,)."""
    return estimates(np.asarray([value]), np.asarray(replicates)[:, None], level)[0]


def estimates(values: Values, replicates: Values, level: float = LEVEL) -> list[Estimate]:
    """Several metrics (k,) with the intervals of their resamples (replicate, k)."""
    low, high = interval(replicates, level)
    return [
        Estimate(float(v), float(a), float(b)) if np.isfinite(v) else Estimate(float("nan"))
        for v, a, b in zip(values, low, high, strict=True)
    ]


def mean(values: Values, counts: Draws) -> NDArray[np.float64]:
    """Mean of each resample, (replicate,). Patches without a finite value are left out; NaN where none is left."""
    numbers = np.asarray(values, np.float64)
    known = np.isfinite(numbers)
    # float32 avoids a float64 copy of the draws; counts are small, so the centred sum is accurate
    centre = float(numbers[known].mean()) if known.any() else 0.0
    total = counts @ np.where(known, numbers - centre, 0.0).astype(np.float32)
    weight = counts @ known.astype(np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        result: NDArray[np.float64] = np.where(weight > 0, centre + total.astype(np.float64) / weight, np.nan)
    return result


def estimate_mean(values: Values, counts: Draws, level: float = LEVEL) -> Estimate:
    """The mean of the finite values with its interval."""
    numbers = np.asarray(values, np.float64)
    known = numbers[np.isfinite(numbers)]
    if not known.size:
        return Estimate(float("nan"))
    return estimate(float(known.mean()), mean(values, counts), level)


def spearman(x: Values, y: Values, counts: Draws | None = None) -> NDArray[np.float64]:
    """Spearman's rank correlation, equal values sharing the mean of their ranks.

    Args:
        x: (patch,), finite.
        y: (patch,), finite.
        counts: (replicate, patch); one resample of every patch once if left out.

    Returns:
        (replicate,); NaN where either side is constant.
    """
    weights = np.ones((1, len(x)), np.float32) if counts is None else counts
    result = np.empty(len(weights))
    # in slices that fit into the cache
    for start in range(0, len(weights), 64):
        part = weights[start : start + 64].astype(np.float64)
        a, b = _centred_ranks(np.asarray(x), part), _centred_ranks(np.asarray(y), part)
        spread = np.sqrt((part * a**2).sum(axis=1) * (part * b**2).sum(axis=1))
        with np.errstate(invalid="ignore", divide="ignore"):
            result[start : start + 64] = np.where(spread > 0, (part * a * b).sum(axis=1) / spread, np.nan)
    return result


def _centred_ranks(values: Values, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank of each patch within each resample, less the mean rank."""
    distinct, place = np.unique(values, return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(distinct)))
    sizes = np.add.reduceat(weights[:, order], starts, axis=1)
    ranks: NDArray[np.float64] = np.cumsum(sizes, axis=1) - sizes / 2
    middle = weights.sum(axis=1, keepdims=True) / 2
    centred: NDArray[np.float64] = (ranks - middle)[:, place]
    return centred
