"""Feature sums over batches: exact, with intervals that contain the value, and collapse is detected."""

from __future__ import annotations

import numpy as np
import pytest

from sunbreak.metrics.feature_sums import FeatureSums, distance
from sunbreak.metrics.frechet import frechet_distance, multilabel_score


def gathered(x: np.ndarray, p: np.ndarray, size: int = 7, **options) -> FeatureSums:
    sums = FeatureSums(x.shape[1], p.shape[1], **options)
    for start in range(0, len(x), size):
        sums.add(x[start : start + size], p[start : start + size])
    return sums


def features(seed: int, count: int, width: int, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    return draw.normal(shift, 1, (count, width)) @ draw.normal(0, 1, (width, width)), draw.uniform(0, 1, (count, 5))


@pytest.mark.parametrize(("count", "width"), [(60, 8), (6, 20)])
def test_streamed_sums_give_the_distance_of_all_features_at_any_rank(count, width):
    x, p = features(1, count, width)
    y, q = features(2, count + 3, width, shift=0.5)
    found = distance(gathered(x, p), gathered(y, q, 4), "a layer")
    assert found.frechet.value == pytest.approx(frechet_distance(x, y), rel=1e-9)
    assert found.score.value == pytest.approx(multilabel_score(p), rel=1e-12)
    assert found.reference_score.value == pytest.approx(multilabel_score(q), rel=1e-12)
    assert found.deficient == (count <= width)


def test_a_mean_far_from_zero_keeps_precision():
    x, p = features(1, 50, 6)
    y, q = features(2, 50, 6)
    near = distance(gathered(x, p), gathered(y, q), "a layer").frechet.value
    far = distance(gathered(x + 1e6, p), gathered(y + 1e6, q), "a layer").frechet.value
    assert far == pytest.approx(near, rel=1e-6)


def test_a_set_has_no_distance_from_itself():
    x, p = features(1, 9, 30)
    assert distance(gathered(x, p), gathered(x, p, 2), "a layer").frechet.value == pytest.approx(0, abs=1e-9)


def test_the_interval_contains_the_distance_and_names_the_layer():
    x, p = features(1, 40, 8)
    y, q = features(2, 40, 8, shift=0.3)
    found = distance(gathered(x, p, replicates=60), gathered(y, q, replicates=60, seed=1), "layer4")
    assert found.frechet.low < found.frechet.value < found.frechet.high
    # resampled sets repeat images, which moves them apart
    assert found.bias > 0
    text = found.text()
    assert "8 features of layer4" in text and "40 and 40 images" in text


def test_more_images_narrow_the_interval():
    def width(count: int) -> float:
        x, p = features(1, count, 4)
        y, q = features(2, count, 4, shift=0.3)
        found = distance(gathered(x, p, replicates=80), gathered(y, q, replicates=80, seed=1), "a layer").frechet
        return found.high - found.low

    assert width(600) < 0.6 * width(60)


def test_images_that_all_get_the_same_labels_count_as_collapsed():
    draw = np.random.default_rng(0)
    x = draw.normal(0, 1, (40, 6))
    diverse = np.eye(5)[draw.integers(0, 5, 40)] * 0.98 + 0.01
    same = np.tile(diverse[:1], (40, 1))
    assert distance(gathered(x, same), gathered(x, diverse), "a layer").collapsed
    assert distance(gathered(x, same), gathered(x, diverse), "a layer").score.value == pytest.approx(1)
    assert not distance(gathered(x, diverse), gathered(x, diverse), "a layer").collapsed


def test_non_finite_or_mismatched_features_are_refused():
    sums = FeatureSums(3, 2)
    with pytest.raises(ValueError, match="not finite"):
        sums.add(np.full((2, 3), np.nan), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="do not fit"):
        sums.add(np.zeros((2, 4)), np.zeros((2, 2)))
    sums.add(np.zeros((1, 3)), np.zeros((1, 2)))
    with pytest.raises(ValueError, match="no covariance"):
        sums.mean()
