"""Training in several processes gives the same weights as one process with the joint batch."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from sunbreak.errors import InputError
from sunbreak.events import Silent
from sunbreak.training.processes import JoinedBatchNorm, Processes, any_process, here, join_batch_norms
from sunbreak.training.removal.loop import TrainingSamples, train
from sunbreak.training.removal.recipe import RemovalTraining
from sunbreak.training.removal.samples import simulated_samples

RECIPE = RemovalTraining(
    steps=8, batch=3, patch=16, width=16, depth=1, tile=32, seed=3, tile_steps=0.25, detail=0.1, validate_every=4
)

# full precision: bfloat16 rounds differently for another batch size
SCRIPT = """
import sys
from pathlib import Path
import torch
import test_processes as here
from sunbreak.events import Silent
from sunbreak.training.removal.loop import TrainingSamples, train
from sunbreak.training.removal.samples import simulated_samples

here.in_full_precision()
folder = Path(sys.argv[1])
samples = simulated_samples(4, 32, 1, folder / "cache", workers=1)
module = train(here.RECIPE, TrainingSamples(samples[:3], held_out=samples[3:]), folder / "state", Silent())
torch.save(module.state_dict(), folder / f"weights-{sys.argv[2]}.pt")
"""


def in_full_precision() -> None:
    from contextlib import nullcontext

    torch.set_num_threads(1)
    torch.autocast = lambda *_: nullcontext()


def run(folder: Path, count: int) -> list[dict[str, torch.Tensor]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = []
    for rank in range(count):
        environment = {
            **os.environ, "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count), "OMP_NUM_THREADS": "1",
            "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "PYTHONPATH": str(Path(__file__).parent),
        }  # fmt: skip
        command = [sys.executable, "-c", SCRIPT, str(folder), str(rank)]
        started.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
    for process in started:
        _, said = process.communicate(timeout=150)
        assert process.returncode == 0, said
    return [torch.load(folder / f"weights-{rank}.pt", weights_only=True) for rank in range(count)]


def test_two_processes_train_like_one_on_the_joint_batch(tmp_path):
    # cached before the processes need them
    simulated_samples(4, 32, 1, tmp_path / "one" / "cache", workers=1)
    simulated_samples(4, 32, 1, tmp_path / "two" / "cache", workers=1)
    (one,) = run(tmp_path / "one", 1)
    first, second = run(tmp_path / "two", 2)
    assert one.keys() == first.keys()
    for name, value in one.items():
        assert torch.equal(first[name], second[name]), name
        # a bias before a batch norm has no effect: its gradient is rounding noise, which Adam amplifies
        if name not in ("network.out_block.0.conv.norm.bias", "network.out_block.0.conv.fn.1.running_mean"):
            torch.testing.assert_close(first[name], value, rtol=1e-4, atol=1e-5)
    # only the first process wrote, and the log is that of the joint batch
    logs = [(tmp_path / where / "state" / "log.csv").read_text().splitlines() for where in ("one", "two")]
    losses = [[float(line.split(",")[2]) for line in lines[1:]] for lines in logs]
    assert len(losses[0]) == 8
    assert losses[1] == pytest.approx(losses[0], abs=1e-4)
    looks = [[line.split(",")[5] for line in lines[1:]] for lines in logs]
    assert [bool(look) for look in looks[0]] == [False] * 3 + [True] + [False] * 3 + [True]


def test_the_parts_of_all_processes_cover_every_item_once():
    for total in (2, 3, 8, 9):
        parts = [list(Processes(rank, 2).share(total)) for rank in range(2)]
        assert parts[0] + parts[1] == list(range(total))
        assert all(parts)


def test_a_single_process_gets_all_items(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    me = here()
    assert me.first and me.count == 1 and me.device("cuda") == "cuda"
    assert any_process(True, "cpu") and not any_process(False, "cpu")
    assert Processes(1, 2, 1).device("cuda") == "cuda:1"


def test_a_joined_batch_norm_equals_torch_in_a_single_process():
    torch.manual_seed(0)
    plain, joined = nn.BatchNorm2d(3), nn.Sequential(nn.BatchNorm2d(3))
    join_batch_norms(joined)
    assert isinstance(joined[0], JoinedBatchNorm)
    x = torch.randn(2, 3, 4, 4)
    torch.testing.assert_close(joined(x), plain(x))
    torch.testing.assert_close(joined[0].running_var, plain.running_var)


def test_a_batch_that_is_too_small_for_the_processes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(InputError, match="batch of 3 patches is too small for 4 processes"):
        train(RECIPE, TrainingSamples([object()]), tmp_path, Silent())
