"""A dask scheduler and workers that have one core each, batches on them, and what their processes use."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "backend" / "support"))

from dask_cluster import SUNBREAK, DaskCluster

from sunbreak.batches.dask_executor import DaskExecutor
from sunbreak.batches.manifest import BatchScene
from sunbreak.batches.outcome import BatchResult
from sunbreak.batches.runner import run_batch
from sunbreak.batches.specs import specs_of
from sunbreak.cluster.connection import Connection, usable_cores
from sunbreak.cluster.threads import thread_variables
from sunbreak.events import Silent
from sunbreak.jobs.options import CleanOptions
from sunbreak.jobs.spec import JobInputs
from sunbreak.models.registry import DEFAULT_REMOVAL

_CLEAN = ("--task", "clean", "--s1-pattern", "{stem}_s1.tif")


def cores(count: int) -> list[int]:
    """The numbers of so many cores that this process may use."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < count:
        sys.exit(f"{count} cores are needed, and {len(usable)} may be used.")
    return usable[:count]


def machine() -> dict[str, Any]:
    """What the figures were measured on, and how busy it was."""
    models = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
              if line.startswith("model name")]  # fmt: skip
    return {
        "processor": models[0] if models else "unknown", "cores": usable_cores(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1), "load": round(os.getloadavg()[0], 2),
    }  # fmt: skip


@contextmanager
def running_cluster(folder: Path) -> Iterator[DaskCluster]:
    """A scheduler without workers; what it and its workers say goes into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster = DaskCluster(folder)
    try:
        cluster.start_scheduler()
        yield cluster
    finally:
        cluster.stop()


def start_pinned(cluster: DaskCluster, count: int) -> float:
    """Start workers that have one core each; seconds until the scheduler knows all of them."""
    started = time.perf_counter()
    for core in cores(count):
        cluster.start_workers(1, core)
    cluster.wait_for(count)
    return time.perf_counter() - started


def clean_batch(
    address: str, scenes: Sequence[Path], out: Path, model: str = DEFAULT_REMOVAL
) -> tuple[float, BatchResult]:
    """Clean scenes on the workers of a scheduler: seconds from the call to the summary, and the result."""
    found = [BatchScene(_name(path), (path,), (_radar(path),)) for path in scenes]
    specs = specs_of(found, out, "clean", JobInputs(found[0].s2), CleanOptions(), removal=model)
    executor = DaskExecutor(lambda told: Connection(told, scheduler=address))
    started = time.perf_counter()
    result = run_batch(specs, out, executor, Silent())
    seconds = time.perf_counter() - started
    failed = [outcome.reason for outcome in result.outcomes if outcome.status != "done"]
    if failed:
        sys.exit(f"A scene failed: {failed[0]}")
    return seconds, result


def local_batch(scenes: Sequence[Path], out: Path, core: int | None = None) -> subprocess.Popen[bytes]:
    """Begin to clean scenes one after the other in one process with one thread, on a given core.

    What it says goes into a file beside `out`.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    pinned = [] if core is None else ["taskset", "--cpu-list", str(core)]
    files = [str(path) for path in scenes]
    with out.with_suffix(".txt").open("wb") as said:
        return subprocess.Popen(
            [*pinned, *SUNBREAK, "batch", *files, *_CLEAN, "-o", str(out)],
            env={**os.environ, **thread_variables(1)}, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
        )  # fmt: skip


def batch_command(pattern: str, out: Path, *more: str) -> list[str]:
    """The command that cleans the scenes that a pattern matches, with its events on standard output."""
    return [*SUNBREAK, "batch", pattern, *_CLEAN, "-o", str(out), "--events", *more]


@dataclass(frozen=True)
class Usage:
    """What a process has used so far.

    Attributes:
        cpu: Processor seconds.
        read: Bytes that it asked the system for, from files, caches and sockets.
        written: Bytes that it gave to the system.
        rss: Resident bytes at this moment.
    """

    cpu: float
    read: int
    written: int
    rss: int

    @classmethod
    def of(cls, process: psutil.Process) -> Usage:
        """Look at a process."""
        with process.oneshot():
            times, counted, memory = process.cpu_times(), process.io_counters(), process.memory_info()
        return cls(times.user + times.system, counted.read_chars, counted.write_chars, memory.rss)

    def since(self, before: Usage) -> Usage:
        """What was used between two looks; `rss` is how much it grew."""
        return Usage(
            self.cpu - before.cpu, self.read - before.read, self.written - before.written, self.rss - before.rss
        )


def _name(path: Path) -> str:
    return path.stem.removesuffix("_s2")


def _radar(path: Path) -> Path:
    return path.with_name(f"{_name(path)}_s1.tif")
