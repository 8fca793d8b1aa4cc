"""A dask scheduler and workers of `sunbreak worker`, each in a process of its own, over loopback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

SCHEDULER = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
SUNBREAK = [sys.executable, "-u", "-m", "sunbreak"]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class DaskCluster:
    """Its processes.

    Attributes:
        folder: For what they print.
        environment: Of the workers, beside that of this process.
    """

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def start_scheduler(self) -> None:
        command = [*SCHEDULER, "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"]
        self.scheduler = self._start("scheduler", command, {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"})
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError((self.folder / "scheduler.txt").read_text())

    def start_workers(self, count: int, core: int | None = None, **environment: str) -> None:
        """Start a process that keeps so many workers; it and they use one core only, if it is given."""
        command = [*SUNBREAK, "worker", self.address, "--workers", str(count), "--threads", "1"]
        if core is not None:
            command = ["taskset", "--cpu-list", str(core), *command]
        self.workers.append(self._start(f"workers-{len(self.workers)}", command, {**self.environment, **environment}))

    def wait_for(self, count: int) -> None:
        """Wait until the scheduler knows so many workers."""
        from distributed import Client

        with Client(self.address) as client:
            client.wait_for_workers(count, timeout=60)

    def worker_processes(self) -> list[psutil.Process]:
        """The processes that work: children of those that keep them."""
        found = []
        for keeper in self.workers:
            if keeper.poll() is None:
                children = psutil.Process(keeper.pid).children(recursive=True)
                found += [one for one in children if "resource_tracker" not in " ".join(_command(one))]
        return found

    def stop_scheduler(self) -> None:
        if self.scheduler is not None:
            self.scheduler.send_signal(signal.SIGKILL)
            self.scheduler.wait(30)

    def stop(self) -> None:
        for process in [*self.workers, *([self.scheduler] if self.scheduler else [])]:
            process.terminate()
        for process in [*self.workers, *([self.scheduler] if self.scheduler else [])]:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()

    def _start(self, name: str, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.txt").open("ab") as said:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env={**os.environ, **environment}
            )


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@contextmanager
def dask_cluster(folder: Path, workers: int, **environment: str) -> Iterator[DaskCluster]:
    """A scheduler and so many workers."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster = DaskCluster(folder, environment)
    try:
        cluster.start_scheduler()
        if workers:
            cluster.start_workers(workers)
        yield cluster
    finally:
        cluster.stop()


def layers_in(folder: Path) -> dict[str, bytes]:
    """The bytes of all rasters and styles below a folder, by path."""
    kinds = (".tif", ".qml", ".png")
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.suffix in kinds
    }


def left_in(folder: Path) -> list[str]:
    """What a run should have removed: locks, drafts, notes."""
    allowed = {".sunbreak-done.json"}
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.name.startswith(".") and path.name not in allowed
    )
