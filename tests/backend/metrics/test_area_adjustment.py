"""Areas adjusted for classification error, against the formulas of Olofsson et al. 2014 worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sunbreak.metrics.area_adjustment import adjusted_areas


def test_two_classes_by_hand():
    # mapped: 200 ha of forest and 800 ha of crops, so W = 0.2 and 0.8
    # of 100 reference pixels mapped as forest, 90 are forest; of 50 mapped as crops, 5 are forest
    confusion = [[90, 5], [10, 45]]  # (label, prediction)
    found = adjusted_areas(confusion, [200, 800])
    # equation 9: forest = 0.2 * 90 / 100 + 0.8 * 5 / 50 = 0.18 + 0.08 = 0.26, crops = 0.02 + 0.72 = 0.74
    np.testing.assert_allclose(found.area, [260, 740])
    # equation 10: S^2 = 0.04 * 0.9 * 0.1 / 99 + 0.64 * 0.1 * 0.9 / 49 = 3.6364e-5 + 1.17551e-3 = 1.211874e-3,
    # S = 0.0348120, the same for both classes; equation 11: 1000 ha * S = 34.812 ha, times 1.96 = 68.2315 ha
    np.testing.assert_allclose(found.half_width, [68.2315, 68.2315], atol=2e-4)


def test_three_classes_by_hand():
    # W = 0.5, 0.3, 0.2 of 10 ha; rows of the paper's table are the columns here:
    # mapped as the first: 8, 1, 1 of 10; as the second: 0, 20, 0 of 20; as the third: 2, 0, 3 of 5
    confusion = np.array([[8, 1, 1], [0, 20, 0], [2, 0, 3]]).T
    found = adjusted_areas(confusion, [5, 3, 2])
    # 0.5 * 0.8 + 0.2 * 0.4 = 0.48; 0.5 * 0.1 + 0.3 * 1 = 0.35; 0.5 * 0.1 + 0.2 * 0.6 = 0.17
    np.testing.assert_allclose(found.area, [4.8, 3.5, 1.7])
    # 0.25 * 0.16 / 9 + 0.04 * 0.24 / 4 = 0.0068444; 0.25 * 0.09 / 9 = 0.0025; 0.0025 + 0.04 * 0.24 / 4 = 0.0049
    np.testing.assert_allclose(found.half_width, 1.96 * 10 * np.sqrt([0.0068444, 0.0025, 0.0049]), rtol=1e-5)


def test_a_class_that_is_not_mapped_gets_the_area_that_others_hide():
    found = adjusted_areas([[6, 0], [2, 0]], [80, 0])
    np.testing.assert_allclose(found.area, [60, 20])


@pytest.mark.parametrize(
    ("confusion", "mapped"),
    [([[5, 1], [0, 0]], [10, 3]), ([[5, 0], [0, 0]], [10, 3]), ([[5, 0], [0, 5]], [0, 0])],
)
def test_without_reference_pixels_of_a_mapped_class_there_is_no_adjusted_area(confusion, mapped):
    assert adjusted_areas(confusion, mapped) is None


@pytest.mark.parametrize(
    ("confusion", "mapped"),
    [([[1, 2]], [3]), ([[5, 1], [1, 5]], [1, 2, 3]), ([[-1, 2], [2, 2]], [1, 1]), ([[9, 2], [2, 2]], [1, np.nan])],
)
def test_what_is_no_confusion_matrix_of_these_classes_is_refused(confusion, mapped):
    with pytest.raises(ValueError, match=r"confusion|counts"):
        adjusted_areas(confusion, mapped)


@given(st.integers(2, 6).flatmap(lambda n: st.tuples(
    st.lists(st.lists(st.integers(0, 500), min_size=n, max_size=n), min_size=n, max_size=n),
    st.lists(st.floats(0, 1e6), min_size=n, max_size=n),
)))  # fmt: skip
def test_the_total_area_is_kept(given_numbers):
    confusion, mapped = given_numbers
    found = adjusted_areas(confusion, mapped)
    if found is not None:
        assert found.area.sum() == pytest.approx(sum(mapped))
        assert (found.area >= 0).all() and (found.half_width >= 0).all()


def test_without_errors_the_mapped_areas_stay_and_are_certain():
    found = adjusted_areas(np.diag([30, 40, 50]), [1, 2, 3])
    np.testing.assert_allclose(found.area, [1, 2, 3])
    np.testing.assert_array_equal(found.half_width, 0)
