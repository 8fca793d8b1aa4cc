"""Discriminators of images (two designs) and of latent vectors. Outputs are unbounded, for least-squares losses."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from sunbreak.models.augcyclegan.config import DirectionConfig
from sunbreak.models.augcyclegan.norms import InstanceNorm

_SLOPE = 0.2
# per design: kernel, strides of the four convolutions, padding of the last 4x4 convolution
_MAKES = {"patch": (4, (2, 2, 1, 1), 1), "coarse": (3, (2, 2, 2, 2), 0)}


class ImageDiscriminator(nn.Module):
    """Says for every patch of an image how real it is: 1 real, 0 generated."""

    def __init__(self, config: DirectionConfig) -> None:
        super().__init__()
        kernel, strides, padding = _MAKES[config.discriminator]
        width = config.discriminator_width
        bands = config.target_bands + (config.conditioning if config.judge_conditioning else 0)
        layers: list[nn.Module] = [nn.Conv2d(bands, width, kernel, strides[0], padding=1), nn.LeakyReLU(_SLOPE)]
        channels = width
        for factor, stride in zip((2, 4, 4), strides[1:], strict=True):
            layers += [
                nn.Conv2d(channels, factor * width, kernel, stride, padding=1),
                InstanceNorm(factor * width),
                nn.LeakyReLU(_SLOPE),
            ]
            channels = factor * width
        layers.append(nn.Conv2d(channels, 1, 4, padding=padding))
        self.model = nn.Sequential(*layers)

    def forward(self, image: Tensor) -> Tensor:
        """(batch, band, row, column), conditioning bands last where it takes them, to (batch, 1, rows, columns)."""
        return cast("Tensor", self.model(image))


class LatentDiscriminator(nn.Module):
    """Distinguishes encoded latent vectors (0) from draws of the prior (1)."""

    def __init__(self, config: DirectionConfig) -> None:
        super().__init__()
        width = config.latent_width
        layers: list[nn.Module] = []
        for inputs in (config.latent, width, width):
            layers += [nn.Linear(inputs, width), nn.BatchNorm1d(width), nn.LeakyReLU(_SLOPE)]
        self.model = nn.Sequential(*layers, nn.Linear(width, 1))

    def forward(self, latent: Tensor) -> Tensor:
        """(batch, length) to (batch, 1)."""
        return cast("Tensor", self.model(latent))
