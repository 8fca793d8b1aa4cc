"""Reads files of data sets. Errors name the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.sources import LocalRaster
from sunbreak.sources.gdal import open_dataset


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a raster file without the warning about a missing georeference."""
    with open_dataset(path) as source:
        yield source


def read_raster(path: Path, bands: int, window: Window | None = None) -> NDArray[Any]:
    """Read a file of a data set, (band, row, column).

    Raises:
        InputError: The file cannot be read or has another number of bands.
    """
    try:
        with opened(path) as source:
            if source.count != bands:
                raise _other_bands(path, source.count, bands)
            values: NDArray[Any] = source.read(window=window)
    except (RasterioError, OSError) as error:
        raise InputError(f"{path}: cannot be read ({_reason(error)}).", "Fetch it again.", code="unreadable") from error
    return values


def raster_shape(path: Path, bands: int) -> tuple[int, int]:
    """Rows and columns of a file, from its header.

    Raises:
        InputError: The file cannot be read or has another number of bands.
    """
    try:
        with opened(path) as source:
            count, shape = source.count, (source.height, source.width)
    except (RasterioError, OSError) as error:
        raise InputError(f"{path}: cannot be read ({_reason(error)}).", "Fetch it again.", code="unreadable") from error
    if count != bands:
        raise _other_bands(path, count, bands)
    return shape


def _other_bands(path: Path, count: int, wanted: int) -> InputError:
    return InputError(f"{path}: has {count} bands, not {wanted}.", "Fetch it again.", code="bands-missing")


def _reason(error: Exception) -> str:
    text = str(error.__cause__ or error).strip().splitlines()
    return text[0] if text else type(error).__name__


def stamp(path: Path, hint: str = "Fetch it again.") -> str:
    """Fingerprint of a file: name, size and time of modification.

    Args:
        path: The file.
        hint: Hint of the error.

    Raises:
        InputError: The file does not exist.
    """
    try:
        facts = LocalRaster(path).fingerprint()
    except OSError as error:
        raise InputError(f"{path}: the file no longer exists ({error.strerror}).", hint, code="missing-file") from error
    return f"{path.name} {facts.size} {facts.modified}"
