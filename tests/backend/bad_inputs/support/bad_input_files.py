"""Makes the rasters of the suite, and edits the bytes of TIFF files."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.transform import from_origin

HERE = from_origin(500000, 5300000, 10, 10)


def write_raster(path: Path, values: np.ndarray, bands: Sequence[str] = (), **options: Any) -> Path:
    """Write (band, row, column) as GeoTIFF at 10 m in UTM 32N unless told otherwise."""
    tags, band_tags = options.pop("tags", {}), options.pop("band_tags", {})
    profile = {
        "driver": "GTiff", "count": len(values), "height": values.shape[1], "width": values.shape[2],
        "dtype": values.dtype, "crs": "EPSG:32632", "transform": HERE, **options,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(values)
        target.update_tags(**tags)
        for index, band in enumerate(bands, 1):
            target.set_band_description(index, band)
        for index, of_band in band_tags.items():
            target.update_tags(index, **of_band)
    return path


def read_raster(path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """The values and the band names."""
    with rasterio.open(path) as source:
        return source.read(), tuple(name or "" for name in source.descriptions)


def rewrite(path: Path, change: Callable[[np.ndarray], np.ndarray] = lambda values: values, **options: Any) -> Path:
    """Write a raster again with changed values or another profile."""
    values, bands = read_raster(path)
    bands = options.pop("bands", bands)
    return write_raster(path, change(values), bands, **options)


def moved(columns: float = 0, rows: float = 0) -> Affine:
    """The georeference of the good scene, so many pixels away."""
    return HERE * Affine.translation(columns, rows)


def patch_tag(
    path: Path, tag: int, *, kind: int | None = None, count: int | None = None, value: int | None = None
) -> Path:
    """Change an entry in the first directory of a classic little-endian TIFF."""
    data = bytearray(path.read_bytes())
    assert data[:4] == b"II*\0"
    directory = struct.unpack_from("<I", data, 4)[0]
    for entry in range(directory + 2, directory + 2 + 12 * struct.unpack_from("<H", data, directory)[0], 12):
        if struct.unpack_from("<H", data, entry)[0] == tag:
            old = struct.unpack_from("<HHII", data, entry)
            new = (old[0], *(a if b is None else b for a, b in zip(old[1:], (kind, count, value), strict=True)))
            struct.pack_into("<HHII", data, entry, *new)
            path.write_bytes(data)
            return path
    raise AssertionError(f"no tag {tag}")


def replace_bytes(path: Path, old: bytes, new: bytes) -> Path:
    """Replace a text of the same length inside a file."""
    assert len(old) == len(new)
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))
    return path


def sparse_claim(path: Path, side: int, count: int = 1, dtype: str = "uint8", **options: Any) -> Path:
    """A small GeoTIFF that claims `side` x `side` pixels, hardly any of which was ever written."""
    profile = {
        "driver": "GTiff", "count": count, "height": side, "width": side, "dtype": dtype, "crs": "EPSG:32632",
        "transform": HERE, "tiled": True, "blockxsize": 4096, "blockysize": 4096, "SPARSE_OK": True,
        "compress": "deflate", **options,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(np.ones((count, 16, 16), dtype), window=((0, 16), (0, 16)))
    return path


def vrt_text(source: str, bands: int = 13, kind: str = "UInt16") -> str:
    """A virtual raster over another file or address."""
    each = "".join(
        f'<VRTRasterBand dataType="{kind}" band="{index}"><SimpleSource><SourceFilename>{source}</SourceFilename>'
        f"<SourceBand>{index}</SourceBand></SimpleSource></VRTRasterBand>"
        for index in range(1, bands + 1)
    )
    return (
        '<VRTDataset rasterXSize="64" rasterYSize="64"><SRS>EPSG:32632</SRS>'
        f"<GeoTransform>500000, 10, 0, 5300000, 0, -10</GeoTransform>{each}</VRTDataset>"
    )
