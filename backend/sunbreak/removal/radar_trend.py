"""Reflectance that radar alone suggests: the trend of a guide where no clear pixel is near.

Each block is a mixture of water and land. The fraction of water is a logistic function of the radar features. Land has
the spectrum of the prior, changed in proportion to the features. Both are fitted to the places of the training that
have radar (`sunbreak.training.removal.priors`). In a tile with clear pixels the trend counts in each band as far as
its clear pixels agree with it (`strength`): it is a universal kriging with an external drift whose factor is shrunk
towards 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Row = NDArray[np.float64]

_PSEUDO = 80.0  # blocks of 4 x 4 pixels at which half of the strength comes from the clear pixels
_MOST = 1.5  # largest strength


@dataclass(frozen=True)
class RadarTrend:
    """The relation between radar and reflectance all over the world.

    Attributes:
        wetness: (13,) weights of the radar features and the constant, for the log-odds of water.
        backscatter: (12,) means of the radar features over land.
        slopes: (13, 12) reflectance of land per radar feature.
    """

    wetness: Row
    backscatter: Row
    slopes: Row

    def expected(self, features: Image, land: Row, water: Row) -> Image:
        """Reflectance (13, row, column) in 0..1.

        Args:
            features: (12, row, column), see `sunbreak.removal.guide.radar_features`.
            land: (13,) spectrum of land.
            water: (13,) spectrum of water.
        """
        flat = features.reshape(len(features), -1)
        odds = self.wetness[:-1].astype(np.float32) @ flat + np.float32(self.wetness[-1])
        wet = (1 / (1 + np.exp(-np.clip(odds, -30, 30)))).astype(np.float32)
        apart = flat - self.backscatter.astype(np.float32)[:, None]
        dry = np.clip(land.astype(np.float32)[:, None] + self.slopes.astype(np.float32) @ apart, 0, 1)
        mixed = wet * water.astype(np.float32)[:, None] + (1 - wet) * dry
        return np.asarray(mixed.reshape(len(land), *features.shape[1:]), np.float32)


@dataclass(frozen=True)
class Agreement:
    """Sums over the clear blocks of one or more images: how far reflectance follows the trend.

    Attributes:
        products: (13,) reflectance times trend, both without their smooth part.
        squares: (13,) trend squared.
        spread: (13,) mean square of the trend over all blocks, times their number.
        blocks: Number of blocks, clear or not.
    """

    products: Row
    squares: Row
    spread: Row
    blocks: float

    @classmethod
    def of(cls, residual: Image, detail: Image, weight: Image) -> Agreement:
        """The sums of one image.

        Args:
            residual: (13, row, column) reflectance without its smooth part, times the weight.
            detail: (13, row, column) trend without its smooth part.
            weight: (row, column) clear fraction.
        """
        squared = detail.astype(np.float64) ** 2
        return cls(
            (residual * detail).sum(axis=(1, 2), dtype=np.float64),
            (squared * weight).sum(axis=(1, 2)),
            squared.sum(axis=(1, 2)),
            float(weight.size),
        )

    def __add__(self, other: Agreement) -> Agreement:
        return replace(
            self,
            products=self.products + other.products,
            squares=self.squares + other.squares,
            spread=self.spread + other.spread,
            blocks=self.blocks + other.blocks,
        )

    @property
    def strength(self) -> Row:
        """(13,) factor of the trend in each band: 1 without clear blocks, 0 where they contradict it, at most 1.5."""
        known = _PSEUDO * self.spread / max(self.blocks, 1.0) + 1e-12
        return np.clip((self.products + known) / (self.squares + known), 0, _MOST)
