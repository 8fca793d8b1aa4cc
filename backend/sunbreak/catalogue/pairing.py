"""Chooses among what was found: the scene of a date, the other dates that show what its clouds hide, and the radar."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from sunbreak.catalogue.cover import Cover
from sunbreak.catalogue.overpasses import Overpass

_FULL = 0.98  # of the best coverage counts as full
_FADES_DAYS = 45.0  # the ground changes: an image that far away counts 1/e
_WORTH = 0.02  # of the hidden area that a further date has to show
_RADAR_DAYS = 3  # between another date and its radar, as when a series is opened


@dataclass(frozen=True)
class Candidate:
    """An overpass of Sentinel-2 with what is known about it.

    Attributes:
        overpass: The overpass.
        cover: Cloud and shadow over the place; None if unknown.
    """

    overpass: Overpass
    cover: Cover | None

    @property
    def covers(self) -> float:
        """Fraction (0..1) of the place that has data."""
        return self.overpass.covers if self.cover is None else self.cover.covers

    @property
    def cloud(self) -> float | None:
        """Cloud as a fraction (0..1) of the place, of the whole image if only that is known, or None."""
        if self.cover is not None:
            return self.cover.cloud_share
        whole = self.overpass.first.tile_cloud
        return None if whole is None else whole / 100


@dataclass(frozen=True)
class Choice:
    """A chosen overpass and why it was chosen."""

    overpass: Overpass
    why: str


def choose_scene(candidates: Sequence[Candidate], wanted: date) -> Choice | None:
    """The overpass nearest to a date among those that cover most of the place, of several the clearest."""
    full = _covering(candidates)
    if not full:
        return None
    best = min(full, key=lambda one: (abs(_days(one.overpass, wanted)), one.cloud or 0.0, one.overpass.id))
    days = _days(best.overpass, wanted)
    near = "of the date" if days == 0 else f"the nearest to the date, {_apart(days)}"
    return Choice(best.overpass, f"{near}, {_covered(best.covers)}")


def choose_references(target: Candidate, candidates: Sequence[Candidate], most: int) -> list[Choice]:
    """Other dates that show what clouds of the scene hide, the most useful first.

    Dates are added one by one: that one which shows most of the hidden points, or shows them nearer in time. A point
    that is seen some days away counts exp(-days / 45).

    Args:
        target: The scene.
        candidates: All overpasses of its level; those of its own day are left out.
        most: Largest number to choose.
    """
    day = target.overpass.acquired
    others = [one for one in candidates if one.overpass.days_from(day) != 0 and one.cover is not None]
    if not others or most < 1:
        return []
    hidden = _hidden(target, others)
    if not hidden.any():
        return []
    shown = np.zeros(int(hidden.sum()))
    chosen: list[Choice] = []
    while len(chosen) < most and others:
        gains = [(_gain(one, hidden, shown, target), one) for one in others]
        gain, best = max(gains, key=lambda pair: (pair[0], pair[1].overpass.id))
        if gain < _WORTH:
            break
        clear = _clear(best)[hidden]
        shown = np.maximum(shown, clear * _weight(best, target))
        others.remove(best)
        days = best.overpass.days_from(day)
        chosen.append(Choice(best.overpass, f"clear over {clear.mean():.0%} of what is hidden, {_apart(days)}"))
    return chosen


def choose_radar(found: Sequence[Overpass], scene: Overpass) -> Choice | None:
    """Sentinel-1 for a scene: covering the place, then nearest in days."""
    most = max((one.covers for one in found), default=0.0)
    full = [one for one in found if one.covers >= _FULL * most and one.covers > 0]
    if not full:
        return None
    best = min(full, key=lambda one: (abs(_seconds(one, scene)), one.id))
    return Choice(best, f"{_apart(best.days_from(scene.acquired))}, {_direction(best)}, {_covered(best.covers)}")


def choose_reference_radar(found: Sequence[Overpass], radar: Overpass, reference: Overpass) -> Choice | None:
    """Sentinel-1 for another date: of the orbit of the scene's radar, within three days."""
    near = [
        one
        for one in found
        if one.first.orbit == radar.first.orbit
        and one.first.relative_orbit == radar.first.relative_orbit
        and abs(one.days_from(reference.acquired)) <= _RADAR_DAYS
        and one.covers >= _FULL * radar.covers
        and one.id != radar.id
    ]
    if not near:
        return None
    best = min(near, key=lambda one: (abs(_seconds(one, reference)), one.id))
    return Choice(best, f"{_apart(best.days_from(reference.acquired))}, of the same orbit as the scene's radar")


def _covering(candidates: Sequence[Candidate]) -> list[Candidate]:
    most = max((one.covers for one in candidates), default=0.0)
    return [one for one in candidates if one.covers >= _FULL * most and one.covers > 0]


def _hidden(target: Candidate, others: Sequence[Candidate]) -> NDArray[np.bool_]:
    """The points that other dates should show; all of them if it is not known what is hidden."""
    if target.cover is not None:
        return target.cover.hidden
    return np.ones(_clear(others[0]).size, bool)


def _clear(one: Candidate) -> NDArray[np.bool_]:
    if one.cover is None:
        raise ValueError("the cover is not known")
    return one.cover.clear


def _gain(one: Candidate, hidden: NDArray[np.bool_], shown: NDArray[np.float64], target: Candidate) -> float:
    return float(np.maximum(_clear(one)[hidden] * _weight(one, target) - shown, 0).mean())


def _weight(one: Candidate, target: Candidate) -> float:
    return math.exp(-abs(one.overpass.days_from(target.overpass.acquired)) / _FADES_DAYS)


def _days(overpass: Overpass, wanted: date) -> int:
    return (overpass.acquired.date() - wanted).days


def _seconds(one: Overpass, other: Overpass) -> float:
    return (one.acquired - other.acquired).total_seconds()


def _apart(days: int) -> str:
    if days == 0:
        return "the same day"
    return f"{abs(days)} {'day' if abs(days) == 1 else 'days'} {'before' if days < 0 else 'after'}"


def _direction(one: Overpass) -> str:
    orbit = one.first.relative_orbit
    number = "" if orbit is None else f" (orbit {orbit})"
    return f"{one.first.orbit or 'orbit unknown'}{number}"


def _covered(share: float) -> str:
    return "covers the place" if share >= 0.995 else f"covers {share:.0%} of the place"
