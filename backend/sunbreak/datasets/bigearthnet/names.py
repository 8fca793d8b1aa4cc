"""Names of BigEarthNet patches, quirks included: a missing zero before the hour, and seconds past 59.

Version 1 calls a patch ``S2A_MSIL2A_20170613T101031_87_48`` (column 87, row 48 of its tile), version 2 puts baseline,
orbit and tile between; the radar pair is ``S1A_IW_GRDH_1SDV_20170613T165043_33UUP_87_48``.
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
# of the official split of version 1: 269,695, 123,723 and 125,866 patches
_SHARES = (0.52, 0.24)
_BLOCK = 10


@dataclass(frozen=True, order=True)
class PatchName:
    """What a patch's name says.

    Attributes:
        mission: ``S2A``, ``S2B``, ``S1A`` or ``S1B``.
        day: Date of the acquisition.
        time: Six digits. Not always a time of the day: ``094161`` occurs.
        tile: Such as ``33UUP``; empty for Sentinel-2 in version 1.
        column: From the tile's left edge, in patches of 1200 m.
        row: From its upper edge.
    """

    mission: str
    day: date
    time: str
    tile: str
    column: int
    row: int


def parse_name(name: str) -> PatchName | None:
    """What the name of a Sentinel-1 or Sentinel-2 patch says, or None if it is no such name.

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
    """A split for a patch that the official one leaves out, as it does with all cloudy and snowy patches of version 1.

    Blocks of 10 x 10 patches of one acquisition stay together, because neighbours look alike; blocks fall into train,
    validation and test in the official proportions, by a hash that is the same everywhere.
    """
    block = f"{name.mission} {name.day} {name.time} {name.tile} {name.column // _BLOCK} {name.row // _BLOCK}"
    place = int.from_bytes(blake2b(block.encode(), digest_size=8).digest(), "big") / 2**64
    if place < _SHARES[0]:
        return "train"
    return "validation" if place < sum(_SHARES) else "test"
