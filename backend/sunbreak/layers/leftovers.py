"""Removes what runs left in a folder whose process was ended by force."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from sunbreak.errors import OutputError
from sunbreak.layers.lock import OutputLock


def remove_leftovers(folder: Path) -> None:
    """Remove the unfinished layers of dead runs, and the folder if nothing else is in it.

    A run that is alive keeps its own. What is finished stays.

    Args:
        folder: The folder that layers go to; it need not exist.
    """
    for path in sorted(folder.glob(".sunbreak-*.lock")):
        lock = OutputLock(path)
        with contextlib.suppress(OutputError, OSError):
            lock.acquire()
            try:
                shutil.rmtree(path.with_suffix(".tmp"), ignore_errors=True)
            finally:
                lock.release()
    with contextlib.suppress(OSError):
        folder.rmdir()
