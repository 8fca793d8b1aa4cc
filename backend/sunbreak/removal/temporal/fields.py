"""Smooth corrections: by what the clear pixels around differ from their prediction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sunbreak.removal.temporal.blocks import Image, Mask

SCALES = (128.0, 32.0)
"""Standard deviations in pixels of the Gaussians of the smooth fields, the widest first."""
LOCAL = 8.0
"""The same of the local correction, which is computed from every pixel."""
REACH = int(4 * LOCAL)
"""Pixels around a pixel that the local correction looks at."""

_CELL = 8  # pixels, about
_SHRINK = np.float32(0.1)  # weight of no correction, on the scale of the blurred clear fraction


class SmoothFields:
    """Fields over a whole scene, computed from a lattice of its pixels.

    Args:
        errors: (plane, row, column) on the lattice: observation less prediction; values outside `clear` do not count.
        clear: (row, column) on the lattice.
        step: Pixels from one place of the lattice to the next.
    """

    def __init__(self, errors: Image, clear: Mask, step: int) -> None:
        import cv2

        times = max(1, round(_CELL / step))
        self._cell = float(times * step)
        # the first place of the lattice is the pixel at half a step
        weight = _means(clear.astype(np.float32), times)
        sums = np.stack([_means(np.where(clear, plane, np.float32(0)), times) for plane in errors])
        found = np.zeros_like(sums)
        for scale in SCALES:
            total = _blurred(weight, scale / self._cell) + _SHRINK
            found += np.stack([_blurred(plane - weight * own, scale / self._cell) / total for plane, own in zip(sums, found, strict=True)])
        self._fields, self._interpolation = found, cv2.INTER_LINEAR

    def at(self, rows: NDArray[np.floating], columns: NDArray[np.floating]) -> Image:
        """The fields at places of the scene, (plane, row, column).

        Args:
            rows: Rows in pixels, the centre of the first pixel is 0.5.
            columns: Columns likewise.
        """
        import cv2

        across, down = np.meshgrid(
            (np.asarray(columns) / self._cell - 0.5).astype(np.float32),
            (np.asarray(rows) / self._cell - 0.5).astype(np.float32),
        )
        planes = [
            cv2.remap(plane, across, down, self._interpolation, borderMode=cv2.BORDER_REPLICATE) for plane in self._fields
        ]
        return np.asarray(planes, np.float32)


def local(errors: Image, clear: Mask, scale: float = LOCAL) -> Image:
    """The local correction (plane, row, column), from errors of clear pixels that are left after the smooth fields."""
    weight = _blurred(clear.astype(np.float32), scale) + _SHRINK
    return np.stack([_blurred(np.where(clear, plane, np.float32(0)), scale) / weight for plane in errors])


def _means(plane: Image, times: int) -> Image:
    """Means over cells; beyond the edge is 0."""
    import cv2

    if times == 1:
        return plane
    rows, columns = plane.shape
    whole = np.pad(plane, ((0, -rows % times), (0, -columns % times)))
    size = whole.shape[1] // times, whole.shape[0] // times
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.float32)


def _blurred(plane: Image, scale: float) -> Image:
    """A Gaussian blur, cut off at four standard deviations; outside is 0, so that no pixel counts twice."""
    import cv2

    side = 2 * max(1, int(4 * scale)) + 1
    return np.asarray(cv2.GaussianBlur(plane, (side, side), scale, borderType=cv2.BORDER_CONSTANT), np.float32)
