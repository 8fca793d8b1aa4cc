"""The one place where GDAL opens a raster for reading, and the settings that it reads under."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Literal

import rasterio
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import DatasetReader

# GDAL takes bytes here; 512 would be 512 bytes. Holds a row of 512 px blocks of a full-width scene, radar and mask.
CACHE_BYTES = 200 * 2**20

Driver = Literal["GTiff", "JP2OpenJPEG"]


def environment() -> rasterio.Env:
    """The GDAL settings that every read of ours runs under. Nothing is set for the process as a whole."""
    return rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES)


def open_dataset(path: Path, driver: Driver = "GTiff") -> DatasetReader:
    """Open a local file with one driver. The caller closes it.

    A raster that has no georeference is opened without a warning; `sunbreak.scene.georeference` refuses it where a
    georeference is needed.

    Raises:
        rasterio.errors.RasterioError: It cannot be opened with this driver.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        return rasterio.open(path, driver=driver)
