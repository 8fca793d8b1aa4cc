"""Rewrites networks for inference; they compute the same function.

Batch norms are folded into the convolutions beside them, which saves operations. Group norms are computed channel by
channel, which saves changes of the memory layout in compiled networks.
"""

from __future__ import annotations

import copy
import itertools
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from sunbreak.models.mbconv import MBConv
from sunbreak.models.resnet import BasicBlock, Bottleneck, ResNet
from sunbreak.models.resnet_fpn import ResNetFPN
from sunbreak.models.uncrtaints import UnCRtainTSNetwork

Network = TypeVar("Network", bound=nn.Module)


def fold_batch_norms(module: Network) -> Network:
    """A copy in evaluation mode whose blocks have no batch norms left. Group norms depend on the input and stay."""
    folded = copy.deepcopy(module).eval()
    for block in folded.modules():
        if isinstance(block, MBConv) and isinstance(block.conv.norm, nn.BatchNorm2d):
            fold_block(block)
        elif isinstance(block, (ResNet, ResNetFPN, BasicBlock, Bottleneck)):
            _fold_pairs(block)
        if isinstance(block, ResNetFPN):
            for part in (block.merge, *block.smooth):
                _fold_sequence(part)
    return folded


class ChannelwiseGroupNorm(nn.Module):
    """A group norm (Wu and He 2018, equation 1) as one factor and one shift per channel.

    The mean and the mean square of a group are those of its channels, averaged. Without a view of the image by groups,
    a compiled network keeps the layout of its convolutions.

    Args:
        norm: The group norm.
    """

    groups: Tensor

    def __init__(self, norm: nn.GroupNorm) -> None:
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps
        size = norm.num_channels // norm.num_groups
        means = torch.kron(torch.eye(norm.num_groups), torch.full((size, size), 1 / size))
        self.register_buffer("groups", means)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channel, row, column) to the same shape."""
        mean = x.mean(dim=(2, 3)) @ self.groups
        variance = (x * x).mean(dim=(2, 3)) @ self.groups - mean * mean
        factor = self.weight / torch.sqrt(variance.clamp(min=0) + self.eps)
        shift = self.bias - mean * factor
        return x * factor[:, :, None, None] + shift[:, :, None, None]


def channelwise_group_norms(module: Network) -> Network:
    """A copy in evaluation mode with a `ChannelwiseGroupNorm` for each group norm of images."""
    copied = copy.deepcopy(module).eval()
    for block in copied.modules():
        if isinstance(block, MBConv):
            layers: Any = block.conv.fn
            if isinstance(block.conv.norm, nn.GroupNorm):
                block.conv.norm = ChannelwiseGroupNorm(block.conv.norm)
            for place, layer in enumerate(layers):
                if isinstance(layer, nn.GroupNorm):
                    layers[place] = ChannelwiseGroupNorm(layer)
        if isinstance(block, UnCRtainTSNetwork):
            entry: Any = block.in_conv.conv.conv
            entry[1] = ChannelwiseGroupNorm(entry[1])
    return copied


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


def fold_block(block: MBConv) -> None:
    """Fold the batch norms of a block into its convolutions, in place."""
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
