"""Training of a classifier on tiny data: the loss falls, the card is correct, a stopped training resumes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sunbreak.errors import Cancelled, InputError, RunError
from sunbreak.events import Cancellation, Reporter, Silent
from sunbreak.models import legends
from sunbreak.models.architectures import load_classifier
from sunbreak.models.card import ModelCard
from sunbreak.training.classifier.labelled_patches import LabelledPatch, simulated_patches
from sunbreak.training.classifier.loop import ClassifierTraining, figures, finish, fit_temperature, train

GROUND = np.array([1200, 900, 850, 600, 900, 1900, 2300, 2200, 2500, 700, 12, 1500, 800], np.float32)
WATER = np.array([1100, 800, 600, 350, 300, 270, 260, 230, 210, 100, 12, 110, 70], np.float32)


def patches(count: int, seed: int) -> list[LabelledPatch]:
    rng = np.random.default_rng(seed)
    return [
        LabelledPatch(
            f"made up {i}",
            ((GROUND, WATER)[i % 2][:, None, None] * rng.normal(1, 0.05, (13, 64, 64))).astype(np.float32),
            (5, 9)[i % 2],
        )
        for i in range(count)
    ]


def recipe(**changes) -> ClassifierTraining:
    plain = {"width": 8, "steps": 12, "batch": 8, "learning_rate": 5e-3, "seed": 3}
    return ClassifierTraining(
        legends.TEN_BANDS, legends.SEN12MS_10.mean, legends.SEN12MS_10.deviation, **{**plain, **changes}
    )


def weights(module) -> np.ndarray:
    return torch.cat([value.double().flatten() for value in module.state_dict().values()]).numpy()


def test_a_training_learns_and_writes_a_valid_card(tmp_path):
    how = recipe(steps=30)
    module = train(how, patches(16, 0), [], 10, tmp_path / "work", Silent())
    rows = (tmp_path / "work" / "log.csv").read_text().splitlines()[1:]
    losses = [float(row.split(",")[2]) for row in rows]
    assert len(losses) == 30
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])
    files = finish(
        module, how, legends.SIMPLIFIED_IGBP, patches(8, 1), [("others, not trained on", patches(10, 2))], "mine",
        tmp_path / "models", {"description": "for a test", "command": "none"},
    )  # fmt: skip
    card = ModelCard.read(files.path)
    (group,) = card.metrics
    assert group["data"] == "others, not trained on (10 patches)"
    assert group["figures"]["accuracy"] > 0.9
    assert group["figures"]["patches"] == {"Croplands": 5, "Water": 5}
    assert card.training["recipe"]["width"] == 8
    assert len(card.temperature) == 1
    assert load_classifier(files)(torch.zeros(1, 10, 64, 64)).shape == (1, 10)


def test_the_seed_fixes_the_weights_even_after_an_interruption(tmp_path, monkeypatch):
    monkeypatch.setattr("sunbreak.training.classifier.loop._SAVE_EVERY", 10)
    straight = train(recipe(steps=16), patches(6, 0), [], 10, tmp_path / "a", Silent())

    class StopAt(Reporter):
        def progress(self, done, total, unit="tiles"):
            if done == 13:
                self.cancellation.request()

    with pytest.raises(Cancelled):
        train(recipe(steps=16), patches(6, 0), [], 10, tmp_path / "b", StopAt(Cancellation()))
    resumed = train(recipe(steps=16), patches(6, 0), [], 10, tmp_path / "b", Silent())
    np.testing.assert_array_equal(weights(resumed), weights(straight))


def test_a_nan_loss_stops_with_a_one_line_error(tmp_path):
    spoiled = [LabelledPatch("spoiled", np.full((13, 64, 64), np.nan, np.float32), 0)]
    with pytest.raises(RunError, match="not a number at step 0"):
        train(recipe(), spoiled, [], 10, tmp_path, Silent())


def test_a_training_without_patches_is_refused(tmp_path):
    with pytest.raises(InputError, match="no patches"):
        train(recipe(), [], [], 10, tmp_path, Silent())


def test_patches_of_simulated_scenes_show_their_class(tmp_path):
    found = simulated_patches(2, 64, 5, tmp_path, least_share=0.5, workers=1)
    assert found
    with np.load(tmp_path / "landcover-5.npz") as stored:
        cover = stored["landcover"]
    for patch in found:
        if patch.name.startswith("simulated 5 "):
            row, col = (int(part) for part in patch.name.split(" at ")[1].split(", "))
            assert (cover[row : row + 64, col : col + 64] == patch.label + 1).mean() >= 0.5


def test_the_temperature_undoes_a_scaling_of_the_logits():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 4)).astype(np.float32)
    powers = np.exp(logits)
    labels = np.array([rng.choice(4, p=row / row.sum()) for row in powers])
    assert fit_temperature(logits * 3, labels) == pytest.approx(3, rel=0.1)


def test_metrics_match_a_hand_computed_case():
    logits = np.log(np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.5, 0.4, 0.1]], np.float32))
    found = figures(logits, np.array([0, 0, 1, 1]), ["a", "b", "c"])
    assert found["accuracy"] == 0.75
    assert found["f1"] == {"a": pytest.approx(0.8), "b": pytest.approx(2 / 3)}
    assert found["recall"] == {"a": 1, "b": 0.5}
    assert found["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)
