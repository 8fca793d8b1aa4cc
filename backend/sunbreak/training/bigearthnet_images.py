"""BigEarthNet as training data: images scaled to [-1, 1], each with its conditioning bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from sunbreak.datasets.bigearthnet import BANDS, RADAR_BANDS, Patch
from sunbreak.datasets.bigearthnet.bands import SIDE, check_bands
from sunbreak.datasets.bigearthnet.kept import KeptPatches
from sunbreak.errors import InputError
from sunbreak.models.card_removal import Scaling

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Channels:
    """The input bands of the networks and their scaling.

    Attributes:
        bands: Bands of the images, in order.
        conditioning: Bands that penetrate clouds: SWIR (as in the paper), or VV and VH (its future work). May be empty.
        reflectance: Range of reflectance that is scaled to [-1, 1]. Brighter pixels are clipped: the ground is seldom
            brighter.
        radar: Range of the radar in dB that is scaled to [-1, 1].
    """

    bands: tuple[str, ...] = BANDS
    conditioning: tuple[str, ...] = RADAR_BANDS
    reflectance: Scaling = field(default_factory=lambda: Scaling(0.0, 0.6))
    radar: Scaling = field(default_factory=lambda: Scaling(-25.0, 0.0))

    def __post_init__(self) -> None:
        check_bands((*self.bands, *self.conditioning))
        if not self.bands or any(band in RADAR_BANDS for band in self.bands):
            raise InputError(
                "The images hold Sentinel-2 bands only, and at least one.",
                "Name VV and VH as conditioning bands.",
                code="bad-option",
            )
        for bands in (self.bands, self.conditioning):
            if len(set(bands)) < len(bands):
                raise InputError(f"A band is named twice: {', '.join(bands)}.", code="bad-option")

    @property
    def uses_radar(self) -> bool:
        """Whether Sentinel-1 is needed."""
        return any(band in RADAR_BANDS for band in self.conditioning)

    def scaled(self, values: Image, bands: Sequence[str]) -> Image:
        """Reflectance and dB (band, row, column) as network input; missing radar becomes the lowest value."""
        out = np.empty_like(values)
        for index, band in enumerate(bands):
            limits = self.radar if band in RADAR_BANDS else self.reflectance
            fraction = (values[index] - limits.low) / (limits.high - limits.low)
            out[index] = 2 * np.clip(np.nan_to_num(fraction, nan=0.0), 0, 1) - 1
        return out

    def unscaled(self, image: Image) -> Image:
        """Network output (..., band, row, column) as reflectance."""
        low, high = self.reflectance.low, self.reflectance.high
        return np.asarray(low + (image + 1) * ((high - low) / 2), np.float32)


class ImagePile(Dataset[tuple[Image, Image]]):
    """Patches as (image, conditioning), float32 in [-1, 1].

    Args:
        patches: The patches, in order.
        channels: Bands and scaling.
        side: Side of the square that is cut out, in pixels; even.
        vary: Data augmentation: random crop, rotation and mirroring, drawn from torch's generator. Otherwise the centre
            crop.
    """

    def __init__(self, patches: Sequence[Patch], channels: Channels, side: int = SIDE, *, vary: bool = False) -> None:
        if not 32 <= side <= SIDE or side % 2:
            raise InputError(
                f"Squares of {side} pixels cannot be cut from the patches.",
                f"Give an even number from 32 to {SIDE}.",
                code="bad-size",
            )
        self.patches = tuple(patches)
        self.channels = channels
        self.side = side
        self.vary = vary
        self._pixels = KeptPatches(self.patches, (*channels.bands, *channels.conditioning))

    def __len__(self) -> int:
        return len(self.patches)

    def __getitem__(self, index: int) -> tuple[Image, Image]:
        """Read one image.

        Raises:
            InputError: A file of the patch is missing or broken.
        """
        pixels = self._pixels[index]
        cut = varied(pixels, self.side) if self.vary else middle(pixels, self.side)
        values = self.channels.scaled(cut, self._pixels.bands)
        count = len(self.channels.bands)
        return values[:count], values[count:]


def varied(values: Image, side: int) -> Image:
    """A random square of a patch, rotated and perhaps mirrored, drawn from torch's generator."""
    row, column = (int(torch.randint(values.shape[1] - side + 1, ())) for _ in range(2))
    cut = values[:, row : row + side, column : column + side]
    turned = np.rot90(cut, int(torch.randint(4, ())), axes=(1, 2))
    if int(torch.randint(2, ())):
        turned = turned[:, :, ::-1]
    return np.ascontiguousarray(turned)


def middle(values: Image, side: int) -> Image:
    """The centre crop of a patch."""
    start = (values.shape[1] - side) // 2
    return np.ascontiguousarray(values[:, start : start + side, start : start + side])
