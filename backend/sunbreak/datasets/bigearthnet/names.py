"""Parses names of BigEarthNet patches. Some names lack a zero before the hour or have seconds above 59.

A name of version 1 is ``S2A_MSIL2A_20170613T101031_87_48`` (column 87, row 48 of its tile). Version 2 adds baseline,
orbit and tile. The name of a radar pair is ``S1A_IW_GRDH_1SDV_20170613T165043_33UUP_87_48``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Literal

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

_S2 = re.compile(r"(S2[AB])_MSIL2A_(\d{8})T(\d{5,6})(?:_N\d{4}_R\d{3}_T(\d{2}[A-Z]{3}))?_(\d{1,2})_(\d{1,2})")
_S1 = re.compile(r"(S1[AB])_IW_GRDH_1SDV_(\d{8})T(\d{6})_(\d{2}[A-Z]{3})_(\d{1,2})_(\d{1,2})")
# fractions of the official split of version 1: 269,695, 123,723 and 125,866 patches
_SHARES = (0.52, 0.24)
_BLOCK = 10


@dataclass(frozen=True, order=True)
class PatchName:
    """The parsed name of a patch.

    Attributes:
        mission: ``S2A``, ``S2B``, ``S1A`` or ``S1B``.
        day: Date of the acquisition.
        time: Six digits; not always a valid time, ``094161`` occurs.
        tile: Tile such as ``33UUP``; empty for Sentinel-2 in version 1.
        column: Column from the left edge of the tile, in patches of 1200 m.
        row: Row from the upper edge of the tile.
    """

    mission: str
    day: date
    time: str
    tile: str
    column: int
    row: int


def parse_name(name: str) -> PatchName | None:
    """Parse the name of a Sentinel-1 or Sentinel-2 patch; None for other names.

    >>> parse_name("S2B_MSIL2A_20170924T93020_69_24").time
    '093020'
    """
    found = _S2.fullmatch(name) or _S1.fullmatch(name)
    if found is None:
        return None
    digits = found[2]
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    return PatchName(found[1], day, found[3].zfill(6), found[4] or "", int(found[5]), int(found[6]))


def is_s2(name: str) -> bool:
    """Whether a name is that of a Sentinel-2 patch."""
    return _S2.fullmatch(name) is not None


def is_s1(name: str) -> bool:
    """Whether a name is that of a Sentinel-1 patch."""
    return _S1.fullmatch(name) is not None


def derived_split(name: PatchName) -> Split:
    """A split for a patch without an official split, such as all cloudy and snowy patches of version 1.

    Blocks of 10 x 10 patches of one acquisition are in one split, because neighbours are similar. A hash assigns blocks
    to train, validation and test in the official proportions.
    """
    block = f"{name.mission} {name.day} {name.time} {name.tile} {name.column // _BLOCK} {name.row // _BLOCK}"
    place = int.from_bytes(blake2b(block.encode(), digest_size=8).digest(), "big") / 2**64
    if place < _SHARES[0]:
        return "train"
    return "validation" if place < sum(_SHARES) else "test"
