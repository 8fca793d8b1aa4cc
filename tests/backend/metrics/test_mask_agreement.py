"""Agreement of masks: figures against scikit-learn, the tolerance against its definition, strips against the whole."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from sunbreak.metrics.mask_agreement import Agreement, Confusion, agreement, within


def masks(seed: int, rows: int = 23, columns: int = 31, known: float = 0.9, block: int = 4):
    """A blocky reference, a prediction that differs in places and along edges, and pixels without data."""
    rng = np.random.default_rng(seed)
    coarse = rng.random((rows // block + 1, columns // block + 1)) < 0.4
    reference = np.kron(coarse, np.ones((block, block), bool))[:rows, :columns]
    predicted = np.roll(reference, rng.integers(-2, 3, 2), (0, 1)) ^ (rng.random((rows, columns)) < 0.05)
    return predicted, reference, rng.random((rows, columns)) < known


def brute_force(pixels: np.ndarray, radius: int) -> np.ndarray:
    """Whether any True pixel is at most `radius` away, from all distances."""
    places = np.argwhere(pixels)
    every = np.argwhere(np.ones_like(pixels))
    if not len(places):
        return np.zeros_like(pixels)
    squared = ((every[:, None] - places[None]) ** 2).sum(axis=2).min(axis=1)
    return (squared <= radius**2).reshape(pixels.shape)


@pytest.mark.parametrize("seed", range(4))
def test_exact_figures_are_those_of_scikit_learn(seed):
    predicted, reference, known = masks(seed)
    truth, guess = reference[known], predicted[known]
    figures = agreement(predicted, reference, known).figures()
    assert figures == pytest.approx(
        {
            "precision": metrics.precision_score(truth, guess),
            "recall": metrics.recall_score(truth, guess),
            "f1": metrics.f1_score(truth, guess),
            "balanced_accuracy": metrics.balanced_accuracy_score(truth, guess),
            "iou": metrics.jaccard_score(truth, guess),
        }
    )


def test_counts_are_the_confusion_matrix_of_scikit_learn():
    predicted, reference, known = masks(9)
    tn, fp, fn, tp = metrics.confusion_matrix(reference[known], predicted[known]).ravel()
    assert agreement(predicted, reference, known).exact == Confusion(tp, fp, fn, tn)


@pytest.mark.parametrize("radius", [1, 2, 3, 5, 40])
def test_a_dilation_with_a_disc_is_that_of_all_distances(radius):
    pixels = np.random.default_rng(radius).random((23, 31)) < 0.01
    assert np.array_equal(within(pixels, radius), brute_force(pixels, radius))
    assert not within(np.zeros((4, 5), bool), radius).any()


@pytest.mark.parametrize("tolerance", [1, 2, 4])
def test_the_tolerance_does_what_its_definition_says(tolerance):
    predicted, reference, known = masks(tolerance, 44, 56, known=0.98, block=11)
    counted = agreement(predicted, reference, known, tolerance)
    ours, theirs, others = predicted & known, reference & known, ~reference & known
    assert counted.right == (ours & brute_force(theirs, tolerance)).sum()
    assert counted.found == (theirs & brute_force(ours, tolerance)).sum()
    edge = (theirs & brute_force(others, tolerance)) | (others & brute_force(theirs, tolerance))
    inner = known & ~edge
    assert 0 < inner.sum() < known.sum()
    figures = counted.tolerant_figures()
    assert figures["precision"] == pytest.approx(counted.right / ours.sum())
    assert figures["recall"] == pytest.approx(counted.found / theirs.sum())
    assert figures["balanced_accuracy"] == pytest.approx(
        metrics.balanced_accuracy_score(reference[inner], predicted[inner])
    )
    assert figures["iou"] == pytest.approx(metrics.jaccard_score(reference[inner], predicted[inner]))
    assert counted.figures() == agreement(predicted, reference, known).figures()


def test_a_shift_by_the_tolerance_is_no_error_and_by_more_is_one():
    reference = np.zeros((30, 30), bool)
    reference[10:20, 10:20] = True
    known = np.ones_like(reference)
    moved = agreement(np.roll(reference, 2, 1), reference, known, 2).tolerant_figures()
    assert moved == dict.fromkeys(moved, 1.0)
    further = agreement(np.roll(reference, 3, 1), reference, known, 2).tolerant_figures()
    assert further["precision"] == further["recall"] == pytest.approx(0.9)


def test_pixels_without_data_are_nobodys_neighbours():
    predicted, reference, known = (np.zeros((1, 3), bool) for _ in range(3))
    predicted[0, 0] = reference[0, 1] = True
    known[:] = True
    assert agreement(predicted, reference, known, 1).right == 1
    known[0, 1] = False
    assert agreement(predicted, reference, known, 1) == Agreement(Confusion(0, 1, 0, 1), Confusion(0, 1, 0, 1))


@given(
    seed=st.integers(0, 10**6),
    rows=st.integers(1, 40),
    columns=st.integers(1, 12),
    step=st.integers(1, 15),
    tolerance=st.integers(0, 5),
)
@settings(max_examples=150, deadline=None)
def test_strips_with_a_margin_add_up_to_the_whole_image(seed, rows, columns, step, tolerance):
    predicted, reference, known = masks(seed, rows, columns)
    total = Agreement()
    for first in range(0, rows, step):
        top, bottom = max(first - tolerance, 0), min(first + step + tolerance, rows)
        core = slice(first - top, min(first + step, rows) - top)
        total += agreement(predicted[top:bottom], reference[top:bottom], known[top:bottom], tolerance, core)
    assert total == agreement(predicted, reference, known, tolerance)


def test_figures_without_a_pixel_of_the_class_are_not_defined():
    nothing, known = np.zeros((5, 5), bool), np.ones((5, 5), bool)
    assert all(math.isnan(value) for value in agreement(nothing, nothing, known, 1).tolerant_figures().values())
    missed = agreement(nothing, known, known).figures()
    assert math.isnan(missed["precision"]) and missed["recall"] == missed["f1"] == missed["iou"] == 0
    assert math.isnan(missed["balanced_accuracy"])  # no pixel is outside the class
