"""UnCRtainTS (Ebel et al., CVPR EarthVision 2023): cloud removal with a variance for every value.

The mono-temporal network is local but for its global norms and gates; the multi-temporal one adds attention over dates.
Input is 15 channels per date: VV, VH, then the thirteen L1C bands (13 channels without radar).
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sunbreak.errors import ModelError
from sunbreak.models.arguments import naming
from sunbreak.models.mbconv import NORM_GROUPS, MBConv
from sunbreak.models.temporal import TemporalEncoder, aggregate, pool_to
from sunbreak.models.uncrtaints_config import S2_CHANNELS, UnCRtainTSConfig
from sunbreak.models.weights import build_for, configuration_of, load_strictly, read_state_dict

_COARSE = 32
_VARIANCE_FLOOR = 1e-8


class _Layer(nn.Module):
    """A nesting level that only exists in the official names (`in_conv.conv.conv.0`)."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.conv = inner

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        return out


class UnCRtainTSNetwork(nn.Module):
    """The bare network: scaled input to raw output channels, in the official tensor names."""

    def __init__(self, config: UnCRtainTSConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        entry = nn.Sequential(nn.Conv2d(config.channels, width, 1), nn.GroupNorm(NORM_GROUPS, width), nn.ReLU())
        self.in_conv = _Layer(_Layer(entry))
        self.in_block = nn.ModuleList([MBConv(width, config.encoder_norm, config.padding_mode)])
        if config.multi_temporal:
            self.temporal_encoder = TemporalEncoder(
                width, config.heads, config.key_width, config.model_width, config.positions
            )
        self.out_block = nn.ModuleList(
            MBConv(width, config.decoder_norm, config.padding_mode) for _ in range(config.depth)
        )
        last = nn.Conv2d(width, config.outputs, 1)
        if config.guided:  # an untrained network leaves the guide as it is
            with torch.no_grad():
                last.weight[:S2_CHANNELS] = 0
                if last.bias is not None:
                    last.bias[:S2_CHANNELS] = 0
        self.out_conv = _Layer(_Layer(nn.Sequential(last)))

    def forward(self, x: Tensor, days: Tensor | None = None) -> Tensor:
        """(batch, time, channel, row, column), already multiplied by `scale_by`, to raw (batch, output, row, column).

        A date whose whole frame is zero counts as padding and has no influence.
        """
        batch, time, channels, rows, columns = x.shape
        frames = x.reshape(batch * time, channels, rows, columns)
        out = self.in_conv(frames)
        for block in self.in_block:
            out = block(out)
        if self.config.multi_temporal:
            padded = (x == 0).flatten(2).all(dim=2)
            features = out.view(batch, time, -1, rows, columns)
            coarse = pool_to(out, _COARSE).view(batch, time, -1, _COARSE, _COARSE)
            out = aggregate(features, self.temporal_encoder(coarse, days, padded), padded)
        for block in self.out_block:
            out = block(out)
        return cast("Tensor", self.out_conv(out))


class UnCRtainTS(nn.Module):
    """UnCRtainTS with its scaling: reflectance in, reflectance and its variance out.

    `network` is the bare network whose `state_dict` has the official names.
    """

    def __init__(self, config: UnCRtainTSConfig | None = None) -> None:
        super().__init__()
        self.config = config or UnCRtainTSConfig()
        self.network = UnCRtainTSNetwork(self.config)

    @classmethod
    def from_checkpoint(cls, path: str | Path, config_path: str | Path | None = None) -> UnCRtainTS:
        """Load an official checkpoint (`model.pth.tar`, either naming) or bare weights (`.safetensors`), strictly.

        Args:
            path: The checkpoint.
            config_path: The `conf.json` of its training. Without it, a `conf.json` beside the checkpoint is used, or
                the architecture is read off the tensors with the published settings for the rest.

        Returns:
            The module in evaluation mode.

        Raises:
            ModelError: A file cannot be read, or tensors are missing, left over or of another shape (they are named).
        """
        path = Path(path)
        state = read_state_dict(path)
        conf = configuration_of(path, config_path)
        with naming(path if conf is None else config_path or path.with_name("conf.json")):
            config = UnCRtainTSConfig.from_state_dict(state) if conf is None else UnCRtainTSConfig.from_official(conf)
        module = build_for(lambda: cls(config), state, path, part=lambda whole: whole.network)
        load_strictly(module.network, state, path)
        return module.eval()

    def forward(self, x: Tensor, dates: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Predict the cloud-free image.

        Args:
            x: (batch, time, 15, row, column): VV and VH, then the bands, each scaled to [0, 1]; for a guided network
                then the bands with their clouds filled, and 1 where they were filled, 0 elsewhere.
            dates: (batch, time) days since 2014-04-03, mean of the radar's and the optical day. Ignored for one date.

        Returns:
            Mean and variance in reflectance, each (batch, 13, row, column); variance is None for 13 outputs.

        Raises:
            ModelError: The shape does not fit the network, or a multi-temporal network that encodes dates gets none.
        """
        return self.head(self.raw(x, dates), self.filled(x))

    def raw(self, x: Tensor, dates: Tensor | None = None) -> Tensor:
        """The channels before `head` makes mean and variance of them; arguments and errors as in `forward`."""
        self._check(x, dates)
        return cast("Tensor", self.network(x * self.config.scale_by, dates))

    def filled(self, x: Tensor) -> Tensor | None:
        """The guide in the input, (batch, 13, row, column), or None."""
        first = self.config.plain_channels
        return x[:, 0, first : first + S2_CHANNELS] if self.config.guided else None

    def head(self, raw: Tensor, filled: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Raw channels to mean and variance in reflectance (Ebel et al. 2023, equations 1 to 3, with their scaling).

        A guided network's mean is its guide and what it adds, cut to [0, 1].
        """
        scale = self.config.scale_by
        first = raw[:, :S2_CHANNELS]
        # scale_by * sigmoid, divided by scale_by again, is the sigmoid itself
        mean = torch.sigmoid(first) if filled is None else (filled + first / scale).clamp(0, 1)
        if not self.config.has_variance:
            return mean, None
        floor = 1e-3 if scale != 1 else 1e-9
        variance = (F.softplus(raw[:, S2_CHANNELS:]) + floor).clamp(min=_VARIANCE_FLOOR) / scale**2
        return mean, variance.expand_as(mean)

    def _check(self, x: Tensor, dates: Tensor | None) -> None:
        config = self.config
        if x.ndim != 5 or x.shape[2] != config.channels:
            raise ModelError(
                f"UnCRtainTS takes (batch, time, {config.channels}, row, column), not {tuple(x.shape)}.",
                code="bad-shape",
            )
        if not config.multi_temporal and x.shape[1] != 1:
            raise ModelError(
                f"This UnCRtainTS takes one date, not {x.shape[1]}.", "Use a multi-temporal model.", code="bad-shape"
            )
        if config.multi_temporal and config.positions and dates is None:
            raise ModelError(
                "This multi-temporal UnCRtainTS needs the dates.", "Pass days since 2014-04-03.", code="bad-shape"
            )
