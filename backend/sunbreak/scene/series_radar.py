"""Finds which Sentinel-1 files belong to which other date of a series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sunbreak.errors import InputError
from sunbreak.scene.radar_files import radar_facts
from sunbreak.scene.scene import MAX_DAYS_APART
from sunbreak.scene.series import days_between

_HINT = "Give one radar image for each {called} in the same order, or put the date (YYYY-MM-DD) into the file names."


@dataclass(frozen=True)
class RadarImage:
    """One radar acquisition: a file with VV and VH, or two files.

    Attributes:
        files: VV, then VH, where there are two.
        acquired: Date of acquisition, where known.
    """

    files: tuple[Path, ...]
    acquired: datetime | None


def _refuse(path: Path, error: InputError) -> None:
    raise error


def radar_images(given: Sequence[Path | str], refuse: Callable[[Path, InputError], None] = _refuse) -> list[RadarImage]:
    """The acquisitions in radar files: files with one polarisation are paired by date, or one after the other.

    Args:
        given: The files.
        refuse: Receives each file that cannot be used, and why; raises the error if not given.

    Raises:
        InputError: A file cannot be read, or a polarisation has no partner (``s1-bands``).
    """
    images: list[RadarImage] = []
    single: list[tuple[str, Path, datetime | None]] = []
    for path in dict.fromkeys(Path(one) for one in given):
        try:
            facts = radar_facts(path)
        except InputError as error:
            refuse(path, error)
            continue
        names = {name for name in facts.polarisations if name}
        if len(facts.polarisations) == 1 or len(names) == 1:
            single.append((names.pop() if names else "", path, facts.acquired))
        else:
            images.append(RadarImage((path,), facts.acquired))
    while single:
        name, path, date = single.pop(0)
        partner = next((one for one in single if one[2] == date and (one[0] != name or not name)), None)
        if partner is None:
            text = f"{path} holds one polarisation, and no file of the same date holds the other."
            refuse(path, InputError(text, "Give VV and VH of each date.", code="s1-bands"))
            continue
        single.remove(partner)
        first, second = sorted([(name, path), (partner[0], partner[1])], key=lambda one: one[0] == "VH")
        images.append(RadarImage((first[1], second[1]), date))
    return images


def assign_radar(
    dates: Sequence[datetime | None], images: Sequence[RadarImage], *, in_order: int = 0
) -> tuple[list[RadarImage | None], list[RadarImage]]:
    """Which radar image belongs to each date, and which ones belong to none.

    An image belongs to the nearest date within `MAX_DAYS_APART` days. Where a date is not known, the images belong to
    the first `in_order` dates in the given order if there are as many of them.

    Args:
        dates: When the other dates were acquired.
        images: The radar images.
        in_order: How many of the dates, from the first, were given in an order that counts.
    """
    unknown = any(image.acquired is None for image in images) or None in dates[:in_order]
    if images and in_order == len(images) and unknown:
        return [*images, *[None] * (len(dates) - in_order)], []
    found: list[RadarImage | None] = [None] * len(dates)
    pairs = sorted(
        (abs(days), place, index)
        for place, date in enumerate(dates)
        for index, image in enumerate(images)
        if (days := days_between(date, image.acquired)) is not None and abs(days) <= MAX_DAYS_APART
    )
    taken: set[int] = set()
    for _, place, index in pairs:
        if found[place] is None and index not in taken:
            found[place] = images[index]
            taken.add(index)
    return found, [image for index, image in enumerate(images) if index not in taken]


@dataclass(frozen=True)
class MatchedRadar:
    """Which radar belongs to which date.

    Attributes:
        images: Of each date.
        searched: Those of them that a search found.
        notes: What is known about those that were given and are not used, one sentence each.
        left: What a search found and belongs to no date.
    """

    images: tuple[RadarImage | None, ...]
    searched: frozenset[RadarImage]
    notes: tuple[str, ...]
    left: tuple[RadarImage, ...]


def match_radar(
    dates: Sequence[datetime | None],
    given: Sequence[Path | str],
    found: Sequence[Path | str],
    refuse: Callable[[Path, InputError], None],
    *,
    in_order: int = 0,
    called: str = "reference",
) -> MatchedRadar:
    """The radar image of each date: what was given first, then what a search found.

    Args:
        dates: When the dates were acquired.
        given: Radar files that the user named.
        found: Radar files that a search found.
        refuse: Receives each found file that cannot be used, and why.
        in_order: See `assign_radar`.
        called: What a date is called in messages.

    Raises:
        InputError: A given file cannot be used, or belongs to none of the dates (``s1-unmatched``).
    """
    assigned, left = assign_radar(dates, radar_images(given), in_order=in_order)
    for image in left:
        if not any(_near(date, image.acquired) for date in dates):
            raise unassigned(image, len(dates), called)
    notes = [f"{image.files[0].name} is not used: another radar image is nearer to the same date." for image in left]
    open_dates = [None if image else date for date, image in zip(dates, assigned, strict=True)]
    further, left = assign_radar(open_dates, radar_images(found, refuse))
    images = tuple(image or other for image, other in zip(assigned, further, strict=True))
    return MatchedRadar(images, frozenset(image for image in further if image), tuple(notes), tuple(left))


def unassigned(image: RadarImage, count: int, called: str = "reference") -> InputError:
    """The error (``s1-unmatched``) for a radar image that belongs to none of `count` references or dates."""
    name = image.files[0]
    if image.acquired is None:
        text = f"{name}: its date is not known, so which of the {count} {called}s it belongs to cannot be told."
    else:
        text = f"{name} ({image.acquired.date()}) was not acquired within {MAX_DAYS_APART} days of a {called}."
    return InputError(text, _HINT.format(called=called), code="s1-unmatched")


def _near(one: datetime | None, other: datetime | None) -> bool:
    days = days_between(one, other)
    return days is not None and abs(days) <= MAX_DAYS_APART
