"""Opens NetCDF4 files of others with h5py: variables lie in the file itself, and store what they claim."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.errors import InputError
from sunbreak.extras import require
from sunbreak.regular_files import require_regular

if TYPE_CHECKING:
    import h5py

# of a variable in memory, if it stores next to nothing
_MAX_BYTES, _MAX_RATIO, _VALUE_BYTES = 2**29, 100, 8


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """Turn what HDF5 and NumPy raise for values of the wrong kind into one error.

    Raises:
        InputError: ``damaged``.
    """
    try:
        yield
    # h5py raises RuntimeError and OSError for broken chunks, NumPy the others
    except (OSError, ValueError, TypeError, KeyError, IndexError, OverflowError, RuntimeError, MemoryError) as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[0][:100]
        raise InputError(
            f"{folder}: a file of the site cannot be read ({why}).", "Extract the site again.", code="damaged"
        ) from error


def opened(path: Path) -> h5py.File:
    """Open a file for reading.

    Raises:
        InputError: h5py is not installed (``missing-extra``), or the file is missing or damaged.
    """
    require("h5py", "training", "Reading NetCDF4")
    import h5py

    require_regular(path)
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read as NetCDF4 ({error}).", "Download it again.", code="damaged"
        ) from error


def variable(file: h5py.File, path: Path, name: str, dates: int) -> NDArray[np.float64]:
    """One variable (date, row, column) as stored numbers; NaN for the fill value."""
    if not has(file, name):
        raise InputError(f"{path}: has no {name}.", "Extract the site again.", code="bands-missing")
    check_inside(file, path, name)
    stored: NDArray[Any] = file[name][()]
    if stored.ndim != 3 or len(stored) != dates:
        raise InputError(
            f"{path}: {name} is {stored.shape}, not (date, row, column) with {dates} dates.",
            "Extract the site again.",
            code="dates-differ",
        )
    values = stored.astype(np.float64)
    fill = file[name].attrs.get("_FillValue")
    if fill is not None:
        values[stored == fill] = np.nan
    return values


def per_date(file: h5py.File, path: Path, name: str, dates: int) -> NDArray[np.float32]:
    """One number for each date; NaN if the file has none."""
    if not has(file, name):
        return np.full(dates, np.nan, np.float32)
    check_inside(file, path, name)
    values = np.asarray(file[name][()]).astype(np.float32)
    if values.shape != (dates,):
        raise InputError(
            f"{path}: {name} is {values.shape}, not one number for each of {dates} dates.",
            "Extract the site again.",
            code="dates-differ",
        )
    return values


def has(file: h5py.File, name: str) -> bool:
    """Whether a file has something of this name. A link is not followed, as it is with `in`: it may lead to a pipe."""
    return bool(file.id.links.exists(name.encode()))


def check_inside(file: h5py.File, path: Path, name: str) -> None:
    """HDF5 lets a variable lie in another file, and claim far more than is stored.

    Raises:
        InputError: ``damaged``.
    """
    import h5py

    inside = has(file, name) and file.id.links.get_info(name.encode()).type == h5py.h5l.TYPE_HARD
    held = file[name] if inside else None
    if not isinstance(held, h5py.Dataset) or held.external or held.is_virtual:
        raise InputError(f"{path}: {name} does not lie in the file itself.", "Download it again.", code="damaged")
    claimed = (held.size or 0) * max(held.dtype.itemsize, _VALUE_BYTES)
    if claimed > max(_MAX_BYTES, _MAX_RATIO * held.id.get_storage_size()):
        raise InputError(f"{path}: {name} claims {held.shape} numbers.", "Download it again.", code="damaged")


def text_of(value: Any) -> str:
    """The text of an attribute."""
    return value.decode() if isinstance(value, bytes) else str(value)
