"""A second look at pixels beside a mask, at full resolution: bright rims and remains of clouds, dark rims of shadows.

The detectors see cells of 30 m and miss what is smaller. What is brighter than the clear ground around and touches a
cloud is cloud; so is what is bright over water near clouds. What is darker and touches a shadow is shadow. A shadow
that is neither dark nor darker than the clear ground around is none: it hides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.clouds.classes import CLEAR, SHADOW, THICK_CLOUD, THIN_CLOUD, Classes

Array = NDArray[np.float32]
Pixels = NDArray[np.bool_]

#: Pixels that the second look reaches beyond the mask.
REACH = 10

_BRIGHTER, _BRIGHTER_SWIR = np.float32(0.04), np.float32(0.01)  # snow is dark in the SWIR
_OVER_WATER = np.float32(0.03)
_WATER_NIR, _WATER_SWIR = np.float32(0.12), np.float32(0.08)
_DARKER = np.float32(0.75)  # fraction of the clear ground's reflectance
_SHADOW_NIR = np.float32(0.12)  # darker than this, a shadow needs no ground to compare with
_STEPS = REACH - 2
_SMOOTHING = 3.0


@dataclass(frozen=True)
class View:
    """What is looked at, all (row, column) in pixels.

    Attributes:
        blue: Reflectance of B02.
        red: B04.
        nir: B08.
        swir: B11, or None if the scene lacks it.
        ground: The same of the clear ground around, in the order blue, red, NIR, SWIR.
        known: Where there is clear ground.
        near_clouds: Where clouds are near.
    """

    blue: Array
    red: Array
    nir: Array
    swir: Array | None
    ground: tuple[Array, Array, Array, Array | None]
    known: Pixels
    near_clouds: Pixels


def look_again(classes: Classes, view: View) -> Classes:
    """The classes after the second look.

    Args:
        classes: Class codes (row, column).
        view: The image at full resolution, with its clear ground.
    """
    blue, red, nir, swir = view.ground
    clear = classes == CLEAR
    brighter = view.blue - blue
    bright = clear & (brighter > _BRIGHTER) & (view.red - red > _BRIGHTER)
    water = nir < _WATER_NIR
    dark = clear & (view.nir < _DARKER * nir) & ~water
    if swir is not None and view.swir is not None:
        bright &= view.swir - swir > _BRIGHTER_SWIR
        water &= swir < _WATER_SWIR
        dark &= view.swir < _DARKER * swir
    floating = clear & water & view.near_clouds & (brighter > _OVER_WATER) & (view.nir - nir > _OVER_WATER)
    clouds = _grown((classes == THICK_CLOUD) | (classes == THIN_CLOUD), bright) | floating
    shadows = classes == SHADOW
    lit = _mostly((view.nir > _SHADOW_NIR) & ~(view.known & (view.nir < _DARKER * nir)))
    result = classes.copy()
    result[shadows & lit] = CLEAR
    result[_grown(shadows & ~lit, dark)] = SHADOW
    result[clouds & clear] = THIN_CLOUD
    return result


def _grown(seeds: Pixels, candidates: Pixels) -> Pixels:
    """Candidates that connect to a seed within `REACH` pixels, and the seeds; a gap of one pixel is bridged."""
    import cv2

    if not seeds.any():
        return seeds
    grown: Any = seeds.astype(np.uint8)
    allowed = (seeds | candidates).astype(np.uint8)
    disc: Any = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    grown = np.minimum(cv2.dilate(grown, np.ones((5, 5), np.uint8)), allowed)
    for _ in range(_STEPS):
        grown = np.minimum(cv2.dilate(grown, disc), allowed)
    found: Pixels = grown > 0
    return found


def _mostly(pixels: Pixels) -> Pixels:
    """Where most pixels around are so."""
    import cv2

    found: Pixels = cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), _SMOOTHING) > np.float32(0.5)
    return found
