"""A program whose parent has ended stops within seconds, whatever it is doing, and cleans up if it can."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sunbreak.cli import session

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills a process group by signals")

LONG_S = 60

# a body that never comes to a checkpoint, and a file that stands for what it would leave behind
BODY = """
import ctypes, os, signal, sys, time
from pathlib import Path
import typer
from sunbreak.cli.session import session
partial = Path(sys.argv[1])
def body():
    with session("test", events=True) as reporter:
        partial.write_text("partial")
        try:
            {step}
        finally:
            {tidy}
            partial.unlink()
try:
    body()
except typer.Exit as end:
    sys.exit(end.exit_code)
"""
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2]], stdin=subprocess.PIPE)
print(child.pid, flush=True)
time.sleep(120)
"""


def body(step: str, tidy: str = "pass") -> str:
    return BODY.format(step=step, tidy=tidy)


def gone(process: int) -> bool:
    """Whether it has ended; an orphan that is not reaped counts as ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def seconds_after_the_parent_is_killed(step: str, partial: Path) -> float:
    """How long a child of a killed parent keeps running, in seconds."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, body(step), str(partial)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    child = next(int(line) for line in parent.stdout if line.strip().isdigit())
    try:
        end = time.monotonic() + LONG_S
        while not partial.exists():
            assert time.monotonic() < end
            time.sleep(0.05)
        parent.kill()
        parent.wait()
        start = time.monotonic()
        while not gone(child):
            assert time.monotonic() < start + LONG_S, "it goes on"
            time.sleep(0.05)
        return time.monotonic() - start
    finally:
        if not gone(child):
            os.kill(child, signal.SIGKILL)
        parent.kill()
        parent.stdout.close()


@pytest.mark.parametrize("step", [f"time.sleep({LONG_S})", "[sum(range(1000)) for _ in iter(int, 1)]"])
def test_a_step_without_checkpoints_ends_and_cleans_up_when_its_parent_is_killed(tmp_path, step):
    partial = tmp_path / "partial"
    assert seconds_after_the_parent_is_killed(step, partial) < session.PATIENCE_S + 3
    assert not partial.exists()


def test_an_orphan_ends_even_if_a_library_holds_the_interpreter(tmp_path):
    # PyDLL keeps the lock of the interpreter; by then the timer of the last resort runs
    step = (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); reporter.cancellation._flag.wait(); "
        f"time.sleep({session.PATIENCE_S} + 1); ctypes.PyDLL(None).sleep({LONG_S})"
    )
    seconds = seconds_after_the_parent_is_killed(step, tmp_path / "partial")
    assert session.PATIENCE_S < seconds < session.PATIENCE_S + session.LAST_RESORT_S + 3


def test_a_waiting_parent_is_told_that_the_run_was_cancelled(tmp_path):
    code = body(f"time.sleep({LONG_S})")
    running = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "partial")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert '"started"' in running.stdout.readline()
    running.stdin.close()
    assert '"cancelled"' in running.stdout.read()
    assert running.wait() == 130


def test_a_run_that_cleans_up_is_not_interrupted_by_another_signal(tmp_path):
    code = body(
        "reporter.cancellation.request(); reporter.checkpoint()",
        tidy="os.kill(os.getpid(), signal.SIGTERM); time.sleep(0.2)",
    )
    partial = tmp_path / "partial"
    done = subprocess.run(
        [sys.executable, "-c", code, str(partial)], stdin=subprocess.PIPE, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 130
    assert not partial.exists()
