"""How many threads torch computes with: on a CPU it decides the last digits of every sum, and so what is learnt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch compute with so many threads, not numpy; afterwards the earlier number holds again."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def described(device: str) -> str:
    """The device with torch's threads, for a card: ``cpu, 2 threads``."""
    if device != "cpu":
        return device
    count = torch.get_num_threads()
    return f"cpu, {count} thread{'' if count == 1 else 's'}"
