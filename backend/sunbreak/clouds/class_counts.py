"""How many pixels of a scene belong to each class, counted block by block."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sunbreak.clouds.classes import CLEAR, SHADOW, THICK_CLOUD, THIN_CLOUD, Classes

_KINDS = SHADOW + 1


class ClassCounts:
    """Pixels by class; those without data do not count."""

    def __init__(self) -> None:
        self._pixels = np.zeros(_KINDS, np.int64)

    def add(self, classes: Classes) -> None:
        """Count more pixels, of any shape."""
        self._pixels += [np.count_nonzero(classes == code) for code in range(_KINDS)]

    @property
    def valid(self) -> int:
        """Pixels with data."""
        return int(self._pixels.sum())

    @property
    def clear(self) -> int:
        """Clear pixels."""
        return int(self._pixels[CLEAR])

    def shares(self) -> dict[str, float]:
        """Fractions of the valid pixels: ``cloud_share`` (thick and thin), ``thin_cloud_share``, ``shadow_share``."""
        thick, thin, shadow = (self._pixels[code] / max(self.valid, 1) for code in (THICK_CLOUD, THIN_CLOUD, SHADOW))
        return {
            "cloud_share": float(thick + thin), "thin_cloud_share": float(thin), "shadow_share": float(shadow)
        }  # fmt: skip

    def state(self) -> NDArray[np.int64]:
        """For a checkpoint."""
        return self._pixels.copy()

    def restore(self, state: NDArray[np.int64]) -> None:
        """From a checkpoint."""
        self._pixels[...] = state

    def merge(self, state: NDArray[np.int64]) -> None:
        """Add the counts of another part of the scene, from its `state`."""
        self._pixels += state
