"""Metadata, a second style and map themes of a loaded layer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsLayerMetadata,
    QgsMapThemeCollection,
    QgsMultiBandColorRenderer,
    QgsProject,
    QgsRasterLayer,
)

from .classes import saliency_caption
from .compat import tr
from .outputs import ITEM, sidecar
from .plain import shown
from .stretch import Range, bands_by_name, natural_colours

_FALSE_COLOUR = ("B08", "B04", "B03")
_PREFIX = "sunbreak:"


def describe(layer: QgsRasterLayer) -> None:
    """Fill the layer's metadata from the STAC item beside its file: title, model, inputs, options, software.

    The licences are those of the models' weights, which is what a run adds to the scene's own, and that of downloaded
    data; the rights are the attribution that such data ask for.
    """
    path = sidecar(Path(layer.source()), ITEM)
    try:
        properties: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["properties"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return
    if not isinstance(properties, dict):
        return
    metadata = QgsLayerMetadata()
    metadata.setIdentifier(shown(path.name.removesuffix(ITEM)))
    metadata.setType("dataset")
    metadata.setTitle(shown(str(properties.get("title") or layer.name())))
    told = {name.removeprefix(_PREFIX): value for name, value in properties.items() if name.startswith(_PREFIX)}
    lines = [f"{name.replace('_', ' ')}: {value}" for name, value in told.items()]
    caption = _caption(told)
    if caption:
        layer.setAbstract(shown(caption))  # the layer tree shows it as a tooltip
        lines.insert(0, caption)
    metadata.setAbstract(shown("\n".join(lines)))
    software = properties.get("processing:software", {})
    software = software if isinstance(software, dict) else {}
    created = properties.get("created", "")
    metadata.setHistory([shown(f"{name} {version}, {created}") for name, version in software.items()])
    metadata.setKeywords(
        {"sunbreak": [shown(str(told[name])) for name in ("task", "model", "classifier_model") if name in told]}
    )
    given = {"catalogue": properties.get("license"), **told}
    licences = [shown(str(given[name])) for name in ("catalogue", "licence", "classifier_licence") if given.get(name)]
    metadata.setLicenses(list(dict.fromkeys(licences)))
    attribution = told.get("attribution") or properties.get("attribution")
    metadata.setRights([shown(str(attribution))] if attribution else [])
    metadata.setCrs(layer.crs())
    layer.setMetadata(metadata)


def _caption(told: dict[str, Any]) -> str:
    """What a saliency layer shows; empty for all others."""
    if not str(told.get("role", "")).startswith("saliency_"):
        return ""
    try:
        parameters = json.loads(str(told.get("parameters", "")))
    except ValueError:
        return ""
    return saliency_caption(parameters) if isinstance(parameters, dict) else ""


def offer_false_colour(layer: QgsRasterLayer, known: dict[str, Range]) -> bool:
    """Add a second style with near infrared, red and green; False if the scene lacks one of these bands.

    Args:
        layer: A cleaned scene.
        known: Stretch of its bands, as in `natural_colours`.
    """
    bands = bands_by_name(layer)
    renderer = layer.renderer()
    if not set(_FALSE_COLOUR) <= set(bands) or not isinstance(renderer, QgsMultiBandColorRenderer):
        return False
    styles = layer.styleManager()
    usual, false_colour = tr("True colour"), tr("False colour (near infrared, red, green)")
    if false_colour in styles.styles():
        return True
    styles.renameStyle(styles.currentStyle(), usual)
    styles.addStyleFromLayer(false_colour)
    styles.setCurrentStyle(false_colour)
    shown = layer.renderer()
    red, green, blue = (bands[name] for name in _FALSE_COLOUR)
    shown.setRedBand(red)
    shown.setGreenBand(green)
    shown.setBlueBand(blue)
    natural_colours(layer, known)
    styles.setCurrentStyle(usual)
    return True


def add_themes(project: QgsProject, before: QgsRasterLayer, after: QgsRasterLayer, scene: str) -> None:
    """Add two map themes: the original scene, stretched like the cleaned one, and the cleaned scene.

    The scene's own style is kept; the stretch is an additional style.

    Args:
        project: Holds both layers.
        before: The scene.
        after: The cleaned one.
        scene: Its name, for the themes.
    """
    themes = project.mapThemeCollection()
    records = [(tr("{scene}: after"), after, after.styleManager().currentStyle())]
    if before.bandCount() == after.bandCount() and after.renderer() is not None:
        styles, same = before.styleManager(), tr("True colour, stretched like the cleaned scene")
        own = styles.currentStyle()
        if same not in styles.styles():
            styles.addStyleFromLayer(same)
        styles.setCurrentStyle(same)
        before.setRenderer(_same_stretch(after, before))
        styles.setCurrentStyle(own)
        records.insert(0, (tr("{scene}: before"), before, same))
    for name, layer, style in records:
        theme = QgsMapThemeCollection.MapThemeRecord()
        shown = QgsMapThemeCollection.MapThemeLayerRecord(layer)
        shown.isVisible = True
        shown.usingCurrentStyle = True
        shown.currentStyle = style
        theme.addLayerRecord(shown)
        title = name.format(scene=scene)
        if themes.hasMapTheme(title):
            themes.update(title, theme)
        else:
            themes.insert(title, theme)


def _same_stretch(shown: QgsRasterLayer, other: QgsRasterLayer) -> QgsMultiBandColorRenderer:
    """The renderer of one layer, adapted to another layer with other scale and offset."""
    renderer = shown.renderer().clone()
    for band, enhancement in (
        (renderer.redBand(), renderer.redContrastEnhancement()),
        (renderer.greenBand(), renderer.greenContrastEnhancement()),
        (renderer.blueBand(), renderer.blueContrastEnhancement()),
    ):
        if enhancement is None:
            continue
        ours, theirs = shown.dataProvider(), other.dataProvider()
        factor = theirs.bandScale(band) / ours.bandScale(band)
        for get, put in (
            (enhancement.minimumValue, enhancement.setMinimumValue),
            (enhancement.maximumValue, enhancement.setMaximumValue),
        ):
            put((get() - ours.bandOffset(band)) * factor + theirs.bandOffset(band))
    return renderer
