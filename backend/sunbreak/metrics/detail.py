"""How much fine detail a prediction keeps, which averages of error do not show: they reward blur.

1 is as much as the target has, less is blurred, more is noise. Images are (band, row, column) on [0, 1].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, rfft2
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
    ours, theirs = gradient_magnitude(prediction), gradient_magnitude(target)
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


def gradient_magnitude(image: Image) -> NDArray[np.float64]:
    """Sobel gradient magnitude of (band, row, column); NaN where one of the eight neighbours is."""
    # band by band: sobel smooths along every other axis of what it is given, the bands too
    magnitude: NDArray[np.float64] = np.empty(image.shape)
    for values, out in zip(np.asarray(image, np.float64), magnitude, strict=True):
        np.hypot(sobel(values, axis=0), sobel(values, axis=1), out=out)
    return magnitude


def high_frequency_part(image: Image) -> NDArray[np.float32]:
    """What `high_frequency_ratio` takes the power of, as an image (band, row, column): its squares show where it lies.

    The sum of the squares over all pixels is the power, up to a factor that all images of one size share (Parseval).
    """
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
