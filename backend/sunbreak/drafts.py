"""Writes files whole or not at all, and opens files of ours: no link is followed, and nothing foreign is opened.

A reader finds the old file or the whole new one. The draft has a hidden name in the same folder, so that the rename
stays on one file system. Nobody can predict that name, so that nobody can put a link there. The rename replaces what
has the final name, a link too: nothing is ever written through a link. Drafts that a killed process left are removed by
the next process that writes into the folder.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from sunbreak import unfinished
from sunbreak.processes import is_alive

PREFIX = ".sunbreak-"
DRAFT_NAME_BYTES = 64
"""No draft has a longer name."""
STORED_LIMIT = 2**26
"""Bytes of a journal, table or marker beyond which a file is not one of ours."""
STATE_LIMIT = 2**36
"""The same for arrays and states of trainings."""

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_active: set[Path] = set()
_swept: set[Path] = set()


@contextlib.contextmanager
def draft(path: Path, *, sync: bool = False) -> Iterator[Path]:
    """The place to write a file to, which is renamed to `path` at the end of the block.

    After an exception the draft is removed and `path` is as it was. Every process has a draft of its own, so that
    several may write the same file at once.

    Args:
        path: The final name; its folder must exist.
        sync: Send the content to the disk before the rename.

    Yields:
        The draft's path. Nothing exists there yet.

    Raises:
        OSError: The draft cannot be written or renamed.
    """
    place = _new_place(path)
    _active.add(place)
    unfinished.add(place)
    try:
        yield place
        if sync:
            flush(place)
        place.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            place.unlink(missing_ok=True)
        raise
    finally:
        _active.discard(place)
        unfinished.drop(place)


@contextlib.contextmanager
def hidden_place(path: Path) -> Iterator[Path]:
    """A hidden name in the folder of `path`, for a file that is gone at the end of the block.

    Args:
        path: A file; its folder must exist.

    Yields:
        The name. Nothing has it yet; what has it at the end is removed.
    """
    place = _new_place(path)
    _active.add(place)
    unfinished.add(place)
    try:
        yield place
    finally:
        with contextlib.suppress(OSError):
            place.unlink(missing_ok=True)
        _active.discard(place)
        unfinished.drop(place)


def create(path: Path) -> BinaryIO:
    """Make a new file and open it for writing and reading.

    Raises:
        FileExistsError: Something has that name, a link that leads nowhere too.
        OSError: The file cannot be made.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_LINK | _BINARY, 0o666)
    return os.fdopen(handle, "w+b")


def open_stored(path: Path, *, limit: int = STORED_LIMIT, write: bool = False) -> BinaryIO:
    """Open a file that an earlier process of ours wrote.

    Args:
        path: The file.
        limit: Bytes that it may have.
        write: Open it for writing too, at its beginning, without truncating it.

    Raises:
        OSError: It is missing, cannot be opened, is a link or no regular file, is larger than `limit`, or, to be
            written, has a second name by which something else would change.
    """
    access = os.O_RDWR if write else os.O_RDONLY
    # without O_NONBLOCK, opening a pipe waits for its other end
    handle = os.open(path, access | _NO_LINK | _BINARY | getattr(os, "O_NONBLOCK", 0))
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or (not _NO_LINK and path.is_symlink()):
            raise OSError(errno.EINVAL, "it is no regular file", str(path))
        if status.st_size > limit:
            raise OSError(errno.EFBIG, f"it has {status.st_size} bytes, too many for a file of Sunbreak", str(path))
        if write and status.st_nlink > 1:
            raise OSError(errno.EMLINK, "it has a second name", str(path))
        return os.fdopen(handle, "r+b" if write else "rb")
    except BaseException:
        os.close(handle)
        raise


def read_stored(path: Path, *, limit: int = STORED_LIMIT) -> bytes:
    """The content of a file that an earlier process of ours wrote, see `open_stored`.

    Raises:
        OSError: It cannot be opened, or is not such a file.
    """
    with open_stored(path, limit=limit) as file:
        return file.read(limit + 1)


def read_stored_text(path: Path, *, limit: int = STORED_LIMIT) -> str:
    """The content of such a file as text in UTF-8, with the line ends that it has.

    Raises:
        OSError: It cannot be opened, or is not such a file.
        UnicodeDecodeError: It is not UTF-8.
    """
    return read_stored(path, limit=limit).decode("utf-8")


@contextlib.contextmanager
def appended(path: Path) -> Iterator[TextIO]:
    """A text file in UTF-8 that is written at its end; made if it is missing. Line ends stay as they are given.

    Raises:
        OSError: It cannot be opened or written, is a link or no regular file, or has a second name.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | _NO_LINK | _BINARY | getattr(os, "O_NONBLOCK", 0)
    handle = os.open(path, flags, 0o666)
    with os.fdopen(handle, "a", encoding="utf-8", newline="") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1 or (not _NO_LINK and path.is_symlink()):
            raise OSError(errno.EINVAL, "it is no regular file of its own", str(path))
        yield file


def write_bytes(path: Path, content: bytes | memoryview, *, sync: bool = False) -> None:
    """Write a whole file, see `draft`.

    Raises:
        OSError: The file cannot be written.
    """
    with draft(path, sync=sync) as place, create(place) as file:
        file.write(content)


def write_text(path: Path, text: str, *, sync: bool = False) -> None:
    """Write a whole file in UTF-8 with the line ends that `text` has, see `draft`.

    Raises:
        OSError: The file cannot be written.
    """
    write_bytes(path, text.encode("utf-8"), sync=sync)


def write_json(path: Path, content: Any, *, indent: int | None = None, sync: bool = False) -> None:
    """Write a whole JSON file, see `draft`.

    Raises:
        OSError: The file cannot be written.
    """
    write_text(path, json.dumps(content, indent=indent), sync=sync)


def flush(path: Path) -> None:
    """Send the content of a file to the disk.

    Raises:
        OSError: The disk is full or gone.
    """
    handle = os.open(path, os.O_RDWR | _NO_LINK | _BINARY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def draft_files(folder: Path) -> Iterator[Path]:
    """A hidden folder for a tree of files, which move to the same places in `folder` at the end of the block.

    They move in the order of their names, those at the top last: where a page is, everything that it shows is. After
    an exception no file moves, and `folder` is removed if it did not exist before.

    Args:
        folder: Where the files go; made if it is missing.

    Raises:
        OSError: The folder cannot be written.
    """
    existed = folder.is_dir()
    folder.mkdir(parents=True, exist_ok=True)
    if not existed:
        unfinished.add(folder.absolute(), keep_content=True)
    place = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder))
    unfinished.add(place.absolute())
    try:
        yield place
        files = (path for path in place.rglob("*") if path.is_file())
        with unfinished.undisturbed():
            for path in sorted(files, key=lambda path: (len(path.parts) == len(place.parts) + 1, path)):
                final = folder / path.relative_to(place)
                final.parent.mkdir(parents=True, exist_ok=True)
                path.replace(final)
    finally:
        shutil.rmtree(place, ignore_errors=True)
        unfinished.drop(place.absolute())
        if not existed:
            unfinished.drop(folder.absolute())
            if not any(folder.iterdir()):
                folder.rmdir()


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder among the system's temporary files, which only this user can open; removed at the end.

    Raises:
        OSError: It cannot be made.
    """
    place = Path(tempfile.mkdtemp(prefix="sunbreak-"))
    unfinished.add(place)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        unfinished.drop(place)


def _new_place(path: Path) -> Path:
    """A name for a draft of `path`. What processes left in the folder that are gone is removed, once."""
    # the machine counts too: on a shared disk the process of another machine may be alive
    start = f"{PREFIX}{hashlib.sha256(socket.gethostname().encode('utf-8', 'surrogatepass')).hexdigest()[:8]}-"
    folder = path.parent.absolute()
    if folder not in _swept:
        _swept.add(folder)
        for left in folder.glob(f"{start}*.draft"):
            number = left.name.removeprefix(start).partition("-")[0]
            if number.isdecimal() and left not in _active and _is_gone(int(number)):
                with contextlib.suppress(OSError):
                    left.unlink()
    return folder / f"{start}{os.getpid()}-{secrets.token_hex(8)}.draft"


def _is_gone(number: int) -> bool:
    """Whether a draft was left by a process; one with the number of this process was left by an earlier one."""
    return number == os.getpid() or (number < 2**31 and not is_alive(number))
