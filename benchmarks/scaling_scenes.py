"""Scenes of any size for `benchmarks/scaling.py`, made from the demo scene, and a tiny network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.models.registry import ModelFiles
from sunbreak.scene import S2_BANDS

DEMO = Path(__file__).resolve().parents[1] / "resources" / "demo"
CLOUDY, RADAR = DEMO / "demo_s2_cloudy.tif", DEMO / "demo_s1.tif"
_ROWS = 512


def mirrored(start: int, count: int, length: int) -> NDArray[np.intp]:
    """Indices of `count` pixels from `start` on, in an image of `length` that is continued by mirror images."""
    position = np.arange(start, start + count) % (2 * length)
    return np.minimum(position, 2 * length - 1 - position)


def write_mosaic(folder: Path, name: str, rows: int, columns: int, offset: tuple[int, int] = (0, 0)) -> Path:
    """A scene of mirror images of the demo scene, and its radar ``<name>_s1.tif``.

    Args:
        folder: Where they go.
        name: The Sentinel-2 file is called ``<name>_s2.tif``.
        rows: Height in pixels.
        columns: Width in pixels.
        offset: First row and column in the plane of mirror images.

    Returns:
        The Sentinel-2 file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / f"{name}_s2.tif", folder / f"{name}_s1.tif"
    for source, path in zip((CLOUDY, RADAR), paths, strict=True):
        with rasterio.open(source) as image:
            profile, tags, bands = image.profile, image.tags(), image.descriptions
            pixels, (height, width) = image.read(), image.shape
        across = mirrored(offset[1], columns, width)
        profile.update(
            height=rows, width=columns, tiled=True, blockxsize=256, blockysize=256, compress="zstd", BIGTIFF="IF_SAFER"
        )
        with rasterio.open(path, "w", **profile) as target:
            target.update_tags(**tags)
            for number, band in enumerate(bands, 1):
                target.set_band_description(number, band)
            for row in range(0, rows, _ROWS):
                count = min(_ROWS, rows - row)
                down = mirrored(offset[0] + row, count, height)
                target.write(pixels[:, down[:, None], across], window=Window(0, row, columns, count))
    return paths[0]


def write_mosaics(folder: Path, count: int, rows: int, columns: int) -> list[Path]:
    """So many different scenes; see `write_mosaic`."""
    # steps that share no factor with the side of the demo scene
    return [
        write_mosaic(folder, f"scene{number:03d}", rows, columns, (311 * number, 457 * number))
        for number in range(count)
    ]


def write_simulated(folder: Path, name: str, side: int, cover: float, seed: int) -> tuple[Path, Path]:
    """A simulated scene of which the fraction `cover` is cloudy, and its radar."""
    from sunbreak.datasets.simulation import simulate_scene

    made = simulate_scene(side, seed, cover=cover)
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / f"{name}_s2.tif", folder / f"{name}_s1.tif"
    with rasterio.open(CLOUDY) as image:
        profile, tags = image.profile, image.tags()
    profile.update(height=side, width=side, tiled=True, blockxsize=256, blockysize=256, compress="zstd", predictor=2)
    for path, values, bands in zip(paths, (made.cloudy, made.s1), (S2_BANDS, ("VV", "VH")), strict=True):
        own = {"count": len(values), "dtype": values.dtype, "predictor": 2 if values.dtype.kind == "u" else 3}
        with rasterio.open(path, "w", **{**profile, **own}) as target:
            target.update_tags(**tags)
            for number, band in enumerate(bands, 1):
                target.set_band_description(number, band)
            target.write(values)
    return paths


def tiny_model(folder: Path) -> ModelFiles:
    """A UnCRtainTS of width 16 with one block, 64 px tiles and random weights: it takes milliseconds."""
    import torch

    from sunbreak.models.importing import save_uncrtaints
    from sunbreak.models.uncrtaints import UnCRtainTS, UnCRtainTSConfig

    torch.manual_seed(0)
    return save_uncrtaints(
        UnCRtainTS(UnCRtainTSConfig(width=16, depth=1)).eval(), "tiny", folder, title="Tiny", licence="CC0-1.0",
        description="Random weights.", tile=64, overlap=16,
    )  # fmt: skip
