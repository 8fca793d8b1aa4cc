"""Arrays of the served images: the demo mirrored without end, with other clouds, other speckle and a scene
classification."""

from __future__ import annotations

import zlib
from functools import cache, lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine, from_origin
from rasterio.warp import Resampling, reproject, transform_bounds
from scipy.ndimage import uniform_filter

from sunbreak.datasets.simulation.spectra import PATH

from .dates import DEMO_EPSG, DEMO_LEFT, DEMO_PIXELS, DEMO_TOP, OpticalDate, RadarDate, RealDate, Tile

BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
_STEPS = {"B01": 6, "B09": 6, "B10": 6, "B02": 1, "B03": 1, "B04": 1, "B08": 1, "TCI": 1}
_DEMO = Path(__file__).resolve().parents[4] / "resources" / "demo"
_LOOKS = 4.4  # of a GRD product
# two-way transmittance and spherical albedo of `sunbreak.training.removal.l2a_to_l1c.optics`, whose import takes seconds
THROUGH = (0.7094, 0.7789, 0.7948, 0.8788, 0.8817, 0.9046, 0.9318, 0.8967, 0.9484, 0.966, 0.984, 0.9483, 0.9031)
SKY = (0.1719, 0.1207, 0.0761, 0.0396, 0.0317, 0.026, 0.0209, 0.0164, 0.0141, 0.0099, 0.0022, 0.0012, 0.0003)

NODATA, SHADOW, VEGETATION, BARE, WATER, MEDIUM, HIGH, CIRRUS = 0, 3, 4, 5, 6, 8, 9, 10
CLOUDS = (MEDIUM, HIGH, CIRRUS)

Array = NDArray[np.float32]
Number = TypeVar("Number", bound=np.generic)
Classes = NDArray[np.uint8]


def step(band: str) -> int:
    """Pixel of a band in units of 10 m: 1, 2 or 6."""
    return _STEPS.get(band, 2)


def mirrored(patch: NDArray[Number], row: int, column: int, rows: int, columns: int) -> NDArray[Number]:
    """A window (rows, columns) of the plane that the mirrored patch fills; the patch's first pixel is at (0, 0)."""
    picked = []
    for start, count, size in ((row, rows, patch.shape[0]), (column, columns, patch.shape[1])):
        index = (start + np.arange(count)) % (2 * size)
        picked.append(np.where(index < size, index, 2 * size - 1 - index))
    return np.asarray(patch[np.ix_(*picked)])


@cache
def _demo(name: str, band: str = "B01") -> Array:
    with rasterio.open(_DEMO / f"demo_{name}.tif") as raster:
        found = raster.descriptions.index(band) + 1 if name.startswith(("s1", "s2")) else 1
        return np.asarray(raster.read(found), np.float32)


@cache
def _classes_of(name: str) -> Classes:
    """Scene classification of a demo file: what is brighter or darker than the clear file is cloud or shadow."""
    clear, seen = ({band: _demo(f"s2_{file}", band) for band in ("B02", "B08", "B12")} for file in ("clear", name))
    red = _demo("s2_clear", "B04")
    ndvi = (clear["B08"] - red) / (clear["B08"] + red)
    classes = np.where(ndvi > 0.45, VEGETATION, BARE).astype(np.uint8)
    classes[(clear["B08"] < 900) & (clear["B12"] < 500)] = WATER
    if name == "clear":
        return classes
    brighter = seen["B02"] - clear["B02"]
    darker = (seen["B08"] / clear["B08"] < 0.8) & (seen["B12"] / clear["B12"] < 0.8)
    if name == "cloudy":
        thick = _demo("cloud") > 0
        thin = ~thick & (brighter > 100)
    else:
        thick, thin = brighter > 600, (brighter > 350) & (brighter <= 600)
        darker &= seen["B08"] / clear["B08"] < 0.55
    classes[darker & ~thick & ~thin] = SHADOW
    classes[thin] = CIRRUS
    classes[thick] = np.where(brighter[thick] > 1500, HIGH, MEDIUM)
    return classes


def _taken(part: float) -> Array:
    """(1, column), 1 in the first columns, with a soft edge."""
    edge = part * DEMO_PIXELS * 1.1 - np.arange(DEMO_PIXELS)
    return np.clip(edge / 40, 0, 1).astype(np.float32)[None]


@lru_cache(maxsize=64)
def patch_classes(date: OpticalDate) -> Classes:
    """Scene classification (768, 768) of the demo's place on a date, without no data."""
    classes = _classes_of(date.base).copy()
    layer = _classes_of("cloudy")
    for row, column, part in date.layers:
        shifted = mirrored(layer, row, column, *classes.shape)
        over = (np.isin(shifted, (*CLOUDS, SHADOW))) & (_taken(part) > 0.5)
        over &= ~((shifted == SHADOW) & np.isin(classes, CLOUDS))
        over &= ~((shifted == CIRRUS) & np.isin(classes, (MEDIUM, HIGH)))
        classes[over] = shifted[over]
    return classes


def patch_numbers(date: OpticalDate, band: str) -> Array:
    """L1C numbers (768, 768) of the demo's place on a date: 10000 is reflectance 1, no offset."""
    clear = _demo("s2_clear", band)
    ground = _demo(f"s2_{date.base}", band) * date.gain
    change = _demo("s2_cloudy", band) - clear
    change[_classes_of("cloudy") == _classes_of("clear")] = 0
    bright, dark = np.zeros_like(ground), np.zeros_like(ground)
    for row, column, part in date.layers:
        shifted = mirrored(change, row, column, *ground.shape) * _taken(part)
        bright, dark = np.maximum(bright, shifted), np.minimum(dark, shifted)
    return np.asarray(np.maximum(ground + np.where(bright > 0, bright, dark), 1), np.float32)


def at_ground(numbers: Array, band: str) -> Array:
    """L2A numbers from L1C numbers, with the project's one clear atmosphere (no offset; may be negative)."""
    through, sky = THROUGH[BANDS.index(band)], SKY[BANDS.index(band)]
    seen = (numbers / 10000 - PATH[BANDS.index(band)]) / through
    return np.asarray(10000 * seen / (1 + sky * seen), np.float32)


def valid(date: OpticalDate | RadarDate, tile: Tile) -> NDArray[np.bool_]:
    """(row, column) of the filled part of a tile at 10 m: where the swath has data."""
    left, bottom, right, top = tile.bounds
    columns = left + 10 * np.arange(round((right - left) / 10)) + 5
    rows = top - 10 * np.arange(round((top - bottom) / 10)) - 5
    if date.edge is None:
        return np.ones((rows.size, columns.size), bool)
    line = np.array([date.edge.at(northing) for northing in rows])[:, None]
    return columns[None] < line if date.edge.side == "west" else columns[None] > line


def place(patch: NDArray[Number], tile: Tile, nearest: bool = False) -> NDArray[Number]:
    """The filled part of a tile at 10 m, out of the mirrored patch; warped if the tile is in another UTM zone."""
    left, bottom, right, top = tile.bounds
    shape = round((top - bottom) / 10), round((right - left) / 10)
    if tile.epsg == DEMO_EPSG:
        return mirrored(patch, (DEMO_TOP - tile.top) // 10, (tile.left - DEMO_LEFT) // 10, *shape)
    west, south, east, north = transform_bounds(f"EPSG:{tile.epsg}", f"EPSG:{DEMO_EPSG}", left, bottom, right, top)
    column, row = int(west - DEMO_LEFT) // 10 - 2, int(DEMO_TOP - north) // 10 - 2
    source = mirrored(patch, row, column, int(north - south) // 10 + 4, int(east - west) // 10 + 4)
    out = np.zeros(shape, patch.dtype)
    reproject(
        np.ascontiguousarray(source),
        out,
        src_transform=from_origin(DEMO_LEFT + 10 * column, DEMO_TOP - 10 * row, 10, 10),
        src_crs=f"EPSG:{DEMO_EPSG}",
        dst_transform=from_origin(left, top, 10, 10),
        dst_crs=f"EPSG:{tile.epsg}",
        resampling=Resampling.nearest if nearest else Resampling.bilinear,
    )
    return out


@lru_cache(maxsize=64)
def _warped(file: Path, tile: Tile, index: int) -> Array:
    left, bottom, right, top = tile.bounds
    out = np.zeros((round((top - bottom) / 10), round((right - left) / 10)), np.float32)
    with rasterio.open(file) as raster:
        reproject(
            rasterio.band(raster, index + 1),
            out,
            dst_transform=from_origin(left, top, 10, 10),
            dst_crs=f"EPSG:{tile.epsg}",
            resampling=Resampling.bilinear,
        )
    return out


def numbers_of(date: OpticalDate, tile: Tile, band: str, level: str) -> Array:
    """Numbers of the filled part of an image at 10 m, without offset."""
    if isinstance(date, RealDate):
        numbers = np.maximum(_warped(date.file, tile, BANDS.index(band)), 1)
        return at_ground(numbers, band) if level == "L2A" else numbers
    numbers = patch_numbers(date, band)
    if level == "L2A":
        numbers = at_ground(numbers, band)
    return np.asarray(place(numbers, tile), np.float32)


def classes_of(date: OpticalDate, tile: Tile) -> Classes:
    """Scene classification of the filled part of an image at 10 m."""
    if not isinstance(date, RealDate):
        return np.asarray(place(patch_classes(date), tile, nearest=True), np.uint8)
    blue, red, nir, cirrus, swir = (
        _warped(date.file, tile, BANDS.index(band)) for band in ("B02", "B04", "B08", "B10", "B11")
    )
    classes = np.where((nir - red) / np.maximum(nir + red, 1) > 0.35, VEGETATION, BARE).astype(np.uint8)
    classes[cirrus > 120] = CIRRUS
    classes[(blue > 1700) & (swir > 700)] = MEDIUM
    classes[(blue > 2600) & (swir > 1200)] = HIGH
    return classes


def coarser(image: Array, factor: int) -> Array:
    """The mean of blocks of pixels."""
    rows, columns = (size // factor for size in image.shape)
    return np.asarray(image.reshape(rows, factor, columns, factor).mean((1, 3)), np.float32)


def band_image(date: OpticalDate, tile: Tile, band: str, level: str, shift: int) -> NDArray[np.uint16]:
    """Stored numbers of a band at its own resolution, 0 without data.

    Args:
        date: The overpass.
        tile: Its image.
        band: Such as ``B02``.
        level: ``L1C`` or ``L2A``.
        shift: Added to the numbers: 1000 since processing baseline 04.00, otherwise 0.
    """
    image = coarser(numbers_of(date, tile, band, level), step(band))
    stored = np.clip(np.rint(image) + shift, 1, 65535).astype(np.uint16)
    stored[~valid(date, tile)[:: step(band), :: step(band)]] = 0
    return stored


def class_image(date: OpticalDate, tile: Tile) -> Classes:
    """Scene classification of an image at 20 m, 0 without data."""
    classes = classes_of(date, tile)[::2, ::2].copy()
    classes[~valid(date, tile)[::2, ::2]] = NODATA
    return classes


def picture(date: OpticalDate, tile: Tile, factor: int = 1) -> NDArray[np.uint8]:
    """True colours (3, row, column) of an image, 8 bits, at `factor` times 10 m."""
    bands = []
    seen = valid(date, tile)[::factor, ::factor]
    for band in ("B04", "B03", "B02"):
        image = numbers_of(date, tile, band, "L2A")[::factor, ::factor]
        bands.append(np.where(seen, np.clip(image * 255 / 3000, 1, 255), 0).astype(np.uint8))
    return np.stack(bands)


def radar_image(date: RadarDate, tile: Tile, polarisation: str) -> Array:
    """Backscatter gamma0 of an image at 10 m, linear, with its own speckle; -32768 without data."""
    intensity = uniform_filter(10 ** (_demo("s1", polarisation) / 10), 3)
    rng = np.random.default_rng(zlib.crc32(f"{date.name}{polarisation}".encode()))
    image = place(intensity, tile)
    image = image * rng.gamma(_LOOKS, 1 / _LOOKS, image.shape).astype(np.float32)
    return np.where(valid(date, tile), image, np.float32(-32768)).astype(np.float32)


@cache
def cloud_cover(date: OpticalDate, tile: Tile) -> tuple[float, float, float]:
    """Percent of an image that is cloud, shadow and no data; the first two of the pixels with data."""
    classes = class_image(date, tile)
    seen = classes[classes != NODATA]
    empty = 1 - seen.size / (tile.rows * tile.columns / 4)
    return (
        round(100 * float(np.isin(seen, CLOUDS).mean()), 4),
        round(100 * float((seen == SHADOW).mean()), 4),
        round(100 * max(float(empty), 0), 4),
    )


def grid(tile: Tile, band: str) -> tuple[Affine, tuple[int, int]]:
    """Transform and (rows, columns) of a band of a tile."""
    size = 10 * step(band)
    return from_origin(tile.left, tile.top, size, size), (tile.rows // step(band), tile.columns // step(band))
