"""The prior of a place: moments of its reflectance and backscatter, and the `Prior` of a guide estimated from them.

With it the guide of an almost overcast tile shrinks towards the mean of the place instead of the mean of the world.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from sunbreak.engine.checkpoints import State
from sunbreak.removal.guide import BLOCK, Prior, block_means, radar_features

_RIDGE = 0.03


@dataclass(frozen=True)
class RadarMoments:
    """Sums over blocks for the regression of reflectance on radar features.

    Attributes:
        features: (12,) radar features.
        squares: (12, 12) features by features.
        products: (12, 13) features by reflectance.
    """

    features: NDArray[np.float64]
    squares: NDArray[np.float64]
    products: NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """Sums over the clear pixels of one image, in blocks of 4 x 4 pixels.

    Attributes:
        count: Number of clear blocks; a block that is partly clear counts by its clear fraction.
        colour: (13,) reflectance.
        radar: Sums with radar, or None without it.
    """

    count: float
    colour: NDArray[np.float64]
    radar: RadarMoments | None = None

    @property
    def pixels(self) -> float:
        """Clear pixels."""
        return self.count * BLOCK**2

    def state(self) -> State:
        """As arrays, for `of_state`."""
        sums = {"count": np.array(self.count), "colour": self.colour}
        return sums if self.radar is None else sums | asdict(self.radar)

    @classmethod
    def of_state(cls, state: State) -> Moments:
        """The inverse of `state`."""
        names = [field.name for field in fields(RadarMoments)]
        radar = RadarMoments(*(state[name] for name in names)) if "features" in state else None
        return cls(float(state["count"]), state["colour"], radar)

    def without(self, other: Moments, factor: NDArray[np.float64]) -> Moments:
        """The moments of this image minus another one with the same clear pixels, times a factor of each band (13,)."""
        radar = self.radar
        if radar is not None and other.radar is not None:
            radar = replace(radar, products=radar.products - other.radar.products * factor)
        return replace(self, colour=self.colour - other.colour * factor, radar=radar)


def moments(reflectance: NDArray[np.float32], clear: NDArray[np.bool_], radar: NDArray[np.float32] | None) -> Moments:
    """The moments of one image.

    Args:
        reflectance: (13, row, column).
        clear: (row, column), True where the ground is visible.
        radar: (2, row, column) dB, or None.
    """
    weight, sums = block_means(clear.astype(np.float32)), block_means(reflectance * clear)
    return block_moments(sums, weight, None if radar is None else radar_features(radar))


def block_moments(
    sums: NDArray[np.float32], weight: NDArray[np.float32], features: NDArray[np.float32] | None
) -> Moments:
    """The moments of an image from its blocks.

    Args:
        sums: (13, row, column) reflectance times the weight.
        weight: (row, column) clear fraction.
        features: (12, row, column) radar features, or None.
    """
    flat = weight.ravel().astype(np.float64)
    colours = sums.reshape(len(sums), -1).astype(np.float64)
    if features is None:
        return Moments(float(flat.sum()), colours.sum(axis=1))
    planes = features.reshape(-1, flat.size).astype(np.float64)
    weighted = planes * flat
    seen = RadarMoments(weighted.sum(axis=1), weighted @ planes.T, planes @ colours.T)
    return Moments(float(flat.sum()), colours.sum(axis=1), seen)


def prior_of(parts: Sequence[Moments], weight: float) -> Prior:
    """The prior of a place: the means, and the ridge regression of reflectance on radar features about them.

    Args:
        parts: Moments of its images; the regression uses those with radar.
        weight: Weight of the prior in clear pixels.
    """
    spectrum = np.sum([part.colour for part in parts], axis=0) / sum(part.count for part in parts)
    with_radar = [(part, part.radar) for part in parts if part.radar is not None]
    if not with_radar:
        return Prior(spectrum, weight)
    count = sum(part.count for part, _ in with_radar)
    colour = np.sum([part.colour for part, _ in with_radar], axis=0) / count
    radar = np.sum([seen.features for _, seen in with_radar], axis=0) / count
    squares = np.sum([seen.squares for _, seen in with_radar], axis=0) / count - np.outer(radar, radar)
    products = np.sum([seen.products for _, seen in with_radar], axis=0) / count - np.outer(radar, colour)
    slopes = np.linalg.solve(squares + _RIDGE * np.eye(len(radar)), products).T
    return Prior(spectrum, weight, radar, slopes)
