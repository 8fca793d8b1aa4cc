"""Calibration of a predicted sigma, pixel by pixel.

Errors and sigmas are arrays of the same shape with the band first: (band, ...), in reflectance.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]


def coverage(error: Values, sigma: Values, width: float = 1.96) -> float:
    """Fraction of the errors within `width` sigma. A calibrated Gaussian gives .683 for 1 and .950 for 1.96."""
    inside = np.abs(error) <= width * np.asarray(sigma)
    return float(inside.mean()) if inside.size else float("nan")


def temperature(error: Values, sigma: Values) -> NDArray[np.float64]:
    """The factor on sigma of each band that maximises the Gaussian likelihood: the root mean square of error / sigma.

    One scalar per band: temperature scaling (Guo et al. 2017), applied to regression.

    Returns:
        (band,); 1 for a band without values.
    """
    z = (np.asarray(error, np.float64) / np.asarray(sigma, np.float64)).reshape(len(error), -1)
    if not z.shape[1]:
        return np.ones(len(z))
    factor: NDArray[np.float64] = np.sqrt(np.mean(z**2, axis=1))
    return factor


def interval_factor(error: Values, sigma: Values, width: float = 1.96, share: float = 0.95) -> NDArray[np.float64]:
    """The factor on sigma of each band with which `share` of the errors lie within `width` sigma.

    A quantile of the errors relative to sigma, as in split conformal prediction (Angelopoulos and Bates 2021). A few
    errors that are far too large, as of a roof that was taken for a cloud, do not widen it, unlike `temperature`.

    Returns:
        (band,); 1 for a band without values.
    """
    z = (np.abs(np.asarray(error, np.float64)) / np.asarray(sigma, np.float64)).reshape(len(error), -1)
    if not z.shape[1]:
        return np.ones(len(z))
    factor: NDArray[np.float64] = np.quantile(z, share, axis=1) / width
    return factor


def expected_calibration_error(error: Values, sigma: Values, bins: int = 15) -> float:
    """Mean difference of predicted and observed error in quantile bins of sigma (Levi et al. 2022, unnormalised ENCE).

    In each bin the root mean square of sigma is compared with the root mean square of the error. Bins are weighted by
    their size.
    """
    spread, found = np.asarray(sigma, np.float64).ravel(), np.asarray(error, np.float64).ravel()
    order = np.argsort(spread, kind="stable")
    total = 0.0
    for part in np.array_split(order, bins):
        if part.size:
            total += part.size * abs(np.sqrt(np.mean(spread[part] ** 2)) - np.sqrt(np.mean(found[part] ** 2)))
    return float(total / max(order.size, 1))


def sparsification(error: Values, sigma: Values, steps: int = 20) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Error of the remaining pixels after the most uncertain fraction is removed (Ilg et al. 2018).

    Returns:
        Removed fractions, from 0 to 1 - 1/steps, and the root mean square error of the rest at each.
    """
    squares = np.asarray(error, np.float64).ravel() ** 2
    kept = squares[np.argsort(np.asarray(sigma).ravel(), kind="stable")]
    running = np.cumsum(kept) / np.arange(1, kept.size + 1)
    shares = np.arange(steps) / steps
    counts = np.maximum(np.ceil((1 - shares) * kept.size).astype(int), 1)
    return shares, np.sqrt(running[counts - 1])


def sparsification_area(error: Values, sigma: Values, steps: int = 20) -> float:
    """Area between the sparsification curve and that of an oracle that ranks by error, divided by the total error.

    0 means that sigma ranks pixels as their errors do.
    """
    _, ours = sparsification(error, sigma, steps)
    _, oracle = sparsification(error, np.abs(error), steps)
    return float(np.mean(ours - oracle) / ours[0]) if ours[0] > 0 else 0.0


def image_calibration_error(errors: list[Values], sigmas: list[Values], bins: int = 10) -> float:
    """The UCE of Ebel et al. 2023 (after Guo et al. 2017), for comparison with the paper: one point per image.

    Images are binned by the root of their mean variance, which is compared with the absolute mean of their *signed*
    errors. Errors of opposite sign cancel, so this is not a calibration of pixels.
    """
    spread = np.array([np.sqrt(np.mean(np.asarray(sigma, np.float64) ** 2)) for sigma in sigmas])
    found = np.array([np.mean(np.asarray(error, np.float64)) for error in errors])
    edges = np.linspace(spread.min(), spread.max() + 1e-12, bins + 1)
    total = 0.0
    for low, high in pairwise(edges):
        here = (spread >= low) & (spread < high)
        if here.any():
            total += here.mean() * abs(spread[here].mean() - np.sqrt(np.mean(found[here] ** 2)))
    return float(total)
