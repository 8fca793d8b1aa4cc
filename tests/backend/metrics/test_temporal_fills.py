"""Fills from other dates: hand-computed values, and what holds for any dates and clouds."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sunbreak.metrics import temporal_fills as fills
from sunbreak.metrics.temporal_fills import FILLS, OtherDate, Overlap

GONE = np.nan


def strip(*values):
    """One band, one row."""
    return np.array(values, np.float32)[None, None]


def mask(text):
    """One row: # is True."""
    return np.array([[letter == "#" for letter in text]])


def date(days, clear, *values):
    return OtherDate(strip(*values), mask(clear), days)


TARGET = strip(0.1, 0.3, 0.9, 0.9, 0.9, 0.9)
CLOUDY = mask("..####")
# of the four cloudy pixels: clear on -30 and +10, on all dates, on +10 alone, on none
NEARER = date(-20, "...#..", GONE, GONE, GONE, 0.2, GONE, GONE)
AFTER = date(10, "..###.", GONE, GONE, 0.1, 0.5, 0.3, GONE)
BEFORE = date(-30, "####..", 0.2, 0.4, 0.6, 0.6, GONE, GONE)
DATES = (BEFORE, NEARER, AFTER)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("least_cloudy", (0.6, 0.6, 0.3)),
        ("mosaic_mean", (0.35, 1.3 / 3, 0.3)),
        ("mosaic_median", (0.35, 0.5, 0.3)),
        ("nearest_date", (0.1, 0.5, 0.3)),
        ("linear_in_time", (0.6 + 0.75 * (0.1 - 0.6), 0.2 + 2 / 3 * (0.5 - 0.2), 0.3)),
        ("nearest_gain_offset", (0.1, 0.5, 0.3)),
    ],
)
def test_each_fill_takes_the_dates_that_are_clear_at_the_pixel(name, expected):
    filled = FILLS[name](TARGET, CLOUDY, DATES, None)
    np.testing.assert_allclose(filled[0, 0], [0.1, 0.3, *expected, 0.2], rtol=1e-6)
    assert filled.dtype == np.float32


def test_gain_and_offset_are_those_of_least_squares_on_common_clear_pixels():
    rng = np.random.default_rng(0)
    reference = rng.random((3, 20, 30), np.float32)
    gain, offset = np.array([0.5, 1.5, -1.0])[:, None, None], np.array([0.1, -0.2, 0.9])[:, None, None]
    truth = (gain * reference + offset).astype(np.float32)
    cloudy, clear = np.zeros((2, 20, 30), np.bool_)
    cloudy[5:15, 5:25] = clear[:, :28] = True
    given = np.where(cloudy, np.float32(7), truth)
    given[:, 0, 0] = np.nan
    spoilt = np.where(clear, reference, np.float32(np.nan))
    filled = fills.nearest_gain_offset(given, cloudy, [OtherDate(spoilt, clear, 40)])
    np.testing.assert_allclose(filled[:, cloudy], truth[:, cloudy], atol=1e-5)
    own = Overlap.of(given, cloudy, [OtherDate(spoilt, clear, 40)]).gain_and_offset(0)
    both = ~cloudy & clear
    both[0, 0] = False
    for band in range(3):
        expected = np.polyfit(reference[band][both].astype(float), truth[band][both].astype(float), 1)
        np.testing.assert_allclose([own[0][band], own[1][band]], expected, atol=1e-5)


def test_a_flat_date_gets_an_offset_only_and_a_date_without_common_pixels_is_copied():
    flat = date(5, "###...", 0.5, 0.5, 0.5, GONE, GONE, GONE)
    apart = date(9, "...#..", GONE, GONE, GONE, 0.8, GONE, GONE)
    filled = fills.nearest_gain_offset(TARGET, CLOUDY, [flat, apart])
    np.testing.assert_allclose(filled[0, 0, 2:4], [0.2, 0.8], rtol=1e-6)


def test_the_least_cloudy_date_is_judged_by_the_whole_scene():
    one, other = date(1, "######", *[0.4] * 6), date(2, "..####", *[0.7] * 6)
    whole = Overlap(1, 2)
    whole.add(TARGET, CLOUDY, [one, other])
    whole.add(TARGET, CLOUDY, [date(1, "......", *[0] * 6), date(2, "######", *[0] * 6)])
    assert whole.clear_pixels == (6, 10)
    assert fills.least_cloudy(TARGET, CLOUDY, [one, other])[0, 0, 2] == np.float32(0.4)
    assert fills.least_cloudy(TARGET, CLOUDY, [one, other], whole)[0, 0, 2] == np.float32(0.7)


def test_dates_on_one_side_are_not_extrapolated_and_the_same_day_is_copied():
    early, earlier = date(-3, "######", *[0.4] * 6), date(-6, "######", *[0.1] * 6)
    later = date(4, "######", *[0.8] * 6)
    same = date(0, "..#...", *[0.6] * 6)
    assert fills.linear_in_time(TARGET, CLOUDY, [earlier, early])[0, 0, 3] == np.float32(0.4)
    assert fills.linear_in_time(TARGET, CLOUDY, [later])[0, 0, 3] == np.float32(0.8)
    filled = fills.linear_in_time(TARGET, CLOUDY, [later, early, same])[0, 0]
    np.testing.assert_allclose(filled[2:4], [0.6, 0.4 + 3 / 7 * 0.4], rtol=1e-6)


def test_an_unknown_date_is_used_where_nothing_else_is_clear():
    unknown = date(None, "..####", *[0.7] * 6)
    for name in ("nearest_date", "linear_in_time"):
        filled = FILLS[name](TARGET, CLOUDY, [unknown, *DATES], None)
        assert filled[0, 0, 5] == np.float32(0.7)
        np.testing.assert_array_equal(filled[..., :5], FILLS[name](TARGET, CLOUDY, DATES, None)[..., :5])


@pytest.mark.parametrize("name", FILLS)
def test_without_other_dates_the_mean_colour_is_taken_and_without_clear_pixels_nothing(name):
    assert FILLS[name](TARGET, CLOUDY, [], None)[0, 0].tolist() == pytest.approx([0.1, 0.3, *[0.2] * 4])
    np.testing.assert_array_equal(FILLS[name](TARGET, CLOUDY | True, [], None), TARGET)


@st.composite
def places(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows, columns, bands = draw(st.integers(1, 70)), draw(st.integers(1, 6)), draw(st.integers(1, 3))
    days = draw(st.lists(st.integers(-50, 50), unique=True, max_size=5))
    target = rng.random((bands, rows, columns), np.float32)
    cloudy = rng.random((rows, columns)) < draw(st.floats(0, 1))
    dates = []
    for day in days:
        clear = rng.random((rows, columns)) < rng.random()
        dates.append(OtherDate(np.where(clear, rng.random(target.shape, np.float32), np.float32(np.nan)), clear, day))
    return target, cloudy, dates


@pytest.mark.parametrize("name", FILLS)
@given(place=places())
@settings(max_examples=60, deadline=None)
def test_clear_pixels_stay_bit_for_bit_and_every_other_is_filled(name, place):
    target, cloudy, dates = place
    before = target.tobytes()
    filled = FILLS[name](target, cloudy, dates, None)
    assert target.tobytes() == before
    assert filled[:, ~cloudy].tobytes() == target[:, ~cloudy].tobytes()
    assert np.isfinite(filled).all()


@pytest.mark.parametrize("name", [name for name in FILLS if name != "nearest_gain_offset"])
@given(place=places())
@settings(max_examples=60, deadline=None)
def test_a_filled_value_lies_between_those_of_the_dates(name, place):
    target, cloudy, dates = place
    filled = FILLS[name](target, cloudy, dates, None)
    covered = cloudy & np.logical_or.reduce([np.zeros_like(cloudy), *(date.clear for date in dates)])
    if covered.any():
        stacked = np.stack([np.where(date.clear, date.image, np.float32(np.nan))[:, covered] for date in dates])
        assert (filled[:, covered] >= np.nanmin(stacked, axis=0) - 1e-6).all()
        assert (filled[:, covered] <= np.nanmax(stacked, axis=0) + 1e-6).all()


@pytest.mark.parametrize("name", FILLS)
@given(place=places(), data=st.data())
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_dates_does_not_matter(name, place, data):
    target, cloudy, dates = place
    order = data.draw(st.sampled_from(list(permutations(range(len(dates))))))
    shuffled = FILLS[name](target, cloudy, [dates[number] for number in order], None)
    np.testing.assert_allclose(shuffled, FILLS[name](target, cloudy, dates, None), atol=1e-6)


@pytest.mark.parametrize("name", FILLS)
@given(place=places(), cut=st.integers(0, 70))
@settings(max_examples=30, deadline=None)
def test_parts_of_a_scene_give_what_the_whole_scene_gives(name, place, cut):
    target, cloudy, dates = place

    def part(rows):
        return target[:, rows], cloudy[rows], [OtherDate(d.image[:, rows], d.clear[rows], d.days) for d in dates]

    parts = [part(slice(None, cut)), part(slice(cut, None))]
    overlap = Overlap(len(target), len(dates))
    for one in parts:
        overlap.add(*one)
    joined = np.concatenate([FILLS[name](*one, overlap) for one in parts], axis=1)
    np.testing.assert_allclose(joined, FILLS[name](target, cloudy, dates, None), atol=1e-5)
