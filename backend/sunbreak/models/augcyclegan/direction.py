"""One direction of the translation: its generator, and the discriminators and encoder of its target domain."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from sunbreak.errors import ModelError
from sunbreak.models.augcyclegan.config import DirectionConfig
from sunbreak.models.augcyclegan.discriminators import ImageDiscriminator, LatentDiscriminator
from sunbreak.models.augcyclegan.encoder import LatentEncoder
from sunbreak.models.augcyclegan.generator import Generator
from sunbreak.models.augcyclegan.spectral import add_spectral_norm

_SMALLEST = {"patch": 32, "coarse": 64}


class Direction(nn.Module):
    """Source to target: G(source, conditioning, z), D(target), E(source, target) and D_z(z), z the target's latent.

    It does not know which of its domains is the cloudy one.
    """

    def __init__(self, config: DirectionConfig) -> None:
        super().__init__()
        self.config = config
        self.generator = Generator(config)
        self.discriminator = ImageDiscriminator(config)
        self.encoder = LatentEncoder(config) if config.latent else None
        self.latent_discriminator = LatentDiscriminator(config) if config.latent else None
        for network in self.networks().values():
            network.apply(_initialise)
            if config.spectral_norm:
                add_spectral_norm(network)

    def networks(self) -> dict[str, nn.Module]:
        """The networks that this direction has, by name."""
        return dict(self.named_children())

    def translators(self) -> list[nn.Module]:
        """The generator and the encoder."""
        return [self.generator] if self.encoder is None else [self.generator, self.encoder]

    def critics(self) -> list[nn.Module]:
        """Both discriminators."""
        latent = self.latent_discriminator
        return [self.discriminator] if latent is None else [self.discriminator, latent]

    def translate(self, source: Tensor, conditioning: Tensor | None, latent: Tensor | None) -> Tensor:
        """A source image to a target image; shapes as in `Generator.forward`.

        Raises:
            ModelError: A shape does not fit the network.
        """
        self.check(source, conditioning, latent)
        return cast("Tensor", self.generator(source, conditioning if self.config.conditioning else None, latent))

    def encode(self, source: Tensor, target: Tensor) -> Tensor | None:
        """The mean latent vector (batch, length) that leads from `source` to `target`; None if there is no latent."""
        return None if self.encoder is None else self.encoder(source, target)[0]

    def judge(self, target: Tensor, conditioning: Tensor | None) -> Tensor:
        """How real a target image is, patch by patch: (batch, 1, rows, columns)."""
        if self.config.judge_conditioning and conditioning is not None:
            target = torch.cat((target, conditioning), dim=1)
        return cast("Tensor", self.discriminator(target))

    def prior(self, count: int, generator: torch.Generator, device: torch.device | str = "cpu") -> Tensor | None:
        """Standard normal latent vectors (count, length), drawn on the CPU so devices agree; None without latent."""
        if not self.config.latent:
            return None
        return torch.randn(count, self.config.latent, generator=generator).to(device)

    def check(self, source: Tensor, conditioning: Tensor | None, latent: Tensor | None) -> None:
        """Refuse what the networks cannot take.

        Raises:
            ModelError: Says which input has which shape and what it should be.
        """
        config = self.config
        smallest = _SMALLEST[config.discriminator]
        if source.ndim != 4 or source.shape[1] != config.source_bands:
            raise ModelError(
                f"Augmented CycleGAN takes (batch, {config.source_bands}, row, column), not {tuple(source.shape)}.",
                code="bad-shape",
            )
        if any(side % 2 or side < smallest for side in source.shape[2:]):
            raise ModelError(
                f"Augmented CycleGAN takes even sides of at least {smallest} pixels, not {tuple(source.shape[2:])}.",
                "Cut or pad the image.",
                code="bad-shape",
            )
        wanted = (source.shape[0], config.conditioning, *source.shape[2:])
        given = wanted if conditioning is None and not config.conditioning else getattr(conditioning, "shape", ())
        if config.conditioning and tuple(given) != tuple(wanted):
            raise ModelError(
                f"Augmented CycleGAN takes conditioning bands {tuple(wanted)}, not {tuple(given) or 'none'}.",
                code="bad-shape",
            )
        shape = () if latent is None else tuple(latent.shape)
        if shape != ((source.shape[0], config.latent) if config.latent else ()):
            raise ModelError(
                f"Augmented CycleGAN takes latent vectors of length {config.latent}, one per image, not "
                f"{shape or 'none'}.",
                code="bad-shape",
            )


def _initialise(module: nn.Module) -> None:
    """N(0, 0.02) for convolutions and N(1, 0.02) for the encoder's norms, as the reference."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1, 0.02)
        nn.init.zeros_(module.bias)
