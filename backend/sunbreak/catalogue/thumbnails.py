"""Small true-colour pictures of a place, one for each overpass."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sunbreak.catalogue.connection import Catalogue
from sunbreak.catalogue.items import CatalogueItem
from sunbreak.catalogue.overpasses import Overpass
from sunbreak.catalogue.place import Place
from sunbreak.catalogue.sampling import sample
from sunbreak.drafts import write_bytes

_PIXELS = 192  # along the longer side
_RGB = ("B04", "B03", "B02")
_BRIGHT = 3000.0  # DN above the offset that become white


def write_thumbnail(catalogue: Catalogue, overpass: Overpass, place: Place, path: Path) -> None:
    """Write a PNG of the rectangle around a place, 192 pixels along its longer side; transparent without data.

    Raises:
        SunbreakError: The picture cannot be read.
        OSError: The file cannot be written.
    """
    from PIL import Image

    lon, lat, shape = _mesh(place)
    pixels = np.zeros((4, lon.size), np.uint8)
    for item in overpass.items:
        empty = pixels[3] == 0
        if empty.any():
            colours, seen = _colours(catalogue, item, lon[empty], lat[empty])
            pixels[:, empty] = np.concatenate([colours * seen, 255 * seen[None]]).astype(np.uint8)
    picture = Image.fromarray(pixels.reshape(4, *shape).transpose(1, 2, 0).copy(), "RGBA")
    content = io.BytesIO()
    picture.save(content, "PNG")
    write_bytes(path, content.getbuffer())


def _colours(
    catalogue: Catalogue, item: CatalogueItem, lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Red, green and blue, (3, n), and where there is data, (n,)."""
    if item.picture is not None:
        with catalogue.raster(item.picture).open() as dataset:
            if dataset.count >= 3 and dataset.dtypes[0] == "uint8":
                values, _ = sample(dataset, lon, lat, [1, 2, 3])
                return values.astype(np.uint8), np.any(values > 0, axis=0)
    bands = []
    for band in _RGB:
        with catalogue.raster(item.assets[band]).open() as dataset:
            bands.append(sample(dataset, lon, lat, [1])[0][0])
    stored = np.stack(bands)
    scaled = np.clip((stored + (item.offset or 0.0)) / _BRIGHT, 0, 1) ** 0.8
    return np.rint(255 * scaled).astype(np.uint8), np.all(stored > 0, axis=0)


def _mesh(place: Place) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[int, int]]:
    west, south, east, north = place.bounds
    width = (east - west) * max(math.cos(math.radians((south + north) / 2)), 0.05)
    height = north - south
    columns, rows = (max(8, round(_PIXELS * side / max(width, height))) for side in (width, height))
    x = west + (np.arange(columns) + 0.5) * (east - west) / columns
    y = north - (np.arange(rows) + 0.5) * (north - south) / rows
    lon, lat = (axis.ravel() for axis in np.meshgrid(x, y))
    return lon, lat, (rows, columns)
