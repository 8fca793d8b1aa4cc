"""s2cloudless (Zupanc 2017; Skakun et al. 2022), on a coarser grid than the scene's by default.

s2cloudless classifies every pixel by itself, which at 10 m takes longer than removing the clouds. Clouds are smooth:
the classifier runs on block means, the probability is interpolated back, and smoothing, threshold and dilation happen
at full resolution, as in the original.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sunbreak.clouds.blocks import block_mean, interpolated
from sunbreak.clouds.classes import CLEAR, THICK_CLOUD, without_data
from sunbreak.clouds.detector import Prediction
from sunbreak.clouds.settings import CloudSettings

if TYPE_CHECKING:
    from s2cloudless.cloud_detector import S2PixelCloudDetector

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
            # a single row of pixels: (1, 1, pixel, band)
            pixels = np.ascontiguousarray(cells[:, known].T)[None, None]
            coarse[known] = self._detector.get_cloud_probability_maps(pixels)[0, 0]
        probability = interpolated(coarse, factor, (rows, columns))
        probability[np.isnan(reflectance[0])] = np.nan
        return probability

    def mask(self, probability: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Smoothed, thresholded and dilated probability, (row, column).

        Pixels without data take the mean of their neighbours in the smoothing disk first: an edge of the data is no
        edge of a cloud.
        """
        unknown = np.isnan(probability)
        if unknown.any():
            import cv2

            disk = self._detector.conv_filter
            known = cv2.filter2D((~unknown).astype(np.float32), -1, disk, borderType=cv2.BORDER_REFLECT)
            total = cv2.filter2D(np.nan_to_num(probability), -1, disk, borderType=cv2.BORDER_REFLECT)
            probability = np.where(unknown, total / np.maximum(known, np.float32(1e-6)), probability)
        mask: NDArray[np.bool_] = self._detector.get_mask_from_prob(probability[None])[0].astype(bool)
        return mask

    @cached_property
    def _detector(self) -> S2PixelCloudDetector:
        from s2cloudless.cloud_detector import S2PixelCloudDetector

        s = self._settings
        return S2PixelCloudDetector(
            threshold=s.threshold, average_over=s.average, dilation_size=s.dilation, all_bands=False
        )
