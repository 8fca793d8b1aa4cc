"""The Gaussian over all dates: what it predicts, from which dates, and what must not sway it."""

from __future__ import annotations

import numpy as np
import pytest

from sunbreak.removal.temporal import gaussian
from sunbreak.removal.temporal.blocks import Block, Blocks
from sunbreak.removal.temporal.days_prior import DaysPrior
from sunbreak.removal.temporal.gaussian import DatesModel, fit
from sunbreak.removal.temporal.validation import predict
from sunbreak.scene import S2_BANDS

SHAPE = (96, 128)
FOUR = ("B02", "B03", "B04", "B08")
PRIOR = DaysPrior.load()


def fitted(place) -> DatesModel:
    return fit(place.lattice.blocks, place.lattice.values, place.lattice.known, PRIOR)


def predicted(place, model: DatesModel | None = None, codes: np.ndarray | None = None) -> np.ndarray:
    """The prediction (band, row, column) from the other dates that are clear at each pixel."""
    model = model or fitted(place)
    codes = place.lattice.codes & ~1 if codes is None else codes
    return place.grid(predict(model, place.lattice.standardised(model), codes)[0])


def relative(place, where: np.ndarray, values: np.ndarray) -> float:
    """Root mean square error over the standard deviation of each band, in some pixels."""
    error = (values - place.truth)[:, where] / place.truth.std(axis=(1, 2))[:, None]
    return float(np.sqrt((error**2).mean()))


def test_with_complete_references_it_is_a_ridge_regression(sampled, window, monkeypatch):
    monkeypatch.setattr(gaussian, "PRIOR_PIXELS", 1e-6)
    monkeypatch.setattr(gaussian, "_MEAN_PIXELS", 1e-6)
    monkeypatch.setattr(gaussian, "_ROBUST", 1e6)
    place = sampled([100, 80, 150], hidden={0: window(SHAPE, 30, 60, 40, 90)})
    lattice, model = place.lattice, fitted(place)
    features = lattice.standardised(model).astype(np.float64)
    clear, bands = lattice.clear, model.bands
    target, others = features[:bands, clear], features[bands:, clear]
    middle, centre = target.mean(axis=1), others.mean(axis=1)
    apart = others - centre[:, None]
    gram = apart @ apart.T / clear.sum() + 0.01 * np.eye(len(others))
    slopes = np.linalg.solve(gram, apart @ (target - middle[:, None]).T / clear.sum()).T
    by_hand = middle[:, None] + slopes @ (features[bands:] - centre[:, None])
    by_hand = model.centre[:bands, None] + model.scale[:bands, None] * by_hand
    np.testing.assert_allclose(predicted(place, model).reshape(bands, -1), by_hand, rtol=0, atol=2e-5)


def test_it_finds_a_linear_relation_through_the_noise(sampled, window):
    hole = window(SHAPE, 30, 60, 40, 90)
    place = sampled([100, 80, 150], hidden={0: hole})
    # B10 has next to no signal; the rest is noisy by 2 % of the mean, a seventh of what the fields differ by
    assert relative(place, hole, predicted(place)) < 0.1
    # a copy of the nearest date is far off
    assert relative(place, hole, place.grid(place.lattice.values[1])) > 0.3


def test_a_date_helps_where_it_is_clear_and_does_no_harm_where_it_is_not(sampled, window):
    hole = window(SHAPE, 20, 70, 30, 100)
    half = window(SHAPE, 0, 96, 0, 60)

    def hazy(member: int, values: np.ndarray) -> None:
        if member == 1:
            values *= np.random.default_rng(5).normal(1, 0.2, values.shape)

    place = sampled([100, 250, 110], hidden={0: hole, 2: half}, noise=0.05, edit=hazy)
    both = predicted(place)
    far_alone = predicted(place, codes=np.full(place.lattice.codes.shape, 0b010, np.int32))
    shown = hole & ~half
    assert relative(place, shown, both) < 0.6 * relative(place, shown, far_alone)
    alone = sampled([100, 250], hidden={0: hole}, noise=0.05, edit=hazy)
    covered = hole & half
    assert relative(place, covered, both) == pytest.approx(relative(alone, covered, predicted(alone)), rel=0.05)


def test_ground_that_changed_barely_moves_the_prediction_elsewhere(sampled, window, monkeypatch):
    hole, harvest = window(SHAPE, 20, 50, 30, 60), window(SHAPE, 50, 96, 80, 128)

    def harvested(member: int, values: np.ndarray) -> None:
        if member == 0:
            values[:, harvest] *= np.linspace(2.5, 0.4, len(values))[:, None]

    plain, changed = (sampled([100, 80, 150], hidden={0: hole}, edit=edit) for edit in (lambda *_: None, harvested))
    expected = predicted(plain)

    def moved() -> float:
        return float(np.abs(predicted(changed) - expected)[:, hole].mean())

    with_weights = moved()
    monkeypatch.setattr(gaussian, "_ROBUST", 1e6)
    assert with_weights < 0.25 * moved()
    assert with_weights < 0.05 * plain.truth[:, hole].std()


def test_a_target_without_a_clear_pixel_follows_the_nearest_date(sampled):
    place = sampled([100, 90, 220], hidden={0: np.ones(SHAPE, bool)})
    model = fitted(place)
    values = predicted(place, model)
    assert np.isfinite(values).all()
    assert model.clear == 0
    for band in range(13):
        near, far = (np.corrcoef(values[band].ravel(), place.lattice.values[i][band])[0, 1] for i in (1, 2))
        assert near > 0.9
        assert near > far
    assert (predict(model, place.lattice.standardised(model), place.lattice.codes)[1] > 0).all()


def test_two_equal_dates_do_not_count_twice(sampled, window):
    hole = window(SHAPE, 30, 60, 40, 90)
    once = sampled([100, 60, 170], hidden={0: hole}, noise=0.08)
    twice = sampled([100, 60, 60, 170], hidden={0: hole}, noise=0.08)
    apart = np.abs(predicted(twice) - predicted(once))[:, hole]
    assert apart.mean() < 0.03 * once.truth.std(axis=(1, 2)).mean()
    sigma = [fitted(place).predictor(code).sigma for place, code in ((once, 0b110), (twice, 0b1110))]
    np.testing.assert_allclose(sigma[1], sigma[0], rtol=0.05)


@pytest.mark.parametrize("few", [1, 2])
def test_dates_may_have_other_bands_than_the_target(sampled, window, few):
    hole = window(SHAPE, 30, 60, 40, 90)
    place = sampled([100, 80, 150], bands={few: FOUR}, hidden={0: hole})
    assert relative(place, hole, predicted(place)) < 0.15


def test_four_bands_predict_thirteen_and_thirteen_four(sampled, window):
    hole = window(SHAPE, 30, 60, 40, 90)
    for target, other in ((S2_BANDS, FOUR), (FOUR, S2_BANDS)):
        place = sampled([100, 80], bands={0: target, 1: other}, hidden={0: hole})
        assert relative(place, hole, predicted(place)) < 0.25


def test_the_order_of_the_dates_does_not_matter(sampled, window):
    hidden = {80: window(SHAPE, 0, 50, 0, 50), 150: window(SHAPE, 40, 96, 0, 128), 120: window(SHAPE, 0, 90, 70, 90)}
    hole = window(SHAPE, 20, 70, 30, 100)

    def of(*days: int) -> np.ndarray:
        place = sampled([100, *days], hidden={0: hole, **{i: hidden[day] for i, day in enumerate(days, 1)}})
        return predicted(place)

    np.testing.assert_allclose(of(80, 150, 120), of(120, 80, 150), rtol=0, atol=2e-3)


def test_a_pixel_that_no_date_shows_gets_the_mean_of_the_scene(sampled, window):
    place = sampled([100, 80], hidden={0: window(SHAPE, 30, 60, 40, 90)})
    model = fitted(place)
    nothing = model.predictor(0)
    assert nothing.main == -1
    np.testing.assert_allclose(nothing.offset, place.truth.mean(axis=(1, 2)), rtol=0.1)
    assert (nothing.sigma > 2 * model.predictor(0b10).sigma)[:8].all()


def test_the_main_date_is_the_nearer_in_colour(sampled, window):
    place = sampled([100, 280, 101], hidden={0: window(SHAPE, 30, 60, 40, 90)}, noise=0.1)
    model = fitted(place)
    assert model.predictor(0b110).main == 2
    assert model.predictor(0b010).main == 1


def test_values_that_no_ground_has_count_as_a_few_deviations_at_most():
    blocks = Blocks((Block(0, False, ("B02",)), Block(1, False, ("B02",))), (0, 5))
    model = DatesModel(blocks, np.array([0.1, 0.1], np.float32), np.array([0.02, 0.02], np.float32),
                       np.zeros(2), np.eye(2), 0.0)  # fmt: skip
    values = np.array([[0.1, 0.12, 0.9, 0.0]], np.float32)
    np.testing.assert_allclose(model.standardised(values, 1), [[0, 1, 6, -5]], atol=1e-5)
