"""The frame of the suite: what a row is, how it is run, and what must hold for every row.

A row makes one bad input, and says how the program must answer: the exit status and one line that names the file, what
is wrong, and what to do. For every row: no traceback, one error line, no file changed in the folder of the inputs, no
partial output, nothing connected to the listener, and bounds for time and memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Refusals come within 2 s on a machine that does nothing else; the machine of the tests does.
SECONDS = 8.0
MEGABYTES = 700
STOP_AFTER_S = 30


@dataclass(frozen=True)
class Place:
    """Where a row makes its input: a folder with copies of ``s2.tif``, ``s1.tif`` and ``mask.tif``.

    Attributes:
        folder: The inputs.
        out: The output folder; does not exist yet.
        models: The tiny models.
        port: Of the listener.
    """

    folder: Path
    out: Path
    models: Path
    port: int

    @property
    def s2(self) -> Path:
        """The scene."""
        return self.folder / "s2.tif"

    @property
    def s1(self) -> Path:
        """Its radar."""
        return self.folder / "s1.tif"

    @property
    def mask(self) -> Path:
        """A mask of it."""
        return self.folder / "mask.tif"

    @property
    def url(self) -> str:
        """An address that the listener would answer for."""
        return f"http://127.0.0.1:{self.port}/x.tif"

    def clean(self, *more: object, s2: object = None, s1: object = None, model: object = None) -> list[object]:
        """The arguments of a cleaning of the scene, or of another one."""
        how = ["--detector", "s2cloudless", "--runtime", "torch", "--device", "cpu"]
        radar = ["--s1", s1 or self.s1]
        chosen = ["--model", model or self.models / "small.json"]
        return ["clean", s2 or self.s2, *radar, *chosen, *how, "-o", self.out, *more]

    def classify(self, *more: object, s2: object = None, model: object = None) -> list[object]:
        """The arguments of a classification of the scene, or of another one."""
        chosen = ["--model", model or self.models / "small-landcover.json", "--runtime", "torch", "--device", "cpu"]
        return ["classify", s2 or self.s2, *chosen, "-o", self.out, *more]

    def copied_models(self) -> Path:
        """The models beside the inputs, to be changed."""
        for path in self.models.iterdir():
            (self.folder / path.name).write_bytes(path.read_bytes())
        return self.folder


Make = Callable[[Place], list[Any]]


@dataclass(frozen=True)
class Row:
    """One bad input and the answer that it must get.

    Attributes:
        name: What is bad.
        make: Makes the input in the place and gives the arguments of the program.
        says: Regular expressions which one line of the answer holds in this order: the file or option, what is wrong
            with it, what to do. After an error it is the last line.
        status: The exit status. With 0 the line is a note or a warning; None stands for 0 or 2, without a line.
        kinds: Numbers in the list of bad inputs; empty for examples beyond it.
        seconds: Bound of the time.
        megabytes: Bound of the memory beyond what the process holds.
        apart: Run in a process of its own.
        leaves: What may be changed in the output folder after an error, as the start of names.
    """

    name: str
    make: Make
    says: tuple[str, ...]
    status: int | None = 2
    kinds: tuple[int, ...] = ()
    seconds: float = SECONDS
    megabytes: int = MEGABYTES
    apart: bool = False
    leaves: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The identifier of the test."""
        return self.name


def check(row: Row, place: Place, listener: Listener, capture: Any) -> None:
    """Run a row and assert what it says, and what holds for every row."""
    arguments = [str(argument) for argument in row.make(place)]
    capture.readouterr()
    inputs, outputs = snapshot(place.folder), snapshot(place.out)
    connected, started = listener.count, time.monotonic()
    if row.apart:
        status, out, err = run_apart(arguments, row.megabytes)
        grown = 0.0
    else:
        with peak_memory() as peak:
            status = run_here(arguments)
        grown = peak()
        out, err = capture.readouterr()
    seconds = time.monotonic() - started
    answer = f"{out}\n{err}"
    assert "Traceback (most recent call last)" not in answer, answer
    assert status in ((0, 2) if row.status is None else (row.status,)), f"status {status}: {answer[-1500:]}"
    lines = [line for line in err.splitlines() if line.strip()]
    pattern = re.compile(".*".join(row.says))
    if status:
        assert lines, "no line"
        assert row.status is None or pattern.search(lines[-1]), f"{lines[-1]}\n  does not match\n{pattern.pattern}"
        same = [line for line in lines if line == lines[-1]]
        assert len(same) == 1, "the line is repeated"
    elif row.says and row.status is not None:
        # some notes have several lines
        assert pattern.search(re.sub(r"\s+", " ", answer)), f"{answer}\n has no {pattern.pattern}"
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", answer.replace("\r", "")), (
        f"control characters: {answer!r}"
    )
    assert snapshot(place.folder) == inputs, "an input was changed, or something was written beside it"
    if status:
        after = snapshot(place.out)
        changed = [name for name in {*after, *outputs} if after.get(name) != outputs.get(name)]
        assert not [name for name in changed if not name.startswith(row.leaves or ("\0",))], changed
    assert listener.count == connected, "it connected to an address in the input"
    assert seconds <= row.seconds + (6 if row.apart else 0), f"{seconds:.1f} s"
    assert grown <= row.megabytes, f"{grown:.0f} MB more memory"


class _TooLongError(BaseException):
    """Stops a call that would never end; no `except Exception` holds it."""


def run_here(arguments: list[Any]) -> int:
    """The exit status of `sunbreak` with these arguments, in this process."""
    from sunbreak.cli.app import app

    def stop(*_: object) -> None:
        raise _TooLongError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, STOP_AFTER_S)
    try:
        app([str(argument) for argument in arguments], prog_name="sunbreak")
    except SystemExit as end:
        return int(end.code or 0)
    except _TooLongError:
        raise AssertionError(f"no end within {STOP_AFTER_S} s") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return 0


def run_apart(arguments: list[str], megabytes: int) -> tuple[int, str, str]:
    """Status, standard output and standard error of `sunbreak` in a process that may hold so much data."""

    def limit() -> None:
        most = (megabytes + 1500) * 2**20  # libraries map a gigabyte before anything is read
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))

    done = subprocess.run(
        [sys.executable, "-m", "sunbreak", *arguments],
        capture_output=True,
        timeout=STOP_AFTER_S + 30,
        preexec_fn=limit,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


@contextmanager
def peak_memory() -> Iterator[Callable[[], float]]:
    """Gives how many megabytes the memory of this process grew at most inside the block."""
    forget = Path("/proc/self/clear_refs")
    try:
        forget.write_text("5")  # the highest value so far becomes the present one
    except OSError:
        yield lambda: 0.0
        return
    before = _status("VmHWM")
    yield lambda: _status("VmHWM") - before


def _status(name: str) -> float:
    text = Path("/proc/self/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)[1]) / 1024  # type: ignore[index]


def snapshot(folder: Path) -> dict[str, tuple[object, ...]]:
    """What is under a folder: mode, time of change, and the content or the target of each entry."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(folder.rglob("*")) if folder.exists() else ():
        status = path.lstat()
        if path.is_symlink():
            what: object = str(path.readlink())
        elif path.is_file() and status.st_size < 2**26:
            what = hashlib.sha256(path.read_bytes()).hexdigest() if os.access(path, os.R_OK) else "unreadable"
        else:
            what = None if path.is_dir() else status.st_size
        changed = None if path.is_dir() else status.st_mtime_ns
        found[os.fsdecode(os.fsencode(path.relative_to(folder)))] = (status.st_mode, changed, what)
    return found


class Listener:
    """A server on this machine that closes every connection and counts it. The hostile inputs hold its address."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.count = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                self._server.accept()[0].close()
                self.count += 1

    def close(self) -> None:
        """Close the server."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
