"""The latent vectors of a generator of several possible images, and the moments of these images.

A scene is cleaned with the same vectors in all its tiles and all its runs. They are drawn by numpy, so that a runtime
without torch has them too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sunbreak.models.card import ModelCard

Array = NDArray[np.float32]


def draw_latents(card: ModelCard) -> Array | None:
    """Standard normal latent vectors of a model, (sample, length), by its card's seed; None where it takes none."""
    length, samples = card.arguments.get("latent", 0), card.arguments.get("samples", 1)
    if not length:
        return None
    drawn = np.random.default_rng(card.arguments["seed"]).standard_normal((samples, length))
    return np.asarray(drawn, np.float32)


class RunningMoments:
    """Mean and variance of images that come one by one (Welford 1962): memory for one, whatever their number."""

    def __init__(self) -> None:
        self._count = 0
        self._mean: Array = np.zeros(0, np.float32)
        self._squares: Array = np.zeros(0, np.float32)

    def add(self, image: Array) -> None:
        """Take one more image, of any shape."""
        self._count += 1
        if self._count == 1:
            self._mean, self._squares = image.copy(), np.zeros_like(image)
            return
        change = image - self._mean
        self._mean += change / np.float32(self._count)
        self._squares += change * (image - self._mean)

    def moments(self) -> Array:
        """Mean, then mean of the square (by the variance with divisor n - 1), stacked along the first axis."""
        variance = self._squares / np.float32(max(self._count - 1, 1))
        return np.concatenate((self._mean, self._mean * self._mean + variance))
