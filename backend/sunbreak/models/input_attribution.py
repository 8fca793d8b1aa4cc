"""Attribution at the input of a per-pixel classifier: which pixels of the scene the evidence for a class lies in.

Integrated gradients (Sundararajan, Taly and Yan 2017, "Axiomatic attribution for deep networks", equation 1) follow a
straight path from a baseline to the input, and give each value of the input its part of the change of the logits. They
go through the whole network, the local branch included, which has no feature map that a Grad-CAM could weigh.

The baseline is 0, the training mean of each band. It is the same for all tiles of a scene, so that their attributions
add up. Pixels without data are 0 at both ends of the path: they stay unknown, and nothing is attributed to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from sunbreak.models.cam_segmentation import check_class, pixels_and_classes
from sunbreak.models.resnet_fpn import ResNetFPN

CELL = 2
"""Side in pixels of the cells over which attributions are summed: those of single pixels are noisy."""
STEPS = 8
"""Points of the path at which the gradient is taken."""


@dataclass(frozen=True)
class InputEvidence:
    """The evidence behind the logits of some pixels of each image of a batch. All of it adds up over disjoint pixels.

    Attributes:
        raw: (batch, row, column), signed attribution in logits, summed over the bands and over cells of `CELL` pixels.
        bands: (batch, band), the same summed over the pixels.
        logits: (batch, class), summed over the pixels that count.
        pixels: (batch,), how many pixels count.
    """

    raw: Tensor
    bands: Tensor
    logits: Tensor
    pixels: Tensor


def integrated_gradients(
    model: ResNetFPN,
    x: Tensor,
    counted: Tensor,
    target: int | None,
    *,
    only_predicted: bool = False,
    steps: int = STEPS,
) -> InputEvidence:
    """Attribute the sum of a class's logits over some pixels of each image to the pixels and bands of the input.

    The attribution sums to the difference between the logits of the image and those at the baseline (completeness), up
    to the error of the midpoint rule. Memory is that of one forward and backward pass, whatever the number of steps.

    Args:
        model: In evaluation mode.
        x: (batch, band, row, column), normalised as the model expects it; sides are multiples of 16.
        counted: (batch, row, column), true at the pixels over which the logits are summed.
        target: Index of the class; None takes each pixel's most probable one in `x`.
        only_predicted: Of the pixels that are counted, take those whose most probable class in `x` is the target.
        steps: Points of the path, in the middles of equal parts.

    Raises:
        ModelError: There is no such class.

    Source:
        Sundararajan, Taly and Yan 2017, ICML, equations 1 and 3 (the sum).
    """
    check_class(model, target)
    x = x.detach()
    margin = _margin(counted)
    with torch.no_grad():
        logits = model(x, margin)
    counted, kinds = pixels_and_classes(logits, counted, target, only_predicted=only_predicted)
    total = torch.zeros_like(x)
    for step in range(steps if counted.any() else 0):
        total += _gradient(model, x * ((step + 0.5) / steps), counted, kinds, margin)
    attribution = total * x / steps
    return InputEvidence(
        F.avg_pool2d(attribution.sum(dim=1, keepdim=True), CELL, divisor_override=1)[:, 0],
        attribution.sum(dim=(2, 3)),
        (logits * counted[:, None]).sum(dim=(2, 3)),
        counted.sum(dim=(1, 2)),
    )


def _gradient(model: ResNetFPN, x: Tensor, counted: Tensor, kinds: Tensor, margin: int) -> Tensor:
    """The gradient of the summed logits with respect to the input."""
    x = x.requires_grad_()
    with torch.enable_grad():
        wanted = (model(x, margin).gather(1, kinds[:, None])[:, 0] * counted).sum()
    found: Any = torch.autograd.grad(wanted, x)
    gradient: Tensor = found[0]
    return gradient


def _margin(counted: Tensor) -> int:
    """Rows and columns along each side in which no pixel counts; the network saves time and memory there."""
    rows, columns = (counted.any(dim=0).any(dim=axis).nonzero() for axis in (1, 0))
    if not len(rows):
        return 0
    ends = (int(rows[-1]), counted.shape[1]), (int(columns[-1]), counted.shape[2])
    return min(int(rows[0]), int(columns[0]), *(size - 1 - last for last, size in ends))
