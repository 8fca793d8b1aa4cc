"""Guesses which layers of a project are the Sentinel-2 and the Sentinel-1 scene, from bands and names."""

from __future__ import annotations

import re

from qgis.core import QgsProject, QgsRasterLayer

from ..layers import ROLE

_OPTICAL = re.compile(r"(^|[^a-z0-9])s2|sentinel.?2|l1c|l2a|msi", re.IGNORECASE)
_RADAR = re.compile(r"(^|[^a-z0-9])s1([^0-9]|$)|sentinel.?1|grd|vv|vh|sigma0|gamma0|radar|sar([^a-z]|$)", re.IGNORECASE)
_MADE = "sunbreak"
_LEAST_BANDS = 10


def guess_scene(project: QgsProject) -> QgsRasterLayer | None:
    """The most likely Sentinel-2 layer; None if no layer has enough bands."""
    return _best(project, lambda layer: layer.bandCount() >= _LEAST_BANDS, _OPTICAL)


def guess_radar(project: QgsProject) -> QgsRasterLayer | None:
    """The most likely Sentinel-1 layer with two polarisations; None if there is none."""
    return _best(project, lambda layer: layer.bandCount() == 2, _RADAR, needed=True)


def _best(project: QgsProject, fits, words: re.Pattern[str], *, needed: bool = False) -> QgsRasterLayer | None:
    found = []
    for layer in project.mapLayers().values():
        if not isinstance(layer, QgsRasterLayer) or not layer.isValid() or not fits(layer):
            continue
        named = bool(words.search(layer.name()) or words.search(layer.source().replace("\\", "/").rpartition("/")[2]))
        if needed and not named:
            continue
        # an output of a run, also of an earlier session, is not an input scene
        made = bool(layer.customProperty(ROLE)) or any(
            _MADE in text for text in layer.dataProvider().htmlMetadata().lower().split("<td") if "software" in text
        )
        found.append(((not made, named, layer.name()), layer))
    return max(found, key=lambda pair: pair[0])[1] if found else None
