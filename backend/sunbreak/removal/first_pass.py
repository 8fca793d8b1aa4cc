"""The first pass over a scene: what its clear pixels say about colour and radar, block of rows by block of rows.

The result depends on the scene, its mask and the model's prior only. Blocks may be looked at in other processes: what
they sum up to is added in the order of the rows, so that the result is the same to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sunbreak.engine.checkpoints import State
from sunbreak.removal.guide import Prior, block_means, radar_features
from sunbreak.removal.place_prior import Moments, block_moments, moments, prior_of
from sunbreak.removal.surroundings import CELL, RowSums, Surroundings, row_sums

ROWS = 8 * CELL
"""Rows of a block."""

_MIN_CLEAR = 16384  # with fewer clear pixels the scene's own regression on backscatter is not used
_SUMS, _SEEN, _TREND = "sums.", "seen.", "trend."


@dataclass(frozen=True)
class BlockLook:
    """What one block of rows shows.

    Attributes:
        sums: For the fields.
        pixels: Clear pixels.
        seen: Moments of reflectance and radar, where there is radar and a clear pixel.
        trend: Moments of what radar suggests, likewise, for a prior with a trend.
    """

    sums: RowSums
    pixels: int
    seen: Moments | None
    trend: Moments | None

    def state(self) -> State:
        """As arrays, for `of_state`."""
        parts = {_SUMS: self.sums.state()}
        parts |= {_SEEN: self.seen.state()} if self.seen is not None else {}
        parts |= {_TREND: self.trend.state()} if self.trend is not None else {}
        named = {start + name: array for start, part in parts.items() for name, array in part.items()}
        return {"pixels": np.array(self.pixels), **named}

    @classmethod
    def of_state(cls, state: State) -> BlockLook:
        """The inverse of `state`."""
        sums, seen, trend = (
            {name.removeprefix(start): array for name, array in state.items() if name.startswith(start)}
            for start in (_SUMS, _SEEN, _TREND)
        )
        return cls(
            RowSums.of_state(sums), int(state["pixels"]), Moments.of_state(seen) if seen else None,
            Moments.of_state(trend) if trend else None,
        )  # fmt: skip


def look_at(
    prior: Prior,
    row: int,
    image: NDArray[np.float32],
    clear: NDArray[np.bool_],
    radar: NDArray[np.float32] | None,
) -> BlockLook:
    """Look at a block of rows.

    Args:
        prior: The model's.
        row: First row of the block; a multiple of `ROWS`.
        image: (13, row, column) reflectance, finite.
        clear: (row, column), True where the ground is visible.
        radar: (2, row, column) dB, or None.
    """
    sums, pixels = row_sums(prior, row, image, clear, radar), int(clear.sum())
    if radar is None or not pixels:
        return BlockLook(sums, pixels, None, None)
    return BlockLook(sums, pixels, moments(image, clear, radar), _trend_moments(prior, clear, radar))


def settle(
    looks: Sequence[BlockLook], rows: int, columns: int, known: Prior, *, radar: bool
) -> tuple[Surroundings, Prior]:
    """The fields of a scene, and the prior of its guides.

    Args:
        looks: Of all its blocks, from top to bottom.
        rows: Rows of the scene.
        columns: Columns of the scene.
        known: The model's prior.
        radar: Whether there is radar.
    """
    around = Surroundings(rows, columns, known, radar=radar)
    for look in looks:
        around.add_sums(look.sums)
    around.settle()
    pixels = sum(look.pixels for look in looks)
    parts = [(look.seen, look.trend) for look in looks if look.seen is not None]
    # a prior with slopes comes from the adaptation to a place, which used more than this scene
    if not parts or known.slopes is not None or pixels < _MIN_CLEAR:
        return around, around.prior
    strength = around.prior.strength
    apart = [seen if trend is None or strength is None else seen.without(trend, strength) for seen, trend in parts]
    fitted = prior_of(apart, known.weight)
    return around, replace(around.prior, backscatter=fitted.backscatter, slopes=fitted.slopes)


def _trend_moments(prior: Prior, clear: NDArray[np.bool_], radar: NDArray[np.float32]) -> Moments | None:
    """The moments of what radar suggests, over the clear pixels; None for a prior without a radar trend."""
    features = radar_features(radar)
    trend = prior.suggested(features)
    if trend is None:
        return None
    weight = block_means(clear.astype(np.float32))
    return block_moments(trend * weight, weight, features)
