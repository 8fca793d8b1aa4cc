"""Snow on images that have none: forests and towns in snow are rare among labelled images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from sunbreak.datasets.simulation.spectra import SPECTRA
from sunbreak.models.legends import DYNAMIC_WORLD, TEN_BANDS
from sunbreak.scene import S2_BANDS

_CLASS = {kind.name: number for number, kind in enumerate(DYNAMIC_WORLD, 1)}
_SNOW = SPECTRA["snow"][[S2_BANDS.index(band) for band in TEN_BANDS]][:, None, None]
_COVERED, _FREE = 0.45, 0.12  # parts of a pixel under snow from which it is snow, and up to which it stays its class
_UNDER_TREES, _TREES = 0.5, 0.4  # crowns hide half of the snow; up to this part it is forest
_CONFIDENCE = 0.5  # of the new labels

Labels = tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]


def snowed(
    rng: np.random.Generator, x: NDArray[np.float32], classes: NDArray[np.int64], confidence: NDArray[np.float32]
) -> Labels:
    """Mix the spectrum of snow into an image, in patches, and correct its labels.

    Args:
        rng: Random numbers.
        x: (10, row, column), surface reflectance.
        classes: (row, column), from 1, 0 where there is no label.
        confidence: (row, column), 0..1.
    """
    field = gaussian_filter(rng.normal(size=classes.shape).astype(np.float32), rng.uniform(1, 6))
    field = (field - field.min()) / max(float(np.ptp(field)), 1e-6)
    part = np.clip((field - rng.uniform(0.1, 0.6)) * 3, 0, 1) * rng.uniform(0.15, 1)
    trees = classes == _CLASS["Trees"]
    part = np.where(trees, part * _UNDER_TREES, part).astype(np.float32)
    mixed = ((1 - part) * x + part * _SNOW * np.float32(rng.uniform(0.9, 1.25))).astype(np.float32)
    covered = ~trees & (part > _COVERED)
    unsure = (~trees & (part > _FREE)) | (trees & (part > _TREES))
    classes = np.where(covered, _CLASS["Snow and ice"], np.where(unsure, 0, classes))
    return mixed, classes, np.where(covered, np.maximum(confidence, _CONFIDENCE), confidence).astype(np.float32)
