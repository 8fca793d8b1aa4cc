"""Dates that do not fit the others: clouds that the detector missed, and ground that changed under the target's clouds.

A date is compared with what all other dates, and the target where it is clear, let expect of it.
"""

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


class Misfits:
    """Finds dates that do not fit the others.

    Args:
        model: The fitted dates.
        scale: (band,), factor on the standard deviation according to the fit.
    """

    def __init__(self, model: DatesModel, scale: Image) -> None:
        self.model, self.scale = model, scale
        self._blocks = {
            index: (block.names.index("B02"), block.names.index("B04"))
            for index, block in enumerate(model.blocks.blocks)
            if index in model.blocks.optical and {"B02", "B04"} <= set(block.names)
        }

    def find(self, features: Image, codes: NDArray[np.int32]) -> tuple[dict[int, Mask], Image]:
        """Pixels of dates that look like clouds, and how much the dates disagree about the target.

        Args:
            features: (feature, pixel), standardised.
            codes: (pixel,) patterns of known blocks.

        Returns:
            (pixel,) by index of the block; and (pixel,) by how much the variance of the prediction must grow, as a
            multiple of it: the largest squared change of the prediction by leaving one date out (a jackknife), beyond
            what the fit lets expect. It is 0 where the target is clear or one date is left.
        """
        blocks, found = self.model.blocks, {index: np.zeros(codes.shape, bool) for index in self._blocks}
        doubt = np.zeros(codes.shape, np.float32)
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
                if index not in blocks.optical:
                    continue
                # what the date shows beyond what the others say
                excess = np.linalg.inv(inverse[own, own]).astype(np.float32) @ pulled[own]
                if index in self._blocks:
                    found[index][where] = self._cloudy(index, excess, pulled[own])
                left = int(code) & ~(1 << index)
                if not code & 1 and left & blocks.optical_bits:
                    doubt[where] = np.maximum(doubt[where], self._doubt(int(code), left, own, excess))
        return found, doubt

    def _doubt(self, code: int, left: int, own: slice, excess: Image) -> Image:
        """The variance ratio, (pixel,), by which the prediction moves without a date."""
        whole, without = self.model.predictor(code), self.model.predictor(left)
        moved = whole.weights[:, own] @ excess
        sigma = (whole.sigma * self.scale)[:, None]
        ratio = (moved / sigma) ** 2 - np.float32(2) * (without.sigma[:, None] / whole.sigma[:, None]) ** 2
        most: Image = np.maximum(ratio, 0).mean(axis=0)
        return most

    def _cloudy(self, index: int, excess: Image, pulled: Image) -> Mask:
        """Whether the excess of a date is far and white."""
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
