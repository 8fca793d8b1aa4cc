"""The prior of a place: mean colour, regression on the radar, and weight."""

from __future__ import annotations

import numpy as np
import pytest

from sunbreak.models.prior_layout import RADAR_FEATURES
from sunbreak.removal.guide import Prior, block_means, guide, radar_features
from sunbreak.removal.place_prior import moments, prior_of
from sunbreak.training.removal.priors import Trial, fit_prior, with_trend, world_prior
from sunbreak.training.removal.samples import Sample

WORLD = (0.15,) * 13


def ground(seed, colour=0.3, side=64):
    """Fields of 8 px that are bright in the radar where they are dark in the optical bands."""
    rng = np.random.default_rng(seed)
    fields = np.kron(rng.normal(0, 1, (side // 8, side // 8)), np.ones((8, 8))).astype(np.float32)
    radar = np.stack([-11 + 2 * fields, -18 + 2 * fields]).astype(np.float32)
    bands = np.linspace(0.5, 1.5, 13, dtype=np.float32)[:, None, None]
    return (bands * (colour - 0.05 * fields)).astype(np.float32), radar


def test_a_place_has_its_mean_colour_and_the_least_squares_slopes():
    (first, radar_one), (second, radar_two) = ground(1), ground(2, 0.4)
    all_clear = np.ones((64, 64), bool)
    prior = prior_of([moments(first, all_clear, radar_one), moments(second, all_clear, radar_two)], 500.0)
    np.testing.assert_allclose(prior.spectrum, (first.mean((1, 2)) + second.mean((1, 2))) / 2, rtol=1e-5)
    features = np.concatenate([radar_features(r).reshape(RADAR_FEATURES, -1) for r in (radar_one, radar_two)], axis=1)
    colours = np.concatenate([block_means(i).reshape(13, -1) for i in (first, second)], axis=1)
    features -= features.mean(axis=1, keepdims=True)
    colours -= colours.mean(axis=1, keepdims=True)
    ridge = np.sqrt(0.03 * features.shape[1]) * np.eye(RADAR_FEATURES)
    wanted, *_ = np.linalg.lstsq(np.hstack([features, ridge]).T, np.hstack([colours, np.zeros((13, RADAR_FEATURES))]).T)
    np.testing.assert_allclose(prior.slopes, wanted.T, atol=1e-4)


def test_cloudy_pixels_do_not_affect_the_moments():
    image, radar = ground(3)
    clear = np.ones((64, 64), bool)
    clear[:32] = False
    spoilt = image.copy()
    spoilt[:, :32] = 0.9
    seen, whole = moments(spoilt, clear, radar), moments(image[:, 32:], clear[32:], None)
    np.testing.assert_allclose(seen.colour, whole.colour, rtol=1e-5)
    assert seen.count == whole.count == 8 * 16
    assert whole.radar is None


def test_a_prior_is_read_back_from_a_card_and_other_lengths_are_refused():
    image, radar = ground(4)
    all_clear = np.ones((64, 64), bool)
    for parts in ([moments(image, all_clear, radar)], [moments(image, all_clear, None)]):
        prior = prior_of(parts, 2048.0)
        again = Prior.parse(prior.numbers())
        assert again.weight == 2048.0
        np.testing.assert_allclose(again.spectrum, prior.spectrum, atol=1e-6)
        assert (again.slopes is None) == (prior.slopes is None)
        if again.slopes is not None and again.backscatter is not None:
            np.testing.assert_allclose(again.slopes, prior.slopes, atol=1e-6)
            np.testing.assert_allclose(again.backscatter, prior.backscatter, atol=1e-6)
    with pytest.raises(ValueError, match="12"):
        Prior.parse((0.1,) * 12)


def test_an_overcast_tile_is_filled_from_radar_with_a_place_prior():
    known = [moments(*with_clear(seed)) for seed in range(4)]
    prior = prior_of(known, 2048.0).numbers()
    image, radar = ground(9)
    nothing = np.zeros((64, 64), bool)
    world, place = guide(image, nothing, WORLD, radar), guide(image, nothing, prior, radar)
    assert np.abs(world - image).mean() > 0.1
    assert np.abs(place - image).mean() < 0.025
    # without radar, it is the mean colour of the place
    plain = guide(image, nothing, prior)
    np.testing.assert_allclose(plain.mean(axis=(1, 2)), np.array(prior[:13]), atol=1e-4)


def with_clear(seed):
    image, radar = ground(seed)
    return image, np.ones((64, 64), bool), radar


def trials_of(places, spoil):
    """Blocks that are half cloudy, with the given amount of haze on the clear half."""
    trials = []
    for place, (image, _, radar) in places:
        seen = np.zeros((64, 64), bool)
        seen[:, 32:] = True
        cloudy = np.where(seen, image + np.float32(spoil), np.float32(0.9)).astype(np.float32)
        trials.append(Trial(place, cloudy, image, seen, ~seen, radar))
    return trials


def test_the_prior_of_a_hazy_place_has_more_weight_by_leave_one_out():
    places = [(number, with_clear(number)) for number in range(4)]
    parts = [(number, moments(*place)) for number, place in places]
    hazy, clean = (fit_prior(parts, trials_of(places, spoil)) for spoil in (0.2, 0.0))
    assert hazy.weight == 32768.0
    # places of different colours give a low weight
    other = [(number, (image + np.float32(0.15 * number), seen, radar)) for number, (image, seen, radar) in places]
    lonely = fit_prior([(number, moments(*place)) for number, place in other], trials_of(other, 0.0))
    assert lonely.weight < clean.weight or lonely.weight == 128.0
    with pytest.raises(ValueError, match="two or more positions"):
        fit_prior(parts[:1], [])


def test_the_general_prior_has_land_and_water_if_there_is_enough():
    land = np.broadcast_to(np.linspace(0.1, 0.3, 13)[:, None, None], (13, 128, 128)).astype(np.float32)
    coast = land.copy()
    coast[:, :, :96] = np.linspace(0.12, 0.005, 13)[:, None, None]
    both = world_prior([land, coast, coast])
    assert both.water is not None
    np.testing.assert_allclose(both.spectrum, np.linspace(0.1, 0.3, 13), rtol=1e-4)
    np.testing.assert_allclose(both.water, np.linspace(0.12, 0.005, 13), rtol=1e-4)
    alone = world_prior([land])
    assert alone.water is None
    assert alone.weight == both.weight == 2048
    np.testing.assert_allclose(alone.spectrum, both.spectrum, rtol=1e-4)
    with pytest.raises(ValueError, match="no images to fit the prior to"):
        world_prior([])


LAND = np.linspace(0.12, 0.30, 13)
WATER = np.linspace(0.10, 0.01, 13)


def half_water(seed: int, land: np.ndarray = LAND) -> Sample:
    """A place with a lake; its radar is dark on the lake, and brighter where the land is."""
    rng = np.random.default_rng(seed)
    wet = np.zeros((64, 64), bool)
    wet[:, 32:] = True
    fields = np.kron(rng.normal(0, 1, (8, 8)), np.ones((8, 8)))
    image = np.where(wet, WATER[:, None, None], land[:, None, None] + 0.02 * fields)
    radar = np.where(wet, -22.0, -11 + 2 * fields) + np.array([0.0, -7.0])[:, None, None]
    dn = np.clip(np.rint(image * 10000), 0, 10000).astype(np.uint16)
    return Sample(f"place {seed}", radar.astype(np.float32), dn, dn)


def test_the_trend_tells_water_from_land_and_bright_fields_from_dark_ones():
    prior = with_trend(Prior(LAND, 2048.0, water=WATER), [[half_water(1)], [half_water(2)], [half_water(3)]], 1)
    other = half_water(9)
    found = prior.suggested(radar_features(other.s1))
    truth = block_means(other.clear.astype(np.float32) / 10000)
    assert np.abs(found - truth)[7, :, 11:].max() < 0.03
    land = np.s_[7, :, :5]
    assert np.corrcoef(found[land].ravel(), truth[land].ravel())[0, 1] > 0.7
    assert abs(found[land].mean() - truth[land].mean()) < 0.02


def test_every_place_counts_the_same_however_many_images_it_has():
    dark, bright = 0.8 * LAND, 1.2 * LAND
    start = Prior(LAND, 2048.0, water=WATER)
    many = with_trend(start, [[half_water(n, dark) for n in range(9)], [half_water(99, bright)]], 1)
    np.testing.assert_allclose(many.spectrum, LAND, rtol=0.03)


def test_without_two_places_with_radar_and_water_there_is_no_trend():
    start = Prior(LAND, 2048.0, water=WATER)
    no_radar = Sample("x", None, half_water(1).clear, half_water(1).clear)
    assert with_trend(start, [[half_water(1)], [no_radar]], 1) is start
    dry = [Sample(s.name, s.s1[:, :, :32], s.clear[:, :, :32], s.cloudy[:, :, :32]) for s in map(half_water, (1, 2))]
    assert with_trend(start, [[place] for place in dry], 1) is start
    assert with_trend(Prior(LAND, 2048.0), [[half_water(1)], [half_water(2)]], 1).trend is None
