"""Time and peak memory of `sunbreak clean` with four other dates, beside the same scene alone.

python benchmarks/other_dates_cost.py [ROWS ...]

Scenes are 10980 pixels wide, three tenths of the tiles cloudy. The scene's mask is given, the clouds of the other dates
are detected. Measure on a machine that does nothing else.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from common import peak, say, write_scene

WIDTH, DATES = 10980, ("2020-04-20", "2020-05-15", "2020-06-14", "2020-07-09")
HEIGHTS = [int(rows) for rows in sys.argv[1:]] or [1024, 4096]


def measure(command: list[str]) -> tuple[float, int]:
    """Seconds and bytes of a run."""
    start = time.monotonic()
    most = peak(command)
    return time.monotonic() - start, most


for height in HEIGHTS:
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        s2, s1, mask = write_scene(home, height, WIDTH, cloudy_tiles=0.3)
        target = s2.rename(home / "S2_L1C_2020-05-30.tif")
        dates = [home / f"S2_L1C_{day}.tif" for day in DATES]
        for path in dates:
            # the same clouds would leave nothing to fill; the scene's are in its mask alone
            shutil.copy(target, path)
        command = [sys.executable, "-m", "sunbreak", "clean", str(target), "--s1", str(s1), "-o", str(home / "out")]
        command += ["--mask", str(mask), "--overwrite"]
        others = [part for path in dates for part in ("--reference", str(path))]
        measure([*command, "--window", "0", "0", "512", "512"])  # fills the cache of compiled networks
        alone, alone_bytes = measure(command)
        together, bytes_together = measure([*command, *others])
        rows = [
            ("alone", f"{alone:.0f} s, {alone_bytes / 1e9:.2f} GB"),
            ("with four other dates", f"{together:.0f} s, {bytes_together / 1e9:.2f} GB"),
            ("ratio of the times", f"{together / alone:.2f}"),
        ]
        say(f"{WIDTH} x {height}", rows)
