"""Real clouds over other ground: extracts the cloud layer of a pair and lays it over another clear image.

In each band, a cloudy pixel is c = T t + L. The layer transmits the fraction T of the reflectance of the ground t and
adds the reflectance L. Over other ground g, the same layer gives T g + L = c + T (g - t), so only T must be estimated.
Outside the mask, T is 1. In shadows, where the cloudy image is darker than the clear one, T is c / t. In clouds, T is
the distance of c from the brightest cloud, relative to the distance of the ground from it. Changes of the ground
between the two dates become part of L; the smoothing of T keeps this part small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SMOOTH = 2.0  # standard deviation in pixels; clouds are smooth, finer differences are due to the ground
_EDGE = 6  # pixels of the transition at the edge of the mask
_BRIGHTEST = 98.0  # percentile of the masked pixels that is taken as the reflectance of an opaque cloud
_DARK = 0.01  # smallest reflectance in a denominator

Image = NDArray[np.float32]


@dataclass(frozen=True)
class CloudLayer:
    """A real cloud layer and its shadow.

    Attributes:
        name: Name of the pair.
        transmission: (band, row, column), transmitted fraction of the reflectance of the ground, 0..1.
        light: (band, row, column), added reflectance.
        mask: (row, column), True for clouds and shadows.
    """

    name: str
    transmission: Image
    light: Image
    mask: NDArray[np.bool_]


def lift(name: str, cloudy: Image, clear: Image, mask: NDArray[np.bool_]) -> CloudLayer:
    """Extract the cloud layer of a pair.

    Args:
        name: Name of the pair.
        cloudy: (band, row, column) reflectance.
        clear: The same place without clouds.
        mask: (row, column), clouds and shadows of the cloudy image.

    Raises:
        ValueError: The mask is empty.
    """
    import cv2

    if not mask.any():
        raise ValueError(f"{name} has no clouds")
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
    """Ground reflectance (band, row, column) under a layer of this shape; unchanged bit for bit outside the mask."""
    covered: Image = np.where(layer.mask, ground * layer.transmission + layer.light, ground)
    return covered


def turned(layer: CloudLayer, turns: int, flip: bool) -> CloudLayer:
    """A layer rotated by quarter turns, and mirrored if `flip`; only square layers keep their shape."""

    def turn(plane: NDArray[Any]) -> NDArray[Any]:
        moved = np.rot90(plane, turns, axes=(-2, -1))
        return np.ascontiguousarray(moved[..., ::-1] if flip else moved)

    return CloudLayer(layer.name, turn(layer.transmission), turn(layer.light), turn(layer.mask))
