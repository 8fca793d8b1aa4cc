"""Progress of a training: early stopping, log without duplicates, full disk, NaN weights."""

from __future__ import annotations

import csv
import math
import resource
from dataclasses import replace

import numpy as np
import pytest
import torch

from sunbreak.errors import InputError, RunError, SunbreakError
from sunbreak.events import Cancellation, Reporter, Silent
from sunbreak.training.removal import progress as courses
from sunbreak.training.removal.loop import TrainingSamples, train
from sunbreak.training.removal.progress import Course, load_state
from sunbreak.training.removal.recipe import RemovalTraining
from sunbreak.training.removal.samples import Sample, simulated_samples
from sunbreak.training.state_files import minutes_of

RECIPE = RemovalTraining(
    steps=24, batch=2, patch=16, width=16, depth=1, tile=32, seed=3, tile_steps=0.0, validate_every=3, patience=2
)


@pytest.fixture(scope="module")
def samples(tmp_path_factory) -> list[Sample]:
    return simulated_samples(4, 32, 1, tmp_path_factory.mktemp("cache"), workers=1)


def weights(module) -> torch.Tensor:
    return torch.cat([parameter.detach().ravel() for parameter in module.parameters()])


def rows(folder) -> list[dict[str, str]]:
    with (folder / "log.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


class StopAt(Reporter):
    def __init__(self, step: int) -> None:
        super().__init__(Cancellation())
        self.step = step

    def progress(self, done, total, unit="steps"):
        if done >= self.step:
            self.cancellation.request()


@pytest.fixture
def worsening(samples) -> RemovalTraining:
    """A recipe whose validation loss soon stops falling, because the learning rate is too high."""
    return replace(RECIPE, learning_rate=0.3)


def test_early_stopping_returns_the_weights_of_the_best_validation(samples, worsening, tmp_path):
    module = train(worsening, TrainingSamples(samples[:3], held_out=samples[3:]), tmp_path, Silent())
    looks = [(int(row["step"]) + 1, float(row["held_out_loss"])) for row in rows(tmp_path) if row["held_out_loss"]]
    assert [step for step, _ in looks] == list(range(3, 3 * len(looks) + 1, 3))
    best = min(range(len(looks)), key=lambda index: looks[index][1])
    # the training stopped after two validations without a lower loss
    assert best == len(looks) - 3
    assert len(rows(tmp_path)) == looks[-1][0] < worsening.steps
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    assert state["course"]["best_step"] == looks[best][0]
    best_weights = torch.cat([state["best_weights"][name].ravel() for name, _ in module.named_parameters()])
    assert torch.equal(best_weights, weights(module))
    assert not module.training


def test_a_resumed_training_with_early_stopping_equals_an_uninterrupted_one(samples, worsening, tmp_path, monkeypatch):
    monkeypatch.setattr("sunbreak.training.removal.loop._SAVE_EVERY", 4)
    whole = train(worsening, TrainingSamples(samples[:3], held_out=samples[3:]), tmp_path / "a", Silent())
    for step in (2, 7):
        with pytest.raises(SunbreakError) as caught:
            train(worsening, TrainingSamples(samples[:3], held_out=samples[3:]), tmp_path / "b", StopAt(step))
        assert caught.value.exit_status == 130
    resumed = train(worsening, TrainingSamples(samples[:3], held_out=samples[3:]), tmp_path / "b", Silent())
    assert torch.equal(weights(resumed), weights(whole))
    # a finished training stays finished
    again = train(worsening, TrainingSamples(samples[:3], held_out=samples[3:]), tmp_path / "b", Silent())
    assert torch.equal(weights(again), weights(whole))

    def told(folder):
        return [{key: value for key, value in row.items() if key != "time"} for row in rows(folder)]

    assert told(tmp_path / "a") == told(tmp_path / "b")


def test_validation_does_not_change_the_training(samples, tmp_path):
    plain = replace(RECIPE, validate_every=0, patience=0, steps=8)
    blind = train(plain, TrainingSamples(samples, held_out=samples[3:]), tmp_path / "a", Silent())
    looked = train(
        replace(plain, validate_every=2), TrainingSamples(samples, held_out=samples[3:]), tmp_path / "b", Silent()
    )
    assert torch.equal(weights(blind), weights(looked))
    assert not any(row["held_out_loss"] for row in rows(tmp_path / "a"))


def test_early_stopping_without_a_validation_set_is_refused(samples, tmp_path):
    with pytest.raises(InputError, match="needs a validation set"):
        train(RECIPE, TrainingSamples(samples), tmp_path, Silent())


def test_a_full_disk_is_a_one_line_error_and_leaves_the_older_state(samples, tmp_path, monkeypatch):
    monkeypatch.setattr("sunbreak.training.removal.loop._SAVE_EVERY", 4)
    plain = replace(RECIPE, patience=0, validate_every=0, steps=12)
    with pytest.raises(SunbreakError):
        train(plain, TrainingSamples(samples), tmp_path, StopAt(4))
    before = (tmp_path / "state.pt").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(RunError) as caught:
            train(plain, TrainingSamples(samples), tmp_path, Silent())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.code == "disk-full"
    assert str(tmp_path / "state.pt") in caught.value.message
    assert (tmp_path / "state.pt").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.csv", "state.pt"]
    # with free space it resumes and ends like an uninterrupted one
    resumed = train(plain, TrainingSamples(samples), tmp_path, Silent())
    assert torch.equal(weights(resumed), weights(train(plain, TrainingSamples(samples), tmp_path / "whole", Silent())))
    assert [int(row["step"]) for row in rows(tmp_path)] == list(range(12))


def test_a_full_disk_during_simulation_is_a_one_line_error(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, hard))
    try:
        with pytest.raises(RunError, match=r"simulated-32-1\.npz cannot be written"):
            simulated_samples(1, 32, 1, tmp_path, workers=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def test_the_saved_weights_are_usable_after_a_nan_loss(samples, tmp_path, monkeypatch):
    monkeypatch.setattr("sunbreak.training.removal.loop._SAVE_EVERY", 2)
    plain = replace(RECIPE, patience=0, validate_every=0)
    from sunbreak.training.removal.loop import _Trainer

    step = _Trainer.step

    def spoiled(self, number, batch):
        if number == 5:
            batch = replace(batch, target=np.full_like(batch.target, np.nan))
        return step(self, number, batch)

    monkeypatch.setattr(_Trainer, "step", spoiled)
    with pytest.raises(RunError, match="not a number at step 5") as caught:
        train(plain, TrainingSamples(samples), tmp_path, Silent())
    assert caught.value.code == "nan-loss"
    assert f"--start {tmp_path}" in caught.value.hint
    kept = load_state(tmp_path)
    assert torch.isfinite(weights(kept)).all()
    monkeypatch.setattr(_Trainer, "step", step)
    # they are the weights after four steps, and another training can start from them
    short = train(
        replace(plain, steps=5, learning_rate=0.0), TrainingSamples(samples), tmp_path / "b", Silent(), start=kept
    )
    assert torch.equal(weights(short), weights(kept))


def test_a_nan_gradient_does_not_change_the_weights(samples, tmp_path, monkeypatch):
    plain = replace(RECIPE, patience=0, validate_every=0)
    seen = []

    def infinite(parameters, most):
        seen.append(None)
        return torch.tensor(math.inf if len(seen) == 3 else 1.0)

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", infinite)
    with pytest.raises(RunError, match="step 2"):
        train(plain, TrainingSamples(samples), tmp_path, Silent())


def test_a_damaged_or_missing_state_is_named(tmp_path):
    with pytest.raises(InputError, match=r"state\.pt: there is no training state"):
        load_state(tmp_path)
    (tmp_path / "state.pt").write_bytes(b"PK not really")
    with pytest.raises(InputError, match="not a readable training state"):
        load_state(tmp_path)


def test_interruptions_do_not_count_as_training_time(tmp_path):
    lines = ["time,step", *(f"{time},{step}" for step, time in enumerate((0, 30, 60, 5000, 5060)))]
    (tmp_path / "log.csv").write_text("\n".join(lines) + "\n")
    assert minutes_of(tmp_path / "log.csv") == pytest.approx(2)


def test_tensorboard_gets_the_log_or_a_clear_error_if_not_installed(samples, tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    plain = replace(RECIPE, patience=0, steps=6)
    train(plain, TrainingSamples(samples, held_out=samples[3:]), tmp_path, Silent(), tensorboard=True)
    board = EventAccumulator(str(tmp_path / "tensorboard"))
    board.Reload()
    assert [event.step for event in board.Scalars("loss")] == list(range(6))
    logged = [float(row["loss"]) for row in rows(tmp_path)]
    assert [event.value for event in board.Scalars("loss")] == pytest.approx(logged, abs=1e-5)
    assert [event.step for event in board.Scalars("held-out loss")] == [2, 5]
    monkeypatch.setattr(courses, "board_is_there", lambda: False)
    with pytest.raises(InputError, match=r"pip install 'sunbreak\[tensorboard\]'"):
        train(plain, TrainingSamples(samples), tmp_path / "b", Silent(), tensorboard=True)


def test_without_early_stopping_no_best_weights_are_stored():
    course = Course(step=5)
    course.note(1.0, torch.nn.Linear(1, 1), replace(RECIPE, patience=0))
    assert course.best == 1.0
    assert course.best_weights is None
    assert not course.over(replace(RECIPE, patience=0))


def test_the_moving_average_of_the_weights_is_the_result_even_after_an_interruption(samples, tmp_path, monkeypatch):
    monkeypatch.setattr("sunbreak.training.removal.loop._SAVE_EVERY", 6)
    averaged = replace(RECIPE, patience=0, validate_every=0, average=0.9)
    plain = train(replace(averaged, average=0.0), TrainingSamples(samples), tmp_path / "plain", Silent())
    whole = train(averaged, TrainingSamples(samples), tmp_path / "whole", Silent())
    with pytest.raises(SunbreakError):
        train(averaged, TrainingSamples(samples), tmp_path / "cut", StopAt(15))
    resumed = train(averaged, TrainingSamples(samples), tmp_path / "cut", Silent())
    torch.testing.assert_close(weights(resumed), weights(whole), atol=0, rtol=0)
    assert not torch.equal(weights(whole), weights(plain))
    last = torch.load(tmp_path / "whole" / "state.pt", weights_only=True)["weights"]
    trained = torch.cat([last[name].ravel() for name, _ in plain.named_parameters()])
    torch.testing.assert_close(trained, weights(plain), atol=0, rtol=0)  # averaging does not change the steps
    torch.testing.assert_close(weights(load_state(tmp_path / "whole")), weights(whole), atol=0, rtol=0)
