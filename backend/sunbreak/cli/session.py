"""What stands around every command: the reporter, cancelling, and errors turned into one line and an exit status."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import typer

from sunbreak.errors import Cancelled, RunError, SunbreakError
from sunbreak.events import Cancellation, JsonLines, Reporter


@contextmanager
def session(command: str, *, events: bool, debug: bool = False) -> Iterator[Reporter]:
    """Run a command's body with a reporter.

    With `events`, standard output carries protocol lines only (what libraries print goes to standard error), and
    closing standard input cancels, as the terminate signal always does.

    Args:
        command: Its name.
        events: Whether another program listens.
        debug: Whether a traceback is wanted.

    Raises:
        typer.Exit: After an error: 2 the input or the call is wrong, 1 ours, 130 cancelled.
    """
    cancellation = Cancellation()
    reporter: Reporter
    if events:
        reporter = JsonLines(_private_stdout(), cancellation)
        _cancel_when_stdin_closes(cancellation)
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
        return RunError(
            "The memory does not suffice.", "Clean a part of the scene with --window.", code="out-of-memory"
        )
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


def _cancel_when_stdin_closes(cancellation: Cancellation) -> None:
    def wait() -> None:
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            return
        cancellation.request()

    if sys.stdin is not None:
        # the descriptor, not sys.stdin: a thread that waits in a buffered reader blocks the end of the interpreter
        threading.Thread(target=wait, name="sunbreak-stdin", daemon=True).start()


@contextmanager
def _signals(cancellation: Cancellation) -> Iterator[None]:
    """The first interrupt or terminate signal asks the run to stop; a second interrupt stops it hard."""

    def on_signal(number: int, _: object) -> None:
        if cancellation.requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        cancellation.request()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
