"""Losses for cloud removal with uncertainty: functions of tensors, each a mean, so batch size does not matter.

With several processes (`sunbreak.training.processes`) a loss is this process's part of the mean over their joined
batch: the mean of the parts is the loss, and so with the gradients, which is what DistributedDataParallel takes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sunbreak.training.processes import mean_over_processes


def gaussian_nll(mean: Tensor, variance: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Negative log-likelihood of a diagonal Gaussian (Ebel et al. 2023, equation 3, without the constant).

    Both terms are averaged over pixels, bands and batch alike. The official code sums the log-determinant over the
    batch and averages the other term, which makes variances too small by about the batch size.

    Args:
        mean: (batch, band, row, column).
        variance: Same shape, positive.
        target: Same shape.
        weight: (batch, 1, row, column), how much each pixel counts, or (batch, band, row, column), how much each value.
    """
    terms = 0.5 * (torch.log(variance) + (target - mean) ** 2 / variance)
    return weighted_mean(terms, weight)


def absolute_error(mean: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Mean absolute error; shapes as in `gaussian_nll`."""
    return weighted_mean((target - mean).abs(), weight)


def weighted_mean(terms: Tensor, weight: Tensor) -> Tensor:
    """Mean over batch, band, row and column with a weight per pixel, or per pixel and band."""
    # the parts of several processes may have weights of either kind: counted in pixels of all bands
    pixels = mean_over_processes(weight.sum() / weight.shape[1])
    return (terms * weight).sum() / (pixels * terms.shape[1]).clamp(min=1e-12)


def detail_error(mean: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Mean absolute error of the differences between neighbours: a price on blur, which single pixels hardly pay.

    Args:
        mean: (batch, band, row, column).
        target: Same shape.
        weight: As in `gaussian_nll`.
    """
    error = mean - target
    down, right = error.diff(dim=2).abs(), error.diff(dim=3).abs()
    return weighted_mean(down, weight[:, :, 1:]) + weighted_mean(right, weight[:, :, :, 1:])
