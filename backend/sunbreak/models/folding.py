"""Folds batch norms into the convolutions beside them: the same function with fewer operations."""

from __future__ import annotations

import copy
import itertools
from typing import Any, TypeVar

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from sunbreak.models.mbconv import MBConv
from sunbreak.models.resnet import BasicBlock, Bottleneck, ResNet
from sunbreak.models.resnet_fpn import ResNetFPN

Network = TypeVar("Network", bound=nn.Module)


def fold_batch_norms(module: Network) -> Network:
    """A copy in evaluation mode whose blocks have no batch norms left. Group norms depend on the input and stay."""
    folded = copy.deepcopy(module).eval()
    for block in folded.modules():
        if isinstance(block, MBConv) and isinstance(block.conv.norm, nn.BatchNorm2d):
            _fold_block(block)
        elif isinstance(block, (ResNet, ResNetFPN, BasicBlock, Bottleneck)):
            _fold_pairs(block)
        if isinstance(block, ResNetFPN):
            for part in (block.merge, *block.smooth):
                _fold_sequence(part)
    return folded


def _fold_pairs(block: nn.Module) -> None:
    """Fold `bn<n>` into `conv<n>`, and the shortcut's norm into its convolution."""
    for number in (1, 2, 3):
        conv, norm = getattr(block, f"conv{number}", None), getattr(block, f"bn{number}", None)
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            setattr(block, f"conv{number}", fuse_conv_bn_eval(conv, norm))
            setattr(block, f"bn{number}", nn.Identity())
    shortcut = getattr(block, "downsample", None)
    if isinstance(shortcut, nn.Sequential):
        conv, norm = shortcut[0], shortcut[1]
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            shortcut[0], shortcut[1] = fuse_conv_bn_eval(conv, norm), nn.Identity()


def _fold_sequence(part: nn.Module) -> None:
    """Fold the norms of a sequence into the convolutions before them."""
    if isinstance(part, nn.Sequential):
        for place, (conv, norm) in enumerate(itertools.pairwise([*part])):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                part[place], part[place + 1] = fuse_conv_bn_eval(conv, norm), nn.Identity()


def _fold_block(block: MBConv) -> None:
    layers: Any = block.conv.fn
    for conv, norm in ((0, 1), (3, 4), (7, 8)):
        layers[conv] = fuse_conv_bn_eval(layers[conv], layers[norm])
        layers[norm] = nn.Identity()
    before = block.conv.norm
    if not isinstance(before, nn.BatchNorm2d) or before.running_mean is None or before.running_var is None:
        return
    expand = layers[0]
    with torch.no_grad():
        scale = before.weight / torch.sqrt(before.running_var + before.eps)
        shift = before.bias - before.running_mean * scale
        # a 1x1 convolution sees no padding, so the norm's shift becomes a constant of its bias
        expand.bias += (expand.weight[:, :, 0, 0] * shift).sum(dim=1)
        expand.weight *= scale[None, :, None, None]
    block.conv.norm = nn.Identity()
