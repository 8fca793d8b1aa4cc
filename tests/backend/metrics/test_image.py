"""Image quality against the reference implementations and against values computed by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sunbreak.metrics import detail, image


def pairs(shared):
    folder = shared / "reference" / "metrics"
    expected = json.loads((folder / "image_metrics.json").read_text())
    arrays = np.load(folder / "image_metrics.npz")
    return [(name, arrays[f"{name}__pred"], arrays[f"{name}__target"], expected[name]) for name in expected]


def test_figures_equal_the_reference_also_for_degenerate_pairs(shared):
    for name, prediction, target, expected in pairs(shared):
        assert image.rmse(prediction, target) == pytest.approx(expected["rmse"], abs=1e-5), name
        assert image.mae(prediction, target) == pytest.approx(expected["mae"], abs=1e-5), name
        assert image.ssim(prediction, target) == pytest.approx(expected["uncrtaints_ssim"], abs=1e-5), name
        ours = image.ssim(prediction, target, convention="scikit-image")
        assert ours == pytest.approx(expected["sk_ssim_gauss"], abs=1e-5), name
        if np.isfinite(expected["sk_psnr_dr1"] or np.inf):
            assert image.psnr(prediction, target) == pytest.approx(expected["sk_psnr_dr1"], abs=1e-5), name


def test_spectral_angles_equal_the_exact_reference(shared):
    for name, prediction, target, expected in pairs(shared):
        exact = expected["sam_deg_stable64"]
        if exact is None or np.isnan(exact):
            assert np.isnan(image.sam_degrees(prediction, target)), name
        else:
            assert image.sam_degrees(prediction, target) == pytest.approx(exact, abs=1e-5), name


def test_a_constant_error_gives_the_values_of_the_formulas():
    target = np.full((2, 4, 4), 0.5)
    assert image.rmse(target + 0.1, target) == pytest.approx(0.1)
    assert image.mae(target - 0.1, target) == pytest.approx(0.1)
    assert image.psnr(target + 0.1, target) == pytest.approx(20.0)
    assert image.psnr(target, target) == float("inf")


def test_a_mask_restricts_the_figure_and_nan_is_left_out():
    target, prediction = np.zeros((1, 2, 2)), np.array([[[0.0, 0.3], [0.4, np.nan]]])
    assert image.rmse(prediction, target, np.array([[False, True], [True, True]])) == pytest.approx(np.sqrt(0.125))
    assert image.mae(prediction, target) == pytest.approx(0.7 / 3)
    assert np.isnan(image.rmse(prediction, target, np.zeros((2, 2), bool)))


def test_spectral_angle_of_known_vectors():
    a, b = np.zeros((2, 1, 3)), np.zeros((2, 1, 3))
    a[:, 0, 0], b[:, 0, 0] = [1, 0], [1, 1]
    a[:, 0, 1], b[:, 0, 1] = [1, 0], [0, 2]
    assert image.sam_degrees(a, b) == pytest.approx((45 + 90) / 2)
    assert image.sam_degrees(a, b, np.array([[True, False, True]])) == pytest.approx(45)


def test_blur_lowers_the_detail_ratio_and_noise_raises_it():
    from scipy.ndimage import gaussian_filter

    target = np.random.default_rng(0).random((3, 64, 64))
    blurred, noisy = gaussian_filter(target, (0, 1, 1)), target + np.random.default_rng(1).normal(0, 0.3, target.shape)
    assert detail.gradient_ratio(target, target) == pytest.approx(1)
    assert detail.gradient_ratio(blurred, target) < 0.6
    assert detail.high_frequency_ratio(blurred, target) < 0.1
    assert detail.gradient_ratio(noisy, target) > 1.1
    assert detail.high_frequency_ratio(noisy, target) > 1.5


def test_detail_inside_a_mask_uses_only_its_pixels():
    target = np.random.default_rng(0).random((1, 32, 32))
    half_flat = target.copy()
    half_flat[:, :, :16] = 0.5
    left = np.zeros((32, 32), bool)
    left[:, :12] = True
    assert detail.gradient_ratio(half_flat, target, left) == pytest.approx(0, abs=1e-12)
    right = np.zeros((32, 32), bool)
    right[:, 20:] = True
    assert detail.gradient_ratio(half_flat, target, right) == pytest.approx(1)


def test_the_gradient_ratio_doubles_with_the_contrast():
    target = np.random.default_rng(0).random((2, 16, 16))
    assert detail.gradient_ratio(2 * target, target) == pytest.approx(2)
    assert np.isnan(detail.gradient_ratio(target, np.zeros_like(target)))
