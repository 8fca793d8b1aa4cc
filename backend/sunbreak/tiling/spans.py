"""The range of rows or columns that hold something."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def span_of(wanted: NDArray[np.bool_]) -> slice | None:
    """The shortest range that holds everything wanted, or None if nothing is.

    Args:
        wanted: (position,).
    """
    if not wanted.any():
        return None
    return slice(int(wanted.argmax()), len(wanted) - int(wanted[::-1].argmax()))
