"""ResNet-18 and ResNet-50 (He et al. 2016) for any number of input bands, in the names that torchvision and timm share.

Land-cover classifiers in the field are ResNets over some of Sentinel-2's bands; their checkpoints differ in prefixes
only.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sunbreak.errors import ModelError
from sunbreak.models.arguments import check_choice, check_whole
from sunbreak.models.pointwise import PointwiseConv2d

Depth = Literal[18, 50]
STAGES = ("layer1", "layer2", "layer3", "layer4")

_MOST_BANDS, _MOST_CLASSES, _LARGEST_WIDTH = 64, 1000, 512
_BLOCKS: Mapping[int, tuple[int, int, int, int]] = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}
# prefixes that wrappers add to the names, longest first
_PREFIXES = (
    "model.backbone.model.",
    "module.encoder_q.",
    "module.backbone.",
    "backbone.",
    "teacher.",
    "model.",
    "module.",
)
_TOOLBOX = {"0": "conv1", "1": "bn1", "4": "layer1", "5": "layer2", "6": "layer3", "7": "layer4"}


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(inputs, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channel, row, column)."""
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return F.relu(out + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions with a shortcut; the stride is on the 3x3 one, as in torchvision."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = _shortcut(inputs, 4 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channel, row, column)."""
        out = F.relu(self.bn1(self.conv1(x)))
        out = F.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return F.relu(out + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """A classifier: normalised bands to logits.

    Args:
        depth: 18 or 50.
        bands: Input channels.
        classes: Logits.
        width: Channels of the first stage; 64 in the published networks.
    """

    def __init__(self, depth: Depth, bands: int, classes: int, width: int = 64) -> None:
        super().__init__()
        check_choice("A ResNet", "depth", depth, tuple(_BLOCKS))
        check_whole("A ResNet", "bands", bands, 1, _MOST_BANDS)
        check_whole("A ResNet", "classes", classes, 1, _MOST_CLASSES)
        check_whole("A ResNet", "width", width, 1, _LARGEST_WIDTH)
        block = BasicBlock if depth == 18 else Bottleneck
        self.conv1 = nn.Conv2d(bands, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        inputs = width
        for index, (stage, count) in enumerate(zip(STAGES, _BLOCKS[depth], strict=True)):
            blocks: list[nn.Module] = []
            for number in range(count):
                stride = 2 if index > 0 and number == 0 else 1
                blocks.append(block(inputs, width * 2**index, stride))
                inputs = width * 2**index * block.expansion
            self.add_module(stage, nn.Sequential(*blocks))
        self.fc = nn.Linear(inputs, classes)

    def cool(self, temperature: float) -> None:
        """Divide the logits by a temperature from now on (Guo et al. 2017), which calibrates confidence."""
        with torch.no_grad():
            self.fc.weight.div_(temperature)
            self.fc.bias.div_(temperature)

    def features(self, x: Tensor, upto: str = "layer4") -> Tensor:
        """The activation of a stage (`layer1` to `layer4`), (batch, channel, row, column).

        Raises:
            ModelError: There is no such stage.
        """
        if upto not in STAGES:
            raise ModelError(f"There is no block {upto!r}.", f"Choose {', '.join(STAGES)}.", code="unknown-block")
        out = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for stage in STAGES[: STAGES.index(upto) + 1]:
            out = self.get_submodule(stage)(out)
        return out

    def head(self, activation: Tensor, after: str = "layer4") -> Tensor:
        """From the activation of a stage to logits (batch, class)."""
        out = activation
        for stage in STAGES[STAGES.index(after) + 1 :]:
            out = self.get_submodule(stage)(out)
        logits: Tensor = self.fc(out.mean(dim=(2, 3)))
        return logits

    def forward(self, x: Tensor) -> Tensor:
        """(batch, band, row, column) to logits (batch, class)."""
        return self.head(self.features(x))


def common_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of a foreign classifier checkpoint in torchvision's names.

    Known: torchvision and timm as they are; torchgeo and self-supervised wrappers by their prefixes; the SEN12MS
    toolbox, whose `encoder.0`, `.1`, `.4` to `.7` are conv1, bn1, layer1 to layer4 and whose `FC` is fc. The toolbox
    repeats conv1; the copy is dropped.
    """
    renamed: dict[str, Tensor] = {}
    toolbox = any(name.removeprefix("module.").startswith("encoder.4.") for name in state)
    for name, tensor in state.items():
        short = next((name.removeprefix(prefix) for prefix in _PREFIXES if name.startswith(prefix)), name)
        if toolbox:
            head, _, rest = short.removeprefix("encoder.").partition(".")
            if short.startswith("encoder.") and head in _TOOLBOX:
                short = f"{_TOOLBOX[head]}.{rest}"
            elif short.startswith("FC."):
                short = "fc." + short.removeprefix("FC.")
            elif short == "conv1.weight" and "conv1.weight" in renamed:
                continue
        renamed[short] = tensor
    return renamed


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(PointwiseConv2d(inputs, outputs, stride), nn.BatchNorm2d(outputs))


def load_resnet(
    state: Mapping[str, Tensor], depth: Depth, bands: int, classes: int, source: Path = Path("classifier")
) -> ResNet:
    """A ResNet with these weights, in evaluation mode.

    Args:
        state: The weights.
        depth: 18 or 50.
        bands: Input channels.
        classes: Logits.
        source: Where the weights are from, for messages.

    Raises:
        ModelError: The first convolution takes another number of bands, or a tensor does not fit.
    """
    from sunbreak.models.weights import build_for, load_strictly

    names = common_names(state)
    first = names.get("conv1.weight")
    if first is not None and first.shape[1] != bands:
        raise ModelError(
            f"{source}: the weights take {first.shape[1]} bands, not {bands}.",
            "Name the bands they were trained on.",
            code="bad-config",
        )
    width = 64 if first is None else int(first.shape[0])
    module = build_for(lambda: ResNet(depth, bands, classes, width), names, source)
    load_strictly(module, names, source)
    return module.eval()
