"""Peak memory of `sunbreak clean` on scenes 10980 pixels wide; it does not depend on their height.

python benchmarks/memory.py [--bundled] [ROWS ...]

With a network of the published size, or with the bundled model, which looks at the whole scene first.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from common import full_size_model, peak, record, say, write_scene

from sunbreak.models.registry import DEFAULT_REMOVAL

WIDTH = 10980
BUNDLED = "--bundled" in sys.argv
HEIGHTS = [int(rows) for rows in sys.argv[1:] if rows != "--bundled"] or [1024, 4096]


rows, peaks = [], []
with tempfile.TemporaryDirectory() as scratch:
    home = Path(scratch)
    model = DEFAULT_REMOVAL if BUNDLED else full_size_model(home).path
    for height in HEIGHTS:
        s2, s1, mask = write_scene(home, height, WIDTH, cloudy_tiles=0.1)
        command = [sys.executable, "-m", "sunbreak", "clean", str(s2), "--s1", str(s1), "--mask", str(mask)]
        command += ["-o", str(home / f"out_{height}"), "--model", str(model)]
        if not peaks:
            # converting the network for OpenVINO needs torch; later runs take it from the cache
            rows.append((f"first run, {WIDTH} x {height}", f"{peak(command) / 1e9:.2f} GB"))
            command += ["--overwrite"]
        peaks.append(peak(command))
        rows.append((f"{WIDTH} x {height}", f"{peaks[-1] / 1e9:.2f} GB"))
        for path in (s2, s1, mask):
            path.unlink()
rows.append(("largest over smallest", f"{max(peaks) / min(peaks):.3f}"))
say("Peak resident memory of `sunbreak clean`, mask given, a tenth of the tiles cloudy", rows)
record(f"peak memory of clean, {WIDTH} x {HEIGHTS[-1]}", peaks[-1] / 1e6, "MB")
