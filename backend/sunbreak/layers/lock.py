"""Allows one run at a time on one output, with a lock file that names the process that holds it."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

from sunbreak import unfinished
from sunbreak.drafts import create, read_stored
from sunbreak.errors import OutputError
from sunbreak.processes import is_alive

_LIMIT = 1000
_WRITTEN_WITHIN_S = 5
_held_here: set[Path] = set()


class OutputLock:
    """Held from `acquire` to `release`. A lock whose process has ended is replaced.

    Args:
        path: The lock file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held = False

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._held

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            OutputError: another live process holds it.
            OSError: the folder cannot be written.
        """
        for _ in range(2):
            try:
                file = create(self.path)
            except FileExistsError:
                if not self._is_stale():
                    break
                self.path.unlink(missing_ok=True)
            else:
                unfinished.add(self.path)
                _held_here.add(self.path)
                self._held = True
                try:
                    with file:
                        file.write(f"{os.getpid()} {socket.gethostname()}\n".encode())
                except BaseException:
                    self.release()
                    raise
                return
        raise OutputError(
            f"Another run is writing the same output ({self.path}).",
            "Wait for it, choose another folder, or delete that file if no run is active.",
            code="output-locked",
        )

    def release(self) -> None:
        """Release the lock. Does nothing when it is not held."""
        if self._held:
            self._held = False
            self.path.unlink(missing_ok=True)
            unfinished.drop(self.path)
            _held_here.discard(self.path)

    def _is_stale(self) -> bool:
        try:
            content = read_stored(self.path, limit=_LIMIT).decode()
            if not content:  # killed before it was written, unless its owner is about to write it
                return time.time() - self.path.lstat().st_mtime > _WRITTEN_WITHIN_S
            pid, host = content.split()
            # with the number of this process it was left by an earlier one, unless this process holds it
            gone = self.path not in _held_here if int(pid) == os.getpid() else not is_alive(int(pid))
            return host == socket.gethostname() and gone
        except FileNotFoundError:
            return True
        except (ValueError, OverflowError, OSError):
            # Its owner is just writing it, or it is no lock file of ours: treat it as held.
            return False
