from __future__ import annotations

import numpy as np
import pytest

from sunbreak.clouds.blocks import block_mean, filled, interpolated


def test_block_means_leave_out_what_is_unknown_and_cut_blocks_at_the_edge():
    image = np.arange(20, dtype=np.float32).reshape(1, 4, 5)
    image[0, 0, 0] = np.nan
    means = block_mean(image, 2)
    assert means.shape == (1, 2, 3)
    assert means[0, 0, 0] == pytest.approx(np.mean([1, 5, 6]))
    assert means[0, 1, 2] == pytest.approx(np.mean([14, 19]))
    image[0, :2, :2] = np.nan
    assert np.isnan(block_mean(image, 2)[0, 0, 0])


def test_interpolated_blocks_have_the_shape_of_the_pixels_and_keep_a_constant():
    coarse = np.full((2, 3), 0.25, np.float32)
    pixels = interpolated(coarse, 3, (5, 8))
    assert pixels.shape == (5, 8)
    np.testing.assert_array_equal(pixels, np.float32(0.25))


@pytest.mark.parametrize("share", [0.002, 0.1, 0.9])
def test_a_gap_gets_all_bands_of_a_known_pixel_and_no_other_is_much_nearer(share):
    known = np.random.default_rng(4).random((60, 70)) < share
    known[7, 9] = True
    places = np.stack(np.indices(known.shape)).astype(np.float32)
    image = np.where(known, places, np.float32(np.nan))
    found = filled(image)
    np.testing.assert_array_equal(found[:, known], image[:, known])
    assert known[tuple(found.astype(int))].all()
    from_each = np.hypot(*(places[:, None] - np.argwhere(known).T[:, :, None, None]))
    assert (np.hypot(*(found - places)) <= 1.04 * from_each.min(axis=0)).all()


def test_an_image_without_gaps_stays_and_one_without_known_pixels_becomes_zero():
    image = np.ones((2, 3, 4), np.float32)
    assert filled(image) is image
    np.testing.assert_array_equal(filled(image * np.nan), image * 0)
