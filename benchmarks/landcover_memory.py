"""Peak memory of `sunbreak classify`, `explain` and `run` on scenes 10980 pixels wide; it does not depend on their height.

python benchmarks/landcover_memory.py [ROWS ...]

Explanations use a stride of half a patch instead of an eighth. In the chain they are stopped after their first tenth:
later strips need the same memory.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from common import full_size_model, peak, say, write_scene

WIDTH = 10980
PIXELS = "resnet18-fpn-landcover"
HEIGHTS = [int(rows) for rows in sys.argv[1:]] or [1024, 4096]
# cleaning, classifying and explaining are 60, 15 and 25 % of the chain's bar
INTO_EXPLAINING = 78.0

rows: list[tuple[str, str]] = []
peaks: dict[str, list[int]] = {}
with tempfile.TemporaryDirectory() as scratch:
    home = Path(scratch)
    model = str(full_size_model(home).path)
    for height in HEIGHTS:
        s2, s1, mask = (str(path) for path in write_scene(home, height, WIDTH, cloudy_tiles=0.1))
        chain = ["run", s2, "--s1", s1, "--mask", mask, "--model", model]
        commands = {
            "classify": (["classify", s2], None),
            "classify each pixel": (["classify", s2, "--model", PIXELS], None),
            "explain": (["explain", s2, "--stride", "32"], None),
            "run, without explanation": ([*chain, "--class", "none"], None),
            "run, into the explanation": (chain, INTO_EXPLAINING),
        }
        if not peaks:
            # converting the networks for OpenVINO needs more, and happens once
            small = ["--window", "0", "0", "512", "512", "-o", str(home / "first")]
            peak([sys.executable, "-m", "sunbreak", *chain, *small, "--class", "none"])
            peak([sys.executable, "-m", "sunbreak", "classify", s2, "--model", PIXELS, *small, "--overwrite"])
        for name, (command, until) in commands.items():
            found = peak([sys.executable, "-m", "sunbreak", *command, "-o", str(home / f"{height}-{name}")], until)
            peaks.setdefault(name, []).append(found)
            rows.append((f"{name}, {WIDTH} x {height}", f"{found / 1e9:.2f} GB"))
            print(*rows[-1], flush=True)
        for path in (s2, s1, mask):
            Path(path).unlink()
rows += [(f"{name}, largest over smallest", f"{max(found) / min(found):.3f}") for name, found in peaks.items()]
say("Peak resident memory, a tenth of the tiles cloudy", rows)
