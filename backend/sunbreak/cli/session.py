"""What stands around every command: the reporter, cancelling, and errors turned into one line and an exit status."""

from __future__ import annotations

import _thread
import faulthandler
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import typer

from sunbreak.errors import Cancelled, RunError, SunbreakError
from sunbreak.events import Cancellation, JsonLines, Reporter

# Whoever closed standard input no longer waits, and may be gone. After the first time a long step between two
# checkpoints is interrupted; after the second the process is killed.
PATIENCE_S = 3.0
LAST_RESORT_S = 5.0


@contextmanager
def session(command: str, *, events: bool, debug: bool = False) -> Iterator[Reporter]:
    """Run a command's body with a reporter.

    With `events`, standard output carries protocol lines only (what libraries print goes to standard error), and
    closing standard input cancels, as the terminate signal always does. After a closed standard input the process is
    gone within `PATIENCE_S` + `LAST_RESORT_S`, whatever it was busy with: a parent that was killed cannot ask again.

    Args:
        command: Its name.
        events: Whether another program listens.
        debug: Whether a traceback is wanted.

    Raises:
        typer.Exit: After an error: 2 the input or the call is wrong, 1 ours, 130 cancelled.
    """
    cancellation, over = Cancellation(), threading.Event()
    reporter: Reporter
    if events:
        reporter = JsonLines(_private_stdout(), cancellation)
        _cancel_when_stdin_closes(cancellation, over)
    else:
        from sunbreak.cli.console import Console

        reporter = Console(cancellation)
    with _signals(cancellation):
        try:
            reporter.started(command)
            yield reporter
            status = 0
        except typer.Exit:
            raise
        except Exception as error:
            known = _as_sunbreak_error(error, cancellation)
            if debug:
                traceback.print_exc(file=sys.stderr)
            reporter.error(known)
            status = known.exit_status
        finally:
            over.set()
            faulthandler.cancel_dump_traceback_later()
            reporter.close()
    if status:
        raise typer.Exit(status)


@contextmanager
def keeping_work(option: str = "") -> Iterator[None]:
    """Around work that is kept when it is stopped: says so instead of that nothing was left behind.

    Args:
        option: What has to be added to the command to go on, if anything.
    """
    try:
        yield
    except Cancelled as error:
        raise Cancelled(
            error.message, f"What is done is kept: the same command{option and f' with {option}'} goes on where it was."
        ) from error


def _as_sunbreak_error(error: Exception, cancellation: Cancellation) -> SunbreakError:
    if cancellation.requested:
        return error if isinstance(error, Cancelled) else Cancelled()
    if isinstance(error, SunbreakError):
        return error
    if isinstance(error, MemoryError):
        return RunError("Out of memory.", "Clean a part of the scene with --window.", code="out-of-memory")
    text = str(error).strip().splitlines()
    return SunbreakError(
        f"Something went wrong inside Sunbreak ({type(error).__name__}: {text[0] if text else 'no message'}).",
        "Run again with --debug and report what it prints.",
    )


def _private_stdout() -> TextIO:
    """Standard output for the protocol alone: what anybody else writes there goes to standard error from now on."""
    sys.stdout.flush()
    own = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(own, "w", encoding="utf-8", newline="\n")


def _cancel_when_stdin_closes(cancellation: Cancellation, over: threading.Event) -> None:
    main = threading.get_ident()

    def wait() -> None:
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            return
        cancellation.request()
        if over.wait(PATIENCE_S):
            return
        with Path(os.devnull).open("w") as nowhere:
            # a timer in C needs no lock of the interpreter, which a library may hold
            faulthandler.dump_traceback_later(LAST_RESORT_S, exit=True, file=nowhere)
            _interrupt(main)
            over.wait()

    if sys.stdin is not None:
        # the descriptor, not sys.stdin: a thread that waits in a buffered reader blocks the end of the interpreter
        threading.Thread(target=wait, name="sunbreak-stdin", daemon=True).start()


def _interrupt(thread: int) -> None:
    """Have the main thread break off what it does: a waiting system call too, where there are signals for that."""
    if sys.platform == "win32":
        _thread.interrupt_main(signal.SIGTERM)
    else:
        signal.pthread_kill(thread, signal.SIGTERM)


@contextmanager
def _signals(cancellation: Cancellation) -> Iterator[None]:
    """The first interrupt or terminate signal asks the run to stop; the second one breaks its step off.

    A second terminate signal takes the way of every cancelled run, so that partial files go; a second interrupt, from a
    person at the keyboard, does not.
    """

    def on_signal(number: int, _: object) -> None:
        if not cancellation.requested:
            cancellation.request()
        elif number == signal.SIGINT:
            raise KeyboardInterrupt
        elif not cancellation.noticed:  # or the run would be disturbed while it tidies up
            cancellation.noticed = True
            raise Cancelled

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
