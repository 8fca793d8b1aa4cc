"""Time and error of the runtimes relative to eager torch, on 256 px tiles.

python benchmarks/runtimes.py [--tiles N]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from common import full_size_model, say

from sunbreak.engine.openvino_runtime import OpenVinoRuntime
from sunbreak.engine.runtime import TorchRuntime
from sunbreak.models.architectures import load_model
from sunbreak.models.networks import RemovalNetwork

ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 5
rng = np.random.default_rng(0)
tiles = [rng.random((15, 256, 256), np.float32) for _ in range(4)]

with tempfile.TemporaryDirectory() as scratch:
    files = full_size_model(Path(scratch))
    module = load_model(files)
    runtimes = {
        "OpenVINO": OpenVinoRuntime.for_model(files),
        "torch, folded, channels last": TorchRuntime(RemovalNetwork(module, moments=True), torch.device("cpu"), 256),
    }

    def eager() -> list[np.ndarray]:
        with torch.inference_mode():
            return [module(torch.from_numpy(tile)[None, None])[0][0].numpy() for tile in tiles[:1]]

    def through(runtime) -> list[np.ndarray]:
        means = []
        for tile in tiles:
            if not runtime.room:
                means.append(runtime.collect()[0][0, :13].copy())
            runtime.submit({"x": tile[None]})
        while runtime.pending:
            means.append(runtime.collect()[0][0, :13].copy())
        return means

    expected = eager()
    errors = {name: float(np.abs(through(runtime)[0] - expected[0]).max()) for name, runtime in runtimes.items()}
    seconds: dict[str, list[float]] = {name: [] for name in ("eager", *runtimes)}
    for _ in range(ROUNDS):
        start = time.perf_counter()
        eager()
        seconds["eager"].append(time.perf_counter() - start)
        for name, runtime in runtimes.items():
            start = time.perf_counter()
            through(runtime)
            seconds[name].append((time.perf_counter() - start) / len(tiles))

rows = [("plain eager torch", f"{np.median(seconds['eager']):.2f} s per tile")]
for name in runtimes:
    ratio = np.median(np.array(seconds["eager"]) / np.array(seconds[name]))
    rows.append((name, f"{np.median(seconds[name]):.2f} s per tile, {ratio:.1f}x, largest error {errors[name]:.1e}"))
say(f"Runtimes on the CPU ({torch.get_num_threads()} threads), medians of {ROUNDS} rounds", rows)
