"""Time of `sunbreak classify` with the bundled classifier of pixels, compared with cleaning a wholly cloudy scene.

python benchmarks/pixel_landcover.py [SIDE]

Both run over the same simulated square, by turns, with their networks converted before.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from common import say, write_scene

SIDE = int(sys.argv[1]) if len(sys.argv) > 1 else 2016  # whole cells of `write_scene`
ROUNDS = 3
TILE = 10980

with tempfile.TemporaryDirectory() as scratch:
    home = Path(scratch)
    s2, s1, mask = (str(path) for path in write_scene(home, SIDE, SIDE, cloudy_tiles=1.0))
    commands = {
        "clean": ["clean", s2, "--s1", s1, "--mask", mask],
        "classify": ["classify", s2, "--model", "resnet18-fpn-landcover"],
    }

    def run(name: str, folder: str, *more: str) -> float:
        start = time.perf_counter()
        command = [sys.executable, "-m", "sunbreak", *commands[name], "-o", str(home / folder), *more]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start

    times: dict[str, list[float]] = {name: [] for name in commands}
    for name in commands:
        run(name, f"first-{name}", "--window", "0", "0", "512", "512")
    for turn in range(ROUNDS):
        for name in commands:
            times[name].append(run(name, f"{turn}-{name}"))
per_tile = (TILE / SIDE) ** 2 / 60
rows = [
    (f"{name}, {SIDE} x {SIDE}", f"{median(held):.1f} s, {median(held) * per_tile:.0f} minutes for a full tile")
    for name, held in times.items()
]
ratios = [one / other for one, other in zip(times["classify"], times["clean"], strict=True)]
rows.append(("classify over clean, median of the rounds", f"{median(ratios):.3f}"))
say("Land cover of each pixel and cleaning", rows)
