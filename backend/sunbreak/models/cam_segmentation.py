"""Class activation maps of a per-pixel classifier: where in the image the evidence for a class of some pixels lies.

A per-pixel classifier has a logit of each class at each pixel. What is explained is the sum of a class's logits over a
set of pixels, as in Seg-Grad-CAM (Vinogradova, Dibrov and Myers 2020, "Towards interpretable semantic segmentation via
gradient-weighted class activation mapping"): one pixel, an area, or all pixels that were given the class.
Grad-CAM (Selvaraju et al. 2017) and HiResCAM (Draelos and Carin 2020) of that sum are those of `sunbreak.models.cam`.

The gradient is taken with respect to the activation of one stage of the encoder, as is usual. The stages after it are
functions of that activation, so that the gradient passes through them and through the pyramid. The stages before it,
and the bands at full resolution, are held constant: what reaches the pixels past the stage has no part in the map.

Sums over pixels are sums over tiles. `explain_pixels` therefore gives what can be added up: the map of HiResCAM, and
the sums of gradients of which Grad-CAM takes the mean over the whole scene.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sunbreak.errors import ModelError
from sunbreak.models.cam import Method
from sunbreak.models.resnet import STAGES
from sunbreak.models.resnet_fpn import ResNetFPN


@dataclass(frozen=True)
class PixelEvidence:
    """The evidence behind the logits of some pixels of each image of a batch. All of it adds up over disjoint pixels.

    Attributes:
        raw: (batch, row, column), the signed map of HiResCAM at the stage's resolution.
        gradients: (batch, channel), the gradient summed over the places of the stage.
        bands: (batch, band), gradient x input summed over the pixels; zeros if it was not requested.
        logits: (batch, class), summed over the pixels that count.
        pixels: (batch,), how many pixels count.
    """

    raw: Tensor
    gradients: Tensor
    bands: Tensor
    logits: Tensor
    pixels: Tensor


def explain_pixels(
    model: ResNetFPN,
    x: Tensor,
    counted: Tensor,
    target: int | None,
    block: str = "layer4",
    *,
    only_predicted: bool = False,
    bands: bool = False,
) -> PixelEvidence:
    """Explain the sum of a class's logits over some pixels of each image.

    Args:
        model: In evaluation mode.
        x: (batch, band, row, column), normalised as the model expects it; sides are multiples of 16.
        counted: (batch, row, column), true at the pixels over which the logits are summed.
        target: Index of the class; None takes each pixel's most probable one.
        block: `layer1` to `layer4`.
        only_predicted: Of the pixels that are counted, take those whose most probable class is the target.
        bands: Whether to compute the contribution of each band; without it, gradients go back to the block only.

    Raises:
        ModelError: There is no such block or class.
    """
    check_class(model, target)
    if not counted.any():
        return _nothing(model, x, block)
    x = x.detach().requires_grad_(bands)
    with torch.enable_grad():
        activations = model.stages(x, block)
        if not bands:
            activations[-1] = activations[-1].detach().requires_grad_()
        logits = model.after(x, activations)
        counted, kinds = pixels_and_classes(logits, counted, target, only_predicted=only_predicted)
        if not counted.any():
            return _nothing(model, x.detach(), block)
        wanted = (logits.gather(1, kinds[:, None])[:, 0] * counted).sum()
        gradient, *rest = torch.autograd.grad(wanted, [activations[-1], x] if bands else [activations[-1]])
    return PixelEvidence(
        (gradient * activations[-1]).sum(dim=1).detach(),
        gradient.sum(dim=(2, 3)),
        (rest[0] * x).sum(dim=(2, 3)).detach() if bands else x.new_zeros(x.shape[:2]),
        (logits.detach() * counted[:, None]).sum(dim=(2, 3)),
        counted.sum(dim=(1, 2)),
    )


def check_class(model: ResNetFPN, target: int | None) -> None:
    """Refuse an index of a class that the model does not have.

    Raises:
        ModelError: There is no such class.
    """
    classes = model.classifier.out_channels
    if target is not None and not 0 <= target < classes:
        raise ModelError(f"There is no class {target}.", f"The model has {classes}.", code="unknown-class")


def pixels_and_classes(
    logits: Tensor, counted: Tensor, target: int | None, *, only_predicted: bool
) -> tuple[Tensor, Tensor]:
    """Which pixels count (batch, row, column), and the class of each whose logit is summed; see `explain_pixels`."""
    best = logits.detach().argmax(dim=1)
    if target is None:
        return counted, best
    return counted & (best == target) if only_predicted else counted, torch.full_like(best, target)


def _nothing(model: ResNetFPN, x: Tensor, block: str) -> PixelEvidence:
    """The evidence if no pixel counts."""
    stride, count = stride_of(block), len(x)
    lateral: Any = model.lateral[STAGES.index(block)]
    raw = x.new_zeros(count, x.shape[2] // stride, x.shape[3] // stride)
    channels, classes = x.new_zeros(count, lateral.in_channels), x.new_zeros(count, model.classifier.out_channels)
    return PixelEvidence(raw, channels, x.new_zeros(x.shape[:2]), classes, x.new_zeros((count,), dtype=torch.int64))


@torch.no_grad()
def weighted_map(model: ResNetFPN, x: Tensor, weights: Tensor, block: str = "layer4") -> Tensor:
    """The signed map of Grad-CAM (batch, row, column) at the stage's resolution.

    Args:
        model: In evaluation mode.
        x: (batch, band, row, column), as in `explain_pixels`.
        weights: (channel,) or (batch, channel), the mean gradient over the places of what is explained as a whole. For
            the tiles of a scene it is that of the scene, so that their maps agree.
        block: `layer1` to `layer4`.

    Raises:
        ModelError: There is no such block.
    """
    return (model.features(x, block) * weights[..., None, None]).sum(dim=1)


def map_of_area(
    model: ResNetFPN, x: Tensor, counted: Tensor, target: int, block: str = "layer4", method: Method = "gradcam"
) -> Tensor:
    """The signed map (batch, row, column) of images that are explained as a whole, see `explain_pixels`.

    Raises:
        ModelError: There is no such block or class.
    """
    found = explain_pixels(model, x, counted, target, block)
    if method == "hirescam":
        return found.raw
    return weighted_map(model, x, found.gradients / found.raw[0].numel(), block)


def stride_of(block: str) -> int:
    """Pixels from one place of a stage to the next: 2 at `layer1`, 16 at `layer4`.

    Raises:
        ModelError: There is no such block.
    """
    if block not in STAGES:
        raise ModelError(f"There is no block {block!r}.", f"Choose {', '.join(STAGES)}.", code="unknown-block")
    return int(2 ** (1 + STAGES.index(block)))
