"""Keeps the memory of freed strips from staying with the process.

The GNU C library hands large arrays back to the system when they are freed, but raises the size it calls large, up to
32 MB, each time one is. The strips of a wide scene then live in the heaps of three threads, whose holes nobody else can
use: 50 MB of a full-width run.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache

_LARGE = 9_000_000
_M_MMAP_THRESHOLD = -3


@cache
def give_back_strips() -> bool:
    """Fix from which size on freed arrays go back to the system, in this process; False if impossible."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(_M_MMAP_THRESHOLD, _LARGE) == 1
