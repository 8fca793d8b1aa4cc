"""Sharpness of a prediction relative to its target. Mean errors do not show it, because they reward blur.

1 is as sharp as the target, less is blurred, more is noise. Images are (band, row, column) on [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.extras import require

Image = NDArray[Any]

_HIGH = 0.25
_FLAT = 1e-6


def gradient_ratio(prediction: Image, target: Image, mask: NDArray[np.bool_] | None = None) -> float:
    """Ratio of the mean Sobel gradient magnitudes of prediction and target, over all bands.

    Args:
        prediction: (band, row, column).
        target: (band, row, column).
        mask: (row, column); only gradients at these pixels count.

    Returns:
        The ratio; NaN if the target has no gradient.
    """
    ours, theirs = gradient_magnitude(prediction), gradient_magnitude(target)
    if mask is not None:
        ours, theirs = ours[:, mask], theirs[:, mask]
    reference = theirs.mean() if theirs.size else 0.0
    return float(ours.mean() / reference) if reference > 0 else float("nan")


def high_frequency_ratio(prediction: Image, target: Image) -> float:
    """Ratio of the power above a quarter of the sampling frequency, prediction to target, over all bands.

    A Hann window prevents image borders from counting as detail.

    Returns:
        The ratio; NaN where the target has no such power.
    """
    reference = _high_power(target)
    return _high_power(prediction) / reference if reference > 0 else float("nan")


def luminance_correlation(
    prediction: Image, target: Image, mask: NDArray[np.bool_] | None = None, visible: Sequence[int] = (1, 2, 3)
) -> float:
    """Pearson correlation of the mean of the visible bands: whether what is bright is bright, whatever the contrast.

    Args:
        prediction: (band, row, column).
        target: (band, row, column).
        mask: (row, column); only these pixels count.
        visible: Indices of blue, green and red.

    Returns:
        -1 to 1; 0 for a prediction without contrast, NaN for a target without one.
    """
    ours, theirs = (image[list(visible)].mean(axis=0, dtype=np.float64) for image in (prediction, target))
    chosen = np.ones(ours.shape, bool) if mask is None else mask
    ours, theirs = ours[chosen], theirs[chosen]
    if not theirs.size or theirs.std() < _FLAT:
        return float("nan")
    return float(np.corrcoef(ours, theirs)[0, 1]) if ours.std() >= _FLAT else 0.0


def gradient_magnitude(image: Image) -> NDArray[np.float64]:
    """Sobel gradient magnitude of (band, row, column); NaN where one of the eight neighbours is."""
    require("scipy", "evaluation", "Comparing images")
    from scipy.ndimage import sobel

    # band by band: sobel smooths along all other axes, which must not include the bands
    magnitude: NDArray[np.float64] = np.empty(image.shape)
    for values, out in zip(np.asarray(image, np.float64), magnitude, strict=True):
        np.hypot(sobel(values, axis=0), sobel(values, axis=1), out=out)
    return magnitude


def high_frequency_part(image: Image) -> NDArray[np.float32]:
    """The high-frequency part of an image (band, row, column), whose power `high_frequency_ratio` compares.

    The sum of the squares over all pixels is the power, up to a factor that all images of one size share (Parseval).
    """
    require("scipy", "evaluation", "Comparing images")
    from scipy.fft import irfft2, rfft2

    values = np.asarray(image, np.float32)
    rows, columns = values.shape[1:]
    window = np.outer(np.hanning(rows), np.hanning(columns)).astype(np.float32)
    spectrum = rfft2((values - values.mean(axis=(1, 2), keepdims=True)) * window)
    frequency = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None])
    spectrum[:, frequency <= _HIGH] = 0
    part: NDArray[np.float32] = irfft2(spectrum, (rows, columns))
    return part


def _high_power(image: Image) -> float:
    values = np.asarray(image, np.float64)
    rows, columns = values.shape[1:]
    window = np.outer(np.hanning(rows), np.hanning(columns))
    spectrum = np.fft.fft2((values - values.mean(axis=(1, 2), keepdims=True)) * window)
    frequency = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)[None])
    return float((np.abs(spectrum[:, frequency > _HIGH]) ** 2).sum())
