"""The folder that layers are written to: whether it can be written, has space, and what a full disk means."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from rasterio.errors import RasterioError

from sunbreak.errors import OutputError, RunError

_FULL_DISK = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


class TargetFolder:
    """A folder, which need not exist yet.

    Args:
        path: The folder, absolute.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._made: list[Path] = []  # folders that were missing, outermost first

    def check(self) -> None:
        """Check that the folder can be written.

        Raises:
            OutputError: It is a file or cannot be written.
        """
        nearest = self._nearest()
        if not nearest.is_dir():
            raise OutputError(f"{nearest} is a file, not a folder.", "Choose another folder.")
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise OutputError(f"The folder {nearest} cannot be written.", "Choose another folder.")

    def check_space(self, needed: int, reusable: int) -> None:
        """Check that the disk has space.

        Args:
            needed: Bytes that the run needs at its worst moment.
            reusable: Bytes of an earlier run that this one continues with.

        Raises:
            OutputError: ``disk-full``.
        """
        free = shutil.disk_usage(self._nearest()).free + reusable
        if free < needed:
            raise OutputError(
                f"The layers need {_size(needed)} in {self.path} while they are made; {_size(free)} are free.",
                f"Free {_size(needed - free)}, or choose a folder on another disk.",
                code="disk-full",
            )

    def make(self) -> None:
        """Make the folder and those above it, as far as they are missing.

        Raises:
            OSError: One cannot be made.
        """
        nearest = self._nearest()
        missing = [path for path in (self.path, *self.path.parents) if path.is_relative_to(nearest)]
        for path in reversed(missing):
            if not path.exists():
                path.mkdir()
                self._made.append(path)

    def remove_if_empty(self) -> None:
        """Remove the folders that `make` made, if nothing is in them."""
        while self._made:
            with contextlib.suppress(OSError):  # not empty: after a success, or another run's files
                self._made.pop().rmdir()

    @contextlib.contextmanager
    def full_disk_is_named(self, remaining: Callable[[], int]) -> Iterator[None]:
        """Around writing: a failure becomes a `RunError`, which says so when the disk is full.

        Args:
            remaining: Gives the bytes that are still to be written.
        """
        try:
            yield
        except (OSError, RasterioError) as error:
            missing = remaining()
            free = shutil.disk_usage(self.path).free
            number = error.errno if isinstance(error, OSError) else None
            if number in _FULL_DISK or (number is None and free < missing):
                raise RunError(
                    f"The disk of {self.path} is full: about {_size(max(missing - free, 1))} are missing.",
                    "Free some space, or choose a folder on another disk.",
                    code="disk-full",
                ) from error
            raise RunError(
                f"Writing to {self.path} failed: {error}.", "Check the disk and the folder, then run again."
            ) from error

    def _nearest(self) -> Path:
        """The folder itself, or the nearest one above it that exists."""
        return next(path for path in (self.path, *self.path.parents) if os.path.lexists(path))


def _size(count: float) -> str:
    """A number of bytes for people."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
