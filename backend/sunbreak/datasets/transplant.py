"""Real clouds over other ground: the cloud layer of a cloudy and clear pair, lifted off and laid over a clear image.

In each band a cloudy pixel is c = T t + L: ground t seen through a layer that lets the share T through and adds the
light L. Over other ground g the same layer gives T g + L = c + T (g - t), so only T has to be estimated. It is 1
outside the mask, where nothing is laid over; where the cloudy image is darker than the clear one it is a shadow,
whose T is c / t; and in clouds it is what is left of the way from the ground to the brightest cloud. Ground that
changed between the two dates goes into L, which the smoothing of T keeps small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SMOOTH = 2.0  # standard deviation in pixels; clouds are smooth, what differs more finely is the ground
_EDGE = 6  # pixels over which a layer begins at the edge of its mask
_BRIGHTEST = 98.0  # percentile of the masked pixels that counts as a cloud nothing is seen through
_DARK = 0.01  # reflectance below which nothing can be said about a share

Image = NDArray[np.float32]


@dataclass(frozen=True)
class CloudLayer:
    """A real cloud layer and its shadow.

    Attributes:
        name: Of the pair it comes from.
        transmission: (band, row, column), share of the ground's light that comes through, 0..1.
        light: (band, row, column), reflectance that it adds.
        mask: (row, column), where it is.
    """

    name: str
    transmission: Image
    light: Image
    mask: NDArray[np.bool_]


def lift(name: str, cloudy: Image, clear: Image, mask: NDArray[np.bool_]) -> CloudLayer:
    """The cloud layer of a pair.

    Args:
        name: Of the pair.
        cloudy: (band, row, column) reflectance.
        clear: The same place without clouds.
        mask: (row, column), clouds and shadows of the cloudy image.

    Raises:
        ValueError: Nothing is masked.
    """
    import cv2

    if not mask.any():
        raise ValueError(f"{name} has no cloud to lift off")
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    begins: Image = np.minimum(depth / np.float32(_EDGE), np.float32(1))
    transmission = np.empty_like(cloudy)
    for band, (seen, ground) in enumerate(zip(cloudy, clear, strict=True)):
        brightest = max(float(np.percentile(seen[mask], _BRIGHTEST)), float(ground[mask].max()) + _DARK)
        through = np.where(
            seen < ground, seen / np.maximum(ground, _DARK), (brightest - seen) / np.maximum(brightest - ground, _DARK)
        )
        through = np.clip(np.where(mask, through, 1), 0, 1).astype(np.float32)
        smooth = cv2.GaussianBlur(through, (0, 0), _SMOOTH, borderType=cv2.BORDER_REFLECT)
        transmission[band] = 1 - begins * (1 - smooth)
    light = np.maximum(begins * (cloudy - transmission * clear), 0).astype(np.float32)
    return CloudLayer(name, transmission, light, mask)


def lay_over(ground: Image, layer: CloudLayer) -> Image:
    """Ground (band, row, column) reflectance under a layer of the same shape; elsewhere it stays bit for bit."""
    covered: Image = np.where(layer.mask, ground * layer.transmission + layer.light, ground)
    return covered


def turned(layer: CloudLayer, turns: int, flip: bool) -> CloudLayer:
    """A layer after some quarter turns, and mirrored if asked; only whole sides fit the same ground again."""

    def turn(plane: NDArray[Any]) -> NDArray[Any]:
        moved = np.rot90(plane, turns, axes=(-2, -1))
        return np.ascontiguousarray(moved[..., ::-1] if flip else moved)

    return CloudLayer(layer.name, turn(layer.transmission), turn(layer.light), turn(layer.mask))
