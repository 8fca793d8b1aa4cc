"""The folder that layers are written to: whether it can be written, has space, and what a full disk means."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError

from sunbreak import unfinished
from sunbreak.errors import OutputError, RunError, SunbreakError
from sunbreak.outputs import FULL_DISK, check_folder, nearest

# GDAL's words for it, if it has any
_SAYS_FULL = ("no space left", "file too large", "quota exceeded", "disk full")
_LEAST_FREE, _PROBE = 2**16, 2**26


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
            OutputError: It is a file, cannot be written, or its path is impossible.
        """
        check_folder(self.path)

    def check_space(self, needed: int, reusable: int) -> None:
        """Check that the disk has space.

        Args:
            needed: Bytes that the run needs at its worst moment.
            reusable: Bytes of an earlier run that this one continues with.

        Raises:
            OutputError: ``disk-full``.
        """
        free = shutil.disk_usage(nearest(self.path)).free + reusable
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
        above = nearest(self.path)
        missing = [path for path in (self.path, *self.path.parents) if path.is_relative_to(above)]
        for path in reversed(missing):
            if not path.exists():
                path.mkdir()
                self._made.append(path)
                unfinished.add(path, keep_content=True)

    def remove_if_empty(self) -> None:
        """Remove the folders that `make` made, if nothing is in them."""
        while self._made:
            path = self._made.pop()
            with contextlib.suppress(OSError):  # not empty: after a success, or another run's files
                path.rmdir()
            unfinished.drop(path)

    @contextlib.contextmanager
    def full_disk_is_named(self, what: str, remaining: Callable[[], int]) -> Iterator[None]:
        """Around writing: a failure becomes a `RunError`, which says so when the disk is full.

        Args:
            what: Name of the file that is written.
            remaining: Gives the bytes that are still to be written.
        """
        try:
            yield
        except (OSError, RasterioError, CPLE_BaseError) as error:
            raise self.failure(error, what, remaining()) from error

    def failure(self, error: Exception, what: str, missing: int = 0) -> SunbreakError:
        """The error for a failure to write.

        Args:
            error: An `OSError`, or what GDAL raised.
            what: Name of the file.
            missing: Bytes that were still to be written.
        """
        free = self._free()
        number = error.errno if isinstance(error, OSError) else None
        text = " ".join((getattr(error, "strerror", None) or str(error)).split())
        if isinstance(error, OSError) and error.filename:
            what = Path(os.fsdecode(error.filename)).name
        # GDAL does not always say why it could not write
        full = number in FULL_DISK or any(words in text.lower() for words in _SAYS_FULL)
        if full or (number is None and (free < max(missing, _LEAST_FREE) or not self._takes(missing))):
            lacks = f": about {_size(missing - free)} are missing" if missing > free else ""
            return RunError(
                f"The disk of {self.path} is full, and {what} could not be written{lacks}.",
                "Free some space, or choose a folder on another disk.",
                code="disk-full",
            )
        if number is not None and missing == 0:
            return OutputError(f"Nothing can be written to the folder {self.path}: {text}.", "Choose another folder.")
        return RunError(
            f"Writing {what} to {self.path} failed: {text}.", "Check the disk and the folder, then run again."
        )

    def _takes(self, count: int) -> bool:
        """Whether a file of so many bytes fits, quotas and limits of the user included."""
        if not hasattr(os, "posix_fallocate"):
            return True
        try:
            with tempfile.TemporaryFile(dir=nearest(self.path)) as file:
                os.posix_fallocate(file.fileno(), 0, min(max(count, 1), _PROBE))
        except OSError as error:
            return error.errno not in FULL_DISK
        return True

    def _free(self) -> int:
        try:
            return shutil.disk_usage(nearest(self.path)).free
        except OSError:  # the disk is gone
            return 2**63


def _size(count: float) -> str:
    """A number of bytes for people."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def nbytes_below(folder: Path) -> int:
    """Bytes of the files in a folder and the folders in it; 0 if there is none."""
    total = 0
    for path, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):  # another process may move it
                total += (Path(path) / name).lstat().st_size
    return total
