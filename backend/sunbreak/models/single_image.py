"""The blocks of UnCRtainTS rewritten for one image at a time; they compute the same function up to rounding.

Outside of its convolutions, a compiled network passes over images that do not fit into the processor's caches. The
rewritten blocks need fewer of these passes.
"""

from __future__ import annotations

import copy
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from sunbreak.models.folding import Network, fold_block
from sunbreak.models.mbconv import MBConv, SqueezeExcitation
from sunbreak.models.uncrtaints import UnCRtainTSNetwork


class SingleImageMBConv(nn.Module):
    """An `MBConv` that takes one image.

    - Its batch norms are folded into the convolutions.
    - The gate of squeeze and excitation (Hu et al. 2018, equation 4) scales the weights of the projection that follows
      it, instead of the image.
    - The image is padded before the expansion, where it has half of the channels. This is possible where nothing before
      the depthwise convolution looks at more than one pixel, which a group norm does, and where the pixels beyond the
      border repeat others, which those of a padding with zeros do not.

    Args:
        block: The block, in evaluation mode. It is copied.
    """

    def __init__(self, block: MBConv) -> None:
        super().__init__()
        block = copy.deepcopy(block)
        if isinstance(block.conv.norm, nn.BatchNorm2d):
            fold_block(block)
        layers: Any = block.conv.fn
        self.norm = block.conv.norm
        self.expand, self.depthwise, self.excite = layers[:3], layers[3], layers[4:6]
        self.gate: SqueezeExcitation = layers[6]
        self.project, self.last_norm = layers[7], layers[8]
        by_pixel = all(isinstance(norm, nn.Identity) for norm in (self.norm, self.expand[1]))
        self.pads_first = by_pixel and self.depthwise.padding_mode != "zeros"

    def forward(self, x: Tensor) -> Tensor:
        """(1, channel, row, column) to the same shape."""
        depthwise = self.depthwise
        if self.pads_first:
            wide = self.expand(F.pad(x, (1, 1, 1, 1), mode=depthwise.padding_mode))
            wide = F.conv2d(wide, depthwise.weight, depthwise.bias, groups=depthwise.groups)
        else:
            wide = depthwise(self.expand(self.norm(x)))
        wide = self.excite(wide)
        gate = self.gate.fc(wide.mean(dim=(2, 3)))
        narrow = F.conv2d(wide, self.project.weight * gate[:, :, None, None], self.project.bias)
        out: Tensor = x + self.last_norm(narrow)
        return out


def single_image_blocks(module: Network) -> Network:
    """A copy in evaluation mode with a `SingleImageMBConv` wherever an `MBConv` takes one image.

    The first block of a network of several dates takes one image for each date, and stays.
    """
    copied = copy.deepcopy(module).eval()
    for network in copied.modules():
        if isinstance(network, UnCRtainTSNetwork):
            for blocks in (network.out_block, *([] if network.config.multi_temporal else [network.in_block])):
                for place, block in enumerate(blocks):
                    if isinstance(block, MBConv):
                        blocks[place] = SingleImageMBConv(block)
    return copied
