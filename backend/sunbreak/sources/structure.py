"""Checks whether TIFF and JPEG 2000 files are whole, from their byte layout and without decoding a pixel.

GDAL opens a truncated TIFF, and one whose writer was killed, without an error: the first fails in the middle of a run,
the second reads as zeros. The block offsets of the first image directory reveal both.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from sunbreak.sources.places import open_bytes

_STRIP_OFFSETS, _STRIP_COUNTS, _TILE_OFFSETS, _TILE_COUNTS = 273, 279, 324, 325
_TYPES = {3: "u2", 4: "u4", 13: "u4", 16: "u8", 18: "u8"}
_ASCII = 2
_MAX_ENTRIES = 4096
_MAX_BOXES, _MAX_BOX_DEPTH = 10_000, 16
# of JPEG 2000: boxes that hold boxes
_SUPERBOXES = {b"jp2h", b"asoc", b"res ", b"jumb", b"uinf"}


@dataclass(frozen=True)
class BlockLayout:
    """Where the blocks of a raster lie.

    Attributes:
        blocks: How many blocks the file declares.
        unwritten: How many of them were never written (sparse).
        beyond: How many of them end after the file does.
    """

    blocks: int
    unwritten: int
    beyond: int


class BrokenStructureError(ValueError):
    """The directory of the file is cut off or not valid."""


@dataclass(frozen=True)
class Directory:
    """The first image directory of a TIFF: (type, count, value or place) by tag, and how the file is read."""

    entries: dict[int, tuple[int, int, bytes]]
    size: int
    order: str
    big: bool


def size_of(file: BinaryIO) -> int:
    """The size in bytes of a file that is open; its place stays."""
    place = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(place)
    return size


def first_directory(file: BinaryIO) -> Directory:
    """The first image directory of a classic or Big TIFF that is open.

    Raises:
        BrokenStructureError: it lies outside the file or is not valid.
        OSError: the file cannot be read.
    """
    size = size_of(file)
    file.seek(0)
    header = file.read(16)
    order = "<" if header[:2] == b"II" else ">"
    big = len(header) >= 4 and struct.unpack(order + "H", header[2:4])[0] == 43
    if len(header) < (16 if big else 8):
        raise BrokenStructureError("the header is cut off")
    place = struct.unpack(order + ("Q" if big else "I"), header[8:16] if big else header[4:8])[0]
    return Directory(_entries(file, place, size, order, big), size, order, big)


def count_directories(file: BinaryIO, first: Directory, limit: int) -> int:
    """How many image directories (the image, its overviews and masks) are chained, counted up to `limit`.

    Raises:
        OSError: the file cannot be read.
    """
    number, table, link = ("Q", 20, "Q") if first.big else ("H", 12, "I")
    file.seek(8 if first.big else 4)
    for found in range(limit):
        stored = file.read(struct.calcsize(link))
        if len(stored) < struct.calcsize(link):
            return found
        place = struct.unpack(first.order + link, stored)[0]
        if place == 0 or place + struct.calcsize(number) > first.size:
            return found
        file.seek(place)
        entries = struct.unpack(first.order + number, file.read(struct.calcsize(number)))[0]
        if entries > _MAX_ENTRIES:
            return found + 1
        file.seek(place + struct.calcsize(number) + entries * table)
    return limit


def tiff_layout(path: Path) -> BlockLayout:
    """Read the block table of a classic or Big TIFF.

    Raises:
        BrokenStructureError: the image directory or its tables lie outside the file.
        InputError: it is no regular file.
        OSError: the file cannot be read.
    """
    with open_bytes(path, "raster") as file:
        return tiff_layout_of(file)


def tiff_layout_of(file: BinaryIO, most_blocks: int | None = None) -> BlockLayout:
    """Read the block table of a classic or Big TIFF that is open.

    Args:
        file: Read at a few places only: its directory and its block table.
        most_blocks: A longer table is not read.

    Raises:
        BrokenStructureError: As `tiff_layout` says, or the table is longer than `most_blocks`.
        OSError: the file cannot be read.
    """
    found = first_directory(file)
    size = found.size
    tables = (
        _TILE_OFFSETS if found.entries.get(_TILE_OFFSETS) else _STRIP_OFFSETS,
        _TILE_COUNTS if found.entries.get(_TILE_COUNTS) else _STRIP_COUNTS,
    )
    if most_blocks is not None and any(found.entries.get(tag, (0, 0))[1] > most_blocks for tag in tables):
        raise BrokenStructureError(f"its block table claims more than {most_blocks} blocks")
    offsets, counts = (numbers(file, found, tag) for tag in tables)
    if offsets.size != counts.size or offsets.size == 0:
        raise BrokenStructureError("the block table is incomplete")
    written = offsets > 0
    # Python-sized sums: an offset close to 2**64 must not wrap around
    beyond = written & ((offsets > size) | (counts > size) | (offsets + np.minimum(counts, size) > size))
    return BlockLayout(offsets.size, int((~written).sum()), int(beyond.sum()))


def _entries(file: BinaryIO, directory: int, size: int, order: str, big: bool) -> dict[int, tuple[int, int, bytes]]:
    count_format, entry_size = (order + "Q", 20) if big else (order + "H", 12)
    if directory == 0 or directory + struct.calcsize(count_format) > size:
        raise BrokenStructureError("the image directory is missing")
    file.seek(directory)
    number = struct.unpack(count_format, file.read(struct.calcsize(count_format)))[0]
    if number > _MAX_ENTRIES:
        raise BrokenStructureError("the image directory is not valid")
    block = file.read(number * entry_size)
    if len(block) < number * entry_size:
        raise BrokenStructureError("the image directory is cut off")
    head = order + ("HHQ" if big else "HHI")
    width = struct.calcsize(head)
    found = {}
    for start in range(0, len(block), entry_size):
        tag, kind, count = struct.unpack(head, block[start : start + width])
        found[tag] = (kind, count, block[start + width : start + entry_size])
    return found


def numbers(file: BinaryIO, directory: Directory, tag: int) -> NDArray[np.uint64]:
    """The whole numbers of a tag.

    Raises:
        BrokenStructureError: there is no such tag, or its numbers lie outside the file.
        OSError: the file cannot be read.
    """
    entry = directory.entries.get(tag)
    if entry is None or entry[0] not in _TYPES:
        raise BrokenStructureError("the block table is missing")
    kind, count, inline = entry
    dtype = np.dtype(directory.order + _TYPES[kind])
    length = count * dtype.itemsize
    if length <= len(inline):
        return np.frombuffer(inline[:length], dtype).astype(np.uint64)
    start = struct.unpack(directory.order + ("Q" if directory.big else "I"), inline)[0]
    if start + length > directory.size:
        raise BrokenStructureError("the block table is cut off")
    file.seek(start)
    return np.frombuffer(file.read(length), dtype).astype(np.uint64)


def text(file: BinaryIO, directory: Directory, tag: int) -> bytes:
    """The bytes of a text tag; none if there is no such tag.

    Raises:
        OSError: the file cannot be read.
    """
    kind, count, inline = directory.entries.get(tag, (0, 0, b""))
    if kind != _ASCII:
        return b""
    if count <= len(inline):
        return inline[:count]
    file.seek(struct.unpack(directory.order + ("Q" if directory.big else "I"), inline)[0])
    return file.read(count)


def jp2_is_whole(path: Path) -> bool:
    """Whether a JPEG 2000 file's codestream ends where it says, with its end marker.

    Raises:
        BrokenStructureError: there is no codestream at all.
        InputError: it is no regular file.
        OSError: the file cannot be read.
    """
    with open_bytes(path, "raster") as file:
        _, end = codestream(file)
        return end <= size_of(file) and _ends_with_marker(file, end)


def codestream(file: BinaryIO) -> tuple[int, int]:
    """First byte of the codestream of a JPEG 2000 file that is open, and the byte behind it as the file says.

    The boxes before it are checked too. GDAL never ends on a box that lies inside another and has no length.

    Raises:
        BrokenStructureError: there is no codestream, or a box inside another does not end within it.
        OSError: the file cannot be read.
    """
    size = size_of(file)
    file.seek(0)
    if file.read(4) == b"\xff\x4f\xff\x51":
        return 0, size
    found = None
    ends = [size]  # of the file and of the boxes that hold the next one
    start = 0
    for _ in range(_MAX_BOXES):
        while len(ends) > 1 and start >= ends[-1]:
            ends.pop()
        if start + 8 > ends[-1]:
            break
        kind, content, end = _box(file, start, size)
        if len(ends) > 1 and not content <= end <= ends[-1]:
            raise BrokenStructureError("a box of its header does not end within the one that holds it")
        if kind == b"jp2c" and len(ends) == 1:
            found = found or (content, end)
        if end < content:
            break
        holds = kind in _SUPERBOXES
        if holds:
            ends.append(min(end, size))
        start = content if holds else end
        if len(ends) > _MAX_BOX_DEPTH:
            raise BrokenStructureError(f"the boxes of its header lie more than {_MAX_BOX_DEPTH} deep in one another")
    else:
        raise BrokenStructureError(f"its header holds more than {_MAX_BOXES} boxes")
    if found is None:
        raise BrokenStructureError("it holds no image")
    return found


def _box(file: BinaryIO, start: int, size: int) -> tuple[bytes, int, int]:
    """Kind of a JPEG 2000 box, first byte of its content, and the byte behind it.

    A length of 0 means up to the end of the file. GDAL handles that for the boxes that lie in no other.
    """
    file.seek(start)
    head = file.read(16)
    length, kind = struct.unpack(">I4s", head[:8])
    header = 8
    if length == 1 and len(head) == 16:
        length, header = struct.unpack(">Q", head[8:16])[0], 16
    return kind, start + header, start + length if length else size


def _ends_with_marker(file: BinaryIO, end: int) -> bool:
    file.seek(end - 2)
    return file.read(2) == b"\xff\xd9"
