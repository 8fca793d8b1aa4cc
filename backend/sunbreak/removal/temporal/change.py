"""Where the ground is no longer what the other dates show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sunbreak.removal.temporal.blocks import Blocks, Image, Mask
from sunbreak.removal.temporal.gaussian import DatesModel
from sunbreak.removal.temporal.sample import Lattice

UNCHANGED, SEEN, BY_RADAR, HIDDEN = 0, 1, 2, 3

_LIMIT = np.float32(3)  # standard deviations
_SIDE = 5  # pixels; change of less is noise, edges and misregistration
REACH = _SIDE
"""Pixels around a pixel that decide."""
_QUANTILE = 0.9  # of the radar's errors, most of which are no change
_NORMAL = 1.4  # the same quantile of the root mean square of a few normal errors


def changed(distance: Image, judged: Mask) -> Mask:
    """Connected places, not single pixels, where the distance is large.

    Args:
        distance: (row, column), standard deviations between what is seen and what was predicted.
        judged: (row, column), where there is a distance.
    """
    import cv2

    weight = cv2.blur(judged.astype(np.float32), (_SIDE, _SIDE), borderType=cv2.BORDER_CONSTANT)
    square = np.where(judged, np.minimum(distance, 2 * _LIMIT) ** 2, np.float32(0)).astype(np.float32)
    mean = cv2.blur(square, (_SIDE, _SIDE), borderType=cv2.BORDER_CONSTANT) / np.maximum(weight, np.float32(1e-3))
    found: Mask = judged & (mean > _LIMIT**2) & (distance > _LIMIT / 2)
    return found


@dataclass(frozen=True)
class RadarChange:
    """Compares the target's backscatter with what the other dates let expect.

    Attributes:
        model: The fitted dates.
        block: Index of the target's block of radar.
        scale: Typical size of the distance, so that 1 is one standard deviation.
    """

    model: DatesModel
    block: int
    scale: float

    @classmethod
    def of(cls, model: DatesModel, lattice: Lattice) -> RadarChange | None:
        """None without radar of the target."""
        own = [i for i, block in enumerate(model.blocks.blocks) if block.radar and block.member == 0]
        if not own:
            return None
        found = cls(model, own[0], 1.0)
        codes = lattice.codes
        judged = found.judged(codes)
        if not judged.any():
            return None
        distance = found.distance(lattice.standardised(model), codes)[judged]
        return cls(model, own[0], max(float(np.quantile(distance, _QUANTILE)) / _NORMAL, 1e-6))

    def judged(self, codes: NDArray[np.int32]) -> Mask:
        """Where there is radar and at least one other date."""
        result: Mask = ((codes >> self.block & 1) > 0) & ((codes & self.model.blocks.optical_bits) > 0)
        return result

    def distance(self, features: Image, codes: NDArray[np.int32]) -> Image:
        """Root mean square of the standardised errors of backscatter, (pixel,); 0 where it is not judged.

        Args:
            features: (feature, pixel), standardised.
            codes: (pixel,) patterns of known blocks.
        """
        distance = np.zeros(codes.shape, np.float32)
        judged = self.judged(codes)
        part = self.model.blocks.slices[self.block]
        own = np.arange(part.start, part.stop)
        for code in np.unique(codes[judged]):
            where = np.flatnonzero(judged & (codes == code))
            others = _without_target(self.model.blocks, int(code))
            weights, left = self.model.conditional(others, own)
            expected = weights.astype(np.float32) @ (features[np.ix_(others, where)] - self._mean(others)) + self._mean(
                own
            )
            error = (features[np.ix_(own, where)] - expected) / np.sqrt(np.diag(left)).astype(np.float32)[:, None]
            distance[where] = np.sqrt((error**2).mean(axis=0)) / np.float32(self.scale)
        return distance

    def _mean(self, columns: NDArray[np.intp]) -> Image:
        mean: Image = self.model.mean[columns, None].astype(np.float32)
        return mean


def _without_target(blocks: Blocks, code: int) -> NDArray[np.intp]:
    others = sum(1 << i for i, block in enumerate(blocks.blocks) if block.member and code >> i & 1)
    return blocks.columns(others)
