"""Instance norms of the Augmented CycleGAN: a learnt one, and one whose scale and shift come from the latent vector."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_EPSILON = 1e-5


class InstanceNorm(nn.Module):
    """Each channel of each image to mean 0 and (biased) variance 1, then scaled and shifted.

    The scale starts around 0, not 1: a residual block begins as almost the identity.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.randn(channels) * 0.02)
        self.shift = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channel, row, column) to the same shape."""
        normed = F.instance_norm(x, eps=_EPSILON)
        return _affine(normed, self.scale[:, None, None], self.shift[:, None, None])


class ConditionalInstanceNorm(nn.Module):
    """Instance norm whose scale and shift are read off the latent vector (Almahairi et al. 2018, section 4).

    Both pass a ReLU, so a latent vector switches channels on and off.
    """

    def __init__(self, channels: int, latent: int) -> None:
        super().__init__()
        self.shift_conv = nn.Sequential(nn.Conv2d(latent, channels, 1), nn.ReLU())
        self.scale_conv = nn.Sequential(nn.Conv2d(latent, channels, 1), nn.ReLU())

    def forward(self, x: Tensor, latent: Tensor) -> Tensor:
        """(batch, channel, row, column) and a latent (batch, length, 1, 1) to the shape of `x`."""
        # the reference divides by the unbiased deviation, torch's kernel by the biased one: the ratio goes into the
        # scale
        count = x.shape[2] * x.shape[3]
        share = (count - 1) / count
        normed = F.instance_norm(x, eps=_EPSILON * share)
        return _affine(normed, self.scale_conv(latent) * math.sqrt(share), self.shift_conv(latent))


def _affine(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    # under autocast the parameters stay float32; without the cast they would make every feature map float32 again
    return torch.addcmul(shift.to(x.dtype), x, scale.to(x.dtype))
