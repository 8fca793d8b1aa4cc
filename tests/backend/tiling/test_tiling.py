"""Tiles and mosaic: the image is reconstructed, also at edges and corners."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter

from sunbreak.tiling import BlendedLayout, ExactLayout, Layout, StripMosaic

SIDES = st.integers(1, 70)


def mosaic_of(layout: Layout, image: np.ndarray, network) -> tuple[np.ndarray, np.ndarray, int]:
    """Run `network` over the tiles of `image`; gives the mosaic, its cover and the rows kept in memory."""
    mosaic = StripMosaic(image.shape[0], *image.shape[1:], layout.capacity)
    out, cover = np.full_like(image, np.nan), np.zeros(image.shape[1:], bool)
    top = 0
    for strip in layout.strips():
        for tile in strip.tiles:
            rows, cols = tile.slices
            mosaic.add(tile, network(image[:, rows, cols]).astype(np.float32).copy())
        mean, covered = mosaic.take(strip.done)
        out[:, top : strip.done], cover[top : strip.done] = mean, covered
        top = strip.done
    return out, cover, mosaic._mean.shape[1]


@settings(max_examples=60, deadline=None)
@given(SIDES, SIDES, st.integers(1, 24), st.data())
def test_blended_tiles_of_an_identity_network_return_the_image(height, width, size, data):
    overlap = data.draw(st.integers(0, size - 1))
    image = np.random.default_rng(height * 71 + width).random((2, height, width), np.float32)
    out, cover, _ = mosaic_of(BlendedLayout(height, width, size, overlap), image, lambda x: x)
    assert cover.all()
    np.testing.assert_array_equal(out, image)


@settings(max_examples=60, deadline=None)
@given(SIDES, SIDES, st.integers(1, 24), st.integers(0, 9))
def test_exact_tiles_of_an_identity_network_return_the_image(height, width, size, halo):
    image = np.random.default_rng(height * 71 + width).random((2, height, width), np.float32)
    out, cover, _ = mosaic_of(ExactLayout(height, width, size, halo), image, lambda x: x)
    assert cover.all()
    np.testing.assert_array_equal(out, image)


def test_constant_values_of_small_tiles_with_a_halo_fill_their_cores():
    layout = ExactLayout(7, 10, 3, 2)
    mosaic = StripMosaic(1, 7, 10, layout.capacity)
    rows = []
    for number, strip in enumerate(layout.strips()):
        values = np.arange(4, dtype=np.float32) + 10 * number
        mosaic.add_all(strip.tiles, values[:, None, None, None])
        rows.append(mosaic.take(strip.done)[0][0].copy())
    expected = 10 * (np.arange(7) // 3)[:, None] + np.arange(10) // 3
    np.testing.assert_array_equal(np.concatenate(rows), expected)


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 60), st.integers(3, 60), st.integers(2, 24), st.integers(1, 3))
def test_a_local_network_on_exact_tiles_equals_the_whole_image_result(height, width, size, radius):
    def local(x: np.ndarray) -> np.ndarray:
        return np.stack([uniform_filter(band, 2 * radius + 1, mode="constant") for band in x])

    image = np.random.default_rng(5).random((1, height, width), np.float32)
    out, _, _ = mosaic_of(ExactLayout(height, width, size, radius), image, local)
    np.testing.assert_allclose(out, local(image), atol=1e-6)


def test_a_halo_that_is_too_small_changes_the_result():
    image = np.random.default_rng(5).random((1, 40, 40), np.float32)

    def local(x: np.ndarray) -> np.ndarray:
        return np.stack([uniform_filter(band, 7, mode="constant") for band in x])

    out, _, _ = mosaic_of(ExactLayout(40, 40, 16, 2), image, local)
    assert np.abs(out - local(image)).max() > 1e-3


@settings(max_examples=40, deadline=None)
@given(SIDES, SIDES, st.integers(2, 24), st.data())
def test_every_blended_tile_is_full_and_every_weight_is_clamped(height, width, size, data):
    overlap = data.draw(st.integers(0, size - 1))
    layout = BlendedLayout(height, width, size, overlap)
    tiles = [tile for strip in layout.strips() for tile in strip.tiles]
    assert len(tiles) == layout.count
    for tile in tiles:
        assert (tile.height, tile.width) == (min(size, height), min(size, width))
        assert tile.row + tile.height <= height and tile.col + tile.width <= width
        assert tile.weights.min() >= 1e-3 - 1e-9 and tile.weights.max() <= 1


def test_different_tiles_are_blended_smoothly_over_the_overlap():
    layout = BlendedLayout(16, 28, 16, 4)
    mosaic = StripMosaic(1, 16, 28, 16)
    (strip,) = layout.strips()
    for value, tile in enumerate(strip.tiles):
        mosaic.add(tile, np.full((1, 16, 16), value, np.float32))
    line = mosaic.take(16)[0][0, 8]
    np.testing.assert_allclose(line[10:18], [0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1], atol=1e-6)


def test_where_no_tile_was_added_nothing_is_covered():
    layout = BlendedLayout(8, 24, 8, 0)
    (strip,) = layout.strips()
    mosaic = StripMosaic(1, 8, 24, 8)
    mosaic.add(strip.tiles[1], np.ones((1, 8, 8), np.float32))
    mean, covered = mosaic.take(8)
    assert covered[:, 8:16].all() and not covered[:, :8].any() and not covered[:, 16:].any()
    assert mean[0, :, :8].max() == 0


def test_rows_in_memory_do_not_depend_on_the_height():
    image = np.zeros((1, 200, 9), np.float32)
    for height in (64, 200):
        assert mosaic_of(BlendedLayout(height, 9, 32, 8), image[:, :height], lambda x: x)[2] == 32


@pytest.mark.parametrize(("size", "overlap"), [(8, 8), (8, -1)])
def test_an_overlap_that_leaves_no_step_is_refused(size, overlap):
    with pytest.raises(ValueError, match="overlap"):
        BlendedLayout(10, 10, size, overlap)


def test_a_tile_above_the_window_is_refused():
    strips = list(BlendedLayout(24, 8, 8, 0).strips())
    mosaic = StripMosaic(1, 24, 8, 8)
    mosaic.take(strips[0].done)
    with pytest.raises(ValueError, match="outside"):
        mosaic.add(strips[0].tiles[0], np.zeros((1, 8, 8), np.float32))


@settings(max_examples=40, deadline=None)
@given(SIDES, SIDES, st.integers(1, 20), st.data())
def test_groups_of_tiles_give_the_result_of_single_tiles(height, width, size, data):
    layout = BlendedLayout(height, width, size, data.draw(st.integers(0, size - 1)), bell=data.draw(st.booleans()))
    rng = np.random.default_rng(height * 71 + width)
    results = []
    wanted = {}
    for group in (1, 3, 1000):
        one_by_one, together = (StripMosaic(2, height, width, layout.capacity) for _ in range(2))
        rows = []
        for number, strip in enumerate(layout.strips()):
            shape = (len(strip.tiles), 2, strip.tiles[0].height, strip.tiles[0].width)
            # some tiles are left out, as those without clouds are
            there, values = wanted.setdefault(
                number, (rng.random(len(strip.tiles)) < 0.8, rng.random(shape, np.float32))
            )
            chosen = np.flatnonzero(there)
            for first in range(0, len(chosen), group):
                part = chosen[first : first + group]
                padded = np.pad(values[part], ((0, 0), (0, 0), (0, 2), (0, 2)))
                together.add_all([strip.tiles[i] for i in part], padded)
            for i in chosen:
                one_by_one.add(strip.tiles[i], values[i].copy())
            (mean, covered), (expected, where) = together.take(strip.done), one_by_one.take(strip.done)
            np.testing.assert_array_equal(covered, where)
            np.testing.assert_allclose(mean, expected, atol=2e-6)
            rows.append(mean.copy())
        results.append(np.concatenate(rows, axis=1))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_a_small_tile_above_the_window_is_refused_in_a_group_too():
    strips = list(BlendedLayout(24, 8, 8, 0).strips())
    mosaic = StripMosaic(1, 24, 8, 8)
    mosaic.take(strips[0].done)
    mosaic.add_all(strips[0].tiles, np.zeros((1, 1, 8, 8), np.float32))
    with pytest.raises(ValueError, match="outside"):
        mosaic.take(strips[1].done)
