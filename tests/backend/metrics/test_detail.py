"""Detail: gradients are computed per band, and the high-frequency part has the power of the ratio."""

from __future__ import annotations

import numpy as np
import pytest

from sunbreak.metrics import detail


def test_the_gradient_of_a_band_does_not_depend_on_the_bands_beside_it():
    image = np.random.default_rng(0).random((4, 12, 15))
    together = detail.gradient_magnitude(image)
    for band in range(4):
        assert (together[band] == detail.gradient_magnitude(image[band : band + 1])[0]).all()


def test_the_gradient_of_a_slope_is_eight_times_its_steepness():
    slope = np.tile(0.01 * np.arange(9.0), (2, 7, 1))
    assert detail.gradient_magnitude(slope)[:, :, 1:-1] == pytest.approx(0.08)


def test_the_part_of_high_frequency_has_the_power_of_the_ratio():
    ours, theirs = np.random.default_rng(1).random((2, 3, 33, 40))
    power = [np.square(detail.high_frequency_part(values)).sum() for values in (ours, theirs)]
    assert power[0] / power[1] == pytest.approx(detail.high_frequency_ratio(ours, theirs), rel=1e-5)


def test_the_luminance_correlation_does_not_depend_on_contrast_and_knows_the_sign():
    rng = np.random.default_rng(0)
    target = rng.uniform(0.1, 0.4, (13, 20, 20))
    assert detail.luminance_correlation(0.3 + 0.1 * target, target) == pytest.approx(1)
    assert detail.luminance_correlation(0.5 - target, target) == pytest.approx(-1)
    assert detail.luminance_correlation(np.full_like(target, 0.2), target) == 0
    assert np.isnan(detail.luminance_correlation(target, np.full_like(target, 0.2)))
    half = np.zeros((20, 20), bool)
    half[:10] = True
    spoilt = target.copy()
    spoilt[:, 10:] = rng.uniform(0.1, 0.4, (13, 10, 20))
    assert detail.luminance_correlation(spoilt, target, half) == pytest.approx(1)
    assert detail.luminance_correlation(spoilt, target, ~half) == pytest.approx(0, abs=0.2)
