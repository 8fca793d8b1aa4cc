"""Proposes which layers of a project show a scene's place on other dates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from qgis.core import Qgis, QgsProject, QgsRasterLayer, QgsReferencedRectangle

from ..dates import date_of, days_between, same_acquisition
from ..sources import SourceError, backend_path
from .extent_choice import ExtentError, to_crs
from .guessing import is_output, is_radar

_BAND = re.compile(r"(?<![A-Za-z0-9])B0?(\d{1,2}A?)(?![A-Za-z0-9])", re.IGNORECASE)
_SHARED_BANDS = 4


@dataclass(frozen=True)
class OtherDate:
    """A raster of the scene's place on another date.

    Attributes:
        key: Id of the layer, or the path of a file that is not in the project.
        name: Name of the layer or the file.
        path: Its file or product.
        acquired: Its date (UTC), None if it is not known.
        days: From the scene's date to it, None if one of the dates is not known.
    """

    key: str
    name: str
    path: Path
    acquired: datetime | None
    days: int | None


def other_dates(project: QgsProject, scene: QgsRasterLayer) -> list[OtherDate]:
    """The layers of a project that show the scene's place on another date, the nearest first.

    They overlap the scene, have its bands or at least four of them, and are other files. Layers that Sunbreak wrote,
    radar, masks and layers of the scene's own overpass are none. Layers of one file count once.
    """
    try:
        own = backend_path(scene)
    except SourceError:
        return []
    acquired = date_of(scene, own)
    found: dict[Path, OtherDate] = {}
    for layer in project.mapLayers().values():
        if not isinstance(layer, QgsRasterLayer) or not layer.isValid() or layer.dataProvider().name() != "gdal":
            continue
        if not has_its_bands(layer, scene) or not _overlaps(layer, scene) or is_radar(layer) or is_output(layer):
            continue
        try:
            path = backend_path(layer)
        except SourceError:
            continue
        date = date_of(layer, path)
        if path.resolve() != own.resolve() and not same_acquisition(acquired, date):
            other = OtherDate(layer.id(), layer.name(), path, date, days_between(acquired, date))
            found.setdefault(path.resolve(), other)
    return sorted(found.values(), key=_nearest_first)


def has_its_bands(layer: QgsRasterLayer, scene: QgsRasterLayer) -> bool:
    """Whether a layer has a scene's bands, or four of them; by their number, if those of one have no names."""
    if layer.dataProvider().dataType(1) == Qgis.DataType.Byte:
        return False  # a picture or a mask
    theirs, ours = _band_names(layer), _band_names(scene)
    if theirs and ours:
        return len(theirs & ours) >= min(_SHARED_BANDS, len(ours))
    return layer.bandCount() == scene.bandCount()


def _band_names(layer: QgsRasterLayer) -> set[str]:
    """Names of the bands such as ``8A`` for B8A, or their descriptions; empty if they have none."""
    texts = (layer.bandName(number).partition(":")[2].strip() for number in range(1, layer.bandCount() + 1))
    names = set()
    for text in texts:
        found = _BAND.search(text)
        names.add(found[1].upper() if found else text.lower())
    return names - {""}


def _overlaps(layer: QgsRasterLayer, scene: QgsRasterLayer) -> bool:
    try:
        extent = to_crs(QgsReferencedRectangle(layer.extent(), layer.crs()), scene.crs())
    except ExtentError:
        return False
    return not extent.intersect(scene.extent()).isEmpty()


def _nearest_first(one: OtherDate) -> tuple[bool, int, str, str]:
    date = one.acquired.isoformat() if one.acquired else ""
    return one.days is None, abs(one.days or 0), date, one.name
