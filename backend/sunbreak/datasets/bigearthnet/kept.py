"""Cache for the pixels of patches: small data sets stay in memory, large ones are read each time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sunbreak.datasets.bigearthnet.bands import SIDE, read_bands
from sunbreak.datasets.bigearthnet.patches import Patch

_KEPT_BYTES = 1 << 30


class KeptPatches:
    """Patches as arrays (band, 120, 120), reflectance or dB.

    Args:
        patches: The patches, in order.
        bands: Canonical names, including ``VV`` and ``VH``.
    """

    def __init__(self, patches: Sequence[Patch], bands: Sequence[str]) -> None:
        self.patches = tuple(patches)
        self.bands = tuple(bands)
        small = len(self.patches) * len(self.bands) * SIDE**2 * 4 <= _KEPT_BYTES
        self._kept: dict[int, NDArray[np.float32]] | None = {} if small else None

    def __len__(self) -> int:
        return len(self.patches)

    def __getitem__(self, index: int) -> NDArray[np.float32]:
        """Read one patch; the array must not be changed.

        Raises:
            InputError: A file of the patch is missing or broken.
        """
        if self._kept is not None and index in self._kept:
            return self._kept[index]
        values = read_bands(self.patches[index], self.bands)
        if self._kept is not None:
            self._kept[index] = values
        return values
