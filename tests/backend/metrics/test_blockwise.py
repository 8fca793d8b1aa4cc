"""Metrics summed over blocks equal those of the whole images."""

from __future__ import annotations

import numpy as np
import pytest

from sunbreak.metrics import detail, image
from sunbreak.metrics.blockwise import HALO, METRICS, Blockwise


@pytest.fixture
def pair():
    rng = np.random.default_rng(3)
    target = rng.random((3, 40, 52)).astype(np.float32)
    prediction = np.clip(target + rng.normal(0.02, 0.1, target.shape), 0, 1).astype(np.float32)
    unknown = np.zeros(target.shape[1:], np.bool_)
    unknown[17:21, 22:30] = True
    target[:, unknown] = prediction[:, unknown] = np.nan
    return prediction, target, ~unknown


def in_blocks(prediction, target, regions, side):
    """All of a pair in blocks of `side`, each read with its halo."""
    sums = Blockwise(len(target), list(regions))
    height, width = target.shape[1:]
    for row in range(0, height, side):
        for column in range(0, width, side):
            rows, columns = min(side, height - row), min(side, width - column)
            top, left = max(row - HALO, 0), max(column - HALO, 0)
            seen = slice(top, row + rows + HALO), slice(left, column + columns + HALO)
            core = slice(row - top, row - top + rows), slice(column - left, column - left + columns)
            inside = {name: part[row : row + rows, column : column + columns] for name, part in regions.items()}
            maps = sums.add(
                prediction[:, seen[0], seen[1]],
                target[:, seen[0], seen[1]],
                core,
                inside,
                [(slice(0, rows), slice(0, columns))],
            )
            assert maps.error.shape == maps.angle.shape == (rows, columns)
    return sums


@pytest.mark.parametrize("side", [7, 16, 64])
def test_metrics_do_not_depend_on_the_block_size(pair, side):
    prediction, target, known = pair
    sums = in_blocks(prediction, target, {"all": np.ones(known.shape, np.bool_)}, side)
    figures = sums.figures("all")
    assert sums.pixels("all") == known.sum() == 40 * 52 - 32
    assert figures["ssim"] == pytest.approx(image.ssim(prediction, target), rel=1e-12)
    assert figures["psnr"] == pytest.approx(image.psnr(prediction, target), rel=1e-9)
    assert figures["sam"] == pytest.approx(image.sam_degrees(prediction, target), rel=1e-6)
    assert figures["mae"] == pytest.approx(image.mae(prediction, target), rel=1e-6)
    assert figures["rmse"] == pytest.approx(image.rmse(prediction, target), rel=1e-6)
    assert figures["bias"] == pytest.approx(float(np.nanmean(prediction - target, dtype=np.float64)), rel=1e-5)
    smooth = np.isfinite(detail.gradient_magnitude(target)[0])
    assert figures["detail_gradient"] == pytest.approx(detail.gradient_ratio(prediction, target, smooth), rel=1e-9)


def test_one_patch_has_the_high_frequencies_of_the_whole_image(pair):
    prediction, target, _ = pair
    prediction, target = np.nan_to_num(prediction, nan=0.5), np.nan_to_num(target, nan=0.5)
    sums = in_blocks(prediction, target, {"all": np.ones(target.shape[1:], np.bool_)}, 64)
    expected = detail.high_frequency_ratio(prediction, target)
    assert sums.figures("all")["detail_high_frequency"] == pytest.approx(expected, rel=1e-4)
    for band, figures in enumerate(sums.band_figures("all")):
        expected = detail.high_frequency_ratio(prediction[band : band + 1], target[band : band + 1])
        assert figures["detail_high_frequency"] == pytest.approx(expected, rel=1e-4)


def test_patches_with_nodata_are_left_out_of_high_frequencies(pair):
    prediction, target, known = pair
    sums = in_blocks(prediction, target, {"all": np.ones(known.shape, np.bool_)}, 64)
    assert np.isnan(sums.figures("all")["detail_high_frequency"])


def test_regions_partition_the_pixels_and_have_their_own_metrics(pair):
    prediction, target, known = pair
    mask = np.zeros(known.shape, np.bool_)
    mask[5:30, 10:26] = True
    sums = in_blocks(prediction, target, {"inside": mask, "outside": ~mask}, 16)
    assert sums.pixels("inside") + sums.pixels("outside") == known.sum()
    inside = sums.figures("inside")
    assert inside["psnr"] == pytest.approx(image.psnr(prediction, target, mask & known), rel=1e-9)
    assert inside["sam"] == pytest.approx(image.sam_degrees(prediction, target, mask), rel=1e-6)
    assert inside["ssim"] == pytest.approx(np.nanmean(image.ssim_map(prediction, target)[:, mask]), rel=1e-12)
    smooth = mask & np.isfinite(detail.gradient_magnitude(target)[0])
    assert inside["detail_gradient"] == pytest.approx(detail.gradient_ratio(prediction, target, smooth), rel=1e-9)


def test_bands_have_their_own_metrics_and_no_angle(pair):
    prediction, target, known = pair
    sums = in_blocks(prediction, target, {"all": np.ones(known.shape, np.bool_)}, 16)
    for band, figures in enumerate(sums.band_figures("all")):
        one = slice(band, band + 1)
        assert figures["ssim"] == pytest.approx(image.ssim(prediction[one], target[one]), rel=1e-12)
        assert figures["rmse"] == pytest.approx(image.rmse(prediction[one], target[one]), rel=1e-6)
        assert set(METRICS) - set(figures) == {"sam"}


def test_detail_is_lost_only_where_the_image_is_blurred():
    from scipy.ndimage import gaussian_filter

    target = np.random.default_rng(0).random((1, 64, 64)).astype(np.float32)
    mask = np.zeros((64, 64), np.bool_)
    mask[:, :32] = True
    prediction = np.where(mask, gaussian_filter(target, (0, 1.5, 1.5)), target).astype(np.float32)
    sums = in_blocks(prediction, target, {"inside": mask, "outside": ~mask}, 64)
    assert sums.figures("inside")["detail_high_frequency"] < 0.1
    assert sums.figures("outside")["detail_high_frequency"] == pytest.approx(1, abs=0.05)


def test_equal_images_and_empty_regions():
    target = np.random.default_rng(1).random((2, 20, 20)).astype(np.float32)
    nowhere = np.zeros((20, 20), np.bool_)
    sums = in_blocks(target, target, {"all": ~nowhere, "inside": nowhere}, 20)
    figures = sums.figures("all")
    assert figures["psnr"] == np.inf
    assert figures["ssim"] == pytest.approx(1)
    assert (figures["sam"], figures["mae"], figures["bias"]) == (0, 0, 0)
    assert figures["detail_gradient"] == figures["detail_high_frequency"] == 1
    assert np.isnan(list(sums.figures("inside").values())).all()
