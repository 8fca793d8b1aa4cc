"""Runs the commands of `sunbreak serve`, one after the other, in this process.

A thread reads the requests; the main thread runs them, because signals arrive there. What a command leaves in the
process must not reach the next one. So the process goes on only after a command that ended in an orderly way. After an
internal error, a signal, or a cancellation that had to interrupt a step, it ends, and the program starts another.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TextIO

import typer

from sunbreak import unfinished
from sunbreak.cli import early, hosting
from sunbreak.cli.ending import Ending
from sunbreak.errors import Cancelled, InputError, SunbreakError
from sunbreak.events import Cancellation, JsonLines

COMMANDS = ("clean", "classify", "detect-clouds", "explain", "run", "inspect")
NETWORKS = 3
"""That are kept loaded: those of `run`, and one of another model."""
CLOUD_BYTES, SAMPLE_BYTES = 64 * 1024**2, 64 * 1024**2
"""Of what is kept of the scenes."""
_LONGEST_LINE = 1 << 20
_ORDERLY = (0, InputError.exit_status, Cancelled.exit_status)

RequestId = str | int | None


@dataclass(frozen=True)
class Request:
    """One line of standard input that asks for a command.

    Attributes:
        id: What the program calls it.
        arguments: The command and its options.
        fault: Why it is not run; empty if it is.
    """

    id: RequestId
    arguments: tuple[str, ...] = ()
    fault: str = ""


class Server:
    """The `sunbreak.cli.hosting.Host` of the commands that a program asks for.

    Args:
        stream: The lines go there.
        idle: Seconds without a command after which the process ends; None waits for ever.
        most: Commands after which the process ends: what each leaves in the heaps adds up.
        warm: Load the usual network for cloud removal, unless a command comes first.
    """

    def __init__(self, stream: TextIO, idle: float | None, most: int, *, warm: bool = False) -> None:
        self._stream, self._idle, self._most, self._warm = stream, idle, most, warm
        self._lines = JsonLines(stream)
        self._changed = threading.Condition()
        self._waiting: deque[Request] = deque()
        self._cancelled: set[RequestId] = set()
        self._now: Request | None = None
        self._ending: Ending | None = None
        self._closed = False

    def run(self) -> int:
        """Run commands until there are no more, and give the exit status of the process."""
        hosting.become(self)
        # what waits for a command has nothing to clean up
        early.set_status(0)
        self._lines.ready()
        threading.Thread(target=self._listen, name="sunbreak-requests", daemon=True).start()
        if self._warm:
            self._warm_up()
        for _ in range(self._most):
            request = self._next()
            if request is None:
                break
            status, orderly = self._carry_out(request)
            if not orderly:
                return status
            early.set_status(0)
            _tidy()
            if self._lines.cancellation.requested:  # nobody reads the lines any more
                break
        return 0

    def reporter(self, cancellation: Cancellation) -> JsonLines:
        """See `Host`."""
        return JsonLines(self._stream, cancellation)

    def attach(self, ending: Ending) -> None:
        """See `Host`."""
        with self._changed:
            self._ending = ending
            begin = self._closed or (self._now is not None and self._now.id in self._cancelled)
        if begin:
            ending.begin()

    def _warm_up(self) -> None:
        """Import what all commands need and load the usual network, until the first command arrives."""
        for step in (_import_all, _load_default):
            if self._waiting or self._closed:
                return
            with contextlib.suppress(Exception):  # the command that needs it says what is wrong
                step()

    def _next(self) -> Request | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, self._idle)
            self._now = self._waiting.popleft() if self._waiting else None
            return self._now

    def _carry_out(self, request: Request) -> tuple[int, bool]:
        """The exit status of a command, and whether the process can run another one."""
        if request.fault:
            self._lines.error(InputError(request.fault, _HINT, code="bad-request"))
            status = InputError.exit_status
        elif request.id in self._cancelled:
            self._lines.error(Cancelled())
            status = Cancelled.exit_status
        else:
            status = self._call(request.arguments)
        with self._changed:
            ending, self._ending, self._now = self._ending, None, None
            self._cancelled.discard(request.id)
        self._lines.ended(request.id, status)
        return status, status in _ORDERLY and (ending is None or not ending.forceful)

    def _call(self, arguments: tuple[str, ...]) -> int:
        from sunbreak.cli.app import app

        events = () if "--events" in arguments else ("--events",)
        try:
            _runtimes()
            status = typer.main.get_command(app).main(
                [*arguments, *events], prog_name="sunbreak", standalone_mode=False
            )
        except Exception as error:
            # errors of click, which typer holds a copy of
            say = getattr(error, "format_message", None)
            if say is None:
                text = (str(error).strip().splitlines() or ["no message"])[0]
                self._lines.error(SunbreakError(f"Internal error ({type(error).__name__}: {text})."))
                return SunbreakError.exit_status
            hint = f"See sunbreak {arguments[0]} --help."
            self._lines.error(InputError(" ".join(say().split()), hint, code="bad-call"))
            return InputError.exit_status
        return status if isinstance(status, int) else 0

    def _listen(self) -> None:
        for line in _lines_of_stdin():
            cancelled, request = read_request(line)
            with self._changed:
                if request is not None:
                    self._waiting.append(request)
                    self._changed.notify_all()
                    continue
                known = [*self._waiting, *([self._now] if self._now is not None else [])]
                if not any(one.id == cancelled for one in known):
                    continue  # it is over already
                self._cancelled.add(cancelled)
                ending = self._ending if self._now is not None and self._now.id == cancelled else None
            if ending is not None:
                ending.begin()
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
            busy, ending = self._now is not None, self._ending
        if ending is not None:
            ending.begin()
        elif not busy:
            unfinished.remove_all(0)
            early.leave(0)


def read_request(line: bytes | None) -> tuple[RequestId, Request | None]:
    """The id of the command that a line cancels, or the request that it makes.

    Args:
        line: JSON in UTF-8; None for one that is too long.
    """
    if line is None:
        return None, Request(None, fault=f"A line is longer than {_LONGEST_LINE:,} bytes.")
    try:
        content: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None, Request(None, fault="A line is no JSON.")
    if not isinstance(content, dict):
        return None, Request(None, fault="A line is no JSON object.")
    if "cancel" in content and isinstance(content["cancel"], str | int):
        return content["cancel"], None
    name, arguments = content.get("id"), content.get("arguments")
    if not isinstance(name, str | int):
        return None, Request(None, fault="A request has no id, which is a text or a whole number.")
    if not isinstance(arguments, list) or not arguments or not all(isinstance(one, str) for one in arguments):
        return None, Request(name, fault="The arguments of a request are no list of texts.")
    if arguments[0] not in COMMANDS:
        return None, Request(name, fault=f"The command {arguments[0]!r} is not served.")
    return None, Request(name, tuple(arguments))


_HINT = f'Send {{"id": 1, "arguments": [COMMAND, ...]}} with one of {", ".join(COMMANDS)}, or {{"cancel": 1}}.'


def _lines_of_stdin() -> Iterator[bytes | None]:
    """The lines of standard input; None for one that is too long."""
    rest, skipping = b"", False
    while True:
        try:
            # the descriptor, not sys.stdin: a thread that waits in a buffered reader blocks the end of the interpreter
            chunk = os.read(0, 65536)
        except OSError:
            return
        if not chunk:
            return
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if skipping:
                skipping = False
                yield None
            elif line.strip():
                yield line
        if len(rest) > _LONGEST_LINE:
            rest, skipping = b"", True


def _import_all() -> None:
    import sunbreak.cli.clean
    import sunbreak.jobs.execute  # noqa: F401

    _runtimes()


def _load_default() -> None:
    from sunbreak.models.registry import DEFAULT_REMOVAL, find_model

    _runtimes().load(find_model(DEFAULT_REMOVAL, "cloud-removal"), "auto", "auto")


def _runtimes() -> Any:
    """What the commands share."""
    from sunbreak.jobs.runtimes import CloudMemory, Runtimes, SceneMemory, keep_for_commands, runtimes_of_commands
    from sunbreak.removal.temporal.kept_samples import SampleMemory

    if runtimes_of_commands() is None:
        keep_for_commands(Runtimes(NETWORKS, SceneMemory(CloudMemory(CLOUD_BYTES), SampleMemory(SAMPLE_BYTES))))
    return runtimes_of_commands()


def _tidy() -> None:
    """Give back what the command has freed."""
    import gc

    from sunbreak.engine.memory import return_freed

    gc.collect()
    return_freed()
