"""Augmented CycleGAN (Almahairi et al., ICML 2018) between cloudy and clear images, with eight networks.

One `Direction` holds the four networks of one way (generator, image discriminator, latent encoder, latent
discriminator) and is used twice: cloudy to clear, and clear to cloudy. Tensor names are those of the public
implementation.
"""

from sunbreak.models.augcyclegan.config import AugCycleGANConfig, DirectionConfig
from sunbreak.models.augcyclegan.cycle import AugCycleGAN
from sunbreak.models.augcyclegan.direction import Direction
from sunbreak.models.augcyclegan.generator import Generator
from sunbreak.models.augcyclegan.official import load_official, official_state
from sunbreak.models.augcyclegan.spectral import plain_readers, plain_state

__all__ = [
    "AugCycleGAN",
    "AugCycleGANConfig",
    "Direction",
    "DirectionConfig",
    "Generator",
    "load_official",
    "official_state",
    "plain_readers",
    "plain_state",
]
