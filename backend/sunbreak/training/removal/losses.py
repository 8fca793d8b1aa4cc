"""Losses for cloud removal with uncertainty. Each is a mean, so it does not depend on the batch size.

With several processes (`sunbreak.training.processes`) each process computes its part of the mean over the joint batch.
The mean of the parts is the loss. The same holds for the gradients, which DistributedDataParallel averages.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sunbreak.training.processes import mean_over_processes

_NOISE = 0.02  # ten times the reflectance difference of neighbouring pixels, as the losses are scaled
_SMALL_ANGLE = 0.02  # radians, about one degree: below it the angle counts as its square, which has a gradient at zero


def gaussian_nll(mean: Tensor, variance: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Negative log-likelihood of a diagonal Gaussian (Ebel et al. 2023, equation 3, without the constant).

    Both terms are averaged over pixels, bands and batch. The official code sums the log-determinant over the batch but
    averages the other term, so its variances are too small by a factor of about the batch size.

    Args:
        mean: (batch, band, row, column).
        variance: Same shape, positive.
        target: Same shape.
        weight: (batch, 1, row, column), weight of each pixel, or (batch, band, row, column), weight of each value.
    """
    terms = 0.5 * (torch.log(variance) + (target - mean) ** 2 / variance)
    return weighted_mean(terms, weight)


def absolute_error(mean: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Mean absolute error; shapes as in `gaussian_nll`."""
    return weighted_mean((target - mean).abs(), weight)


def weighted_mean(terms: Tensor, weight: Tensor) -> Tensor:
    """Mean over batch, band, row and column with a weight per pixel, or per pixel and band."""
    # processes may have weights of either shape: both are counted in pixels of all bands
    pixels = mean_over_processes(weight.sum() / weight.shape[1])
    return (terms * weight).sum() / (pixels * terms.shape[1]).clamp(min=1e-12)


def detail_error(mean: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Gradient loss: mean absolute error of the differences between neighbouring pixels; it penalises blur.

    Args:
        mean: (batch, band, row, column).
        target: Same shape.
        weight: As in `gaussian_nll`.
    """
    error = mean - target
    down, right = error.diff(dim=2).abs(), error.diff(dim=3).abs()
    return weighted_mean(down, weight[:, :, 1:]) + weighted_mean(right, weight[:, :, :, 1:])


def structure_error(mean: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """One minus the cosine between the gradients of prediction and target, as a mean over patches and bands.

    Absolute errors reward blur where the structure under a cloud is uncertain. This term does not depend on the
    contrast of the prediction, only on whether its edges are those of the target, as far as radar explains them.

    Args:
        mean: (batch, band, row, column).
        target: Same shape.
        weight: As in `gaussian_nll`. Bands of a patch without any weight do not count.
    """
    product, ours, theirs, total = (torch.zeros((), device=mean.device) for _ in range(4))
    for dim in (2, 3):
        size = mean.shape[dim] - 1
        part = weight.narrow(dim, 1, size)
        slope, wanted = mean.diff(dim=dim), target.diff(dim=dim)
        product = product + (part * slope * wanted).sum(dim=(2, 3))
        ours = ours + (part * slope**2).sum(dim=(2, 3))
        theirs = theirs + (part * wanted**2).sum(dim=(2, 3))
        total = total + part.sum(dim=(2, 3)).expand(mean.shape[:2])
    # gradients far below this are noise
    cosine = product / ((ours + _NOISE**2 * total) * (theirs + _NOISE**2 * total)).clamp(min=1e-12).sqrt()
    counted = (total > 0).to(mean.dtype)
    share = mean_over_processes(counted.sum())
    return ((1 - cosine) * counted).sum() / share.clamp(min=1)


def colour_error(mean: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Angle between the spectra of prediction and target in radians, as a mean over pixels.

    Absolute errors weigh bright pixels and bright bands most, so that a dark pixel may have any colour. The angle
    (Kruse et al. 1993) does not depend on brightness. It is computed as the chord between the unit vectors.

    Args:
        mean: (batch, band, row, column).
        target: Same shape.
        weight: As in `gaussian_nll`. Bands of a pixel without weight are not part of its spectrum.
    """
    seen = (weight > 0).to(mean.dtype).expand_as(mean)
    ours, theirs = _unit(mean * seen), _unit(target * seen)
    square = ((ours - theirs) ** 2).sum(dim=1, keepdim=True)
    angle = (square + _SMALL_ANGLE**2).sqrt() - _SMALL_ANGLE
    return weighted_mean(angle, weight.amax(dim=1, keepdim=True))


def _unit(spectra: Tensor) -> Tensor:
    return spectra / ((spectra**2).sum(dim=1, keepdim=True) + _NOISE**2).sqrt()
