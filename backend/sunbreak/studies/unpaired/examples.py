"""Example images of the figures: cloudy patches, their translations there and back, and the truth if known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from sunbreak.datasets.bigearthnet import Collection, Patch
from sunbreak.datasets.bigearthnet.simulated import bands_of
from sunbreak.studies.unpaired.known_truth import read_truth, with_truth
from sunbreak.training.bigearthnet_images import Channels, ImagePile
from sunbreak.training.unpaired.batches import generator_for
from sunbreak.training.unpaired.loop import Trained

Image = NDArray[np.float32]
_DRAW = 23


@dataclass(frozen=True)
class Examples:
    """Validation patches in reflectance, each (patch, band, row, column).

    Attributes:
        names: Names of the patches.
        cloudy: The cloudy images, clipped to the range of the networks.
        cleared: Translations with one latent vector each.
        other: Translations with another latent vector.
        restored: `cleared` translated back.
        truth: Images without clouds; None for real data.
    """

    names: tuple[str, ...]
    cloudy: Image
    cleared: Image
    other: Image
    restored: Image
    truth: Image | None


@torch.inference_mode()
def choose(collection: Collection, trained: Trained, channels: Channels, count: int, seed: int) -> Examples:
    """Choose evenly spread patches of the validation split, in the order of their names."""
    cloudy = collection.pile("cloudy", "validation")
    places = np.unique(np.linspace(0, len(cloudy) - 1, min(count, len(cloudy))).round().astype(int))
    patches = [cloudy[int(place)] for place in places]
    pile = ImagePile(patches, channels)
    device = next(trained.model.parameters()).device
    read = [pile[index] for index in range(len(pile))]
    image, conditioning = (torch.from_numpy(np.stack(parts)).to(device) for parts in zip(*read, strict=True))
    given = conditioning if channels.conditioning else None
    direction = trained.model.to_clear
    draws = [direction.prior(len(patches), generator_for(seed, _DRAW, number), device) for number in range(2)]
    cleared, other = (trained.average.to_clear(image, given, latent) for latent in draws)
    own = trained.model.to_cloudy.encode(cleared, image)
    restored = trained.average.to_cloudy(cleared, given, own)

    def shown(part: torch.Tensor) -> Image:
        return channels.unscaled(part.float().cpu().numpy())

    names = tuple(patch.name for patch in patches)
    truth = _truth(collection, patches, channels)
    return Examples(names, shown(image), shown(cleared), shown(other), shown(restored), truth)


def _truth(collection: Collection, patches: Sequence[Patch], channels: Channels) -> Image | None:
    known = {patch.name for patch in with_truth(collection)}
    if not {patch.name for patch in patches} <= known:
        return None
    return np.stack([bands_of(read_truth(collection, patch).clear, channels.bands) for patch in patches])


def picture(image: Image, channels: Channels, white: float = 0.25) -> NDArray[np.uint8]:
    """Red, green and blue (row, column, 3) of (band, row, column) reflectance; `white` and above is white."""
    from sunbreak.training.unpaired.pipeline import picture_bands

    rgb = image[list(picture_bands(channels))].transpose(1, 2, 0)
    return np.asarray(np.clip(np.nan_to_num(rgb) / white, 0, 1) ** (1 / 1.4) * 255, np.uint8)
