"""A simulation of many workers: the scheduler, the dispatcher and the calls are real, the workers sleep.

It shows what the scheduler and the client can serve. It shows nothing of storage, network or memory.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from scaling_cluster import Usage, running_cluster
from scaling_workers import FUNCTION

from sunbreak.cluster.calls import Call
from sunbreak.cluster.connection import Connection
from sunbreak.cluster.dispatch import Dispatcher
from sunbreak.events import Silent


def simulate(options: argparse.Namespace, home: Path) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Send sleeping calls, whose durations were measured, to many workers."""
    known = _measured(options.durations)
    rng = random.Random(options.seed)
    real = [rng.choice(known) for _ in range(options.scenes)]
    factor = sum(real) / options.workers / options.seconds
    asleep = [seconds / factor for seconds in real]
    with running_cluster(home) as cluster, _sleepers(cluster.address, options.workers, home):
        cluster.wait_for(options.workers)
        scheduler, here = psutil.Process(cluster.scheduler.pid), psutil.Process()
        with Connection(Silent(), scheduler=cluster.address) as connection:
            while connection.slots < options.workers:
                connection.look()
                time.sleep(0.2)
            calls = [Call(f"scene{number}", FUNCTION, {"seconds": seconds}) for number, seconds in enumerate(asleep)]
            events: list[str] = []
            dispatcher = Dispatcher(connection, Silent(), lambda call, event: events.append(call.name))
            before, started = (Usage.of(scheduler), Usage.of(here)), time.perf_counter()
            answers = [answer for _, answer in dispatcher.run(calls)]
            wall = time.perf_counter() - started
            used = Usage.of(scheduler).since(before[0]), Usage.of(here).since(before[1])
    if bad := [answer for answer in answers if answer.state != "done"]:
        sys.exit(f"A call failed: {bad[0].reason}")
    ideal = _greedy(asleep, options.workers)
    figures = {
        "simulated": True, "factor": factor, "wall_s": wall, "ideal_s": ideal, "events": len(events),
        "utilisation": sum(asleep) / options.workers / wall, "ideal_utilisation": sum(asleep) / options.workers / ideal,
        "scenes_per_second": options.scenes / wall, "scenes_per_day": options.scenes / (wall * factor) * 86400,
        "scheduler_cpu": used[0].cpu / wall, "client_cpu": used[1].cpu / wall,
        "scheduler_ms_per_scene": 1000 * used[0].cpu / options.scenes,
        "client_ms_per_scene": 1000 * used[1].cpu / options.scenes,
    }  # fmt: skip
    rows = [
        ("SIMULATION", f"{options.workers} workers sleep in one process; scheduler, client and calls are real"),
        ("durations", f"{len(known)} measured ones of {options.durations}, drawn for {options.scenes} scenes, {factor:.1f} times faster"),
        ("time", f"{wall:.1f} s, {wall / ideal:.3f} times that of a schedule without overhead"),
        ("utilisation of the workers", f"{figures['utilisation']:.1%}, without overhead {figures['ideal_utilisation']:.1%}"),
        ("throughput", f"{figures['scenes_per_second']:.1f} scenes a second, which stand for {figures['scenes_per_day']:.0f} a day"),
        ("processor time of the scheduler", f"{figures['scheduler_cpu']:.1%} of a core, {figures['scheduler_ms_per_scene']:.1f} ms a scene"),
        ("processor time of the client", f"{figures['client_cpu']:.1%} of a core, {figures['client_ms_per_scene']:.1f} ms a scene"),
        ("events that the client got", f"{len(events) / wall:.0f} a second"),
    ]  # fmt: skip
    return figures, rows


def _measured(path: Path) -> list[float]:
    """The seconds of scenes in the figures of another sub-command."""
    try:
        plain = json.loads(path.read_text())
    except OSError:
        sys.exit(f"{path} cannot be read: measure the sub-command cost first, or give --durations.")
    found = plain.get("scene_seconds") or plain.get("one_worker", {}).get("scene_seconds")
    if not found:
        sys.exit(f"{path} has no seconds of scenes: give the figures of the sub-command cost or scenes.")
    return [float(seconds) for seconds in found]


@contextmanager
def _sleepers(address: str, count: int, home: Path) -> Iterator[None]:
    """Workers in one process that is ended afterwards."""
    script = Path(__file__).with_name("scaling_workers.py")
    with (home / "sleepers.txt").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, str(script), address, str(count)], stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def _greedy(seconds: Sequence[float], workers: int) -> float:
    """When the last call ends if each begins, in order, on the worker that is free first."""
    free = [0.0] * workers
    for one in seconds:
        heapq.heapreplace(free, free[0] + one)
    return max(free)
