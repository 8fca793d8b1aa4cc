"""How much memory other programs leave free."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

_UNKNOWN = 1 << 62


def free_memory(facts: Path = Path("/proc/meminfo")) -> int:
    """Bytes that a new process can use without swapping; a huge number where the system does not say.

    Args:
        facts: Where Linux says it.
    """
    if sys.platform == "win32":
        return _of_windows()
    try:
        lines = facts.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, IndexError, StopIteration):
        return _UNKNOWN


class _Status(ctypes.Structure):
    """MEMORYSTATUSEX of Windows."""

    _fields_ = [
        ("length", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        *((name, ctypes.c_uint64) for name in ("total", "free", "page", "free_page", "own", "free_own", "extended")),
    ]


def _of_windows() -> int:
    status = _Status()
    status.length = ctypes.sizeof(status)
    found = ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
    return int(status.free) if found else _UNKNOWN
