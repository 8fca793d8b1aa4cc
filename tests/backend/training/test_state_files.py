"""States of trainings are read as untrusted files: whatever is wrong with one is one line that names it."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from sunbreak.errors import InputError, RunError, SunbreakError
from sunbreak.models.resnet import ResNet
from sunbreak.training.classifier import loop, multilabel
from sunbreak.training.disk import writing
from sunbreak.training.removal.progress import load_state, restore
from sunbreak.training.removal.recipe import RemovalTraining
from sunbreak.training.removal.samples import simulated_samples
from sunbreak.training.removal.stored_samples import recalled
from sunbreak.training.state_files import append_row, cut_rows, minutes_of, read_rows, read_state

STATES = {
    "an empty file": b"",
    "text": b"hello" * 100,
    "code": pickle.dumps({"terms": print}),
    "a list": [1, 2],
    "nothing": {},
    "terms of another type": {"terms": 5, "step": 1},
    "a step that is no number": {"terms": {}, "step": "x"},
    "a step that is not finite": {"terms": {}, "step": float("nan")},
    "a repeated number": {"terms": {}, "step": 1, "model": torch.zeros(1).expand(10**5, 10**5)},
    "parts of another type": {"terms": {}, "step": 1, "model": 5, "optimizer": [], "recipe": "None", "course": 1},
    "parts of another network": {"terms": {}, "step": 1, "model": {"w": torch.zeros(1)}, "optimizer": {}},
    "a configuration that is huge": {"config": {"width": 10**7}, "weights": {}},
    "a configuration of another type": {"config": {"width": "x"}, "weights": {"w": torch.zeros(1)}},
}


@pytest.fixture(params=STATES)
def folder(request, tmp_path):
    state = STATES[request.param]
    if isinstance(state, bytes):
        (tmp_path / "state.pt").write_bytes(state)
    else:
        torch.save(state, tmp_path / "state.pt")
    return tmp_path


def test_a_state_that_cannot_be_used_is_refused_by_name(folder):
    path = folder / "state.pt"
    module = ResNet(18, 3, 4, width=4)
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    calls = [
        lambda: multilabel._restore(folder, {}, module, optimizer),
        lambda: loop._restore(path, None, module, optimizer),
        lambda: load_state(path),
        lambda: restore(path, RemovalTraining(), module, optimizer),
    ]
    for call in calls:
        try:
            call()
        except SunbreakError as error:
            refused = error
        else:
            pytest.fail("was read")
        assert refused.exit_status == 2
        assert str(path) in str(refused) and str(refused).isprintable()
    if "config" not in path.read_bytes().decode("latin-1"):
        with pytest.raises(InputError):
            read_state(path, {"terms": 1})


def test_a_log_with_a_row_of_something_else_is_refused_by_name(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("step,loss\n0,1\nx,2\n")
    with pytest.raises(InputError, match=r"log\.csv"):
        cut_rows(log, 1)


def test_a_cut_file_of_samples_is_refused_by_name(tmp_path):
    simulated_samples(1, 32, 1, tmp_path, workers=1)
    (path,) = tmp_path.glob("*.npz")
    for content in (path.read_bytes()[:1000], b"", np.zeros(3).tobytes()):
        path.write_bytes(content)
        with pytest.raises(InputError, match=path.name):
            simulated_samples(1, 32, 1, tmp_path, workers=1)


def test_a_log_is_read_without_the_row_that_a_kill_cut_short(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("step,time\n0,100\n1,160\n2\n3,22")
    assert read_rows(log) == [{"step": "0", "time": "100"}, {"step": "1", "time": "160"}]
    assert minutes_of(log) == 1


@pytest.mark.parametrize(
    "make",
    [
        os.mkfifo,
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.write_bytes(b"step,time\n\xff,1\n"),
        lambda path: path.write_text("step,time\n0,noon\n"),
        lambda path: path.write_text("step,time\n0," + "9" * 200_000 + "\n"),
    ],
)
def test_a_log_that_is_none_is_refused_by_name(tmp_path, make):
    make(tmp_path / "log.csv")
    with pytest.raises(InputError, match=r"log\.csv: this is not a readable log of a training"):
        minutes_of(tmp_path / "log.csv")


def packed(path) -> None:
    """Zeros that are packed a thousandfold."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("s1", "clear", "cloudy"):
            archive.writestr(f"{name}.npy", bytes(2**26))


def test_simulated_samples_that_are_something_else_are_refused_by_name(tmp_path):
    for make in (packed, lambda path: path.symlink_to(tmp_path / "x"), lambda path: np.savez(path, s1=np.zeros(1))):
        path = tmp_path / "simulated-64-7.npz"
        np.savez(tmp_path / "x", s1=np.zeros(1))
        (tmp_path / "x.npz").replace(tmp_path / "x")
        path.unlink(missing_ok=True)
        make(path)
        with pytest.raises(InputError, match=r"simulated-64-7\.npz: this is not a readable file of simulated samples"):
            simulated_samples(1, 64, 7, tmp_path, workers=1)


def test_what_is_kept_is_computed_again_if_it_claims_too_much(tmp_path):
    packed(tmp_path / "kept.npz")
    made = recalled(tmp_path / "kept.npz", "key", lambda: {"x": np.ones(3)})
    assert made["x"].tolist() == [1, 1, 1]
    assert recalled(tmp_path / "kept.npz", "key", lambda: pytest.fail("again"))["x"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("elsewhere")])
def test_a_log_that_cannot_be_written_is_named_and_nothing_else_is_written(tmp_path, make):
    make(tmp_path / "log.csv")
    with pytest.raises(RunError, match=r"log\.csv cannot be written"):
        append_row(tmp_path / "log.csv", {"step": 0, "loss": 1.5})
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full disk")
@pytest.mark.parametrize("numbers", [10, 10**6])
def test_a_state_that_a_full_disk_does_not_take_is_named(tmp_path, numbers):
    with (
        pytest.raises(RunError, match=r"state\.pt cannot be written .*resumes") as caught,
        writing(tmp_path / "state.pt"),
    ):
        torch.save({"model": torch.zeros(numbers)}, "/dev/full")
    assert caught.value.code == "disk-full"


def test_other_errors_of_torch_stay_what_they_are(tmp_path):
    with pytest.raises(RuntimeError, match="shape"), writing(tmp_path / "state.pt"):
        torch.zeros(3).reshape(2)
