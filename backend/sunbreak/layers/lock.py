"""Allows one run at a time on one output, with a lock file that names the process that holds it."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from sunbreak.errors import OutputError


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
                handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            except FileExistsError:
                if not self._is_stale():
                    break
                self.path.unlink(missing_ok=True)
            else:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(f"{os.getpid()} {socket.gethostname()}\n")
                self._held = True
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

    def _is_stale(self) -> bool:
        try:
            pid, host = self.path.read_text(encoding="utf-8").split()
            return host == socket.gethostname() and not process_is_alive(int(pid))
        except FileNotFoundError:
            return True
        except (ValueError, OSError):
            # Its owner is just writing it, or it is no lock file of ours: treat it as held.
            return False


def process_is_alive(pid: int) -> bool:
    """Whether a process with this number runs on this machine."""
    if sys.platform == "win32":
        import ctypes

        # os.kill(pid, 0) would end the process on Windows.
        query_limited_information = 0x1000
        handle = ctypes.windll.kernel32.OpenProcess(query_limited_information, False, pid)
        if handle:
            ctypes.windll.kernel32.CloseHandle(handle)
        return bool(handle)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
