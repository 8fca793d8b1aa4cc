"""Converts a staged layer to a cloud optimised GeoTIFF and checks that it holds what was written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import RasterioError
from rasterio.shutil import copy
from rasterio.windows import Window

from sunbreak.errors import InputError, RunError
from sunbreak.layers.staging import BLOCK, Staging
from sunbreak.scene.grid import Grid
from sunbreak.sources.gdal import open_dataset, open_staged

ZSTD_LEVEL = 1
CACHE_BYTES = 256 * 2**20


def convert(staging: Staging, vrt: Path, target: Path, threads: int) -> None:
    """Copy the staged layer to `target` as a COG: block 512, ZSTD level 1 with predictor.

    Raises:
        RasterioError: GDAL could not write it, in most cases because the disk is full.
    """
    to_cog(vrt, target, np.dtype(staging.spec.dtype), categories=bool(staging.spec.categories), threads=threads)


def to_cog(source: Path, target: Path, dtype: np.dtype[np.generic], *, categories: bool, threads: int) -> None:
    """Copy a raster that this run has written to a COG: block 512, ZSTD level 1 with predictor, overviews.

    Args:
        source: A GeoTIFF or VRT of ours.
        target: The COG.
        dtype: Type of its numbers.
        categories: Whether they are classes, which overviews must not average.
        threads: For the compression.

    Raises:
        RasterioError: GDAL could not write it, in most cases because the disk is full.
    """
    with rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES, GDAL_TIFF_INTERNAL_MASK="YES", **_reading(source)):
        copy(
            str(source),
            str(target),
            driver="COG",
            BLOCKSIZE=str(BLOCK),
            COMPRESS="ZSTD",
            LEVEL=str(ZSTD_LEVEL),
            PREDICTOR="FLOATING_POINT" if dtype.kind == "f" else "STANDARD",
            BIGTIFF="IF_SAFER",
            OVERVIEWS="AUTO",
            OVERVIEW_RESAMPLING="NEAREST" if categories else "AVERAGE",
            NUM_THREADS=str(threads),
        )


def _reading(source: Path) -> dict[str, str]:
    """How GDAL reads the rows of a staged layer.

    It asks for one block of all bands at a time. Through its cache, rows are read once for all blocks beside each
    other, which is faster as long as they fit. Those of a wide scene would need 0.45 GB, and are read anew for each.
    """
    with open_staged(source) as file:
        row_of_blocks = file.width * BLOCK * sum(np.dtype(name).itemsize for name in file.dtypes)
    return {"GDAL_ONE_BIG_READ": "NO" if row_of_blocks <= CACHE_BYTES // 4 else "YES"}


def verify(target: Path, staging: Staging) -> None:
    """Reopen `target` and compare its shape, its layout and two blocks of every band with what was written.

    Raises:
        RunError: something differs, or the file cannot be read.
    """
    spec, grid = staging.spec, staging.grid
    try:
        with open_staged(target) as file:
            found = (file.height, file.width, file.count, set(file.dtypes))
            wanted = (*grid.shape, len(spec.bands), {spec.dtype})
            if found != wanted or file.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") != "COG":
                raise RunError(
                    f"Layer '{spec.role}' was written as {found}, not as {wanted}.", "Please report this as a bug."
                )
            for window in _samples(grid):
                row, col = int(window.row_off), int(window.col_off)
                written = staging.finished_block(row, col, int(window.height), int(window.width))
                if not np.array_equal(file.read(window=window), written, equal_nan=written.dtype.kind == "f"):
                    raise RunError(
                        f"Layer '{spec.role}' reads back differently from what was written.",
                        "The disk may be full or failing; check it and run again.",
                    )
    except RasterioError as error:
        raise RunError(
            f"Layer '{spec.role}' cannot be read back: {error}.", "The disk may be full or failing; check it."
        ) from error


def tags_of(path: Path, start: str = "SUNBREAK_") -> dict[str, str] | None:
    """Tags of a layer whose names begin so, without looking at files beside it; None if it cannot be read."""
    try:
        with open_dataset(path) as file:
            return {name: value for name, value in file.tags().items() if name.startswith(start)}
    except (RasterioError, InputError):
        return None


def _samples(grid: Grid) -> list[Window]:
    """The block in the middle and the last one, which is the first to suffer from a truncated file."""
    middle = (grid.height // 2 // BLOCK * BLOCK, grid.width // 2 // BLOCK * BLOCK)
    last = ((grid.height - 1) // BLOCK * BLOCK, (grid.width - 1) // BLOCK * BLOCK)
    return [
        Window(col, row, min(BLOCK, grid.width - col), min(BLOCK, grid.height - row))
        for row, col in sorted({middle, last})
    ]
