"""Finds the scene of a place and a date, its radar and its other dates: searches, looks at clouds, chooses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

from sunbreak.catalogue.connection import Catalogues
from sunbreak.catalogue.cover import read_cover, with_classification
from sunbreak.catalogue.found import Found, Use
from sunbreak.catalogue.overpasses import Overpass, overpasses
from sunbreak.catalogue.pairing import (
    Candidate,
    Choice,
    choose_radar,
    choose_reference_radar,
    choose_references,
    choose_scene,
)
from sunbreak.catalogue.place import Place
from sunbreak.catalogue.profiles import Profile
from sunbreak.catalogue.search import Answer, Query, search
from sunbreak.catalogue.thumbnails import write_thumbnail
from sunbreak.errors import Cancelled, InputError, SunbreakError
from sunbreak.events import Reporter
from sunbreak.scene.fetched_folder import RADAR, REFERENCE, REFERENCE_RADAR, SCENE

_RADAR_DAYS = 6  # either side of the scenes
_THREADS = 6
_SHOWN = 3  # reasons for items that cannot be used

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Wish:
    """What a user looks for.

    Attributes:
        profile: The catalogue.
        place: Where.
        wanted: The date.
        days: Days to search on either side of it.
        level: ``L1C`` or ``L2A``; empty for that of the first collection that has any.
        max_cloud: Scenes with more cloud over the place are left out (percent).
        references: Largest number of other dates to propose.
        radar: Whether radar is searched.
        most: Largest number of items of a collection.
    """

    profile: Profile
    place: Place
    wanted: date
    days: int = 30
    level: str = ""
    max_cloud: float = 100.0
    references: int = 2
    radar: bool = True
    most: int = 400


def find(
    wish: Wish, reporter: Reporter, *, thumbnails: Path | None = None, catalogues: Catalogues | None = None
) -> Found:
    """Search a catalogue.

    Args:
        wish: What is looked for.
        reporter: Receives the progress, and can cancel.
        thumbnails: Folder for a picture of each scene.
        catalogues: Open catalogues, if there are any.

    Raises:
        InputError: Nothing was found (``nothing-found``), or the profile cannot be used.
        RunError: The catalogue cannot be asked.
    """
    catalogues = catalogues or Catalogues(reporter)
    profile = wish.profile
    optical = catalogues.of(profile)
    notes: list[str] = []
    warnings: list[str] = []
    reporter.progress(0, 4, "steps")
    everything, scenes = search_scenes(wish, catalogues, reporter, warnings)
    reporter.progress(1, 4, "steps")
    classified = [with_classification(one, everything) for one in scenes]
    covers = _each(classified, lambda one: read_cover(optical, one, wish.place), reporter, warnings)
    candidates = [Candidate(one, cover) for one, cover in zip(scenes, covers, strict=True)]
    if not any("SCL" in one.first.assets for one in classified):
        notes.append("The cloud cover over the place is not known: there is no scene classification.")
    candidates = _within(candidates, wish)
    reporter.progress(2, 4, "steps")
    radar = search_radar(wish, catalogues, reporter, warnings)
    reporter.progress(3, 4, "steps")
    pictures: dict[str, Path] = {}
    if thumbnails is not None:
        thumbnails.mkdir(parents=True, exist_ok=True)

        def picture(one: Candidate) -> Path:
            path = thumbnails / f"{_file_name(one.overpass.id)}.png"
            write_thumbnail(optical, one.overpass, wish.place, path)
            return path

        made = _each(candidates, picture, reporter, warnings)
        pictures = {one.overpass.id: path for one, path in zip(candidates, made, strict=True) if path is not None}
    uses = _propose(candidates, radar, wish, notes, warnings)
    reporter.progress(4, 4, "steps")
    return Found(
        profile, wish.place, wish.wanted, wish.days, tuple(candidates), tuple(radar), uses, pictures,
        tuple(notes), tuple(warnings),
    )  # fmt: skip


def search_scenes(
    wish: Wish, catalogues: Catalogues, reporter: Reporter, warnings: list[str]
) -> tuple[list[Overpass], list[Overpass]]:
    """All overpasses of Sentinel-2 at the place, and those of the wished level.

    Raises:
        InputError: There is none (``nothing-found``).
        RunError: The catalogue cannot be asked.
    """
    query = Query(wish.place, wish.wanted - timedelta(wish.days), wish.wanted + timedelta(wish.days), wish.most)
    answer = search(catalogues.of(wish.profile), wish.profile.optical(), query, reporter)
    _say_reasons(answer, warnings)
    everything = overpasses(answer.items, wish.place)
    level = wish.level or next((one.level for one in wish.profile.optical() if _of(everything, one.level)), "")
    scenes = _of(everything, level)
    if not scenes:
        raise _nothing(wish, everything)
    return everything, scenes


def search_radar(wish: Wish, catalogues: Catalogues, reporter: Reporter, warnings: list[str]) -> list[Overpass]:
    """All overpasses of terrain-corrected Sentinel-1 at the place; none if it cannot be asked for."""
    profile = wish.profile if wish.profile.radar() else wish.profile.radar_from
    if profile is None or not wish.radar:
        return []
    days = timedelta(wish.days + _RADAR_DAYS)
    query = Query(wish.place, wish.wanted - days, wish.wanted + days, wish.most)
    try:
        answer = search(catalogues.of(profile), profile.radar(), query, reporter)
    except Cancelled:
        raise
    except SunbreakError as error:
        # the scenes are of use without radar
        warnings.append(f"No radar: {error.message}")
        return []
    _say_reasons(answer, warnings)
    return overpasses(answer.items, wish.place)


def _propose(
    candidates: Sequence[Candidate], radar: Sequence[Overpass], wish: Wish, notes: list[str], warnings: list[str]
) -> dict[str, Use]:
    uses: dict[str, Use] = {}
    scene = choose_scene(candidates, wish.wanted)
    if scene is None:
        return uses
    uses[scene.overpass.id] = Use(SCENE, scene.why)
    target = next(one for one in candidates if one.overpass is scene.overpass)
    references = choose_references(target, candidates, wish.references)
    if target.cover is not None and not target.cover.hidden.any():
        notes.append("The scene has neither cloud nor shadow over the place.")
    elif not references and wish.references:
        warnings.append("No other date shows what the clouds hide; search more days.")
    for reference in references:
        uses[reference.overpass.id] = Use(REFERENCE, reference.why)
    chosen = choose_radar(radar, scene.overpass)
    if chosen is None:
        if wish.radar:
            warnings.append("There is no terrain-corrected Sentinel-1 of the place on these days.")
        return uses
    uses[chosen.overpass.id] = Use(RADAR, chosen.why, scene.overpass.id)
    for reference in references:
        own = choose_reference_radar(radar, chosen.overpass, reference.overpass)
        if own is not None and own.overpass.id not in uses:
            uses[own.overpass.id] = _radar_of(own, reference)
    return uses


def _radar_of(own: Choice, reference: Choice) -> Use:
    return Use(REFERENCE_RADAR, own.why, reference.overpass.id)


def _within(candidates: list[Candidate], wish: Wish) -> list[Candidate]:
    kept = [one for one in candidates if one.cloud is None or 100 * one.cloud <= wish.max_cloud]
    if not kept:
        least = min(one.cloud for one in candidates if one.cloud is not None)
        raise InputError(
            f"All {len(candidates)} scenes have more cloud than {wish.max_cloud:g} %; the least is {least:.0%}.",
            "Give a larger --max-cloud, or more --days.",
            code="nothing-found",
        )
    return kept


def _of(found: Sequence[Overpass], level: str) -> list[Overpass]:
    return [one for one in found if one.level == level]


def _nothing(wish: Wish, others: Sequence[Overpass]) -> InputError:
    first, last = (wish.wanted + timedelta(sign * wish.days) for sign in (-1, 1))
    levels = sorted({one.level for one in others})
    if levels:
        hint = f"There are scenes of {' and '.join(levels)}: leave --level out."
    else:
        hint = "Check the place and the date, search more --days, or another catalogue with --profile."
    what = f"Sentinel-2 {wish.level}".strip()
    return InputError(
        f"{wish.profile.title} has no {what} scene of the place from {first} to {last}.", hint, code="nothing-found"
    )


def _each(things: Sequence[T], work: Callable[[T], R], reporter: Reporter, warnings: list[str]) -> list[R | None]:
    """Do something for each thing, several at once. What fails is None, and said once."""
    failed: list[SunbreakError] = []

    def one(thing: T) -> R | None:
        reporter.checkpoint()
        try:
            return work(thing)
        except Cancelled:
            raise
        except SunbreakError as error:
            failed.append(error)
            return None

    with ThreadPoolExecutor(_THREADS, "sunbreak-catalogue") as pool:
        results = list(pool.map(one, things))
    if failed:
        more = f" ({len(failed)} of {len(things)} images)" if len(failed) > 1 else ""
        warnings.append(f"{failed[0].message}{more}")
    return results


def _say_reasons(answer: Answer, warnings: list[str]) -> None:
    warnings += [f"Left out: {reason}." for reason in answer.reasons[:_SHOWN]]
    if len(answer.reasons) > _SHOWN:
        warnings.append(f"Left out: {len(answer.reasons) - _SHOWN} further items.")
    if answer.cut:
        warnings.append("There are more items than were looked at; give fewer --days or a smaller place.")


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)[:120]
