"""Legends in QGIS's language: the backend writes their entries into the style of a layer in English."""

from __future__ import annotations

import re

from qgis.core import QgsPalettedRasterRenderer, QgsRasterLayer
from qgis.PyQt.QtCore import QLocale

from .classes import class_label
from .compat import tr

_TRUST = re.compile(r"(.+) \(share (<=|>) ([\d.e-]+), confidence (>=|<) ([\d.e-]+)\)")


def translate_legend(layer: QgsRasterLayer, role: str) -> None:
    """Translate the entries of a layer with classes; entries that are not known, such as names of dates, stay.

    Args:
        layer: With its style.
        role: Of the layer.
    """
    renderer = layer.renderer()
    if not isinstance(renderer, QgsPalettedRasterRenderer):
        return
    for entry in renderer.classes():
        renderer.setLabel(entry.value, class_label(entry.label) if role == "landcover" else _translated(entry.label))


def _translated(label: str) -> str:
    found = _TRUST.fullmatch(label)
    if found is None:
        return _entries().get(label, label)
    kind, share, most, confidence, least = found.groups()
    point = QLocale().decimalPoint()
    most, least = most.replace(".", point), least.replace(".", point)
    return tr("{kind} (share {share}, confidence {confidence})").format(
        kind=_entries().get(kind, kind), share=f"{share} {most}", confidence=f"{confidence} {least}"
    )


def _entries() -> dict[str, str]:
    return {
        # trust
        "seen, confident": tr("seen, confident"),
        "seen, unsure": tr("seen, unsure"),
        "reconstructed, confident": tr("reconstructed, confident"),
        "reconstructed, unsure": tr("reconstructed, unsure"),
        # changed by cleaning
        "unchanged": tr("unchanged"),
        "changed by cleaning": tr("changed by cleaning"),
        # cloud mask
        "clear": tr("clear"),
        "thick cloud": tr("thick cloud"),
        "thin cloud": tr("thin cloud"),
        "shadow": tr("shadow"),
        # source
        "observed": tr("observed"),
        "network": tr("network"),
        "clear pixels around": tr("clear pixels around"),
        # ground changed
        "no change": tr("no change"),
        "changed, as observed": tr("changed, as observed"),
        "changed, according to radar": tr("changed, according to radar"),
        "not known": tr("not known"),
    }
