"""Deletion and insertion against the reference, and what rank correlation says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sunbreak.metrics.saliency import area, deletion_curve, insertion_curve, spearman


def test_the_curves_equal_the_reference(shared):
    from safetensors.torch import load_file

    from sunbreak.models.resnet import load_resnet

    folder = shared / "reference" / "cam"
    model = load_resnet(load_file(folder / "cam_resnet50_w8.safetensors"), 50, 13, 10)
    reference = np.load(folder / "cam_faithfulness.npz")
    image = np.load(folder / "cam_inputs.npz")["x"][0]
    target, steps = int(reference["target"]), int(reference["steps"])

    def predict(images: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return torch.softmax(model(torch.from_numpy(images)), 1)[:, target].numpy()

    deleted = deletion_curve(image, reference["saliency"], predict, steps)
    inserted = insertion_curve(image, reference["saliency"], predict, steps, reference["blur_img"])
    np.testing.assert_allclose(deleted, reference["deletion_curve"], atol=1e-5)
    np.testing.assert_allclose(inserted, reference["insertion_curve"], atol=1e-5)
    assert area(deleted) == pytest.approx(float(reference["deletion_auc"]), abs=1e-6)
    assert area(inserted) == pytest.approx(float(reference["insertion_auc"]), abs=1e-6)


def test_a_map_that_names_the_right_pixels_has_a_lower_deletion_and_a_higher_insertion_curve():
    image = np.zeros((2, 8, 8), np.float32)
    image[:, 2, 3] = 5
    right = (np.arange(64).reshape(8, 8) == 2 * 8 + 3).astype(float)
    wrong = 1 - right

    def predict(images: np.ndarray) -> np.ndarray:
        return images[:, 0].max(axis=(1, 2)) / 5

    start = np.zeros_like(image)
    assert area(deletion_curve(image, right, predict, 8)) < 0.1 < 0.9 < area(deletion_curve(image, wrong, predict, 8))
    assert area(insertion_curve(image, right, predict, 8, start)) > 0.9
    assert deletion_curve(image, right, predict, 8)[0] == 1


def test_rank_correlation_knows_order_and_refuses_constants():
    values = np.arange(12.0).reshape(3, 4)
    assert spearman(values, values**3) == pytest.approx(1)
    assert spearman(values, -values) == pytest.approx(-1)
    assert np.isnan(spearman(values, np.ones((3, 4))))
