"""Folding batch norms into the convolutions beside them, which leaves the same function with fewer operations."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from sunbreak.models.mbconv import MBConv
from sunbreak.models.uncrtaints import UnCRtainTS


def fold_batch_norms(module: UnCRtainTS) -> UnCRtainTS:
    """A copy in evaluation mode whose blocks have no batch norms left. Group norms depend on the input and stay."""
    folded = copy.deepcopy(module).eval()
    for block in folded.modules():
        if isinstance(block, MBConv) and isinstance(block.conv.norm, nn.BatchNorm2d):
            _fold_block(block)
    return folded


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
