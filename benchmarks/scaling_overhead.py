"""What a scheduler adds to the time of each scene, and how the memory of the client grows."""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from scaling_cluster import Usage, batch_command, cores, running_cluster, start_pinned
from scaling_scenes import tiny_model, write_mosaics

from sunbreak.cluster.threads import thread_variables

TARGET_MS = 100.0
_LEAST = 4


@dataclass
class _Batch:
    """What was seen of a batch, an entry for each scene in the order in which they were done.

    Attributes:
        names: The scenes.
        times: When each was done.
        client: The client at these moments.
        scheduler: The scheduler, likewise; empty without one.
    """

    names: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    client: list[Usage] = field(default_factory=list)
    scheduler: list[Usage] = field(default_factory=list)


def overhead(options: argparse.Namespace, home: Path) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Many small scenes, one after the other in one process, and on one worker of a scheduler."""
    if options.scenes < options.first + _LEAST:
        sys.exit(f"Give at least {options.first + _LEAST} scenes, or a smaller --from.")
    model = tiny_model(home / "models").path
    write_mosaics(home / "in", options.scenes, options.side, options.side)
    scenes = str(home / "in" / "*_s2.tif")
    how = ("--model", str(model), "--runtime", "torch", "--device", "cpu")
    alone = _watched(batch_command(scenes, home / "alone", *how), core=cores(1)[0])
    with running_cluster(home / "cluster") as cluster:
        start_pinned(cluster, 1)
        process = psutil.Process(cluster.scheduler.pid)
        sent = _watched(
            batch_command(scenes, home / "sent", *how, "--executor", "dask", "--scheduler", cluster.address), process
        )
    around = {"alone": _around(alone, home / "alone"), "sent": _around(sent, home / "sent")}
    memory = [usage.rss / 2**20 for usage in sent.client]
    last, first = len(memory) - 1, options.first - 1
    counted = last - first
    figures: dict[str, Any] = {
        "around_alone_ms": around["alone"][0], "around_sent_ms": around["sent"][0],
        "overhead_ms": around["sent"][0] - around["alone"][0],
        "scene_alone_ms": around["alone"][1], "scene_sent_ms": around["sent"][1],
        "client_cpu_ms": 1000 * sent.client[last].since(sent.client[first]).cpu / counted,
        "scheduler_cpu_ms": 1000 * sent.scheduler[last].since(sent.scheduler[first]).cpu / counted,
        "client_rss_mib": memory, "client_growth_mib": memory[last] - memory[first],
        "client_growth_median_mib": statistics.median(memory[-_LEAST:]) - statistics.median(memory[first:][:_LEAST]),
    }  # fmt: skip
    missed = "" if figures["around_sent_ms"] < TARGET_MS else ", MISSED"
    rows = [
        (f"a scene of {options.side} px by itself", f"{figures['scene_sent_ms']:.0f} ms on a worker"),
        ("between scenes, in one process without a scheduler", f"{figures['around_alone_ms']:.1f} ms"),
        (f"between scenes, on a worker (target < {TARGET_MS:.0f} ms)", f"{figures['around_sent_ms']:.1f} ms{missed}"),
        ("the scheduler adds", f"{figures['overhead_ms']:.1f} ms a scene"),
        ("processor time of the client", f"{figures['client_cpu_ms']:.1f} ms a scene"),
        ("processor time of the scheduler", f"{figures['scheduler_cpu_ms']:.1f} ms a scene"),
        (f"resident memory of the client at scene {first + 1} and {last + 1}", f"{memory[first]:.1f} and {memory[last]:.1f} MiB"),
        ("growth", f"{figures['client_growth_mib']:+.1f} MiB, of medians of {_LEAST} scenes {figures['client_growth_median_mib']:+.1f} MiB"),
    ]  # fmt: skip
    return figures, rows


def _watched(command: list[str], scheduler: psutil.Process | None = None, core: int | None = None) -> _Batch:
    """Run a batch to its end and look at the processes whenever a scene is done."""
    pinned = [] if core is None else ["taskset", "--cpu-list", str(core)]
    seen = _Batch()
    # under --events, a closed standard input would cancel the batch
    process = subprocess.Popen(
        [*pinned, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **thread_variables(1)}
    )
    client = psutil.Process(process.pid)
    for line in process.stdout or ():
        event = json.loads(line)
        name, _, text = event.get("text", "").partition(": ")
        if text.startswith("done in"):
            seen.names.append(name)
            seen.times.append(time.perf_counter())
            seen.client.append(Usage.of(client))
            if scheduler is not None:
                seen.scheduler.append(Usage.of(scheduler))
    if process.wait():
        sys.exit("a batch failed")
    return seen


def _around(batch: _Batch, out: Path) -> tuple[float, float]:
    """Milliseconds of a scene that are none of its own, and its own, without the first scene, which loads everything."""
    with (out / "summary.csv").open(newline="", encoding="utf-8") as file:
        own = {row["name"]: float(row["seconds"]) for row in csv.DictReader(file)}
    count = len(batch.names) - 1
    inside = sum(own[name] for name in batch.names[1:])
    return 1000 * (batch.times[-1] - batch.times[0] - inside) / count, 1000 * inside / count
