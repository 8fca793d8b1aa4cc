"""From log-odds to classes: contrast with the clear ground around, thresholds, and thick against thin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sunbreak.clouds.classes import CLEAR, NO_DATA, SHADOW, THICK_CLOUD, THIN_CLOUD
from sunbreak.clouds.decision import (
    CLOUD_ODDS,
    SHADOW_LEAD,
    THICK,
    classes_of,
    ground_around,
    network_odds,
    thinned,
)
from sunbreak.clouds.ukis_networks import BANDS, Evidence

SHAPE = st.shared(st.tuples(st.integers(1, 12), st.integers(1, 12)))
BLUE, RED, NIR = (BANDS.index(band) for band in ("B02", "B04", "B08"))


def single(value: float) -> np.ndarray:
    return np.full((1, 1), value, np.float32)


@settings(max_examples=60, deadline=None)
@given(
    SHAPE.flatmap(lambda shape: arrays(np.float32, (2, *shape), elements=st.floats(0, 1.5, width=32))),
    SHAPE.flatmap(lambda shape: arrays(bool, shape)),
)
def test_the_ground_around_lies_between_the_clear_cells_and_the_cell_itself(cells, clear):
    ground = ground_around(cells, clear)
    assert ground.image.shape == cells.shape and ground.weight.shape == clear.shape
    for band, found in zip(cells, ground.image, strict=True):
        low = np.minimum(band, band[clear].min() if clear.any() else band)
        high = np.maximum(band, band[clear].max() if clear.any() else band)
        assert (found >= low - 1e-4).all() and (found <= high + 1e-4).all()
    assert (ground.weight >= -1e-6).all() and (ground.weight <= 1 + 1e-5).all()
    if not clear.any():
        np.testing.assert_allclose(ground.image, cells, rtol=1e-5, atol=1e-30)
        assert not ground.known.any()
    if clear.all():
        assert ground.known.all()


def test_what_is_not_clear_does_not_count_as_ground():
    cells = np.full((1, 60, 200), 0.1, np.float32)
    cells[:, :, :30] = 0.9
    clear = cells[0] < 0.5
    ground = ground_around(cells, clear)
    # beside the cloud the ground is the land, and far inside nothing is known but the cell itself
    np.testing.assert_allclose(ground.image[0, :, 25:], 0.1, atol=0.01)
    assert ground.known[:, 25:].all()
    cells = np.full((1, 60, 200), 0.9, np.float32)
    cells[:, :, 150:] = 0.1
    ground = ground_around(cells, cells[0] < 0.5)
    assert not ground.known[:, :100].any() and ground.image[0, 30, 0] == pytest.approx(0.9)


def surrounded(**of_centre: float) -> np.ndarray:
    """Six bands of 61 x 61 cells of 0.1, with another cell in the middle."""
    cells = np.full((6, 61, 61), 0.1, np.float32)
    for band, value in of_centre.items():
        cells[BANDS.index(band), 30, 30] = value
    return cells


@pytest.mark.parametrize(
    ("centre", "cloud", "shadow"),
    [
        ({}, 0.0, 0.0),
        # ten per unit of haze, blue - 0.5 red
        ({"B02": 0.13}, 0.3, 0.0),
        ({"B02": 0.13, "B04": 0.16}, 0.0, 0.0),
        ({"B04": 0.18}, -0.4, 0.0),
        # ten per unit of darkness in the near infrared
        ({"B08": 0.05}, 0.0, 0.5),
        ({"B08": 0.15}, 0.0, -0.5),
        # at most 0.1
        ({"B02": 0.9}, 1.0, 0.0),
        ({"B08": 0.9}, 0.0, -1.0),
        ({"B11": 0.9, "B12": 0.9, "B03": 0.9}, 0.0, 0.0),
    ],
)
def test_haze_and_darkness_against_the_ground_shift_the_odds(centre, cloud, shadow):
    cells = surrounded(**centre)
    clear = np.ones((61, 61), np.float32)
    clear[30, 30] = 0.5
    evidence = Evidence(1 - clear, clear, np.full((61, 61), 2, np.float32), np.full((61, 61), -3, np.float32))
    found_cloud, found_shadow = network_odds(evidence, cells)
    assert found_cloud[30, 30] - 2 == pytest.approx(cloud, abs=0.01)
    assert found_shadow[30, 30] + 3 == pytest.approx(shadow, abs=0.01)
    assert found_cloud[0, 0] == pytest.approx(2, abs=1e-4)


@pytest.mark.parametrize(
    ("cloud", "shadow", "expected"),
    [
        (CLOUD_ODDS, -5, THICK_CLOUD),
        (CLOUD_ODDS - 0.01, -5, CLEAR),
        (-5, 2.0, SHADOW),
        (-5, 1.99, CLEAR),
        # both are possible: shadow must lead
        (3, 3 + SHADOW_LEAD, THICK_CLOUD),
        (3, 3.01 + SHADOW_LEAD, SHADOW),
        # shadow leads, and is less than its own threshold
        (CLOUD_ODDS, 1.9, THICK_CLOUD),
    ],
)
def test_a_cell_is_cloud_shadow_or_clear_by_its_odds(cloud, shadow, expected):
    assert classes_of(single(cloud), single(shadow), 2.0)[0, 0] == expected


def test_a_higher_threshold_of_shadow_leaves_it_clear():
    assert classes_of(single(-5), single(4.9), 5.0)[0, 0] == CLEAR
    assert classes_of(single(-5), single(5.0), 5.0)[0, 0] == SHADOW


def test_a_cloud_is_thin_where_it_is_little_brighter_than_the_ground_around():
    blue = np.array([[0.25, 0.31, 0.33, 0.25, 0.25]], np.float32)
    ground = np.full((1, 5), 0.24, np.float32)
    classes = np.array([[THICK_CLOUD, THICK_CLOUD, THICK_CLOUD, SHADOW, NO_DATA]], np.uint8)
    known = np.ones((1, 5), bool)
    expected = [[THIN_CLOUD, THIN_CLOUD, THICK_CLOUD, SHADOW, NO_DATA]]
    np.testing.assert_array_equal(thinned(classes, blue, ground, known, "L1C"), expected)
    assert pytest.approx(0.08) == THICK


@pytest.mark.parametrize(("level", "least"), [("L1C", 0.20), ("L2A", 0.14)])
def test_without_clear_ground_around_dark_ground_is_assumed(level, least):
    blue = np.array([[least - 0.005, least + 0.005]], np.float32)
    classes, unknown = np.full((1, 2), THICK_CLOUD, np.uint8), np.zeros((1, 2), bool)
    # the cloud itself stands for the ground and would make every cloud a thin one
    found = thinned(classes, blue, blue, unknown, level)
    np.testing.assert_array_equal(found, [[THIN_CLOUD, THICK_CLOUD]])
