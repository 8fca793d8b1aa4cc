"""The arguments that define an UnCRtainTS: as a card holds them, from a `conf.json`, or read off the tensors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from torch import Tensor

from sunbreak.errors import ModelError
from sunbreak.models.arguments import check_choice, check_flag, check_real, check_whole
from sunbreak.models.card_common import MAX_DATES
from sunbreak.models.mbconv import NORM_GROUPS, NormName, PaddingMode
from sunbreak.models.prior_layout import PRIOR_SIZES
from sunbreak.models.temporal import ATTENTION_GROUPS

S2_CHANNELS = 13
S1_CHANNELS = 2
_OWNER = "UnCRtainTS"
# far more than any network that was published has, and few enough to be built
_LARGEST = {"width": 1024, "depth": 64, "heads": 64, "key_width": 256, "model_width": 4096}
_SCALES = (1e-3, 1e5)
_LARGEST_OF_PRIOR = 1e9


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
        hides_opaque: Whether a guided network gets the guide in place of the bands under opaque cloud.
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
    hides_opaque: bool = False
    prior: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        self._check_arguments()
        if self.guided and (self.multi_temporal or len(self.prior) not in PRIOR_SIZES):
            raise ModelError(
                "A guided UnCRtainTS takes one date and a prior of 13 reflectances, alone or with local statistics.",
                "Correct multi_temporal and prior.",
                code="bad-config",
            )
        if self.hides_opaque and not self.guided:
            raise ModelError(
                "Only a guided UnCRtainTS can hide what is opaque.", "Correct hides_opaque.", code="bad-config"
            )
        allowed = {"diag": (13, 26), "uni": (13, 26), "iso": (13, 14)}
        if self.covmode not in allowed or self.outputs not in allowed[self.covmode]:
            raise ModelError(
                f"UnCRtainTS with covmode {self.covmode!r} cannot have {self.outputs} outputs.",
                "Use 13 (mean only), 26 (diag, uni) or 14 (iso).",
                code="bad-config",
            )

    def _check_arguments(self) -> None:
        """Type and range of each argument, and what the attention asks of the widths.

        Raises:
            ModelError: One does not fit.
        """
        for name in ("use_sar", "multi_temporal", "positions", "guided", "hides_opaque"):
            check_flag(_OWNER, name, getattr(self, name))
        for name, high in _LARGEST.items():
            check_whole(_OWNER, name, getattr(self, name), 1, high)
        check_whole(_OWNER, "outputs", self.outputs, S2_CHANNELS, 2 * S2_CHANNELS)
        check_real(_OWNER, "scale_by", self.scale_by, *_SCALES)
        check_choice(_OWNER, "covmode", self.covmode, ("diag", "uni", "iso"))
        for name in ("encoder_norm", "decoder_norm"):
            check_choice(_OWNER, name, getattr(self, name), get_args(NormName))
        check_choice(_OWNER, "padding_mode", self.padding_mode, get_args(PaddingMode))
        for number in self.prior:
            check_real(_OWNER, "prior", number, -_LARGEST_OF_PRIOR, _LARGEST_OF_PRIOR)
        parts = {"width": NORM_GROUPS}
        if self.multi_temporal:
            parts = {"width": math.lcm(ATTENTION_GROUPS, self.heads), "model_width": self.heads}
        for name, part in parts.items():
            if getattr(self, name) % part:
                raise ModelError(
                    f"{_OWNER} takes for {name} a multiple of {part}, not {getattr(self, name)}.",
                    f"Correct {name} or heads.",
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
            ModelError: An argument is unknown or does not fit.
        """
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ModelError(f"UnCRtainTS has no argument {', '.join(unknown)}.", code="bad-config")
        prior = values.get("prior", ())
        if not isinstance(prior, (list, tuple)):
            raise ModelError("UnCRtainTS takes for prior a row of numbers.", "Correct prior.", code="bad-config")
        return cls(**{**values, "prior": tuple(prior)})

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
                    f"The configuration has {key} = {ascii(conf[key])[:60]}; only {value!r} is supported.",
                    code="bad-config",
                )
        last, decoder, encoder = (_widths(conf, key) for key in ("out_conv", "decoder_widths", "encoder_widths"))
        if last[-1] > S2_CHANNELS and conf.get("var_nonLinearity", "softplus") != "softplus":
            raise ModelError(
                f"The configuration has var_nonLinearity = {ascii(conf['var_nonLinearity'])[:60]}; only 'softplus' is "
                "supported.",
                code="bad-config",
            )
        if len({*decoder, *encoder}) != 1 or len(encoder) != 1:
            raise ModelError(
                f"The configuration has widths {encoder} and {decoder}; they must be one and the same.",
                code="bad-config",
            )
        dates = conf.get("input_t", 1)
        check_whole("The configuration", "input_t", dates, 1, MAX_DATES)
        return cls(
            use_sar=conf.get("use_sar", True),
            multi_temporal=dates > 1,
            outputs=last[-1],
            covmode=conf.get("covmode", "diag"),
            scale_by=conf.get("scale_by", 10.0),
            width=decoder[0],
            depth=len(decoder),
            encoder_norm=conf.get("encoder_norm", "group"),
            decoder_norm=conf.get("decoder_norm", "batch"),
            padding_mode=conf.get("padding_mode", "reflect"),
            heads=conf.get("n_head", 16),
            key_width=conf.get("d_k", 4),
            model_width=conf.get("d_model", 256),
            positions=conf.get("positional_encoding", True),
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
        if first.ndim != 4 or last.ndim != 4 or (query is not None and query.ndim != 2):
            raise ModelError("The checkpoint's tensors do not have the shapes of UnCRtainTS.", code="bad-checkpoint")
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


def _widths(conf: Mapping[str, Any], key: str) -> list[int]:
    """The list of channel numbers of that name in an official configuration.

    Raises:
        ModelError: It is missing, or no short list of whole numbers.
    """
    widths = conf.get(key)
    if not isinstance(widths, list) or not 1 <= len(widths) <= _LARGEST["depth"]:
        raise ModelError(
            f"The configuration has no list {key}, or none of 1 to {_LARGEST['depth']} numbers.",
            "Give the conf.json of the training.",
            code="bad-config",
        )
    for width in widths:
        check_whole("The configuration", key, width, 1, _LARGEST["width"])
    return widths
