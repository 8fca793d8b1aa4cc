"""The Frechet distance against exact references, singular and tiny sets included."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sunbreak.metrics.frechet import frechet_distance, multilabel_score


def test_all_reference_pairs_agree(shared):
    folder = shared / "reference" / "frechet"
    expected, sets = json.loads((folder / "frechet.json").read_text()), np.load(folder / "frechet_sets.npz")
    names = [name.removesuffix("__x") for name in sets.files if name.endswith("__x")]
    assert len(names) == 14
    for name in names:
        truth = expected[name]["exact_nuclear"]
        found = frechet_distance(sets[f"{name}__x"], sets[f"{name}__y"])
        assert found == pytest.approx(max(truth, 0), rel=1e-6, abs=1e-12), name
    assert multilabel_score(sets["ML_probs"]) == pytest.approx(expected["scores"]["multilabel_sum_kl_exp"], rel=1e-6)


def test_gaussians_with_known_moments_have_the_distance_of_the_formula():
    rng = np.random.default_rng(0)
    x, y = rng.normal(0, 1, (60000, 2)), rng.normal([3, 0], [2, 1], (60000, 2))
    # |mu|^2 + (1 - 2)^2 for standard deviations 1 and 2 on the first axis
    assert frechet_distance(x, y) == pytest.approx(9 + 1, rel=0.02)


def test_fewer_samples_than_features_and_identical_sets_are_exact():
    x = np.random.default_rng(0).normal(size=(20, 100))
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-10)
    assert frechet_distance(x, x + 2) == pytest.approx(400)


def test_a_collapsed_set_scores_one_and_a_certain_varied_one_more():
    assert multilabel_score(np.tile([0.2, 0.9, 0.5], (50, 1))) == pytest.approx(1)
    assert multilabel_score(np.array([[1.0], [0.0]])) == pytest.approx(2)


def test_sets_that_cannot_be_compared_are_refused():
    with pytest.raises(ValueError, match="shapes"):
        frechet_distance(np.zeros((5, 3)), np.zeros((5, 4)))
    with pytest.raises(ValueError, match="two samples"):
        frechet_distance(np.zeros((1, 3)), np.zeros((5, 3)))
