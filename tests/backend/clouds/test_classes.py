"""Dilating the classes of a mask: each by its own margin, with a fixed order where they meet."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sunbreak.clouds.classes import (
    CLEAR,
    NAMES,
    NO_DATA,
    REPLACED,
    SHADOW,
    THICK_CLOUD,
    THIN_CLOUD,
    WORDS,
    dilated_classes,
    replaced,
    without_data,
)
from sunbreak.clouds.margins import Margins
from sunbreak.defaults import REPLACE
from sunbreak.removal.edges import dilated

CLASSES = arrays(np.uint8, st.tuples(st.integers(1, 14), st.integers(1, 14)), elements=st.sampled_from(list(NAMES)))
SOME = st.lists(st.sampled_from(REPLACED), min_size=1, unique=True).map(tuple)
MARGINS = st.builds(Margins, st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))


@settings(max_examples=100, deadline=None)
@given(CLASSES, st.integers(0, 5))
def test_with_equal_margins_all_classes_together_are_the_dilated_mask(classes, margin):
    found = dilated_classes(classes, Margins.all(margin))
    np.testing.assert_array_equal(replaced(found), dilated(replaced(classes), margin))


@settings(max_examples=100, deadline=None)
@given(CLASSES, MARGINS, SOME)
def test_each_class_grows_by_its_own_margin_and_the_more_opaque_one_wins(classes, margins, which):
    found = dilated_classes(classes, margins, which)
    widths = {THICK_CLOUD: margins.thick, THIN_CLOUD: margins.thin, SHADOW: margins.shadow}
    covered = replaced(classes)
    # cloud and shadow keep their class, whether they are dilated or not
    np.testing.assert_array_equal(found[covered], classes[covered])
    expected = classes.copy()
    for code in (SHADOW, THIN_CLOUD, THICK_CLOUD):
        if code in which:
            expected[dilated(classes == code, widths[code]) & ~covered] = code
    np.testing.assert_array_equal(found, expected)


@settings(max_examples=60, deadline=None)
@given(CLASSES, MARGINS)
def test_classes_that_are_not_replaced_stay_as_they_are(classes, margins):
    found = dilated_classes(classes, margins, (THICK_CLOUD,))
    for code in (THIN_CLOUD, SHADOW):
        np.testing.assert_array_equal(found == code, classes == code)


def test_where_margins_meet_thick_cloud_wins_over_thin_and_thin_over_shadow():
    classes = np.array([[3, 0, 0, 0, 2, 0, 0, 0, 1]], np.uint8)
    np.testing.assert_array_equal(dilated_classes(classes, Margins.all(2)), [[3, 3, 2, 2, 2, 2, 1, 1, 1]])
    np.testing.assert_array_equal(dilated_classes(classes, Margins(1, 0, 3)), [[3, 3, 3, 3, 2, 0, 0, 1, 1]])


def test_a_gap_of_the_mask_beside_a_cloud_is_covered_and_one_far_away_stays():
    classes = np.array([[1, NO_DATA, 0, NO_DATA]], np.uint8)
    np.testing.assert_array_equal(dilated_classes(classes, Margins.all(1)), [[1, 1, 0, NO_DATA]])


def test_the_reach_is_that_of_the_widest_margin():
    assert (Margins(1, 7, 3).reach, Margins.all(4), Margins().reach) == (7, Margins(4, 4, 4), 0)


def test_the_words_of_the_option_are_the_classes_that_are_replaced_by_default():
    assert tuple(WORDS) == REPLACE
    assert {NAMES[code] for code in WORDS.values()} == {"thick cloud", "thin cloud", "shadow"}


def test_no_data_overwrites_any_class():
    codes = np.array([CLEAR, THICK_CLOUD, SHADOW], np.uint8)
    np.testing.assert_array_equal(without_data(codes, np.array([True, True, False])), [NO_DATA, NO_DATA, SHADOW])
    assert without_data(codes, np.zeros(3, bool)).dtype == np.uint8
