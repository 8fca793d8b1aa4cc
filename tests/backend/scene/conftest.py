"""Small rasters that the tests of the scene room open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine

UTM32 = "EPSG:32632"
ORIGIN = Affine(10, 0, 600_000, 0, -10, 5_200_000)

#: Typical L1C surface DN of the 13 bands in native order, B10 close to nothing.
DN = (1300, 1100, 950, 800, 1200, 2200, 2600, 2500, 2900, 900, 12, 1900, 1000)

Write = Callable[..., Path]


def save(path: Path, values: np.ndarray, **options: Any) -> Path:
    """Write (band, row, column) as GeoTIFF with a georeference unless told otherwise."""
    profile = {"crs": UTM32, "transform": ORIGIN, "driver": "GTiff", **options}
    names: Sequence[str | None] = profile.pop("names", ())
    tags = profile.pop("tags", {})
    band_tags = profile.pop("band_tags", {})
    scales, offsets = profile.pop("scales", None), profile.pop("offsets", None)
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", count=values.shape[0], height=values.shape[1], width=values.shape[2], dtype=values.dtype, **profile
    ) as dataset:
        dataset.write(values)
        dataset.update_tags(**tags)
        for index, name in enumerate(names, 1):
            if name:
                dataset.set_band_description(index, name)
        for index, values_of_band in band_tags.items():
            dataset.update_tags(index, **values_of_band)
        if scales:
            dataset.scales, dataset.offsets = scales, offsets
    return path


def surface(count: int = 13, rows: int = 40, columns: int = 50, seed: int = 0) -> np.ndarray:
    """uint16 DN without the baseline offset, 13 bands (or 12 without B10, or any number of the first ones)."""
    levels = np.array([level for index, level in enumerate(DN) if count != 12 or index != 10][:count], float)
    noise = np.random.default_rng(seed).uniform(0.7, 1.3, (count, rows, columns))
    return (levels[:, None, None] * noise).astype("uint16")


def backscatter(rows: int = 40, columns: int = 50, seed: int = 1) -> np.ndarray:
    """VV and VH in dB, float32."""
    rng = np.random.default_rng(seed)
    return np.stack([rng.normal(-10, 3, (rows, columns)), rng.normal(-17, 3, (rows, columns))]).astype("float32")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write(name, values, **profile)` puts a raster into the test's folder."""

    def put(name: str, values: np.ndarray, **options: Any) -> Path:
        return save(tmp_path / name, values, **options)

    return put


@pytest.fixture
def make_surface() -> Callable[..., np.ndarray]:
    return surface


@pytest.fixture
def make_backscatter() -> Callable[..., np.ndarray]:
    return backscatter
