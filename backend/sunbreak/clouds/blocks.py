"""Detection on a grid coarser than the scene's: means over blocks of pixels, and the way back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def block_mean(image: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Means over blocks of `factor` x `factor` pixels, of the known pixels of each.

    Args:
        image: (band, row, column), NaN where unknown.
        factor: Side of a block; blocks at the lower and right edge may be cut.

    Returns:
        (band, ceil(row / factor), ceil(column / factor)), NaN where nothing is known.
    """
    if factor == 1:
        return image
    _, rows, columns = image.shape
    row_starts, column_starts = np.arange(0, rows, factor), np.arange(0, columns, factor)
    known = np.isfinite(image[0])
    total = np.add.reduceat(np.add.reduceat(np.where(known, image, np.float32(0)), row_starts, 1), column_starts, 2)
    count = np.add.reduceat(np.add.reduceat(known.astype(np.float32), row_starts, 0), column_starts, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: NDArray[np.float32] = np.where(count > 0, total / count, np.float32(np.nan)).astype(np.float32)
    return mean


def interpolated(coarse: NDArray[np.float32], factor: int, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Values of blocks (row, column), interpolated bilinearly to (row, column) of pixels as in `shape`."""
    if factor == 1:
        return coarse
    import cv2

    size = (coarse.shape[1] * factor, coarse.shape[0] * factor)
    resized: Any = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)
    pixels: NDArray[np.float32] = resized[: shape[0], : shape[1]]
    return pixels


def filled(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same image with each gap (NaN in the first band) filled with the nearest pixel that is known.

    Distances are those of a 5 x 5 chamfer (Borgefors 1986), which differ from Euclidean ones by some per cent. So the
    pixel may be up to 4 % farther away than the nearest.

    Args:
        image: (band, row, column). Without a known pixel it becomes 0.
    """
    known = np.isfinite(image[0])
    if known.all():
        return image
    if not known.any():
        return np.zeros_like(image)
    import cv2

    _, labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    place = np.zeros(int(labels.max()) + 1, np.intp)  # of the known pixel with each label
    place[labels[known]] = np.flatnonzero(known)
    nearest: NDArray[np.float32] = image.reshape(len(image), -1)[:, place[labels]]
    return nearest
