"""Zip archives that are read in place, as products are downloaded: what they hold, checked before any of it is used.

GDAL reads the list of an archive by itself. An archive that two programs could understand in two ways is refused, and
so is what no product has: paths that lead out, links, encryption, other codings than deflate, more than it can hold.
"""

from __future__ import annotations

import io
import re
import stat
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NoReturn

from sunbreak.errors import InputError
from sunbreak.regular_files import open_regular
from sunbreak.sources.fingerprint import Fingerprint, fingerprint

#: Products of a whole datatake, as before 2016, hold some thousands.
MAX_ENTRIES = 20_000
_MAX_DIRECTORY = 16 * 2**20
# unpacked bytes for each stored one, and the size from which on that counts: bands have 1 to 5, metadata 15
_MAX_RATIO, _RATIO_FROM = 50, 64 * 2**20
_MAX_DEFLATED = 4 * 2**30  # to look at its end unpacks all of it
_MAX_NAME = 1_000

STORED, DEFLATED = 0, 8
LOCAL = struct.Struct("<4s5H3L2H")
_END, _END64, _LOCATOR64 = struct.Struct("<4s4H2LH"), struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4s2H4H3L5H2L")
_NONE16, NONE32 = 0xFFFF, 0xFFFFFFFF
ENCRYPTED, _UTF8 = 0x2041, 0x800
_UNIX = 3
_ODD = re.compile(r"[\x00-\x1f\x7f\\]")
_DRIVE = re.compile(r"[A-Za-z]:")

AGAIN = "Make the download again."
_EXTRACT = "Extract it with a program that you trust, and give the folder."


@dataclass(frozen=True)
class Entry:
    """One file in an archive.

    Attributes:
        name: Its path in the archive.
        method: How it is stored: 0 as it is, 8 deflated.
        packed: Bytes that it takes in the archive.
        size: Bytes that it has.
        crc: CRC-32 of its content.
        offset: Where its header starts in the archive.
    """

    name: str
    method: int
    packed: int
    size: int
    crc: int
    offset: int


@dataclass(frozen=True)
class Archive:
    """What a zip archive holds.

    Attributes:
        path: The archive.
        entries: Its files by their paths in it.
        folders: The names in each of its folders, by the path of the folder; the archive itself is the empty path.
    """

    path: Path
    entries: Mapping[str, Entry]
    folders: Mapping[str, tuple[str, ...]]


def is_zip(path: Path) -> bool:
    """Whether a path is that of a regular file that starts as a zip archive does."""
    try:
        if not path.is_file():
            return False
        with open_regular(path) as file:
            return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    except (InputError, OSError, ValueError):
        return False


def read_archive(path: Path) -> Archive:
    """The checked list of what an archive holds.

    Raises:
        InputError: ``truncated`` if the list at its end is missing or incomplete, ``too-large`` for more files or data
            than products have, ``bad-archive`` for everything that no product has; ``unreadable``.
    """
    try:
        return _read(path, fingerprint(path))
    except OSError as error:
        reason = error.strerror or "the disk fails"
        raise InputError(
            f"{path} cannot be read: {reason}.", "Check the disk and the path.", code="unreadable"
        ) from error


@lru_cache(maxsize=32)
def _read(path: Path, _: Fingerprint) -> Archive:
    with open_regular(path, "archive") as file:
        start, length, count = _find_list(file, path)
        file.seek(start)
        content = file.read(length)
    entries = _entries(content, count, path)
    _check_places(entries, start, path)
    return Archive(path, {one.name: one for one in entries if not one.name.endswith("/")}, _folders(entries, path))


def _find_list(file: BinaryIO, path: Path) -> tuple[int, int, int]:
    """Start and length of the list of an archive, and the number of its entries."""
    end = file.seek(0, io.SEEK_END)
    tail_at = max(0, end - _END.size - _NONE16)
    file.seek(tail_at)
    tail = file.read()
    found = tail.rfind(b"PK\x05\x06")
    if found < 0 or found + _END.size > len(tail):
        raise cut_off(path)
    _, disk, list_disk, here, count, length, start, comment = _END.unpack_from(tail, found)
    if found + _END.size + comment != len(tail):
        raise cut_off(path)
    if (disk, list_disk) not in ((0, 0), (_NONE16, _NONE16)) or here != count:
        refuse(path, "it is one part of an archive in several files", "Join its parts first, or download it whole.")
    stop = tail_at + found
    if found >= _LOCATOR64.size and tail[found - _LOCATOR64.size : found - _LOCATOR64.size + 4] == b"PK\x06\x07":
        place = _LOCATOR64.unpack_from(tail, found - _LOCATOR64.size)[2]
        file.seek(min(place, end))
        record = file.read(_END64.size)
        if len(record) < _END64.size or record[:4] != b"PK\x06\x06":
            raise cut_off(path)
        _, rest, _, _, _, _, _, count64, length64, start64 = _END64.unpack(record)
        stated = (count, count64, _NONE16), (length, length64, NONE32), (start, start64, NONE32)
        if (
            any(small not in (large, none) for small, large, none in stated)
            or place + 12 + rest != stop - _LOCATOR64.size
        ):
            refuse(path, "it has two lists of its files that differ")
        stop, count, length, start = place, count64, length64, start64
    if count > MAX_ENTRIES or length > _MAX_DIRECTORY:
        raise InputError(f"{path} claims to hold {count:,} files: more than any product.", _EXTRACT, code="too-large")
    if start + length != stop:
        refuse(path, "the list of its files is not where it says, or something else was put before it", AGAIN)
    return start, length, count


def _entries(content: bytes, count: int, path: Path) -> list[Entry]:
    entries: list[Entry] = []
    names: set[str] = set()
    place = 0
    for _ in range(count):
        if len(content) < place + _CENTRAL.size:
            raise cut_off(path)
        fields = _CENTRAL.unpack_from(content, place)
        mark, made_by, _, flags, method, _, _, crc, packed, size, name_bytes, extra_bytes, comment_bytes = fields[:13]
        disk, attributes, offset = fields[13], fields[15], fields[16]
        texts = place + _CENTRAL.size
        place = texts + name_bytes + extra_bytes + comment_bytes
        if mark != b"PK\x01\x02" or place > len(content):
            raise cut_off(path)
        name = decoded(content[texts : texts + name_bytes], flags)
        extra = content[texts + name_bytes : texts + name_bytes + extra_bytes]
        size, packed, offset = _large(extra, (size, packed, offset), path)
        _check_name(name, path)
        shown = name[:200]
        if name.casefold().rstrip("/") in names:
            refuse(path, f"it holds {shown} twice")
        names.add(name.casefold().rstrip("/"))
        if flags & ENCRYPTED:
            refuse(path, f"{shown} in it is encrypted")
        if method not in (STORED, DEFLATED):
            refuse(path, f"{shown} in it is coded in a way (method {method}) that is not read")
        if made_by >> 8 == _UNIX and stat.S_IFMT(attributes >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            refuse(path, f"{shown} in it is a link or no file")
        if disk not in (0, _NONE16) or (name.endswith("/") and size) or (method == STORED and packed != size):
            refuse(path, f"what it says of {shown} cannot be")
        if size > _RATIO_FROM and size > _MAX_RATIO * packed:
            raise InputError(
                f"{path}: {shown} in it takes {packed / 2**20:.3g} MiB and claims {size / 2**20:,.0f} MiB: there is "
                "next to nothing in it.",
                _EXTRACT,
                code="too-large",
            )
        if method == DEFLATED and size > _MAX_DEFLATED:
            raise InputError(
                f"{path}: {shown} in it is packed and has {size / 2**30:.1f} GiB: too large to read in place.",
                _EXTRACT,
                code="too-large",
            )
        entries.append(Entry(name, method, packed, size, crc, offset))
    if place != len(content):
        refuse(path, "the list of its files is longer than it says")
    return entries


def _large(extra: bytes, fields: tuple[int, int, int], path: Path) -> tuple[int, int, int]:
    """Size, packed size and offset, where a field of 64 bits stands for those that do not fit."""
    wanted = sum(field == NONE32 for field in fields)
    place = 0
    while wanted and place + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, place)
        if kind == 1:
            if length < 8 * wanted or place + 4 + length > len(extra):
                break
            large = iter(struct.unpack_from(f"<{wanted}Q", extra, place + 4))
            size, packed, offset = (next(large) if field == NONE32 else field for field in fields)
            return size, packed, offset
        place += 4 + length
    if wanted:
        refuse(path, "the list of its files lacks their sizes")
    return fields


def _check_name(name: str, path: Path) -> None:
    parts = name.removesuffix("/").split("/")
    if _ODD.search(name) or _DRIVE.match(name) or name.startswith("/") or {"", ".", ".."} & set(parts):
        refuse(path, f"{_shown(name)} in it has a path that leads out of the archive")
    if len(name) > _MAX_NAME:
        refuse(path, f"it holds a name of {len(name)} characters")


def _check_places(entries: list[Entry], end: int, path: Path) -> None:
    """Refuse entries that share bytes or lie beyond the archive."""
    ordered = sorted(entries, key=lambda one: one.offset)
    for one, following in zip(ordered, [*(other.offset for other in ordered), end][1:], strict=True):
        if one.offset + LOCAL.size + one.packed > following:
            refuse(path, f"{one.name[:200]} in it lies where something else lies, or beyond its end")


def _folders(entries: list[Entry], path: Path) -> dict[str, tuple[str, ...]]:
    files = {one.name for one in entries if not one.name.endswith("/")}
    found: dict[str, dict[str, None]] = {"": {}}
    for one in entries:
        *above, name = one.name.removesuffix("/").split("/")
        if one.name.endswith("/"):
            found.setdefault("/".join([*above, name]), {})
        for depth in range(len(above) + 1):
            folder = "/".join(above[:depth])
            if folder in files:
                refuse(path, f"{folder[:200]} in it is a file and a folder")
            found.setdefault(folder, {})[(above[depth] if depth < len(above) else name)] = None
    return {folder: tuple(sorted(names)) for folder, names in found.items()}


def decoded(name: bytes, flags: int) -> str:
    """The name of an entry from its bytes."""
    if not flags & _UTF8:
        return name.decode("cp437")
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("latin-1")


def _shown(name: str) -> str:
    return repr(name[:200])


def cut_off(path: Path) -> InputError:
    """The error for an archive that ends too early."""
    return InputError(
        f"{path} is truncated: the list of its files, which stands at the end of a zip archive, is cut off.",
        AGAIN,
        code="truncated",
    )


def refuse(path: Path, why: str, hint: str = _EXTRACT) -> NoReturn:
    """Raise ``bad-archive``."""
    raise InputError(f"{path} is no archive of a product: {why}.", hint, code="bad-archive")
