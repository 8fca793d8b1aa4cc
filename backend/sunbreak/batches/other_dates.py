"""Gives each scene of a batch the other dates of its place that stand in the same table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sunbreak.batches.manifest import BatchScene
from sunbreak.errors import InputError
from sunbreak.scene.discovery import find_bands
from sunbreak.scene.grid import Grid
from sunbreak.scene.product import Level
from sunbreak.scene.reference_files import is_acquisition
from sunbreak.scene.resample import Mapping
from sunbreak.scene.series_opening import same_acquisition

AUTO = 8
"""Other dates of each scene with ``--references auto``."""

_SAME_PLACE = 0.5
_POINTS = 32


@dataclass(frozen=True)
class Acquisition:
    """A scene of a batch, and when and where it was acquired.

    Attributes:
        scene: The scene.
        path: The one path that opens it as another date; None if its bands are given one by one.
        grid: Its grid, or that of the part that is processed.
        acquired: Its date.
        level: Its processing level, where the files say it.
    """

    scene: BatchScene
    path: Path | None
    grid: Grid
    acquired: datetime
    level: Level | None = None


def wanted_dates(text: str | int) -> int:
    """The number of other dates that ``auto`` or a number stands for.

    Raises:
        InputError: It is neither ``auto`` nor a number from 1 on (``bad-option``).
    """
    if text == "auto":
        return AUTO
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise InputError(
            f"The number of references is {text!r}.", "Give auto, or a number from 1 on.", code="bad-option"
        )
    return number


def with_other_dates(
    scenes: Sequence[BatchScene], count: int = AUTO, s2_bands: Sequence[str] | None = None
) -> tuple[list[BatchScene], list[str]]:
    """The same scenes, each with the nearest other dates of its place among them.

    Two scenes are of one place if more than half of the scene to be cleaned lies within the other. A scene whose table
    names its references keeps those, as does one that has other dates from a folder of `sunbreak get`.

    Args:
        scenes: The scenes of the batch.
        count: Other dates of each scene at most.
        s2_bands: Names of the bands in the files' order, if the files do not say.

    Returns:
        The scenes in their order, and sentences for the user.
    """
    known = [one for one in (_look_leniently(scene, s2_bands) for scene in scenes) if one is not None]
    by_name = {one.scene.name: one for one in known}
    given, numbers, unknown = [], [], []
    for scene in scenes:
        if scene.references or scene.found_references:
            given.append(scene)
            continue
        if scene.name not in by_name:
            unknown.append(scene.name)
            given.append(scene)
            continue
        others = nearest(by_name[scene.name], known, count)
        numbers.append(len(others))
        given.append(with_references(scene, others))
    notes = [f"Other dates from the table: {min(numbers)} to {max(numbers)} for each scene."] if numbers else []
    if unknown:
        notes.append(f"Without other dates, since their own date or place cannot be told: {', '.join(unknown)}.")
    apart = [one.scene.name for one in known if one.path is None]
    if apart:
        notes.append(f"No references for other scenes, since their bands are given one by one: {', '.join(apart)}.")
    return given, notes


def look(scene: BatchScene, s2_bands: Sequence[str] | None = None) -> Acquisition | None:
    """Where and when a scene was acquired; None if its date is not known.

    Raises:
        InputError: Its bands cannot be found, see `sunbreak.scene.discovery.find_bands`.
    """
    finding = find_bands(scene.s2[0] if len(scene.s2) == 1 else scene.s2, s2_bands)
    if finding.facts.acquired is None:
        return None
    path: Path | None = scene.s2[0]
    if len(scene.s2) > 1:
        folder = scene.s2[0].parent
        whole = {one.parent for one in scene.s2} == {folder} and is_acquisition(folder)
        path = folder if whole else None
    return Acquisition(scene, path, finding.stack.grid, finding.facts.acquired, finding.facts.level)


def of_one_place(one: Acquisition, other: Acquisition) -> bool:
    """Whether more than half of the first lies within the second."""
    if one.grid == other.grid:
        return True
    return Mapping(other.grid, one.grid).coverage(one.grid.window, _POINTS) > _SAME_PLACE


def nearest(one: Acquisition, known: Sequence[Acquisition], count: int) -> list[Acquisition]:
    """The other dates of an acquisition's place that are nearest in time; of two levels of one, that of its own level.

    Args:
        one: The acquisition.
        known: All acquisitions, itself too.
        count: Number at most.
    """

    def order(other: Acquisition) -> tuple[timedelta, bool]:
        return abs(other.acquired - one.acquired), other.level != one.level

    found: list[Acquisition] = []
    for other in sorted(known, key=order):
        if len(found) == count:
            break
        if other.path is None or same_acquisition(one.acquired, other.acquired):
            continue
        if not of_one_place(one, other):
            continue
        if not any(same_acquisition(other.acquired, two.acquired) and other.grid == two.grid for two in found):
            found.append(other)
    return found


def with_references(scene: BatchScene, others: Sequence[Acquisition]) -> BatchScene:
    """The scene with these other dates and their Sentinel-1."""
    paths = tuple(other.path for other in others if other.path is not None)
    radar = tuple(dict.fromkeys(path for other in others for path in other.scene.s1))
    return replace(scene, found_references=paths, found_s1=radar)


def _look_leniently(scene: BatchScene, s2_bands: Sequence[str] | None) -> Acquisition | None:
    """As `look`, and None for what cannot be read: what is wrong is said when it is processed."""
    try:
        return look(scene, s2_bands)
    except InputError:
        return None
