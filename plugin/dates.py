"""When a raster layer was acquired, as far as QGIS knows: from its time settings, its metadata or its name."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from pathlib import Path

from qgis.core import QgsRasterLayer

from .outputs import ITEM, sidecar

_DATE = re.compile(
    r"(?<!\d)(?P<year>20\d\d)(?P<mark>[-_]?)(?P<month>\d\d)(?P=mark)(?P<day>\d\d)"
    r"(?:[T_ ](?P<hour>\d\d):?(?P<minute>\d\d):?(?P<second>\d\d))?(?!\d)"
)
# metadata items of a file that hold its date, as the backend knows them
_MAX_ITEM = 8 * 2**20  # bytes
_ITEM = re.compile(
    r"<li>(?:acquisition_date|acquisition_datetime|datetime|product_start_time|sensing_time|date|start_datetime)=([^<]+)",
    re.IGNORECASE,
)


def date_in(text: str) -> datetime | None:
    """The first date in a text, with its time if there is one (UTC), such as ``20200101T101319`` or ``2018-03-07``."""
    for match in _DATE.finditer(text):
        parts = (match[name] for name in ("year", "month", "day", "hour", "minute", "second"))
        try:
            return datetime(*(int(part or 0) for part in parts), tzinfo=timezone.utc)  # type: ignore[misc]
        except ValueError:
            continue
    return None


def date_of_item(raster: Path) -> datetime | None:
    """The date in the STAC item beside a raster; None if there is no item, or no date in it."""
    path = sidecar(raster, ITEM)
    try:
        # a pipe would block QGIS, and anybody may have written the file
        if not path.is_file() or path.stat().st_size > _MAX_ITEM:
            return None
        properties = json.loads(path.read_text(encoding="utf-8"))["properties"]
        return date_in(str(properties.get("datetime") or ""))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def date_of(layer: QgsRasterLayer, path: Path) -> datetime | None:
    """When a layer was acquired (UTC); None if that is not known.

    Args:
        layer: Its fixed time range and the metadata of its file are read.
        path: The file or product behind it; its STAC item and its name are read, then the name of its folder.
    """
    times = layer.temporalProperties()
    if times is not None and times.isActive():
        begin = times.fixedTemporalRange().begin()
        if begin.isValid():
            return begin.toUTC().toPyDateTime().replace(tzinfo=timezone.utc)
    item = _ITEM.search(layer.dataProvider().htmlMetadata())
    return (
        date_of_item(path)
        or (date_in(item[1]) if item else None)
        or date_in(path.name)
        or date_in(path.parent.name)
        or date_in(layer.name())
    )


def days_between(one: datetime | None, other: datetime | None) -> int | None:
    """Days from one date to the other, negative if the other is earlier; None if one is not known."""
    return None if one is None or other is None else (other.date() - one.date()).days


def same_acquisition(one: datetime | None, other: datetime | None) -> bool:
    """Whether two dates are of one overpass: of the same day, since a place is passed over once a day at most."""
    return days_between(one, other) == 0
