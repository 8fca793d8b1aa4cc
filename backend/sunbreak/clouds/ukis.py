"""The detector `ukis`: the networks of ukis-csmask alone, cloud and shadow on a grid of about 30 m."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sunbreak.clouds.blocks import block_mean, filled, interpolated
from sunbreak.clouds.classes import CLEAR, SHADOW, THICK_CLOUD, THIN_CLOUD, without_data
from sunbreak.clouds.decision import classes_of, ground_around, network_odds, thinned
from sunbreak.clouds.detector import Imagery, Prediction
from sunbreak.clouds.settings import CloudSettings
from sunbreak.clouds.ukis_networks import BANDS, UkisNetworks, version

#: Side of the cells that the networks were trained on, in metres.
CELL = 30.0
#: Cells of a tile's core and halo: with both, a tile holds two of the networks' tiles side by side.
CORE, HALO = 384, 32

_SHADOW_ODDS = 2.0
_LARGEST_FACTOR = 6  # bounds the memory of a tile for pixels of a few metres


class Ukis:
    """ukis-csmask as a `CloudDetector`.

    Args:
        settings: Not used: the networks have no threshold of their own.
        imagery: What the scene is.

    Raises:
        InputError: ``no-cloud-network`` or ``no-cloud-bands``.
    """

    name = "ukis"
    levels: tuple[str, ...] = ("L1C", "L2A")
    classes: tuple[int, ...] = (CLEAR, THICK_CLOUD, THIN_CLOUD, SHADOW)

    def __init__(self, settings: CloudSettings, imagery: Imagery) -> None:
        self._networks = UkisNetworks(imagery.level, imagery.bands)
        self._factor = cell_factor(imagery.pixel)
        self._level = imagery.level
        self.bands: tuple[str, ...] = self._networks.bands
        self.resolution = imagery.pixel * self._factor
        self.core, self.halo = CORE * self._factor, HALO * self._factor
        self.label = f"{self._networks.label} on blocks of {self._factor} x {self._factor} pixels"
        self.settings: Mapping[str, float | int | str] = {"ukis-csmask": version(), "factor": self._factor}

    def load_ahead(self) -> None:
        """See `sunbreak.clouds.detector.LoadsAhead`."""
        self._networks.load_ahead()

    def predict(self, reflectance: NDArray[np.float32]) -> Prediction:
        """See `CloudDetector`."""
        _, rows, columns = reflectance.shape
        shape = rows, columns
        unknown = np.isnan(reflectance[0])
        cells = filled(block_mean(reflectance, self._factor))
        evidence = self._networks.evidence(cells)
        cloud, shadow, probability = (
            interpolated(np.ascontiguousarray(part), self._factor, shape)
            for part in (*network_odds(evidence, cells), evidence.cloud)
        )
        classes = classes_of(cloud, shadow, _SHADOW_ODDS)
        blue = BANDS.index("B02")
        ground = ground_around(cells[blue : blue + 1], evidence.clear > np.float32(0.5))
        behind = interpolated(ground.image[0], self._factor, shape)
        known = interpolated(ground.known.astype(np.float32), self._factor, shape) > np.float32(0.5)
        classes = thinned(classes, reflectance[blue], behind, known, self._level)
        return Prediction(np.where(unknown, np.float32(np.nan), probability), without_data(classes, unknown))


def cell_factor(pixel: float) -> int:
    """Pixels along the side of a cell of about 30 m.

    Args:
        pixel: Side of a pixel in metres.
    """
    return min(max(1, round(CELL / pixel)), _LARGEST_FACTOR)
