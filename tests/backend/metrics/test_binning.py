"""Bins closed on the right, and patches outside all bins."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from sunbreak.metrics import binning, bootstrap

COVER = np.array([0.0, 1e-9, 0.1, 0.1000001, 0.3, 0.30000000000000004, 0.7, 1.0, np.nan, 0.0])


def test_bins_of_the_paper_exclude_zero_cover_and_count_it():
    bins = binning.cover_bins(COVER, "paper")
    np.testing.assert_array_equal(bins.index, [-1, 0, 0, 1, 2, 3, 6, 9, -1, -1])
    assert bins.left_out == {"cover unknown": 1, "cover exactly zero": 2}
    assert len(bins.titles) == 10
    assert bins.count.sum() == 7


def test_corrected_bins_have_a_separate_bin_for_zero_cover():
    bins = binning.cover_bins(COVER, "corrected")
    np.testing.assert_array_equal(bins.index, [0, 1, 1, 2, 3, 4, 7, 10, -1, 0])
    assert bins.titles[0] == "0 %"
    assert bins.count[0] == bins.remarks["cover exactly zero"] == 2
    assert bins.left_out == {"cover unknown": 1}


def test_a_tenth_that_was_stored_in_float32_stays_in_its_bin():
    tenths = (np.arange(1, 11) / 10).astype(np.float32)
    np.testing.assert_array_equal(binning.cover_bins(tenths, "paper").index, np.arange(10))


def test_a_cover_rounded_above_one_is_in_the_last_bin():
    values = np.array([1 + 1e-9, 1.0000001, 1.5, -0.2])
    bins = binning.cover_bins(values, "corrected")
    np.testing.assert_array_equal(bins.index, [10, 10, -1, -1])
    assert bins.left_out == {"cover unknown": 2}
    assert binning.ssim_bins(values, "paper").left_out == {"SSIM unknown": 1, "SSIM of 0.7 or less": 1}


def test_low_ssim_is_left_out_by_the_paper_and_a_bin_if_corrected():
    ssim = np.array([-0.1, 0.5, 0.7, 0.70001, 0.8, 0.9, 0.95, 1.0, np.nan])
    paper, ours = binning.ssim_bins(ssim, "paper"), binning.ssim_bins(ssim, "corrected")
    np.testing.assert_array_equal(paper.index, [-1, -1, -1, 0, 0, 1, 2, 2, -1])
    assert paper.left_out == {"SSIM unknown": 1, "SSIM of 0.7 or less": 3}
    np.testing.assert_array_equal(ours.index, [0, 0, 0, 1, 1, 2, 3, 3, -1])
    assert ours.remarks == {"SSIM of 0.7 or less": 3}


def test_every_patch_is_in_a_bin_or_counted_as_left_out():
    random = np.random.default_rng(0)
    values = np.where(random.random(500) < 0.1, 0.0, random.random(500))
    values[random.random(500) < 0.05] = np.nan
    for bins in (
        *(binning.cover_bins(values, mode) for mode in ("paper", "corrected")),
        *(binning.ssim_bins(values, mode) for mode in ("paper", "corrected")),
        binning.quantile_bins(values, "PSNR", 7),
    ):
        assert bins.count.sum() + sum(bins.left_out.values()) == 500


def test_quantile_bins_are_equal_in_size_and_ordered():
    bins = binning.quantile_bins(np.array([5.0, 1.0, np.inf, 3.0, 2.0]), "PSNR", 2)
    np.testing.assert_array_equal(bins.index, [1, 0, -1, 1, 0])
    assert bins.titles == ("1–2", "3–5")


@pytest.mark.parametrize("average", ["occurring", "supported"])
def test_figures_of_each_bin_agree_with_scikit_learn(average):
    random = np.random.default_rng(1)
    labels, predicted, confidence = random.integers(0, 3, 200), random.integers(0, 4, 200), random.random(200)
    cover = random.random(200) * 0.9
    bins = binning.cover_bins(cover, "paper")
    found = binning.figures_by_bin(bins, labels, predicted, confidence, 4, average, bootstrap.draws(200, 30))
    for place in range(9):
        inside = bins.index == place
        wanted = np.unique(labels[inside]) if average == "supported" else None
        for name, oracle in (("f1", f1_score), ("precision", precision_score), ("recall", recall_score)):
            expected = oracle(labels[inside], predicted[inside], average="macro", labels=wanted, zero_division=0)
            assert found[name][place].value == pytest.approx(expected)
            assert found[name][place].low <= found[name][place].high
        assert found["confidence"][place].value == pytest.approx(confidence[inside].mean())
    assert np.isnan(found["f1"][9].value)
