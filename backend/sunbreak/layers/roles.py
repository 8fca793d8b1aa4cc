"""The layers that Sunbreak writes: their roles, encodings, units and classes.

A `LayerSpec` says how numbers are stored in a raster band. `sunbreak.layers.output` writes the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SCALE = 1e-4
NODATA = 65535

# distinct colours for as many other dates as are looked at
_DATES = (
    "#2a9d8f", "#8ab17d", "#e9c46a", "#f4a261", "#e76f51", "#457b9d", "#a8dadc", "#6a4c93", "#c77dff", "#80b918",
    "#0077b6", "#bc6c25", "#606c38", "#d4a373", "#9d4edd", "#48cae4", "#e5989b", "#588157", "#ffd60a", "#7f5539",
    "#90e0ef", "#b5179e", "#adc178", "#5e548e",
)  # fmt: skip


@dataclass(frozen=True)
class Category:
    """One class of a categorical layer.

    Attributes:
        value: The stored number.
        name: Name for people.
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
        unit: Unit of the physical value, empty for classes and fractions.
        scale: Physical units per stored step.
        offset: Physical value of the stored zero.
        categories: The classes of a categorical layer; empty for continuous ones.
        cell: Side of the layer's cells in pixels of the scene.
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
    cell: int = 1


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
    """Clear, thick cloud, thin cloud or shadow, with the margins that were replaced."""
    classes = (
        Category(0, "clear", "#1b263b"),
        Category(1, "thick cloud", "#f72585"),
        Category(2, "thin cloud", "#ffadd2"),
        Category(3, "shadow", "#4361ee"),
    )
    return LayerSpec("cloud_mask", "Cloud mask", ("cloud_mask",), "uint8", 255, "", categories=classes)


def source(dates: Sequence[tuple[int, str]]) -> LayerSpec:
    """From where each pixel of the cleaned scene comes.

    Args:
        dates: Code and name of each other date.
    """
    classes = [Category(0, "observed", "#1b263b"), Category(1, "network", "#f72585")]
    classes.append(Category(2, "clear pixels around", "#ff9e00"))
    classes += [Category(code, name, _DATES[i % len(_DATES)]) for i, (code, name) in enumerate(dates)]
    return LayerSpec("source", "Source", ("source",), "uint8", 255, "", categories=tuple(classes))


def changed() -> LayerSpec:
    """Whether the ground changed since the other dates, as far as it can be known."""
    classes = (
        Category(0, "no change", "#1b263b"),
        Category(1, "changed, as observed", "#d73027"),
        Category(2, "changed, according to radar", "#fdae61"),
        Category(3, "not known", "#8d99ae"),
    )
    return LayerSpec("changed", "Changed ground", ("changed",), "uint8", 255, "", categories=classes)


def landcover(names: Sequence[str], colours: Sequence[str], cell: int, role: str = "landcover") -> LayerSpec:
    """The most probable class of each cell: 1 for the first, 0 where nothing is known."""
    classes = tuple(Category(i, name, colour) for i, (name, colour) in enumerate(zip(names, colours, strict=True), 1))
    return LayerSpec(role, "Land cover", (role,), "uint8", 0, "", categories=classes, cell=cell)


def landcover_confidence(cell: int) -> LayerSpec:
    """Probability of the class that `landcover` names, 0..1."""
    name = "landcover_confidence"
    return LayerSpec(name, "Land cover: confidence", (name,), "uint16", NODATA, "", SCALE, cell=cell)


def landcover_entropy(cell: int) -> LayerSpec:
    """Entropy of the class probabilities over its largest possible value: 0 one class is certain, 1 all alike."""
    name = "landcover_entropy"
    return LayerSpec(name, "Land cover: entropy", (name,), "uint16", NODATA, "", SCALE, cell=cell)


def landcover_probabilities(names: Sequence[str], cell: int) -> LayerSpec:
    """Probability of each class, 0..1."""
    return LayerSpec(
        "landcover_probabilities", "Land cover: probabilities", tuple(names), "uint16", NODATA, "", SCALE, cell=cell
    )


def landcover_evidence(cell: int, reconstructed: bool) -> LayerSpec:
    """Fractions (0..1) of valid and of reconstructed pixels in the patches that predict a cell's class."""
    bands = ("valid", "reconstructed") if reconstructed else ("valid",)
    return LayerSpec("landcover_evidence", "Land cover: evidence", bands, "uint16", NODATA, "", SCALE, cell=cell)


def saliency(name: str, title: str, cell: int) -> LayerSpec:
    """Evidence for a class at each place of the scene, from 0 for none to 1 at the scene's maximum."""
    return LayerSpec(f"saliency_{name}", f"Saliency: {title}", ("saliency",), "uint16", NODATA, "", SCALE, cell=cell)


TRUST = (
    Category(1, "seen, confident", "#1a9850"),
    Category(2, "seen, unsure", "#fdae61"),
    Category(3, "reconstructed, confident", "#4575b4"),
    Category(4, "reconstructed, unsure", "#d73027"),
)


def trust(confident: float, reconstructed: float, cell: int) -> LayerSpec:
    """Whether a cell was observed, and whether the classifier is confident; the names contain the thresholds."""
    how = {
        1: f"share <= {reconstructed:g}, confidence >= {confident:g}",
        2: f"share <= {reconstructed:g}, confidence < {confident:g}",
        3: f"share > {reconstructed:g}, confidence >= {confident:g}",
        4: f"share > {reconstructed:g}, confidence < {confident:g}",
    }
    classes = tuple(Category(kind.value, f"{kind.name} ({how[kind.value]})", kind.colour) for kind in TRUST)
    return LayerSpec("trust", "Trust", ("trust",), "uint8", 0, "", categories=classes, cell=cell)


def landcover_change(cell: int) -> LayerSpec:
    """Whether the class of the cleaned scene differs from that of the cloudy one."""
    name = "landcover_cloudy_vs_cleaned"
    classes = (Category(1, "unchanged", "#1b263b"), Category(2, "changed by cleaning", "#f72585"))
    return LayerSpec(name, "Land cover: cloudy against cleaned", (name,), "uint8", 0, "", categories=classes, cell=cell)


def error() -> LayerSpec:
    """Difference of two scenes: mean absolute difference over their bands, in reflectance."""
    return LayerSpec("error", "Mean absolute error", ("error",), "uint16", NODATA, "reflectance", SCALE)


def spectral_angle() -> LayerSpec:
    """Angle between the spectra of two scenes in degrees: how much the colour differs, whatever the brightness."""
    name = "spectral_angle"
    return LayerSpec(name, "Spectral angle", (name,), "uint16", NODATA, "degree", 0.01)
