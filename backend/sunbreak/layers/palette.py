"""Colours and stretches that the QGIS styles and the quicklook have in common, so that both show a layer alike."""

from __future__ import annotations

from dataclasses import dataclass

from sunbreak.layers.roles import LayerSpec

TRUE_COLOUR = ("B04", "B03", "B02")
REFLECTANCE_STRETCH = (0.0, 0.3)


@dataclass(frozen=True)
class Ramp:
    """A continuous colour ramp.

    Attributes:
        low: Physical value of the first colour.
        high: Physical value of the last colour.
        colours: ``#rrggbb``, evenly spaced from low to high.
        fade: Opacity 0..255 at `low`, from where it rises linearly to 255 at `high`; 255 is opaque everywhere.
        hide_low: Whether the value `low` itself is left out of the picture.
    """

    low: float
    high: float
    colours: tuple[str, ...]
    fade: int = 255
    hide_low: bool = False

    def stops(self) -> list[tuple[float, str, int]]:
        """(value, ``#rrggbb``, opacity 0..255) from low to high."""
        last = len(self.colours) - 1
        return [
            (
                self.low + (self.high - self.low) * index / last,
                colour,
                round(self.fade + (255 - self.fade) * index / last),
            )
            for index, colour in enumerate(self.colours)
        ]


# The perceptually uniform "inferno" of matplotlib (CC0) at six points: bright is uncertain.
_SIGMA = Ramp(0.0, 0.1, ("#000004", "#420a68", "#932667", "#dd513a", "#fca50a", "#fcffa4"), hide_low=True)
_RAMPS = {
    "uncertainty": _SIGMA,
    "error": _SIGMA,  # the same colours and numbers, so that what was expected and what happened can be compared
    "spectral_angle": Ramp(0.0, 15.0, ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"), hide_low=True),
    "reconstructed": Ramp(0.0, 1.0, ("#ff7b00", "#ff7b00"), fade=0),
    "cloud_probability": Ramp(0.0, 1.0, ("#08306b", "#2171b5", "#6baed6", "#c6dbef", "#ffffff")),
}
# saliency: nothing where low, then the warm end of matplotlib's "magma" (CC0)
_SALIENCY = Ramp(0.0, 1.0, ("#51127c", "#b73779", "#fc8961", "#fcfdbf"), fade=0)
_OTHER = Ramp(0.0, 1.0, ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"))


def ramp(spec: LayerSpec) -> Ramp:
    """The colour ramp of a continuous single-band view of a layer."""
    return _SALIENCY if spec.role.startswith("saliency_") else _RAMPS.get(spec.role, _OTHER)


def shown_band(spec: LayerSpec) -> int:
    """The band (from 1) that a single-band view shows: red where there is one, the first otherwise."""
    return spec.bands.index("B04") + 1 if "B04" in spec.bands else 1


def true_colour_bands(spec: LayerSpec) -> tuple[int, int, int] | None:
    """The bands (from 1) of red, green and blue, or None if one is missing."""
    if not set(TRUE_COLOUR) <= set(spec.bands):
        return None
    red, green, blue = (spec.bands.index(name) + 1 for name in TRUE_COLOUR)
    return red, green, blue
