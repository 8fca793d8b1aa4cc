"""Simulates clouds by optical thickness: transmission, reflection and shadow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, shift

from sunbreak.datasets.simulation.noise import Field, between_zero_and_one, fractal
from sunbreak.datasets.simulation.spectra import CIRRUS_IN_B10, CLOUD, OPACITY, PATH, SKYLIGHT

_B10 = 10
VISIBLE_THICKNESS = 0.15


@dataclass(frozen=True)
class Sun:
    """Position of the sun.

    Attributes:
        elevation: Degrees above the horizon.
        azimuth: Degrees from north, clockwise.
    """

    elevation: float
    azimuth: float


@dataclass(frozen=True)
class Cloud:
    """One layer of clouds.

    Attributes:
        thickness: Optical thickness in the visible, (row, column).
        height: Height in metres above ground.
        brightness: Factor on the spectrum of a thick cloud, (row, column).
        high: Whether it is an ice cloud, which is visible in B10.
    """

    thickness: Field
    height: float
    brightness: Field
    high: bool


def draw_clouds(rng: np.random.Generator, shape: tuple[int, int], cover: float) -> list[Cloud]:
    """Random layers that together hide a fraction of about `cover` of the scene."""
    if cover <= 0:
        return []
    layers = []
    if rng.random() < 0.3:
        layers.append(_cirrus(rng, shape, min(cover, rng.uniform(0.1, 1.0))))
    low = cover if not layers else max(0.0, cover - 0.3 * float((layers[0].thickness > VISIBLE_THICKNESS).mean()))
    cumulus = rng.random() < 0.65
    slope, longest = (rng.uniform(2.4, 3.0), rng.uniform(40, 220)) if cumulus else (rng.uniform(3.0, 3.6), 0.0)
    field = fractal(rng, shape, slope, longest=longest)
    edge = rng.uniform(0.05, 0.25) if cumulus else rng.uniform(0.2, 0.6)
    level = float(np.quantile(field, 1 - low)) if low < 1 else float(field.min()) - rng.uniform(0.2, 1.0)
    depth = 10 ** rng.uniform(0.3, 1.4) if cumulus else 10 ** rng.uniform(-0.1, 1.3)
    above = np.maximum(field - level, 0)
    thickness = VISIBLE_THICKNESS * (above > 0) + depth * above**1.5 / (above + edge)
    thickness = gaussian_filter(thickness.astype(np.float32), rng.uniform(0.6, 1.5))
    lumps = 0.12 * fractal(rng, shape, 2.6, longest=60) + 0.1 * between_zero_and_one(field)
    layers.append(
        Cloud(
            thickness,
            rng.uniform(500, 3000),
            np.clip(rng.uniform(0.7, 1.35) + lumps, 0.3, 1.7).astype(np.float32),
            False,
        )
    )
    return layers


def _cirrus(rng: np.random.Generator, shape: tuple[int, int], cover: float) -> Cloud:
    streaks = fractal(
        rng, shape, 3.0, stretch=(1.0, rng.uniform(2, 5)) if rng.random() < 0.5 else (rng.uniform(2, 5), 1.0)
    )
    level = float(np.quantile(streaks, 1 - cover)) if cover < 1 else float(streaks.min()) - 0.3
    thickness = rng.uniform(0.15, 0.8) * np.maximum(streaks - level, 0)
    return Cloud(thickness.astype(np.float32), rng.uniform(7000, 10000), np.full(shape, 0.85, np.float32), True)


def cover_with(clear: Field, layers: list[Cloud], sun: Sun) -> tuple[Field, Field, NDArray[np.bool_]]:
    """Lay clouds and their shadows over a clear image.

    A cloud of thickness t transmits exp(-t * opacity) in each band and adds its own reflectance times
    1 - exp(-t * opacity). In shadows, skylight and path radiance remain.

    Args:
        clear: Reflectance (13, row, column).
        layers: The clouds.
        sun: Position of the sun.

    Returns:
        Reflectance (13, row, column), optical thickness (row, column), and mask of shadows on visible ground.
    """
    image = clear.copy()
    shape = clear.shape[1:]
    thickness = np.zeros(shape, np.float32)
    light = np.ones(shape, np.float32)
    for layer in layers:
        light *= np.exp(-0.7 * _shadow(layer, sun))
        thickness += layer.thickness
    path, sky = PATH[:, None, None], SKYLIGHT[:, None, None]
    lit = light + (1 - light) * sky
    image = np.where(light > 0.999, image, path + np.maximum(image - path, 0) * lit)
    for layer in sorted(layers, key=lambda cloud: cloud.height):
        through = np.exp(-layer.thickness * OPACITY[:, None, None])
        own = CLOUD[:, None, None] * layer.brightness
        if layer.high:
            own[_B10] = CIRRUS_IN_B10 * layer.brightness
        image = image * through + own * (1 - through)
    shadow = (light < 0.85) & (thickness < VISIBLE_THICKNESS)
    return image.astype(np.float32), thickness, shadow


def _shadow(layer: Cloud, sun: Sun) -> Field:
    """Thickness of the cloud between each ground pixel and the sun."""
    reach = layer.height / np.tan(np.radians(sun.elevation)) / 10
    angle = np.radians(sun.azimuth)
    # the shadow is opposite to the sun; rows count southwards
    down, right = reach * np.cos(angle), -reach * np.sin(angle)
    moved: Field = shift(layer.thickness, (down, right), order=1, mode="reflect")
    softened: Field = gaussian_filter(moved, 1.0)
    return softened
