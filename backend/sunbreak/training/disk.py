"""Turns write errors of a training into one clear error message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sunbreak.errors import RunError


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Context for writing a file of a training: an `OSError` becomes a `RunError`.

    Raises:
        RunError: The disk is full or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise RunError(
            f"{path} cannot be written ({error.strerror or error}).",
            "Free some disk space, then repeat the command: it resumes from the last saved state.",
            code="disk-full",
        ) from error
