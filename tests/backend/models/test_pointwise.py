"""The 1x1 convolution that avoids a faulty kernel: the same function, correct gradients, and used everywhere."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sunbreak.models.augcyclegan import AugCycleGAN, AugCycleGANConfig
from sunbreak.models.pointwise import PointwiseConv2d
from sunbreak.models.resnet import ResNet
from sunbreak.models.uncrtaints import UnCRtainTS, UnCRtainTSConfig

LAYOUTS = {"channels first": torch.contiguous_format, "channels last": torch.channels_last}


def gradients(convolution: nn.Conv2d, x: torch.Tensor, towards: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    x = x.detach().clone(memory_format=torch.preserve_format).requires_grad_()
    convolution.weight.grad = None
    convolution(x).backward(towards.to(x.dtype))
    return convolution.weight.grad.clone(), x.grad


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("inputs", "outputs", "side"), [(4, 8, 16), (8, 16, 64), (12, 16, 33), (20, 40, 17)])
def test_its_gradients_are_right_whatever_the_layout_and_the_channels(layout, inputs, outputs, side):
    torch.manual_seed(0)
    convolution = PointwiseConv2d(inputs, outputs, 2)
    x = torch.randn(8, inputs, side, side).contiguous(memory_format=LAYOUTS[layout])
    towards = torch.randn_like(convolution(x))
    exact = nn.Conv2d(inputs, outputs, 1, 2, bias=False).double()
    exact.load_state_dict(convolution.state_dict())
    wanted = gradients(exact, x.double(), towards)
    first = gradients(convolution, x, towards)
    for ours, theirs in zip(first, wanted, strict=True):
        torch.testing.assert_close(ours.double(), theirs, rtol=1e-4, atol=1e-5 * float(theirs.abs().max()))
    for _ in range(10):
        assert all(torch.equal(a, b) for a, b in zip(first, gradients(convolution, x, towards), strict=True))


def test_without_gradients_it_is_the_plain_convolution():
    torch.manual_seed(0)
    convolution, plain = PointwiseConv2d(8, 16, 2), nn.Conv2d(8, 16, 1, 2, bias=False)
    plain.load_state_dict(convolution.state_dict())
    x = torch.randn(2, 8, 20, 20)
    with torch.inference_mode():
        assert torch.equal(convolution(x), plain(x))


@pytest.mark.parametrize(
    "network",
    [
        ResNet(18, 3, 4, width=4),
        ResNet(50, 3, 4, width=4),
        UnCRtainTS(UnCRtainTSConfig(width=16, depth=1)),
        UnCRtainTS(UnCRtainTSConfig(multi_temporal=True)),
        AugCycleGAN(AugCycleGANConfig.alike(3, 1)),
    ],
    ids=["ResNet-18", "ResNet-50", "UnCRtainTS", "UnCRtainTS, several dates", "Augmented CycleGAN"],
)
def test_no_network_has_a_strided_1x1_convolution_of_another_kind(network):
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    assert convolutions
    faulty = [
        module
        for module in convolutions
        if module.kernel_size == (1, 1) and max(module.stride) > 1 and not isinstance(module, PointwiseConv2d)
    ]
    assert faulty == []
