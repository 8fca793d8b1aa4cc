"""Stored numbers of a scene as the input of a classifier: (value - mean) / deviation, unknown pixels are 0."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.errors import ModelError
from sunbreak.models.card import ModelCard
from sunbreak.scene import Scene

_DN = 10000.0
# rows standardised at once before channels are interleaved: bounds the temporary copy
_ROWS = 16


class Standardising:
    """Standardises parts of a scene for a classifier.

    Attributes:
        channels: Channels of the input: VV and VH where the model uses radar, then the bands of the card.
        in_scene: Index of each of the card's bands in the scene's order.

    Args:
        scene: Where the numbers are from; has the bands of the card.
        card: The classifier's card.

    Raises:
        ModelError: The card has no standardisation (``bad-card``).
    """

    def __init__(self, scene: Scene, card: ModelCard) -> None:
        self.in_scene = [scene.bands.index(band) for band in card.bands]
        self._factor, self._shift = _affine(scene, card)
        self._radar = 2 if card.uses_radar else 0
        self.channels = self._radar + len(self.in_scene)

    def fill(
        self,
        x: NDArray[np.float32],
        raw: Iterable[NDArray[Any]],
        valid: NDArray[np.bool_],
        radar: NDArray[np.float32] | None,
    ) -> None:
        """Write the standardised channels of a part of the scene; unknown pixels become 0, the mean.

        Args:
            x: Where to, (channel, row, column); fastest where it is channels-last in memory.
            raw: Stored numbers (row, column) of the card's bands in its order.
            valid: (row, column).
            radar: VV and VH in dB (2, row, column), where the model uses radar.
        """
        first, (rows, columns) = self._radar, valid.shape
        apart = np.empty((self.channels, min(rows, _ROWS), columns), np.float32)
        for top in range(0, rows, _ROWS):
            part = slice(top, min(top + _ROWS, rows))
            some = apart[:, : part.stop - top]
            if radar is not None:
                some[:first] = radar[:, part]
            for channel, band in enumerate(raw, first):
                some[channel] = band[part]
            some *= self._factor[:, None, None]
            some += self._shift[:, None, None]
            if not valid[part].all():
                some[first:, ~valid[part]] = 0
            if radar is not None:
                np.nan_to_num(some[:first], copy=False)
            # row by row, so that a row stays in the CPU cache until its last channel is written
            for row in range(part.stop - top):
                for channel in range(self.channels):
                    x[channel, top + row] = some[channel, row]


def _affine(scene: Scene, card: ModelCard) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Factor and shift per channel from stored numbers (or dB) to network input; an unknown level counts as L2A."""
    standard = card.standardisation
    if standard is None:
        raise ModelError(f"The card of {card.name} has no standardisation.", "Import the model again.", code="bad-card")
    if scene.level == "L1C" and card.standardisation_l1c is not None:
        standard = card.standardisation_l1c
    mean, deviation = (np.array(part) for part in (standard.mean, standard.deviation))
    # the networks were trained on DN without offset: reflectance x 10000
    to_dn = np.full(len(mean), _DN / scene.radiometry.quantification)
    offset = np.full(len(mean), scene.radiometry.offset)
    if card.uses_radar:
        to_dn[:2], offset[:2] = 1, 0
    factor = to_dn / deviation
    return factor.astype(np.float32), (offset * factor - mean / deviation).astype(np.float32)
