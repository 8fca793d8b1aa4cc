"""Places tiles of one row of tiles over what has to be computed, where that takes fewer than the fixed raster."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def placed(wanted: NDArray[np.bool_], size: int, overlap: int, most: int) -> list[int] | None:
    """First columns of tiles that cover the wanted columns.

    What lies together is covered by a chain of tiles that overlap, with as much of the surroundings on its left as on
    its right.

    Args:
        wanted: (column,), whether the column has to be covered.
        size: Columns of a tile, at most those that there are.
        overlap: Columns that neighbouring tiles of a chain share.
        most: Number of tiles that the fixed raster takes.

    Returns:
        The columns, ascending; None if the chains take `most` tiles or more.
    """
    width, step = len(wanted), size - overlap
    columns = np.flatnonzero(wanted)
    found: list[int] = []
    first = 0
    while first < len(columns) and len(found) < most:
        left = int(columns[first])
        chain = 1
        while True:
            end = left + (chain - 1) * step + size
            beyond = int(np.searchsorted(columns, end))
            # the chain goes on if something wanted lies on both sides of its end, closer than an overlap
            if beyond == len(columns) or columns[beyond] - columns[beyond - 1] > overlap:
                break
            chain += 1
        spare = end - 1 - int(columns[beyond - 1])
        start = min(max(left - spare // 2, 0), width - (end - left))
        found += [max(start, 0) + number * step for number in range(chain)]
        first = beyond
    if len(found) >= most:
        return None
    return sorted({min(start, width - size) for start in found})
