"""Class activation maps of a classifier: where in the image the evidence for a class lies.

Grad-CAM (Selvaraju et al. 2017, equations 1 and 2) weighs each channel by its mean gradient; HiResCAM (Draelos and Carin 2020)
multiplies gradient and activation place by place, and shows only what did contribute. At the last block of a ResNet with
global average pooling the two agree up to a constant; at earlier ones they do not.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from sunbreak.errors import ModelError
from sunbreak.models.resnet import ResNet

Method = Literal["gradcam", "hirescam"]


def raw_map(model: ResNet, x: Tensor, target: int, block: str = "layer4", method: Method = "gradcam") -> Tensor:
    """The signed map of a class before anything is clipped or scaled.

    Args:
        model: In evaluation mode.
        x: (batch, band, row, column), normalised as the model wants it.
        target: Index of the class.
        block: `layer1` to `layer4`.
        method: Which map.

    Returns:
        (batch, row, column) at the block's resolution.

    Raises:
        ModelError: There is no such block or class.
    """
    activation = model.features(x, block).detach().requires_grad_()
    logits = model.head(activation, block)
    if not 0 <= target < logits.shape[1]:
        raise ModelError(f"There is no class {target}.", f"The model has {logits.shape[1]}.", code="unknown-class")
    (gradient,) = torch.autograd.grad(logits[:, target].sum(), activation)
    if method == "gradcam":
        gradient = gradient.mean(dim=(2, 3), keepdim=True)
    return (gradient * activation).sum(dim=1).detach()


def to_image(raw: Tensor, rows: int, columns: int) -> Tensor:
    """Positive evidence at the image's resolution: ReLU, then bilinear interpolation (align_corners False)."""
    positive = F.relu(raw)[:, None]
    return F.interpolate(positive, size=(rows, columns), mode="bilinear", align_corners=False)[:, 0]


def normalised(saliency: Tensor) -> Tensor:
    """Each map from its minimum to its maximum onto [0, 1]; a constant map becomes 0."""
    low = saliency.amin(dim=(1, 2), keepdim=True)
    span = saliency.amax(dim=(1, 2), keepdim=True) - low
    return torch.where(span > 0, (saliency - low) / span.clamp(min=1e-30), torch.zeros_like(saliency))
