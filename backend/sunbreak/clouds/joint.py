"""The detector `auto`: the networks of ukis-csmask together with s2cloudless or the product's own mask.

The networks find clouds and shadows, and rarely take bright ground for cloud. s2cloudless finds thinner clouds, but
takes haze over a whole scene, bright roofs and snow for cloud. So what s2cloudless or the product's scene
classification finds counts where clouds are near, or where the cirrus band is bright. Clouds are what the networks see,
and what is as bright and white as opaque clouds: the networks miss some of these in small images. Then pixels beside
the mask are looked at again at full resolution. The choice was measured, see docs/cloud-detection.md.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sunbreak.clouds.blocks import block_mean, filled, interpolated
from sunbreak.clouds.classes import CLEAR, SHADOW, THICK_CLOUD, THIN_CLOUD, Classes, without_data
from sunbreak.clouds.decision import (
    CLOUD_ODDS,
    Ground,
    classes_of,
    ground_around,
    hazier,
    network_odds,
    opaque,
    thinned,
)
from sunbreak.clouds.detector import Imagery, Prediction
from sunbreak.clouds.s2cloudless import S2Cloudless
from sunbreak.clouds.second_look import View, look_again
from sunbreak.clouds.settings import CloudSettings
from sunbreak.clouds.ukis import CORE, HALO, cell_factor
from sunbreak.clouds.ukis_networks import UkisNetworks, version
from sunbreak.scene import S2_BANDS

#: Smallest log-odds of a shadow: more than `ukis` asks for, because a replaced shadow costs more than a kept one.
SHADOW_ODDS = 5.0
#: Clouds are near where the networks see them on at least this fraction of the cells within `NEAR` cells (1 km).
NEAR, NEAR_FRACTION = 33, 0.05
#: Reflectance of B10 from which on s2cloudless counts without the networks.
CIRRUS = np.float32(0.05)

_CIRRUS_BAND = "B10"
_RIM = 3  # cells around those that s2cloudless decides on: its smoothing reaches two cells
_SURE_CLOUD = 4.0  # log-odds above which s2cloudless is not asked
_SURE_CLEAR = np.float32(0.97)  # the same as a probability, for cells that are no hazier than the ground around

Array = NDArray[np.float32]
Cells = NDArray[np.bool_]


class Joint:
    """A `CloudDetector` that joins several. Without the bands of s2cloudless it does without it.

    Args:
        settings: Of s2cloudless.
        imagery: What the scene is.

    Raises:
        InputError: ``no-cloud-network`` or ``no-cloud-bands``.
    """

    name = "auto"
    levels: tuple[str, ...] = ("L1C", "L2A")
    classes: tuple[int, ...] = (CLEAR, THICK_CLOUD, THIN_CLOUD, SHADOW)

    def __init__(self, settings: CloudSettings, imagery: Imagery) -> None:
        self._networks = UkisNetworks(imagery.level, imagery.bands)
        with_s2cloudless = imagery.level in S2Cloudless.levels and set(S2Cloudless.bands) <= set(imagery.bands)
        self._factor = cell_factor(imagery.pixel)
        self._level, self._pixel = imagery.level, imagery.pixel
        self._pixelwise: S2Cloudless | None = None
        if with_s2cloudless:
            own = settings if settings.factor == 1 else settings.on_blocks(self._factor)
            self._pixelwise = S2Cloudless(own)
        needed = {*self._networks.bands, *(S2Cloudless.bands if with_s2cloudless else ())}
        self.bands = tuple(band for band in S2_BANDS if band in needed)
        self._of_networks = [self.bands.index(band) for band in self._networks.bands]
        self._of_pixelwise = [self.bands.index(band) for band in S2Cloudless.bands] if with_s2cloudless else []
        self.resolution = imagery.pixel * self._factor
        self.core, self.halo = CORE * self._factor, HALO * self._factor
        joined = f" and {self._pixelwise.label}" if self._pixelwise else ""
        self.label = f"{self._networks.label} on blocks of {self._factor} x {self._factor} pixels{joined}"
        own_settings = self._pixelwise.settings if self._pixelwise else {}
        self.settings: Mapping[str, float | int | str] = {**own_settings, "ukis-csmask": version()}

    def load_ahead(self) -> None:
        """See `sunbreak.clouds.detector.LoadsAhead`."""
        self._networks.load_ahead()

    def predict(self, reflectance: Array) -> Prediction:
        """See `CloudDetector`."""
        return self.predict_with(reflectance, None)

    def predict_with(self, reflectance: Array, given: Classes | None) -> Prediction:
        """See `sunbreak.clouds.detector.JoinsGiven`."""
        _, rows, columns = reflectance.shape
        shape = rows, columns
        unknown = np.isnan(reflectance[0])
        cells = filled(block_mean(reflectance, self._factor))
        seen = cells[self._of_networks]
        evidence = self._networks.evidence(seen)
        cloud, shadow = network_odds(evidence, seen)
        cloud = np.where(opaque(seen), np.maximum(cloud, np.float32(_SURE_CLOUD)), cloud)
        classes = classes_of(self._up(cloud, shape), self._up(shadow, shape), SHADOW_ODDS)
        probability = self._up(evidence.cloud, shape)
        near = _near(cloud >= CLOUD_ODDS)
        near_pixels = self._pixels(near, shape)
        if self._pixelwise is not None:
            asked = near | (cells[self.bands.index(_CIRRUS_BAND)] > CIRRUS)
            # it would not change these, and takes most of the time
            asked &= (shadow < SHADOW_ODDS) & ~((evidence.clear > _SURE_CLEAR) & (hazier(evidence, seen) <= 0))
            if asked.any():
                more, mask = self._ask(self._pixelwise, reflectance, asked, cloud)
                probability = np.fmax(probability, more)
                classes[mask & self._pixels(asked, shape) & (classes != THICK_CLOUD)] = THIN_CLOUD
        if given is not None:
            for kind in (SHADOW, THIN_CLOUD, THICK_CLOUD):
                classes[(given == kind) & near_pixels & (classes == CLEAR)] = kind
        known, ground = self._ground(classes, seen, shape)
        view = self._view(reflectance, ground, known, near_pixels)
        classes = look_again(thinned(classes, view.blue, ground[0], known, self._level), view)
        return Prediction(np.where(unknown, np.float32(np.nan), probability), without_data(classes, unknown))

    def _ask(self, pixelwise: S2Cloudless, reflectance: Array, asked: Cells, cloud: Array) -> tuple[Array, Cells]:
        """Probability, 0 where it was not asked for, and mask of s2cloudless."""
        import cv2

        sure = cloud >= _SURE_CLOUD
        wanted = cv2.dilate(asked.astype(np.uint8), np.ones((2 * _RIM + 1,) * 2, np.uint8)) > 0
        probability = pixelwise.probability(reflectance[self._of_pixelwise], wanted, sure, self._factor)
        unknown = np.isnan(probability)
        certain = self._pixels(sure, (len(probability), probability.shape[1]))
        mask = pixelwise.mask(np.where(certain & ~unknown, np.float32(1), probability))
        return np.where(certain & ~unknown, np.float32(0), probability), mask & ~unknown

    def _ground(self, classes: Classes, seen: Array, shape: tuple[int, int]) -> tuple[Cells, tuple[Array, ...]]:
        """Where there is clear ground around, and its blue, red, NIR and SWIR if there is one, in pixels."""
        import cv2

        covered = block_mean((classes != CLEAR).astype(np.float32)[None], self._factor)[0] > 0
        clear = cv2.erode((~covered).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        around: Ground = ground_around(seen, clear)
        bands = self._networks.bands
        planes = [around.image[bands.index(band)] for band in ("B02", "B04", "B08", "B11") if band in bands]
        return self._pixels(around.known, shape), tuple(self._up(plane, shape) for plane in planes)

    def _view(self, reflectance: Array, ground: tuple[Array, ...], known: Cells, near: Cells) -> View:
        blue, red, nir = (reflectance[self.bands.index(band)] for band in ("B02", "B04", "B08"))
        swir = reflectance[self.bands.index("B11")] if "B11" in self._networks.bands else None
        behind = ground[3] if swir is not None else None
        return View(blue, red, nir, swir, (ground[0], ground[1], ground[2], behind), known, near, self._pixel)

    def _up(self, plane: Array, shape: tuple[int, int]) -> Array:
        return interpolated(np.ascontiguousarray(plane), self._factor, shape)

    def _pixels(self, cells: Cells, shape: tuple[int, int]) -> Cells:
        """Cells as pixels, without interpolation."""
        pixels: Cells = cells.repeat(self._factor, 0).repeat(self._factor, 1)[: shape[0], : shape[1]]
        return pixels


def _near(clouds: Cells) -> Cells:
    """Cells with clouds near them, see `NEAR`."""
    import cv2

    side = 2 * NEAR + 1
    fraction = cv2.blur(clouds.astype(np.float32), (side, side), borderType=cv2.BORDER_REFLECT)
    found: Cells = fraction >= NEAR_FRACTION
    return found
