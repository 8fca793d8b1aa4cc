"""Speed-up of two workers with one core each over one: for several scenes, and for the parts of one scene."""

from __future__ import annotations

import argparse
import csv
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from scaling_cluster import DaskCluster, clean_batch, cores, local_batch, running_cluster, start_pinned
from scaling_scenes import write_mosaic, write_mosaics

from sunbreak.clouds.choice import choose
from sunbreak.clouds.settings import CloudSettings
from sunbreak.cluster.connection import Connection
from sunbreak.defaults import CLOUD_DETECTOR
from sunbreak.engine.checkpoints import first_strip
from sunbreak.events import Reporter
from sunbreak.jobs.execute import run
from sunbreak.jobs.options import CleanOptions
from sunbreak.jobs.parts.spread import Spread, cut
from sunbreak.jobs.spec import JobInputs, make_spec
from sunbreak.models.registry import DEFAULT_REMOVAL, find_model
from sunbreak.scene import Scene
from sunbreak.tiling import BlendedLayout, ExactLayout

SCENES_TARGET, PARTS_TARGET = 1.85, 1.7
LEAST = 4


def scenes(options: argparse.Namespace, home: Path) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Several scenes on one worker and on two."""
    if options.scenes < LEAST:
        sys.exit(f"Give at least {LEAST} scenes.")
    files = write_mosaics(home / "in", options.scenes, options.side, options.side)
    _run_local(files[:1], home / "first")  # converts the network, which is cached
    measured = {count: _scenes_on(count, files, options.rounds, home / f"workers-{count}") for count in (1, 2)}
    one, two = measured[1], measured[2]
    figures: dict[str, Any] = {
        "one_worker": one, "two_workers": two,
        "speed_up": one["warm_s"] / two["warm_s"], "speed_up_with_start": one["with_start_s"] / two["with_start_s"],
    }  # fmt: skip
    rows = [
        (f"{number} worker{'s' * (number > 1)}: start of the processes", f"{found['start_s']:.1f} s")
        for number, found in measured.items()
    ]
    for number, found in measured.items():
        title = f"{number} worker{'s' * (number > 1)}: {options.scenes} scenes of {options.side} x {options.side}"
        rows.append((title, f"{found['warm_s']:.1f} s, with the start of the workers {found['with_start_s']:.1f} s"))
    rows.append(_ratio("speed-up, workers are warm", figures["speed_up"], SCENES_TARGET))
    rows.append(("speed-up, with the start of the workers", f"{figures['speed_up_with_start']:.2f}"))
    if not options.no_control:
        figures["control"] = _without_scheduler(files, home / "control")
        rows.append(("two processes without a scheduler over one", f"{figures['control']['speed_up']:.2f}"))
    return figures, rows


def _scenes_on(count: int, files: list[Path], rounds: int, folder: Path) -> dict[str, Any]:
    """A batch on workers that have just started, then the same on warm ones."""
    with running_cluster(folder) as cluster:
        start = start_pinned(cluster, count)
        cold, _ = clean_batch(cluster.address, files, folder / "cold")
        warm, own = [], []
        for number in range(rounds):
            seconds, result = clean_batch(cluster.address, files, folder / f"warm-{number}")
            warm.append(seconds)
            own += [outcome.seconds for outcome in result.outcomes]
    return {
        "start_s": start, "cold_s": cold, "with_start_s": start + cold, "warm_s": statistics.median(warm),
        "warm_rounds_s": warm, "scene_seconds": own,
    }  # fmt: skip


def _without_scheduler(files: list[Path], folder: Path) -> dict[str, float]:
    """The speed-up of two independent processes on two cores: what the machine allows.

    The seconds of the scenes are compared one by one, without the first one of each process, which loads everything.
    """
    first, second = cores(2)
    _run_local(files, folder / "one", first)
    half = len(files) // 2
    left_one = local_batch(files[:half], folder / "left", first)
    _run_local(files[half:], folder / "right", second)
    _wait(left_one, folder / "left")
    one, left, right = (_scene_seconds(folder / name) for name in ("one", "left", "right"))
    both = dict([*left.items()][1:] + [*right.items()][1:])
    alone = sum(one[name] for name in both)
    return {
        "scenes": len(both),
        "alone_s": alone,
        "both_s": sum(both.values()),
        "speed_up": 2 * alone / sum(both.values()),
    }


def parts(options: argparse.Namespace, home: Path) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """One tall scene on one worker, and in parts on two."""
    scene = write_mosaic(home / "in", "tall", options.rows, options.columns)
    _run_local([write_mosaic(home / "in", "small", 256, 256)], home / "first")
    figures: dict[str, Any] = {}
    for count, divided in ((1, 1), (2, options.parts)):
        with running_cluster(home / f"workers-{count}") as cluster:
            start_pinned(cluster, count)
            # each worker loads its libraries and the network once
            _parts_on(cluster, write_mosaic(home / "in", f"warm{count}", 512, 256), home / f"warm-{count}", count)
            runs = [
                _parts_on(cluster, scene, home / f"out-{count}-{number}", divided) for number in range(options.rounds)
            ]
        runs.sort(key=lambda found: found["seconds"])
        figures["one_worker" if count == 1 else "two_workers"] = runs[len(runs) // 2]
    one, two = figures["one_worker"], figures["two_workers"]
    figures["speed_up"] = one["seconds"] / two["seconds"]
    figures["detector_strips"] = _detector_strips(scene)
    figures["borders"] = borders = _borders(options.rows, options.columns, options.parts)
    figures["ceiling"] = borders["tiles"] / borders["tiles_of_longest_worker"] if options.parts == 2 else None
    rows = [
        (f"1 worker, {options.rows} x {options.columns}, 1 part", f"{one['seconds']:.1f} s, {one['tiles']} tiles"),
        (f"2 workers, {options.parts} parts", f"{two['seconds']:.1f} s"),
        _ratio("speed-up", figures["speed_up"], PARTS_TARGET),
        ("strips of tiles, and of the cloud detector", f"{borders['strips']}, {figures['detector_strips']}"),
        (f"tiles computed twice at borders, of {borders['tiles']}", f"{borders['twice']} ({borders['fraction']:.1%})"),
    ]
    if figures["ceiling"]:
        rows.append(("most that the division of the tiles allows", f"{figures['ceiling']:.2f}"))
    phases = dict.fromkeys([*one["phases"], *two["phases"]])
    rows += [
        (f"phase {unit}", f"{one['phases'].get(unit, 0):.1f} s, {two['phases'].get(unit, 0):.1f} s") for unit in phases
    ]
    return figures, rows


class _Phases(Reporter):
    """Notes how long each unit of the progress was counted."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: dict[str, float] = {}
        self._unit, self._since = "", time.perf_counter()

    def progress(self, done: float, total: float, unit: str = "tiles") -> None:
        """See `Reporter`."""
        now = time.perf_counter()
        self.seconds[self._unit] = self.seconds.get(self._unit, 0.0) + now - self._since
        self._unit, self._since = unit, now


def _parts_on(cluster: DaskCluster, scene: Path, out: Path, count: int) -> dict[str, Any]:
    """Clean a scene in so many parts; seconds from the connection to the finished layers."""
    inputs = JobInputs((scene,), (scene.with_name(scene.name.replace("_s2", "_s1")),))
    spec = make_spec("clean", inputs, out, CleanOptions(), removal=DEFAULT_REMOVAL)
    told = _Phases()
    started = time.perf_counter()
    with Spread(lambda to: Connection(to, scheduler=cluster.address), spec, told, count) as spread:
        result = run(spec, told, sharing=spread)
    seconds = time.perf_counter() - started
    told.progress(0, 0, "")
    phases = {unit: value for unit, value in told.seconds.items() if unit}
    return {"seconds": seconds, "phases": phases, "tiles": result.numbers["tiles"],
            "tiles_computed": result.numbers["tiles_computed"]}  # fmt: skip


def _borders(rows: int, columns: int, count: int) -> dict[str, Any]:
    """Tiles of the layout that are computed for more than one part, whether they are cloudy or not."""
    card = find_model(DEFAULT_REMOVAL).card
    strips = list(BlendedLayout(rows, columns, card.tile, card.overlap).strips())
    tiles = sum(len(strip.tiles) for strip in strips)
    each = [
        sum(len(strip.tiles) for strip in strips[first_strip(strips, part.first) : part.stop])
        for part in cut("clean", len(strips), count)
    ]
    return {
        "strips": len(strips), "tiles": tiles, "twice": sum(each) - tiles, "fraction": (sum(each) - tiles) / tiles,
        "tiles_of_longest_worker": max(each),
    }  # fmt: skip


def _detector_strips(path: Path) -> int:
    scene = Scene.open(path)
    detector = choose(CLOUD_DETECTOR, CloudSettings(), scene).detector
    return (
        0 if detector is None else sum(1 for _ in ExactLayout(*scene.grid.shape, detector.core, detector.halo).strips())
    )


def _scene_seconds(out: Path) -> dict[str, float]:
    with (out / "summary.csv").open(newline="", encoding="utf-8") as file:
        return {row["name"]: float(row["seconds"]) for row in csv.DictReader(file)}


def _run_local(files: list[Path], out: Path, core: int | None = None) -> None:
    _wait(local_batch(files, out, core), out)


def _wait(process: subprocess.Popen[bytes], out: Path) -> None:
    if process.wait():
        sys.exit(f"A local batch failed: {out.with_suffix('.txt').read_text()}")


def _ratio(title: str, value: float, target: float) -> tuple[str, str]:
    return f"{title} (target {target})", f"{value:.2f}{'' if value >= target else ', MISSED'}"
