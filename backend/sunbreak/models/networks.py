"""Networks as the engine runs them: tiles (batch, channel, row, column) in, a tuple of tensors out.

What is particular to an architecture (a time axis, two outputs or one, a head) ends here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from sunbreak.models.folding import fold_batch_norms
from sunbreak.models.resnet import ResNet
from sunbreak.models.uncrtaints import UnCRtainTS

if TYPE_CHECKING:
    from sunbreak.models.registry import ModelFiles


class TileNetwork(nn.Module):
    """A network over tiles.

    Attributes:
        channels: Input channels.
    """

    channels: int

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(batch, channel, row, column) to tensors whose first axis is the batch."""
        raise NotImplementedError

    def folded(self) -> TileNetwork:
        """The same function with batch norms folded into convolutions, a copy in evaluation mode."""
        raise NotImplementedError


class RemovalNetwork(TileNetwork):
    """Mono-temporal UnCRtainTS: mean, and variance where there is one, each (batch, 13, row, column).

    Args:
        module: The network.
        moments: Give one tensor instead, (batch, 26, row, column): mean and second moment, which is what tiles are blended by.
    """

    def __init__(self, module: UnCRtainTS, *, moments: bool = False) -> None:
        super().__init__()
        self.module, self.moments = module, moments
        self.channels = module.config.channels

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """See `TileNetwork`."""
        mean, variance = self.module(x[:, None])
        if variance is None:
            return (mean,)
        return (torch.cat((mean, mean * mean + variance), dim=1),) if self.moments else (mean, variance)

    def folded(self) -> RemovalNetwork:
        """See `TileNetwork`."""
        return RemovalNetwork(fold_batch_norms(self.module), moments=self.moments)


class ClassifierNetwork(TileNetwork):
    """A classifier: probabilities (batch, class), by softmax or, where a patch may have several labels, by sigmoid."""

    def __init__(self, module: ResNet, multi_label: bool) -> None:
        super().__init__()
        self.module, self.multi_label = module, multi_label
        self.channels = module.conv1.in_channels

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """See `TileNetwork`."""
        logits = self.module(x)
        return (torch.sigmoid(logits) if self.multi_label else torch.softmax(logits, dim=1),)

    def folded(self) -> ClassifierNetwork:
        """See `TileNetwork`."""
        return ClassifierNetwork(fold_batch_norms(self.module), self.multi_label)


def load_network(files: ModelFiles) -> TileNetwork:
    """The network of a registry model, checked and loaded; cloud removal with moments.

    Raises:
        ModelError: The weights do not have the card's checksum or do not load.
    """
    from sunbreak.models.registry import load_classifier, load_model

    if files.card.architecture == "resnet":
        return ClassifierNetwork(load_classifier(files), files.card.multi_label)
    return RemovalNetwork(load_model(files), moments=True)
