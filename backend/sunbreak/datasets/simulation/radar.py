"""Simulates the Sentinel-1 backscatter of a landscape: VV and VH in dB, with relief, speckle and resolution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from sunbreak.datasets.simulation import landscape as land
from sunbreak.datasets.simulation.landscape import Landscape
from sunbreak.datasets.simulation.noise import Field, fractal

_LOOKS = 4.5
# VV and VH in dB of each class, without and with vegetation
_BACKSCATTER = {
    land.FOREST: ((-10.5, -16.0), (-9.0, -14.0)),
    land.SHRUBLAND: ((-13.0, -20.0), (-10.5, -16.5)),
    land.SAVANNA: ((-13.5, -21.0), (-11.0, -17.0)),
    land.GRASSLAND: ((-14.0, -21.5), (-11.5, -17.5)),
    land.WETLANDS: ((-12.5, -20.0), (-9.5, -16.0)),
    land.CROPLANDS: ((-12.5, -21.0), (-10.0, -15.5)),
    land.URBAN: ((-8.5, -15.5), (-7.5, -14.0)),
    land.SNOW: ((-13.0, -21.0), (-13.0, -21.0)),
    land.BARREN: ((-13.5, -22.5), (-12.0, -19.0)),
    land.WATER: ((-20.0, -27.0), (-20.0, -27.0)),
}


def backscatter(rng: np.random.Generator, ground: Landscape) -> Field:
    """Backscatter of VV and VH in dB, (2, row, column)."""
    shape = ground.elevation.shape[0], ground.elevation.shape[1]
    levels = np.zeros((2, *shape), np.float32)
    for kind, (bare, green) in _BACKSCATTER.items():
        here = ground.landcover == kind
        for channel in range(2):
            span = green[channel] - bare[channel]
            levels[channel][here] = (bare[channel] + span * ground.green)[here]
    moisture = 0.8 * fractal(rng, shape, 2.6, longest=120) + rng.normal(0, 0.8)
    land_only = ground.landcover != land.WATER
    levels += np.where(land_only, moisture, 0)
    wind = 1.5 * fractal(rng, shape, 3.4) + rng.normal(0, 2.0)
    levels += np.where(land_only, 0, wind)
    # walls facing the radar have a strong backscatter
    facing = rng.gamma(0.8, 1.0, shape).astype(np.float32)
    levels[0] += ground.built * np.clip(9 * np.log10(0.3 + 2.2 * facing), -3, 14)
    levels[1] += ground.built * np.clip(7 * np.log10(0.3 + 1.8 * facing), -3, 10)
    down, right = np.gradient(gaussian_filter(ground.elevation, 1.0) / 10)
    look = rng.choice([-1.0, 1.0])
    levels += np.clip(-look * right * 7 + 0.5 * down, -7, 7).astype(np.float32)
    power = gaussian_filter(10 ** (levels / 10), (0, 0.6, 0.6))
    power *= rng.gamma(_LOOKS, 1 / _LOOKS, power.shape)
    power = gaussian_filter(power, (0, 0.45, 0.45))
    decibels: NDArray[np.float32] = (10 * np.log10(np.maximum(power, 1e-4))).astype(np.float32)
    return decibels
