"""Files and folders by their paths, on disk or in a zip archive: ``product.zip/folder/band.jp2`` is a file in one.

Everything that looks for files of a scene asks here, so that a product is the same thing as a folder and as a zip. No
archive is ever unpacked to disk.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import BinaryIO

from sunbreak.errors import InputError
from sunbreak.regular_files import open_regular, read_regular
from sunbreak.sources.archive import Archive, Entry, is_zip, read_archive
from sunbreak.sources.members import open_entry

_LEFT_BY_SYSTEMS = ("__MACOSX",)


def archive_of(path: Path) -> Path | None:
    """The zip archive that a path is, or leads into; None for a path on disk and for one that does not exist."""
    try:
        place = next((one for one in (path, *path.parents) if one.exists()), None)
    except (OSError, ValueError):  # no path at all
        return None
    return place if place is not None and is_zip(place) else None


def on_disk(path: Path) -> Path:
    """The file on disk that holds a file: itself, or the archive that it is in."""
    return path if path.exists() else archive_of(path) or path


def is_folder(path: Path) -> bool:
    """Whether it is a folder, on disk or in an archive. An archive is a folder too.

    Raises:
        InputError: The archive cannot be read.
    """
    inside = _inside(path)
    if inside is None:
        return path.is_dir()
    archive, name = inside
    return not name or name in read_archive(archive).folders


def is_file(path: Path) -> bool:
    """Whether it is a regular file, on disk or in an archive.

    Raises:
        InputError: The archive cannot be read.
    """
    inside = _inside(path)
    if inside is None or not inside[1]:
        return path.is_file()
    return inside[1] in read_archive(inside[0]).entries


def listed(folder: Path) -> list[Path]:
    """What a folder holds, by name. What systems leave in archives and folders (``__MACOSX``, ``._x``) is left out.

    Raises:
        InputError: ``unreadable``, or the archive cannot be read.
    """
    inside = _inside(folder)
    if inside is not None:
        archive, name = inside
        found = [folder / one for one in read_archive(archive).folders.get(name, ())]
    else:
        try:
            found = sorted(folder.iterdir())
        except OSError as error:
            raise InputError(
                f"{folder} cannot be read: {error.strerror}.", "Check its permissions.", code="unreadable"
            ) from error
    return [one for one in found if not one.name.startswith("._") and one.name not in _LEFT_BY_SYSTEMS]


def open_bytes(path: Path, what: str = "file") -> BinaryIO:
    """Open a regular file for reading bytes, on disk or in an archive. The caller closes it.

    Args:
        path: The file.
        what: What the file is to be, for the message.

    Raises:
        InputError: ``missing-file``, ``unreadable``, ``not-a-file``, or the archive cannot be read.
    """
    found = _entry(path, what)
    return open_entry(*found) if found else open_regular(path, what)


def read_bytes(path: Path, what: str = "file", *, limit_bytes: int) -> bytes:
    """The content of a regular file of limited size, on disk or in an archive.

    Raises:
        InputError: ``missing-file``, ``unreadable``, ``not-a-file``, ``too-large``, ``damaged``, or the archive cannot
            be read.
    """
    found = _entry(path, what)
    if found is None:
        return read_regular(path, what, limit_bytes=limit_bytes)
    entry = found[1]
    if entry.size > limit_bytes:
        raise InputError(
            f"{path} is larger than {limit_bytes / 2**20:.3g} MiB, which no such {what} is.",
            "Check that it is the right file.",
            code="too-large",
        )
    with open_entry(*found) as file:
        content = file.read(entry.size)
    if zlib.crc32(content) != entry.crc:
        raise InputError(f"{found[0].path} is damaged in {entry.name}.", "Make the download again.", code="damaged")
    return content


def gdal_name(path: Path) -> Path | str:
    """How GDAL is told of a file: its path, or where it is in an archive.

    Raises:
        InputError: ``bad-archive`` for names that GDAL could read as something else.
    """
    inside = _inside(path)
    if inside is None or not inside[1]:
        return path
    archive, name = inside
    # GDAL has both names in one text, with braces around the first
    if {"{", "}"} & set(f"{path}") or not name.isprintable():
        raise InputError(
            f"{path}: braces in the name of an archive or of a file in it are not read.",
            "Give the archive another name, or extract it.",
            code="bad-archive",
        )
    return f"/vsizip/{{{archive}}}/{name}"


def path_of(name: str) -> Path:
    """The path of a file that GDAL calls by a name of `gdal_name`."""
    archive, closed, inside = name.removeprefix("/vsizip/{").partition("}/")
    return Path(archive) / inside if closed and name.startswith("/vsizip/{") else Path(name)


def _inside(path: Path) -> tuple[Path, str] | None:
    """The archive that a path leads into, and the path in it; None for a path on disk."""
    archive = archive_of(path)
    if archive is None:
        return None
    return archive, "" if archive == path else path.relative_to(archive).as_posix()


def _entry(path: Path, what: str) -> tuple[Archive, Entry] | None:
    inside = _inside(path)
    if inside is None or not inside[1]:
        return None
    archive = read_archive(inside[0])
    entry = archive.entries.get(inside[1])
    if entry is None:
        raise InputError(f"{path}: there is no such {what} in the archive.", "Check the path.", code="missing-file")
    return archive, entry
