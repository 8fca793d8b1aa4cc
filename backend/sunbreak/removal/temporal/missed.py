"""Clouds of other dates that the detector missed: bright where no other date, nor the target, lets expect it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sunbreak.removal.temporal.blocks import Image, Mask
from sunbreak.removal.temporal.gaussian import DatesModel

REACH = 4
"""Pixels around a pixel that decide."""
_LIMIT = np.float32(4)  # standard deviations, as root mean square over the bands
_BRIGHTER = np.float32(0.04)  # reflectance in B02
_WHITE = np.float32(0.6)  # of the excess in B04 that the one in B02 is at least; bare soil has less
_MARGIN = 3  # pixels


class MissedClouds:
    """Finds clouds that were missed, by the distance of each date from what the others say.

    Args:
        model: The fitted dates.
    """

    def __init__(self, model: DatesModel) -> None:
        self.model = model
        self._blocks = {
            index: (block.names.index("B02"), block.names.index("B04"))
            for index, block in enumerate(model.blocks.blocks)
            if index in model.blocks.optical and {"B02", "B04"} <= set(block.names)
        }

    def find(self, features: Image, codes: NDArray[np.int32]) -> dict[int, Mask]:
        """Pixels that look like clouds, (pixel,) by index of the block.

        Args:
            features: (feature, pixel), standardised.
            codes: (pixel,) patterns of known blocks.
        """
        blocks, found = self.model.blocks, {index: np.zeros(codes.shape, bool) for index in self._blocks}
        for code in np.unique(codes):
            shown = [index for index in range(len(blocks.blocks)) if code >> index & 1]
            if sum(not blocks.blocks[index].radar for index in shown) < 2:
                continue
            where, columns = np.flatnonzero(codes == code), blocks.columns(int(code))
            inverse = np.linalg.inv(self.model.covariance[np.ix_(columns, columns)])
            apart = features[np.ix_(columns, where)] - self.model.mean[columns, None].astype(np.float32)
            pulled = inverse.astype(np.float32) @ apart
            start = 0
            for index in shown:
                own = slice(start, start + len(blocks.blocks[index].names))
                start = own.stop
                if index in self._blocks:
                    found[index][where] = self._cloudy(index, np.linalg.inv(inverse[own, own]), pulled[own])
        return found

    def _cloudy(self, index: int, spread: NDArray[np.float64], pulled: Image) -> Mask:
        """Whether what a date shows beyond what the others say, `spread @ pulled`, is far and white."""
        excess = spread.astype(np.float32) @ pulled
        distance = np.sqrt(np.maximum((excess * pulled).mean(axis=0), 0))
        scale = self.model.scale[self.model.blocks.slices[index]]
        blue, red = (excess[band] * scale[band] for band in self._blocks[index])
        found: Mask = (distance > _LIMIT) & (blue > _BRIGHTER) & (blue > _WHITE * red)
        return found


def with_margin(found: Mask) -> Mask:
    """Places of more than a pixel, dilated: (row, column)."""
    import cv2

    plane = found.astype(np.uint8)
    together = plane & (cv2.boxFilter(plane, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT) >= 2)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _MARGIN + 1, 2 * _MARGIN + 1))
    return np.asarray(cv2.dilate(together.astype(np.uint8), disc), bool)
