"""QGIS styles (.qml) for the layers, readable from QGIS 3.22 on.

QGIS applies a band's scale and offset before it draws, so that every number in a style is physical: reflectance,
fraction, probability. The file is written without QGIS; element and attribute names are those that QGIS 3.22 saves.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as Xml  # nosec B405: writes only, parses nothing

from sunbreak.layers.palette import REFLECTANCE_STRETCH, Ramp, ramp, shown_band, true_colour_bands
from sunbreak.layers.roles import LayerSpec

_BACKGROUND_CLASSES = {"clear", "unchanged", "observed", "no change"}


def write_style(path: Path, spec: LayerSpec) -> None:
    """Write the style of a layer to `path`.

    The cleaned scene is shown in true colour, stretched from reflectance 0 to 0.3 whatever the scene holds, so that two
    scenes can be compared; uncertainty as the sigma of B04 from 0 (left out: observed) to 0.1; classes with their
    names, the background class fully transparent.
    """
    root = Xml.Element("qgis", version="3.22.0", styleCategories="Symbology|Rendering", hasScaleBasedVisibilityFlag="0")
    pipe = Xml.SubElement(root, "pipe")
    provider = Xml.SubElement(pipe, "provider")
    Xml.SubElement(
        provider,
        "resampling",
        enabled="false",
        maxOversampling="2",
        zoomedInResamplingMethod="nearestNeighbour",
        zoomedOutResamplingMethod="nearestNeighbour",
    )
    rgb = true_colour_bands(spec) if spec.role == "cleaned" else None
    if spec.categories:
        _paletted(pipe, spec)
    elif rgb is not None:
        _multiband(pipe, rgb)
    elif spec.role == "cleaned":
        _grey(pipe, shown_band(spec))
    else:
        _pseudocolour(pipe, shown_band(spec), ramp(spec), spec)
    Xml.SubElement(pipe, "brightnesscontrast", brightness="0", contrast="0", gamma="1")
    Xml.SubElement(pipe, "huesaturation", saturation="0", grayscaleMode="0", colorizeOn="0")
    Xml.SubElement(pipe, "rasterresampler", maxOversampling="2")
    Xml.SubElement(pipe, "resamplingStage").text = "resamplingFilter"
    Xml.SubElement(root, "blendMode").text = "0"
    Xml.indent(root)
    text = Xml.tostring(root, encoding="unicode")
    path.write_text(f"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n{text}\n", encoding="utf-8")


def _renderer(pipe: Xml.Element, kind: str, **attributes: str) -> Xml.Element:
    common = {"type": kind, "opacity": "1", "alphaBand": "-1", "nodataColor": ""}
    node = Xml.SubElement(pipe, "rasterrenderer", common | attributes)
    origin = Xml.SubElement(node, "minMaxOrigin")
    # "None" keeps QGIS from replacing the fixed stretch by one of the data.
    for name, value in (("limits", "None"), ("extent", "WholeRaster"), ("statAccuracy", "Estimated")):
        Xml.SubElement(origin, name).text = value
    return node


def _stretch(renderer: Xml.Element, name: str) -> None:
    node = Xml.SubElement(renderer, name)
    low, high = REFLECTANCE_STRETCH
    for key, value in (("minValue", f"{low:g}"), ("maxValue", f"{high:g}"), ("algorithm", "StretchToMinimumMaximum")):
        Xml.SubElement(node, key).text = value


def _multiband(pipe: Xml.Element, rgb: tuple[int, int, int]) -> None:
    red, green, blue = (str(band) for band in rgb)
    renderer = _renderer(pipe, "multibandcolor", redBand=red, greenBand=green, blueBand=blue)
    for channel in ("red", "green", "blue"):
        _stretch(renderer, f"{channel}ContrastEnhancement")


def _grey(pipe: Xml.Element, band: int) -> None:
    renderer = _renderer(pipe, "singlebandgray", grayBand=str(band), gradient="BlackToWhite")
    _stretch(renderer, "contrastEnhancement")


def _pseudocolour(pipe: Xml.Element, band: int, colours: Ramp, spec: LayerSpec) -> None:
    low, high = f"{colours.low:g}", f"{colours.high:g}"
    renderer = _renderer(pipe, "singlebandpseudocolor", band=str(band), classificationMin=low, classificationMax=high)
    shader = Xml.SubElement(
        Xml.SubElement(renderer, "rastershader"),
        "colorrampshader",
        colorRampType="INTERPOLATED",
        classificationMode="1",
        clip="0",
        minimumValue=low,
        maximumValue=high,
        labelPrecision="4",
    )
    stops = colours.stops()
    if colours.hide_low:
        # One stored step above the lowest value the ramp is opaque already: only `low` itself disappears.
        value, colour, alpha = stops[0]
        stops = [(value, colour, 0), (value + spec.scale, colour, alpha), *stops[1:]]
    for value, colour, alpha in stops:
        Xml.SubElement(shader, "item", value=f"{value:g}", label=f"{value:g}", color=colour, alpha=str(alpha))
    settings = Xml.SubElement(
        shader,
        "rampLegendSettings",
        useContinuousLegend="1",
        orientation="2",
        direction="0",
        prefix="",
        suffix="",
        minimumLabel="",
        maximumLabel="",
    )
    number = Xml.SubElement(settings, "numericFormat", id="basic")
    Xml.SubElement(Xml.SubElement(number, "Option", type="Map"), "Option", name="decimals", type="int", value="3")


def _paletted(pipe: Xml.Element, spec: LayerSpec) -> None:
    palette = Xml.SubElement(_renderer(pipe, "paletted", band="1"), "colorPalette")
    for category in spec.categories:
        alpha = "0" if category.name in _BACKGROUND_CLASSES else "255"
        Xml.SubElement(
            palette, "paletteEntry", value=str(category.value), color=category.colour, label=category.name, alpha=alpha
        )
