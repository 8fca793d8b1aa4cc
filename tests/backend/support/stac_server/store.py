"""The files that are served: each is made when it is first asked for, and kept in the folder."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from PIL import Image
from rasterio.windows import Window

from . import dates, world
from .dates import OpticalDate, RadarDate, Tile

_BLOCK = 512
Make = Callable[[Path], None]


class Store:
    """Files by name.

    Args:
        folder: Where they are kept; one folder below it for each version of the code that makes them.
    """

    def __init__(self, folder: Path) -> None:
        sources = b"".join(Path(str(module.__file__)).read_bytes() for module in (dates, world))
        sources += Path(__file__).read_bytes()
        self.folder = folder / "files" / hashlib.sha256(sources).hexdigest()[:12]
        self.folder.mkdir(parents=True, exist_ok=True)
        self._recipes: dict[str, Make] = {}
        self._locks: dict[str, threading.Lock] = {}

    def add(self, name: str, make: Make) -> str:
        """Register a file; `make` writes it to the path that it is given. Gives the name back."""
        self._recipes.setdefault(name, make)
        self._locks.setdefault(name, threading.Lock())
        return name

    def __contains__(self, name: str) -> bool:
        return name in self._recipes

    def path(self, name: str) -> Path:
        """The file of a name, made now if it is not there.

        Raises:
            KeyError: No such file was added.
        """
        path = self.folder / name
        with self._locks[name]:
            if not path.exists():
                draft = self.folder / f"{os.getpid()}-{threading.get_ident()}-{name}"
                self._recipes[name](draft)
                draft.replace(path)
        return path

    def multihash(self, name: str) -> str:
        """SHA-256 of a file as ``file:checksum`` has it: a multihash in hexadecimal digits."""
        return "1220" + hashlib.sha256(self.path(name).read_bytes()).hexdigest()

    def band(self, date: OpticalDate, tile: Tile, band: str, level: str, shift: int) -> str:
        """Name of the COG of a band of Sentinel-2, see `world.band_image`."""

        def make(path: Path) -> None:
            write_cog(path, world.band_image(date, tile, band, level, shift), tile, band, nodata=0)

        return self.add(f"{_tile(date, tile)}_{level}_{band}_{shift}.tif", make)

    def classes(self, date: OpticalDate, tile: Tile) -> str:
        """Name of the COG of the scene classification at 20 m."""

        def make(path: Path) -> None:
            write_cog(path, world.class_image(date, tile), tile, "SCL", nodata=0, resampling="NEAREST")

        return self.add(f"{_tile(date, tile)}_SCL.tif", make)

    def visual(self, date: OpticalDate, tile: Tile) -> str:
        """Name of the true-colour COG at 10 m."""

        def make(path: Path) -> None:
            write_cog(path, world.picture(date, tile), tile, "TCI", nodata=0)

        return self.add(f"{_tile(date, tile)}_TCI.tif", make)

    def thumbnail(self, date: OpticalDate, tile: Tile, ending: str = "png") -> str:
        """Name of a small true-colour picture."""

        def make(path: Path) -> None:
            image = world.picture(date, tile, 6).transpose(1, 2, 0)
            with path.open("wb") as file:
                Image.fromarray(np.ascontiguousarray(image)).save(file, "JPEG" if ending == "jpg" else "PNG")

        return self.add(f"{_tile(date, tile)}_thumbnail.{ending}", make)

    def radar(self, date: RadarDate, polarisation: str) -> str:
        """Name of the COG of terrain-corrected backscatter, linear gamma0."""

        def make(path: Path) -> None:
            write_cog(path, world.radar_image(date, dates.SLICE, polarisation), dates.SLICE, "B02", nodata=-32768)

        return self.add(f"{date.name}_{polarisation}_rtc.tif", make)

    def ground_range(self, date: RadarDate, polarisation: str) -> str:
        """Name of a raster of uncalibrated amplitudes, which has no coordinates."""

        def make(path: Path) -> None:
            image = world.radar_image(date, dates.SLICE, polarisation)
            stored = np.sqrt(np.clip(image, 0, None) * 200_000).astype(np.uint16)
            profile = {"driver": "GTiff", "dtype": "uint16", "count": 1, "compress": "deflate"}
            with rasterio.open(path, "w", height=stored.shape[0], width=stored.shape[1], **profile) as target:
                target.write(stored, 1)

        return self.add(f"{date.name}_{polarisation}_grd.tif", make)


def write_cog(
    path: Path, image: NDArray[np.generic], tile: Tile, band: str, *, nodata: float, resampling: str = "AVERAGE"
) -> None:
    """Write an image as a COG with overviews on the grid of a band; what the image does not cover has no data.

    Args:
        path: The file.
        image: (row, column) or (channel, row, column), at the upper left corner of the tile.
        tile: Its grid.
        band: Gives the resolution.
        nodata: Value without data.
        resampling: Of the overviews.
    """
    transform, (rows, columns) = world.grid(tile, band)
    planes = image if image.ndim == 3 else image[None]
    profile = {
        "driver": "GTiff", "dtype": planes.dtype, "count": planes.shape[0], "height": rows, "width": columns,
        "crs": f"EPSG:{tile.epsg}", "transform": transform, "nodata": nodata,
        "tiled": True, "blockxsize": _BLOCK, "blockysize": _BLOCK, "SPARSE_OK": True,
    }  # fmt: skip
    flat = path.with_name(path.name + ".flat")
    with rasterio.open(flat, "w", **profile) as target:
        target.write(planes, window=Window(0, 0, planes.shape[2], planes.shape[1]))
    options = {"OVERVIEW_RESAMPLING": resampling, "OVERVIEWS": "IGNORE_EXISTING", "SPARSE_OK": "YES"}
    packing = {"COMPRESS": "DEFLATE", "LEVEL": "1", "PREDICTOR": "YES", "BLOCKSIZE": str(_BLOCK)}
    rasterio.shutil.copy(flat, path, driver="COG", **options, **packing)
    flat.unlink()


def _tile(date: OpticalDate, tile: Tile) -> str:
    return f"{date.stamp}_T{tile.name}_{tile.columns}"
