"""Clouds of other dates that the detector missed: they are left out, and bright ground is not."""

from __future__ import annotations

import numpy as np
import pytest

from sunbreak.removal.temporal.days_prior import DaysPrior
from sunbreak.removal.temporal.gaussian import fit
from sunbreak.removal.temporal.misfits import Misfits, with_margin

SHAPE = (96, 128)
WHITE = np.array([4200, 4300, 4100, 4800])


@pytest.fixture(scope="module")
def hole(window) -> np.ndarray:
    return window(SHAPE, 30, 70, 40, 90)


@pytest.fixture(scope="module")
def cloud(window) -> np.ndarray:
    return window(SHAPE, 35, 55, 45, 70)


def clouded(cloud):
    def edit(member: int, values: np.ndarray) -> None:
        if member == 1:
            values[:, cloud] = WHITE[:, None]

    return edit


def test_a_missed_cloud_of_one_date_under_the_targets_cloud_is_left_out(guided, hole, cloud):
    case, plain = (
        guided([100, 80, 140, 60], hidden={0: hole}, edit=edit) for edit in (clouded(cloud), lambda *_: None)
    )
    rows, undisturbed = case.rows(), plain.rows()
    assert not (rows.codes[cloud] & 0b10).any()
    beyond = hole & ~np.pad(cloud, 4)[4:-4, 4:-4]
    assert (rows.codes[beyond] & 0b10 > 0).mean() > 0.7
    error, least = (np.sqrt(((one.predicted - case.truth)[:, cloud] ** 2).mean()) for one in (rows, undisturbed))
    assert error < 2 * least
    sigma = case.sigma(rows)
    assert (np.abs(rows.predicted - case.truth) < 1.96 * sigma)[:, cloud].mean() > 0.85


def test_where_it_is_the_only_date_that_shows_anything_it_cannot_be_told(guided, hole, cloud):
    """Nothing says there what the ground looks like; a cloud over clear ground of the target is still seen."""
    rows = guided([100, 80], hidden={0: hole}, edit=clouded(cloud)).rows()
    assert (rows.codes[cloud] & 0b10).all()


def test_a_cloud_over_clear_ground_of_the_target_is_found_too(guided, hole, window):
    place = window(SHAPE, 5, 25, 95, 120)
    rows = guided([100, 80], hidden={0: hole}, edit=clouded(place)).rows()
    assert not (rows.codes[place] & 0b10).any()
    assert (rows.changed[place] != 1).all()


def test_without_missed_clouds_next_to_nothing_is_left_out(guided, hole):
    rows = guided([100, 80, 140, 60], hidden={0: hole}, noise=0.05).rows()
    assert (rows.codes & 0b1110 == 0b1110).mean() > 0.995


@pytest.mark.parametrize(
    ("what", "factor"), [("bare soil", (1.5, 1.9, 2.8, 1.2)), ("a dark field", (0.5, 0.5, 0.5, 0.5))]
)
def test_ground_that_changed_is_not_taken_for_a_cloud(guided, hole, cloud, what, factor):
    def edit(member: int, values: np.ndarray) -> None:
        if member == 1:
            values[:, cloud] = values[:, cloud] * np.array(factor)[:, None]

    rows = guided([100, 80, 140, 60], hidden={0: hole}, edit=edit).rows()
    assert (rows.codes[cloud] & 0b10 > 0).mean() > 0.95, what


def test_sigma_covers_ground_that_changed_under_the_cloud_in_one_date(guided, hole, cloud):
    def harvested(member: int, values: np.ndarray) -> None:
        if member == 1:
            values[:, cloud] = values[:, cloud] * np.array([1.4, 1.5, 1.8, 0.5])[:, None]

    case, plain = (guided([100, 80, 140, 60], hidden={0: hole}, edit=edit) for edit in (harvested, lambda *_: None))
    rows = case.rows()
    sigma, usual = case.sigma(rows), plain.sigma(plain.rows())
    error = np.abs(rows.predicted - case.truth)
    assert (error[:, cloud] < 1.96 * usual[:, cloud]).mean() < 0.7
    assert (error[:, cloud] < 1.96 * sigma[:, cloud]).mean() > 0.9
    beside = hole & ~np.pad(cloud, 8)[8:-8, 8:-8]
    assert (rows.doubt[beside] == 0).mean() > 0.9


def test_dates_without_blue_and_red_are_not_judged(sampled):
    place = sampled([100, 80, 140], (40, 50), bands={1: ("B08", "B11")})
    lattice = place.lattice
    model = fit(lattice.blocks, lattice.values, lattice.known, DaysPrior.load())
    found, _ = Misfits(model, np.ones(model.bands, np.float32)).find(lattice.standardised(model), lattice.codes)
    assert set(found) == {2}


def test_single_pixels_do_not_count_and_places_have_a_margin(window):
    found = window(SHAPE, 40, 42, 40, 42)
    found[10, 10] = True
    grown = with_margin(found)
    assert not grown[:20].any()
    rows, columns = np.nonzero(grown)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (37, 44, 37, 44)
