"""Logits of each pixel from what lies close to it: reflectance on a logarithmic scale, and its local statistics.

What lies close transfers to new places better than shapes do, if few places have been seen in training.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WINDOWS = (5, 15)
"""Sides in pixels of the windows whose means are features."""
SPREAD = 7
"""Side in pixels of the window whose standard deviation is a feature."""
REACH = 8
"""Pixels beyond an area that its logits depend on, at most."""

_DARK = 0.03  # reflectance added before the logarithm: noise of dark pixels stays small
_MIDDLE, _WIDTH = math.log(0.15), 0.6  # of the logarithms over land, roughly
_LEAST_VARIANCE = 1e-6


class Logarithm(nn.Module):
    """Standardised bands to (ln(reflectance + 0.03) - ln 0.15) / 0.6, in which brightness is a sum and not a factor.

    Args:
        bands: Number of bands.

    Attributes:
        shift, factor: (band,), reflectance is shift + factor x input. They are stored with the weights.
    """

    shift: Tensor
    factor: Tensor

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.register_buffer("shift", torch.full((bands,), 0.2))
        self.register_buffer("factor", torch.full((bands,), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, band, row, column) of both."""
        reflectance = self.shift[:, None, None] + self.factor[:, None, None] * x
        return (torch.log(reflectance.clamp(min=0) + _DARK) - _MIDDLE) / _WIDTH


class LocalBranch(nn.Module):
    """Bands, their means over two windows and their standard deviation over a third, through a perceptron per pixel.

    A pixel's logits depend on pixels that are up to 7 rows or columns away.

    Args:
        bands: Input channels.
        hidden: Channels of the first hidden layer; the second has half as many.
        classes: Logits of a pixel.
    """

    def __init__(self, bands: int, hidden: int, classes: int) -> None:
        super().__init__()
        features = bands * (2 + len(WINDOWS))
        # no batch norms: with few places in a batch they would take out the brightness that tells classes apart
        self.layers = nn.Sequential(
            nn.Conv2d(features, hidden, 1), nn.ReLU(),
            nn.Conv2d(hidden, hidden // 2, 1), nn.ReLU(),
            nn.Conv2d(hidden // 2, classes, 1),
        )  # fmt: skip

    def features(self, x: Tensor, known: Tensor) -> Tensor:
        """What the perceptron sees: (batch, band, row, column) to (batch, 4 x band, row, column).

        Args:
            x: The bands.
            known: (batch, 1, row, column), 1 where the bands are known, else 0. Windows hold known pixels only.
        """
        mean = window_mean(x, known, SPREAD)
        spread = (window_mean(x * x, known, SPREAD) - mean * mean).clamp(min=_LEAST_VARIANCE).sqrt()
        return torch.cat([x, *(window_mean(x, known, side) for side in WINDOWS), spread], dim=1)

    def forward(self, x: Tensor, known: Tensor) -> Tensor:
        """(batch, band, row, column) to (batch, class, row, column), see `features`."""
        logits: Tensor = self.layers(self.features(x, known))
        return logits


def known_pixels(x: Tensor) -> Tensor:
    """Where standardised bands (batch, band, row, column) are known: unknown pixels are exactly 0 in all of them."""
    return (x != 0).any(dim=1, keepdim=True).to(x.dtype)


def window_mean(x: Tensor, known: Tensor, side: int) -> Tensor:
    """The mean over the known pixels in a square window around each pixel; 0 where there are none."""
    return _window(x * known, side) / _window(known, side).clamp(min=0.5 / side**2)


def _window(x: Tensor, side: int) -> Tensor:
    """The mean over a square window; what lies outside of the image is 0."""
    reach = side // 2
    return F.avg_pool2d(F.avg_pool2d(x, (side, 1), 1, (reach, 0)), (1, side), 1, (0, reach))
