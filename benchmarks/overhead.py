"""Cost of a whole run relative to the network alone: reading, mosaic, writing and finishing, 1536 x 1536 pixels.

python benchmarks/overhead.py [ROUNDS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import full_size_model, record, say, write_scene

from sunbreak.engine.openvino_runtime import OpenVinoRuntime
from sunbreak.events import Silent
from sunbreak.jobs.single import CleanOptions, clean
from sunbreak.scene import Scene

SIDE = 1536
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 3


def network_alone(runtime: OpenVinoRuntime, count: int) -> float:
    """Seconds for the tiles of a run, with the same number in flight."""
    tile = np.random.default_rng(0).random((15, 256, 256), np.float32)
    start = time.perf_counter()
    for _ in range(count):
        while not runtime.room:
            runtime.collect()
        runtime.submit({"x": tile[None]})
    while runtime.pending:
        runtime.collect()
    return time.perf_counter() - start


def whole_run(scene: Scene, folder: Path, options: CleanOptions) -> tuple[float, int]:
    """Seconds from the opened scene to the finished layers, and the number of computed tiles."""
    start = time.perf_counter()
    result = clean(scene, folder, files, options, Silent(), overwrite=True, runtime=runtime)
    return time.perf_counter() - start, int(result.numbers["tiles_computed"])


with tempfile.TemporaryDirectory() as scratch:
    home = Path(scratch)
    files = full_size_model(home)
    runtime = OpenVinoRuntime.for_model(files)
    s2, s1, mask = write_scene(home, SIDE, SIDE, cloudy_tiles=6 / 49)
    scene = Scene.open(s2, s1, mask=mask)
    network_alone(runtime, 4)
    whole_run(Scene.open(s2, s1, mask=mask, window=(0, 0, 300, 300)), home / "warm", CleanOptions())
    full, share, ratios = [], [], []
    for _ in range(ROUNDS):
        seconds, tiles = whole_run(scene, home / "all", CleanOptions(replace_all=True))
        alone = network_alone(runtime, tiles)
        few, computed = whole_run(scene, home / "few", CleanOptions())
        ratios.append(seconds / alone)
        full.append(seconds)
        share.append(few / seconds)
say(
    f"A run over {SIDE} x {SIDE} pixels with the mask given, medians of {ROUNDS} rounds",
    [
        ("whole run, --replace-all", f"{np.median(full):.1f} s, {tiles} tiles"),
        ("beside the network alone", f"{np.median(ratios):.3f}x"),
        (f"with {computed} cloudy tiles of {tiles}", f"{np.median(share):.1%} of the full run"),
    ],
)
record("whole run beside its network", float(np.median(ratios)), "ratio")
record("run with an eighth of the tiles cloudy beside a full one", float(np.median(share)), "ratio")
