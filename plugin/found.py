"""What the backend's `find` found: scenes, radar, and which of them it proposes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

SCENE, REFERENCE, RADAR, REFERENCE_RADAR = "scene", "reference", "radar", "reference-radar"

# radar of that many days before or after is offered for a date
_RADAR_DAYS = 12
_MOST_RADAR = 3
_WHOLE = 0.99


@dataclass(frozen=True)
class FoundScene:
    """One overpass of Sentinel-2.

    Attributes:
        id: Of the catalogue; of the first item where several tiles belong together.
        acquired: Date and time (UTC).
        platform: Such as ``Sentinel-2A``.
        level: ``L1C`` or ``L2A``.
        tiles: Names of the tiles.
        days: From the wished date.
        tile_cloud: Cloud cover of the whole tile, 0..1; None if it is not known.
        area_cloud: Cloud cover of the area, 0..1; None if it is not known.
        area_shadow: Share of the area in cloud shadow, 0..1; None if it is not known.
        covers: Share of the area with data, 0..1; None if it is not known.
        thumbnail: A picture of the area.
        use: ``scene`` or ``reference`` if it is proposed as that, else empty.
        why: The reason.
    """

    id: str
    acquired: datetime
    platform: str
    level: str
    tiles: tuple[str, ...]
    days: int
    tile_cloud: float | None
    area_cloud: float | None
    area_shadow: float | None
    covers: float | None
    thumbnail: Path | None
    use: str
    why: str

    @property
    def cloud(self) -> float | None:
        """Cloud cover of the area or, where that is not known, of the tile."""
        return self.tile_cloud if self.area_cloud is None else self.area_cloud


@dataclass(frozen=True)
class FoundRadar:
    """One overpass of Sentinel-1.

    Attributes:
        id: Of the catalogue.
        acquired: Date and time (UTC).
        platform: Such as ``Sentinel-1A``.
        orbit: ``ascending`` or ``descending``.
        relative_orbit: Its number; None if it is not known.
        covers: Share of the area with data, 0..1; None if it is not known.
        use: ``radar`` or ``reference-radar`` if it is proposed as that, else empty.
        scene: Id of the Sentinel-2 date that it is proposed for.
        why: The reason.
    """

    id: str
    acquired: datetime
    platform: str
    orbit: str
    relative_orbit: int | None
    covers: float | None
    use: str
    scene: str
    why: str


@dataclass(frozen=True)
class Found:
    """The result of a search.

    Attributes:
        catalogue: Displayed name of the catalogue.
        date: The wished date.
        days: Before and after it.
        scenes: By date.
        radar: By date.
        notes: What the backend says about the result.
        warnings: What is unusual about it.
    """

    catalogue: str
    date: datetime
    days: int
    scenes: tuple[FoundScene, ...]
    radar: tuple[FoundRadar, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    def scene(self, key: str) -> FoundScene | None:
        """The scene of an id; None if there is none."""
        return next((one for one in self.scenes if one.id == key), None)

    def radar_near(self, scene: FoundScene) -> list[FoundRadar]:
        """The radar that is offered for a date: what is proposed for it first, then what covers most, then by days."""
        near = [one for one in self.radar if one.scene == scene.id or _days(one, scene) <= _RADAR_DAYS]
        near.sort(key=lambda one: (one.scene != scene.id, (one.covers or 0.0) < _WHOLE, _days(one, scene), one.id))
        return near[:_MOST_RADAR]

    def best_radar(self, scene: FoundScene) -> str:
        """The id of the radar for a date that the user has ticked; empty if none covers the whole area."""
        whole = [one for one in self.radar_near(scene) if one.scene == scene.id or (one.covers or 0.0) >= _WHOLE]
        return whole[0].id if whole else ""


def parse_found(text: str) -> Found:
    """The JSON of the backend.

    Raises:
        ValueError: It is no result of a search.
    """
    try:
        found: dict[str, Any] = json.loads(text)
        scenes = sorted((_scene(one) for one in found["scenes"]), key=lambda one: one.acquired)
        radar = sorted((_radar(one) for one in found["radar"]), key=lambda one: one.acquired)
        return Found(
            str(found.get("title") or found.get("profile") or ""),
            _date(found["date"]),
            int(found["days"]),
            tuple(scenes),
            tuple(radar),
            tuple(map(str, found.get("notes") or ())),
            tuple(map(str, found.get("warnings") or ())),
        )
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def _scene(one: dict[str, Any]) -> FoundScene:
    cloud = _number(one.get("tile_cloud"))
    thumbnail = one.get("thumbnail")
    return FoundScene(
        str(one["id"]),
        _date(one["datetime"]),
        _platform(one.get("platform")),
        str(one.get("level") or ""),
        tuple(map(str, one.get("tiles") or ())),
        int(one["days"]),
        None if cloud is None else cloud / 100,
        _number(one.get("area_cloud")),
        _number(one.get("area_shadow")),
        _number(one.get("covers")),
        Path(thumbnail) if isinstance(thumbnail, str) and thumbnail else None,
        str(one.get("use") or ""),
        str(one.get("why") or ""),
    )


def _radar(one: dict[str, Any]) -> FoundRadar:
    orbit = _number(one.get("relative_orbit"))
    return FoundRadar(
        str(one["id"]),
        _date(one["datetime"]),
        _platform(one.get("platform")),
        str(one.get("orbit") or ""),
        None if orbit is None else int(orbit),
        _number(one.get("covers")),
        str(one.get("use") or ""),
        str(one.get("for") or ""),
        str(one.get("why") or ""),
    )


def _date(text: Any) -> datetime:
    """A date of ISO 8601 in UTC. Python 3.9 knows neither the Z nor one digit of a second's fraction."""
    text = str(text).strip()
    moment = datetime.fromisoformat(text[:19])
    offset = text[19:].lstrip(".0123456789")
    if offset and offset != "Z":
        moment = datetime.fromisoformat(text[:19] + offset)
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _platform(value: Any) -> str:
    """``sentinel-2a`` as ``Sentinel-2A``."""
    return "-".join(part.capitalize() if part.isalpha() else part.upper() for part in str(value or "").split("-"))


def _days(radar: FoundRadar, scene: FoundScene) -> int:
    return abs((radar.acquired.date() - scene.acquired.date()).days)
