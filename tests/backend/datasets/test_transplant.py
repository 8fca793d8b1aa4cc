"""Real clouds extracted from one place and laid over another."""

from __future__ import annotations

import numpy as np
import pytest

from sunbreak.datasets.transplant import lay_over, lift, turned
from sunbreak.training.removal.samples import Sample
from sunbreak.training.removal.transplants import cloud_layers, transplanted_samples

SIDE = 96


def ground(seed):
    fields = np.kron(np.random.default_rng(seed).uniform(0.05, 0.25, (6, 6)), np.ones((16, 16)))
    return np.broadcast_to(fields, (13, SIDE, SIDE)).astype(np.float32)


@pytest.fixture
def cloud():
    """Transmission and mask of a round cloud that is thickest in the centre."""
    row, column = np.mgrid[:SIDE, :SIDE]
    distance = np.hypot(row - 40, column - 50)
    through = 1 - np.clip(1.3 * (1 - distance / 28), 0, 1)
    return through.astype(np.float32), distance < 32


def covered(image, through):
    return image * through + 0.7 * (1 - through)


def dn(image):
    return np.rint(image * 1e4).astype(np.uint16)


def test_a_cloud_layer_over_its_own_ground_gives_the_cloudy_image(cloud):
    through, mask = cloud
    clear = ground(0)
    cloudy = covered(clear, through)
    layer = lift("a", cloudy, clear, mask)
    # all but the edge, where the layer has its transition
    inside = np.hypot(*(np.mgrid[:SIDE, :SIDE] - np.array([40, 50])[:, None, None])) < 24
    np.testing.assert_allclose(lay_over(clear, layer)[:, inside], cloudy[:, inside], atol=1e-5)


def test_a_cloud_layer_over_other_ground_matches_a_simulated_cloud(cloud):
    through, mask = cloud
    here, there = ground(0), ground(1)
    layer = lift("a", covered(here, through), here, mask)
    laid = lay_over(there, layer)
    truth = covered(there, through)
    np.testing.assert_array_equal(laid[:, ~mask], there[:, ~mask])
    # a copy of the cloudy pixels would include their ground
    copied = np.where(mask, covered(here, through), there)
    assert np.abs(laid - truth)[:, mask].mean() < 0.4 * np.abs(copied - truth)[:, mask].mean()
    assert np.abs(layer.transmission[3] - through)[mask].mean() < 0.12


def test_all_arrays_of_a_cloud_layer_are_rotated(cloud):
    through, mask = cloud
    clear = ground(0)
    layer = lift("a", covered(clear, through), clear, mask)
    back = turned(turned(layer, 1, False), 3, False)
    np.testing.assert_array_equal(back.light, layer.light)
    np.testing.assert_array_equal(turned(layer, 0, True).mask, mask[:, ::-1])


def test_a_pair_without_clouds_has_no_cloud_layer():
    with pytest.raises(ValueError, match="no cloud"):
        lift("a", ground(0), ground(0), np.zeros((SIDE, SIDE), bool))


def test_transplants_use_clouds_of_other_places_and_keep_clear_pixels(cloud):
    through, mask = cloud
    pairs = [
        Sample(f"p{seed}", None, dn(ground(seed)), dn(covered(ground(seed), through)), hidden=mask) for seed in (0, 1)
    ]
    # a "clear" image that is brighter than the cloudy image is not clear
    pairs.append(Sample("snow", None, dn(ground(2) + 0.5), dn(ground(2)), hidden=mask))
    layers = cloud_layers(pairs)
    assert [layer.name for layer in layers] == ["p0", "p1"]
    radar = np.zeros((2, SIDE, SIDE), np.float32)
    places = [*pairs[:2], Sample("other", radar, dn(ground(5)), dn(ground(5)))]
    made = transplanted_samples(places, layers, 2, seed=1)
    assert sorted(sample.name for sample in made) == [
        "other under the clouds of p0", "other under the clouds of p1", "p0 under the clouds of p1", "p1 under the clouds of p0",
    ]  # fmt: skip
    for sample in made:
        touched = (sample.cloudy != sample.clear).any(axis=0)
        assert 0.2 < touched.mean() < 0.4
        assert sample.cloudy[:, touched].mean() > sample.clear[:, touched].mean() + 1500
    assert made[-1].s1 is radar
    again = transplanted_samples(places, layers, 2, seed=1)
    assert all(np.array_equal(a.cloudy, b.cloudy) for a, b in zip(made, again, strict=True))
