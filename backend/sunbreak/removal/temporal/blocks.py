"""Which numbers of a series the temporal guide uses: a block of features for each date, and for radar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sunbreak.scene import Scene, SceneSeries

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]

RADAR_SIDES = (3, 9)
"""Sides in pixels of the windows that backscatter is averaged over; single pixels are mostly speckle."""
REACH = RADAR_SIDES[-1] // 2
"""Pixels around a pixel that its features depend on."""
UNKNOWN_DAYS = 365
"""Days to a date that is not known: it counts as the farthest."""

_FLOOR = np.float32(1e-3)  # power; -30 dB
_MAX_REFLECTANCE = np.float32(1.6)


@dataclass(frozen=True)
class Block:
    """Features that are known or unknown together.

    Attributes:
        member: Index of the date in the series, 0 for the target.
        radar: Whether the features are backscatter, else reflectance.
        names: Of the features: bands, or windows of backscatter.
    """

    member: int
    radar: bool
    names: tuple[str, ...]


@dataclass(frozen=True)
class Blocks:
    """All blocks of a series, the target's reflectance first, then the other dates, then radar.

    Attributes:
        blocks: The blocks.
        days: Days from the target to each member of the series.
    """

    blocks: tuple[Block, ...]
    days: tuple[int, ...]

    @classmethod
    def of(cls, series: SceneSeries, members: Sequence[int]) -> Blocks:
        """The blocks of a series.

        Args:
            series: The series.
            members: Indices of the other dates that are used; 1 is the first other date.
        """
        scenes = (series.target, *series.others)
        optical = [Block(member, False, scenes[member].bands) for member in (0, *members)]
        radar = []
        if series.target.has_s1:
            # radar of other dates says something about the target only beside the target's own
            radar = [_radar(member, scenes[member]) for member in (0, *members) if scenes[member].has_s1]
        days = tuple(UNKNOWN_DAYS if gap is None else gap for gap in series.days)
        return cls((*optical, *radar), (0, *days))

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Where each block lies among all features."""
        stops = np.cumsum([len(block.names) for block in self.blocks])
        return tuple(slice(int(stop) - len(block.names), int(stop)) for block, stop in zip(self.blocks, stops, strict=True))

    @property
    def features(self) -> int:
        """Number of features."""
        return self.slices[-1].stop

    @cached_property
    def optical(self) -> tuple[int, ...]:
        """Indices of the blocks of reflectance of other dates."""
        return tuple(i for i, block in enumerate(self.blocks) if block.member and not block.radar)

    @cached_property
    def optical_bits(self) -> int:
        """The bits of `optical` in a pattern."""
        return sum(1 << i for i in self.optical)

    def columns(self, pattern: int) -> NDArray[np.intp]:
        """Indices of the features of the blocks in a pattern: bit i stands for block i."""
        parts = [np.arange(part.start, part.stop) for i, part in enumerate(self.slices) if pattern >> i & 1]
        return np.concatenate(parts) if parts else np.zeros(0, np.intp)


def reflectance_features(reflectance: Image) -> Image:
    """Reflectance as features: finite, and without the extremes of glint and damaged pixels."""
    return np.clip(np.nan_to_num(reflectance), 0, _MAX_REFLECTANCE)


def radar_features(radar: Image) -> Image:
    """Backscatter averaged as power over windows.

    Args:
        radar: (2, row, column) dB, NaN where there is none.

    Returns:
        (2 for each window, row, column) dB.
    """
    import cv2

    with np.errstate(over="ignore"):
        power = np.maximum(np.nan_to_num(np.power(np.float32(10), radar * np.float32(0.1))), _FLOOR)
    planes = [
        cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT_101) for side in RADAR_SIDES for plane in power
    ]
    return np.asarray(np.float32(10) * np.log10(planes), np.float32)


def patterns(known: Sequence[Mask]) -> NDArray[np.int32]:
    """Which blocks are known at each place, as a number: bit i stands for block i."""
    found = np.zeros(known[0].shape, np.int32)
    for i, mask in enumerate(known):
        found |= mask.astype(np.int32) << i
    return found


def _radar(member: int, scene: Scene) -> Block:
    names = tuple(f"{name} {side}" for side in RADAR_SIDES for name in ("VV", "VH"))
    return Block(member, True, names)
