"""Seconds until the first result: the list of commands, a preview from the command, a preview from a kept process.

python benchmarks/start.py [--rounds N]

The preview cleans 256 x 256 pixels of the demo scene, with radar and the default detector.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import record, say

from sunbreak.resources import resource_path

PROGRAM = [sys.executable, "-I", "-m", "sunbreak"]
WINDOW = ["--window", "256", "256", "256", "256"]


def preview(folder: Path) -> list[str]:
    """Arguments of the preview."""
    s2, s1 = (str(resource_path("demo", f"demo_{name}.tif")) for name in ("s2_cloudy", "s1"))
    return ["clean", s2, "--s1", s1, *WINDOW, "-o", str(folder), "--overwrite"]


def command(arguments: list[str]) -> float:
    """Seconds of a process of its own."""
    start = time.perf_counter()
    subprocess.run([*PROGRAM, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def kept(folder: Path, rounds: int) -> list[float]:
    """Seconds of previews in one process, without the first."""
    serving = [*PROGRAM, "serve"]
    with subprocess.Popen(serving, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        seconds = []
        for number in range(rounds + 1):
            start = time.perf_counter()
            process.stdin.write(json.dumps({"id": number, "arguments": preview(folder)}) + "\n")
            process.stdin.flush()
            for line in process.stdout:
                event = json.loads(line)
                if event["event"] == "ended":
                    assert event["status"] == 0, event
                    break
            seconds.append(time.perf_counter() - start)
        process.stdin.close()
    return seconds[1:]


parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int, default=5)
rounds = parser.parse_args().rounds

with tempfile.TemporaryDirectory() as scratch:
    out = Path(scratch) / "out"
    command(["--help"])
    listing = float(np.median([command(["--help"]) for _ in range(rounds)]))
    command(preview(out))
    alone = float(np.median([command(preview(out)) for _ in range(rounds)]))
    again = float(np.median(kept(out, rounds)))
say(
    f"Seconds until the result, medians of {rounds} rounds",
    [
        ("sunbreak --help", f"{listing:.2f} s"),
        ("preview of 256 x 256 from the command", f"{alone:.2f} s"),
        ("the same from a kept process", f"{again:.2f} s"),
    ],
)
record("sunbreak --help", listing, "s")
record("preview from the command", alone, "s")
record("preview from a kept process", again, "s")
