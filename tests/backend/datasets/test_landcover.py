"""Labels from land-cover maps: classes are merged before the most frequent one is chosen."""

from __future__ import annotations

import numpy as np
import pytest

from sunbreak.datasets import landcover


def test_the_seventeen_igbp_classes_map_to_the_ten_usual_ones():
    igbp = np.arange(18)
    expected = [0, 1, 1, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 6, 8, 9, 10]
    np.testing.assert_array_equal(landcover.simplify_igbp(igbp), expected)
    assert landcover.simplify_igbp(np.array([255, 18, 200])).max() == 0


def test_merged_forests_outweigh_a_larger_single_class():
    # 30 % evergreen, 30 % mixed forest, 40 % croplands
    patch = np.array([1] * 3 + [5] * 3 + [12] * 4)
    assert landcover.single_label(patch) == 1
    assert landcover.class_shares(patch)[0] == pytest.approx(0.6)


def test_ties_go_to_the_lowest_class_and_ignore_unclassified_pixels():
    assert landcover.single_label(np.array([17, 17, 10, 10, 255, 255, 255])) == 4
    assert landcover.single_label(np.full(4, 255)) is None


def test_each_of_several_labels_needs_a_tenth_of_the_area():
    patch = np.array([10] * 85 + [13] * 10 + [17] * 5)
    assert landcover.labels(patch) == (4, 7)
