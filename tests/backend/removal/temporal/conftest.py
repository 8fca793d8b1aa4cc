"""Samples of a place whose truth is known, made without files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from sunbreak.removal.temporal.blocks import RADAR_SIDES, Block, Blocks, radar_features
from sunbreak.removal.temporal.sample import Lattice
from sunbreak.scene import S2_BANDS

RADAR_NAMES = tuple(f"{name} {side}" for side in RADAR_SIDES for name in ("VV", "VH"))


@dataclass
class Sampled:
    """Every pixel of a place on several days.

    Attributes:
        lattice: The sample; the target is the first day.
        truth: (band, row, column) of the target, without noise.
    """

    lattice: Lattice
    truth: np.ndarray

    def grid(self, values: np.ndarray) -> np.ndarray:
        return self.lattice.grid(values)


@pytest.fixture(scope="session")
def sampled(field_place) -> Callable[..., Sampled]:
    """Sample a place on some days, the target first."""

    def make(
        days: Sequence[int],
        shape: tuple[int, int] = (96, 128),
        *,
        bands: Mapping[int, Sequence[str]] | None = None,
        hidden: Mapping[int, np.ndarray] | None = None,
        noise: float = 0.02,
        radar: Sequence[int] = (),
        edit: Callable[[int, np.ndarray], None] = lambda member, values: None,
        seed: int = 0,
    ) -> Sampled:
        place = field_place(*shape, seed)
        blocks, values, known = [], [], []
        for member, day in enumerate(days):
            names = tuple((bands or {}).get(member, S2_BANDS))
            seen = place.seen(day, names, noise)
            edit(member, seen)
            blocks.append(Block(member, False, names))
            values.append(seen.reshape(len(names), -1))
            known.append(~(hidden or {}).get(member, np.zeros(shape, bool)).ravel())
        for member in radar:
            db = place.radar(days[member])
            edit(-1 - member, db)
            blocks.append(Block(member, True, RADAR_NAMES))
            values.append(radar_features(db).reshape(len(RADAR_NAMES), -1))
            known.append(np.ones(shape[0] * shape[1], bool))
        rows, columns = (np.arange(side) for side in shape)
        gaps = tuple(day - days[0] for day in days)
        lattice = Lattice(Blocks(tuple(blocks), gaps), 1, rows, columns, values, known)
        return Sampled(lattice, place.truth(days[0], blocks[0].names))

    return make


@pytest.fixture(scope="session")
def window() -> Callable[..., np.ndarray]:
    """A mask that is True in a window: (first row, last row, first column, last column), the last ones excluded."""

    def make(shape: tuple[int, int], top: int, bottom: int, left: int, right: int) -> np.ndarray:
        mask = np.zeros(shape, bool)
        mask[top:bottom, left:right] = True
        return mask

    return make
