"""Finds BigEarthNet v1 on disk: a folder per patch with bands and JSON, the same for Sentinel-1, and lists."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sunbreak.datasets.bigearthnet.lists import CLOUDY_LIST, SNOWY_LIST, Lists, read_lists
from sunbreak.datasets.bigearthnet.metadata import corresponding_s2
from sunbreak.datasets.bigearthnet.names import PatchName, derived_split, is_s1, is_s2, parse_name
from sunbreak.datasets.bigearthnet.patches import Collection, Patch, Pile, RadarNeed
from sunbreak.errors import InputError

_DEPTH = 3


def find_version1(folder: Path, radar: RadarNeed = "optional") -> Collection:
    """Find the patches below a folder, with any names of the folders in between.

    Cloudy and snowy patches have no official split, so they get `names.derived_split`; without lists, all patches do.
    The split lists join a patch with its Sentinel-1 pair, or else the JSON file of the pair.

    Args:
        folder: Folder of the data set, with the lists in it or in its `splits` or `lists`.
        radar: ``required`` excludes patches without Sentinel-1; ``none`` ignores Sentinel-1.

    Raises:
        InputError: ``no-patches``; a list or a Sentinel-1 JSON file is broken; or ``no-radar`` if radar is required and
            no patch has it.
    """
    s2: dict[PatchName, Path] = {}
    s1: dict[str, Path] = {}
    for path in _patch_folders(folder, _DEPTH):
        place = parse_name(path.name)
        if place is not None and is_s2(path.name):
            s2.setdefault(place, path)
        elif radar != "none":
            s1.setdefault(path.name, path)
    if not s2:
        raise InputError(
            f"{folder}: no patches of BigEarthNet.",
            "Version 1 has folders such as S2A_MSIL2A_20170613T101031_87_48, version 2 a metadata.parquet.",
            code="no-patches",
        )
    lists = read_lists(folder)
    pairs = _pairs(s2, s1, lists)
    ordered = sorted(s2.items(), key=lambda item: item[1].name)
    found = tuple(_patch(place, path, pairs.get(place), lists) for place, path in ordered)
    without = tuple(patch.name for patch in found if patch.s1 is None) if radar != "none" else ()
    if radar == "required":
        found = tuple(patch for patch in found if patch.s1 is not None)
        if not found:
            raise InputError(
                f"{folder}: none of the {len(s2)} patches has a Sentinel-1 pair.",
                "Unpack BigEarthNet-S1 beside it.",
                code="no-radar",
            )
    return Collection(folder, 1, found, without, (), _notes(found, lists))


def _patch_folders(folder: Path, depth: int) -> Iterator[Path]:
    """Folders with names of patches, in order; patch folders are not searched."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir())
    except OSError as error:
        raise InputError(
            f"{folder} cannot be read: {error.strerror}.", "Give the folder of the data set.", code="missing-folder"
        ) from error
    for name in names:
        if is_s2(name) or is_s1(name):
            yield folder / name
        elif depth > 1 and not name.startswith("."):
            yield from _patch_folders(folder / name, depth - 1)


def _pairs(s2: dict[PatchName, Path], s1: dict[str, Path], lists: Lists) -> dict[PatchName, Path]:
    pairs = {place: s1[name] for place, name in lists.pairs.items() if place in s2 and name in s1}
    paired = {path.name for path in pairs.values()}
    for name, path in s1.items():
        if name in paired:
            continue
        place = parse_name(corresponding_s2(path / f"{name}_labels_metadata.json"))
        if place is not None:
            pairs.setdefault(place, path)
    return pairs


def _patch(place: PatchName, path: Path, s1: Path | None, lists: Lists) -> Patch:
    pile: Pile | None = None if lists.cloudy is None or lists.snowy is None else "clear"
    if place in (lists.snowy or ()):
        pile = "snowy"
    # the published lists do not overlap; otherwise cloudy comes first
    if place in (lists.cloudy or ()):
        pile = "cloudy"
    official = lists.splits.get(place)
    return Patch(path.name, path, s1, pile, official or derived_split(place), official is not None)


def _notes(patches: tuple[Patch, ...], lists: Lists) -> tuple[str, ...]:
    notes = []
    for name, given in ((CLOUDY_LIST, lists.cloudy), (SNOWY_LIST, lists.snowy)):
        if given is None:
            notes.append(f"There is no {name}, so clear patches cannot be identified.")
    derived = sum(not patch.official for patch in patches)
    if derived:
        notes.append(
            f"{derived} of {len(patches)} patches are in no official split; their position determines the split."
        )
    return tuple(notes)
