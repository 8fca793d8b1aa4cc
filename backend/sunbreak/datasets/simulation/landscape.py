"""Simulates land cover in realistic patterns, and the materials of each pixel.

The land cover depends on a simulated relief: water is low, snow is high, fields are parcels on flat land, towns are
blocks between streets. Classes are the ten simplified IGBP classes, 1 to 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from sunbreak.datasets.simulation.noise import Field, between_zero_and_one, fractal
from sunbreak.datasets.simulation.spectra import SPECTRA

Season = Literal["spring", "summer", "autumn", "winter"]
SEASONS: tuple[Season, ...] = ("spring", "summer", "autumn", "winter")

FOREST, SHRUBLAND, SAVANNA, GRASSLAND, WETLANDS, CROPLANDS, URBAN, SNOW, BARREN, WATER = range(1, 11)
CLASSES = {
    FOREST: ("Forest", "#009900"),
    SHRUBLAND: ("Shrubland", "#c6b044"),
    SAVANNA: ("Savanna", "#fbff13"),
    GRASSLAND: ("Grassland", "#b6ff05"),
    WETLANDS: ("Wetlands", "#27ff87"),
    CROPLANDS: ("Croplands", "#c24f44"),
    URBAN: ("Urban/Built-up", "#a5a5a5"),
    SNOW: ("Snow/Ice", "#69fff8"),
    BARREN: ("Barren", "#f9ffa4"),
    WATER: ("Water", "#1c0dff"),
}
_PREVAILING_SHARE = 0.7
_GREEN = {"spring": 0.6, "summer": 0.75, "autumn": 0.45, "winter": 0.2}


@dataclass(frozen=True)
class Landscape:
    """A simulated landscape.

    Attributes:
        landcover: (row, column) uint8, 1 to 10.
        elevation: (row, column) in metres.
        materials: Fraction of each material in each pixel, (row, column) by name; fractions add up to 1.
        green: (row, column) 0..1, amount of living vegetation, which also affects the radar.
        built: (row, column) 0..1, walls with strong radar backscatter.
        parcels: (row, column) numbers of the fields, from 0; every pixel has one, also where no field is.
        sand: (row, column) 0..1, amount of sand in the bare ground of fields.
    """

    landcover: NDArray[np.uint8]
    elevation: Field
    materials: dict[str, Field]
    green: Field
    built: Field
    parcels: NDArray[np.int32]
    sand: Field


def make_landscape(
    rng: np.random.Generator, shape: tuple[int, int], season: Season, prevailing: int | None = None
) -> Landscape:
    """Draw a landscape.

    Args:
        rng: Source of randomness.
        shape: (rows, columns).
        season: Season.
        prevailing: Class that covers most of the land, such as `BARREN`; not `URBAN`, which needs streets.
    """
    rough = 10 ** rng.uniform(0.3, 2.3)
    relief = fractal(rng, shape, rng.uniform(3.4, 4.2), longest=rng.uniform(250, 800))
    elevation = (relief * rough).astype(np.float32)
    steep = gaussian_filter(np.hypot(*np.gradient(elevation)) / 10, 3)
    cover = _natural(rng, shape, steep)
    parcels = _parcels(rng, shape)
    farmed = between_zero_and_one(fractal(rng, shape, 3.2)) < rng.uniform(0.15, 1.0)
    cover[farmed & (steep < 0.12)] = CROPLANDS
    _woods_between(rng, cover, parcels)
    streets, blocks = _towns(rng, shape, cover, steep)
    turbid = _water(rng, shape, cover, relief)
    if season == "winter" and rng.random() < 0.5:
        snow_line = rng.uniform(-1.5, 1.5)
        cover[(relief > snow_line) & (cover != WATER) & (cover != URBAN) & (cover != FOREST)] = SNOW
    elif rough > 150 and season != "summer":
        cover[relief > 2.0] = SNOW
    if prevailing is not None:
        here = between_zero_and_one(fractal(rng, shape, 3.2)) < _PREVAILING_SHARE
        cover[here & (cover != WATER) & (cover != URBAN)] = prevailing
    return _made_of(rng, cover, elevation, parcels, streets, blocks, turbid, season)


def _natural(rng: np.random.Generator, shape: tuple[int, int], steep: Field) -> NDArray[np.uint8]:
    """Forest, grass, shrubs and bare ground from two smooth random fields: wetness and intensity of use."""
    wet = between_zero_and_one(fractal(rng, shape, 3.0, longest=260) + rng.uniform(-0.5, 0.5) * steep)
    use = between_zero_and_one(fractal(rng, shape, 2.8, longest=160))
    dryness = rng.uniform(0, 1)
    cover = np.full(shape, GRASSLAND, np.uint8)
    cover[(wet > 0.25 + 0.5 * dryness)] = FOREST
    cover[(use < 0.22)] = SHRUBLAND
    if dryness > 0.5:
        cover[(wet < 0.3) & (use > 0.5)] = SAVANNA
        cover[(wet < 0.35 * dryness) & (use > 0.75)] = BARREN
    cover[(wet > 0.93) & (use > 0.4)] = WETLANDS
    return cover


def _parcels(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.int32]:
    """Numbered fields: a plane that is repeatedly cut by straight lines, rotated and slightly bent."""
    side = int(1.6 * max(shape)) + 8
    ids = np.zeros((side, side), np.int32)
    largest = rng.uniform(14, 60)
    stack, number = [(0, side, 0, side)], 0
    while stack:
        top, bottom, left, right = stack.pop()
        height, width = bottom - top, right - left
        if max(height, width) > 3 * largest or height * width > largest**2 * rng.uniform(0.4, 1.6):
            share = rng.uniform(0.35, 0.65)
            if height > width * rng.uniform(0.6, 1.6):
                cut = top + max(2, int(height * share))
                stack += [(top, cut, left, right), (cut, bottom, left, right)]
            else:
                cut = left + max(2, int(width * share))
                stack += [(top, bottom, left, cut), (top, bottom, cut, right)]
            continue
        number += 1
        ids[top:bottom, left:right] = number
    angle = rng.uniform(0, np.pi)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    bend = fractal(rng, shape, 3.5) * rng.uniform(0, 5)
    u = np.cos(angle) * (x - shape[1] / 2) - np.sin(angle) * (y - shape[0] / 2) + side / 2 + bend
    v = np.sin(angle) * (x - shape[1] / 2) + np.cos(angle) * (y - shape[0] / 2) + side / 2 + bend
    picked: NDArray[np.int32] = ids[np.clip(v, 0, side - 1).astype(int), np.clip(u, 0, side - 1).astype(int)]
    return picked


def _woods_between(rng: np.random.Generator, cover: NDArray[np.uint8], parcels: NDArray[np.int32]) -> None:
    """Some parcels among the fields are woods or meadows."""
    kind = rng.random(int(parcels.max()) + 1)[parcels]
    fields = cover == CROPLANDS
    cover[fields & (kind < 0.07)] = FOREST
    cover[fields & (kind > 0.85)] = GRASSLAND


def _towns(
    rng: np.random.Generator, shape: tuple[int, int], cover: NDArray[np.uint8], steep: Field
) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    """Add towns with streets and blocks, and roads. Returns streets and block numbers."""
    streets = np.zeros(shape, bool)
    blocks = np.zeros(shape, np.int32)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    for _ in range(int(rng.integers(0, 3 + max(shape) // 200))):
        row, col = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        radius = rng.uniform(10, 75)
        edge = np.hypot(y - row, x - col) / radius + 0.35 * fractal(rng, shape, 2.6, longest=60)
        inside = (edge < 1) & (steep < 0.25) & (cover != WATER)
        angle, pitch = rng.uniform(0, np.pi / 2), rng.uniform(7, 13)
        bend = 3 * fractal(rng, shape, 3.4, longest=200)
        u = np.cos(angle) * x - np.sin(angle) * y + bend
        v = np.sin(angle) * x + np.cos(angle) * y + bend
        cover[inside] = URBAN
        streets |= inside & ((u % pitch < 1.1) | (v % (1.7 * pitch) < 1.1))
        houses = (np.floor(u / 2.4).astype(np.int32) * 7919 + np.floor(v / 3.1).astype(np.int32)) % 1009
        blocks[inside] = houses[inside] + 1
        if rng.random() < 0.8:
            line = rng.uniform(0, np.pi)
            across = np.cos(line) * (x - col) - np.sin(line) * (y - row) + 6 * fractal(rng, shape, 3.6)
            streets |= (np.abs(across) < 0.7) & (cover != WATER)
    return streets, blocks


def _water(rng: np.random.Generator, shape: tuple[int, int], cover: NDArray[np.uint8], relief: Field) -> Field:
    """Add a river, lakes and sometimes a coast. Returns the turbidity of the water."""
    if rng.random() < 0.6:
        course = gaussian_filter(fractal(rng, shape, 3.4, longest=500), 2)
        width = rng.uniform(0.012, 0.06) * (0.7 + 0.6 * between_zero_and_one(fractal(rng, shape, 3.5)))
        cover[np.abs(course - course.flat[rng.integers(course.size)]) < width] = WATER
    if rng.random() < 0.4:
        cover[relief + 0.2 * fractal(rng, shape, 3.0) < rng.uniform(-2.6, -1.5)] = WATER
    if rng.random() < 0.2:
        y, x = np.mgrid[: shape[0], : shape[1]] / max(shape)
        angle = rng.uniform(0, 2 * np.pi)
        shore = np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5) + 0.05 * fractal(rng, shape, 3.0)
        cover[shore > rng.uniform(0.0, 0.4)] = WATER
    return np.clip(rng.uniform(0, 1) + 0.25 * fractal(rng, shape, 3.2), 0, 1).astype(np.float32)


def _made_of(
    rng: np.random.Generator,
    cover: NDArray[np.uint8],
    elevation: Field,
    parcels: NDArray[np.int32],
    streets: NDArray[np.bool_],
    blocks: NDArray[np.int32],
    turbid: Field,
    season: Season,
) -> Landscape:
    shape = elevation.shape[0], elevation.shape[1]
    fine = fractal(rng, shape, 1.2)
    patchy = fractal(rng, shape, 2.4, longest=80)
    season_green = np.clip(_GREEN[season] + rng.normal(0, 0.15), 0.05, 0.95)
    # neighbouring fields have crops of different heights, or none
    stand = rng.beta(0.7 + season_green, 0.7 + 1 - season_green, int(parcels.max()) + 1).astype(np.float32)[parcels]
    rows_angle = rng.uniform(0, np.pi, int(parcels.max()) + 1).astype(np.float32)[parcels]
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    rows_texture: Field = np.sin((np.cos(rows_angle) * x + np.sin(rows_angle) * y) * 1.9)
    green: Field = np.zeros(shape, np.float32)
    green[cover == CROPLANDS] = (stand + 0.05 * fine + 0.05 * patchy + 0.03 * rows_texture)[cover == CROPLANDS]
    meadow = season_green + 0.15 * patchy + 0.07 * fine
    for kind, factor, floor in (
        (GRASSLAND, 0.9, 0.1),
        (SHRUBLAND, 0.6, 0.15),
        (SAVANNA, 0.5, 0.05),
        (WETLANDS, 0.8, 0.2),
    ):
        green[cover == kind] = (floor + factor * meadow)[cover == kind]
    green[cover == FOREST] = (0.85 + 0.08 * patchy + 0.1 * fine)[cover == FOREST]
    green = np.clip(green, 0, 1)
    needle = np.clip(rng.uniform(0, 1) + 0.5 * patchy, 0, 1)
    sandy: Field = np.clip(rng.beta(0.6, 1.2) + 0.12 * patchy, 0, 1)
    parts: dict[str, Field] = {name: np.zeros(shape, np.float32) for name in SPECTRA}

    def put(kind: int, shares: dict[str, Field]) -> None:
        here = cover == kind
        for name, share in shares.items():
            parts[name][here] += share[here]

    bare: Field = np.float32(1) - green
    put(CROPLANDS, {"crop": green, "soil": bare * (1 - 0.6 * sandy), "sand": bare * 0.6 * sandy})
    put(GRASSLAND, {"grass": green, "dry grass": bare})
    put(SHRUBLAND, {"broadleaf": 0.5 * green, "needleleaf": 0.3 * green, "dry grass": 0.5 * bare + 0.2 * green})
    put(SHRUBLAND, {"soil": 0.5 * bare})
    put(SAVANNA, {"broadleaf": 0.5 * green, "grass": 0.5 * green, "dry grass": 0.7 * bare})
    put(SAVANNA, {"sand": 0.3 * bare * sandy, "soil": 0.3 * bare * (1 - sandy)})
    put(WETLANDS, {"grass": 0.7 * green, "water": 0.3 + 0.2 * bare, "dry grass": np.maximum(0.8 * bare - 0.2, 0)})
    leaves = (1 - needle) * green
    put(FOREST, {"needleleaf": needle * green, "broadleaf": leaves * (0.4 + 0.6 * season_green), "rock": 0.5 * bare})
    put(FOREST, {"dry grass": leaves * 0.6 * (1 - season_green) + 0.5 * bare})
    put(BARREN, {"sand": sandy, "rock": 0.5 * (1 - sandy), "soil": 0.5 * (1 - sandy)})
    put(SNOW, {"snow": np.clip(0.93 + 0.05 * fine, 0, 1), "rock": np.clip(0.07 - 0.05 * fine, 0, 1)})
    put(WATER, {"water": 1 - turbid, "turbid": turbid})
    house: Field = rng.random(1010).astype(np.float32)[np.minimum(blocks, 1009)]
    gardens = np.clip(0.45 - 0.35 * between_zero_and_one(patchy) + 0.15 * fine, 0, 0.8) * (0.4 + 0.6 * season_green)
    roof = np.where(house > 0.82, np.float32(0.8), np.float32(0.1)) * (1 - gardens)
    rest: Field = (1 - gardens - roof).astype(np.float32)
    put(URBAN, {"roof": roof, "concrete": rest * house, "asphalt": rest * (1 - house), "broadleaf": gardens})
    for name, plane in parts.items():
        plane[streets & (cover != WATER)] = 0.9 if name == "asphalt" else 0.1 if name == "concrete" else 0.0
    total = np.sum(list(parts.values()), axis=0)
    for plane in parts.values():
        np.clip(plane, 0, None, out=plane)
        plane /= np.maximum(total, np.float32(1e-3))
    built = np.where((cover == URBAN) & ~streets, 0.35 + 0.65 * (house > 0.6), 0).astype(np.float32)
    return Landscape(cover, elevation, parts, green, built, parcels, sandy)
