"""Tells whether a file is still the one that it was, without reading it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Fingerprint(NamedTuple):
    """The size of a file in bytes and the time of its last change in nanoseconds since 1970."""

    size: int
    modified: int


def fingerprint(path: Path) -> Fingerprint:
    """The fingerprint of a local file.

    Raises:
        OSError: The file is missing or its folder cannot be read.
    """
    status = path.stat()
    return Fingerprint(status.st_size, status.st_mtime_ns)
