"""The class codes of a whole scene in memory, two bits per pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sunbreak.clouds.classes import CLEAR, NO_DATA, SHADOW, Classes

_PER_BYTE = 4
_SHIFTS = np.array([0, 2, 4, 6], np.uint8)
_LAST = np.uint8(SHADOW)


def pack(classes: Classes) -> NDArray[np.uint8]:
    """Four pixels to a byte, the first one in the lowest bits.

    Args:
        classes: (row, column), codes 0 to 3 or `NO_DATA`, which is stored as clear: whether a pixel has data is told
            by the scene (`S2Block.valid`).

    Returns:
        (row, ceil(column / 4)).

    Raises:
        ValueError: A code is none of these.
    """
    known = np.where(classes == NO_DATA, np.uint8(CLEAR), classes)
    if known.size and known.max() > _LAST:
        raise ValueError(f"{known.max()} is not a class code")
    rows, columns = classes.shape
    padded = np.zeros((rows, -(-columns // _PER_BYTE) * _PER_BYTE), np.uint8)
    padded[:, :columns] = known
    packed: NDArray[np.uint8] = np.zeros((rows, padded.shape[1] // _PER_BYTE), np.uint8)
    for place, shift in enumerate(_SHIFTS):
        packed |= padded[:, place::_PER_BYTE] << shift
    return packed


def unpack(packed: NDArray[np.uint8], columns: int) -> Classes:
    """What `pack` was given, (row, column), with clear where there was no data."""
    classes: Classes = np.empty((len(packed), packed.shape[1] * _PER_BYTE), np.uint8)
    for place, shift in enumerate(_SHIFTS):
        classes[:, place::_PER_BYTE] = packed >> shift & _LAST
    return classes[:, :columns]


class MaskRows:
    """The classes of a whole scene, two bits per pixel: 30 MB for a full Sentinel-2 tile.

    Args:
        height: Rows of the scene.
        width: Columns of the scene.
    """

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        self.packed = np.zeros((height, -(-width // _PER_BYTE)), np.uint8)

    def put(self, row: int, classes: Classes) -> None:
        """Store rows (row, column) from `row` on; no data is stored as clear."""
        self.packed[row : row + len(classes)] = pack(classes)

    def get(self, first: int, stop: int) -> Classes:
        """The rows [first, stop), codes 0 to 3."""
        return unpack(self.packed[first:stop], self.width)
