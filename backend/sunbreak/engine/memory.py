"""Returns the memory of freed strips to the system.

The GNU C library allocates large arrays with mmap and returns them to the system when they are freed. But each time it
frees one, it raises the mmap threshold, up to 32 MB. The strips of a wide scene are then allocated in the heaps of
three threads and fragment them, which costs 50 MB in a full-width run. A fixed threshold prevents this.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache

_THRESHOLD = 9_000_000  # bytes
_M_MMAP_THRESHOLD = -3


@cache
def fix_mmap_threshold() -> bool:
    """Fix the mmap threshold of this process; False if the C library does not allow it."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(_M_MMAP_THRESHOLD, _THRESHOLD) == 1


def return_freed() -> None:
    """Give memory that was freed back to the system, where the C library can: small arrays leave holes in its heaps."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform.startswith("linux") else None
    if trim is not None:
        trim(0)
