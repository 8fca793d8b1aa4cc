from __future__ import annotations

import numpy as np
import pytest

from sunbreak.clouds.blocks import block_mean, interpolated


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
