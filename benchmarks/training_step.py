"""Cost of the safe gradient kernels: time of a training step with and without them.

python benchmarks/training_step.py [ROUNDS]

Both variants alternate, and the ratio is that of the medians. To emulate an older processor:

ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 python benchmarks/training_step.py
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import torch
from common import say
from torch import nn
from torch.nn import functional as F

from sunbreak.models.pointwise import PointwiseConv2d
from sunbreak.models.resnet import ResNet
from sunbreak.models.uncrtaints import UnCRtainTS
from sunbreak.models.uncrtaints_config import UnCRtainTSConfig
from sunbreak.training.numerics import cpu_multiplies_bfloat16

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 7


def classifier_step(guarded: bool) -> Callable[[], None]:
    """The bundled classifier's step; its strided 1x1 convolutions as they are, or as torch has them."""
    torch.manual_seed(0)
    module = ResNet(18, 10, 10, 20).train()
    if not guarded:
        for block in module.modules():
            for name, child in block.named_children():
                if isinstance(child, PointwiseConv2d):
                    setattr(block, name, nn.Conv2d(child.in_channels, child.out_channels, 1, child.stride, bias=False))
    x = torch.randn(48, 10, 64, 64).contiguous(memory_format=torch.channels_last)
    target = torch.randint(0, 10, (48,))

    def step() -> None:
        module.zero_grad()
        F.cross_entropy(module(x), target).backward()

    return step


def removal_step(half: bool) -> Callable[[], None]:
    """A step of cloud removal, with 4 patches of 96 px, in bfloat16 or float32."""
    torch.manual_seed(0)
    module = UnCRtainTS(UnCRtainTSConfig()).train()
    x = torch.rand(4, 1, 15, 96, 96)

    def step() -> None:
        module.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            raw = module.network(x, None)
        raw.float().square().mean().backward()

    return step


def compare(first: Callable[[], None], second: Callable[[], None]) -> tuple[float, float]:
    """Median seconds of both."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(ROUNDS + 1):
        for step, spent in zip((first, second), times, strict=True):
            start = time.perf_counter()
            step()
            if number:  # the first one compiles kernels
                spent.append(time.perf_counter() - start)
    return statistics.median(times[0]), statistics.median(times[1])


guarded, plain = compare(classifier_step(True), classifier_step(False))
half, single = compare(removal_step(True), removal_step(False))
chosen = "bfloat16" if cpu_multiplies_bfloat16() else "float32"
say(
    f"{torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads",
    [
        ("classifier, stride taken before the 1x1 convolution", f"{guarded:.3f} s"),
        ("classifier, as torch has it", f"{plain:.3f} s: ratio {guarded / plain:.3f}"),
        ("removal in bfloat16", f"{half:.3f} s"),
        ("removal in float32", f"{single:.3f} s: bfloat16 takes {half / single:.2f} of it; chosen here: {chosen}"),
    ],
)
