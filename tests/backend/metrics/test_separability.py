"""Scores and areas, by hand and against scikit-learn, in the paper's and in corrected conventions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.covariance import EmpiricalCovariance
from sklearn.neighbors import NearestNeighbors

from sunbreak.metrics import bootstrap
from sunbreak.metrics import separability as s

LOGITS = np.array([[2.0, 0.0, -1.0], [0.5, 0.5, 0.5], [-3.0, 4.0, 1.0]])
LABELS = np.array([0, 2, 2])


def expected_areas(score, positive) -> tuple[float, float, float, float]:
    precision, recall, _ = sk.precision_recall_curve(positive, score)
    false, true, _ = sk.roc_curve(positive, score, drop_intermediate=False)
    return (
        sk.roc_auc_score(positive, score),
        sk.auc(recall, precision),
        sk.average_precision_score(positive, score),
        false[true >= 0.95].min(),
    )


def found_areas(areas: s.Areas, replicate: int = 0) -> tuple[float, ...]:
    return tuple(
        float(values[replicate]) for values in (areas.roc, areas.pr_trapezoid, areas.average_precision, areas.fpr95)
    )


def test_areas_by_hand():
    # ranked: positive, negative, positive, negative
    areas = s.areas(np.array([4.0, 3.0, 2.0, 1.0]), np.array([True, False, True, False]))
    assert areas.roc[0] == pytest.approx(3 / 4)
    assert areas.average_precision[0] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    # (0, 1) - (.5, 1) - (.5, .5) - (1, 2/3)
    assert areas.pr_trapezoid[0] == pytest.approx(0.5 * 1 + 0.5 * (0.5 + 2 / 3) / 2)
    assert areas.fpr95[0] == pytest.approx(0.5)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=4, max_size=60))
def test_areas_agree_with_scikit_learn_whatever_the_ties(cases):
    score = np.array([value for value, _ in cases], float)
    positive = np.array([flag for _, flag in cases])
    if positive.all() or not positive.any():
        assert np.isnan(s.areas(score, positive).roc[0])
        return
    assert found_areas(s.areas(score, positive)) == pytest.approx(expected_areas(score, positive))


def test_a_resampled_area_is_that_of_the_resample():
    random = np.random.default_rng(0)
    positive = random.random(120) < 0.4
    score = np.round(random.normal(positive * 1.0, 1), 1)
    counts = bootstrap.draws(120, 40, seed=7)
    areas = s.areas(score, positive, counts)
    for replicate in (0, 33, 39):
        drawn = counts[replicate].astype(int)
        expected = expected_areas(np.repeat(score, drawn), np.repeat(positive, drawn))
        assert found_areas(areas, replicate) == pytest.approx(expected)


def test_negating_a_score_mirrors_its_roc_area():
    random = np.random.default_rng(3)
    score, positive = random.normal(size=50), random.random(50) < 0.5
    assert s.areas(-score, positive).roc[0] == pytest.approx(1 - s.areas(score, positive).roc[0])


def test_scores_by_hand():
    found = s.logit_scores(LOGITS, LABELS)
    np.testing.assert_allclose(found["logit_sum"], [1, 1.5, 2])
    np.testing.assert_allclose(found["max_logit"], [2, 0.5, 4])
    np.testing.assert_allclose(found["precision"][0], np.exp(2) + 1 + np.exp(-1))
    np.testing.assert_allclose(found["energy"], -np.log(found["precision"]))
    np.testing.assert_allclose(found["max_probability"][1], 1 / 3)
    np.testing.assert_allclose(found["entropy"][1], np.log(3))
    np.testing.assert_allclose(found["cross_entropy"][1:], [np.log(3), np.log(np.exp([-3.0, 4.0, 1.0]).sum()) - 1])


def test_the_papers_scores_are_the_same_where_nothing_saturates():
    ours, paper = s.logit_scores(LOGITS, LABELS), s.paper_scores(LOGITS.astype(np.float32), LABELS)
    assert list(paper) == [score.name for score in s.PAPER_SCORES]
    for name, values in paper.items():
        np.testing.assert_allclose(values, ours[name], rtol=1e-5)


def test_the_papers_arithmetic_saturates_as_float32_does():
    sure = np.array([[30.0, 0.0], [60.0, 0.0], [200.0, 0.0]], np.float32)
    paper = s.paper_scores(sure, np.array([0, 0, 0]))
    assert paper["max_probability"][0] == paper["max_probability"][1] == 1
    assert paper["precision"][2] == np.finfo(np.float32).max
    # inf / inf is NaN, which the paper's table fills with 0
    assert paper["max_probability"][2] == 0
    assert paper["cross_entropy"][2] == 0


def test_mahalanobis_agrees_with_scikit_learns_covariance():
    random = np.random.default_rng(2)
    labels = np.repeat([0, 1, 4], 40)
    reference = random.normal(0, [1, 2, 0.5], (120, 3)) + labels[:, None] * 3
    means = {label: reference[labels == label].mean(axis=0) for label in (0, 1, 4)}
    shared = EmpiricalCovariance(assume_centered=True).fit(reference - np.array([means[label] for label in labels]))
    judged = random.normal(3, 4, (10, 3))
    expected = np.min([shared.mahalanobis(judged - mean) for mean in means.values()], axis=0)
    np.testing.assert_allclose(s.ClassGaussians.fit(reference, labels).distance(judged), expected)


def test_mahalanobis_works_with_fewer_patches_than_features():
    random = np.random.default_rng(2)
    reference = random.normal(size=(6, 20))
    labels, judged = np.array([0, 0, 0, 1, 1, 1]), random.normal(size=(4, 20))
    means = np.stack([reference[:3].mean(axis=0), reference[3:].mean(axis=0)])
    centred = reference - means[labels]
    inverse = np.linalg.pinv(centred.T @ centred / 6, hermitian=True)
    expected = np.min([np.einsum("ni,ij,nj->n", judged - mean, inverse, judged - mean) for mean in means], axis=0)
    np.testing.assert_allclose(s.ClassGaussians.fit(reference, labels).distance(judged), expected)


def test_knn_agrees_with_scikit_learn_on_unit_features():
    random = np.random.default_rng(4)
    reference, judged = random.normal(size=(90, 5)), random.normal(size=(7, 5))
    unit = [values / np.linalg.norm(values, axis=1, keepdims=True) for values in (reference, judged)]
    expected = NearestNeighbors(n_neighbors=10).fit(unit[0]).kneighbors(unit[1])[0][:, -1]
    np.testing.assert_allclose(s.knn(judged, reference, 10), expected, rtol=1e-4)
    assert np.isfinite(s.knn(np.zeros((1, 5)), reference, 500)).all()
