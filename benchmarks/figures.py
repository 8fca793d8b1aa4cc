"""Runs the benchmarks and keeps their figures in one JSON file, beside those of an earlier run.

python benchmarks/figures.py [-o FILE] [--against FILE] [--quick]

Ratios are compared with the earlier ones wherever they were measured. Seconds and megabytes are compared only if the
processor is the same. A figure that is worse by more than a tenth is marked; the exit status is that of the benchmarks.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from common import FIGURES

HERE = Path(__file__).resolve().parent
QUICK = (["start.py", "--rounds", "3"], ["precision.py", "--rounds", "2"])
ALL = (
    ["start.py"], ["precision.py"], ["overhead.py"], ["memory.py", "4096"], ["runtimes.py"], ["cloud_grid.py"],
    ["landcover.py"], ["landcover_memory.py"], ["pixel_landcover.py"], ["remote_window.py", "512", "256", "1024"],
)  # fmt: skip
_WORSE = 1.1


def machine() -> dict[str, Any]:
    """What the figures depend on beside the code."""
    name = platform.processor()
    facts = Path("/proc/cpuinfo")
    if facts.is_file():
        lines = facts.read_text(encoding="utf-8", errors="replace").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
        flags = next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), [])
        name += " with " + ("AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "neither AVX2 nor more")
    limited = os.environ.get("ONEDNN_MAX_CPU_ISA")
    return {"processor": name + (f", limited to {limited}" if limited else ""), "cores": os.cpu_count()}


def measured(benchmarks: tuple[list[str], ...]) -> dict[str, dict[str, Any]]:
    """The figures that the benchmarks record, by name."""
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "figures"
        target.touch()
        for name, *arguments in benchmarks:
            command = [sys.executable, str(HERE / name), *arguments]
            subprocess.run(command, check=True, env={**os.environ, FIGURES: str(target)})
        lines = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    return {line.pop("name"): line for line in lines}


def compared(figures: dict[str, dict[str, Any]], earlier: dict[str, Any], here: dict[str, Any]) -> list[str]:
    """One line for each figure, with the earlier value and a mark where it is worse."""
    lines = []
    for name, figure in figures.items():
        before = earlier.get("figures", {}).get(name)
        same = figure["unit"] == "ratio" or here == earlier.get("machine")
        line = f"{name}: {figure['value']:g} {figure['unit']}"
        if before is not None and same:
            change = figure["value"] / before["value"] if before["value"] else 1.0
            worse = change > _WORSE if figure["better"] == "lower" else change < 1 / _WORSE
            line += f" (before {before['value']:g}){'  WORSE' if worse else ''}"
        lines.append(line)
    return lines


parser = argparse.ArgumentParser()
parser.add_argument("-o", "--output", type=Path, default=Path("bench-output/figures.json"))
parser.add_argument("--against", type=Path, default=HERE / "figures.json")
parser.add_argument("--quick", action="store_true")
given = parser.parse_args()

here = machine()
figures = measured(QUICK if given.quick else ALL)
now = datetime.now(timezone.utc).isoformat(timespec="seconds")
content = {"measured": now, "machine": here, "figures": figures}
given.output.parent.mkdir(parents=True, exist_ok=True)
given.output.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
earlier = json.loads(given.against.read_text(encoding="utf-8")) if given.against.is_file() else {}
print(f"\nFigures on {here['processor']}, {here['cores']} cores")
print("\n".join(f"  {line}" for line in compared(figures, earlier, here)))
print(f"  kept in {given.output}")
