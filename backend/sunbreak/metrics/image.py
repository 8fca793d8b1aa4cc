"""Image quality of a prediction against its target, as in the cloud-removal literature.

Images are (band, row, column) in reflectance on [0, 1]. Values that are NaN in either image are left out; `mask` (row,
column) restricts a metric to the pixels where it is True. Metrics of a data set are means over its images.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sunbreak.extras import require

Image = NDArray[Any]
Mask = NDArray[np.bool_] | None
Convention = Literal["uncrtaints", "scikit-image"]

_C1, _C2 = 0.01**2, 0.03**2
_SIGMA, _SIDE = 1.5, 11
SSIM_REACH = _SIDE // 2


def rmse(prediction: Image, target: Image, mask: Mask = None) -> float:
    """Root mean squared error over all bands and pixels; NaN if there is none."""
    error = _differences(prediction, target, mask)
    return float(np.sqrt(np.mean(np.square(error)))) if error.size else float("nan")


def mae(prediction: Image, target: Image, mask: Mask = None) -> float:
    """Mean absolute error over all bands and pixels; NaN if there is none."""
    error = _differences(prediction, target, mask)
    return float(np.mean(np.abs(error))) if error.size else float("nan")


def psnr(prediction: Image, target: Image, mask: Mask = None) -> float:
    """Peak signal-to-noise ratio in dB for a peak of 1: 20 log10(1 / RMSE). Infinite for identical images."""
    error = rmse(prediction, target, mask)
    return float("inf") if error == 0 else float(-20 * np.log10(error))


def sam_degrees(prediction: Image, target: Image, mask: Mask = None) -> float:
    """Spectral angle mapper (Kruse et al. 1993): mean angle between the spectra of each pixel, in degrees.

    Pixels with a zero spectrum in either image are left out; NaN if none is left.
    """
    angles = spectral_angles(prediction, target)
    if mask is not None:
        angles = angles[mask]
    known = np.isfinite(angles)
    return float(angles[known].mean()) if known.any() else float("nan")


def spectral_angles(prediction: Image, target: Image) -> NDArray[np.float64]:
    """The angle between the spectra of each pixel, (row, column) in degrees; NaN where one of them is zero or unknown.

    Uses float64 and the half-angle formula (Kahan), which is accurate for small angles, unlike the arc cosine.
    """
    a, b = np.asarray(prediction, np.float64), np.asarray(target, np.float64)
    length_a, length_b = np.sqrt((a**2).sum(axis=0)), np.sqrt((b**2).sum(axis=0))
    known = (length_a > 0) & (length_b > 0)
    u, v = a[:, known] / length_a[known], b[:, known] / length_b[known]
    angles = np.full(known.shape, np.nan)
    half = np.arctan2(np.sqrt(((u - v) ** 2).sum(axis=0)), np.sqrt(((u + v) ** 2).sum(axis=0)))
    angles[known] = np.degrees(2 * half)
    return angles


def ssim(prediction: Image, target: Image, *, convention: Convention = "uncrtaints") -> float:
    """Structural similarity (Wang et al. 2004), mean over bands and pixels, for a data range of 1.

    Args:
        prediction: (band, row, column).
        target: (band, row, column).
        convention: ``uncrtaints``: Gaussian window 11 x 11 with sigma 1.5, zeros beyond the edge. ``scikit-image``: the
            same window with mirrored edges, and the 5 pixels at every edge left out (`gaussian_weights=True`,
            `use_sample_covariance=False`).
    """
    index = ssim_map(prediction, target, convention=convention)
    if convention == "scikit-image":
        edge = SSIM_REACH
        index = index[:, edge:-edge, edge:-edge]
    return float(np.nanmean(index)) if np.isfinite(index).any() else float("nan")


def ssim_map(prediction: Image, target: Image, *, convention: Convention = "uncrtaints") -> NDArray[np.float64]:
    """Structural similarity of each band at each pixel, (band, row, column); see `ssim`.

    A pixel depends on the `SSIM_REACH` pixels around it and is NaN if one of them is. A crop with a halo of that width
    therefore has the same values as the whole image.
    """
    x, y = np.asarray(prediction, np.float64), np.asarray(target, np.float64)
    blur = _zero_padded if convention == "uncrtaints" else _mirrored
    mean_x, mean_y = blur(x), blur(y)
    variance_x, variance_y = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2
    covariance = blur(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x**2 + mean_y**2 + _C1)
    structure = (2 * covariance + _C2) / (variance_x + variance_y + _C2)
    index: NDArray[np.float64] = luminance * structure
    return index


def _differences(prediction: Image, target: Image, mask: Mask) -> NDArray[np.float64]:
    error = np.asarray(prediction, np.float64) - np.asarray(target, np.float64)
    if mask is not None:
        error = error[:, mask]
    known: NDArray[np.float64] = error[np.isfinite(error)]
    return known


def _zero_padded(image: NDArray[np.float64]) -> NDArray[np.float64]:
    require("scipy", "evaluation", "Comparing images")
    from scipy.ndimage import correlate1d

    offset = np.arange(_SIDE) - _SIDE // 2
    weights = np.exp(-(offset**2) / (2 * _SIGMA**2))
    weights /= weights.sum()
    rows = correlate1d(image, weights, axis=1, mode="constant")
    blurred: NDArray[np.float64] = correlate1d(rows, weights, axis=2, mode="constant")
    return blurred


def _mirrored(image: NDArray[np.float64]) -> NDArray[np.float64]:
    require("scipy", "evaluation", "Comparing images")
    from scipy.ndimage import gaussian_filter

    # truncated at 3.5 sigma, that is after 5 pixels
    blurred: NDArray[np.float64] = gaussian_filter(image, (0, _SIGMA, _SIGMA), truncate=3.5, mode="reflect")
    return blurred
