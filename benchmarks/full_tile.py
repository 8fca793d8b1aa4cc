"""A wholly cloudy Sentinel-2 tile, 10980 x 10980 pixels, cleaned once in full: time, memory and an overview.

python benchmarks/full_tile.py FOLDER [SIDE]

The tile repeats the demo scene, mirrored at its edges; a mask says that all of it is cloud. The scene, the layers and
`overview.png` (cloudy, cleaned) stay in FOLDER, which needs 15 GB.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import rasterio
from common import peak, record, say
from PIL import Image
from rasterio.enums import Resampling
from rasterio.transform import from_origin
from rasterio.windows import Window

from sunbreak.models.registry import DEFAULT_REMOVAL, find_model
from sunbreak.resources import resource_path
from sunbreak.tiling import BlendedLayout

SIDE = int(sys.argv[2]) if len(sys.argv) > 2 else 10980
STRIP = 512
RED_GREEN_BLUE = (4, 3, 2)
OVERVIEW = 1098


def mirrored(start: int, count: int, size: int) -> np.ndarray:
    """Indices into `size` rows or columns that are repeated, every second time in reverse."""
    index = np.arange(start, start + count) % (2 * size)
    return np.where(index < size, index, 2 * size - 1 - index)


def repeat(name: str, target: Path) -> Path:
    """Write one raster of the demo scene again and again."""
    with rasterio.open(resource_path("demo", name)) as source:
        values, names, profile = source.read(), source.descriptions, source.profile
    form = {
        "driver": "GTiff", "height": SIDE, "width": SIDE, "count": len(values), "dtype": values.dtype,
        "crs": profile["crs"], "transform": from_origin(300000, 5300040, 10, 10), "tiled": True,
        "blockxsize": STRIP, "blockysize": STRIP, "compress": "zstd", "zstd_level": 1, "BIGTIFF": "YES",
    }  # fmt: skip
    columns = mirrored(0, SIDE, values.shape[2])
    with rasterio.open(target, "w", **form) as file:
        for band, described in enumerate(names, 1):
            file.set_band_description(band, described or "")
        for row in range(0, SIDE, STRIP):
            count = min(STRIP, SIDE - row)
            rows = mirrored(row, count, values.shape[1])
            file.write(values[:, rows[:, None], columns[None]], window=Window(0, row, SIDE, count))
    return target


def all_cloud(like: Path, target: Path) -> Path:
    """A mask that is 1 everywhere."""
    with rasterio.open(like) as source:
        form = source.profile | {"count": 1, "dtype": "uint8", "compress": "deflate"}
    form.pop("zstd_level", None)
    with rasterio.open(target, "w", **form) as file:
        for row in range(0, SIDE, STRIP):
            count = min(STRIP, SIDE - row)
            file.write(np.ones((1, count, SIDE), np.uint8), window=Window(0, row, SIDE, count))
    return target


def overview(paths: list[Path], target: Path) -> None:
    """The scenes side by side in natural colours, each stretched alike."""
    parts = []
    for path in paths:
        with rasterio.open(path) as source:
            shape = (3, OVERVIEW, OVERVIEW)
            dn = source.read(RED_GREEN_BLUE, out_shape=shape, resampling=Resampling.average).astype(np.float32)
        parts.append(np.clip(dn / 3000, 0, 1) ** (1 / 1.4))
    joined = np.moveaxis(np.concatenate(parts, axis=2), 0, 2)
    Image.fromarray((255 * joined).astype(np.uint8)).save(target)


home = Path(sys.argv[1])
home.mkdir(parents=True, exist_ok=True)
s2, s1 = repeat("demo_s2_cloudy.tif", home / "tile_s2.tif"), repeat("demo_s1.tif", home / "tile_s1.tif")
mask = all_cloud(s1, home / "tile_mask.tif")
command = [sys.executable, "-m", "sunbreak", "clean", str(s2), "--s1", str(s1), "--mask", str(mask)]
start = time.perf_counter()
highest = peak([*command, "-o", str(home / "out"), "--overwrite"])
seconds = time.perf_counter() - start
overview([s2, home / "out" / "tile_s2_cleaned.tif"], home / "overview.png")
card = find_model(DEFAULT_REMOVAL).card
tiles = sum(len(strip.tiles) for strip in BlendedLayout(SIDE, SIDE, card.tile, card.overlap).strips())
say(
    f"A wholly cloudy scene of {SIDE} x {SIDE} pixels, cleaned in full",
    [
        ("time", f"{seconds / 60:.1f} min"),
        ("divided by the tiles of the network", f"{1000 * seconds / tiles:.0f} ms ({tiles:,} tiles)"),
        ("peak memory", f"{highest / 1e9:.2f} GB"),
        ("layers on disk", f"{sum(file.stat().st_size for file in (home / 'out').glob('*')) / 1e9:.2f} GB"),
    ],
)
record(f"wholly cloudy scene, {SIDE} x {SIDE}", seconds, "s")
record(f"peak memory of a wholly cloudy scene, {SIDE} x {SIDE}", highest / 1e6, "MB")
