"""A program whose parent has ended stops within seconds, whatever it is doing, and cleans up if it can."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from sunbreak.cli import ending
from sunbreak.cli.session import session
from sunbreak.errors import Cancelled
from sunbreak.layers.lock import OutputLock

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
    assert seconds_after_the_parent_is_killed(step, partial) < ending.PATIENCE_S + 3
    assert not partial.exists()


def test_an_orphan_ends_even_if_a_library_holds_the_interpreter(tmp_path):
    # PyDLL keeps the lock of the interpreter; by then the timer of the last resort runs
    step = f"reporter.cancellation._flag.wait(); ctypes.PyDLL(None).sleep({LONG_S})"
    seconds = seconds_after_the_parent_is_killed(step, tmp_path / "partial")
    assert seconds > ending.PATIENCE_S + ending.FORCE_S
    assert seconds < ending.PATIENCE_S + ending.FORCE_S + ending.LAST_RESORT_S + 3


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


# what a run leaves unfinished, and a call that neither signals nor the interpreter can interrupt, in C or by stubbornness
UNFINISHED = """
import ctypes, signal, sys, time
from pathlib import Path
from sunbreak.drafts import draft
from sunbreak.cli import early
early.install()
import typer
from sunbreak.cli.session import keeping_work, kept, session
folder = Path(sys.argv[1])
def body():
    with session("test", events={events}) as reporter:
        with draft(folder / "table.csv") as place:
            place.write_text("half")
            print("ready", file=sys.stderr, flush=True)
            {step}
try:
    body()
except typer.Exit as end:
    sys.exit(end.exit_code)
"""
STUBBORN = """
            while True:
                try:
                    time.sleep(60)
                except BaseException:
                    pass
"""
IN_C = "import hashlib; hashlib.pbkdf2_hmac('sha256', b'', b'', 2_000_000_000)"


def stopped(tmp_path: Path, step: str, number: int, events: bool = False) -> tuple[int, str, str, float]:
    """Status, standard output and error, and seconds after a signal."""
    running = subprocess.Popen(
        [sys.executable, "-c", UNFINISHED.format(step=step, events=events), str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert running.stderr.readline() == "ready\n"
    start = time.monotonic()
    running.send_signal(number)
    out, said = running.communicate(timeout=LONG_S)
    return running.returncode, out, said, time.monotonic() - start


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("step", [f"time.sleep({LONG_S})", IN_C, STUBBORN], ids=["python", "C", "stubborn"])
def test_a_signal_ends_a_step_that_cannot_be_interrupted_and_removes_its_drafts(tmp_path, step, number):
    status, _, said, seconds = stopped(tmp_path, step, number)
    assert (status, said.strip()) == (130, "Cancelled. Nothing was left behind.")
    assert seconds < ending.PATIENCE_S + ending.FORCE_S + 2
    assert not list(tmp_path.iterdir())


def test_the_caller_is_told_once_that_a_step_in_c_was_cancelled(tmp_path):
    status, out, _, _ = stopped(tmp_path, IN_C, signal.SIGTERM, events=True)
    assert status == 130 and out.count('"cancelled"') == 1


def test_a_command_that_keeps_its_work_says_so_even_if_it_is_ended_by_force(tmp_path):
    _, _, said, _ = stopped(tmp_path, f"kept('Run it again.'); {IN_C}", signal.SIGTERM)
    assert said.strip() == "Cancelled. Run it again."


@pytest.mark.parametrize("events", [False, True])
def test_a_signal_during_the_imports_ends_the_process_with_the_line_and_the_status(events):
    code = f"""
import os, signal, sys
sys.argv = ["sunbreak", "clean"{', "--events"' if events else ""}]
class Importing:
    def find_spec(self, name, *_):
        if name == "sunbreak.cli.app":
            os.kill(os.getpid(), signal.SIGTERM)
sys.meta_path.insert(0, Importing())
from sunbreak.__main__ import main
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 130
    if events:
        assert json.loads(done.stdout)["code"] == "cancelled" and not done.stderr
    else:
        assert done.stderr == "Cancelled. Nothing was left behind.\n" and not done.stdout


def test_a_signal_behind_the_last_file_does_not_spoil_the_status(tmp_path):
    code = """
import os, signal, sys
from sunbreak.cli import early
from sunbreak.cli.session import session
early.install()
with session("test", events=False):
    pass
os.kill(os.getpid(), signal.SIGTERM)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_processes_that_read_data_end_with_the_command(tmp_path):
    step = f"""
            import multiprocessing
            child = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
            child.start()
            (folder / "child").write_text(str(child.pid))
            {IN_C}
"""
    code = UNFINISHED.format(step=step, events=False)
    running = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "child").exists():
        time.sleep(0.05)
    time.sleep(0.2)
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=LONG_S) == 130
    running.stderr.close()
    end = time.monotonic() + 5
    while not gone(int((tmp_path / "child").read_text())):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_process_that_was_forked_does_not_end_the_command(tmp_path):
    step = """
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            time.sleep(0.3)
            os.kill(child, signal.SIGTERM)
            assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGTERM
            assert not reporter.cancellation.requested
"""
    code = UNFINISHED.format(step=step, events=False).replace("import ctypes", "import os, ctypes")
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "ready\n")
    assert (tmp_path / "table.csv").read_text() == "half"


def test_a_lock_whose_release_was_interrupted_is_gone_when_a_cancelled_run_ends(tmp_path):
    lock = OutputLock(tmp_path / ".sunbreak-batch.lock")
    with pytest.raises(typer.Exit) as ended, session("test", events=False):
        lock.acquire()
        raise Cancelled
    assert ended.value.exit_code == 130
    assert not lock.path.exists()
