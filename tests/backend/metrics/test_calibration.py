"""Calibration metrics on errors with known spread."""

from __future__ import annotations

import numpy as np
import pytest

from sunbreak.metrics import calibration

RNG = np.random.default_rng(0)
SIGMA = RNG.uniform(0.01, 0.1, (3, 20000))
ERROR = RNG.normal(0, SIGMA)


def test_gaussian_errors_are_covered_as_the_gaussian_says():
    assert calibration.coverage(ERROR, SIGMA, 1) == pytest.approx(0.683, abs=0.01)
    assert calibration.coverage(ERROR, SIGMA) == pytest.approx(0.95, abs=0.005)


def test_the_temperature_finds_the_factor_of_each_band():
    wrong = SIGMA / np.array([[0.5], [1.0], [3.0]])
    np.testing.assert_allclose(calibration.temperature(ERROR, wrong), [0.5, 1, 3], rtol=0.02)


def test_the_temperature_of_two_values_is_their_root_mean_square():
    assert calibration.temperature(np.array([[1.0, 7.0]]), np.array([[1.0, 1.0]]))[0] == pytest.approx(5)


def test_a_calibrated_sigma_has_no_calibration_error_and_a_doubled_one_has():
    assert calibration.expected_calibration_error(ERROR, SIGMA) < 0.001
    expected = np.sqrt((SIGMA**2).mean())
    assert calibration.expected_calibration_error(ERROR, 2 * SIGMA) == pytest.approx(expected, rel=0.1)


def test_removing_uncertain_pixels_lowers_the_error():
    shares, ours = calibration.sparsification(ERROR, SIGMA)
    assert shares[0] == 0
    assert ours[0] == pytest.approx(np.sqrt((ERROR**2).mean()))
    assert (np.diff(ours) < 0).all()
    shuffled = RNG.permutation(SIGMA.ravel()).reshape(SIGMA.shape)
    assert calibration.sparsification_area(ERROR, SIGMA) < 0.7 * calibration.sparsification_area(ERROR, shuffled)
    assert calibration.sparsification_area(ERROR, np.abs(ERROR)) == pytest.approx(0)


def test_in_the_papers_figure_errors_of_opposite_sign_cancel():
    error, sigma = np.array([0.5, -0.5]), np.array([0.5, 0.5])
    assert calibration.image_calibration_error([error] * 4, [sigma] * 4) == pytest.approx(0.5)
    assert calibration.expected_calibration_error(error, sigma, bins=1) == pytest.approx(0)


def test_the_interval_factor_covers_95_per_cent_and_ignores_a_few_absurd_errors():
    rng = np.random.default_rng(0)
    sigma = rng.uniform(0.01, 0.05, (13, 5000))
    error = 2.0 * sigma * rng.normal(size=sigma.shape)
    factor = calibration.interval_factor(error, sigma)
    np.testing.assert_allclose(factor, 2, rtol=0.05)
    assert calibration.coverage(error, sigma * factor[:, None]) == pytest.approx(0.95, abs=0.002)
    error[:, :50] = 1.0
    np.testing.assert_allclose(calibration.interval_factor(error, sigma), 2, rtol=0.1)
    assert calibration.temperature(error, sigma).min() > 3
    np.testing.assert_array_equal(calibration.interval_factor(error[:, :0], sigma[:, :0]), 1)
