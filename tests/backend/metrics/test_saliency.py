"""Deletion and insertion curves against the reference, and rank correlation."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from sunbreak.metrics.saliency import area, deletion_curve, insertion_curve, spearman


@pytest.fixture(scope="module")
def case(shared):
    from safetensors.torch import load_file

    from sunbreak.models.resnet import load_resnet

    folder = shared / "reference" / "cam"
    model = load_resnet(load_file(folder / "cam_resnet50_w8.safetensors"), 50, 13, 10)
    return model, np.load(folder / "cam_faithfulness.npz"), np.load(folder / "cam_inputs.npz")["x"][0]


def probability(model, target: int, dtype: torch.dtype):
    model = copy.deepcopy(model).to(dtype)

    def predict(images: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return torch.softmax(model(torch.from_numpy(images).to(dtype)), 1)[:, target].numpy()

    return predict


def curves(case, predict, image=None) -> dict[str, np.ndarray]:
    reference, image = case[1], case[2] if image is None else image
    saliency, steps = reference["saliency"], int(reference["steps"])
    return {
        "deletion": deletion_curve(image, saliency, predict, steps),
        "insertion": insertion_curve(image, saliency, predict, steps, reference["blur_img"]),
    }


@pytest.fixture(scope="module")
def exact(case):
    """Prediction and curves in float64, where processors do not differ."""
    predict = probability(case[0], int(case[1]["target"]), torch.float64)
    return predict, curves(case, predict)


def test_the_curves_equal_their_definition(case, exact):
    _, reference, image = case
    steps, pixels = int(reference["steps"]), image[0].size
    predict, found = exact
    # rank 0 is the most salient pixel; of equal ones the first comes first
    rank = np.empty(pixels, int)
    rank[np.lexsort((np.arange(pixels), -reference["saliency"].ravel().astype(np.float64)))] = np.arange(pixels)
    for step in range(0, steps + 1, 7):
        gone = (rank < round(pixels * step / steps)).reshape(image.shape[1:])
        deleted, inserted = np.where(gone, np.float32(0), image), np.where(gone, image, reference["blur_img"])
        assert found["deletion"][step] == pytest.approx(predict(deleted[None])[0], abs=1e-12)
        assert found["insertion"][step] == pytest.approx(predict(inserted[None])[0], abs=1e-12)


def test_stored_curves_are_accurate_to_float32(case, exact):
    model, reference, image = case
    predict = probability(model, int(reference["target"]), torch.float32)
    # an input that varies by so little that float32 would not move the probability less
    noises = (np.random.default_rng(seed).normal(size=image.shape) for seed in range(2))
    rough = [curves(case, predict, (image * (1 + 2.0**-20 * noise)).astype(np.float32)) for noise in noises]
    for kind, curve in exact[1].items():
        allowed = 2 * max(float(np.abs(sample[kind] - curve).max()) for sample in rough)
        assert allowed < 5e-4
        np.testing.assert_allclose(reference[f"{kind}_curve"], curve, rtol=0, atol=allowed)
        assert area(curve) == pytest.approx(float(reference[f"{kind}_auc"]), abs=allowed)


def test_a_correct_map_has_low_deletion_and_high_insertion_curves():
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
