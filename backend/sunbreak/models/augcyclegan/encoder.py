"""The latent encoder: a pair of images, one of each domain, to the latent vector that leads from one to the other."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sunbreak.models.augcyclegan.config import DirectionConfig

_COARSE = 4


class LatentEncoder(nn.Module):
    """Mean and log-variance of the latent vector of a pair of images.

    The reference only yields one vector at 64 pixels (25 of them at 120). Here the features are pooled to the 4x4 that
    they have at 64 pixels, so that side lengths are free and 64 stays exact.
    """

    def __init__(self, config: DirectionConfig) -> None:
        super().__init__()
        width = config.encoder_width
        layers: list[nn.Module] = [
            nn.Conv2d(config.source_bands + config.target_bands, width, 3, stride=2, padding=1),
            nn.ReLU(),
        ]
        for factor in (1, 2, 4):
            layers += _halving(factor * width, 2 * factor * width)
        last = nn.Conv2d(8 * width, 8 * width, _COARSE, bias=False)
        self.conv_modules = nn.Sequential(*layers, last, nn.BatchNorm2d(8 * width), nn.ReLU())
        self._pool_before = len(layers)
        self.enc_mu = nn.Conv2d(8 * width, config.latent, 1)
        self.enc_logvar = nn.Conv2d(8 * width, config.latent, 1)

    def forward(self, source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Encode.

        Args:
            source: (batch, source band, row, column).
            target: (batch, target band, row, column).

        Returns:
            Mean and log-variance, each (batch, length).
        """
        features = torch.cat((source, target), dim=1)
        for index, layer in enumerate(self.conv_modules):
            if index == self._pool_before and features.shape[2:] != (_COARSE, _COARSE):
                features = F.adaptive_avg_pool2d(features, _COARSE)
            features = layer(features)
        return self.enc_mu(features).flatten(1), self.enc_logvar(features).flatten(1)


def _halving(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
