"""Reads the lists of BigEarthNet v1: cloudy patches, snowy patches, and the official splits with their pairs."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sunbreak.datasets.bigearthnet.names import PatchName, Split, is_s1, is_s2, parse_name
from sunbreak.errors import InputError
from sunbreak.regular_files import read_regular

CLOUDY_LIST = "patches_with_cloud_and_shadow.csv"
SNOWY_LIST = "patches_with_seasonal_snow.csv"
SPLIT_LISTS: dict[Split, tuple[str, ...]] = {
    "train": ("train.csv", "bigearthnet-train.csv"),
    "validation": ("val.csv", "validation.csv", "bigearthnet-val.csv"),
    "test": ("test.csv", "bigearthnet-test.csv"),
}
_FOLDERS = (".", "splits", "lists")
_MAX_BYTES = 2**27  # five times the longest that was published


@dataclass(frozen=True)
class Lists:
    """Content of the lists, by the parsed name of the Sentinel-2 patch.

    Attributes:
        cloudy: Patches with clouds or cloud shadows; None without a list.
        snowy: Patches with seasonal snow; None without a list.
        splits: Official splits; empty without lists.
        pairs: Names of the Sentinel-1 patches, if the splits have them.
    """

    cloudy: frozenset[PatchName] | None
    snowy: frozenset[PatchName] | None
    splits: dict[PatchName, Split]
    pairs: dict[PatchName, str]


def read_lists(folder: Path) -> Lists:
    """Read the lists in the folder and in its subfolders `splits` and `lists`.

    Raises:
        InputError: ``empty-list``, ``bad-list``, or ``overlapping-lists`` if a patch is in two splits.
    """
    cloudy, snowy = (_patches_of(folder, name) for name in (CLOUDY_LIST, SNOWY_LIST))
    splits: dict[PatchName, Split] = {}
    pairs: dict[PatchName, str] = {}
    for split, names in SPLIT_LISTS.items():
        path = _find(folder, names)
        if path is None:
            continue
        for place, s1 in _rows(path):
            if splits.setdefault(place, split) != split:
                raise InputError(
                    f"{path}: a patch of {place.day} at {place.column}, {place.row} is in {splits[place]} as well.",
                    "Take all three split lists from one publication.",
                    code="overlapping-lists",
                )
            if s1:
                pairs[place] = s1
    return Lists(cloudy, snowy, splits, pairs)


def _patches_of(folder: Path, name: str) -> frozenset[PatchName] | None:
    path = _find(folder, (name,))
    return None if path is None else frozenset(place for place, _ in _rows(path))


def _find(folder: Path, names: tuple[str, ...]) -> Path | None:
    places = (folder / part / name for part in _FOLDERS for name in names)
    return next((path for path in places if path.is_file()), None)


def _cells(path: Path, content: bytes) -> Iterator[list[str]]:
    try:
        yield from csv.reader(content.decode("utf-8").splitlines())
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a list of patches: {error}.", "Download it again.", code="bad-list") from error


def _rows(path: Path) -> Iterator[tuple[PatchName, str]]:
    """The parsed Sentinel-2 name of each line, and its Sentinel-1 name or an empty text."""
    content = read_regular(path, "list of patches", limit_bytes=_MAX_BYTES)
    known = 0
    for number, cells in enumerate(_cells(path, content), 1):
        names = [cell.strip().rstrip("/") for cell in cells if cell.strip()]
        place = next((parse_name(name) for name in names if is_s2(name)), None)
        if place is None:
            if not names:
                continue
            # published lists have no header, but copies of them do; a header alone is an empty list
            if number == 1:
                known += 1
                continue
            raise InputError(
                f"{path}: line {number} names no Sentinel-2 patch of BigEarthNet ({','.join(names)[:80]!r}).",
                "Each line holds a name such as S2A_MSIL2A_20170613T101031_87_48; download the list again.",
                code="bad-list",
            )
        known += 1
        yield place, next((name for name in names if is_s1(name)), "")
    if not known:
        raise InputError(
            f"{path} names no patches.",
            "Download the list again; an intentionally empty list has a header.",
            code="empty-list",
        )
