"""Both directions together, and the half cycle that every loss is computed from."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from sunbreak.models.augcyclegan.config import AugCycleGANConfig
from sunbreak.models.augcyclegan.direction import Direction


@dataclass(frozen=True)
class HalfCycle:
    """An image that went to the other domain and came back.

    Attributes:
        fake: The image in the other domain, (batch, target band, row, column).
        own: The latent vector of the image's own domain, read off image and fake, (batch, length) or None.
        rebuilt: The image again, made of `fake` and `own`.
        reread: The latent vector that made `fake`, read off image and fake, (batch, length) or None.
    """

    fake: Tensor
    own: Tensor | None
    rebuilt: Tensor
    reread: Tensor | None


class AugCycleGAN(nn.Module):
    """Cloudy to clear and clear to cloudy."""

    def __init__(self, config: AugCycleGANConfig) -> None:
        super().__init__()
        self.config = config
        self.to_clear = Direction(config.to_clear)
        self.to_cloudy = Direction(config.to_cloudy)

    def directions(self) -> tuple[Direction, Direction]:
        """Cloudy to clear, clear to cloudy."""
        return self.to_clear, self.to_cloudy


def half_cycle(
    there: Direction, back: Direction, image: Tensor, conditioning: Tensor | None, latent: Tensor | None
) -> HalfCycle:
    """Send an image to the other domain and bring it back.

    The conditioning bands belong to the ground, so both generators get those of the image.

    Args:
        there: From the image's domain to the other.
        back: From the other domain to the image's.
        image: (batch, band, row, column) in [-1, 1].
        conditioning: (batch, conditioning band, row, column) or None.
        latent: Latent vector of the other domain, (batch, length) or None.

    Raises:
        ModelError: A shape does not fit the networks.
    """
    fake = there.translate(image, conditioning, latent)
    own = back.encode(fake, image)
    return HalfCycle(fake, own, back.translate(fake, conditioning, own), there.encode(image, fake))
