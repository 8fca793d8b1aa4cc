"""The edges of a mask: its dilation, and the fraction of each pixel that is replaced."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def dilated(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """A mask (row, column) dilated by a disk of `radius` pixels."""
    if radius == 0 or not mask.any():
        return mask
    import cv2

    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disk), bool)


def feathered(mask: NDArray[np.bool_], width: int) -> NDArray[np.float32]:
    """Replaced fraction of each pixel: 0 outside the mask, a ramp over `width` pixels inside it, then 1.

    Args:
        mask: (row, column).
        width: Length of the ramp in pixels; 0 gives the mask itself.
    """
    if width == 0 or mask.all():
        return mask.astype(np.float32)
    import cv2

    distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    share: NDArray[np.float32] = np.minimum(distance / np.float32(width + 1), np.float32(1))
    return share
