"""A dask scheduler with a worker that has the backend, and the processes that a test started."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from pathlib import Path

_CLUSTER = """
import sys
from distributed import LocalCluster

if __name__ == "__main__":
    with LocalCluster(n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@contextlib.contextmanager
def scheduler_with_a_worker(python: Path, folder: Path):
    """The address of a scheduler that runs until the block ends."""
    script = folder / "cluster.py"
    script.write_text(_CLUSTER, encoding="utf-8")
    running = subprocess.Popen(
        [python, "-I", "-u", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield running.stdout.readline().strip()
    finally:
        running.stdin.close()
        try:
            running.wait(30)
        except subprocess.TimeoutExpired:
            running.send_signal(signal.SIGKILL)
            running.wait()


def descendants(pid: int) -> set[int]:
    """All processes below one."""
    found: set[int] = set()
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, children.read_text().split()):
                found |= {child} | descendants(child)
    return found


def running_among(pids: set[int]) -> set[int]:
    """Those that have not ended."""
    found = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            found |= {pid} if state != "Z" else set()
    return found


def command_of(pid: int) -> str:
    """The command line of a process; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\\0", b" ").decode(errors="replace")
    except OSError:
        return ""
