"""Counting the classes of a scene block by block."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sunbreak.clouds.class_counts import ClassCounts
from sunbreak.clouds.classes import NAMES, NO_DATA

CLASSES = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from(list(NAMES)))


@given(CLASSES, st.data())
def test_blocks_count_as_the_whole_and_pixels_without_data_do_not(classes, data):
    cut = data.draw(st.integers(0, len(classes)))
    counts = ClassCounts()
    counts.add(classes[:cut])
    counts.add(classes[cut:])
    known = classes[classes != NO_DATA]
    assert (counts.valid, counts.clear) == (known.size, (known == 0).sum())
    shares = counts.shares()
    if known.size:
        assert shares["cloud_share"] == pytest.approx(np.isin(known, [1, 2]).mean())
        assert shares["thin_cloud_share"] == pytest.approx((known == 2).mean())
        assert shares["shadow_share"] == pytest.approx((known == 3).mean())


def test_without_a_pixel_all_shares_are_zero():
    counts = ClassCounts()
    counts.add(np.full((3, 3), NO_DATA, np.uint8))
    assert counts.shares() == {"cloud_share": 0, "thin_cloud_share": 0, "shadow_share": 0}


def test_a_state_does_not_change_with_the_counts_it_was_taken_from():
    counts, other = ClassCounts(), ClassCounts()
    counts.add(np.array([[0, 1, 2, 3, 3, NO_DATA]], np.uint8))
    state = counts.state()
    counts.add(np.ones((5, 5), np.uint8))
    other.restore(state)
    other.add(np.array([[0, 0]], np.uint8))
    assert (other.valid, other.clear) == (7, 3)
    assert other.shares()["shadow_share"] == pytest.approx(2 / 7)
    np.testing.assert_array_equal(state, [1, 1, 1, 2])
