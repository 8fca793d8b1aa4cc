"""The layers that Sunbreak writes: their roles, encodings, units and classes.

A `LayerSpec` says how numbers become a raster band; what is done with the file is in `sunbreak.layers.output`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SCALE = 1e-4
NODATA = 65535


@dataclass(frozen=True)
class Category:
    """One class of a categorical layer.

    Attributes:
        value: The stored number.
        name: What a person calls it.
        colour: ``#rrggbb``.
    """

    value: int
    name: str
    colour: str

    @property
    def rgb(self) -> tuple[int, int, int]:
        """The colour as three numbers 0..255."""
        return int(self.colour[1:3], 16), int(self.colour[3:5], 16), int(self.colour[5:7], 16)


@dataclass(frozen=True)
class LayerSpec:
    """How one layer is stored. Physical value = stored value * scale + offset.

    Attributes:
        role: Name of the layer in file names and in the protocol, such as ``cleaned``.
        title: Name for people.
        bands: Description of each band, in order.
        dtype: numpy name of the stored type.
        nodata: Stored value that means "nothing known here", or None.
        unit: Unit of the physical value, empty for classes and shares.
        scale: Physical units per stored step.
        offset: Physical value of the stored zero.
        categories: The classes of a categorical layer; empty for continuous ones.
    """

    role: str
    title: str
    bands: tuple[str, ...]
    dtype: str
    nodata: float | None
    unit: str
    scale: float = 1.0
    offset: float = 0.0
    categories: tuple[Category, ...] = ()


def cleaned(bands: Sequence[str], dtype: str, nodata: float | None, scale: float, offset: float) -> LayerSpec:
    """The scene without clouds, stored exactly as its input was: same type, nodata, scale and offset."""
    return LayerSpec("cleaned", "Cleaned scene", tuple(bands), dtype, nodata, "reflectance", scale, offset)


def uncertainty(bands: Sequence[str]) -> LayerSpec:
    """Standard deviation of each band of the cleaned scene, in reflectance; 0 where the pixel is the observed one."""
    return LayerSpec("uncertainty", "Uncertainty (sigma)", tuple(bands), "uint16", NODATA, "reflectance", SCALE)


def reconstructed() -> LayerSpec:
    """How much of a pixel was synthesised: 0 is the observation, 1 the network's prediction."""
    return LayerSpec("reconstructed", "Reconstructed share", ("reconstructed",), "uint16", NODATA, "", SCALE)


def cloud_probability() -> LayerSpec:
    """Probability of cloud, 0..1."""
    return LayerSpec("cloud_probability", "Cloud probability", ("cloud_probability",), "uint16", NODATA, "", SCALE)


def cloud_mask() -> LayerSpec:
    """Cloud or clear, after thresholding and smoothing."""
    classes = (Category(0, "clear", "#1b263b"), Category(1, "cloud", "#f72585"))
    return LayerSpec("cloud_mask", "Cloud mask", ("cloud_mask",), "uint8", 255, "", categories=classes)
