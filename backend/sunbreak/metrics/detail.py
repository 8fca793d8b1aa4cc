"""How much fine detail a prediction keeps, which averages of error do not show: they reward blur.

1 is as much as the target has, less is blurred, more is noise. Images are (band, row, column) on [0, 1].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import sobel

Image = NDArray[Any]

_HIGH = 0.25


def gradient_ratio(prediction: Image, target: Image, mask: NDArray[np.bool_] | None = None) -> float:
    """Mean Sobel gradient magnitude of the prediction over that of the target, all bands together.

    Args:
        prediction: (band, row, column).
        target: (band, row, column).
        mask: (row, column); only gradients at these pixels count.

    Returns:
        The ratio; NaN where the target has no gradient at all.
    """
    ours, theirs = _gradient(prediction), _gradient(target)
    if mask is not None:
        ours, theirs = ours[:, mask], theirs[:, mask]
    reference = theirs.mean() if theirs.size else 0.0
    return float(ours.mean() / reference) if reference > 0 else float("nan")


def high_frequency_ratio(prediction: Image, target: Image) -> float:
    """Power above a quarter of the sampling frequency, prediction over target, all bands together.

    A Hann window keeps the edges of the image from counting as detail.

    Returns:
        The ratio; NaN where the target has no such power.
    """
    reference = _high_power(target)
    return _high_power(prediction) / reference if reference > 0 else float("nan")


def _gradient(image: Image) -> NDArray[np.float64]:
    values = np.asarray(image, np.float64)
    magnitude: NDArray[np.float64] = np.hypot(sobel(values, axis=1), sobel(values, axis=2))
    return magnitude


def _high_power(image: Image) -> float:
    values = np.asarray(image, np.float64)
    rows, columns = values.shape[1:]
    window = np.outer(np.hanning(rows), np.hanning(columns))
    spectrum = np.fft.fft2((values - values.mean(axis=(1, 2), keepdims=True)) * window)
    frequency = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)[None])
    return float((np.abs(spectrum[:, frequency > _HIGH]) ** 2).sum())
