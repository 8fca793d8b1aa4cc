"""States of trainings are read as untrusted files: whatever is wrong with one is one line that names it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

from sunbreak.errors import InputError, SunbreakError
from sunbreak.models.resnet import ResNet
from sunbreak.training.classifier import loop, multilabel
from sunbreak.training.removal.progress import load_state, restore
from sunbreak.training.removal.recipe import RemovalTraining
from sunbreak.training.removal.samples import simulated_samples
from sunbreak.training.state_files import cut_rows, read_state

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
