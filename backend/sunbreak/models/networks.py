"""Networks as the engine runs them: tiles (batch, channel, row, column) in, a tuple of tensors out.

What is particular to an architecture (a time axis, two outputs or one, a head) is handled here.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from sunbreak.models.card import ModelCard
from sunbreak.models.card_removal import Scaling
from sunbreak.models.folding import fold_batch_norms
from sunbreak.models.resnet import ResNet
from sunbreak.models.resnet_fpn import ResNetFPN
from sunbreak.models.sampling import draw_latents
from sunbreak.models.uncrtaints import UnCRtainTS

if TYPE_CHECKING:
    from sunbreak.models.augcyclegan import Generator


class TileNetwork(nn.Module):
    """A network over tiles.

    Attributes:
        channels: Input channels.
        knows_size: Whether it computes with the number of a tile's pixels, so that a trace is good for tiles of one
            size.
        output_names: Names of what the exported module gives before the magnitude.
    """

    channels: int
    knows_size = False
    output_names: tuple[str, ...] = ("values", "variance")

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(batch, channel, row, column) to tensors whose first axis is the batch."""
        return self.measured(x)[:-1]

    def measured(self, x: Tensor) -> tuple[Tensor, ...]:
        """The outputs of `forward`, and the magnitude (batch,) of what the network gave before it was limited.

        See `magnitude`. What limits values, such as clamp and tanh, hides NaN in some runtimes, and infinity in all.
        """
        raise NotImplementedError

    def example(self, tile: int, generator: torch.Generator) -> dict[str, Tensor]:
        """Random inputs of `forward` by name, for one tile of that side."""
        return {"x": torch.rand((1, self.channels, tile, tile), generator=generator)}

    def exported(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """The module for another runtime, and examples by name of its inputs after the tile `x`, in order.

        The module gives what `measured` does, for one possible image where there are several.
        """
        return Measured(self), {}

    def folded(self) -> TileNetwork:
        """The same function with batch norms folded into convolutions, a copy in evaluation mode."""
        raise NotImplementedError


class RemovalNetwork(TileNetwork):
    """Mono-temporal UnCRtainTS: mean, and variance where there is one, each (batch, 13, row, column).

    Args:
        module: The network.
        moments: Give one tensor instead, (batch, 26, row, column): mean and second moment, by which tiles are
            blended.
    """

    def __init__(self, module: UnCRtainTS, *, moments: bool = False) -> None:
        super().__init__()
        self.module, self.moments = module, moments
        self.channels = module.config.channels

    def measured(self, x: Tensor) -> tuple[Tensor, ...]:
        """See `TileNetwork`."""
        return self._measured(x[:, None])

    def _measured(self, frames: Tensor, days: Tensor | None = None) -> tuple[Tensor, ...]:
        raw = self.module.raw(frames, days)
        mean, variance = self.module.head(raw, self.module.filled(frames))
        if variance is None:
            return mean, magnitude(raw)
        outputs = (torch.cat((mean, mean * mean + variance), dim=1),) if self.moments else (mean, variance)
        return (*outputs, magnitude(raw))

    def folded(self) -> RemovalNetwork:
        """See `TileNetwork`."""
        return RemovalNetwork(fold_batch_norms(self.module), moments=self.moments)


class SeveralDatesNetwork(RemovalNetwork):
    """Multi-temporal UnCRtainTS: its input holds the channels of each date one after the other.

    Args:
        module: The network.
        dates: Dates that go in at once.
        moments: As in `RemovalNetwork`.
    """

    knows_size = True  # the attention is computed on a grid of fixed size

    def __init__(self, module: UnCRtainTS, dates: int, *, moments: bool = False) -> None:
        super().__init__(module, moments=moments)
        self.dates = dates
        self.channels = dates * module.config.channels

    def forward(self, x: Tensor, days: Tensor | None = None) -> tuple[Tensor, ...]:
        """(batch, dates * channel, row, column) and the days since 2014-04-03 (batch, dates), if dates are encoded."""
        return self.measured(x, days)[:-1]

    def measured(self, x: Tensor, days: Tensor | None = None) -> tuple[Tensor, ...]:
        """See `TileNetwork`."""
        rows, columns = x.shape[-2:]
        return self._measured(x.reshape(-1, self.dates, self.module.config.channels, rows, columns), days)

    def example(self, tile: int, generator: torch.Generator) -> dict[str, Tensor]:
        """See `TileNetwork`."""
        return {**super().example(tile, generator), **self.exported()[1]}

    def exported(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """See `TileNetwork`: the days, where dates are encoded."""
        days = torch.arange(self.dates, dtype=torch.float32)[None] * 10 + 1000
        return Measured(self), {"days": days} if self.module.config.positions else {}

    def folded(self) -> SeveralDatesNetwork:
        """See `TileNetwork`."""
        return SeveralDatesNetwork(fold_batch_norms(self.module), self.dates, moments=self.moments)


class ClassifierNetwork(TileNetwork):
    """A classifier: probabilities (batch, class), by softmax or, where a patch may have several labels, by sigmoid."""

    output_names = ("probabilities", "maps", "logits")

    def __init__(self, module: ResNet, multi_label: bool) -> None:
        super().__init__()
        self.module, self.multi_label = module, multi_label
        self.channels = module.conv1.in_channels

    def measured(self, x: Tensor) -> tuple[Tensor, ...]:
        """See `TileNetwork`."""
        logits = self.module(x)
        return self.probabilities(logits), magnitude(logits)

    def probabilities(self, logits: Tensor) -> Tensor:
        """Those of the classes, (batch, class)."""
        return torch.sigmoid(logits) if self.multi_label else torch.softmax(logits, dim=1)

    def exported(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """See `TileNetwork`: with the probabilities go the class activation maps of all classes, and the logits."""
        return _WithMaps(self), {}

    def folded(self) -> ClassifierNetwork:
        """See `TileNetwork`."""
        return ClassifierNetwork(fold_batch_norms(self.module), self.multi_label)


class _WithMaps(nn.Module):
    """Probabilities, class activation maps of the last block (batch, class, row, column), logits, magnitude.

    After global average pooling and one linear layer, the gradient of a logit is the layer's weight at every place, so
    that Grad-CAM is the map of Zhou et al. 2016 and needs no backward pass.
    """

    def __init__(self, network: ClassifierNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        module = self.network.module
        activation = module.features(x)
        logits = module.head(activation)
        rows, columns = activation.shape[-2:]
        maps = torch.einsum("kc,bcij->bkij", module.fc.weight, activation) / (rows * columns)
        return self.network.probabilities(logits), maps, logits, magnitude(logits)


class SegmentationNetwork(TileNetwork):
    """A network that gives the probabilities of the classes at each pixel, (batch, class, row, column).

    Args:
        module: The network.
        margin: Rows and columns along each side of a tile that are discarded: nothing is computed there.
    """

    def __init__(self, module: ResNetFPN, margin: int = 0) -> None:
        super().__init__()
        self.module, self.margin = module, margin
        self.knows_size = margin > 0  # what is cut off depends on it
        self.channels = module.conv1.in_channels

    def measured(self, x: Tensor) -> tuple[Tensor, ...]:
        """See `TileNetwork`."""
        # small tiles, with which a network is tried, have no core
        logits = self.module(x, self.margin if min(x.shape[-2:]) > 2 * self.margin else 0)
        return torch.softmax(logits, dim=1), magnitude(logits)

    def folded(self) -> SegmentationNetwork:
        """See `TileNetwork`."""
        return SegmentationNetwork(fold_batch_norms(self.module), self.margin)


class TranslationNetwork(TileNetwork):
    """The generator of an Augmented CycleGAN: mean and variance over some latents, each (batch, band, row, column).

    The latent vectors are the same for all tiles, so that neighbours are the same possible image. They are processed
    one after the other, so that memory holds one image.

    Args:
        module: From cloudy to clear.
        card: Says which input channels are image and conditioning, what -1 and 1 stand for, how many vectors are drawn
            from what seed.
        moments: As in `RemovalNetwork`.
    """

    latents: Tensor | None
    knows_size = True  # its norms do, see `ConditionalInstanceNorm`

    def __init__(self, module: Generator, card: ModelCard, *, moments: bool = False) -> None:
        super().__init__()
        self.module, self.card, self.moments = module, card, moments
        self.channels = len(card.inputs)
        self._image = [card.inputs.index(band) for band in card.outputs]
        self._conditioning = [card.inputs.index(band) for band in card.arguments["conditioning"]]
        scaling = card.reflectance or Scaling(0.0, 1.0)
        self._low, self._half_range = scaling.low, (scaling.high - scaling.low) / 2
        drawn = draw_latents(card)
        self.register_buffer("latents", None if drawn is None else torch.from_numpy(drawn))

    def measured(self, x: Tensor) -> tuple[Tensor, ...]:
        """See `TileNetwork`. The input is in [0, 1]; mean and variance (divisor n - 1) are in reflectance."""
        if self.latents is None:
            return self.image(x)
        first, *others = (self.latents[i : i + 1] for i in range(len(self.latents)))
        mean, largest = self.image(x, first)
        squares = torch.zeros_like(mean)
        for count, latent in enumerate(others, 2):  # Welford
            value, found = self.image(x, latent)
            largest = torch.maximum(largest, found)
            change = value - mean
            mean = mean + change / count
            squares = squares + change * (value - mean)
        variance = squares / max(len(others), 1)
        outputs = (torch.cat((mean, mean * mean + variance), dim=1),) if self.moments else (mean, variance)
        return (*outputs, largest)

    def image(self, x: Tensor, latent: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """One possible image in reflectance, (batch, band, row, column), for a latent vector (1, length).

        With it the magnitude (batch,), see `TileNetwork.measured`.
        """
        x = x * 2 - 1
        conditioning = x[:, self._conditioning] if self._conditioning else None
        vector = None if latent is None else latent.expand(len(x), -1)
        raw = self.module.raw(x[:, self._image], conditioning, vector)
        return (torch.tanh(raw).float() + 1) * self._half_range + self._low, magnitude(raw)

    def exported(self) -> tuple[nn.Module, dict[str, Tensor]]:
        """See `TileNetwork`: one possible image for a tile and a latent vector."""
        return _OneImage(self), {} if self.latents is None else {"latent": self.latents[:1]}

    def folded(self) -> TranslationNetwork:
        """See `TileNetwork`: its norms depend on the input, so nothing can be folded."""
        return TranslationNetwork(copy.deepcopy(self.module).eval(), self.card, moments=self.moments)


class _OneImage(nn.Module):
    def __init__(self, network: TranslationNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, latent: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return self.network.image(x, latent)


class Measured(nn.Module):
    """A network that gives the magnitude too, see `TileNetwork.measured`."""

    def __init__(self, network: TileNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor, **named: Tensor) -> tuple[Tensor, ...]:
        """See `TileNetwork.measured`."""
        return self.network.measured(*inputs, **named)


def magnitude(raw: Tensor) -> Tensor:
    """Mean absolute value of each item of a batch, (batch,): not finite if one value is not."""
    return raw.float().abs().mean(dim=tuple(range(1, raw.dim())))
