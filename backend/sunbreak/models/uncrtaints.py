"""UnCRtainTS (Ebel et al., CVPR EarthVision 2023): cloud removal with a variance for every value.

The mono-temporal network is local but for its global norms and gates; the multi-temporal one adds attention over dates.
Input is 15 channels per date: VV, VH, then the thirteen L1C bands (13 channels without radar).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sunbreak.errors import ModelError
from sunbreak.models.mbconv import MBConv, NormName, PaddingMode
from sunbreak.models.prior_layout import PRIOR_SIZES
from sunbreak.models.temporal import TemporalEncoder, aggregate, pool_to
from sunbreak.models.weights import configuration_of, load_strictly, read_state_dict

S2_CHANNELS = 13
S1_CHANNELS = 2
_COARSE = 32
_VARIANCE_FLOOR = 1e-8


@dataclass(frozen=True)
class UnCRtainTSConfig:
    """The arguments that define the architecture.

    Attributes:
        use_sar: Whether the two radar channels come first.
        multi_temporal: Whether several dates are combined by attention.
        outputs: Output channels: 13 (mean), 14 (one shared variance) or 26 (a variance per band).
        covmode: ``diag``, ``uni`` or ``iso``: how the channels after the mean become variances.
        scale_by: Reflectance is multiplied by this inside the network.
        width: Feature channels.
        depth: Blocks after the temporal aggregation.
        encoder_norm: Norm of the first block.
        decoder_norm: Norm of the other blocks.
        padding_mode: Padding of the depthwise convolutions.
        heads: Attention heads.
        key_width: Width of an attention key.
        model_width: Width inside the temporal encoder.
        positions: Whether dates are encoded.
        guided: Whether each date brings fourteen channels more: its bands with the clouds filled (see
            `sunbreak.removal.guide`), and where they were filled. The network then adds a correction to the
            filled image. Not in the published networks.
        prior: Fill of a tile without a clear pixel, for a guided network: a spectrum, or all the numbers of
            a `sunbreak.removal.guide.Prior`.
    """

    use_sar: bool = True
    multi_temporal: bool = False
    outputs: int = 26
    covmode: Literal["diag", "uni", "iso"] = "diag"
    scale_by: float = 10.0
    width: int = 128
    depth: int = 5
    encoder_norm: NormName = "group"
    decoder_norm: NormName = "batch"
    padding_mode: PaddingMode = "reflect"
    heads: int = 16
    key_width: int = 4
    model_width: int = 256
    positions: bool = True
    guided: bool = False
    prior: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.guided and (self.multi_temporal or len(self.prior) not in PRIOR_SIZES):
            raise ModelError(
                "A guided UnCRtainTS takes one date and a prior of 13 reflectances, alone or with local statistics.",
                "Correct multi_temporal and prior.",
                code="bad-config",
            )
        allowed = {"diag": (13, 26), "uni": (13, 26), "iso": (13, 14)}
        if self.covmode not in allowed or self.outputs not in allowed[self.covmode]:
            raise ModelError(
                f"UnCRtainTS with covmode {self.covmode!r} cannot have {self.outputs} outputs.",
                "Use 13 (mean only), 26 (diag, uni) or 14 (iso).",
                code="bad-config",
            )
        if self.encoder_norm not in ("group", "batch") or self.decoder_norm not in ("group", "batch"):
            raise ModelError(
                f"UnCRtainTS norms are 'group' or 'batch', not {self.encoder_norm!r} and {self.decoder_norm!r}.",
                "Correct encoder_norm and decoder_norm.",
                code="bad-config",
            )

    @property
    def channels(self) -> int:
        """Input channels of one date."""
        return self.plain_channels + (S2_CHANNELS + 1 if self.guided else 0)

    @property
    def plain_channels(self) -> int:
        """Input channels of one date without those of the guide: radar and bands."""
        return S2_CHANNELS + (S1_CHANNELS if self.use_sar else 0)

    @property
    def has_variance(self) -> bool:
        """Whether the network predicts an uncertainty."""
        return self.outputs > S2_CHANNELS

    def to_dict(self) -> dict[str, Any]:
        """The arguments as plain values, for a model card."""
        return {**asdict(self), "prior": list(self.prior)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> UnCRtainTSConfig:
        """The inverse of `to_dict`.

        Raises:
            ModelError: An argument is unknown.
        """
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ModelError(f"UnCRtainTS has no argument {', '.join(unknown)}.", code="bad-config")
        return cls(**{**values, "prior": tuple(values.get("prior", ()))})

    @classmethod
    def from_official(cls, conf: Mapping[str, Any]) -> UnCRtainTSConfig:
        """Translate the `conf.json` that the official training code writes.

        Raises:
            ModelError: The file asks for a variant that is not supported, which is named.
        """
        fixed = {"block_type": "mbconv", "separate_out": False, "mean_nonLinearity": True, "agg_mode": "att_group"}
        for key, value in fixed.items():
            if conf.get(key, value) != value:
                raise ModelError(
                    f"The configuration has {key} = {conf[key]!r}; only {value!r} is supported.", code="bad-config"
                )
        outputs = int(conf["out_conv"][-1])
        if outputs > S2_CHANNELS and conf.get("var_nonLinearity", "softplus") != "softplus":
            raise ModelError(
                f"The configuration has var_nonLinearity = {conf['var_nonLinearity']!r}; only 'softplus' is supported.",
                code="bad-config",
            )
        decoder = list(conf["decoder_widths"])
        if len({*decoder, *conf["encoder_widths"]}) != 1 or len(conf["encoder_widths"]) != 1:
            raise ModelError(
                f"The configuration has widths {conf['encoder_widths']} and {decoder}; they must be one and the same.",
                code="bad-config",
            )
        return cls(
            use_sar=bool(conf.get("use_sar", True)),
            multi_temporal=int(conf.get("input_t", 1)) > 1,
            outputs=outputs,
            covmode=conf.get("covmode", "diag"),
            scale_by=float(conf.get("scale_by", 10.0)),
            width=int(decoder[0]),
            depth=len(decoder),
            encoder_norm=conf.get("encoder_norm", "group"),
            decoder_norm=conf.get("decoder_norm", "batch"),
            padding_mode=conf.get("padding_mode", "reflect"),
            heads=int(conf.get("n_head", 16)),
            key_width=int(conf.get("d_k", 4)),
            model_width=int(conf.get("d_model", 256)),
            positions=bool(conf.get("positional_encoding", True)),
        )

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Tensor]) -> UnCRtainTSConfig:
        """Guess the configuration from names and shapes of the tensors, with published settings for the rest.

        Raises:
            ModelError: The tensors are not those of UnCRtainTS.
        """
        try:
            first, last = state["in_conv.conv.conv.0.weight"], state["out_conv.conv.conv.0.weight"]
        except KeyError as missing:
            raise ModelError(
                f"The checkpoint has no tensor {missing}, so it is not UnCRtainTS.", code="bad-checkpoint"
            ) from None
        query = state.get("temporal_encoder.attention_heads.Q")
        outputs = int(last.shape[0])
        blocks = {name.split(".")[1] for name in state if name.startswith("out_block.")}

        def norm(block: str) -> NormName:
            return "batch" if f"{block}.0.conv.norm.running_mean" in state else "group"

        return cls(
            use_sar=int(first.shape[1]) == S2_CHANNELS + S1_CHANNELS,
            multi_temporal=query is not None,
            outputs=outputs,
            covmode="iso" if outputs == S2_CHANNELS + 1 else "diag",
            width=int(first.shape[0]),
            depth=len(blocks),
            encoder_norm=norm("in_block"),
            decoder_norm=norm("out_block"),
            heads=16 if query is None else int(query.shape[0]),
            key_width=4 if query is None else int(query.shape[1]),
        )


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
        entry = nn.Sequential(nn.Conv2d(config.channels, width, 1), nn.GroupNorm(4, width), nn.ReLU())
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
        config = UnCRtainTSConfig.from_state_dict(state) if conf is None else UnCRtainTSConfig.from_official(conf)
        module = cls(config)
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
        self._check(x, dates)
        raw = self.network(x * self.config.scale_by, dates)
        return self.head(raw, self.filled(x))

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
