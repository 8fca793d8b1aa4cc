"""Fills of clouds that need no network: what a removal has to be better than.

Images are (band, row, column), masks (row, column), True where it is cloudy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

Image = NDArray[np.float32]


def nearest_fill(cloudy: Image, mask: NDArray[np.bool_]) -> Image:
    """Every cloudy pixel takes the value of the nearest clear one; without a clear pixel nothing changes."""
    if mask.all() or not mask.any():
        return cloudy
    index = distance_transform_edt(mask, return_distances=False, return_indices=True)
    filled: Image = cloudy[:, index[0], index[1]]
    return filled


def mean_fill(cloudy: Image, mask: NDArray[np.bool_]) -> Image:
    """Every cloudy pixel takes the mean of the clear ones; without a clear pixel nothing changes."""
    if mask.all() or not mask.any():
        return cloudy
    filled: Image = np.where(mask, cloudy[:, ~mask].mean(axis=1)[:, None, None], cloudy)
    return filled
