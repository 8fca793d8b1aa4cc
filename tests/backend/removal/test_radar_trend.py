"""What radar alone suggests: water is dark, land is land, and clear pixels that disagree switch it off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sunbreak.models.prior_layout import RADAR_FEATURES, flat_prior, named_prior
from sunbreak.removal.guide import Prior, agreement, block_means, guide, radar_features
from sunbreak.removal.radar_trend import RadarTrend
from sunbreak.removal.surroundings import Surroundings

LAND = np.linspace(0.12, 0.30, 13)
WATER = np.linspace(0.10, 0.01, 13)
# a block is water where VV, averaged over three blocks, is below -17 dB; land is brighter where VH is higher
WETNESS = np.zeros(13)
WETNESS[2], WETNESS[-1] = -20.0, -24.0
SLOPES = np.zeros((13, RADAR_FEATURES))
SLOPES[:, 3] = 0.05
TREND = RadarTrend(WETNESS, np.zeros(RADAR_FEATURES), SLOPES)
WORLD = Prior(LAND, 2048.0, water=WATER, trend=TREND)


def lake(side: int = 128) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Radar, reflectance and the water of a place whose right half is a lake."""
    wet = np.zeros((side, side), bool)
    wet[:, side // 2 :] = True
    radar = np.where(wet, np.float32(-22), np.float32(-11)) + np.zeros((2, 1, 1), np.float32)
    radar[1] -= 7
    image = np.where(wet, WATER[:, None, None], LAND[:, None, None]).astype(np.float32)
    return radar, image, wet


def test_under_a_wholly_overcast_sky_a_lake_is_dark_and_land_is_not():
    radar, image, wet = lake()
    filled = guide(np.full_like(image, 0.9), np.zeros(wet.shape, bool), WORLD, radar)
    near_shore = np.abs(np.arange(128) - 64) < 12
    inland, at_sea = ~wet & ~near_shore, wet & ~near_shore
    np.testing.assert_allclose(filled[:, at_sea].mean(axis=1), WATER, atol=0.005)
    np.testing.assert_allclose(filled[:, inland].mean(axis=1), LAND, atol=0.01)


def test_without_radar_the_trend_has_no_effect():
    _, image, wet = lake()
    clear = np.zeros(wet.shape, bool)
    clear[:20] = True
    np.testing.assert_array_equal(guide(image, clear, WORLD), guide(image, clear, replace(WORLD, trend=None)))


def test_gaps_in_the_radar_do_not_pass_for_water():
    radar, image, wet = lake()
    radar[:] = radar[:, :, :1]  # land everywhere
    radar[:, 40:80, 40:80] = np.nan
    filled = guide(image, np.zeros(wet.shape, bool), WORLD, radar)
    np.testing.assert_allclose(filled[7], LAND[7], atol=0.01)


def test_clear_pixels_that_contradict_the_trend_switch_it_off():
    """Dry sand has the backscatter of water, and is bright."""
    radar, image, wet = lake()
    image[:, wet] = np.float32(0.4)
    clear = np.ones(wet.shape, bool)
    clear[30:98, 80:120] = False
    filled = guide(image, clear, WORLD, radar)
    assert np.abs(filled - 0.4)[:, ~clear].max() < 0.03


def test_the_strength_is_one_without_clear_blocks_and_follows_the_clear_ones():
    radar, _, wet = lake()
    features = radar_features(radar)
    trend = WORLD.suggested(features)
    nothing, everything = np.zeros(wet.shape, np.float32), np.ones(wet.shape, np.float32)
    for weight, factor, wanted in (
        (nothing, 1.0, 1.0),
        (everything, 1.0, 1.0),
        (everything, 0.3, 0.3),
        (everything, -1, 0.0),
    ):
        level = trend.mean(axis=(1, 2), keepdims=True)
        ground = np.kron(level + factor * (trend - level), np.ones((1, 4, 4))).astype(np.float32)
        blocks = block_means(weight)
        found = agreement(block_means(ground * weight), blocks, trend).strength
        np.testing.assert_allclose(found[7], wanted, atol=0.1)


def test_the_regression_of_a_tile_does_not_go_beyond_the_radar_that_it_was_fitted_to():
    """Clear fields get darker with radar; the town under the cloud is brighter in the radar than any of them."""
    rng = np.random.default_rng(1)
    fields = np.kron(rng.uniform(-1, 1, (16, 16)), np.ones((8, 8)))
    town = np.zeros((128, 128), bool)
    town[20:108, 64:] = True
    radar = (np.where(town, 12.0, 2 * fields) + np.array([-11.0, -18.0])[:, None, None]).astype(np.float32)
    image = np.broadcast_to(0.3 - 0.05 * fields, (13, 128, 128)).astype(np.float32)
    filled = guide(image, ~town, (0.3,) * 13, radar)
    # -12 dB times the slope of the fields would be 0.3 below their mean
    assert filled[:, town].min() > 0.2


def test_the_agreement_of_two_halves_is_that_of_the_sums():
    radar, image, _ = lake()
    trend = WORLD.suggested(radar_features(radar))
    weight = block_means(np.ones(image.shape[1:], np.float32))
    found = agreement(block_means(image), weight, trend)
    twice = found + found
    assert twice.blocks == 2 * found.blocks
    np.testing.assert_allclose(twice.products, 2 * found.products)


def test_a_scene_of_many_tiles_settles_one_strength_for_all_of_them():
    radar, image, wet = lake(512)
    image[:, wet] = np.float32(0.4)
    clear = np.ones(wet.shape, bool)
    clear[100:400, 300:500] = False
    around = Surroundings(512, 512, WORLD, radar=True)
    for first in range(0, 512, 256):
        rows = slice(first, first + 256)
        around.add(first, image[:, rows], clear[rows], radar[:, rows])
    around.settle()
    assert around.prior.strength is not None
    assert around.prior.strength[7] < 0.05
    part = slice(128, 384)
    filled = guide(
        image[:, part, part], clear[part, part], around.prior, radar[:, part, part], around.at(128, 128, (256, 256))
    )
    assert np.abs(filled - 0.4)[:, ~clear[part, part]].max() < 0.05


def test_an_overcast_scene_of_many_tiles_gets_what_radar_suggests():
    radar, image, wet = lake(512)
    clear = np.zeros(wet.shape, bool)
    around = Surroundings(512, 512, WORLD, radar=True)
    for first in range(0, 512, 256):
        around.add(first, image[:, first : first + 256], clear[first : first + 256], radar[:, first : first + 256])
    around.settle()
    part = slice(256, 512)
    filled = guide(
        image[:, :256, part], clear[:256, part], around.prior, radar[:, :256, part], around.at(0, 256, (256, 256))
    )
    np.testing.assert_allclose(filled[:, :, 60:].mean(axis=(1, 2)), WATER, atol=0.005)


def test_a_trend_is_read_back_from_the_names_in_a_card():
    numbers = WORLD.numbers()
    assert flat_prior(named_prior(numbers)) == pytest.approx(numbers)
    again = Prior.parse(numbers).trend
    assert again is not None
    np.testing.assert_allclose(again.wetness, WETNESS)
    np.testing.assert_allclose(again.slopes, SLOPES)


@pytest.mark.parametrize("missing", ["wetness", "land_slopes", "land_backscatter", "water"])
def test_a_prior_with_half_a_trend_is_refused(missing):
    parts = named_prior(WORLD.numbers())
    del parts[missing]
    with pytest.raises(ValueError, match=r"the prior has (some of|wetness)"):
        flat_prior(parts)
