"""The guide of a guided network: the image with its clouds filled from what is clear around them.

UnCRtainTS sees some 13 pixels around each place and the tile's global statistics, so what colours a landscape has, it
can hardly take from the clear part of a cloudy tile by itself. The guide brings it there: smooth means of the clear
pixels, drawn towards the tile's mean where the nearest ones are far, and towards a prior spectrum where there are none.
With radar it also brings what the clear part of this very tile tells about the way from backscatter to colour: a ridge
regression of what the smooth fill misses on what the same fill misses of the backscatter, which is simple co-kriging.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_BLOCK = 4
_REACH = 32.0  # standard deviation of the smoothing, in pixels
_PULL = 0.2  # weight of the tile's mean, in clear blocks under the smoothing's peak
_LEAST = 128.0  # clear pixels that weigh as much as the prior
_SCALES = (1, 3, 9, 21)  # sides of the windows that radar is averaged over, in blocks
_RIDGE = 0.03
_SHRINK = 1280.0  # clear pixels at which half of the regression is believed
_ENOUGH = 320  # clear pixels without which there is no regression
_TYPICAL = (-11.0, -18.0)  # dB of land, VV and VH: only keeps the numbers small
_FLOOR = -25.0

Image = NDArray[np.float32]


def guide(reflectance: Image, clear: NDArray[np.bool_], prior: Sequence[float], radar: Image | None = None) -> Image:
    """Fill what is not clear.

    Args:
        reflectance: (band, row, column); what stands where it is not clear does not matter, if it is finite.
        clear: (row, column), pixels that can be trusted.
        prior: (band,) spectrum for a tile without a clear pixel.
        radar: (2, row, column) VV and VH in dB, NaN where there is none.

    Returns:
        (band, row, column): clear pixels as they are, smooth values elsewhere.
    """
    if clear.all():
        return reflectance.copy()
    weight, sums = _blocks(clear.astype(np.float32)), _blocks(reflectance * clear)
    count = float(weight.sum()) * _BLOCK**2
    start = np.asarray(prior, np.float32)
    mean = (sums.sum(axis=(1, 2)) * _BLOCK**2 + _LEAST * start) / (count + _LEAST)
    filled = _smooth(sums, weight, mean)
    if radar is not None and count >= _ENOUGH:
        filled += _from_radar(sums, weight, filled, radar)
        np.clip(filled, 0, 1, out=filled)
    fine = _enlarged(filled, *clear.shape)
    np.copyto(fine, reflectance, where=clear)
    return fine


def _from_radar(sums: Image, weight: Image, filled: Image, radar: Image) -> Image:
    """What radar adds to a smooth fill, (band, row, column) in blocks."""
    features = _features(radar)
    known = weight > 0
    features -= _smooth(features * weight, weight, (features * weight).sum(axis=(1, 2)) / weight.sum())
    share = np.sqrt(weight[known])
    missed = (sums[:, known] / weight[known] - filled[:, known]) * share
    told = features[:, known] * share
    pixels = float(weight.sum()) * _BLOCK**2
    size = float(weight.sum())
    gram = (told @ told.T).astype(np.float64) / size
    gram += _RIDGE * (1 + _SHRINK / pixels) * np.eye(len(features))
    slopes = np.linalg.solve(gram, (told @ missed.T).astype(np.float64) / size) * pixels / (pixels + _SHRINK)
    flat = slopes.T.astype(np.float32) @ features.reshape(len(features), -1)
    return flat.reshape(len(sums), *weight.shape)


def _features(radar: Image) -> Image:
    """Backscatter at several scales, its squares and its texture, each about 1: (feature, row, column) in blocks."""
    import cv2

    vv, vh = (
        (_blocks(np.nan_to_num(np.maximum(plane, np.float32(_FLOOR)), nan=_FLOOR)) - np.float32(typical))
        / np.float32(5)
        for plane, typical in zip(radar, _TYPICAL, strict=True)
    )

    def mean(plane: Image, side: int) -> Image:
        return np.asarray(cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)

    near = mean(vv, 3), mean(vh, 3)
    texture = np.sqrt(np.maximum(mean(vv * vv, 5) - mean(vv, 5) ** 2, 0))
    planes = [mean(plane, side) for side in _SCALES for plane in (vv, vh)]
    return np.stack([*planes, near[0] ** 2, near[1] ** 2, near[0] * near[1], texture])


def _smooth(sums: Image, weight: Image, mean: NDArray[np.floating]) -> Image:
    """Weighted means under a Gaussian, drawn towards `mean` (plane,) where little is known: (plane, row, column)."""
    import cv2

    def spread(plane: Image) -> Image:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), _REACH / _BLOCK, borderType=cv2.BORDER_REFLECT), np.float32)

    below = spread(weight) + _PULL
    return np.stack([(spread(plane) + np.float32(_PULL * m)) / below for plane, m in zip(sums, mean, strict=True)])


def _blocks(image: Image) -> Image:
    """Means over blocks of 4 x 4 pixels, (..., row / 4, column / 4) rounded up; what the last block lacks is 0."""
    rows, columns = image.shape[-2:]
    if rows % _BLOCK or columns % _BLOCK:
        pad = [(0, 0)] * (image.ndim - 2) + [(0, -rows % _BLOCK), (0, -columns % _BLOCK)]
        image = np.pad(image, pad)
    import cv2

    *front, rows, columns = image.shape
    size = columns // _BLOCK, rows // _BLOCK
    # with whole numbers of pixels per block this is their plain mean
    planes = [cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in image.reshape(-1, rows, columns)]
    return np.asarray(planes, np.float32).reshape(*front, size[1], size[0])


def _enlarged(blocks: Image, rows: int, columns: int) -> Image:
    """Bilinear between the blocks' middles, cut to (row, column)."""
    import cv2

    size = blocks.shape[2] * _BLOCK, blocks.shape[1] * _BLOCK
    planes = [cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in blocks]
    return np.ascontiguousarray(np.stack(planes)[:, :rows, :columns], np.float32)
