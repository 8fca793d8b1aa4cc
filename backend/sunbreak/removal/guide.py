"""The guide of a guided network: the cloudy image with its clouds filled from the clear pixels (cloud-filled guide).

UnCRtainTS has a receptive field of about 13 pixels and the tile's global statistics. It can therefore hardly transfer
the reflectance of distant clear pixels into a cloud. The guide does this in advance:

- The fill is a Gaussian-weighted mean of the clear pixels. It shrinks towards the tile's mean where the nearest clear
  pixels are far, and the tile's mean shrinks towards a prior spectrum where the tile has few clear pixels.
- With radar, a ridge regression of reflectance on backscatter corrects the fill. It is fitted to the clear pixels of
  the same tile, on the residuals of both after the same smoothing. This is simple co-kriging.
- With a radar trend in the prior, all of this happens to the difference from the trend (`radar_trend`): under wholly
  overcast skies the guide is what radar suggests, with water dark and land bright.

The `Prior` supplies what a tile with few clear pixels cannot estimate. It is either a mean spectrum of the world's land
and one of its waters, with the radar trend of both, or it comes from the adaptation to one place: mean reflectance,
mean backscatter and the regression between them. In a scene of many tiles, smooth fields of the whole scene
(`sunbreak.removal.surroundings`) replace the tile's mean, so that neighbouring tiles agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sunbreak.models.prior_layout import BANDS, named_prior
from sunbreak.removal.radar_trend import Agreement, RadarTrend

BLOCK = 4  # side, in pixels, of the blocks that the guide is computed on
_REACH = 32.0  # standard deviation of the smoothing, in pixels
_MEAN_WEIGHT = 1.0  # weight of the tile's mean, in clear blocks at the peak of the Gaussian
_PRIOR_WEIGHT = 128.0  # weight, in clear pixels, of a prior spectrum that comes without one
_TILE = 256 * 256  # pixels
_HALF_WATER = 256.0  # clear pixels at which shrinkage halves their water fraction
_SCALES = (1, 3, 9, 21)  # sides of the windows that radar is averaged over, in blocks
_RIDGE = 0.03
_SHRINK = 1280.0  # clear pixels at which shrinkage halves the fitted slopes
_SHRINK_PLACE = 20000.0  # the same where the prior has slopes: the tile only corrects them
_MIN_CLEAR = 320  # with fewer clear pixels no regression is fitted
_TYPICAL = (-11.0, -18.0)  # dB of land, VV and VH: centres the features
_FLOOR = -25.0  # dB; lower values are set to it

Image = NDArray[np.float32]
_GREEN, _NEAR_INFRARED, _SHORT_WAVE = 2, 7, 11  # B03, B08, B11


@dataclass(frozen=True)
class Prior:
    """Expected reflectance and backscatter of a tile, before any of its pixels is used.

    Attributes:
        spectrum: (13,) mean reflectance; of land only if `water` is given.
        weight: Weight of the spectrum in clear pixels of a full tile; it is scaled down for smaller images.
        backscatter: (12,) means of the radar features, or None if unknown.
        slopes: (13, 12) regression slopes, reflectance per radar feature, or None if unknown.
        water: (13,) mean reflectance of water, or None if the spectrum includes it.
        trend: Relation between radar and reflectance of land and water, or None if unknown.
        strength: (13,) factor of the trend in each band, if the scene has settled it; None lets each tile do so.
    """

    spectrum: NDArray[np.float64]
    weight: float = _PRIOR_WEIGHT
    backscatter: NDArray[np.float64] | None = None
    slopes: NDArray[np.float64] | None = None
    water: NDArray[np.float64] | None = None
    trend: RadarTrend | None = None
    strength: NDArray[np.float64] | None = None

    @classmethod
    def parse(cls, numbers: Sequence[float]) -> Prior:
        """The prior from the flat numbers in a network's configuration.

        Raises:
            ValueError: No prior has this many numbers.
        """
        parts = named_prior(numbers)
        weight = parts.pop("weight", _PRIOR_WEIGHT)
        rows = {name: np.asarray(values, np.float64) for name, values in parts.items()}
        names = ("wetness", "land_backscatter", "land_slopes")
        found = [rows.pop(name) for name in names if name in rows]
        return cls(weight=weight, trend=RadarTrend(*found) if found else None, **rows)

    def numbers(self) -> tuple[float, ...]:
        """The inverse of `parse`."""
        parts = [self.spectrum, np.array([self.weight])]
        if self.water is not None:
            parts.append(self.water)
        if self.trend is not None:
            parts += [self.trend.wetness, self.trend.backscatter, self.trend.slopes.ravel()]
        if self.backscatter is not None and self.slopes is not None:
            parts += [self.backscatter, self.slopes.ravel()]
        return tuple(round(float(value), 6) for value in np.concatenate(parts))

    def suggested(self, features: Image) -> Image | None:
        """Reflectance (13, row, column) that radar suggests, or None without a trend.

        Args:
            features: (12, row, column), see `radar_features`.
        """
        if self.trend is None or self.water is None:
            return None
        return self.trend.expected(features, self.spectrum, self.water)

    def weight_in(self, pixels: int) -> float:
        """The weight for an image of `pixels` pixels; lower in small images, whose clear pixels are near."""
        return self.weight * min(1.0, pixels / _TILE)

    def expected(self, sums: Image, weight: Image) -> NDArray[np.float64]:
        """The prior spectrum (13,) for the water fraction among the clear pixels of a tile.

        Args:
            sums: (13, row, column) reflectance of blocks times their weight.
            weight: (row, column), clear fraction of each block.
        """
        if self.water is None:
            return self.spectrum
        pixels = BLOCK**2 * float(weight.sum())
        fraction = BLOCK**2 * float(weight[is_water(sums, weight)].sum()) / (pixels + _HALF_WATER)
        return fraction * self.water + (1 - fraction) * self.spectrum


def guide(
    reflectance: Image,
    clear: NDArray[np.bool_],
    prior: Sequence[float] | Prior,
    radar: Image | None = None,
    around: Image | None = None,
) -> Image:
    """Fill the pixels that are not clear.

    Args:
        reflectance: (13, row, column), finite; the values of pixels that are not clear have no effect.
        clear: (row, column), True where the ground is visible.
        prior: The prior, or its numbers; thirteen numbers are a spectrum alone.
        radar: (2, row, column) VV and VH in dB, NaN where there is none.
        around: Local means that the fill shrinks towards, from `Surroundings.at`: (13, row / 4, column / 4)
            reflectance, or its difference from the trend of a prior that has one, followed by the 12 radar features if
            there is radar. Default: the mean of this tile.

    Returns:
        (band, row, column): the observation in clear pixels, the fill elsewhere.
    """
    if clear.all():
        return reflectance.copy()
    known = prior if isinstance(prior, Prior) else Prior.parse(prior)
    weight, sums = block_means(clear.astype(np.float32)), block_means(reflectance * clear)
    features = None if radar is None else radar_features(radar)
    trend = None if features is None else known.suggested(features)
    if trend is None:
        filled = _smooth(sums, weight, around[:BANDS] if around is not None else _mean(sums, weight, known, clear.size))
    else:
        strength = known.strength if known.strength is not None else agreement(sums, weight, trend).strength
        scaled = np.asarray(trend * strength[:, None, None], np.float32)
        sums = sums - scaled * weight
        apart = (trend - scaled).mean(axis=(1, 2))
        local = around[:BANDS] if around is not None else _mean_apart(sums, weight, known.weight_in(clear.size), apart)
        filled = _smooth(sums, weight, local)
    if features is not None and (known.slopes is not None or float(weight.sum()) * BLOCK**2 >= _MIN_CLEAR):
        features_around = around[BANDS:] if around is not None and len(around) > BANDS else None
        filled += _radar_terms(sums, weight, filled, features, known, features_around)
    if trend is not None:
        filled += scaled
    if features is not None:
        np.clip(filled, 0, 1, out=filled)
    fine = _enlarged(filled, *clear.shape)
    np.copyto(fine, reflectance, where=clear)
    return fine


def agreement(sums: Image, weight: Image, trend: Image) -> Agreement:
    """How far the clear blocks follow the radar trend, apart from smooth differences.

    Args:
        sums: (13, row, column) reflectance of blocks times their weight.
        weight: (row, column), clear fraction of each block.
        trend: (13, row, column), from `Prior.suggested`.
    """
    total = max(float(weight.sum()), 1e-6)
    smooth = _smooth(sums, weight, sums.sum(axis=(1, 2)) / total)
    level = _smooth(trend * weight, weight, (trend * weight).sum(axis=(1, 2)) / total)
    return Agreement.of(sums - smooth * weight, trend - level, weight)


def _mean(sums: Image, weight: Image, prior: Prior, pixels: int) -> NDArray[np.float64]:
    """Mean reflectance (13,) of the clear pixels of a tile, shrunk towards the prior spectrum."""
    count, prior_weight = float(weight.sum()) * BLOCK**2, prior.weight_in(pixels)
    expected = prior.expected(sums, weight)
    return np.asarray((sums.sum(axis=(1, 2)) * BLOCK**2 + prior_weight * expected) / (count + prior_weight))


def _mean_apart(
    sums: Image, weight: Image, prior_weight: float, expected: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Mean difference (13,) of the clear pixels of a tile from the scaled trend, shrunk towards the expected one."""
    count = float(weight.sum()) * BLOCK**2
    total: NDArray[np.floating] = sums.sum(axis=(1, 2)) * BLOCK**2 + prior_weight * expected
    return total / (count + prior_weight)


def _radar_terms(
    sums: Image, weight: Image, filled: Image, features: Image, prior: Prior, around: Image | None
) -> Image:
    """The correction of a smooth fill by the regression on backscatter, (band, row, column) in blocks."""
    features = features.copy()
    size = float(weight.sum())
    pixels = size * BLOCK**2
    total = (features * weight).sum(axis=(1, 2))
    mean: NDArray[np.floating]
    slopes: NDArray[np.float64]
    if prior.backscatter is None or prior.slopes is None:
        mean, slopes, shrink = total / size, np.zeros((len(sums), len(features))), _SHRINK
    else:
        prior_weight = prior.weight_in(weight.size * BLOCK**2)
        mean = (total * BLOCK**2 + prior_weight * prior.backscatter) / (pixels + prior_weight)
        slopes, shrink = prior.slopes, _SHRINK_PLACE
    if around is not None:
        mean = around
    features -= _smooth(features * weight, weight, mean)
    flat = slopes.astype(np.float32) @ features.reshape(len(features), -1)
    if size > 0:
        seen = weight > 0
        root_weight = np.sqrt(weight[seen])
        predictors = features[:, seen] * root_weight
        residuals = (sums[:, seen] / weight[seen] - filled[:, seen]) * root_weight
        residuals = residuals - slopes.astype(np.float32) @ predictors
        gram = (predictors @ predictors.T).astype(np.float64) / size
        gram += _RIDGE * (1 + shrink / pixels) * np.eye(len(features))
        fitted = np.linalg.solve(gram, (predictors @ residuals.T).astype(np.float64) / size).T
        within = _within(features, seen)
        shrunk = (fitted * pixels / (pixels + shrink)).astype(np.float32)
        flat += shrunk @ within.reshape(len(features), -1)
    return np.asarray(flat.reshape(len(sums), *weight.shape), np.float32)


def _within(features: Image, seen: NDArray[np.bool_]) -> Image:
    """Features kept within the range of the blocks that were fitted to: a line says nothing beyond its points."""
    values = features[:, seen]
    low, high = (limit[:, None, None] for limit in (values.min(axis=1), values.max(axis=1)))
    return np.clip(features, low, high)


def radar_features(radar: Image) -> Image:
    """Backscatter at several scales, its squares and its texture, of order 1: (feature, row, column) in blocks.

    Gaps get the mean of the image, because backscatter of 0 would pass for water.
    """
    import cv2

    vv, vh = (
        (block_means(_without_gaps(plane, typical)) - np.float32(typical)) / np.float32(5)
        for plane, typical in zip(radar, _TYPICAL, strict=True)
    )

    def mean(plane: Image, side: int) -> Image:
        return np.asarray(cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)

    near = mean(vv, 3), mean(vh, 3)
    texture = np.sqrt(np.maximum(mean(vv * vv, 5) - mean(vv, 5) ** 2, 0))
    planes = [mean(plane, side) for side in _SCALES for plane in (vv, vh)]
    return np.stack([*planes, near[0] ** 2, near[1] ** 2, near[0] * near[1], texture])


def _without_gaps(plane: Image, typical: float) -> Image:
    """A plane in dB (row, column) with a floor, and the mean of what is known in its gaps."""
    floored = np.maximum(plane, np.float32(_FLOOR))
    known = np.isfinite(floored)
    if known.all():
        return floored
    mean = floored[known].mean(dtype=np.float64) if known.any() else typical
    return np.where(known, floored, np.float32(mean))


def is_water(sums: Image, weight: Image) -> NDArray[np.bool_]:
    """Blocks of open water, (row, column), from top-of-atmosphere reflectance.

    In water green is well above the near infrared (as in the index of McFeeters 1996), and the short-wave infrared is
    close to 0. Cloud shadow over vegetation does not pass: its near infrared stays above the green.

    Args:
        sums: (13, row, column) reflectance of blocks times their weight.
        weight: (row, column), clear fraction of each block; blocks with 0 are never water.
    """
    green, near_infrared, short_wave = (sums[band] for band in (_GREEN, _NEAR_INFRARED, _SHORT_WAVE))
    dark = (green > np.float32(1.3) * near_infrared) & (short_wave < np.float32(0.05) * weight)
    return np.asarray(dark & (weight > 0), bool)


def _smooth(sums: Image, weight: Image, mean: NDArray[np.floating]) -> Image:
    """Gaussian-weighted means that shrink towards `mean` where few pixels are clear: (plane, row, column).

    `mean` is (plane,) or (plane, row, column).
    """
    import cv2

    def blur(plane: Image) -> Image:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), _REACH / BLOCK, borderType=cv2.BORDER_REFLECT), np.float32)

    total_weight = blur(weight) + _MEAN_WEIGHT
    weighted = np.asarray(_MEAN_WEIGHT * mean, np.float32)
    return np.stack([(blur(plane) + centre) / total_weight for plane, centre in zip(sums, weighted, strict=True)])


def block_means(image: Image) -> Image:
    """Means over blocks of 4 x 4 pixels, (..., row / 4, column / 4) rounded up; edge blocks are padded with 0."""
    rows, columns = image.shape[-2:]
    if rows % BLOCK or columns % BLOCK:
        pad = [(0, 0)] * (image.ndim - 2) + [(0, -rows % BLOCK), (0, -columns % BLOCK)]
        image = np.pad(image, pad)
    import cv2

    *front, rows, columns = image.shape
    size = columns // BLOCK, rows // BLOCK
    # with an integer factor, INTER_AREA is the plain mean of each block
    planes = [cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in image.reshape(-1, rows, columns)]
    return np.asarray(planes, np.float32).reshape(*front, size[1], size[0])


def _enlarged(blocks: Image, rows: int, columns: int) -> Image:
    """Blocks interpolated bilinearly between their centres to pixels, cropped to (row, column)."""
    import cv2

    size = blocks.shape[2] * BLOCK, blocks.shape[1] * BLOCK
    planes = [cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in blocks]
    return np.ascontiguousarray(np.stack(planes)[:, :rows, :columns], np.float32)
