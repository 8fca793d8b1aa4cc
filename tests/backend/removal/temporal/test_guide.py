"""The guide of a scene on disk: the same numbers for any cut, good ones under clouds, and change that is found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sunbreak.errors import Cancelled
from sunbreak.removal.temporal import change
from sunbreak.removal.temporal.days_prior import DaysPrior
from sunbreak.removal.temporal.fitting import choose_members, fit_guide
from sunbreak.removal.temporal.guide import BLEND, CHUNK, STEP, GuideRows
from sunbreak.scene import S2_BANDS

SHAPE = (96, 128)
LARGE = (208, 158)
assert LARGE[0] > 3 * CHUNK


@pytest.fixture(scope="module")
def hole(window) -> np.ndarray:
    return window(SHAPE, 30, 70, 40, 90)


@pytest.fixture(scope="module")
def large(guided, window):
    """Larger than a chunk both ways, clouds on every date, and radar of two of them."""
    hidden = {
        0: window(LARGE, 90, 150, 40, 110), 1: window(LARGE, 60, 135, 80, 150), 2: window(LARGE, 120, 180, 0, 60)
    }  # fmt: skip
    return guided([100, 80, 140], LARGE, hidden=hidden, radar=(0, 1))


@pytest.fixture(scope="module")
def uncut(large):
    return large.rows()


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cuts=st.sets(st.integers(1, LARGE[0] - 1), max_size=6))
def test_any_cut_into_rows_gives_the_same_bytes(large, uncut, cuts):
    rows = large.rows(*sorted(cuts))
    # what clear pixels get counts nowhere
    hidden = rows.codes & 1 == 0
    assert rows.predicted[:, hidden].tobytes() == uncut.predicted[:, hidden].tobytes()
    for name in ("weight", "codes", "changed", "doubt"):
        assert getattr(rows, name).tobytes() == getattr(uncut, name).tobytes(), name


def test_rows_that_are_asked_for_again_are_the_same(large, uncut):
    with large.guide.series.reader() as reader:
        for first, stop in ((0, 20), (20, 200), (130, 140), (5, 9)):
            rows = large.guide.rows(reader, first, stop)
            hidden = rows.codes & 1 == 0
            np.testing.assert_array_equal(rows.predicted[:, hidden] * STEP, uncut.predicted[:, first:stop][:, hidden])


def test_sigma_does_not_depend_on_the_cut(large, uncut):
    whole = large.sigma(uncut)
    planes = (getattr(uncut, name)[77:130] for name in ("weight", "codes", "changed", "doubt"))
    some = GuideRows(uncut.predicted[:, 77:130], *planes)
    assert large.sigma(some, 77).tobytes() == whole[:, 77:130].tobytes()


@pytest.mark.parametrize("bands", [("B02", "B03", "B04", "B08"), S2_BANDS], ids=["four", "thirteen"])
def test_it_predicts_what_a_cloud_hides(guided, hole, bands):
    case = guided([100, 80, 140], hidden={0: hole}, bands=bands)
    rows = case.rows()
    error = (rows.predicted - case.truth)[:, hole]
    # noise of 2 %, where fields differ by some 15 %
    assert np.sqrt((error**2).mean()) < 0.1 * case.truth[:, hole].std()
    assert (rows.weight == 1).all()
    assert set(np.unique(rows.changed)) <= {change.UNCHANGED, change.HIDDEN}
    assert (rows.changed[hole] == change.HIDDEN).all()
    covered = np.abs(error) <= 1.96 * case.sigma(rows)[:, hole]
    assert covered.mean() > 0.93


def test_what_lies_under_the_cloud_does_not_count(guided, hole):
    def white(member: int, values: np.ndarray) -> None:
        if member == 0:
            values[:, hole] = 9000

    plain, covered = (guided([100, 80, 140], hidden={0: hole}, edit=edit) for edit in (lambda *_: None, white))
    one, other = plain.rows(), covered.rows()
    np.testing.assert_array_equal(other.predicted[:, hole], one.predicted[:, hole])
    np.testing.assert_array_equal(other.changed[hole], one.changed[hole])


def test_a_brighter_target_is_predicted_brighter(guided, hole):
    def hazy(member: int, values: np.ndarray) -> None:
        if member == 0:
            values += 150

    plain, bright = (guided([100, 80], hidden={0: hole}, edit=edit) for edit in (lambda *_: None, hazy))
    apart = (bright.rows().predicted - plain.rows().predicted)[:, hole]
    np.testing.assert_allclose(apart.mean(axis=1), 0.015, rtol=0.1)


def test_where_no_date_is_clear_the_weight_is_0_and_it_fades_towards_there(guided, window, hole):
    cloud = window(SHAPE, 0, 96, 60, 128)
    case = guided([100, 80], hidden={0: hole, 1: cloud})
    rows = case.rows()
    assert (rows.weight[cloud] == 0).all()
    assert (rows.weight[:, : 60 - BLEND] == 1).all()
    edge = rows.weight[50, 60 - BLEND : 60]
    assert (np.diff(edge) < 0).all()
    assert 0 < edge[-1] < 0.25


def test_between_pixels_of_unlike_dates_there_is_no_step(guided, window):
    """The date of better quality ends in the middle of the hole."""
    hole, cloud = window(SHAPE, 10, 86, 20, 110), window(SHAPE, 0, 96, 64, 128)

    def tinted(member: int, values: np.ndarray) -> None:
        if member == 2:
            values *= 2

    case = guided([100, 250, 90], hidden={0: hole, 2: cloud}, noise=0.05, edit=tinted)
    predicted = case.rows().predicted
    inner = slice(12, 84)
    jump = np.abs(np.diff(predicted.mean(axis=0)[inner], axis=1)).mean(axis=0)
    beside = np.concatenate([jump[40:56], jump[70:86]])
    assert jump[63] < beside.mean() + 3 * beside.std()


def test_a_harvested_field_that_is_seen_is_found_and_little_else(guided, window, hole):
    field = window(SHAPE, 6, 22, 98, 114)

    def harvested(member: int, values: np.ndarray) -> None:
        if member == 0:
            for band, factor in enumerate((1.4, 1.5, 1.8, 0.5)):
                values[band, field] = values[band, field] * factor

    case = guided([100, 80, 140], hidden={0: hole}, noise=0.03, edit=harvested)
    changed = case.rows().changed
    assert (changed[field] == change.SEEN).mean() > 0.95
    around = window(SHAPE, 3, 25, 95, 117)
    clear = ~hole & ~around
    assert (changed[clear] == change.SEEN).mean() < 0.02
    assert (changed[hole] == change.HIDDEN).all()


def test_change_under_the_cloud_that_radar_sees_is_found_and_sigma_covers_it(guided, window, hole):
    """Backscatter drops by 8 dB in a block, and the ground there looks as it does elsewhere in the scene."""
    block = window(SHAPE, 38, 62, 50, 78)
    truth = {}

    def flooded(member: int, values: np.ndarray) -> None:
        if member == -1:
            values[:, block] -= 8
        if member == 0:
            values[:, block] = np.roll(values, (30, 40), (1, 2))[:, block]
            truth["after"] = values[:, block] / 1e4

    case = guided([100, 80, 140], hidden={0: hole}, radar=(0, 1, 2), edit=flooded)
    rows = case.rows()
    found = (rows.changed == change.BY_RADAR)[block]
    assert found.mean() > 0.9
    beside = hole & ~window(SHAPE, 33, 67, 45, 83)
    assert (rows.changed[beside] == change.BY_RADAR).mean() < 0.02
    assert (rows.changed[beside] != change.HIDDEN).all()
    sigma = case.sigma(rows)
    error = np.abs(rows.predicted[:, block] - truth["after"])[:, found]
    assert np.sqrt((error**2).mean()) > 3 * sigma[:, beside].mean()
    assert (error < 1.96 * sigma[:, block][:, found]).mean() > 0.9


def test_without_radar_nothing_is_known_of_change_under_clouds(guided, hole):
    case = guided([100, 80], hidden={0: hole}, radar=(1,))
    assert case.guide.radar is None
    assert (case.rows().changed[hole] == change.HIDDEN).all()


def test_with_radar_alone_of_the_target_change_is_judged_too(guided, hole):
    case = guided([100, 80], hidden={0: hole}, radar=(0,))
    assert case.guide.radar is not None
    changed = case.rows().changed[hole]
    assert (changed == change.UNCHANGED).mean() > 0.97


def test_dates_that_do_not_help_are_left_out(guided, hole):
    everywhere = np.ones(SHAPE, bool)
    case = guided([100, 80, 90, 140], hidden={0: hole, 1: everywhere, 2: hole})
    assert case.guide.members == (3,)
    assert case.guide.series.others == case.series.others[2:]
    rows = case.rows()
    assert np.sqrt(((rows.predicted - case.truth)[:, hole] ** 2).mean()) < 0.1 * case.truth[:, hole].std()


def test_if_no_date_shows_what_is_hidden_there_is_no_guide(guided, hole):
    assert guided([100, 80], hidden={0: hole, 1: np.ones(SHAPE, bool)}).guide is None


def test_the_nearest_dates_that_are_clear_are_chosen(sampled, hole):
    half = np.zeros(SHAPE, bool)
    half[:, :65] = True
    place = sampled([100, 90, 103, 101, 250], hidden={0: hole, 3: hole, 1: hole & half}, bands={0: ("B04",)})
    assert choose_members(place.lattice, 2) == [1, 2]
    # 101 is clear, but not there
    assert choose_members(place.lattice, 4) == [1, 2, 4]


def test_a_scene_without_clouds_in_the_sample_is_guided_too(sampled, hole):
    place = sampled([100, 90, 103], SHAPE, hidden={1: np.ones(SHAPE, bool), 2: hole}, bands={0: ("B04",)})
    assert choose_members(place.lattice) == [2]


def test_hardly_a_clear_pixel_is_said_and_still_gives_the_look_of_the_nearest_date(guided):
    hidden = np.ones(SHAPE, bool)
    case = guided([100, 90, 220], hidden={0: hidden})
    assert case.guide.from_prior
    predicted = case.rows().predicted
    for band in range(4):
        assert np.corrcoef(predicted[band].ravel(), case.truth[band].ravel())[0, 1] > 0.8


def test_the_first_pass_ends_when_it_is_cancelled(large):
    def stop() -> None:
        raise Cancelled

    guide = large.guide
    with pytest.raises(Cancelled):
        fit_guide(large.series, guide.source.clouds, guide.source.hidden, DaysPrior.load(), stop)
