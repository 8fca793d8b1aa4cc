"""The arguments that define an Augmented CycleGAN: one set of arguments per direction, and the two together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from sunbreak.errors import ModelError
from sunbreak.models.arguments import check_choice, check_flag, check_whole

DiscriminatorName = Literal["patch", "coarse"]

_OWNER = "An Augmented CycleGAN"
_LARGEST = 1024  # of every count of channels


@dataclass(frozen=True)
class DirectionConfig:
    """The four networks that lead from a source domain to a target domain.

    Attributes:
        source_bands: Bands of a source image.
        target_bands: Bands of a target image.
        conditioning: Bands that see through cloud (SWIR, VV, VH) and are given to the generator beside the source
            image.
        latent: Length of the latent vector; 0 makes the direction deterministic, without encoder and latent
            discriminator.
        generator_width: Channels after the generator's first convolution.
        discriminator_width: Channels after the image discriminator's first convolution.
        encoder_width: Channels after the latent encoder's first convolution.
        latent_width: Width of the latent discriminator.
        discriminator: ``patch`` (4x4 kernels, judges small patches) or ``coarse`` (3x3, one verdict for 64 pixels).
        spectral_norm: Whether every convolution is divided by its largest singular value.
        judge_conditioning: Whether the image discriminator sees the conditioning bands too. Only sensible for bands
            that really do not see clouds (radar): from clouded bands it would distinguish the groups without the image.
    """

    source_bands: int
    target_bands: int
    conditioning: int = 0
    latent: int = 16
    generator_width: int = 32
    discriminator_width: int = 64
    encoder_width: int = 32
    latent_width: int = 64
    discriminator: DiscriminatorName = "patch"
    spectral_norm: bool = True
    judge_conditioning: bool = False

    def __post_init__(self) -> None:
        names = (
            "source_bands",
            "target_bands",
            "generator_width",
            "discriminator_width",
            "encoder_width",
            "latent_width",
        )
        for name in names:
            check_whole(_OWNER, name, getattr(self, name), 1, _LARGEST)
        for name in ("conditioning", "latent"):
            check_whole(_OWNER, name, getattr(self, name), 0, _LARGEST)
        for name in ("spectral_norm", "judge_conditioning"):
            check_flag(_OWNER, name, getattr(self, name))
        check_choice(_OWNER, "discriminator", self.discriminator, get_args(DiscriminatorName))

    def to_dict(self) -> dict[str, Any]:
        """The arguments as plain values, for a model card."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> DirectionConfig:
        """The inverse of `to_dict`.

        Raises:
            ModelError: An argument is unknown or missing.
        """
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ModelError(f"Augmented CycleGAN has no argument {', '.join(unknown)}.", code="bad-config")
        missing = sorted({"source_bands", "target_bands"} - set(values))
        if missing:
            raise ModelError(f"Augmented CycleGAN needs the argument {', '.join(missing)}.", code="bad-config")
        return cls(**values)


@dataclass(frozen=True)
class AugCycleGANConfig:
    """Both directions.

    Attributes:
        to_clear: Cloudy to clear.
        to_cloudy: Clear to cloudy.
    """

    to_clear: DirectionConfig
    to_cloudy: DirectionConfig

    def __post_init__(self) -> None:
        there, back = self.to_clear, self.to_cloudy
        if (there.source_bands, there.target_bands) != (back.target_bands, back.source_bands):
            raise ModelError(
                "The two directions of an Augmented CycleGAN disagree about their bands.", code="bad-config"
            )
        if there.conditioning != back.conditioning:
            raise ModelError(
                "The two directions of an Augmented CycleGAN disagree about their conditioning bands.",
                code="bad-config",
            )

    @classmethod
    def alike(cls, bands: int, conditioning: int = 0, **arguments: Any) -> AugCycleGANConfig:
        """Two directions of the same design, as in the second paper: eight networks.

        Args:
            bands: Bands of a cloudy and of a clear image.
            conditioning: Bands that see through cloud.
            arguments: Further arguments of `DirectionConfig`.
        """
        values = {"source_bands": bands, "target_bands": bands, "conditioning": conditioning, **arguments}
        way = DirectionConfig.from_dict(values)
        return cls(way, replace(way))

    def to_dict(self) -> dict[str, Any]:
        """The arguments as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> AugCycleGANConfig:
        """The inverse of `to_dict`.

        Raises:
            ModelError: An argument is unknown or missing.
        """
        if set(values) != {"to_clear", "to_cloudy"}:
            raise ModelError("An Augmented CycleGAN has the arguments to_clear and to_cloudy.", code="bad-config")
        return cls(DirectionConfig.from_dict(values["to_clear"]), DirectionConfig.from_dict(values["to_cloudy"]))
