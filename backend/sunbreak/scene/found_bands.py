"""Bands that were found in files, before they are one scene: one source for each, on one grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sunbreak.errors import InputError
from sunbreak.scene.bands import S2_BANDS
from sunbreak.scene.grid import Grid
from sunbreak.scene.sentinel2 import BandSource, BandStack
from sunbreak.sources import RasterSource

_TILES = (
    "If they are tiles of one image, join them as a virtual raster in their folder and give that: gdalbuildvrt "
    "image.vrt image-*.tif."
)


@dataclass(frozen=True)
class FoundBand:
    """One band in one file, before the stack's grid is known."""

    name: str
    file: RasterSource
    index: int
    grid: Grid
    dtype: str
    nodata: float | None


def finest(found: Sequence[FoundBand], notes: list[str]) -> list[FoundBand]:
    """One source for each band: the finest, where a product has the band at several resolutions."""
    kept = []
    for name in S2_BANDS:
        same = sorted((band for band in found if band.name == name), key=lambda band: band.grid.pixel_size)
        if not same:
            continue
        if len(same) > 1 and np.isclose(same[0].grid.pixel_size[0], same[1].grid.pixel_size[0]):
            apart = not _same_place(same[0].grid, same[1].grid)
            raise InputError(
                f"Band {name} is in both {same[0].file.path.name} and {same[1].file.path.name}.",
                _TILES if apart else "Give every band of one product once.",
                code="duplicate-bands",
            )
        if len(same) > 1:
            notes.append(f"{name} is available at several resolutions; {same[0].file.path.name} is used.")
        kept.append(same[0])
    return kept


def stacked(bands: Sequence[FoundBand]) -> BandStack:
    """The bands on the finest grid among them.

    Raises:
        InputError: ``mixed-grids``, ``mixed-units``.
    """
    reference = min(bands, key=lambda band: band.grid.pixel_size).grid
    for band in bands:
        if band.grid.crs != reference.crs:
            raise InputError(
                f"{band.file.identity} is in {band.grid.crs.to_string()[:40]}, other bands are in "
                f"{reference.crs.to_string()[:40]}.",
                "Give bands of one product and tile.",
                code="mixed-grids",
            )
        if not _same_place(band.grid, reference):
            raise InputError(
                f"{band.file.identity} does not cover the same area as the other bands.",
                "Give bands of one product and tile.",
                code="mixed-grids",
            )
    dtypes = {np.dtype(band.dtype) for band in bands}
    if len({dtype.kind == "f" for dtype in dtypes}) > 1:
        raise InputError(
            f"{bands[0].file.path.name} and the other files mix integers and floats.",
            "Give bands of one product.",
            code="mixed-units",
        )
    sources = tuple(
        BandSource(band.name, band.file, band.index, band.nodata, not same_grid(band.grid, reference)) for band in bands
    )
    return BandStack(reference, sources, np.result_type(*dtypes).name)


def same_grid(one: Grid, other: Grid) -> bool:
    """Whether the pixels of two grids are the same ones."""
    shift = 0.01 * max(other.pixel_size)
    return one.shape == other.shape and all(
        abs(a - b) <= shift for a, b in zip(one.bounds, other.bounds, strict=True)
    ) and (one.transform.e > 0) == (other.transform.e > 0)  # fmt: skip


def _same_place(one: Grid, other: Grid) -> bool:
    slack = 1.01 * max(*one.pixel_size, *other.pixel_size)
    return all(abs(a - b) <= slack for a, b in zip(one.bounds, other.bounds, strict=True))
