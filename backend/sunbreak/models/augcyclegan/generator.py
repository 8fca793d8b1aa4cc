"""The generator: an image, its conditioning bands and a latent vector to an image of the other domain."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from sunbreak.models.augcyclegan.config import DirectionConfig
from sunbreak.models.augcyclegan.norms import ConditionalInstanceNorm, InstanceNorm

_BLOCKS = 3


class LatentSequence(nn.Sequential):
    """Layers in a row, of which some take the latent vector too."""

    def forward(self, x: Tensor, latent: Tensor | None = None) -> Tensor:
        """Run through all layers."""
        for layer in self:
            x = layer(x, latent) if isinstance(layer, _TAKES_LATENT) else layer(x)
        return x


class ConditionedConvolution(nn.Module):
    """A convolution and its conditional norm; the names are the reference's."""

    def __init__(self, channels: int, latent: int) -> None:
        super().__init__()
        self.module1 = nn.Conv2d(channels, channels, 3)
        self.module2 = ConditionalInstanceNorm(channels, latent)

    def forward(self, x: Tensor, latent: Tensor) -> Tensor:
        """(batch, channel, row, column), padded by one pixel, and the latent."""
        return cast("Tensor", self.module2(self.module1(x), latent))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut. Only the stochastic generator has a norm after the first one."""

    def __init__(self, channels: int, latent: int) -> None:
        super().__init__()
        first = ConditionedConvolution(channels, latent) if latent else nn.Conv2d(channels, channels, 3)
        self.conv_block = LatentSequence(
            nn.ReflectionPad2d(1),
            first,
            nn.ReLU(),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            InstanceNorm(channels),
        )

    def forward(self, x: Tensor, latent: Tensor | None) -> Tensor:
        """(batch, channel, row, column) to the same shape."""
        return torch.relu(x + self.conv_block(x, latent))


_TAKES_LATENT = (ConditionalInstanceNorm, ConditionedConvolution, ResidualBlock)


class Generator(nn.Module):
    """Residual generator of Almahairi et al. (2018) with one halving of the resolution; output in [-1, 1]."""

    def __init__(self, config: DirectionConfig) -> None:
        super().__init__()
        self.config = config
        width, latent = config.generator_width, config.latent

        def norm(channels: int) -> nn.Module:
            return ConditionalInstanceNorm(channels, latent) if latent else InstanceNorm(channels)

        self.model = LatentSequence(
            nn.ReflectionPad2d(3),
            nn.Conv2d(config.source_bands + config.conditioning, width, 7),
            norm(width),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, padding=1),
            norm(2 * width),
            nn.ReLU(),
            nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1),
            norm(4 * width),
            nn.ReLU(),
            *(ResidualBlock(4 * width, latent) for _ in range(_BLOCKS)),
            nn.ConvTranspose2d(4 * width, 2 * width, 3, stride=2, padding=1, output_padding=1),
            norm(2 * width),
            nn.ReLU(),
            nn.Conv2d(2 * width, width, 3, padding=1),
            norm(width),
            nn.ReLU(),
            nn.Conv2d(width, config.target_bands, 7, padding=3),
            nn.Tanh(),
        )

    @torch.no_grad()
    def start_at(self, colour: Tensor) -> None:
        """Let an untrained generator make images of about this colour, (target band,) in [-1, 1]."""
        last = cast("nn.Conv2d", self.model[-2])
        if last.bias is not None:
            last.bias.copy_(torch.atanh(colour.clamp(-0.99, 0.99)))

    def forward(self, image: Tensor, conditioning: Tensor | None = None, latent: Tensor | None = None) -> Tensor:
        """Translate.

        Args:
            image: (batch, source band, row, column) in [-1, 1], even numbers of rows and columns.
            conditioning: (batch, conditioning band, row, column) in [-1, 1]; None where the network has none.
            latent: (batch, length); None for a deterministic generator.

        Returns:
            (batch, target band, row, column) in [-1, 1].
        """
        return cast("Tensor", self.model[-1](self.raw(image, conditioning, latent)))

    def raw(self, image: Tensor, conditioning: Tensor | None = None, latent: Tensor | None = None) -> Tensor:
        """The translation before it is bound to [-1, 1]; arguments as in `forward`."""
        x = image if conditioning is None else torch.cat((image, conditioning), dim=1)
        vector = None if latent is None else latent[:, :, None, None]
        for layer in list(self.model)[:-1]:
            x = layer(x, vector) if isinstance(layer, _TAKES_LATENT) else layer(x)
        return x
