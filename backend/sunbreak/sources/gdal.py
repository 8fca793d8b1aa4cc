"""The one place where GDAL opens a raster for reading, and the settings that it reads under.

GDAL is held to the one file that was named, by the driver that its content asks for. Files beside it (``.aux.xml``,
``.ovr``, ``.msk``, world files) and files that its own tags name are never opened: any of them can hold an address, and
GDAL would open it with any driver that it has.
"""

from __future__ import annotations

import secrets
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.abc import FileContainer
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.regular_files import require_regular
from sunbreak.sources.claims import check_claims
from sunbreak.sources.places import gdal_name, on_disk

# GDAL takes bytes here; 512 would be 512 bytes. Holds a row of 512 px blocks of a full-width scene, radar and mask.
CACHE_BYTES = 200 * 2**20

Driver = Literal["GTiff", "JP2OpenJPEG"]

_ALONE = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_GEOREF_SOURCES": "INTERNAL",
    "TIFF_USE_OVR": "NO",
    # an ending that no address has: should anything be missed, nothing is fetched
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": f".{secrets.token_hex(8)}",
}


_report_unraisable = sys.unraisablehook


def _drop_undecodable(given: sys.UnraisableHookArgs) -> None:
    """Leave out the traceback that rasterio prints when GDAL quotes bytes of a broken file that are not UTF-8."""
    if not (isinstance(given.exc_value, UnicodeDecodeError) and "log_error" in str(given.object)):
        _report_unraisable(given)


sys.unraisablehook = _drop_undecodable


def environment() -> rasterio.Env:
    """The GDAL settings that every read of ours runs under. Nothing is set for the process as a whole."""
    return rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES, **_ALONE)


def open_dataset(path: Path, driver: Driver = "GTiff") -> DatasetReader:
    """Open a local file with one driver, and no file beside it. The caller closes it.

    For files of data sets and our own; `LocalRaster` opens what a user names, and says more exactly what is wrong. A
    raster that has no georeference is opened without a warning;
    `sunbreak.scene.georeference` refuses it where a georeference is needed.

    Raises:
        InputError: ``too-large`` for what it claims.
        rasterio.errors.RasterioError: It is missing, no regular file, cannot be opened with this driver, or its tags
            name another file for its overviews.
    """
    check_claims(path)
    return _open(path, driver)


def open_staged(path: Path) -> DatasetReader:
    """Open a layer that this run is writing: a GeoTIFF, or the VRT over its raw file. The caller closes it.

    Raises:
        rasterio.errors.RasterioError: It cannot be opened.
    """
    return _open(path, "VRT" if path.suffix == ".vrt" else "GTiff")


def open_pinned(text: str) -> DatasetReader:
    """Open what `sunbreak.sources.vrt_text` wrote: a VRT over files that were checked. The caller closes it.

    GDAL opens the files when they are read; that has to happen in `environment` too.

    Args:
        text: The text of the VRT, or the name of one file pinned to its driver.

    Raises:
        rasterio.errors.RasterioError: It cannot be opened.
    """
    with warnings.catch_warnings(), environment():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        # settings of the environment hold for this thread, so that no other may read
        return rasterio.open(text, driver="VRT", **({"NUM_THREADS": "1"} if text.startswith("<") else {}))


def open_container(container: FileContainer, name: str) -> DatasetReader:
    """Open a GeoTIFF that GDAL reads through Python only. The caller closes it.

    Args:
        container: Gives the file of this name; it has to say that there is no other.
        name: Of the file, as GDAL asks for it.

    Raises:
        rasterio.errors.RasterioError: It cannot be opened, or its tags name another file for its overviews.
    """
    with warnings.catch_warnings(), environment():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        # threads of GDAL's own would call Python
        return _without_others(rasterio.open(name, driver="GTiff", opener=container, NUM_THREADS="1"))


def read_bands(dataset: DatasetReader, bands: Sequence[int], window: Window) -> NDArray[Any]:
    """Stored numbers (band, row, column) of a window, in the type that holds those of all bands.

    rasterio reads bands of one type together. Those of a virtual raster may be of several.
    """
    if len({dataset.dtypes[band - 1] for band in bands}) == 1:
        together: NDArray[Any] = dataset.read(list(bands), window=window)
        return together
    return np.stack([dataset.read(band, window=window) for band in bands])


def _open(path: Path, driver: str) -> DatasetReader:
    try:
        require_regular(on_disk(path), "raster")
        name = gdal_name(path)
    except InputError as error:
        raise RasterioIOError(error.message) from error
    with warnings.catch_warnings(), environment():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        return _without_others(rasterio.open(name, driver=driver))


def _without_others(dataset: DatasetReader) -> DatasetReader:
    """The raster, if its tags lead to no other file."""
    try:
        if any(key.upper() == "OVERVIEW_FILE" for key in dataset.tags(ns="OVERVIEWS")):
            raise RasterioIOError("its tags name another file for its overviews")
    except BaseException:
        dataset.close()
        raise
    return dataset
