"""Simulates the same place on other dates: another season, sun, haze and other clouds over the same landscape."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import numpy as np
from numpy.typing import NDArray

from sunbreak.datasets.simulation import landscape as land
from sunbreak.datasets.simulation.clouds import Sun
from sunbreak.datasets.simulation.landscape import SEASONS, Landscape, Season
from sunbreak.datasets.simulation.noise import Field, fractal
from sunbreak.datasets.simulation.phenology import on_day
from sunbreak.datasets.simulation.scene import Look, Place, SimulatedScene, draw_place, in_pixels, photographed

_LATITUDE, _HOUR_ANGLE = 48.7, -15.0  # of the written scenes; degrees before noon at the overpass
_MIDDLE = {"spring": (4, 20), "summer": (7, 10), "autumn": (10, 10), "winter": (1, 20)}
_YEAR = 2021
_STREAM = 1805  # keeps the random numbers of other dates apart from those of the scene itself
# how much fields of one crop differ: in all bands, from visible to infrared, and in SWIR (standard deviations)
_FIELD_GAIN = (0.05, 0.05, 0.06)
# weights of the three by band; in the short waves most of the light comes from the air
_GAIN_BY_BAND = np.array([
    [0.2, 0.3, 0.55, 0.8, 0.85, 1, 1, 1, 1, 1, 0.5, 1, 1],
    [-0.1, -0.3, -0.5, -1, -0.5, 0.3, 0.6, 0.7, 0.7, 0.6, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1.2],
])  # fmt: skip


@dataclass(frozen=True)
class OtherDate:
    """Another acquisition of a simulated place.

    Attributes:
        acquired: Date and time, UTC.
        cover: Approximate cloudy fraction, 0..1.
        number: Dates of another number have other clouds, haze and changes of use.
    """

    acquired: datetime
    cover: float
    number: int


def acquired_in(season: Season, seed: int) -> datetime:
    """Date and time of a simulated scene: within four weeks of the middle of its season, chosen by the seed."""
    days = int(np.random.default_rng([_STREAM, seed]).integers(-28, 29))
    return datetime(_YEAR, *_MIDDLE[season], 10, 20, 31, tzinfo=timezone.utc) + timedelta(days)


def draw_dates(acquired: datetime, seed: int, count: int) -> list[OtherDate]:
    """Dates before and after a scene in turn, each side in steps of 25 to 60 days, with covers of 0 to 50 %."""
    before = after = acquired
    found = []
    for number in range(count):
        rng = np.random.default_rng([_STREAM, seed, number])
        step = timedelta(int(rng.integers(5, 13)) * 5)
        if number % 2:
            after += step
        else:
            before -= step
        found.append(OtherDate(after if number % 2 else before, float(rng.uniform(0, 0.5)), number))
    return found


def simulate_dates(
    size: int | tuple[int, int],
    seed: int,
    acquired: datetime,
    others: list[OtherDate],
    *,
    season: Season | None = None,
    prevailing: int | None = None,
) -> list[SimulatedScene]:
    """Simulate the place of a scene on other dates.

    Args:
        size: Side, or (rows, columns), in pixels of 10 m, as for `simulate_scene`.
        seed: Seed of the scene.
        acquired: When the scene itself was acquired.
        others: The other dates. Each is the same whatever other dates are asked for.
        season: As for `simulate_scene`.
        prevailing: As for `simulate_scene`.

    Returns:
        One scene for each date, on the grid of the scene. Its land cover differs from the scene's where the use of a
        field changed.
    """
    shape = in_pixels(size)
    place = draw_place(np.random.default_rng([seed, *shape]), shape, season, prevailing)
    found = []
    for other in others:
        rng = np.random.default_rng([_STREAM, seed, other.number, *shape])
        found.append(photographed(rng, _on(rng, place, acquired, other.acquired), other.cover, seed))
    return found


def _on(rng: np.random.Generator, place: Place, acquired: datetime, then: datetime) -> Place:
    """The place on another date: grown, under its own sun, haze and soil moisture."""
    today, day = (date.timetuple().tm_yday for date in (acquired, then))
    ground = on_day(rng, place.ground, today, day)
    sun = _moved(place.sun, today, day)
    season = SEASONS[(then.month // 3 - 1) % 4]
    return Place(ground, season, sun, _look(rng, place, ground, sun))


def _look(rng: np.random.Generator, place: Place, ground: Landscape, sun: Sun) -> Look:
    """Colours on another date: those of the place, with fields that differ and soil of another moisture."""
    shape = ground.landcover.shape[0], ground.landcover.shape[1]
    tint = {name: factor * rng.normal(1, 0.01) * rng.normal(1, 0.005, 13) for name, factor in place.look.tint.items()}
    moisture = rng.uniform(0.85, 1.05)
    for name in ("soil", "sand"):
        tint[name] = tint[name] * moisture
    before, now = (np.sin(np.radians(one.elevation)) for one in (place.sun, sun))
    # plants and walls shade each other under a low sun, and its light has a longer way through the air
    shade = np.float32((now / before) ** 0.4)
    texture = shade * (place.look.texture + 0.012 * fractal(rng, shape, 1.6, longest=60))
    haze = max(0.0, rng.gamma(1.5, 0.006) + 0.008 * (1 / now - 1 / before))
    return Look(tint, texture * _gains(rng, ground), haze)


def _gains(rng: np.random.Generator, ground: Landscape) -> Field:
    """Factor (13, row, column) that makes fields of the same state differ: varieties, fertiliser, direction of rows."""
    number = int(ground.parcels.max()) + 1
    own = np.stack([rng.normal(0, deviation, number) for deviation in _FIELD_GAIN])
    gains = np.exp(_GAIN_BY_BAND.T @ own).astype(np.float32)
    farmed: NDArray[np.bool_] = np.isin(ground.landcover, (land.CROPLANDS, land.GRASSLAND))
    found: Field = np.where(farmed, gains[:, ground.parcels], np.float32(1))
    return found


def _moved(sun: Sun, today: int, day: int) -> Sun:
    """Position of the sun on another day at the same time."""
    (before, azimuth_before), (now, azimuth) = _position(today), _position(day)
    return Sun(float(np.clip(sun.elevation + now - before, 10, 80)), sun.azimuth + azimuth - azimuth_before)


def _position(day: int) -> tuple[float, float]:
    """Elevation and azimuth in degrees at the overpass, from the declination of the sun (Cooper, 1969)."""
    declination = np.radians(23.45 * np.sin(2 * np.pi * (284 + day) / 365))
    latitude, hour = np.radians(_LATITUDE), np.radians(_HOUR_ANGLE)
    height = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(hour)
    east = -np.cos(declination) * np.sin(hour)
    north = np.cos(latitude) * np.sin(declination) - np.sin(latitude) * np.cos(declination) * np.cos(hour)
    return float(np.degrees(np.arcsin(height))), float(np.degrees(np.arctan2(east, north)))
