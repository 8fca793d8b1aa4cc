"""Random fields with power spectra of natural patterns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


def fractal(
    rng: np.random.Generator,
    shape: tuple[int, int],
    slope: float,
    *,
    longest: float = 0.0,
    stretch: tuple[float, float] = (1, 1),
) -> Field:
    """A Gaussian field with a power spectrum of frequency to the power of `-slope`; zero mean, unit variance.

    Args:
        rng: Source of randomness.
        shape: (rows, columns).
        slope: 2 is rough, 4 is smooth.
        longest: Longest wavelength in pixels; longer ones are damped. 0 damps none.
        stretch: Factors on the wavelengths along rows and columns.
    """
    rows, columns = shape
    # cropped from a larger field, because a Fourier series is periodic
    high, wide = rows + rows // 2 + 8, columns + columns // 2 + 8
    fy = np.fft.fftfreq(high)[:, None] * stretch[0]
    fx = np.fft.rfftfreq(wide)[None] * stretch[1]
    frequency = np.hypot(fy, fx)
    floor = 1 / longest if longest else 1 / max(high, wide)
    amplitude: NDArray[np.float64] = np.maximum(frequency, floor) ** (-slope / 2)
    amplitude[0, 0] = 0
    phase = rng.normal(size=(2, *frequency.shape))
    field = np.fft.irfft2(amplitude * (phase[0] + 1j * phase[1]), s=(high, wide))[:rows, :columns]
    result: Field = ((field - field.mean()) / (field.std() + 1e-12)).astype(np.float32)
    return result


def between_zero_and_one(field: Field) -> Field:
    """Ranks of the values of a field, evenly spread over [0, 1]."""
    order = field.ravel().argsort().argsort().astype(np.float32)
    ranks: Field = (order / np.float32(max(order.size - 1, 1))).reshape(field.shape)
    return ranks
