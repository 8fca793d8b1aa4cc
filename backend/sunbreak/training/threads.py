"""How many threads torch computes with: on a CPU it decides the last digits of every sum, and so what is learnt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with so many threads, whatever the machine and OMP_NUM_THREADS say; the earlier number comes back."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def described(device: str) -> str:
    """The device with what the last digits depend on, for a card: ``cpu, 2 threads``."""
    if device != "cpu":
        return device
    count = torch.get_num_threads()
    return f"cpu, {count} thread{'' if count == 1 else 's'}"
