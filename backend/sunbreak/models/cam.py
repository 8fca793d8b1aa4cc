"""Class activation maps of a classifier: where in the image the evidence for a class lies.

Grad-CAM (Selvaraju et al. 2017, equations 1 and 2) weighs each channel by its mean gradient; HiResCAM (Draelos and
Carin 2020) multiplies gradient and activation place by place, and shows only places that contributed. At the last
block of a ResNet with global average pooling the two agree up to a constant. At earlier blocks they do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from sunbreak.errors import ModelError
from sunbreak.models.resnet import ResNet

Method = Literal["gradcam", "hirescam"]


@dataclass(frozen=True)
class Explanation:
    """The evidence behind a classifier's prediction for each image of a batch.

    Attributes:
        raw: (batch, row, column), the signed map at the block's resolution before anything is clipped or scaled.
        bands: (batch, band), gradient x input summed over the pixels; zeros if it was not requested.
        logits: (batch, class).
        target: (batch,), the class that was explained.
    """

    raw: Tensor
    bands: Tensor
    logits: Tensor
    target: Tensor


def explain(
    model: ResNet,
    x: Tensor,
    target: int | None,
    block: str = "layer4",
    method: Method = "gradcam",
    *,
    bands: bool = False,
) -> Explanation:
    """Explain a class of each image.

    Args:
        model: In evaluation mode.
        x: (batch, band, row, column), normalised as the model expects it.
        target: Index of the class; None takes each image's most probable one.
        block: `layer1` to `layer4`.
        method: Which map.
        bands: Whether to compute the contribution of each band; without it, gradients go back to the block only.

    Raises:
        ModelError: There is no such block or class.
    """
    x = x.detach().requires_grad_(bands)
    with torch.enable_grad():
        activation = model.features(x, block)
        if not bands:
            activation = activation.detach().requires_grad_()
        logits = model.head(activation, block)
        if target is not None and not 0 <= target < logits.shape[1]:
            raise ModelError(f"There is no class {target}.", f"The model has {logits.shape[1]}.", code="unknown-class")
        chosen = logits.detach().argmax(dim=1) if target is None else torch.full((len(x),), target, device=x.device)
        wanted = logits.gather(1, chosen[:, None]).sum()
        gradient, *rest = torch.autograd.grad(wanted, [activation, x] if bands else [activation])
    if method == "gradcam":
        gradient = gradient.mean(dim=(2, 3), keepdim=True)
    raw = (gradient * activation).sum(dim=1).detach()
    shares = (rest[0] * x).sum(dim=(2, 3)).detach() if bands else torch.zeros(x.shape[:2], device=x.device)
    return Explanation(raw, shares, logits.detach(), chosen)


def map_from(
    model: ResNet, activation: Tensor, target: int, block: str = "layer4", method: Method = "gradcam"
) -> Tensor:
    """The signed map of a class from the activation that `ResNet.features` gave for a block; see `explain`.

    Several classes of one image then need one forward pass only.

    Raises:
        ModelError: There is no such class.
    """
    activation = activation.detach().requires_grad_()
    with torch.enable_grad():
        logits = model.head(activation, block)
        if not 0 <= target < logits.shape[1]:
            raise ModelError(f"There is no class {target}.", f"The model has {logits.shape[1]}.", code="unknown-class")
        (gradient,) = torch.autograd.grad(logits[:, target].sum(), [activation])
    if method == "gradcam":
        gradient = gradient.mean(dim=(2, 3), keepdim=True)
    return (gradient * activation).sum(dim=1).detach()


def to_image(raw: Tensor, rows: int, columns: int) -> Tensor:
    """Positive evidence at the image's resolution: ReLU, then bilinear interpolation (align_corners False)."""
    positive = F.relu(raw)[:, None]
    return F.interpolate(positive, size=(rows, columns), mode="bilinear", align_corners=False)[:, 0]
