"""The guide of a guided network: the image with its clouds filled from what is clear around them.

UnCRtainTS sees some 13 pixels around each place and the tile's global statistics, so what colours a landscape has, it
can hardly take from the clear part of a cloudy tile by itself. The guide brings it there: smooth means of the clear
pixels, drawn towards the tile's mean where the nearest ones are far, and towards a prior spectrum where there are none.
With radar it also brings what the clear part of this very tile tells about the way from backscatter to colour: a ridge
regression of what the smooth fill misses on what the same fill misses of the backscatter, which is simple co-kriging.

What is drawn towards where a tile tells little, its `Prior`, can be a spectrum of the world's land and one of its
waters, or what an adaptation has learnt of one place: its colour, its backscatter and the way from one to the other.
In a scene of many tiles the place of the tile's mean is taken by what is clear around it, near and far
(`sunbreak.removal.surroundings`), so that neighbouring tiles agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sunbreak.models.prior_layout import BANDS, named_prior

BLOCK = 4  # side, in pixels, of what a guide works with
_REACH = 32.0  # standard deviation of the smoothing, in pixels
_PULL = 1.0  # weight of the tile's mean, in clear blocks under the smoothing's peak
_LEAST = 128.0  # clear pixels that weigh as much as a spectrum that comes without a weight
_TILE = 256 * 256  # pixels
_FEW = 256.0  # clear pixels at which half of the share of water among them is believed
_SCALES = (1, 3, 9, 21)  # sides of the windows that radar is averaged over, in blocks
_RIDGE = 0.03
_SHRINK = 1280.0  # clear pixels at which half of the regression is believed
_SHRINK_PLACE = 20000.0  # the same where the place's own regression is known
_ENOUGH = 320  # clear pixels without which there is no regression
_TYPICAL = (-11.0, -18.0)  # dB of land, VV and VH: only keeps the numbers small
_FLOOR = -25.0

Image = NDArray[np.float32]
_GREEN, _NEAR_INFRARED, _SHORT_WAVE = 2, 7, 11  # B03, B08, B11


@dataclass(frozen=True)
class Prior:
    """What is known of a tile before it is looked at.

    Attributes:
        spectrum: (13,) reflectance; with `water` that of land.
        weight: Clear pixels of a tile that count as much as the spectrum; of smaller images less in proportion.
        backscatter: (12,) means of the features of radar, or None where nothing is known of them.
        slopes: (13, 12) reflectance per feature, or None.
        water: (13,) reflectance of water, or None if it is in the spectrum.
    """

    spectrum: NDArray[np.float64]
    weight: float = _LEAST
    backscatter: NDArray[np.float64] | None = None
    slopes: NDArray[np.float64] | None = None
    water: NDArray[np.float64] | None = None

    @classmethod
    def parse(cls, numbers: Sequence[float]) -> Prior:
        """From the row of numbers in a network's configuration.

        Raises:
            ValueError: That many numbers are no prior.
        """
        parts = named_prior(numbers)
        weight = parts.pop("weight", _LEAST)
        return cls(weight=weight, **{name: np.asarray(values, np.float64) for name, values in parts.items()})

    def numbers(self) -> tuple[float, ...]:
        """The inverse of `parse`."""
        parts = [self.spectrum, np.array([self.weight])]
        if self.water is not None:
            parts.append(self.water)
        if self.backscatter is not None and self.slopes is not None:
            parts += [self.backscatter, self.slopes.ravel()]
        return tuple(round(float(value), 6) for value in np.concatenate(parts))

    def weight_in(self, pixels: int) -> float:
        """The weight in an image of so many pixels: they lie near each other, and tell more about it."""
        return self.weight * min(1.0, pixels / _TILE)

    def expected(self, sums: Image, weight: Image) -> NDArray[np.float64]:
        """The spectrum (13,) of ground with as much water as the clear part of a tile has.

        Args:
            sums: (13, row, column) reflectance of blocks times their weight.
            weight: (row, column), clear share of each.
        """
        if self.water is None:
            return self.spectrum
        pixels = BLOCK**2 * float(weight.sum())
        share = BLOCK**2 * float(weight[is_water(sums, weight)].sum()) / (pixels + _FEW)
        return share * self.water + (1 - share) * self.spectrum


def guide(
    reflectance: Image,
    clear: NDArray[np.bool_],
    prior: Sequence[float],
    radar: Image | None = None,
    around: Image | None = None,
) -> Image:
    """Fill what is not clear.

    Args:
        reflectance: (13, row, column); what stands where it is not clear does not matter, if it is finite.
        clear: (row, column), pixels that can be trusted.
        prior: Numbers of a `Prior`; thirteen are a spectrum.
        radar: (2, row, column) VV and VH in dB, NaN where there is none.
        around: What is clear around each block, as `Surroundings.at` gives it: (13, row / 4, column / 4) reflectance,
            and with radar 12 features of it. The tile's own mean if not given.

    Returns:
        (band, row, column): clear pixels as they are, smooth values elsewhere.
    """
    if clear.all():
        return reflectance.copy()
    known = Prior.parse(prior)
    weight, sums = block_means(clear.astype(np.float32)), block_means(reflectance * clear)
    count = float(weight.sum()) * BLOCK**2
    mean: NDArray[np.floating]
    if around is None:
        expected = known.expected(sums, weight)
        told = known.weight_in(clear.size)
        mean = (sums.sum(axis=(1, 2)) * BLOCK**2 + told * expected) / (count + told)
    else:
        mean = around[:BANDS]
    filled = _smooth(sums, weight, mean)
    if radar is not None and (known.slopes is not None or count >= _ENOUGH):
        features_around = around[BANDS:] if around is not None and len(around) > BANDS else None
        filled += _from_radar(sums, weight, filled, radar, known, features_around)
        np.clip(filled, 0, 1, out=filled)
    fine = _enlarged(filled, *clear.shape)
    np.copyto(fine, reflectance, where=clear)
    return fine


def _from_radar(sums: Image, weight: Image, filled: Image, radar: Image, prior: Prior, around: Image | None) -> Image:
    """What radar adds to a smooth fill, (band, row, column) in blocks."""
    features = radar_features(radar)
    size = float(weight.sum())
    pixels = size * BLOCK**2
    total = (features * weight).sum(axis=(1, 2))
    mean: NDArray[np.floating]
    slopes: NDArray[np.float64]
    if prior.backscatter is None or prior.slopes is None:
        mean, slopes, shrink = total / size, np.zeros((len(sums), len(features))), _SHRINK
    else:
        told = prior.weight_in(weight.size * BLOCK**2)
        mean = (total * BLOCK**2 + told * prior.backscatter) / (pixels + told)
        slopes, shrink = prior.slopes, _SHRINK_PLACE
    if around is not None:
        mean = around
    features -= _smooth(features * weight, weight, mean)
    if size > 0:
        seen = weight > 0
        share = np.sqrt(weight[seen])
        heard = features[:, seen] * share
        missed = (sums[:, seen] / weight[seen] - filled[:, seen]) * share - slopes.astype(np.float32) @ heard
        gram = (heard @ heard.T).astype(np.float64) / size
        gram += _RIDGE * (1 + shrink / pixels) * np.eye(len(features))
        own = np.linalg.solve(gram, (heard @ missed.T).astype(np.float64) / size).T
        slopes = slopes + own * pixels / (pixels + shrink)
    flat = slopes.astype(np.float32) @ features.reshape(len(features), -1)
    return np.asarray(flat.reshape(len(sums), *weight.shape), np.float32)


def radar_features(radar: Image) -> Image:
    """Backscatter at several scales, its squares and its texture, each about 1: (feature, row, column) in blocks."""
    import cv2

    vv, vh = (
        (block_means(np.nan_to_num(np.maximum(plane, np.float32(_FLOOR)), nan=_FLOOR)) - np.float32(typical))
        / np.float32(5)
        for plane, typical in zip(radar, _TYPICAL, strict=True)
    )

    def mean(plane: Image, side: int) -> Image:
        return np.asarray(cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)

    near = mean(vv, 3), mean(vh, 3)
    texture = np.sqrt(np.maximum(mean(vv * vv, 5) - mean(vv, 5) ** 2, 0))
    planes = [mean(plane, side) for side in _SCALES for plane in (vv, vh)]
    return np.stack([*planes, near[0] ** 2, near[1] ** 2, near[0] * near[1], texture])


def is_water(sums: Image, weight: Image) -> NDArray[np.bool_]:
    """Blocks that look like open water at the top of the atmosphere, (row, column): dark where shadows are not.

    Green well above the near infrared (McFeeters 1996 has the index of the two), and hardly any short-wave infrared. In
    the shade of clouds plants still keep the near infrared above the green.

    Args:
        sums: (13, row, column) reflectance of blocks times their weight.
        weight: (row, column), clear share of each; blocks without any are none.
    """
    green, near_infrared, short_wave = (sums[band] for band in (_GREEN, _NEAR_INFRARED, _SHORT_WAVE))
    dark = (green > np.float32(1.3) * near_infrared) & (short_wave < np.float32(0.05) * weight)
    return np.asarray(dark & (weight > 0), bool)


def _smooth(sums: Image, weight: Image, mean: NDArray[np.floating]) -> Image:
    """Weighted means under a Gaussian, drawn towards `mean` where little is known: (plane, row, column).

    `mean` is (plane,) or (plane, row, column).
    """
    import cv2

    def spread(plane: Image) -> Image:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), _REACH / BLOCK, borderType=cv2.BORDER_REFLECT), np.float32)

    below = spread(weight) + _PULL
    pulled = np.asarray(_PULL * mean, np.float32)
    return np.stack([(spread(plane) + towards) / below for plane, towards in zip(sums, pulled, strict=True)])


def block_means(image: Image) -> Image:
    """Means over blocks of 4 x 4 pixels, (..., row / 4, column / 4) rounded up; what the last block lacks is 0."""
    rows, columns = image.shape[-2:]
    if rows % BLOCK or columns % BLOCK:
        pad = [(0, 0)] * (image.ndim - 2) + [(0, -rows % BLOCK), (0, -columns % BLOCK)]
        image = np.pad(image, pad)
    import cv2

    *front, rows, columns = image.shape
    size = columns // BLOCK, rows // BLOCK
    # with whole numbers of pixels per block this is their plain mean
    planes = [cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in image.reshape(-1, rows, columns)]
    return np.asarray(planes, np.float32).reshape(*front, size[1], size[0])


def _enlarged(blocks: Image, rows: int, columns: int) -> Image:
    """Bilinear between the blocks' middles, cut to (row, column)."""
    import cv2

    size = blocks.shape[2] * BLOCK, blocks.shape[1] * BLOCK
    planes = [cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in blocks]
    return np.ascontiguousarray(np.stack(planes)[:, :rows, :columns], np.float32)
