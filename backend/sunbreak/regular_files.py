"""Opens regular files for reading, and nothing else: never a pipe, a device or a socket, which could block for ever."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from sunbreak.errors import InputError

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def require_regular(path: Path, what: str = "file") -> int:
    """Check that a path leads to a regular file, without opening it; its size in bytes.

    Args:
        path: The file. A link counts as what it leads to.
        what: What the file is to be, for the message.

    Raises:
        InputError: ``missing-file``, ``unreadable`` or ``not-a-file``.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise _unreadable(path, what, error) from None
    return _size(status, path, what)


def open_regular(path: Path, what: str = "file") -> BinaryIO:
    """Open a regular file for reading bytes. The caller closes it.

    Args:
        path: The file. A link counts as what it leads to.
        what: What the file is to be, for the message.

    Raises:
        InputError: ``missing-file``, ``unreadable`` or ``not-a-file``.
    """
    require_regular(path, what)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags)
    except (OSError, ValueError) as error:
        raise _unreadable(path, what, error) from None
    try:
        _size(os.fstat(handle), path, what)  # it may have been exchanged since
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_regular(path: Path, what: str = "file", *, limit_bytes: int) -> bytes:
    """The content of a regular file of limited size.

    Args:
        path: The file.
        what: What the file is to be, for the message.
        limit_bytes: The largest size that is read.

    Raises:
        InputError: ``missing-file``, ``unreadable``, ``not-a-file`` or ``too-large``.
    """
    with open_regular(path, what) as file:
        try:
            content = file.read(limit_bytes + 1)
        except OSError as error:
            raise _unreadable(path, what, error) from None
    if len(content) > limit_bytes:
        raise InputError(
            f"{path} is larger than {limit_bytes / 2**20:.3g} MiB, which no such {what} is.",
            "Check that it is the right file.",
            code="too-large",
        )
    return content


def _size(status: os.stat_result, path: Path, what: str) -> int:
    if stat.S_ISREG(status.st_mode):
        return status.st_size
    kind = next((name for test, name in _KINDS if test(status.st_mode)), "something else")
    raise InputError(f"{path} is {kind}, not a {what}.", f"Give a {what} on disk.", code="not-a-file")


def _unreadable(path: Path, what: str, error: Exception) -> InputError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return InputError(f"{path}: there is no such {what}.", "Check the path.", code="missing-file")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "the name is not valid"
    return InputError(f"{path} cannot be read: {reason}.", "Check its name and permissions.", code="unreadable")
