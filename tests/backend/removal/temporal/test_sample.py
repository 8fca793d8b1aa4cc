"""What is read of a series: blocks of features, and a regular sample of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sunbreak.removal.temporal.blocks import (
    REACH,
    UNKNOWN_DAYS,
    Block,
    Blocks,
    patterns,
    radar_features,
    reflectance_features,
)  # fmt: skip
from sunbreak.removal.temporal.days_prior import DaysPrior
from sunbreak.removal.temporal.reading import BlockReader
from sunbreak.removal.temporal.sample import Lattice, step_of

SHAPE = (70, 90)


@pytest.fixture(scope="module")
def case(guided, window):
    hidden = {0: window(SHAPE, 20, 50, 30, 60), 2: window(SHAPE, 0, 40, 0, 45)}
    return guided([100, 80, 140], SHAPE, hidden=hidden, radar=(0, 2))


def reader_of(case, blocks: Blocks) -> BlockReader:
    source = case.guide.source
    return BlockReader(blocks, source.clouds, source.hidden, SHAPE[0])


@pytest.fixture(scope="module")
def blocks(case) -> Blocks:
    return Blocks.of(case.series, (1, 2))


def sample(case, blocks, pixels: int, *, by_date: bool = True) -> Lattice:
    lattice, source = Lattice.of(blocks, *SHAPE, pixels), reader_of(case, blocks)
    with case.series.reader() as reader:
        for member in source.members if by_date else [None]:
            for place, row in enumerate(lattice.rows):
                lattice.take(place, source.read(reader, int(row), int(row) + 1, member))
    return lattice


def test_blocks_are_the_target_the_other_dates_and_the_radar_of_those_that_have_it(blocks):
    assert [(block.member, block.radar) for block in blocks.blocks] == [
        (0, False), (1, False), (2, False), (0, True), (2, True)
    ]  # fmt: skip
    assert blocks.days == (0, -20, 40)
    assert blocks.features == 3 * 4 + 2 * 4
    assert blocks.optical_bits == 0b110
    np.testing.assert_array_equal(blocks.columns(0b10010), [4, 5, 6, 7, 16, 17, 18, 19])
    assert len(blocks.columns(0)) == 0


def test_without_radar_of_the_target_that_of_other_dates_is_not_used(guided, window):
    case = guided([100, 80], SHAPE, hidden={0: window(SHAPE, 20, 50, 30, 60)}, radar=(1,))
    assert not any(block.radar for block in Blocks.of(case.series, (1,)).blocks)


@pytest.mark.parametrize("pixels", [10**6, 700, 60])
def test_the_sample_is_the_same_however_it_is_read(case, blocks, pixels):
    one, other = sample(case, blocks, pixels), sample(case, blocks, pixels, by_date=False)
    for a, b in zip((*one.values, *one.known), (*other.values, *other.known), strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.step == step_of(*SHAPE, pixels)
    assert len(one.rows) * len(one.columns) <= 1.3 * pixels
    assert one.rows[0] == one.step // 2


def test_rows_are_the_same_whichever_are_read_together(case, blocks):
    source = reader_of(case, blocks)
    with case.series.reader() as reader:
        whole, part = source.read(reader, 0, SHAPE[0]), source.read(reader, 33, 40)
    np.testing.assert_array_equal(part.codes, whole.codes[33:40])
    for index in range(len(blocks.blocks)):
        inside = part.features(blocks, index, slice(0, 7))
        np.testing.assert_array_equal(inside, whole.features(blocks, index, slice(33, 40)))


def test_a_coarse_sample_holds_pixels_of_the_fine_one(case, blocks):
    fine, coarse = sample(case, blocks, 10**6), sample(case, blocks, 700)
    places = np.ix_(coarse.rows, coarse.columns)
    for a, b in zip(fine.values, coarse.values, strict=True):
        np.testing.assert_array_equal(fine.grid(a)[(slice(None), *places)], coarse.grid(b))
    np.testing.assert_array_equal(fine.grid(fine.codes)[places], coarse.grid(coarse.codes))


def test_the_sample_knows_where_each_date_is_clear(case, blocks, window):
    lattice = sample(case, blocks, 10**6)
    np.testing.assert_array_equal(lattice.grid(lattice.clear), ~window(SHAPE, 20, 50, 30, 60))
    assert lattice.known[1].all()
    np.testing.assert_array_equal(lattice.grid(lattice.known[2]), ~window(SHAPE, 0, 40, 0, 45))
    np.testing.assert_allclose(lattice.grid(lattice.target), case.truth, atol=0.1 * case.truth.max())


def test_a_part_of_the_dates_is_numbered_anew(case, blocks):
    lattice = sample(case, blocks, 10**6)
    part = lattice.only([2])
    assert [(block.member, block.radar) for block in part.blocks.blocks] == [
        (0, False), (1, False), (0, True), (1, True)
    ]  # fmt: skip
    assert part.blocks.days == (0, 40)
    np.testing.assert_array_equal(part.values[1], lattice.values[2])
    np.testing.assert_array_equal(part.values[3], lattice.values[4])


def test_a_scene_of_one_row_has_a_sample():
    assert Lattice.of(Blocks((Block(0, False, ("B04",)),), (0,)), 1, 5000, 100).values[0].shape[1] > 0
    assert step_of(10980, 10980) == 28


def test_reflectance_is_made_finite_and_bounded():
    values = np.array([[[np.nan, -0.1, 0.3, 2.5]]], np.float32)
    np.testing.assert_allclose(reflectance_features(values), [[[0, 0, 0.3, 1.6]]], rtol=1e-6)


def test_backscatter_is_averaged_as_power_and_gaps_count_as_least():
    radar = np.full((2, 12, 12), -10.0, np.float32)
    radar[:, 6, 6] = 0
    found = radar_features(radar)
    assert found.shape == (4, 12, 12)
    # nine pixels of which one has ten times the power
    assert found[0, 6, 6] == pytest.approx(10 * np.log10(0.1 * 18 / 9), abs=1e-3)
    assert found[2, 6, 6] == pytest.approx(10 * np.log10(0.1 * 90 / 81), abs=1e-3)
    assert found[0, 0, 0] == pytest.approx(-10, abs=1e-3)
    assert np.isfinite(radar_features(np.full((2, 5, 5), np.nan, np.float32))).all()


def test_features_depend_on_pixels_within_the_reach_alone():
    radar = np.random.default_rng(1).normal(-12, 3, (2, 40, 30)).astype(np.float32)
    part = radar_features(radar[:, 10:30])
    np.testing.assert_array_equal(part[:, REACH:-REACH], radar_features(radar)[:, 10 + REACH : 30 - REACH])


def test_patterns_say_which_blocks_are_known():
    known = [np.array([True, False, True]), np.array([False, False, True])]
    np.testing.assert_array_equal(patterns(known), [0b01, 0b00, 0b11])


def test_an_unknown_date_counts_as_the_farthest(case):
    other = replace(case.series.others[0], acquired=None)
    series = replace(case.series, others=(other, case.series.others[1]))
    assert Blocks.of(series, (1, 2)).days == (0, UNKNOWN_DAYS, 40)


def test_the_correlation_of_two_dates_fades_with_the_days_between():
    prior = DaysPrior(0.8, 50, 1.0)
    assert prior.correlation(0) == 0.8
    assert prior.correlation(-50) == prior.correlation(50) == pytest.approx(0.8 / np.e)


def test_dates_count_by_how_near_they_are_and_by_what_they_add():
    prior = DaysPrior(0.8, 50, 1.0)
    weights = prior.weights([-10, 60])
    assert weights.sum() == pytest.approx(1)
    assert weights[0] > 2 * weights[1]
    assert prior.weights([-10]) == pytest.approx([1])
    np.testing.assert_allclose(prior.weights([-20, 20]), [0.5, 0.5])
    # two on one side share what one of them would have
    before, again, after = prior.weights([-20, -20, 20])
    assert before == pytest.approx(again)
    assert 0.4 < after < 0.5


def test_the_fitted_prior_is_one():
    prior = DaysPrior.load()
    assert 0 < prior.start < 1
    assert 10 < prior.fading < 1000
    assert prior.factor >= 1
