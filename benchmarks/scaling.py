"""How work is spread over processes and machines: speed-up, overhead, cost of a tile, and a simulation of many workers.

python benchmarks/scaling.py scenes|parts|overhead|cost|simulate [--help]

Each sub-command prints a table and writes its figures to ``scaling-output/<sub-command>.json``. The machine should do
nothing else. Workers get one core each.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import scaling_cost
import scaling_overhead
import scaling_simulation
import scaling_speedup
from common import say
from scaling_cluster import machine

Measured = tuple[dict[str, Any], list[tuple[str, str]]]
OUTPUT = Path("scaling-output")
BUSY = 0.5


def parser() -> argparse.ArgumentParser:
    """The sub-commands and their options."""
    top = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    top.add_argument(
        "--folder", type=Path, help="for scenes and results, removed at the end; a temporary one if not given"
    )
    top.add_argument("--json", type=Path, help=f"file of the figures; {OUTPUT}/<sub-command>.json if not given")
    commands = top.add_subparsers(dest="command", required=True)

    scenes = commands.add_parser("scenes", help="two one-core workers beside one, on several scenes")
    scenes.add_argument("--scenes", type=int, default=8)
    scenes.add_argument("--side", type=int, default=768, help="pixels")
    scenes.add_argument("--rounds", type=int, default=1, help="of the warm batch; the median counts")
    scenes.add_argument("--no-control", action="store_true", help="leave out the processes without a scheduler")
    scenes.set_defaults(measure=scaling_speedup.scenes)

    parts = commands.add_parser("parts", help="two one-core workers beside one, on one tall scene")
    parts.add_argument(
        "--rows", type=int, default=6912, help="pixels; the default is six strips of the cloud detector, 36 of tiles"
    )
    parts.add_argument("--columns", type=int, default=512, help="pixels")
    parts.add_argument("--parts", type=int, default=2, help="parts for the two workers")
    parts.add_argument("--rounds", type=int, default=1, help="the median counts")
    parts.set_defaults(measure=scaling_speedup.parts)

    overhead = commands.add_parser("overhead", help="time around each scene, and the memory of the client")
    overhead.add_argument("--scenes", type=int, default=200)
    overhead.add_argument("--side", type=int, default=64, help="pixels")
    overhead.add_argument("--from", dest="first", type=int, default=20, help="scene from which on growth is counted")
    overhead.set_defaults(measure=scaling_overhead.overhead)

    cost = commands.add_parser("cost", help="processor seconds and bytes of a 100 x 100 km tile by cloud cover")
    cost.add_argument("--side", type=int, default=1792, help="pixels of the measured scene")
    cost.add_argument("--covers", type=float, nargs="+", default=[0, 10, 30, 60, 100], help="percent")
    cost.add_argument("--seed", type=int, default=1, help="of the simulated scene")
    cost.set_defaults(measure=scaling_cost.cost)

    simulate = commands.add_parser("simulate", help="a real scheduler and many workers that sleep")
    simulate.add_argument("--workers", type=int, default=64)
    simulate.add_argument("--scenes", type=int, default=1000)
    simulate.add_argument("--seconds", type=float, default=120, help="about how long the simulation takes")
    simulate.add_argument("--seed", type=int, default=1)
    simulate.add_argument(
        "--durations", type=Path, default=OUTPUT / "cost.json", help="figures of the sub-command cost or scenes"
    )
    simulate.set_defaults(measure=scaling_simulation.simulate)
    return top


def main() -> None:
    """Measure, print, and write the figures."""
    options = parser().parse_args()
    measure: Callable[[argparse.Namespace, Path], Measured] = options.measure
    where = machine()
    if where["load"] > BUSY:
        print(f"The machine is busy: its load is {where['load']}. The times will be too long.", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="sunbreak-scaling-", dir=options.folder) as scratch:
        figures, rows = measure(options, Path(scratch))
    say(f"{options.command}: {where['processor']}, {where['cores']} cores, load {where['load']} at the start", rows)
    target = options.json or OUTPUT / f"{options.command}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    asked = {
        key: str(value) if isinstance(value, Path) else value
        for key, value in vars(options).items()
        if key != "measure"
    }
    target.write_text(json.dumps({"machine": where, "options": asked, **figures}, indent=2) + "\n")
    print(f"figures: {target}")


if __name__ == "__main__":
    main()
