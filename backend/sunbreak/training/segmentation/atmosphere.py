"""Surface reflectance from Level-1C, for one typical clear atmosphere: one network for both processing levels.

The conversion is a straight line per band, so that a card can hold it as a second standardisation. How far a real
atmosphere is from the typical one is varied in training.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sunbreak.datasets.simulation.spectra import PATH
from sunbreak.models.card_landcover import Standardisation
from sunbreak.models.legends import TEN_BANDS
from sunbreak.scene import S2_BANDS
from sunbreak.training.removal.l2a_to_l1c import optics

Image = NDArray[np.float32]

_DN = 10_000.0
_PICKED = [S2_BANDS.index(band) for band in TEN_BANDS]
_TRANSMITTANCE, _ALBEDO = (np.asarray(part[_PICKED], np.float32) for part in optics())
_PATH = np.asarray(PATH, np.float32)[_PICKED]
_USUAL = 0.2  # reflectance of the ground whose light the sky sends back once more
_FACTOR = (1 - _ALBEDO * _USUAL) / _TRANSMITTANCE


def at_the_ground(seen: Image) -> Image:
    """Surface reflectance (10, row, column) from that above the atmosphere, see `sunbreak.training.removal.l2a_to_l1c`.

    It is (seen - path) / T x (1 - 0.2 S): the part of the light that sky and ground exchange is that of a ground of
    0.2 everywhere.
    """
    ground: Image = (seen - _PATH[:, None, None]) * _FACTOR[:, None, None]
    return ground


def above_the_atmosphere(ground: Image) -> Image:
    """The inverse of `at_the_ground`."""
    seen: Image = _PATH[:, None, None] + ground / _FACTOR[:, None, None]
    return seen


def standardisation_l1c(surface: Standardisation) -> Standardisation:
    """Mean and deviation of Level-1C that give the input which `surface` gives after `at_the_ground`."""
    mean, deviation = np.array(surface.mean), np.array(surface.deviation)
    return Standardisation(
        tuple(round(float(value), 3) for value in mean / _FACTOR + _PATH * _DN),
        tuple(round(float(value), 3) for value in deviation / _FACTOR),
    )
