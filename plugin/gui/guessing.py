"""Guesses which layers of a project are the Sentinel-2 and the Sentinel-1 scene, from bands and names."""

from __future__ import annotations

import re
from pathlib import Path

from qgis.core import QgsProject, QgsRasterLayer

from ..fetched import fetched_file
from ..layers import ROLE

_OPTICAL = re.compile(r"(^|[^a-z0-9])s2|sentinel.?2|l1c|l2a|msi", re.IGNORECASE)
_RADAR = re.compile(r"(^|[^a-z0-9])s1([^0-9]|$)|sentinel.?1|grd|vv|vh|sigma0|gamma0|radar|sar([^a-z]|$)", re.IGNORECASE)
_VV = re.compile(r"(?<![a-z0-9])vv(?![a-z0-9])", re.IGNORECASE)
_MADE = "sunbreak"
_LEAST_BANDS = 10


def guess_scene(project: QgsProject) -> QgsRasterLayer | None:
    """The most likely Sentinel-2 layer; None if no layer has enough bands."""
    return _best(project, lambda layer: layer.bandCount() >= _LEAST_BANDS, _OPTICAL)


def guess_radar(project: QgsProject) -> QgsRasterLayer | None:
    """The most likely Sentinel-1 layer: with both polarisations, or VV beside a layer of VH; None if there is none."""
    both = _best(project, lambda layer: layer.bandCount() == 2, _RADAR, needed=True)
    return both or _best(project, lambda layer: guess_vh(project, layer) is not None, _RADAR, needed=True)


def guess_vh(project: QgsProject, radar: QgsRasterLayer | None) -> QgsRasterLayer | None:
    """The layer that holds VH for a layer of VV alone: of the same name but for the polarisation."""
    if radar is None or radar.bandCount() != 1:
        return None
    wanted = {_VV.sub("vh", text).lower() for text in (radar.name(), _file_of(radar)) if _VV.search(text)}
    others = (layer for layer in project.mapLayers().values() if isinstance(layer, QgsRasterLayer) and layer.isValid())
    for layer in others:
        if layer.bandCount() == 1 and wanted & {layer.name().lower(), _file_of(layer).lower()}:
            return layer
    return None


def _best(project: QgsProject, fits, words: re.Pattern[str], *, needed: bool = False) -> QgsRasterLayer | None:
    found = []
    for layer in project.mapLayers().values():
        if not isinstance(layer, QgsRasterLayer) or not layer.isValid() or not fits(layer):
            continue
        named = _is_named(layer, words)
        if needed and not named:
            continue
        found.append(((not is_output(layer), named, layer.name()), layer))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def is_radar(layer: QgsRasterLayer) -> bool:
    """Whether a layer is radar: it has a polarisation among its bands, or two bands at most and a name of radar."""
    names = {layer.bandName(number).rpartition(":")[2].strip().upper() for number in range(1, layer.bandCount() + 1)}
    return bool(names & {"VV", "VH"}) or (layer.bandCount() <= 2 and _is_named(layer, _RADAR))


def is_output(layer: QgsRasterLayer) -> bool:
    """Whether a layer is an output of a run, also of an earlier session, so that it is no input scene.

    What was downloaded names Sunbreak as its software too, and is none.
    """
    if layer.customProperty(ROLE):
        return True
    cells = layer.dataProvider().htmlMetadata().lower().split("<td")
    return any(_MADE in text for text in cells if "software" in text) and fetched_file(Path(layer.source())) is None


def _is_named(layer: QgsRasterLayer, words: re.Pattern[str]) -> bool:
    return bool(words.search(layer.name()) or words.search(_file_of(layer)))


def _file_of(layer: QgsRasterLayer) -> str:
    return layer.source().replace("\\", "/").rpartition("/")[2]
