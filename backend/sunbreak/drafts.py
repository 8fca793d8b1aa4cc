"""Writes files whole or not at all: a draft beside the file is renamed when it is complete.

A reader finds the old file or the whole new one. The draft has a hidden name in the same folder, so that the rename
stays on one file system. A draft that a killed process left is replaced by the next one.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def draft(path: Path, *, sync: bool = False, per_process: bool = False) -> Iterator[Path]:
    """The place to write a file to, which is renamed to `path` at the end of the block.

    After an exception the draft is removed and `path` is as it was.

    Args:
        path: The final name; its folder must exist.
        sync: Send the content to the disk before the rename.
        per_process: Give every process its own draft, for files that several processes may write at once.

    Yields:
        The draft's path. Nothing exists there yet.

    Raises:
        OSError: The draft cannot be written or renamed.
    """
    process = f"{os.getpid()}-" if per_process else ""
    place = path.with_name(f".sunbreak-{process}{path.name.lstrip('.')}.draft")
    place.unlink(missing_ok=True)
    try:
        yield place
        if sync:
            flush(place)
        place.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            place.unlink(missing_ok=True)
        raise


def write_bytes(path: Path, content: bytes | memoryview, *, sync: bool = False) -> None:
    """Write a whole file, see `draft`.

    Raises:
        OSError: The file cannot be written.
    """
    with draft(path, sync=sync) as place:
        place.write_bytes(content)


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
    with path.open("rb+") as file:
        os.fsync(file.fileno())


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
    place = Path(tempfile.mkdtemp(prefix=".sunbreak-", dir=folder))
    try:
        yield place
        files = (path for path in place.rglob("*") if path.is_file())
        for path in sorted(files, key=lambda path: (len(path.parts) == len(place.parts) + 1, path)):
            final = folder / path.relative_to(place)
            final.parent.mkdir(parents=True, exist_ok=True)
            path.replace(final)
    finally:
        shutil.rmtree(place, ignore_errors=True)
        if not existed and not any(folder.iterdir()):
            folder.rmdir()
