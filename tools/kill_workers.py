"""Kills the workers of a batch at random moments: `python tools/kill_workers.py --kills 30 --seed 1`.

Scenes are cleaned on a real scheduler with two workers. At random moments the process of one of them, chosen at random,
is killed (SIGKILL); its keeper starts another. If a batch ends before all kills have happened, the next one begins.
At the end every scene of every batch must be complete, with the bytes of a local run that nobody disturbed. A scene is
given up if three workers ended one after the other while it got no further, which kills that follow fast cause. It is
then completed with ``--resume``, which nobody disturbs, and the table says how many scenes were given up.

What was computed more than once is counted tile by tile. A module that every worker loads notes each tile whose output
came back from the network, with its scene. A tile that was under way when its worker was killed is not noted: its
output was lost. Noted tiles of a strip behind the last checkpoint, and those of the strip before the place where a
scene resumes, are computed again. A scene fails the test if it needs more than twice its tiles over all attempts.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "backend" / "support"))

import psutil
from dask_cluster import SUNBREAK, DaskCluster, dask_cluster, layers_in, left_in

LIMIT = 2.0
LOST = "workers ended one after the other"
LIMIT_S = 3600
NOTES = "SUNBREAK_NOTED_TILES"
#: Loaded by every worker: appends a line for each group of tiles whose output is there.
NOTE = """
import os
import sys


class _Finder:
    def find_spec(self, name, path=None, target=None):
        if name != "sunbreak.engine.run":
            return None
        sys.meta_path.remove(self)
        import importlib.util

        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def execute(module):
            load(module)
            whole = module._Run._collect

            def collect(run):
                whole_index, tiles = run.running[0]
                whole(run)
                scene = getattr(run.task, "scene", None)
                if scene is None:
                    return
                kind = "clouds" if type(run.runtime).__name__ == "DetectorRuntime" else "network"
                places = " ".join(f"{tile.row},{tile.col}" for tile in tiles)
                line = f"{kind} {scene.stem} {places}\\n".encode()
                file = os.open(os.environ["SUNBREAK_NOTED_TILES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                os.write(file, line)
                os.close(file)

            module._Run._collect = collect

        spec.loader.exec_module = execute
        return spec


if os.environ.get("SUNBREAK_NOTED_TILES"):
    sys.meta_path.insert(0, _Finder())
"""


class Killer(threading.Thread):
    """Kills a worker again and again.

    Args:
        cluster: The cluster.
        rng: Of the moments and the victims.
        every: Seconds between two kills, on average.
        most: Kills after which it stops.
    """

    def __init__(self, cluster: DaskCluster, rng: random.Random, every: float, most: int) -> None:
        super().__init__(daemon=True)
        self._cluster, self._rng, self._every, self._most = cluster, rng, every, most
        self._over = threading.Event()
        self.kills = 0

    def run(self) -> None:
        """Kill until `stop` is called or there were enough."""
        while self.kills < self._most and not self._over.wait(self._rng.uniform(0.2, 1.8) * self._every):
            victims = workers_of(self._cluster)
            if victims:
                with contextlib.suppress(psutil.NoSuchProcess):
                    self._rng.choice(victims).kill()
                    self.kills += 1

    def stop(self) -> int:
        """Stop; how many were killed."""
        self._over.set()
        self.join()
        return self.kills


def workers_of(cluster: DaskCluster) -> list[psutil.Process]:
    """The processes that compute, without those that keep them."""
    found = []
    for process in cluster.worker_processes():
        with contextlib.suppress(psutil.Error):
            if not process.children():
                found.append(process)
    return found


def batch(scenes: Sequence[Path], out: Path, model: str, environment: dict[str, str], *more: str) -> list[str]:
    """Clean the scenes; the reasons of those that failed. Ends the program if the command fails."""
    command = [
        *SUNBREAK, "batch", *map(str, scenes), "--task", "clean", "--s1-pattern", "{stem}_s1.tif", "-o", str(out),
        "--model", model, "--device", "cpu", *more,
    ]  # fmt: skip
    done = subprocess.run(
        command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=LIMIT_S, check=False,
    )  # fmt: skip
    if done.returncode not in (0, 1):
        sys.exit(f"the batch ends with {done.returncode}: {done.stderr}")
    with (out / "summary.csv").open(newline="", encoding="utf-8") as file:
        return [row["reason"] for row in csv.DictReader(file) if row["status"] == "failed"]


def noted(path: Path, kind: str = "network") -> dict[str, Counter[str]]:
    """How often each tile of each scene was computed, by the network or by the cloud detector (``clouds``)."""
    found: dict[str, Counter[str]] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        what, scene, *places = line.split()
        if what == kind:
            found.setdefault(scene, Counter()).update(places)
    return found


def repeats(
    needed: dict[str, Counter[str]], computed: dict[str, Counter[str]]
) -> tuple[dict[str, float], Counter[int]]:
    """How much was computed again.

    Args:
        needed: Tiles of the undisturbed run, by scene.
        computed: Those of all attempts of one batch.

    Returns:
        Computed over needed tiles of each scene, and the number of tiles by how often they were computed.
    """
    ratios = {
        scene: sum(computed.get(scene, Counter()).values()) / sum(tiles.values()) for scene, tiles in needed.items()
    }
    times = Counter(count for tiles in computed.values() for count in tiles.values())
    return ratios, times


def check(out: Path, expected: dict[str, bytes]) -> list[str]:
    """What is wrong with the results of a batch, a line each."""
    found = layers_in(out)
    changed = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
    failures = [f"{len(changed)} files differ from the undisturbed run, such as {changed[0]}"] if changed else []
    left = left_in(out)
    return failures + ([f"left {', '.join(left[:3])}"] if left else [])


@dataclass
class Tally:
    """What happened in all batches.

    Attributes:
        kills: Workers that were killed.
        scenes: Scenes that were asked for.
        given_up: Those that failed because workers ended one after the other.
        ratios: Computed over needed tiles of each scene.
        tiles: Tiles of the network, by how often they were computed.
        cloud_tiles: Tiles of the cloud detector, likewise.
        failures: What went wrong, a line for each.
    """

    kills: int = 0
    scenes: int = 0
    given_up: int = 0
    ratios: list[float] = field(default_factory=list)
    tiles: Counter[int] = field(default_factory=Counter)
    cloud_tiles: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, needed: dict[str, Counter[str]], notes: Path, batch_number: int) -> None:
        """Count what the workers of a batch noted."""
        ratios, tiles = repeats(needed, noted(notes))
        self.ratios += ratios.values()
        self.tiles += tiles
        self.cloud_tiles += repeats({}, noted(notes, "clouds"))[1]
        for scene, ratio in ratios.items():
            if ratio > LIMIT:
                self.failures.append(f"batch {batch_number}: {scene} computed {ratio:.2f} times its tiles")

    def show(self, seed: int) -> None:
        """Print the table."""
        print(f"{self.kills} kills (seed {seed}), {self.scenes} scenes, {len(self.failures)} failures")
        print(f"given up after workers ended one after the other, and completed with --resume: {self.given_up}")
        mean = sum(self.ratios) / len(self.ratios)
        print(f"computed over needed tiles of a scene: mean {mean:.3f}, largest {max(self.ratios):.3f}")
        for title, times in (("tiles", self.tiles), ("tiles of the cloud detector", self.cloud_tiles)):
            counts = ", ".join(f"{count}x {times[count]}" for count in sorted(times))
            print(f"{title}, by how often they were computed: {counts}")
        for line in self.failures:
            print(f"FAILED {line}")


def main() -> None:
    """Parse the options, disturb batches, print what held."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30, help="SIGKILLs in all")
    parser.add_argument("--seed", type=int, default=1, help="of the moments and the victims")
    parser.add_argument("--every", type=float, default=20.0, help="seconds between two kills, on average")
    parser.add_argument("--scenes", type=int, default=12, help="scenes of a batch")
    parser.add_argument("--rows", type=int, default=5120, help="height of a scene in pixels")
    parser.add_argument("--columns", type=int, default=256, help="width of a scene in pixels")
    parser.add_argument("--model", default="", help="name or card of the model; the bundled one if not given")
    options = parser.parse_args()
    if options.kills < 1:
        parser.error("--kills must be at least 1")
    from scaling_scenes import write_mosaics

    from sunbreak.cluster.threads import thread_variables
    from sunbreak.models.registry import DEFAULT_REMOVAL

    model, rng, tally, number = options.model or DEFAULT_REMOVAL, random.Random(options.seed), Tally(), 0
    with tempfile.TemporaryDirectory(prefix="sunbreak-kill-workers-") as scratch:
        root = Path(scratch)
        hook = root / "hook"
        hook.mkdir()
        (hook / "sitecustomize.py").write_text(NOTE)
        scenes = write_mosaics(root / "in", options.scenes, options.rows, options.columns)
        own = {"PYTHONPATH": str(hook), NOTES: str(root / "needed.txt"), **thread_variables(1)}
        if failed := batch(scenes, root / "whole", model, own):
            sys.exit(f"a scene fails without being disturbed: {failed[0]}")
        expected, needed = layers_in(root / "whole"), noted(root / "needed.txt")
        print(f"{len(scenes)} scenes of {options.rows} x {options.columns}: {sum(map(len, needed.values()))} tiles")
        while tally.kills < options.kills:
            number += 1
            notes, out = root / f"noted-{number}.txt", root / f"out-{number}"
            own = {"PYTHONPATH": str(hook), NOTES: str(notes)}
            with dask_cluster(root / f"cluster-{number}", 2, **own) as cluster:
                cluster.wait_for(2)
                where = ("--executor", "dask", "--scheduler", cluster.address)
                killer = Killer(cluster, rng, options.every, options.kills - tally.kills)
                killer.start()
                started = time.monotonic()
                failed = batch(scenes, out, model, {}, *where)
                seconds, kills = time.monotonic() - started, killer.stop()
                lost = [reason for reason in failed if LOST in reason]
                again = batch(scenes, out, model, {}, *where, "--resume") if failed else []
            wrong = check(out, expected) + again + [reason for reason in failed if reason not in lost]
            tally.kills, tally.scenes, tally.given_up = (
                tally.kills + kills, tally.scenes + len(scenes), tally.given_up + len(lost)
            )  # fmt: skip
            tally.failures += [f"batch {number}: {line}" for line in wrong]
            tally.add(needed, notes, number)
            same = "identical" if not wrong else "NOT identical"
            print(f"batch {number}: {kills} workers killed in {seconds:.0f} s, {len(failed)} scenes given up, {same}")
            shutil.rmtree(out, ignore_errors=True)
    tally.show(options.seed)
    sys.exit(1 if tally.failures else 0)


if __name__ == "__main__":
    main()
