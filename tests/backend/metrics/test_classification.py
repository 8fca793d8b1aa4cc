"""Confusion, precision, recall, F1 and calibration, by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from sunbreak.metrics import bootstrap
from sunbreak.metrics import classification as c

# three classes have labels; class 2 is predicted though nobody has it, class 4 does not occur at all
LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 3, 3, 3])
PREDICTED = np.array([0, 0, 1, 2, 1, 1, 0, 3, 3, 2])
MATRIX = c.confusion(LABELS, PREDICTED, 5)


def random_case(seed: int, patches: int = 300, classes: int = 6):
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (patches, classes))
    labels = random.integers(0, classes - 1, patches)
    logits[np.arange(patches), labels] += 2
    return labels, logits


def test_rows_are_true_classes_and_columns_predicted_ones():
    np.testing.assert_array_equal(MATRIX[0], [2, 1, 1, 0, 0])
    np.testing.assert_array_equal(MATRIX[:, 2], [1, 0, 0, 1, 0])
    np.testing.assert_array_equal(MATRIX, sk.confusion_matrix(LABELS, PREDICTED, labels=range(5)))


def test_fractions_of_a_class_without_support_are_nan_and_not_zero():
    shares = c.normalise(MATRIX)
    np.testing.assert_allclose(shares[0], [0.5, 0.25, 0.25, 0, 0])
    assert np.isnan(shares[[2, 4]]).all()


def test_figures_of_each_class_by_hand():
    found = c.class_figures(MATRIX)
    np.testing.assert_allclose(found.precision, [2 / 3, 2 / 3, 0, 1, np.nan])
    np.testing.assert_allclose(found.recall, [1 / 2, 2 / 3, np.nan, 2 / 3, np.nan])
    np.testing.assert_allclose(found.f1, [4 / 7, 2 / 3, 0, 4 / 5, np.nan])
    np.testing.assert_array_equal(found.support, [4, 3, 0, 3, 0])


@pytest.mark.parametrize(("average", "divisor"), [("all", 5), ("occurring", 4), ("supported", 3)])
def test_classes_without_support_count_as_the_convention_says(average, divisor):
    found = c.macro(MATRIX, average)
    assert found["f1"] == pytest.approx((4 / 7 + 2 / 3 + 4 / 5) / divisor)
    assert found["precision"] == pytest.approx((2 / 3 + 2 / 3 + 1) / divisor)
    assert found["recall"] == pytest.approx((1 / 2 + 2 / 3 + 2 / 3) / divisor)


@pytest.mark.parametrize(
    ("average", "labels"), [("all", range(5)), ("occurring", None), ("supported", np.unique(LABELS))]
)
def test_each_convention_is_one_of_scikit_learns(average, labels):
    found = c.macro(MATRIX, average)
    precision, recall, f1, _ = sk.precision_recall_fscore_support(
        LABELS, PREDICTED, labels=labels, average="macro", zero_division=0
    )
    assert (found["precision"], found["recall"], found["f1"]) == pytest.approx((precision, recall, f1))


def test_the_papers_overall_mean_is_over_one_hot_columns_of_all_classes():
    eye = np.eye(5, dtype=int)
    expected = sk.f1_score(eye[LABELS], eye[PREDICTED], average="macro", zero_division=0)
    assert c.macro(MATRIX, c.OVERALL_AVERAGE["paper"])["f1"] == pytest.approx(expected)


def test_accuracy_is_the_micro_mean():
    assert c.accuracy(MATRIX) == pytest.approx(0.6)
    assert c.accuracy(MATRIX) == pytest.approx(sk.f1_score(LABELS, PREDICTED, average="micro"))


def test_a_resampled_confusion_is_the_confusion_of_the_resample():
    counts = bootstrap.draws(len(LABELS), 4, seed=2)
    found = c.resampled_confusions(LABELS, PREDICTED, 5, counts)
    for drawn, matrix in zip(counts.astype(int), found, strict=True):
        np.testing.assert_array_equal(matrix, c.confusion(np.repeat(LABELS, drawn), np.repeat(PREDICTED, drawn), 5))


def test_an_empty_resample_has_no_figures():
    assert np.isnan(c.macro(np.zeros((3, 3)), "all")["f1"])
    assert np.isnan(c.accuracy(np.zeros((3, 3))))


def test_cross_entropy_agrees_with_scikit_learn_and_survives_large_logits():
    labels, logits = random_case(0)
    expected = sk.log_loss(labels, c.softmax(logits), labels=range(6))
    assert c.cross_entropy(logits, labels).mean() == pytest.approx(expected)
    np.testing.assert_allclose(c.cross_entropy(np.array([[2000.0, 0.0]]), np.array([1])), 2000)
    np.testing.assert_allclose(c.softmax(np.array([2000.0, 2000.0])), 0.5)


def test_calibration_by_hand():
    confidence = np.array([0.9, 0.9, 0.9, 0.9, 0.6, 0.6])
    correct = np.array([1, 1, 1, 0, 0, 1], bool)
    found = c.reliability(confidence, correct, bins=10)
    assert found.count[8] == 4 and found.count[5] == 2
    assert found.accuracy[8] == pytest.approx(0.75)
    assert found.error == pytest.approx((4 * 0.15 + 2 * 0.1) / 6)
    assert found.overconfidence == pytest.approx(0.8 - 4 / 6)


def test_calibration_bins_are_closed_on_the_right():
    found = c.reliability(np.array([0.2, 0.2000001, 1.0, 0.0]), np.ones(4, bool), bins=5)
    np.testing.assert_array_equal(found.count, [2, 1, 0, 0, 1])


def test_calibration_agrees_with_torchmetrics():
    torch = pytest.importorskip("torch")
    oracle = pytest.importorskip("torchmetrics.functional.classification")
    labels, logits = random_case(4, patches=700)
    probabilities = c.softmax(logits)
    expected = oracle.multiclass_calibration_error(
        torch.from_numpy(probabilities), torch.from_numpy(labels), num_classes=6, n_bins=15
    )
    found = c.reliability(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels)
    assert found.error == pytest.approx(float(expected), abs=1e-5)


def test_a_resampled_calibration_error_is_that_of_the_resample():
    labels, logits = random_case(5, patches=80)
    probabilities = c.softmax(logits)
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    counts = bootstrap.draws(80, 3, seed=1)
    accuracies, errors = c.resampled_reliability(confidence, correct, counts)
    for drawn, accuracy, error in zip(counts.astype(int), accuracies, errors, strict=True):
        expected = c.reliability(np.repeat(confidence, drawn), np.repeat(correct, drawn))
        assert error == pytest.approx(expected.error, abs=1e-6)
        np.testing.assert_allclose(accuracy, expected.accuracy, rtol=1e-6)
