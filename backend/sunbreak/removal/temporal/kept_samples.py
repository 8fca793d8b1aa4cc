"""Keeps the samples of other dates for jobs that read the same dates again, as those of a series do."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from sunbreak.clouds.mask_rows import MaskRows
from sunbreak.removal.temporal.blocks import Image, Mask
from sunbreak.removal.temporal.sample import Lattice
from sunbreak.scene import Scene, SceneSeries
from sunbreak.sources.fingerprint import fingerprint

MEMORY_BYTES = 256 * 1024**2
"""Of the samples that are kept: 30 dates of 13 bands."""


@dataclass(frozen=True)
class _Kept:
    mask: MaskRows | None
    values: tuple[Image, ...]
    known: tuple[Mask, ...]

    @property
    def bytes(self) -> int:
        return sum(array.nbytes for array in (*self.values, *self.known))


class SampleMemory:
    """The samples of other dates on the grid of a target.

    Args:
        limit: Bytes of the samples that are kept; the oldest are dropped. One date that is larger is not kept.
    """

    def __init__(self, limit: int = MEMORY_BYTES) -> None:
        self.limit = limit
        self._held: dict[Hashable, _Kept] = {}

    def take(self, lattice: Lattice, series: SceneSeries, member: int, mask: MaskRows | None) -> bool:
        """Put the sample of a date into a lattice, if it is known.

        Args:
            lattice: Sample of the series.
            series: The scene and its other dates.
            member: Index of the date in the series, from 1.
            mask: The clouds that were found in it, None if its own mask is used.

        Returns:
            Whether it was known: for the same files, read alike, with the same clouds, on the same grid.
        """
        kept = self._held.get(_key(lattice, series, member))
        if kept is None or not _same(kept.mask, mask):
            return False
        for index, values, known in zip(_blocks(lattice, member), kept.values, kept.known, strict=True):
            lattice.values[index], lattice.known[index] = values, known
        return True

    def keep(self, lattice: Lattice, series: SceneSeries, member: int, mask: MaskRows | None) -> None:
        """Keep the sample of a date, which may not be changed afterwards; arguments as for `take`."""
        key, own = _key(lattice, series, member), _blocks(lattice, member)
        self._held.pop(key, None)
        self._held[key] = _Kept(mask, tuple(lattice.values[i] for i in own), tuple(lattice.known[i] for i in own))
        while self.bytes > self.limit:
            del self._held[next(iter(self._held))]

    @property
    def bytes(self) -> int:
        """Size of the samples."""
        return sum(kept.bytes for kept in self._held.values())


def _blocks(lattice: Lattice, member: int) -> list[int]:
    return [index for index, block in enumerate(lattice.blocks.blocks) if block.member == member]


def _key(lattice: Lattice, series: SceneSeries, member: int) -> Hashable:
    names = tuple(lattice.blocks.blocks[index].names for index in _blocks(lattice, member))
    target = series.target
    return _of_date(series.others[member - 1]), target.stack.grid, target.origin, target.grid.shape, lattice.step, names


def _of_date(scene: Scene) -> Hashable:
    files = tuple((str(path), *fingerprint(path)) for path in scene.inputs)
    given = scene.cloud_mask.option if scene.cloud_mask is not None else None
    radar = repr(scene.radar)
    return files, scene.origin, scene.grid.shape, scene.bands, repr(scene.radiometry), given, radar


def _same(one: MaskRows | None, other: MaskRows | None) -> bool:
    if one is None or other is None:
        return one is other
    return one is other or np.array_equal(one.packed, other.packed)
