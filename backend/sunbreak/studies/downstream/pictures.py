"""Shared parts of figures with images: true colour, masks, and saliency maps over a grey image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.layers.palette import REFLECTANCE_STRETCH, TRUE_COLOUR
from sunbreak.scene import S2_BANDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DN = np.float32(10000)
_PICK = [S2_BANDS.index(band) for band in TRUE_COLOUR]
# a perceptually uniform colour map, safe for colour blindness
EVIDENCE_COLOURS = "inferno"
SIGMA_COLOURS = "cividis"
# gamma correction, because forests and water are dark compared with clouds
_GAMMA = 0.7

Picture = NDArray[np.float32]


def true_colour(dn: NDArray[Any]) -> Picture:
    """(13, row, column) DN as (row, column, 3) in 0..1, with the stretch of the QGIS styles and a gamma correction."""
    low, high = REFLECTANCE_STRETCH
    shown = (dn[_PICK].astype(np.float32) / _DN - low) / (high - low)
    picture: Picture = np.moveaxis(np.clip(shown, 0, 1) ** np.float32(_GAMMA), 0, -1)
    return picture


def with_evidence(picture: Picture, evidence: NDArray[np.float32]) -> Picture:
    """A saliency map (row, column) in 0..1 over the grey version of an image; high values are less transparent."""
    from matplotlib import colormaps

    grey = picture.mean(axis=2, keepdims=True) * 0.75 + 0.1
    opacity = np.clip(0.15 + 0.75 * evidence[..., None], 0, 0.85)
    colour = colormaps[EVIDENCE_COLOURS](np.clip(evidence, 0, 1))[..., :3]
    mixed: Picture = (grey * (1 - opacity) + colour * opacity).astype(np.float32)
    return mixed


def show(axes: Axes, picture: NDArray[Any], title: str = "", **style: Any) -> Any:
    """Draw an image without axes, with a small title. Returns the image for a colour bar."""
    image = axes.imshow(picture, interpolation="nearest", **style)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color("#888888")
    if title:
        axes.set_title(title, fontsize=9, loc="left")
    return image
