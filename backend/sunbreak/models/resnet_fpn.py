"""A ResNet-18 with a light feature pyramid: a class for each pixel (He et al. 2016; Lin et al. 2017, section 3).

The encoder has torchvision's names and no pooling, so that its stages lie at strides 2, 4, 8 and 16. The pyramid adds
coarser stages to finer ones and gives logits at stride 2. To them the logits of `sunbreak.models.local_branch` are
added, which have edges of 10 m and need few places to learn from.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sunbreak.errors import ModelError
from sunbreak.models.arguments import check_whole
from sunbreak.models.local_branch import REACH, LocalBranch, Logarithm, known_pixels
from sunbreak.models.resnet import STAGES, ResNet

STRIDE = 16
"""Tiles start at multiples of it, so that neighbouring tiles see the same grid of features."""

_MOST_CHANNELS = 256


class ResNetFPN(nn.Module):
    """Normalised bands to logits of each pixel.

    The receptive field of the encoder has a radius of 110 pixels (7 x 7 at stride 1, four 3 x 3 convolutions at each of
    the strides 2, 4, 8 and 16). The pyramid adds 3 x 3 convolutions at the strides 8, 4 and 2, bilinear steps, and
    another 3 x 3 convolution at stride 2: less than 144 together.

    Args:
        bands: Input channels.
        classes: Logits of a pixel.
        width: Channels of the encoder's first stage; 64 in the published networks.
        pyramid: Channels of the pyramid.
        local: Channels of the first hidden layer of the local branch.

    Attributes:
        arguments: The arguments above that a card keeps.
    """

    def __init__(self, bands: int, classes: int, width: int = 18, pyramid: int = 32, local: int = 96) -> None:
        super().__init__()
        check_whole("A pyramid", "pyramid", pyramid, 1, _MOST_CHANNELS)
        check_whole("A local branch", "local", local, 2, _MOST_CHANNELS)
        encoder = ResNet(18, bands, classes, width)
        self.conv1, self.bn1 = encoder.conv1, encoder.bn1
        for stage in STAGES:
            self.add_module(stage, encoder.get_submodule(stage))
        self.lateral = nn.ModuleList(nn.Conv2d(width * 2**level, pyramid, 1) for level in range(4))
        self.smooth = nn.ModuleList(_smoothing(pyramid) for _ in range(3))
        self.merge = _smoothing(pyramid)
        self.classifier = nn.Conv2d(pyramid, classes, 1)
        self.logarithm = Logarithm(bands)
        self.local = LocalBranch(bands, local, classes)
        self.arguments = {"width": width, "pyramid": pyramid, "local": local}

    def cool(self, temperature: float) -> None:
        """Divide the logits by a temperature from now on (Guo et al. 2017), which calibrates confidence."""
        with torch.no_grad():
            for last in (self.classifier, self.local.layers[-1]):
                for part in last.parameters():
                    part.div_(temperature)

    def stages(self, x: Tensor, upto: str = STAGES[-1]) -> list[Tensor]:
        """The activations of the stages up to one, all four by default, at strides 2, 4, 8 and 16.

        Raises:
            ModelError: There is no such stage.
        """
        if upto not in STAGES:
            raise ModelError(f"There is no block {upto!r}.", f"Choose {', '.join(STAGES)}.", code="unknown-block")
        return self._and_later([], F.relu(self.bn1(self.conv1(self.logarithm(x)))), upto)

    def features(self, x: Tensor, upto: str = STAGES[-1]) -> Tensor:
        """The activation of a stage (`layer1` to `layer4`), (batch, channel, row, column).

        Raises:
            ModelError: There is no such stage.
        """
        return self.stages(x, upto)[-1]

    def after(self, x: Tensor, activations: list[Tensor]) -> Tensor:
        """From the bands and the activations of the first stages to logits (batch, class, row, column).

        The stages that are not given are computed from the last one that is.
        """
        return self.head(x, self._and_later(activations, activations[-1], STAGES[-1]))

    def _and_later(self, found: list[Tensor], out: Tensor, upto: str) -> list[Tensor]:
        """The activations that are there, and those of the stages after them up to one."""
        later = list(found)
        for stage in STAGES[len(found) : STAGES.index(upto) + 1]:
            out = self.get_submodule(stage)(out)
            later.append(out)
        return later

    def head(self, x: Tensor, activations: list[Tensor], margin: int = 0) -> Tensor:
        """From the bands and the activations of the four stages to logits (batch, class, row, column).

        Within the margin they are 0: what is discarded anyway needs no memory.
        """
        out: Tensor = self.lateral[3](activations[3])
        for level in (2, 1, 0):
            finer = self.lateral[level](activations[level])
            out = self.smooth[level](F.interpolate(out, finer.shape[-2:], mode="bilinear") + finer)
        coarse = self.classifier(self.merge(out))
        far = F.interpolate(coarse, x.shape[-2:], mode="bilinear")
        if not margin:
            return far + self._near(x)
        cut = max(margin - REACH, 0)
        near = _inner(self._near(_inner(x, cut)), margin - cut)
        return F.pad(_inner(far, margin) + near, (margin,) * 4)

    def _near(self, x: Tensor) -> Tensor:
        logits: Tensor = self.local(self.logarithm(x), known_pixels(x))
        return logits

    def forward(self, x: Tensor, margin: int = 0) -> Tensor:
        """(batch, band, row, column) to logits (batch, class, row, column); sides are multiples of 16.

        Args:
            x: Standardised bands.
            margin: Rows and columns along each side whose logits are not needed; they are 0.

        Raises:
            ValueError: A side is no multiple of 16.
        """
        rows, columns = x.shape[-2:]
        if rows % STRIDE or columns % STRIDE:
            raise ValueError(f"sides are multiples of {STRIDE}, not {rows} x {columns}")
        return self.head(x, self.stages(x), margin)


def _inner(x: Tensor, margin: int) -> Tensor:
    rows, columns = x.shape[-2:]
    return x[..., margin : rows - margin, margin : columns - margin]


def _smoothing(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU())
