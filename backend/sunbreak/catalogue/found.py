"""What a search gives: the scenes and the radar of a place, what is proposed, and why; as JSON and as GeoJSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from shapely import unary_union
from shapely.geometry import mapping

from sunbreak import __version__
from sunbreak.catalogue.overpasses import Overpass
from sunbreak.catalogue.pairing import Candidate
from sunbreak.catalogue.place import Place
from sunbreak.catalogue.profiles import Profile

VERSION = 1
"""Of the JSON form. Fields may be added; a field that goes away or changes its meaning raises it."""


@dataclass(frozen=True)
class Use:
    """What an overpass is proposed for.

    Attributes:
        role: ``scene``, ``reference``, ``radar`` or ``reference-radar``.
        why: Why it was chosen.
        partner: The date that radar belongs to, by id.
    """

    role: str
    why: str
    partner: str = ""


@dataclass(frozen=True)
class Found:
    """The answer to a search.

    Attributes:
        profile: The catalogue.
        place: Where.
        wanted: The date.
        days: Days searched on either side of it.
        scenes: Sentinel-2, in order of time.
        radar: Sentinel-1, in order of time.
        uses: What is proposed, by id.
        thumbnails: Pictures of scenes, by id.
        notes: Sentences for the user.
        warnings: What may be wrong.
    """

    profile: Profile
    place: Place
    wanted: date
    days: int
    scenes: tuple[Candidate, ...]
    radar: tuple[Overpass, ...]
    uses: Mapping[str, Use]
    thumbnails: Mapping[str, Path]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def chosen(self, role: str) -> list[Overpass]:
        """The overpasses that are proposed for a role, in the order of their choice."""
        by_id = {one.id: one for one in (*(scene.overpass for scene in self.scenes), *self.radar)}
        return [by_id[name] for name, use in self.uses.items() if use.role == role and name in by_id]

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain values. No address of a file is in it."""
        return {
            "version": VERSION,
            "sunbreak": __version__,
            "profile": self.profile.name,
            "title": self.profile.title,
            "date": self.wanted.isoformat(),
            "days": self.days,
            "bbox": list(self.place.bounds),
            "place": self.place.to_geojson(),
            "scenes": [self._scene(one) for one in self.scenes],
            "radar": [self._radar(one) for one in self.radar],
            "licence": self._licences(),
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }

    def to_geojson(self) -> dict[str, Any]:
        """The footprints as GeoJSON, with the same fields as properties."""
        overpasses = {one.id: one for one in (*(scene.overpass for scene in self.scenes), *self.radar)}
        content = self.to_dict()
        features = [
            {
                "type": "Feature",
                "id": one["id"],
                "geometry": dict(mapping(unary_union([item.footprint for item in overpasses[one["id"]].items]))),
                "properties": {"kind": kind, **{name: _flat(value) for name, value in one.items()}},
            }
            for kind in ("scenes", "radar")
            for one in content[kind]
        ]
        return {"type": "FeatureCollection", "features": features}

    def _scene(self, one: Candidate) -> dict[str, Any]:
        overpass, use = one.overpass, self.uses.get(one.overpass.id, Use("", ""))
        picture = self.thumbnails.get(overpass.id)
        return {
            **self._common(overpass),
            "level": overpass.level,
            "tiles": sorted({item.tile for item in overpass.items if item.tile}),
            "tile_cloud": overpass.first.tile_cloud,
            "area_cloud": None if one.cover is None else round(one.cover.cloud_share, 4),
            "area_shadow": None if one.cover is None else round(one.cover.shadow_share, 4),
            "covers": round(one.covers, 4),
            "thumbnail": None if picture is None else str(picture),
            "use": use.role,
            "why": use.why,
        }

    def _radar(self, one: Overpass) -> dict[str, Any]:
        use = self.uses.get(one.id, Use("", ""))
        return {
            **self._common(one),
            "orbit": one.first.orbit,
            "relative_orbit": one.first.relative_orbit,
            "covers": round(one.covers, 4),
            "polarisations": sorted(one.first.assets, reverse=True),
            "quantity": one.first.collection.quantity,
            "use": use.role,
            "for": use.partner,
            "why": use.why,
        }

    def _common(self, one: Overpass) -> dict[str, Any]:
        return {
            "id": one.id,
            "items": [item.id for item in one.items],
            "profile": one.first.profile.name,
            "collection": one.first.collection.name,
            "datetime": one.acquired.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "platform": one.first.platform,
            "days": (one.acquired.date() - self.wanted).days,
        }

    def _licences(self) -> list[dict[str, str]]:
        used = (*(one.overpass.first for one in self.scenes), *(one.first for one in self.radar))
        collections = {item.collection.name: (item.collection, item.profile) for item in used}
        return [
            {
                "collection": name,
                "licence": collection.licence,
                "licence_url": collection.licence_url,
                "attribution": collection.attributed(self.wanted.year),
                "terms": profile.terms,
            }
            for name, (collection, profile) in collections.items()
        ]


def _flat(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
