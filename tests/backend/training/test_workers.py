"""A worker process that the system kills ends the work with a line that says so, not with an internal error."""

from __future__ import annotations

import os
import signal
import sys

import pytest
from torch.utils.data import DataLoader, Dataset

from sunbreak.errors import RunError
from sunbreak.training.workers import lost_worker_is_named, map_in_processes


def test_results_come_in_the_order_of_the_items():
    assert map_in_processes(abs, [-3, 2, -1], 2, chunk=1) == [3, 2, 1]


@pytest.mark.skipif(sys.platform == "win32", reason="kills by a signal")
def test_a_killed_process_of_a_pool_is_named():
    with pytest.raises(RunError, match="worker process was lost") as caught:
        map_in_processes(signal.raise_signal, [signal.SIGKILL] * 2, 1, chunk=1)
    assert caught.value.code == "worker-lost"


class Deadly(Dataset):
    """Kills the process that reads its second item."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> int:
        if index == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return index


@pytest.mark.skipif(sys.platform != "linux", reason="the loader forks its workers there")
def test_a_killed_process_of_a_loader_is_named():
    with pytest.raises(RunError, match="worker process was lost"), lost_worker_is_named():
        list(DataLoader(Deadly(), num_workers=1))


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="shapes"), lost_worker_is_named():
        raise RuntimeError("shapes differ")
