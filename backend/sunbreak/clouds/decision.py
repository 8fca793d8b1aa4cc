"""From what the networks say to classes: contrast with the clear ground around, thresholds, and thick against thin.

The networks' masks are a little wide. A cell is cloud or shadow more easily if it is hazier or darker than the clear
ground around, and less easily if it is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.clouds.classes import CLEAR, SHADOW, THICK_CLOUD, THIN_CLOUD, Classes
from sunbreak.clouds.ukis_networks import BANDS, Evidence

Array = NDArray[np.float32]

#: Smallest log-odds of cloud.
CLOUD_ODDS = 1.0
#: How much larger the log-odds of shadow must be where both are possible.
SHADOW_LEAD = 2.0
#: Blue above the clear ground from which on a cloud is thick.
THICK = np.float32(0.08)

_SURE = np.float32(0.7)  # probability of clear ground from which on a cell counts as surroundings
_AROUND = 15.0  # standard deviation of the surroundings' weights, in cells: 450 m
_FEW = np.float32(1e-3)  # weight of a cell itself, which counts where nothing around is clear
_LIMIT = np.float32(0.1)  # larger contrasts count as this
_PER_REFLECTANCE = np.float32(10.0)  # log-odds per unit of contrast
_NO_GROUND = np.float32(0.02)  # weight of clear ground below which it is not known
# blue of dark ground, with the atmosphere of Level-1C and without
_DARK_BLUE = {"L1C": np.float32(0.12), "L2A": np.float32(0.06)}
_BLUE, _RED, _NIR, _SWIR = (BANDS.index(band) for band in ("B02", "B04", "B08", "B11"))
# opaque clouds: reflectance of B02 and B11, and how far the visible bands may differ, as a fraction of the lightest
_BRIGHT, _BRIGHT_SWIR, _COLOURED = np.float32(0.35), np.float32(0.2), np.float32(0.15)


@dataclass(frozen=True)
class Ground:
    """The clear ground around each cell.

    Attributes:
        image: Its reflectance (band, row, column); the cell's own where nothing around is clear.
        weight: (row, column), how much clear ground there is around, from 0 to 1.
    """

    image: Array
    weight: Array

    @property
    def known(self) -> NDArray[np.bool_]:
        """(row, column), whether there is any."""
        found: NDArray[np.bool_] = self.weight > _NO_GROUND
        return found


def ground_around(cells: Array, clear: NDArray[np.bool_]) -> Ground:
    """Weighted means of the clear cells around each cell.

    Args:
        cells: Reflectance (band, row, column).
        clear: (row, column), which cells are clear.
    """
    weights = clear.astype(np.float32)
    weight = _smooth(weights)
    image = np.stack([(_smooth(band * weights) + _FEW * band) / (weight + _FEW) for band in cells])
    return Ground(image, weight)


def network_odds(evidence: Evidence, cells: Array) -> tuple[Array, Array]:
    """Log-odds of cloud and of shadow, (row, column) each, with the contrast to the clear ground around.

    Haze against ground is blue - 0.5 red (the haze optimised transform of Zhang et al. 2002 with a fixed slope);
    shadow against ground is near infrared.

    Args:
        evidence: What the networks say.
        cells: Reflectance of the networks' bands, (band, row, column).
    """
    ground = ground_around(cells, evidence.clear > _SURE).image
    dark = ground[_NIR] - cells[_NIR]
    cloud: Array = evidence.cloud_odds + _PER_REFLECTANCE * np.clip(_haze(cells, ground), -_LIMIT, _LIMIT)
    shadow: Array = evidence.shadow_odds + _PER_REFLECTANCE * np.clip(dark, -_LIMIT, _LIMIT)
    return cloud, shadow


def hazier(evidence: Evidence, cells: Array) -> Array:
    """How much hazier each cell is than the clear ground around, see `network_odds`."""
    return _haze(cells, ground_around(cells, evidence.clear > _SURE).image)


def opaque(cells: Array) -> NDArray[np.bool_]:
    """Cells as bright and white as opaque clouds, also in the SWIR, where snow is dark: cloud whatever networks say.

    White roofs are as bright. What is narrower than three cells (90 m) does not count.

    Args:
        cells: Reflectance of the networks' bands, (band, row, column). Without B11 nothing is opaque.

    Returns:
        (row, column).
    """
    import cv2

    if len(cells) <= _SWIR:
        return np.zeros(cells.shape[1:], bool)
    visible = cells[: _RED + 1]
    lightest, darkest = visible.max(axis=0), visible.min(axis=0)
    white = (cells[_BLUE] >= _BRIGHT) & (lightest - darkest <= _COLOURED * lightest) & (cells[_SWIR] >= _BRIGHT_SWIR)
    opened: Any = cv2.morphologyEx(white.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    found: NDArray[np.bool_] = opened > 0
    return found


def classes_of(cloud: Array, shadow: Array, shadow_odds: float) -> Classes:
    """Thick cloud, shadow or clear from log-odds of one shape.

    Args:
        cloud: Log-odds of cloud.
        shadow: Log-odds of shadow.
        shadow_odds: Smallest log-odds of a shadow.
    """
    cloudy = (cloud >= CLOUD_ODDS) & (cloud >= shadow - SHADOW_LEAD)
    return np.select([cloudy, shadow >= shadow_odds], [np.uint8(THICK_CLOUD), np.uint8(SHADOW)], np.uint8(CLEAR))


def thinned(classes: Classes, blue: Array, ground: Array, known: NDArray[np.bool_], level: str) -> Classes:
    """The same classes, with thick clouds through which the ground is seen as thin ones.

    Args:
        classes: Class codes (row, column).
        blue: Reflectance of B02, (row, column).
        ground: B02 of the clear ground around.
        known: Where there is such ground; elsewhere dark ground is assumed.
        level: ``L1C`` or ``L2A``.
    """
    behind = np.where(known, ground, _DARK_BLUE[level])
    seen_through = (classes == THICK_CLOUD) & (blue - behind < THICK)
    return np.where(seen_through, np.uint8(THIN_CLOUD), classes)


def _haze(cells: Array, ground: Array) -> Array:
    haze: Array = (cells[_BLUE] - ground[_BLUE]) - np.float32(0.5) * (cells[_RED] - ground[_RED])
    return haze


def _smooth(plane: Array) -> Array:
    import cv2

    smoothed: Any = cv2.GaussianBlur(plane, (0, 0), _AROUND, borderType=cv2.BORDER_REFLECT_101)
    result: Array = smoothed
    return result
