"""Filling clouds from what is clear around them, and the network that starts from it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sunbreak.errors import ModelError
from sunbreak.models.guide import guide
from sunbreak.models.uncrtaints import UnCRtainTS, UnCRtainTSConfig

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
    clear[:, 8:120] = False
    filled = guide(image, clear, PRIOR)[0, 64]
    assert filled[12] < 0.2
    assert filled[115] > 0.35
    assert 0.25 < filled[64] < 0.35


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
