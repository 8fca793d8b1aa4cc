"""Temporal attention of multi-temporal UnCRtainTS: the lightweight attention encoder (L-TAE) and its aggregation.

L-TAE is Garnot and Landrieu 2020, used on a coarse grid as in U-TAE (2021); names follow the official checkpoints.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ATTENTION_GROUPS = 16
"""Groups of the norm before the attention; the channels are a multiple of it."""
_PERIOD = 1000.0
_MASKED = -1e3


class LearnedQueryAttention(nn.Module):
    """Scores of every date under one learned query per head."""

    def __init__(self, heads: int, key_width: int, model_width: int) -> None:
        super().__init__()
        self.heads = heads
        self.key_width = key_width
        self.Q = nn.Parameter(torch.zeros(heads, key_width))
        self.fc1_k = nn.Linear(model_width, heads * key_width)
        nn.init.normal_(self.Q, std=(2.0 / key_width) ** 0.5)
        nn.init.normal_(self.fc1_k.weight, std=(2.0 / key_width) ** 0.5)

    def forward(self, x: Tensor, padded: Tensor) -> Tensor:
        """(n, time, model_width) and a padding mask (n, time) to weights (head, n, time) that sum to one over time."""
        n, time, _ = x.shape
        keys = self.fc1_k(x).view(n, time, self.heads, self.key_width)
        scores = torch.einsum("ntHk,Hk->Hnt", keys, self.Q) / self.key_width**0.5
        scores = scores.masked_fill(padded[None], _MASKED)
        return torch.softmax(scores, dim=-1)


class TemporalEncoder(nn.Module):
    """Attention weights of every coarse pixel over the dates.

    Args:
        channels: Feature channels coming in.
        heads: Attention heads; the features are split into as many groups when they are summed.
        key_width: Width of one key.
        model_width: Width after the input projection.
        positions: Whether the dates are encoded.
    """

    def __init__(self, channels: int, heads: int, key_width: int, model_width: int, positions: bool) -> None:
        super().__init__()
        self.inconv = nn.Conv1d(channels, model_width, 1)
        self.attention_heads = LearnedQueryAttention(heads, key_width, model_width)
        self.in_norm = nn.GroupNorm(ATTENTION_GROUPS, channels)
        self.positions = positions
        width = model_width // heads
        steps = torch.arange(width)
        denominator = _PERIOD ** (2 * torch.div(steps, 2, rounding_mode="floor") / width)
        self.register_buffer("denominator", denominator, persistent=False)
        self.denominator: Tensor

    def encode(self, days: Tensor) -> Tensor:
        """Sine and cosine of absolute days: (batch, time) to (batch, time, model_width)."""
        angle = days[..., None] / self.denominator
        even = torch.arange(angle.shape[-1], device=angle.device) % 2 == 0
        table = torch.where(even, angle.sin(), angle.cos())
        return table.repeat(1, 1, self.attention_heads.heads)

    def forward(self, x: Tensor, days: Tensor | None, padded: Tensor) -> Tensor:
        """(batch, time, channel, row, column) to weights (head, batch, time, row, column)."""
        batch, time, channels, rows, columns = x.shape
        pixels = x.permute(0, 3, 4, 2, 1).reshape(batch * rows * columns, channels, time)
        pixels = self.inconv(self.in_norm(pixels)).permute(0, 2, 1)
        if self.positions and days is not None:
            pixels = pixels + self.encode(days).repeat_interleave(rows * columns, dim=0)
        weights: Tensor = self.attention_heads(pixels, padded.repeat_interleave(rows * columns, dim=0))
        return weights.view(-1, batch, rows, columns, time).permute(0, 1, 4, 2, 3)


def pool_to(x: Tensor, size: int) -> Tensor:
    """Maximum over blocks down to `size` x `size`; an explicit kernel where the sides divide, which exports better."""
    rows, columns = (int(side) for side in x.shape[-2:])  # constants in an export
    if rows % size == 0 and columns % size == 0:
        return F.max_pool2d(x, (rows // size, columns // size))
    return F.adaptive_max_pool2d(x, (size, size))


def aggregate(x: Tensor, weights: Tensor, padded: Tensor) -> Tensor:
    """Weighted sum over the dates, each head on its own group of channels.

    Args:
        x: Features (batch, time, channel, row, column).
        weights: Attention (head, batch, time, coarse row, coarse column).
        padded: True where a date is padding (batch, time).

    Returns:
        (batch, channel, row, column).
    """
    heads, batch, time, coarse, _ = weights.shape
    channels, rows, columns = x.shape[2:]
    flat = weights.reshape(heads * batch, time, coarse, -1)
    if rows > coarse:
        flat = F.interpolate(flat, size=(rows, columns), mode="bilinear", align_corners=False)
    else:
        flat = F.avg_pool2d(flat, coarse // rows)
    weights = flat.view(heads, batch, time, rows, columns) * (~padded)[None, :, :, None, None]
    groups = x.view(batch, time, heads, channels // heads, rows, columns)
    return torch.einsum("HBTRC,BTHGRC->BHGRC", weights, groups).reshape(batch, channels, rows, columns)
