"""What a disk refuses while something is trained, as one clear line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sunbreak.errors import RunError


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Around writing a file of a training: what the disk refuses becomes one line.

    Raises:
        RunError: The disk is full or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise RunError(
            f"{path} cannot be written ({error.strerror or error}).",
            "Make room; the same command then goes on from the last state that was saved.",
            code="disk-full",
        ) from error
