"""A 1x1 convolution with a stride that can be trained on a CPU.

oneDNN 3.12, which torch 2.13 holds, writes past its workspace when it computes the weights' gradient of a 1x1
convolution that has a stride, an input with its channels last in memory, and fewer input channels than a vector holds
(8 with AVX2, 16 with AVX-512): uxlfoundation/oneDNN, issue 6035. The gradient is then wrong, another thread waits for
ever, or the process crashes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PointwiseConv2d(nn.Conv2d):
    """A 1x1 convolution without padding; its parameters have the names of `torch.nn.Conv2d`.

    While gradients of its weights are computed, the stride is applied to the input and the convolution has none, which
    is the same function and avoids the faulty kernel. Otherwise it is a plain convolution.

    Args:
        inputs: Input channels.
        outputs: Output channels.
        stride: In rows and columns.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__(inputs, outputs, 1, stride, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        """(batch, channel, row, column)."""
        rows, columns = self.stride
        if max(rows, columns) > 1 and torch.is_grad_enabled() and self.weight.requires_grad:
            return F.conv2d(input[:, :, ::rows, ::columns], self.weight)
        return super().forward(input)
