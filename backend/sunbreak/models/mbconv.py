"""The convolution blocks of UnCRtainTS: inverted bottlenecks with squeeze and excitation.

Attribute names (`conv.norm`, `conv.fn.0` ...) follow the official checkpoints, so that those load without renaming.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

NormName = Literal["group", "batch"]
PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]

NORM_GROUPS = 4
"""Groups of a group norm; the channels are a multiple of it."""
_SQUEEZE_RATIO = 4
_EXPANSION = 2


def make_norm(name: NormName, channels: int) -> nn.Module:
    """A normalisation layer over `channels`: ``group`` (four groups) or ``batch``."""
    return nn.GroupNorm(NORM_GROUPS, channels) if name == "group" else nn.BatchNorm2d(channels)


class SqueezeExcitation(nn.Module):
    """Channel attention (Hu et al. 2018): global average, two linear layers without bias, sigmoid gate.

    The reduced width is a quarter of the block's input channels.
    """

    def __init__(self, block_channels: int, channels: int) -> None:
        super().__init__()
        reduced = block_channels // _SQUEEZE_RATIO
        self.fc = nn.Sequential(
            nn.Linear(channels, reduced, bias=False),
            nn.GELU(),
            nn.Linear(reduced, channels, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channel, row, column) to the same shape."""
        gate: Tensor = self.fc(x.mean(dim=(2, 3)))
        return x * gate[:, :, None, None]


class PreNorm(nn.Module):
    """Normalises, then applies the wrapped function."""

    def __init__(self, norm: nn.Module, fn: nn.Sequential) -> None:
        super().__init__()
        self.norm = norm
        self.fn = fn

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channel, row, column) to the same shape."""
        out: Tensor = self.fn(self.norm(x))
        return out


class MBConv(nn.Module):
    """Residual inverted bottleneck of UnCRtainTS (Ebel et al. 2023, section 3.1).

    x + norm, 1x1 expansion, norm, GELU, depthwise 3x3 with reflect padding, norm, GELU, squeeze and excitation,
    1x1 projection, norm.
    """

    def __init__(self, channels: int, norm: NormName, padding_mode: PaddingMode = "reflect") -> None:
        super().__init__()
        hidden = channels * _EXPANSION
        self.conv = PreNorm(
            make_norm(norm, channels),
            nn.Sequential(
                nn.Conv2d(channels, hidden, 1, bias=False),
                make_norm(norm, hidden),
                nn.GELU(),
                nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden, padding_mode=padding_mode, bias=False),
                make_norm(norm, hidden),
                nn.GELU(),
                SqueezeExcitation(channels, hidden),
                nn.Conv2d(hidden, channels, 1, bias=False),
                make_norm(norm, channels),
            ),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channel, row, column) to the same shape."""
        out: Tensor = x + self.conv(x)
        return out
