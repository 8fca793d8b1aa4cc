"""The detector `ukis`: the networks alone, on cells of about 30 m."""

from __future__ import annotations

import numpy as np
import pytest

from sunbreak.clouds.classes import CLEAR, NO_DATA, SHADOW, THICK_CLOUD, THIN_CLOUD
from sunbreak.clouds.decision import classes_of, ground_around, network_odds
from sunbreak.clouds.detector import Imagery, detect_in
from sunbreak.clouds.registry import detector
from sunbreak.clouds.ukis import cell_factor
from sunbreak.clouds.ukis_networks import BANDS, VISIBLE_AND_NIR, UkisNetworks

CELLS = Imagery("L1C", BANDS, 30.0)


@pytest.mark.parametrize(("metres", "factor"), [(60, 1), (30, 1), (20, 2), (15, 2), (10, 3), (5, 6), (3, 6), (0.5, 6)])
def test_pixels_are_joined_to_cells_of_about_30_m_within_bounds(metres, factor):
    assert cell_factor(metres) == factor


def test_it_says_what_it_does():
    made = detector("ukis", None, Imagery("L2A", VISIBLE_AND_NIR, 10.0))
    assert made.label == "ukis-csmask (L2A, 4 bands) on blocks of 3 x 3 pixels"
    assert (made.bands, made.resolution, made.core, made.halo) == (VISIBLE_AND_NIR, 30.0, 1152, 96)
    assert made.settings == {"ukis-csmask": "1.0.0", "factor": 3}


def test_on_cells_its_classes_are_those_of_the_odds_and_thin_is_little_brighter_than_the_ground(demo_cells):
    found = detector("ukis", None, CELLS).predict(demo_cells)
    evidence = UkisNetworks("L1C", BANDS).evidence(demo_cells)
    expected = classes_of(*network_odds(evidence, demo_cells), 2.0)
    np.testing.assert_array_equal(found.probability, evidence.cloud)
    both = np.where(found.classes == THIN_CLOUD, THICK_CLOUD, found.classes)
    np.testing.assert_array_equal(both, expected)
    ground = ground_around(demo_cells[:1], evidence.clear > 0.5)
    brighter = demo_cells[0] - ground.image[0]
    seen = ground.known & (expected == THICK_CLOUD)
    np.testing.assert_array_equal((found.classes == THIN_CLOUD)[seen], brighter[seen] < np.float32(0.08))
    assert {CLEAR, THICK_CLOUD, THIN_CLOUD, SHADOW} == set(np.unique(found.classes))


def test_at_10_m_it_agrees_with_the_cells_but_for_the_rims(demo_image, demo_cells):
    fine = detect_in(detector("ukis"), demo_image).classes
    coarse = detector("ukis", None, CELLS).predict(demo_cells).classes.repeat(3, 0).repeat(3, 1)
    assert fine.shape == coarse.shape == (768, 768)
    # the middle pixel of each cell
    assert (((fine == 0) == (coarse == 0))[1::3, 1::3]).mean() > 0.99
    assert (fine == coarse).mean() > 0.9


def test_pixels_without_data_have_no_class_and_no_probability(demo_cells):
    cells = demo_cells.copy()
    cells[:, :20] = np.nan
    found = detector("ukis", None, CELLS).predict(cells)
    assert (found.classes[:20] == NO_DATA).all() and np.isnan(found.probability[:20]).all()
    assert (found.classes[20:] != NO_DATA).all() and np.isfinite(found.probability[20:]).all()


def test_on_the_networks_own_example_it_is_as_good_as_measured(shared):
    path = shared / "data" / "ukis_csmask" / "sentinel2.npz"
    if not path.is_file():
        pytest.skip("the example of ukis-csmask is not here")
    data = np.load(path)
    image, truth = np.ascontiguousarray(data["img"].transpose(2, 0, 1)), data["msk"].squeeze()
    classes = detect_in(detector("ukis", None, CELLS), image, BANDS).classes
    cloud = (classes == THICK_CLOUD) | (classes == THIN_CLOUD)
    for found, true, recall, precision in (
        (cloud, truth == 4, 0.986, 0.80),
        (classes == SHADOW, truth == 0, 0.963, 0.75),
    ):
        both = (found & true).sum()
        assert both / true.sum() >= recall
        assert both / found.sum() >= precision
