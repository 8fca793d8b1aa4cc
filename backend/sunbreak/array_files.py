"""The one reader of NPZ files: what their headers claim is compared with what is stored, before memory is taken.

A deflated member can claim a thousand times its stored size, and the header of an array any number of elements.
"""

from __future__ import annotations

import io
import math
import sys
import tokenize
import zipfile
import zlib
from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]

_MAX_MEMBERS = 10_000
_TAIL_BYTES = 2**20
_MAX_HEADER_BYTES = 2**16
_RATIO_FROM = 2**27
_MAX_RATIO = 100
_MAX_BYTES = 2**36
_ENCRYPTED = 1
_SUFFIX = ".npy"


class DamagedArrays(ValueError):
    """A file is no NPZ file, is damaged, or claims more than it may; the text says what, in a few words."""


def read_arrays(file: BinaryIO, names: Iterable[str] | None = None) -> Arrays:
    """The arrays of a file that `numpy.savez` or `numpy.savez_compressed` wrote.

    Args:
        file: Opened at its beginning; it can seek.
        names: The arrays to read; all if not given.

    Returns:
        The arrays by name, without those that are not there.

    Raises:
        DamagedArrays: The file holds something else, Python objects, or more than it may: more than 10,000 arrays, more
            than 64 GiB, or, from 128 MiB on, more than 100 times its own size.
        OSError: It cannot be read.
    """
    wanted = None if names is None else set(names)
    try:
        with zipfile.ZipFile(_checked(file)) as archive:
            members = _members(archive, file.seek(0, io.SEEK_END))
            return {
                name: _array(archive, member) for name, member in members.items() if wanted is None or name in wanted
            }
    except (DamagedArrays, OSError):
        raise
    # what zipfile, zlib and numpy raise for bytes that are something else
    except (
        zipfile.BadZipFile, zlib.error, EOFError, ValueError, TypeError, KeyError, IndexError, OverflowError,
        SyntaxError, RuntimeError, NotImplementedError, MemoryError, tokenize.TokenError,
    ) as error:  # fmt: skip
        raise DamagedArrays(f"it is damaged: {type(error).__name__}") from error


def _checked(file: BinaryIO) -> BinaryIO:
    """The file, if its directory is not longer than that of any NPZ file."""
    start, size = file.read(len(npy.MAGIC_PREFIX)), file.seek(0, io.SEEK_END)
    if start == npy.MAGIC_PREFIX:
        raise DamagedArrays("it holds a single array")
    if not start.startswith(b"PK"):
        raise DamagedArrays("it is no NPZ file")
    file.seek(max(0, size - _TAIL_BYTES))
    if file.read().count(b"PK\x01\x02") > _MAX_MEMBERS:
        raise DamagedArrays(f"it holds more than {_MAX_MEMBERS} arrays")
    file.seek(0)
    return file


def _members(archive: zipfile.ZipFile, stored: int) -> dict[str, zipfile.ZipInfo]:
    """The members by the name of their array; together they claim no more than they may."""
    found: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        name = member.filename.removesuffix(_SUFFIX)
        if name in found:
            raise DamagedArrays("it holds two arrays of one name")
        if member.flag_bits & _ENCRYPTED or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DamagedArrays("its arrays are packed in a way that NumPy does not use")
        found[name] = member
    if len(found) > _MAX_MEMBERS:
        raise DamagedArrays(f"it holds more than {_MAX_MEMBERS} arrays")
    claimed = sum(member.file_size for member in found.values())
    if claimed > _MAX_BYTES or (claimed > _RATIO_FROM and claimed > _MAX_RATIO * stored):
        raise DamagedArrays(f"it claims {claimed / 2**20:,.0f} MiB and stores {stored / 2**20:.3g} MiB")
    return found


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(member) as stream:
        head = io.BytesIO(stream.read(_MAX_HEADER_BYTES))
        shape, kind = _header(head)
        count = math.prod(shape)
        if kind.hasobject:
            raise DamagedArrays("it holds Python objects")
        # elements without a size could be any number
        if min(shape, default=0) < 0 or count * max(kind.itemsize, 1) != member.file_size - head.tell():
            raise DamagedArrays(f"an array claims {_short(shape)} elements, and the file does not hold them")
    with archive.open(member) as stream:
        values: NDArray[Any] = npy.read_array(stream, allow_pickle=False)  # type: ignore[no-untyped-call]
        stream.read(1)  # at its end the checksum is compared
    if kind.kind == "U" and kind.itemsize and values.size:
        letters = np.ascontiguousarray(values).view(np.dtype("u4").newbyteorder(kind.byteorder))
        if int(letters.max()) > sys.maxunicode:
            raise DamagedArrays("it holds texts of letters that there are not")
    return values


def _header(head: io.BytesIO) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(head)  # type: ignore[no-untyped-call]
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, kind = read(head)  # type: ignore[no-untyped-call]
    return shape, kind


def _short(shape: tuple[int, ...]) -> str:
    text = " x ".join(map(str, shape[:4])) or "1"
    return text if len(text) <= 60 else f"{text[:57]}..."
