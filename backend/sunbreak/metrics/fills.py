"""Baselines of cloud removal that need no network.

Images are (band, row, column), masks (row, column), True where it is cloudy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sunbreak.extras import require

Image = NDArray[np.float32]


def nearest_fill(cloudy: Image, mask: NDArray[np.bool_]) -> Image:
    """Fill cloudy pixels with the value of the nearest clear pixel; unchanged if no pixel is clear."""
    if mask.all() or not mask.any():
        return cloudy
    require("scipy", "evaluation", "Filling clouds with the nearest pixel")
    from scipy.ndimage import distance_transform_edt

    index = distance_transform_edt(mask, return_distances=False, return_indices=True)
    filled: Image = cloudy[:, index[0], index[1]]
    return filled


def mean_fill(cloudy: Image, mask: NDArray[np.bool_]) -> Image:
    """Fill cloudy pixels with the mean of the clear pixels; unchanged if no pixel is clear."""
    if mask.all() or not mask.any():
        return cloudy
    filled: Image = np.where(mask, cloudy[:, ~mask].mean(axis=1)[:, None, None], cloudy)
    return filled
