"""The guide of a guided network: the image with its clouds filled from what is clear around them.

UnCRtainTS sees some 13 pixels around each place and the tile's global statistics, so what colours a landscape has, it can
hardly take from the clear part of a cloudy tile by itself. The guide brings it there: smooth means of the clear pixels,
drawn towards the tile's mean where the nearest ones are far, and towards a prior spectrum where there are none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_BLOCK = 8
_REACH = 4.0  # standard deviation of the smoothing, in blocks
_PULL = 0.2  # weight of the tile's mean, in clear blocks under the smoothing's peak
_LEAST = 2.0  # clear blocks that weigh as much as the prior

Image = NDArray[np.float32]


def guide(reflectance: Image, clear: NDArray[np.bool_], prior: Sequence[float]) -> Image:
    """Fill what is not clear.

    Args:
        reflectance: (band, row, column); what stands where it is not clear does not matter, if it is finite.
        clear: (row, column), pixels that can be trusted.
        prior: (band,) spectrum for a tile without a clear pixel.

    Returns:
        (band, row, column): clear pixels as they are, smooth values elsewhere.
    """
    if clear.all():
        return reflectance.copy()
    rows, columns = clear.shape
    smooth = _enlarged(smooth_fill(reflectance, clear, prior), rows, columns)
    np.copyto(smooth, reflectance, where=clear)
    return smooth


def smooth_fill(reflectance: Image, clear: NDArray[np.bool_], prior: Sequence[float]) -> Image:
    """The fill on blocks of 8 x 8 pixels, (band, row / 8, column / 8) rounded up; arguments as in `guide`."""
    import cv2

    rows, columns = (np.arange(0, size, _BLOCK) for size in clear.shape)

    def blocks(image: Image) -> Image:
        total: Image = np.add.reduceat(np.add.reduceat(image, rows, axis=-2), columns, axis=-1)
        return total

    weight = blocks(clear.astype(np.float32)) / np.float32(_BLOCK**2)
    sums = blocks(reflectance * clear) / np.float32(_BLOCK**2)
    start = np.asarray(prior, np.float32)
    mean = (sums.sum(axis=(1, 2)) + _LEAST * start) / (weight.sum() + _LEAST)

    def spread(plane: Image) -> Image:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), _REACH, borderType=cv2.BORDER_REFLECT), np.float32)

    below = spread(weight) + _PULL
    filled = np.stack([(spread(plane) + _PULL * m) / below for plane, m in zip(sums, mean, strict=True)])
    return np.asarray(filled, np.float32)


def _enlarged(blocks: Image, rows: int, columns: int) -> Image:
    """Bilinear between the blocks' middles, cut to (row, column)."""
    import cv2

    size = blocks.shape[2] * _BLOCK, blocks.shape[1] * _BLOCK
    planes = [cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in blocks]
    return np.ascontiguousarray(np.stack(planes)[:, :rows, :columns], np.float32)
