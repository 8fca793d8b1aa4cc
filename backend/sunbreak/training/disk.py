"""Turns write errors of a training into one clear error message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sunbreak.errors import RunError

_OF_TORCH = ("inline_container.cc", "iostream error")
"""What its messages hold when a state cannot be written."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Context for writing a file of a training: an `OSError`, or that of torch, becomes a `RunError`.

    Raises:
        RunError: The disk is full or the folder cannot be written.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        if not isinstance(error, OSError) and not any(words in str(error) for words in _OF_TORCH):
            raise
        reason = error.strerror or error if isinstance(error, OSError) else "the disk takes no more"
        raise RunError(
            f"{path} cannot be written ({reason}).",
            "Free some disk space, then repeat the command: it resumes from the last saved state.",
            code="disk-full",
        ) from error
