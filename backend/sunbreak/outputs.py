"""Checks the names of outputs before a run starts: whether they are possible, and whether something has them."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from sunbreak.errors import OutputError

FULL_DISK = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""Numbers of the errors of a disk that takes no more."""

_NAME_BYTES, _PATH_BYTES = 255, 4095
_WINDOWS_PATH = 259
_NAMED = 5
_SHOWN = 60


def check_names(paths: Iterable[Path]) -> None:
    """Check that files can have these names.

    Raises:
        OutputError: One is too long, holds a character that no name can hold, or is not UTF-8 (``bad-name``).
    """
    limits: dict[Path, tuple[int, int]] = {}
    # the longest first, so that the hint says how much is too much for all of them
    for path in sorted(paths, key=lambda path: len(str(path)), reverse=True):
        _check_characters(path)
        absolute = path.absolute()
        folder = nearest(absolute.parent)
        if folder not in limits:
            limits[folder] = _limits(folder)
        name_limit, path_limit = limits[folder]
        below = absolute.relative_to(folder).parts
        longest = max(below, key=_bytes, default="")
        if _bytes(longest) > name_limit:
            raise OutputError(
                f"{_short(longest)}: the name of an output would have {_bytes(longest)} bytes, and {name_limit} are "
                "possible.",
                f"Shorten the name of the input or of the folder by {_bytes(longest) - name_limit} bytes.",
                code="bad-name",
            )
        if _bytes(str(absolute)) > path_limit:
            raise OutputError(
                f"{_short(str(absolute))}: the path of an output would have {_bytes(str(absolute))} bytes, and "
                f"{path_limit} are possible.",
                "Choose another folder.",
                code="bad-name",
            )


def refuse_existing(paths: Iterable[Path], *, deleted: Iterable[Path] = (), hint: str = "") -> None:
    """Check that nothing has these names, a link that leads nowhere included.

    Args:
        paths: Files that are going to be written.
        deleted: Files that are going to be deleted, because other programs read them with the written ones.
        hint: What to do, if not to choose another folder or allow overwriting.

    Raises:
        OutputError: One exists (``output-exists``).
    """
    there = list(dict.fromkeys(path for path in (*paths, *deleted) if os.path.lexists(path)))
    if there:
        more = [path.name for path in there[1:_NAMED]]
        rest = f" and {len(there) - _NAMED} more" if len(there) > _NAMED else ""
        also = f", and so do {', '.join(more)}{rest}" if more else ""
        raise OutputError(
            f"The output {there[0]} exists already{also}.",
            hint or "Choose another folder, or allow overwriting (--overwrite).",
            code="output-exists",
        )


def refuse_folders(paths: Iterable[Path]) -> None:
    """Check that none of these names is that of a folder, which no file can replace.

    Raises:
        OutputError: One is (``output-exists``).
    """
    folder = next((path for path in paths if path.is_dir() and not path.is_symlink()), None)
    if folder is not None:
        raise OutputError(
            f"The output {folder} is a folder.", "Move it away, or choose another folder.", code="output-exists"
        )


def refuse_inputs(paths: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Check that no file that is going to be written is an input, by whatever name: a link to it, or a second name.

    Args:
        paths: Files that are going to be written.
        inputs: Files that are read.

    Raises:
        OutputError: One is an input (``output-is-input``).
    """
    known = {identity for path in inputs for identity in _identities(path)}
    for path in paths:
        if known.intersection(_identities(path)):
            raise OutputError(
                f"The output {path} is an input of this run.", "Choose another folder.", code="output-is-input"
            )


def refuse_other_than_folders(paths: Iterable[Path]) -> None:
    """Check that what has these names, if anything, is a folder, into which files can be written.

    Raises:
        OutputError: One is not (``output-exists``).
    """
    path = next((path for path in paths if os.path.lexists(path) and not path.is_dir()), None)
    if path is not None:
        raise OutputError(
            f"The output {path} is a file, not a folder.", "Move it away, or choose another folder.",
            code="output-exists",
        )  # fmt: skip


def check_folder(path: Path) -> None:
    """Check that a folder, which need not exist yet, can be written.

    Raises:
        OutputError: Its path is impossible, it is a file, or it cannot be written.
    """
    check_names([path])
    above = nearest(path.absolute())
    if not above.is_dir():
        what = "a link that leads nowhere" if above.is_symlink() else "a file, not a folder"
        raise OutputError(f"{above} is {what}.", "Choose another folder.")
    start = f"The folder {path} cannot be made, because " if above != path.absolute() else "The folder "
    if not os.access(above, os.W_OK | os.X_OK):
        raise OutputError(f"{start}{above} cannot be written.", "Choose another folder.")
    try:
        # root may do anything, and yet there are folders and disks that take no file
        with tempfile.TemporaryFile(dir=above):
            pass
    except OSError as error:
        full = error.errno in FULL_DISK
        raise OutputError(
            f"{start}{above} cannot be written: {error.strerror}.",
            "Free some space, or choose another folder." if full else "Choose another folder.",
            code="disk-full" if full else "bad-output",
        ) from error


def check_files(paths: Sequence[Path], *, overwrite: bool) -> None:
    """Check the names, the folders and the existence of files that a command is going to write.

    Raises:
        OutputError: They cannot be written, or one exists and `overwrite` is False.
    """
    check_names(paths)
    for folder in dict.fromkeys(path.parent for path in paths):
        check_folder(folder)
    refuse_folders(paths)
    if not overwrite:
        refuse_existing(paths)


def nearest(path: Path) -> Path:
    """The path itself, or the nearest one above it that exists."""
    return next((one for one in (path, *path.parents) if os.path.lexists(one)), path)


def _identities(path: Path) -> set[object]:
    """What tells whether two paths lead to one file: where links lead, and the number of what is there."""
    found: set[object] = {path.absolute()}
    try:
        found.add(path.resolve())
        status = path.stat()
    except (OSError, ValueError, RuntimeError):  # nothing is there, or links lead in a circle
        return found
    # some file systems have no numbers, or give one to several files
    number = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    return found | ({number} if status.st_ino else set())


def _check_characters(path: Path) -> None:
    text = str(path)
    if str(path.absolute()).startswith("/vsi"):
        raise OutputError(
            f"{_short(text)} is not a local path: GDAL takes what begins with /vsi for its own file systems.",
            "Choose a folder on this machine's disk.",
            code="bad-name",
        )
    if "\0" in text:
        raise OutputError(
            f"{_short(text)}: the name of an output holds a character (NUL) that no name can hold.",
            "Choose another name.",
            code="bad-name",
        )
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise OutputError(
            f"{_short(text)}: the name of an output is not UTF-8.", "Choose another folder or name.", code="bad-name"
        ) from None


def _limits(folder: Path) -> tuple[int, int]:
    """Bytes that a name and a path may have in a folder."""
    if os.name == "nt":
        return _NAME_BYTES, _WINDOWS_PATH
    try:
        name, path = os.pathconf(folder, "PC_NAME_MAX"), os.pathconf(folder, "PC_PATH_MAX") - 1
    except (OSError, ValueError):
        return _NAME_BYTES, _PATH_BYTES
    return (name if name > 0 else _NAME_BYTES), (path if path > 0 else _PATH_BYTES)


def _bytes(text: str) -> int:
    # Windows counts units of UTF-16
    return len(text.encode("utf-16-le")) // 2 if os.name == "nt" else len(os.fsencode(text))


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]}...{text[-_SHOWN // 2 :]}"
