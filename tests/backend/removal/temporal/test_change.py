"""Change: connected places that are far from what was expected, not single pixels."""

from __future__ import annotations

import numpy as np

from sunbreak.removal.temporal.change import RadarChange, changed
from sunbreak.removal.temporal.days_prior import DaysPrior
from sunbreak.removal.temporal.gaussian import fit

SHAPE = (60, 80)
EVERYWHERE = np.ones(SHAPE, bool)


def noise(seed: int = 0, bands: int = 4) -> np.ndarray:
    """Root mean square of a few normal errors."""
    errors = np.random.default_rng(seed).normal(0, 1, (bands, *SHAPE))
    return np.sqrt((errors**2).mean(axis=0)).astype(np.float32)


def test_noise_is_no_change():
    assert changed(noise(), EVERYWHERE).mean() < 1e-3


def test_a_block_far_off_is_and_its_surroundings_are_not(window):
    block = window(SHAPE, 20, 32, 30, 45)
    distance = noise()
    distance[block] += 5
    found = changed(distance, EVERYWHERE)
    assert found[block].mean() > 0.97
    assert found[~block].mean() < 0.01


def test_single_pixels_are_not():
    distance = noise()
    distance[10::20, 10::20] = 100
    assert not changed(distance, EVERYWHERE).any()


def test_what_is_not_judged_neither_counts_nor_dilutes(window):
    judged = window(SHAPE, 20, 32, 30, 33)
    distance = np.where(judged, np.float32(5), np.float32(0))
    found = changed(distance, judged)
    np.testing.assert_array_equal(found, judged)
    beyond = changed(np.where(judged, distance, np.float32(50)), judged)
    np.testing.assert_array_equal(beyond, found)


def test_backscatter_is_compared_with_what_the_other_dates_let_expect(sampled, window):
    block = window(SHAPE, 20, 40, 30, 50)

    def flooded(member: int, values: np.ndarray) -> None:
        if member == -1:
            values[:, block] -= 8

    place = sampled([100, 80, 140], SHAPE, hidden={0: window(SHAPE, 10, 50, 20, 60)}, radar=(0, 1), edit=flooded)
    lattice = place.lattice
    model = fit(lattice.blocks, lattice.values, lattice.known, DaysPrior.load())
    radar = RadarChange.of(model, lattice)
    assert radar is not None
    distance = place.grid(radar.distance(lattice.standardised(model), lattice.codes))
    around = window(SHAPE, 14, 46, 24, 56)
    assert np.median(distance[block]) > 4
    assert np.quantile(distance[~around], 0.95) < 2
    # the target's own reflectance, which clouds hide, is not asked
    hidden = radar.distance(lattice.standardised(model), lattice.codes & ~1)
    np.testing.assert_allclose(hidden, distance.ravel(), rtol=1e-4)


def test_without_radar_or_without_another_date_nothing_is_judged(sampled):
    place = sampled([100, 80], SHAPE)
    model = fit(place.lattice.blocks, place.lattice.values, place.lattice.known, DaysPrior.load())
    assert RadarChange.of(model, place.lattice) is None
    with_radar = sampled([100, 80], SHAPE, radar=(0,)).lattice
    model = fit(with_radar.blocks, with_radar.values, with_radar.known, DaysPrior.load())
    radar = RadarChange.of(model, with_radar)
    assert radar is not None
    codes = np.array([0b100, 0b101, 0b110, 0b010])
    np.testing.assert_array_equal(radar.judged(codes), [False, False, True, False])
