"""Simulates a scene: Sentinel-1 and Sentinel-2 images of a landscape, with and without clouds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

from sunbreak.datasets.simulation.clouds import VISIBLE_THICKNESS, Sun, cover_with, draw_clouds
from sunbreak.datasets.simulation.landscape import SEASONS, Landscape, Season, make_landscape
from sunbreak.datasets.simulation.noise import Field, fractal
from sunbreak.datasets.simulation.radar import backscatter
from sunbreak.datasets.simulation.spectra import PATH, SPECTRA

# pixel size of each band in pixels of 10 m, in native order
_PIXELS = (6, 1, 1, 1, 2, 2, 2, 1, 2, 6, 6, 2, 2)
_SUN_ELEVATION = {"spring": 48.0, "summer": 60.0, "autumn": 36.0, "winter": 24.0}
_NOISE = 0.0012


@dataclass(frozen=True)
class SimulatedScene:
    """A simulated scene with known truth.

    Attributes:
        s1: (2, row, column) VV and VH in dB, float32.
        clear: (13, row, column) DN of Sentinel-2 without clouds, uint16 (reflectance x 10000, never 0).
        cloudy: The same with clouds and shadows.
        optical_thickness: (row, column), optical thickness of all clouds together.
        cloud: (row, column), True for visible clouds.
        shadow: (row, column), True for cloud shadows on visible ground.
        landcover: (row, column) uint8, simplified IGBP 1 to 10.
        season: Season.
        sun: Position of the sun.
        seed: Seed of the scene.
    """

    s1: Field
    clear: NDArray[np.uint16]
    cloudy: NDArray[np.uint16]
    optical_thickness: Field
    cloud: NDArray[np.bool_]
    shadow: NDArray[np.bool_]
    landcover: NDArray[np.uint8]
    season: Season
    sun: Sun
    seed: int


@dataclass(frozen=True)
class Look:
    """How a landscape appears on one date.

    Attributes:
        tint: Factor on the reflectance of each material by band, (13,) by name.
        texture: Factor on the reflectance of each pixel, (row, column), or (band, row, column).
        haze: Reflectance of the haze in B01.
    """

    tint: Mapping[str, NDArray[np.float64]]
    texture: Field
    haze: float


@dataclass(frozen=True)
class Place:
    """What a scene shows: a landscape in a season, under a sun, with the colours of its materials."""

    ground: Landscape
    season: Season
    sun: Sun
    look: Look


def simulate_scene(
    size: int | tuple[int, int],
    seed: int,
    *,
    cover: float | None = None,
    season: Season | None = None,
    prevailing: int | None = None,
) -> SimulatedScene:
    """Simulate a scene.

    Args:
        size: Side, or (rows, columns), in pixels of 10 m.
        seed: The same seed gives the same scene.
        cover: Requested cloud cover, 0..1. By default it is random; nearly clear and overcast scenes are more frequent.
        season: Season; random if not given.
        prevailing: Class (1 to 10) that covers most of the land, or None.
    """
    shape = in_pixels(size)
    rng = np.random.default_rng([seed, *shape])
    return photographed(rng, draw_place(rng, shape, season, prevailing), cover, seed)


def in_pixels(size: int | tuple[int, int]) -> tuple[int, int]:
    """(rows, columns) of a scene whose side, or (rows, columns), is given."""
    return (size, size) if isinstance(size, int) else size


def draw_place(
    rng: np.random.Generator, shape: tuple[int, int], season: Season | None, prevailing: int | None
) -> Place:
    """Draw a place; the arguments are those of `simulate_scene`. The same state of `rng` gives the same place."""
    season = season or SEASONS[rng.integers(4)]
    sun = Sun(_SUN_ELEVATION[season] + rng.normal(0, 5), rng.normal(155, 12))
    ground = make_landscape(rng, shape, season, prevailing)
    # the colour of a material differs between scenes and within a scene
    tint = {name: rng.normal(1, 0.06) * rng.normal(1, 0.03, 13) for name in SPECTRA}
    texture: Field = np.float32(1) + 0.035 * fractal(rng, shape, 2.0, longest=100) + 0.03 * fractal(rng, shape, 0.6)
    return Place(ground, season, sun, Look(tint, texture, rng.gamma(1.5, 0.006)))


def photographed(rng: np.random.Generator, place: Place, cover: float | None, seed: int) -> SimulatedScene:
    """The images of a place, with clouds over a fraction `cover` of it (random if None)."""
    clear = _reflectance(place)
    shape = clear.shape[1], clear.shape[2]
    if cover is None:
        cover = float(np.clip(rng.beta(0.6, 0.6) * 1.1 - 0.05, 0, 1))
    cloudy, thickness, shadow = cover_with(clear, draw_clouds(rng, shape, cover), place.sun)
    noise = rng.normal(0, _NOISE, clear.shape).astype(np.float32)
    return SimulatedScene(
        s1=backscatter(rng, place.ground),
        clear=_measured(clear, noise),
        cloudy=_measured(cloudy, noise),
        optical_thickness=thickness,
        cloud=thickness > VISIBLE_THICKNESS,
        shadow=shadow,
        landcover=place.ground.landcover,
        season=place.season,
        sun=place.sun,
        seed=seed,
    )


def _reflectance(place: Place) -> Field:
    """Top-of-atmosphere reflectance (13, row, column) of the ground at 10 m."""
    ground, sun, look = place.ground, place.sun, place.look
    image: Field = np.zeros((13, *ground.elevation.shape), np.float32)
    for name, share in ground.materials.items():
        if share.any():
            image += (SPECTRA[name] * look.tint[name]).astype(np.float32)[:, None, None] * share
    image *= look.texture
    down, right = np.gradient(gaussian_filter(ground.elevation, 1.5) / 10)
    angle, height = np.radians(sun.azimuth), np.radians(sun.elevation)
    # illumination of slopes relative to level ground, limited because of skylight
    lit = 1 + (-right * np.sin(angle) + down * np.cos(angle)) / np.tan(height)
    path = PATH[:, None, None]
    image = path + np.maximum(image - path, 0.0005) * np.clip(lit, 0.35, 1.5)
    haze = (look.haze * PATH / PATH[0]).astype(np.float32)[:, None, None]
    blurred: Field = gaussian_filter(image + haze, (0, 0.5, 0.5)).astype(np.float32)
    return blurred


def _measured(image: Field, noise: Field) -> NDArray[np.uint16]:
    """Bands at native resolution, resampled to 10 m, with noise, as DN."""
    out = np.empty(image.shape, np.uint16)
    for band, pixels in enumerate(_PIXELS):
        values = _coarse(image[band], pixels) + _coarse(noise[band], pixels)
        out[band] = np.clip(np.rint(values * 10000), 1, 65535)
    return out


def _coarse(plane: Field, pixels: int) -> Field:
    """Means over blocks of `pixels`, interpolated back; blocks at the lower and right edge may be incomplete."""
    if pixels == 1:
        return plane
    rows, columns = plane.shape
    padded = np.pad(plane, ((0, -rows % pixels), (0, -columns % pixels)), mode="edge")
    blocks = padded.reshape(padded.shape[0] // pixels, pixels, padded.shape[1] // pixels, pixels).mean(axis=(1, 3))
    back: Field = zoom(blocks, pixels, order=1, mode="nearest", grid_mode=True)[:rows, :columns]
    return back
