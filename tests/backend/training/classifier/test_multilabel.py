"""The multi-label classifier: targets, resumed training, threshold and card."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sunbreak.datasets.bigearthnet import find_patches, label_names
from sunbreak.errors import Cancelled, InputError
from sunbreak.events import Cancellation, Reporter, Silent
from sunbreak.models.card import ModelCard
from sunbreak.training.classifier.multilabel import (
    LabelledPixels,
    MultilabelTraining,
    softmax_loss,
    standardisation,
    train,
)
from sunbreak.training.classifier.multilabel_model import choose_threshold, finish

BANDS = ("B04", "B08")


@pytest.fixture(scope="module")
def patches(small_bigearthnet: Path):
    return find_patches(small_bigearthnet, "none").pile("clear")


@pytest.fixture(scope="module")
def recipe(patches) -> MultilabelTraining:
    mean, deviation = standardisation(patches, BANDS, seed=1)
    return MultilabelTraining(BANDS, mean, deviation, width=2, steps=5, batch=4)


class StopsAt(Reporter):
    """Requests a stop before a step."""

    def __init__(self, step: int) -> None:
        super().__init__(Cancellation())
        self.step = step

    def progress(self, done: float, total: float, unit: str = "tiles") -> None:
        if done >= self.step:
            self.cancellation.request()


def test_the_loss_is_the_cross_entropy_with_shared_targets():
    logits = torch.tensor([[2.0, 1.0, 0.0]])
    target = torch.tensor([[0.5, 0.5, 0.0]])
    p = torch.softmax(logits, dim=1)[0]
    assert softmax_loss(logits, target).item() == pytest.approx(float(-(p[0].log() + p[1].log()) / 2))


def test_pixels_are_standardised_and_targets_sum_to_one(patches, recipe):
    data = LabelledPixels(patches, recipe)
    everything = torch.stack([data[index, None][0] for index in range(len(data))])
    assert everything.mean(dim=(0, 2, 3)).tolist() == pytest.approx([0, 0], abs=1e-3)
    assert everything.std(dim=(0, 2, 3)).tolist() == pytest.approx([1, 1], abs=1e-2)
    for index in range(len(data)):
        target = data[index, None][1].numpy()
        assert np.array_equal(target > 0, data.labels[index] > 0)
        assert target.sum() == pytest.approx(1)


def test_half_of_the_draws_use_one_label_with_equal_frequency(patches, recipe):
    data = LabelledPixels(patches, recipe)
    index = int(data.labels.sum(axis=1).argmax())
    own = np.flatnonzero(data.labels[index])
    assert len(own) >= 2
    targets = np.stack([data[index, seed][1].numpy() for seed in range(400)])
    single = targets.max(axis=1) == 1
    assert single.mean() == pytest.approx(0.5, abs=0.1)
    kept = targets[single].sum(axis=0)
    assert kept.sum() == single.sum()
    assert kept[own].min() > 0.5 * single.sum() / len(own)


def test_a_resumed_training_equals_an_uninterrupted_one(patches, recipe, tmp_path):
    whole = train(recipe, patches, tmp_path / "whole", Silent())
    with pytest.raises(Cancelled):
        train(recipe, patches, tmp_path / "parts", StopsAt(2))
    parts = train(recipe, patches, tmp_path / "parts", Silent())
    for (name, a), b in zip(whole.state_dict().items(), parts.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    assert (tmp_path / "whole" / "log.csv").read_text() == (tmp_path / "parts" / "log.csv").read_text()


def test_a_folder_of_another_training_is_refused(patches, recipe, tmp_path):
    train(recipe, patches, tmp_path, Silent())
    with pytest.raises(InputError, match="single") as refused:
        train(replace(recipe, single=0.1), patches, tmp_path, Silent())
    assert refused.value.code == "other-recipe"
    (tmp_path / "state.pt").write_bytes(b"no state")
    with pytest.raises(InputError) as refused:
        train(recipe, patches, tmp_path, Silent())
    assert refused.value.code == "bad-state"


def test_too_few_patches_are_refused(patches, recipe, tmp_path):
    with pytest.raises(InputError) as refused:
        train(replace(recipe, batch=64), patches, tmp_path, Silent())
    assert refused.value.code == "too-few-images"


def test_the_better_of_two_threshold_rules_is_chosen():
    # patches with more labels have smaller probabilities: only a relative threshold predicts all correctly
    labels = np.array([[1, 0, 0, 0, 0], [1, 1, 1, 1, 0], [0, 1, 1, 0, 0]])
    probabilities = np.array(
        [[0.7, 0.23, 0.03, 0.02, 0.02], [0.26, 0.24, 0.22, 0.2, 0.08], [0.06, 0.44, 0.4, 0.05, 0.05]]
    )
    found = choose_threshold(probabilities, labels)
    assert found.best.rule == "relative"
    assert found.score == pytest.approx(1)
    assert np.array_equal(found.best.predict(probabilities), labels == 1)


def test_the_card_holds_the_threshold_and_names_every_average(patches, recipe, tmp_path):
    module = train(recipe, patches, tmp_path / "run", Silent())
    files = finish(module, recipe, patches[:5], patches[5:8], "labels", tmp_path / "models", {})
    card = ModelCard.read(files.path)
    assert card.threshold["rule"] in ("fixed", "relative")
    assert 0 < card.threshold["value"] <= 1
    assert "5 validation patches" in card.threshold["chosen_by"]
    assert tuple(kind.name for kind in card.classes) == label_names(19)
    assert len({kind.colour for kind in card.classes}) == 19
    assert card.level == "L2A" and card.bands == BANDS
    test, validation = card.metrics
    assert "test" in test["data"] and "3 clear patches" in test["data"]
    assert "validation" in validation["data"]
    assert {
        f"{key}_{average}" for key in ("precision", "recall", "f1", "f2") for average in ("sample", "micro", "macro")
    } <= set(test["figures"])
    assert {"map_macro", "map_micro"} <= set(test["figures"])
