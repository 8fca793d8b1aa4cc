"""Multi-label metrics against scikit-learn, and the threshold search."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn import metrics as oracle

from sunbreak.metrics.multilabel import (
    Threshold,
    average_precision,
    multilabel_report,
    search_threshold,
)


def draw(seed: int, patches: int = 60, labels: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities with ties and truth with patches and labels that have nothing."""
    rng = np.random.default_rng(seed)
    truth = rng.random((patches, labels)) < np.linspace(0.05, 0.6, labels)
    truth[:, 2] = False
    truth[:4] = False
    p = np.clip(0.45 * truth + rng.normal(0.3, 0.2, truth.shape), 0, 1).round(1)
    p[2:6] = 0
    return p, truth.astype(np.float32)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("ours", "theirs"), [("sample", "samples"), ("micro", "micro"), ("macro", "macro")])
def test_every_average_equals_scikit_learn(seed, ours, theirs):
    p, truth = draw(seed)
    threshold = Threshold("fixed", 0.5)
    figures = multilabel_report(p, truth, threshold).figures()
    predicted, options = threshold.predict(p), {"average": theirs, "zero_division": 0}
    assert figures[f"precision_{ours}"] == pytest.approx(oracle.precision_score(truth, predicted, **options))
    assert figures[f"recall_{ours}"] == pytest.approx(oracle.recall_score(truth, predicted, **options))
    assert figures[f"f1_{ours}"] == pytest.approx(oracle.f1_score(truth, predicted, **options))
    assert figures[f"f2_{ours}"] == pytest.approx(oracle.fbeta_score(truth, predicted, beta=2, **options))


@pytest.mark.parametrize("seed", range(4))
def test_average_precision_and_subset_accuracy_equal_scikit_learn(seed):
    p, truth = draw(seed)
    report = multilabel_report(p, truth, Threshold("fixed", 0.5))
    supported = [label for label in range(7) if truth[:, label].any()]
    assert len(supported) == 6
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert report.map_macro == pytest.approx(
            oracle.average_precision_score(truth[:, supported], p[:, supported], average="macro")
        )
        assert report.map_micro == pytest.approx(oracle.average_precision_score(truth, p, average="micro"))
    assert report.subset_accuracy == pytest.approx(oracle.accuracy_score(truth, p >= 0.5))


def test_absent_labels_count_in_only_one_macro_average():
    p, truth = draw(0)
    report = multilabel_report(p, truth, Threshold("fixed", 0.5))
    assert report.by_label.support[2] == 0
    assert np.isnan(report.by_label.average_precision[2])
    assert report.macro_supported.recall == pytest.approx(report.macro.recall * 7 / 6)
    keep = [label for label in range(7) if label != 2]
    assert report.macro_supported.f1 == pytest.approx(
        oracle.f1_score(truth[:, keep], p[:, keep] >= 0.5, average="macro", zero_division=0)
    )


def test_figures_of_a_set_that_can_be_counted_by_hand():
    truth = np.array([[1, 1, 0, 0], [0, 0, 1, 0]])
    p = np.array([[0.9, 0.2, 0.8, 0.0], [0.1, 0.0, 0.7, 0.6]])
    report = multilabel_report(p, truth, Threshold("fixed", 0.5))
    # first patch: one of two predicted is right, one of two true is found; second: one of two, one of one
    assert report.sample.precision == pytest.approx(0.5)
    assert report.sample.recall == pytest.approx(0.75)
    assert report.sample.f1 == pytest.approx((0.5 + 2 / 3) / 2)
    assert report.sample.f2 == pytest.approx((0.5 + 5 / 6) / 2)
    assert report.micro.precision == pytest.approx(2 / 4)
    assert report.micro.recall == pytest.approx(2 / 3)
    assert report.subset_accuracy == 0
    assert report.by_label.support.tolist() == [1, 1, 1, 0]
    # a sample-averaged F lies below the harmonic mean of its precision and recall, as in the paper's table
    assert report.sample.f1 < 2 * 0.5 * 0.75 / 1.25


def test_average_precision_of_known_rankings():
    assert average_precision(np.array([0.9, 0.8, 0.1]), np.array([1, 1, 0])) == 1
    assert average_precision(np.array([0.9, 0.8, 0.1]), np.array([0, 0, 1])) == pytest.approx(1 / 3)
    # equal scores are one step: the order in the file must not matter
    assert average_precision(np.array([0.5, 0.5]), np.array([1, 0])) == pytest.approx(0.5)
    assert average_precision(np.array([0.5, 0.5]), np.array([0, 1])) == pytest.approx(0.5)
    assert np.isnan(average_precision(np.array([0.5, 0.5]), np.array([0, 0])))


def test_a_relative_threshold_labels_every_patch_and_suits_a_softmax():
    # one to four equal labels share a softmax: no fixed threshold fits all, half of the largest does
    truth = np.array([[1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [0, 1, 1, 1, 0], [1, 1, 1, 1, 0]])
    p = truth / truth.sum(axis=1, keepdims=True) * 0.8 + 0.2 / 5 + np.eye(4, 5, 3) * 0.22
    assert Threshold("relative", 1.0).predict(p).sum(axis=1).min() == 1
    relative = search_threshold(p, truth, rule="relative")
    fixed = search_threshold(p, truth, rule="fixed")
    assert relative.score >= fixed.score
    assert relative.best.predict(p).any(axis=1).all()


@pytest.mark.parametrize("average", ["sample", "micro", "macro", "macro_supported"])
def test_the_search_finds_the_middle_of_the_gap(average):
    rng = np.random.default_rng(0)
    truth = rng.random((50, 5)) < 0.4
    truth[:, 0] = True
    p = np.where(truth, rng.uniform(0.6, 0.9, truth.shape), rng.uniform(0.0, 0.3, truth.shape))
    p[0, 0], p[1, 1:] = 0.6, 0.3
    truth[1, 1:] = False
    found = search_threshold(p, truth, average=average)
    assert found.score == 1
    assert found.best.value == pytest.approx(0.45, abs=0.006)
    assert found.scores[found.values == 0.2] < 1


def test_f2_prefers_a_lower_threshold_than_f1():
    p, truth = draw(1, patches=300)
    f1, f2 = (search_threshold(p, truth, objective=objective, average="micro") for objective in ("f1", "f2"))
    assert f2.best.value < f1.best.value
    assert f2.score == pytest.approx(multilabel_report(p, truth, f2.best).micro.f2)


@pytest.mark.parametrize(
    ("p", "truth", "why"),
    [
        (np.zeros((3, 2)), np.zeros((3, 4)), "not the same"),
        (np.zeros((0, 2)), np.zeros((0, 2)), "not the same"),
        (np.full((3, 2), np.nan), np.zeros((3, 2)), "3 patches"),
        (np.zeros((3, 2)), np.full((3, 2), 0.5), "neither 0 nor 1"),
        (np.full((3, 2), 4.0), np.ones((3, 2)), "0, 1"),
    ],
)
def test_invalid_arrays_are_refused(p, truth, why):
    with pytest.raises(ValueError, match=why):
        search_threshold(p, truth)


def test_a_set_without_labels_has_zero_metrics_and_nan_precision():
    report = multilabel_report(np.full((3, 2), 0.7), np.zeros((3, 2)), Threshold("fixed", 0.5))
    assert report.macro_supported.f1 == report.micro.f1 == 0
    assert np.isnan(report.map_macro)
    assert np.isnan(report.map_micro)
