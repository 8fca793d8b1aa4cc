"""What is fetched: what a search proposes, or the scenes and radar that a user names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sunbreak.catalogue.connection import Catalogues
from sunbreak.catalogue.download import Selection
from sunbreak.catalogue.finding import Wish, search_radar, search_scenes
from sunbreak.catalogue.found import Found
from sunbreak.catalogue.overpasses import Overpass
from sunbreak.errors import InputError
from sunbreak.events import Reporter
from sunbreak.scene.fetched_folder import RADAR, REFERENCE, REFERENCE_RADAR, SCENE

NONE = "none"


@dataclass(frozen=True)
class Named:
    """The ids that a user names.

    Attributes:
        scene: Of Sentinel-2 of the date.
        radar: Of its Sentinel-1; ``none`` or empty for none.
        references: Of other dates.
        reference_radar: Of Sentinel-1 of other dates; each belongs to the nearest of them.
    """

    scene: str
    radar: str = ""
    references: tuple[str, ...] = ()
    reference_radar: tuple[str, ...] = ()


def proposed(found: Found) -> Selection:
    """What a search proposes."""
    scene = found.chosen(SCENE)[0]
    radar = found.chosen(RADAR)
    references = found.chosen(REFERENCE)
    places = {one.id: place for place, one in enumerate(references)}
    theirs = tuple((one, places[found.uses[one.id].partner]) for one in found.chosen(REFERENCE_RADAR))
    return Selection(scene, radar[0] if radar else None, tuple(references), theirs)


def named(wish: Wish, names: Named, catalogues: Catalogues, reporter: Reporter) -> Selection:
    """The scenes and radar with some ids. Clouds are not looked at.

    Raises:
        InputError: One is not among what the catalogue has at the place on these days (``not-found``).
        RunError: The catalogue cannot be asked.
    """
    warnings: list[str] = []
    everything, _ = search_scenes(wish, catalogues, reporter, warnings)
    scene = _with_id(everything, names.scene, wish)
    references = tuple(_with_id(everything, one, wish) for one in _given(names.references))
    wanted = [*_given((names.radar,)), *_given(names.reference_radar)]
    found = search_radar(wish, catalogues, reporter, warnings) if wanted else []
    for text in warnings:
        reporter.message(text, "warning")
    radar = next((_with_id(found, one, wish) for one in _given((names.radar,))), None)
    theirs = [_with_id(found, one, wish) for one in _given(names.reference_radar)]
    if theirs and not references:
        raise InputError("--reference-radar is given without --reference.", "Give both.", code="bad-option")
    return Selection(scene, radar, references, tuple((one, _nearest(one, references)) for one in theirs))


def _given(names: Sequence[str]) -> list[str]:
    return [name for name in names if name and name != NONE]


def _with_id(found: Sequence[Overpass], name: str, wish: Wish) -> Overpass:
    for one in found:
        if name in {item.id for item in one.items}:
            return one
    raise InputError(
        f"{wish.profile.title} has no {name} at the place within {wish.days} days of {wish.wanted}.",
        "Give an id that sunbreak find lists, with the same place, date and days.",
        code="not-found",
    )


def _nearest(radar: Overpass, references: Sequence[Overpass]) -> int:
    apart = [abs((one.acquired - radar.acquired).total_seconds()) for one in references]
    return apart.index(min(apart))
