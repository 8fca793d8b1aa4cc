"""Shows a scene in natural colours: each band from its dark to its bright land, without the haze of the air."""

from __future__ import annotations

import math

from qgis.core import QgsContrastEnhancement, QgsMultiBandColorRenderer, QgsRasterLayer, QgsSingleBandGrayRenderer

Range = tuple[float, float]
_TRUE_COLOUR = ("B04", "B03", "B02")

# share of the pixels below black and white; white lies beyond it, so that roofs keep their detail
_DARK, _BRIGHT, _ROOM = 0.01, 0.98, 1.4
_SIDE = 128  # pixels are enough, and are read from the overviews
# in reflectance: what is darker than black or brighter than white is cloud or snow, and a smaller range shows noise
_BLACKEST, _WHITEST, _LEAST = 0.15, 0.3, 0.06
_INFRARED, _WHITEST_INFRARED = ("B08", "B8A"), 0.6  # vegetation is twice as bright there as soil is in the red
# 0 stretches each band alone, which turns soil grey; 1 all alike, which leaves the land red under the haze of Level-1C
_BALANCE = 0.4


def natural_colours(layer: QgsRasterLayer, known: dict[str, Range]) -> None:
    """Stretch the three bands that a layer shows; a layer that shows no three bands is left as it is.

    Args:
        layer: A Sentinel-2 scene in reflectance.
        known: Band name to the numbers for black and white. Bands that are missing are measured and added, so that
            layers that share it look alike.
    """
    renderer = layer.renderer()
    if not isinstance(renderer, QgsMultiBandColorRenderer):
        return
    names = {number: name for name, number in bands_by_name(layer).items()}
    shown = renderer.clone()
    channels = {
        shown.setRedContrastEnhancement: shown.redBand(),
        shown.setGreenContrastEnhancement: shown.greenBand(),
        shown.setBlueContrastEnhancement: shown.blueBand(),
    }
    measured = _measure(layer, {names.get(band, str(band)): band for band in channels.values()}, known)
    if measured is None:
        return
    known |= measured
    for put, band in channels.items():
        enhancement = QgsContrastEnhancement(layer.dataProvider().dataType(band))
        enhancement.setContrastEnhancementAlgorithm(
            QgsContrastEnhancement.ContrastEnhancementAlgorithm.StretchToMinimumMaximum
        )
        black, white = known[names.get(band, str(band))]
        enhancement.setMinimumValue(black)
        enhancement.setMaximumValue(white)
        put(enhancement)
    layer.setRenderer(shown)


def true_colour(layer: QgsRasterLayer, known: dict[str, Range]) -> None:
    """Show red, green and blue in natural colours; `known` as in `natural_colours`.

    A layer without these bands, or that QGIS does not show as three bands, is left as it is.
    """
    bands, renderer = bands_by_name(layer), layer.renderer()
    if not set(_TRUE_COLOUR) <= set(bands) or not isinstance(renderer, QgsMultiBandColorRenderer):
        return
    red, green, blue = (bands[name] for name in _TRUE_COLOUR)
    renderer.setRedBand(red)
    renderer.setGreenBand(green)
    renderer.setBlueBand(blue)
    natural_colours(layer, known)


def grey(layer: QgsRasterLayer) -> None:
    """Show the first band of radar in grey; the brightest roofs and ships would leave the land dark."""
    values = _sample(layer, 1)
    if not values:
        return
    last = len(values) - 1
    enhancement = QgsContrastEnhancement(layer.dataProvider().dataType(1))
    enhancement.setContrastEnhancementAlgorithm(
        QgsContrastEnhancement.ContrastEnhancementAlgorithm.StretchToMinimumMaximum
    )
    enhancement.setMinimumValue(values[round(_DARK * last)])
    enhancement.setMaximumValue(values[round(_BRIGHT * last)])
    renderer = QgsSingleBandGrayRenderer(layer.dataProvider(), 1)
    renderer.setContrastEnhancement(enhancement)
    layer.setRenderer(renderer)


def bands_by_name(layer: QgsRasterLayer) -> dict[str, int]:
    """Band name to band number, for files with band names: QGIS shows ``Band 08: B08``."""
    titles = {number: layer.bandName(number).rpartition(":")[2] for number in range(1, layer.bandCount() + 1)}
    return {title.strip().split(" ")[0]: number for number, title in titles.items()}


def _measure(layer: QgsRasterLayer, bands: dict[str, int], known: dict[str, Range]) -> dict[str, Range] | None:
    """The numbers for black and white of the bands that are not known; None if one has no pixel with data."""
    blacks, spans = {}, {}
    for name in bands.keys() - known.keys():
        values = _sample(layer, bands[name])
        if not values:
            return None
        last = len(values) - 1
        blacks[name] = min(values[round(_DARK * last)], _BLACKEST)
        spans[name] = max(values[round(_BRIGHT * last)] - blacks[name], 0.0)
    widest = max((span for name, span in spans.items() if name not in _INFRARED), default=0.0)
    found = {}
    for name, black in blacks.items():
        infrared = name in _INFRARED
        span = spans[name] if infrared else spans[name] ** (1 - _BALANCE) * widest**_BALANCE
        white = min(black + _ROOM * span, _WHITEST_INFRARED if infrared else _WHITEST)
        found[name] = black, max(black + _LEAST, white)
    return found


def _sample(layer: QgsRasterLayer, band: int) -> list[float]:
    """Numbers of a band in ascending order."""
    width, height = min(_SIDE, layer.width()), min(_SIDE, layer.height())
    block = layer.dataProvider().block(band, layer.extent(), width, height)
    places = ((row, column) for row in range(height) for column in range(width))
    return sorted(filter(math.isfinite, (block.value(*place) for place in places if not block.isNoData(*place))))
