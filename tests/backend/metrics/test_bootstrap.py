"""Bootstrap resamples and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from sunbreak.metrics import bootstrap


def test_every_resample_draws_as_many_patches_as_there_are():
    counts = bootstrap.draws(37, 50, seed=3)
    assert counts.shape == (50, 37)
    assert (counts.sum(axis=1) == 37).all()
    assert (counts != counts[0]).any()


def test_the_seed_decides_the_draws():
    np.testing.assert_array_equal(bootstrap.draws(20, 5, seed=1), bootstrap.draws(20, 5, seed=1))
    assert (bootstrap.draws(20, 5, seed=1) != bootstrap.draws(20, 5, seed=2)).any()


def test_the_mean_of_a_resample_is_that_of_its_patches():
    values = np.array([1e6 + 1, 1e6 + 2, np.nan, 1e6 + 6])
    counts = np.array([[2, 1, 5, 1], [0, 0, 4, 0]], np.float32)
    found = bootstrap.mean(values, counts)
    assert found[0] == pytest.approx(1e6 + 2.5, abs=1e-3)
    assert np.isnan(found[1])


def test_the_interval_of_a_mean_is_that_of_its_standard_error():
    values = np.random.default_rng(0).normal(5, 2, 2000)
    found = bootstrap.estimate_mean(values, bootstrap.draws(2000, 2000))
    error = values.std() / np.sqrt(2000)
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_a_figure_that_most_resamples_do_not_have_gets_no_interval():
    rare, common = np.full(10, np.nan), np.arange(10.0)
    rare[0], common[0] = 1, np.nan
    low, high = bootstrap.interval(np.stack([rare, common], axis=1))
    assert np.isnan(low[0]) and np.isnan(high[0])
    assert 1 <= low[1] < high[1] <= 9


def test_spearman_agrees_with_scipy_with_ties_and_on_a_resample():
    random = np.random.default_rng(1)
    x, y = random.integers(0, 8, 60), random.integers(0, 8, 60)
    counts = bootstrap.draws(60, 3, seed=5)
    assert bootstrap.spearman(x, y)[0] == pytest.approx(spearmanr(x, y).statistic)
    found = bootstrap.spearman(x, y, counts)
    for drawn, rho in zip(counts.astype(int), found, strict=True):
        assert rho == pytest.approx(spearmanr(np.repeat(x, drawn), np.repeat(y, drawn)).statistic)


def test_a_constant_has_no_correlation():
    assert np.isnan(bootstrap.spearman(np.ones(5), np.arange(5.0))[0])


def test_an_empty_set_cannot_be_resampled():
    with pytest.raises(ValueError, match="0 patches"):
        bootstrap.draws(0)
