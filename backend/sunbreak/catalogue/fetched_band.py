"""Reads one band of an overpass onto a grid, from the files of its items: only what lies under the grid is moved."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.io import DatasetReader
from rasterio.transform import array_bounds
from rasterio.warp import reproject, transform_bounds
from rasterio.windows import Window
from rasterio.windows import transform as transform_of

from sunbreak.catalogue.checksums import agrees
from sunbreak.catalogue.connection import Catalogue
from sunbreak.catalogue.items import Asset
from sunbreak.catalogue.overpasses import Overpass
from sunbreak.errors import InputError, SunbreakError
from sunbreak.events import Reporter
from sunbreak.scene.grid import Grid
from sunbreak.sources.remote import RemoteRaster

STRIP = 2048  # rows that are read at once
_MARGIN = 3  # pixels around what is resampled
_TRIES = 3
_CATEGORIES = ("SCL",)
_CHANGED_ON_THE_WAY = ("changed", "damaged", "not-a-raster", "truncated", "wrong-checksum")
_SMALL_BYTES = 2**20  # files up to this size are read whole where the catalogue states a checksum

_LATER = "Try again later, or choose another scene."

T = TypeVar("T")


def read_band(
    catalogue: Catalogue, overpass: Overpass, band: str, grid: Grid, target: NDArray[np.generic], reporter: Reporter
) -> None:
    """Fill an array with a band. Pixels without data stay 0, or NaN in floats.

    Pixels on the lattice of the grid are copied as they are. Others are resampled: categories to the nearest, numbers
    bilinearly, without mixing in pixels without data.

    Args:
        catalogue: Gives the files.
        overpass: Its items; later ones fill what earlier ones leave.
        band: Canonical name.
        grid: The grid.
        target: (row, column) of the grid.
        reporter: Can cancel.

    Raises:
        SunbreakError: A file cannot be read.
    """
    for item in overpass.items:
        if band not in item.assets:
            continue
        asset = item.assets[band]
        trying(lambda asset=asset: _read_item(catalogue, asset, grid, target, band, reporter), reporter)  # type: ignore[misc]


def trying(work: Callable[[], T], reporter: Reporter) -> T:
    """Do something with a file again if its bytes were changed on the way, three times in all.

    Raises:
        SunbreakError: It fails otherwise, or still.
    """
    for _ in range(_TRIES - 1):
        reporter.checkpoint()
        try:
            return work()
        except SunbreakError as error:
            if error.code not in _CHANGED_ON_THE_WAY:
                raise
    return work()


def _read_item(
    catalogue: Catalogue, asset: Asset, grid: Grid, target: NDArray[np.generic], band: str, reporter: Reporter
) -> None:
    raster = catalogue.raster(asset)
    _check_file(raster, asset)
    for first in range(0, grid.height, STRIP):
        reporter.checkpoint()
        rows = slice(first, min(first + STRIP, grid.height))
        part = target[rows]
        empty = _empty(part)
        if not empty.any():
            continue
        with raster.open() as dataset:
            _check(dataset, asset, target.dtype)
            read = _on_grid(dataset, _strip(grid, rows), part.dtype, band)
        # an error of the connection is raised where the file is closed: until then nothing that was read counts
        if read is not None:
            part[empty] = read[empty]


def _on_grid(dataset: DatasetReader, grid: Grid, dtype: np.dtype[np.generic], band: str) -> NDArray[np.generic] | None:
    """A band on a grid; None if it lies elsewhere."""
    fill = _fill(dtype)
    place = _aligned(dataset, grid)
    if place is not None:
        window = _inside(place, dataset)
        if window is None:
            return None
        result = np.full((grid.height, grid.width), fill, dtype)
        row, column = int(window.row_off - place.row_off), int(window.col_off - place.col_off)
        read = dataset.read(1, window=window)
        result[row : row + read.shape[0], column : column + read.shape[1]] = _valued(read, dataset, dtype)
        return result
    window = _source_window(dataset, grid)
    if window is None:
        return None
    source = _valued(dataset.read(1, window=window), dataset, dtype)
    result = np.full((grid.height, grid.width), fill, dtype)
    reproject(
        source, result, src_transform=transform_of(window, dataset.transform), src_crs=dataset.crs, src_nodata=fill,
        dst_transform=grid.transform, dst_crs=grid.crs, dst_nodata=fill,
        resampling=Resampling.nearest if band in _CATEGORIES else Resampling.bilinear,
    )  # fmt: skip
    return result


def _valued(read: NDArray[np.generic], dataset: DatasetReader, dtype: np.dtype[np.generic]) -> NDArray[np.generic]:
    """Stored numbers with one number for no data: 0, or NaN in floats, where 0 is no backscatter either."""
    nodata = dataset.nodata
    if dtype.kind != "f":
        values = read.astype(dtype)
        if nodata not in (None, 0) and not math.isnan(nodata):
            values[read == nodata] = 0
        return values
    values = read.astype(dtype)
    values[~np.isfinite(values) | (values <= 0)] = np.nan
    if nodata is not None and math.isfinite(nodata):
        values[read == nodata] = np.nan
    return values


def _aligned(dataset: DatasetReader, grid: Grid) -> Window | None:
    """The window of a raster that the grid is, if both have the same lattice. It may lie outside in part."""
    own, wanted = dataset.transform, grid.transform
    if dataset.crs != grid.crs or any(
        abs(one - other) > 1e-9
        for one, other in zip((own.a, own.b, own.d, own.e), (wanted.a, wanted.b, wanted.d, wanted.e), strict=True)
    ):
        return None
    column, row = (wanted.c - own.c) / own.a, (wanted.f - own.f) / own.e
    if abs(column - round(column)) > 1e-4 or abs(row - round(row)) > 1e-4:
        return None
    return Window(round(column), round(row), grid.width, grid.height)


def _source_window(dataset: DatasetReader, grid: Grid) -> Window | None:
    """The window of a raster that lies under the grid, with a margin for resampling."""
    bounds = array_bounds(grid.height, grid.width, grid.transform)
    if dataset.crs != grid.crs:
        bounds = transform_bounds(grid.crs, dataset.crs, *bounds, densify_pts=21)
    west, south, east, north = bounds
    corners = [~dataset.transform * corner for corner in ((west, north), (east, south))]
    left, top = (math.floor(min(one[at] for one in corners)) - _MARGIN for at in (0, 1))
    right, bottom = (math.ceil(max(one[at] for one in corners)) + _MARGIN for at in (0, 1))
    return _inside(Window(left, top, right - left, bottom - top), dataset)


def _inside(window: Window, dataset: DatasetReader) -> Window | None:
    left, top = max(0, int(window.col_off)), max(0, int(window.row_off))
    right = min(dataset.width, int(window.col_off + window.width))
    bottom = min(dataset.height, int(window.row_off + window.height))
    return Window(left, top, right - left, bottom - top) if right > left and bottom > top else None


def _strip(grid: Grid, rows: slice) -> Grid:
    window = Window(0, rows.start, grid.width, rows.stop - rows.start)
    return Grid(grid.crs, transform_of(window, grid.transform), grid.width, rows.stop - rows.start)


def _empty(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    empty: NDArray[np.bool_] = np.isnan(values) if values.dtype.kind == "f" else values == 0
    return empty


def _fill(dtype: np.dtype[np.generic]) -> float:
    return math.nan if dtype.kind == "f" else 0


def _check_file(raster: RemoteRaster, asset: Asset) -> None:
    """Refuse a file that is not the one that the catalogue describes, as far as that can be told.

    Raises:
        InputError: ``wrong-size``, or ``wrong-checksum`` for a small file.
    """
    size = raster.size
    if asset.size and asset.size != size:
        raise InputError(
            f"{raster.name} has {size} bytes, and {asset.size} by the catalogue.", _LATER, code="wrong-size"
        )
    if asset.checksum and size <= _SMALL_BYTES and agrees(asset.checksum, raster.content()) is False:
        raise InputError(f"{raster.name} has another checksum than by the catalogue.", _LATER, code="wrong-checksum")


def _check(dataset: DatasetReader, asset: Asset, dtype: np.dtype[np.generic]) -> None:
    """Refuse what is no band of numbers of that kind."""
    name = asset.href.rpartition("/")[2]
    stored = np.dtype(dataset.dtypes[0])
    if dataset.crs is None or dataset.count < 1 or (stored.kind == "f") != (dtype.kind == "f"):
        raise InputError(
            f"{name} is no band of a scene: it holds {stored} and {'no' if dataset.crs is None else 'a'} CRS.",
            "Check the assets in the catalogue's profile.",
            code="not-a-raster",
        )


def wanted_bands(overpass: Overpass) -> Iterator[str]:
    """The bands that all items of an overpass have, in the order of the profile."""
    for band in overpass.first.collection.bands:
        if all(band in item.assets for item in overpass.items):
            yield band
