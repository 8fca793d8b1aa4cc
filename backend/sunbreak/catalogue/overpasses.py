"""Puts the items of one overpass together: several tiles or slices that one satellite took within minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shapely import unary_union

from sunbreak.catalogue.items import CatalogueItem
from sunbreak.catalogue.place import Place

_TOGETHER = timedelta(minutes=15)  # the next overpass of a satellite is 98 minutes later
_ADDS = 0.002  # fraction of the place that a further item has to add


@dataclass(frozen=True)
class Overpass:
    """The items of one overpass that cover a place, the largest first. Later ones fill what earlier ones leave.

    Attributes:
        items: At least one.
        covers: Fraction (0..1) of the place that has data, by the footprints.
    """

    items: tuple[CatalogueItem, ...]
    covers: float

    @property
    def first(self) -> CatalogueItem:
        """The item that covers most."""
        return self.items[0]

    @property
    def id(self) -> str:
        """The id of the first item."""
        return self.first.id

    @property
    def acquired(self) -> datetime:
        """Time of acquisition (UTC)."""
        return self.first.acquired

    @property
    def level(self) -> str:
        """``L1C`` or ``L2A``; empty for radar."""
        return self.first.collection.level

    def days_from(self, other: datetime) -> int:
        """Whole days from the date of `other` to this one; negative if this one is earlier."""
        return (self.acquired.date() - other.date()).days


def overpasses(items: Sequence[CatalogueItem], place: Place) -> list[Overpass]:
    """The overpasses in order of time.

    Of several versions of a tile the one of the newest processing counts. Where an overpass is in several collections
    of a level, the collection that the profile names first counts.
    """
    groups: dict[tuple[str, str, int | None, str], list[list[CatalogueItem]]] = {}
    for item in sorted(items, key=lambda one: (one.acquired, one.id)):
        key = (item.platform, item.orbit, item.relative_orbit, item.collection.name)
        found = groups.setdefault(key, [])
        if found and item.acquired - found[-1][0].acquired <= _TOGETHER:
            found[-1].append(item)
        else:
            found.append([item])
    made = [_overpass(group, place) for found in groups.values() for group in found]
    return _once([one for one in made if one is not None])


def _overpass(items: Sequence[CatalogueItem], place: Place) -> Overpass | None:
    newest: dict[str, CatalogueItem] = {}
    for item in items:
        name = item.tile or item.id
        held = newest.get(name)
        if held is None or _version(item) > _version(held):
            newest[name] = item
    kept: list[CatalogueItem] = []
    covers = 0.0
    ordered = sorted(newest.values(), key=lambda item: (-round(place.covered_by(item.footprint), 3), item.id))
    for item in ordered:
        if kept and item.offset != kept[0].offset:
            continue  # its numbers mean something else
        together = place.covered_by(unary_union([one.footprint for one in (*kept, item)]))
        if together >= covers + _ADDS:
            kept.append(item)
            covers = together
    return Overpass(tuple(kept), covers) if kept else None


def _version(item: CatalogueItem) -> tuple[float, str, str]:
    return float(item.baseline or 0), item.made, item.id


def _once(found: Sequence[Overpass]) -> list[Overpass]:
    """Each overpass from one collection."""
    kept: list[Overpass] = []
    for one in sorted(found, key=lambda one: (_preference(one), one.acquired)):
        if not any(_same(one, other) for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: (one.acquired, one.level, one.id))


def _same(one: Overpass, other: Overpass) -> bool:
    return (
        one.level == other.level
        and one.first.collection.name != other.first.collection.name
        and one.first.platform == other.first.platform
        and abs(one.acquired - other.acquired) <= _TOGETHER
    )


def _preference(one: Overpass) -> int:
    return one.first.profile.collections.index(one.first.collection)
