"""Trainings whose threads spin long or sleep soon while they wait, alone and beside three busy loops on every core.

python benchmarks/waiting_threads.py [ROUNDS]

Sunbreak lets them sleep soon (GOMP_SPINCOUNT, in `sunbreak/__init__.py`). The ratio is that of the medians in one run.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

from common import say

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 3
STEPS = {"small network, 48 px": (16, 2, 48, 100), "classifier-like network, 64 px": (64, 48, 64, 3)}
PROGRAM = """
import sys, time, torch
from torch import nn
width, batch, size, steps = map(int, sys.argv[1:])
torch.manual_seed(0)
net = nn.Sequential(nn.Conv2d(15, width, 3, padding=1), nn.GroupNorm(4, width), nn.ReLU(),
                    nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, 13, 1))
optimiser = torch.optim.Adam(net.parameters())
x, y = torch.randn(batch, 15, size, size), torch.randn(batch, 13, size, size)
for step in range(steps + 2):
    if step == 2:
        start = time.perf_counter()
    optimiser.zero_grad()
    ((net(x) - y) ** 2).mean().backward()
    optimiser.step()
print((time.perf_counter() - start) / steps)
"""


def seconds(rounds: str, sizes: tuple[int, ...]) -> float:
    """Time of a training step in a new process."""
    call = [sys.executable, "-c", PROGRAM, *map(str, sizes)]
    done = subprocess.run(call, env=os.environ | {"GOMP_SPINCOUNT": rounds}, capture_output=True, text=True, check=True)
    return float(done.stdout)


rows = []
for beside in ("alone", "beside busy loops"):
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(3 * (os.cpu_count() or 1))]
    if beside == "alone":
        for loop in loops:
            loop.kill()
    try:
        for name, sizes in STEPS.items():
            times = {rounds: [seconds(rounds, sizes) for _ in range(ROUNDS)] for rounds in ("300000", "1000")}
            spinning, sleeping = (statistics.median(times[rounds]) for rounds in times)
            rows.append(
                (
                    f"{name}, {beside}",
                    f"spinning {spinning * 1e3:.1f} ms, sleeping {sleeping * 1e3:.1f} ms: {sleeping / spinning:.2f}",
                )
            )
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
say("A training step whose threads spin 300,000 rounds or 1,000 while they wait", rows)
