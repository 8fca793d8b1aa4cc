"""s2cloudless (Zupanc 2017; Skakun et al. 2022), on a coarser grid than the scene's by default.

s2cloudless classifies every pixel by itself, which at 10 m takes longer than removing the clouds. Clouds are smooth:
the classifier runs on block means, the probability is interpolated back, and smoothing, threshold and dilation happen
at full resolution, as in the original. The trees of the package s2cloudless are bundled, and
`boosted_trees.py` evaluates them. Probabilities and masks are those of the package, which is not needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.clouds.blocks import block_mean, interpolated
from sunbreak.clouds.boosted_trees import BoostedTrees
from sunbreak.clouds.classes import CLEAR, THICK_CLOUD, without_data
from sunbreak.clouds.detector import Prediction
from sunbreak.clouds.settings import CloudSettings
from sunbreak.resources import resource_path

# about a second of work, so that a run can be cancelled in between
_CORE_BLOCKS = 341
_PIXEL = 10.0


class S2Cloudless:
    """s2cloudless as a `CloudDetector`: cloud or clear, no thin clouds of their own, no shadows.

    Args:
        settings: How.
    """

    name = "s2cloudless"
    bands: tuple[str, ...] = ("B01", "B02", "B04", "B05", "B08", "B8A", "B09", "B10", "B11", "B12")
    levels: tuple[str, ...] = ("L1C",)
    classes: tuple[int, ...] = (CLEAR, THICK_CLOUD)

    def __init__(self, settings: CloudSettings) -> None:
        self._settings = settings
        factor = settings.factor
        self.settings: Mapping[str, float | int | str] = asdict(settings)
        self.label = f"s2cloudless on blocks of {factor} x {factor} pixels"
        self.resolution = _PIXEL * factor
        self.core = _CORE_BLOCKS * factor
        # twice the average: once for pixels without data, once for the smoothing; in whole blocks
        reach = 2 * settings.average + settings.dilation + (factor if factor > 1 else 0)
        self.halo = -(-reach // factor) * factor

    def predict(self, reflectance: NDArray[np.float32]) -> Prediction:
        """See `CloudDetector`."""
        probability = self.probability(reflectance)
        classes = self.mask(probability) * np.uint8(THICK_CLOUD)
        return Prediction(probability, without_data(classes, np.isnan(probability)))

    def probability(
        self,
        reflectance: NDArray[np.float32],
        wanted: NDArray[np.bool_] | None = None,
        sure: NDArray[np.bool_] | None = None,
        side: int = 1,
    ) -> NDArray[np.float32]:
        """Cloud probability.

        Args:
            reflectance: `bands` (10, row, column), NaN where there is no data.
            wanted: Which blocks of `side` x `side` pixels to classify, (row, column) of blocks; all if None. The others
                get the probability 0.
            sure: Which of these blocks are cloud without being classified: they get the probability 1.
            side: Side of the blocks of `wanted` and `sure`, a multiple of the factor.

        Returns:
            (row, column) in [0, 1], NaN where there is no data.
        """
        rows, columns = reflectance.shape[1:]
        factor = self._settings.factor
        cells = block_mean(reflectance, factor)
        known = np.isfinite(cells).all(axis=0)
        times, shape = side // factor, known.shape
        if wanted is not None:
            known &= wanted.repeat(times, 0).repeat(times, 1)[: shape[0], : shape[1]]
        coarse: NDArray[np.float32] = np.zeros(shape, np.float32)
        if sure is not None:
            certain = sure.repeat(times, 0).repeat(times, 1)[: shape[0], : shape[1]]
            known &= ~certain
            coarse[certain] = 1
        if known.any():
            coarse[known] = _classifier().probabilities(cells[:, known].T)
        probability = interpolated(coarse, factor, (rows, columns))
        probability[np.isnan(reflectance[0])] = np.nan
        return probability

    def mask(self, probability: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Smoothed, thresholded and dilated probability, (row, column).

        Pixels without data take the mean of their neighbours in the smoothing disk first: an edge of the data is no
        edge of a cloud.
        """
        import cv2

        s = self._settings
        if s.average:
            disk = _disk(s.average) / _disk(s.average).sum()

            def smoothed(values: NDArray[np.float32]) -> Any:
                return cv2.filter2D(values, -1, disk, borderType=cv2.BORDER_REFLECT)

            unknown = np.isnan(probability)
            if unknown.any():
                known, total = smoothed((~unknown).astype(np.float32)), smoothed(np.nan_to_num(probability))
                probability = np.where(unknown, total / np.maximum(known, np.float32(1e-6)), probability)
            probability = smoothed(probability)
        mask: Any = (probability > s.threshold).astype(np.uint8)
        if s.dilation:
            mask = cv2.dilate(mask, _disk(s.dilation))
        cloudy: NDArray[np.bool_] = mask.astype(bool)
        return cloudy


@cache
def _classifier() -> BoostedTrees:
    return BoostedTrees.read(resource_path("detectors", "s2cloudless.npz"))


def _disk(radius: int) -> NDArray[np.uint8]:
    """The disk of s2cloudless, 1 inside and 0 outside: as OpenCV draws it."""
    import cv2

    side = 2 * radius + 1
    disk: Any = cv2.circle(np.zeros((side, side), np.uint8), (radius, radius), radius, 1, cv2.FILLED)
    return np.asarray(disk, np.uint8)
