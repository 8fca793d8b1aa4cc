"""Overpasses are put together from tiles, and scene, other dates and radar are chosen by what they show."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from shapely.geometry import box
from stac_items import PLACE, optical, radar, read

from sunbreak.catalogue.cover import Cover
from sunbreak.catalogue.overpasses import overpasses
from sunbreak.catalogue.pairing import (
    Candidate,
    choose_radar,
    choose_reference_radar,
    choose_references,
    choose_scene,
)
from sunbreak.catalogue.place import Place

AREA = Place(box(*PLACE))
POINTS = AREA.points[0].size
CLEAR, CLOUD, SHADOW = 4, 9, 3


def candidate(day: int, hidden: tuple[float, float] = (0.0, 0.0), footprint=(7.0, 49.0, 9.0, 51.0)) -> Candidate:
    """A date in June whose points from one fraction of the place to another are cloudy."""
    (overpass,) = overpasses([read(optical(f"d{day}", f"2024-06-{day:02d}T10:30:00Z", footprint))], AREA)
    classes = np.full(POINTS, CLEAR, np.uint8)
    first, last = (round(share * POINTS) for share in hidden)
    classes[first:last] = CLOUD
    return Candidate(overpass, Cover(classes))


def ids(choices):
    return [one.overpass.id for one in choices]


def test_tiles_of_one_overpass_go_together_and_the_next_day_does_not():
    west, east = (7.0, 49.0, 8.05, 51.0), (8.04, 49.0, 9.0, 51.0)
    items = [
        read(optical("west", "2024-06-10T10:30:00Z", west)),
        read(optical("east", "2024-06-10T10:30:14Z", east, **{"s2:mgrs_tile": "32UNA"})),
        read(optical("later", "2024-06-11T10:30:00Z", west)),
    ]
    first, second = overpasses(items, AREA)
    assert [item.id for item in first.items] == ["east", "west"]
    assert first.covers == pytest.approx(1.0)
    assert second.covers == pytest.approx(0.5, abs=0.02)


def test_of_two_versions_of_a_tile_the_newer_processing_counts():
    items = [
        read(optical("old", "2021-06-10T10:30:00Z", **{"s2:processing_baseline": "03.00"})),
        read(optical("new", "2021-06-10T10:30:00Z", **{"s2:processing_baseline": "05.00"})),
    ]
    (one,) = overpasses(items, AREA)
    assert [item.id for item in one.items] == ["new"]


def test_tiles_with_another_offset_are_not_mixed_in():
    items = [
        read(optical("west", "2021-06-10T10:30:00Z", (7.0, 49.0, 8.08, 51.0))),
        read(
            optical(
                "east", "2021-06-10T10:30:00Z", (8.04, 49.0, 9.0, 51.0),
                **{"s2:mgrs_tile": "32UNA", "s2:processing_baseline": "03.00"},
            )
        ),
    ]  # fmt: skip
    (one,) = overpasses(items, AREA)
    assert [item.id for item in one.items] == ["west"]


def test_the_scene_is_the_nearest_date_that_covers_the_place():
    half = candidate(10, footprint=(7.0, 49.0, 8.05, 51.0))
    half = Candidate(half.overpass, None)
    choice = choose_scene([half, candidate(8), candidate(13)], date(2024, 6, 10))
    assert choice.overpass.id == "d8"
    assert choice.why == "the nearest to the date, 2 days before, covers the place"


def test_other_dates_are_those_that_show_what_the_scene_hides():
    scene = candidate(10, (0.0, 0.5))
    near_but_cloudy_there = candidate(11, (0.0, 0.5))
    far_and_clear = candidate(25)
    shows_one_half = candidate(12, (0.0, 0.25))
    dates = [scene, near_but_cloudy_there, far_and_clear, shows_one_half]
    chosen = choose_references(scene, dates, 2)
    assert ids(chosen) == ["d25", "d12"]
    assert chosen[0].why == "clear over 100% of what is hidden, 15 days after"
    assert ids(choose_references(scene, dates, 1)) == ["d25"]


def test_a_clear_scene_needs_no_other_date_and_a_useless_date_is_not_proposed():
    assert choose_references(candidate(10), [candidate(10), candidate(12)], 2) == []
    scene = candidate(10, (0.0, 0.5))
    assert choose_references(scene, [scene, candidate(12, (0.0, 0.5))], 2) == []


def test_shadow_counts_as_hidden_and_no_data_does_not_count():
    classes = np.full(100, CLEAR, np.uint8)
    classes[:20], classes[20:30], classes[90:] = CLOUD, SHADOW, 0
    cover = Cover(classes)
    assert (cover.cloud_share, cover.shadow_share, cover.covers) == (20 / 90, 10 / 90, 0.9)
    assert cover.hidden.sum() == 30
    assert cover.clear.sum() == 60


def test_radar_covers_the_place_first_and_is_near_in_time_then():
    scene = candidate(10).overpass
    found = overpasses(
        [
            read(radar("half", "2024-06-10T05:00:00Z", (7.0, 49.0, 8.05, 51.0))),
            read(radar("near", "2024-06-12T05:00:00Z", **{"sat:relative_orbit": 15, "sat:orbit_state": "ascending"})),
            read(radar("far", "2024-06-05T05:00:00Z")),
        ],
        AREA,
    )
    choice = choose_radar(found, scene)
    assert choice.overpass.id == "near"
    assert choice.why == "2 days after, ascending (orbit 15), covers the place"


def test_radar_of_another_date_is_of_the_same_orbit_and_within_three_days():
    reference = candidate(20).overpass
    found = overpasses(
        [
            read(radar("own", "2024-06-11T05:00:00Z")),
            read(radar("other-orbit", "2024-06-20T05:00:00Z", **{"sat:relative_orbit": 15})),
            read(radar("too-far", "2024-06-24T05:00:00Z")),
            read(radar("right", "2024-06-23T05:00:00Z")),
        ],
        AREA,
    )
    own = next(one for one in found if one.id == "own")
    assert choose_reference_radar(found, own, reference).overpass.id == "right"
    assert choose_reference_radar([one for one in found if one.id != "right"], own, reference) is None
