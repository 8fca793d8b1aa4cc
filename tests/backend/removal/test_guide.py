"""Filling clouds from what is clear around them, and the network that starts from it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sunbreak.errors import ModelError
from sunbreak.models.prior_layout import PRIOR_SIZES
from sunbreak.models.uncrtaints import UnCRtainTS, UnCRtainTSConfig
from sunbreak.removal.guide import Prior, guide, is_water

PRIOR = tuple(0.1 + 0.01 * band for band in range(13))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 2**31))
def test_clear_pixels_stay_and_the_fill_keeps_within_what_it_is_made_of(rows, columns, seed):
    rng = np.random.default_rng(seed)
    image = rng.uniform(0.2, 0.4, (13, rows, columns)).astype(np.float32)
    clear = rng.random((rows, columns)) < 0.5
    filled = guide(image, clear, PRIOR)
    assert filled.shape == image.shape
    np.testing.assert_array_equal(filled[:, clear], image[:, clear])
    assert filled.min() >= 0.1 - 1e-5
    assert filled.max() <= 0.4 + 1e-5


def test_a_tile_without_a_clear_pixel_takes_the_prior_and_one_without_a_cloud_stays():
    image = np.full((13, 40, 24), 0.9, np.float32)
    filled = guide(image, np.zeros((40, 24), bool), PRIOR)
    np.testing.assert_allclose(filled, np.broadcast_to(np.array(PRIOR)[:, None, None], filled.shape), atol=1e-6)
    np.testing.assert_array_equal(guide(image, np.ones((40, 24), bool), PRIOR), image)


def test_near_ground_counts_more_than_far_ground():
    image = np.full((13, 128, 128), 0.1, np.float32)
    image[:, :, 64:] = 0.5
    clear = np.ones((128, 128), bool)
    clear[:, 40:88] = False
    filled = guide(image, clear, PRIOR)[0, 64]
    assert (np.diff(filled[40:88]) >= 0).all()
    assert filled[41] < 0.26
    assert filled[86] > 0.34
    assert 0.27 < filled[64] < 0.33


def test_an_untrained_guided_network_gives_its_guide_and_learns_from_there():
    config = UnCRtainTSConfig(width=16, depth=1, guided=True, prior=PRIOR)
    assert config.channels == 29
    torch.manual_seed(0)
    module = UnCRtainTS(config)
    x = torch.rand(1, 1, 29, 32, 32)
    mean, variance = module(x)
    torch.testing.assert_close(mean, x[:, 0, 15:28])
    assert variance is not None
    assert (variance > 0).all()
    (mean - 0.5).square().sum().backward()
    gradient = module.network.out_conv.conv.conv[0].weight.grad
    assert gradient is not None
    assert gradient[:13].abs().sum() > 0
    assert UnCRtainTSConfig.from_dict(config.to_dict()) == config


def test_a_guided_configuration_without_a_prior_is_refused():
    with pytest.raises(ModelError, match="prior of 13"):
        UnCRtainTSConfig(guided=True)
    with pytest.raises(ModelError, match="one date"):
        UnCRtainTSConfig(guided=True, prior=PRIOR, multi_temporal=True)


def test_radar_adds_what_the_clear_part_shows_about_backscatter_and_colour():
    rng = np.random.default_rng(3)
    # fields of 16 px, bright to radar where they are dark to the eye
    fields = np.kron(rng.normal(0, 1, (8, 8)), np.ones((16, 16))).astype(np.float32)
    radar = np.stack([-11 + 2 * fields, -18 + 2 * fields]).astype(np.float32)
    image = np.broadcast_to(0.3 - 0.05 * fields, (13, 128, 128)).astype(np.float32)
    clear = np.ones((128, 128), bool)
    clear[32:96, 32:96] = False
    seen = np.where(clear, image, np.float32(0.9))

    def error(filled):
        return float(np.sqrt(np.mean((filled - image)[:, ~clear] ** 2)))

    smooth, guided = guide(seen, clear, PRIOR), guide(seen, clear, PRIOR, radar)
    assert error(smooth) > 0.03
    assert error(guided) < 0.4 * error(smooth)
    np.testing.assert_array_equal(guided[:, clear], image[:, clear])


def test_uninformative_radar_changes_little_and_a_hole_in_it_does_no_harm():
    rng = np.random.default_rng(4)
    image = rng.normal(0.3, 0.02, (13, 128, 128)).astype(np.float32)
    clear = np.ones((128, 128), bool)
    clear[:, 60:100] = False
    noise = rng.normal(-14, 3, (2, 128, 128)).astype(np.float32)
    noise[:, :20, :80] = np.nan
    difference = guide(image, clear, PRIOR, noise) - guide(image, clear, PRIOR)
    assert np.isfinite(difference).all()
    assert np.sqrt(np.mean(difference[:, ~clear] ** 2)) < 0.005


def test_with_hardly_a_clear_pixel_radar_is_not_asked():
    image = np.full((13, 64, 64), 0.3, np.float32)
    clear = np.zeros((64, 64), bool)
    clear[:10, :10] = True
    radar = np.random.default_rng(0).normal(-12, 3, (2, 64, 64)).astype(np.float32)
    np.testing.assert_array_equal(guide(image, clear, PRIOR, radar), guide(image, clear, PRIOR))


@pytest.mark.parametrize("size", PRIOR_SIZES)
def test_a_prior_of_every_length_survives_the_numbers_of_a_card(size):
    numbers = np.random.default_rng(size).uniform(0.01, 0.5, size).round(5)
    again = Prior.parse(numbers).numbers()
    # a bare spectrum comes back with its weight
    np.testing.assert_allclose(again[:size], numbers, atol=1e-6)
    assert len(again) == max(size, 14)


LAND = np.array([0.17, 0.14, 0.14, 0.13, 0.15, 0.23, 0.26, 0.27, 0.29, 0.11, 0.002, 0.21, 0.14])
WATER = np.array([0.13, 0.10, 0.08, 0.05, 0.05, 0.03, 0.03, 0.03, 0.03, 0.01, 0.001, 0.014, 0.009])


def test_water_is_distinguished_from_land_and_from_cloud_shadow():
    shade = 0.3 * LAND + np.array([0.06, 0.05, 0.03, 0.02, 0.02, *[0.01] * 8])
    blocks = np.stack([LAND, WATER, shade, WATER + 0.01], axis=1).astype(np.float32)[:, None]
    half = np.full((1, 4), 0.5, np.float32)
    np.testing.assert_array_equal(is_water(blocks * half, half), [[False, True, False, True]])
    assert not is_water(blocks * 0, half * 0).any()


def test_a_tile_with_a_little_water_is_filled_as_water_and_one_with_land_as_land():
    prior = Prior(LAND, 8192.0, water=WATER).numbers()
    clear = np.zeros((128, 128), bool)
    clear[:, :12] = True
    for ground, other in ((1.1 * WATER, LAND), (0.8 * LAND, WATER)):
        image = np.broadcast_to(ground[:, None, None], (13, 128, 128)).astype(np.float32)
        far = guide(image, clear, prior)[7, :, -1].mean()
        assert abs(far - ground[7]) < 0.3 * abs(other[7] - ground[7])
