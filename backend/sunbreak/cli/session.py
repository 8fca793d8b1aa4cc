"""The frame of every command: its reporter, cancellation, and errors as one line and an exit status."""

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

# A parent that closed standard input may be gone. PATIENCE_S later, a long step between two checkpoints is
# interrupted; LAST_RESORT_S after that, the process is killed.
PATIENCE_S = 3.0
LAST_RESORT_S = 5.0


@contextmanager
def session(command: str, *, events: bool, debug: bool = False) -> Iterator[Reporter]:
    """Run a command's body with a reporter.

    With `events`, standard output carries protocol lines only (what libraries print goes to standard error), and
    closing standard input cancels, as the terminate signal always does. The process then ends
    within `PATIENCE_S` + `LAST_RESORT_S`, whatever it is doing, because a killed parent cannot ask again.

    Args:
        command: Its name.
        events: Whether another program reads the output.
        debug: Whether to print tracebacks.

    Raises:
        typer.Exit: After an error: 2 wrong input or options, 1 internal error, 130 cancelled.
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
    """Wrap work that is kept when it is cancelled: the error then says how to continue.

    Args:
        option: Option that resumes the work, if one is needed.
    """
    try:
        yield
    except Cancelled as error:
        how = f"with {option}" if option else "again"
        raise Cancelled(error.message, f"Finished work is kept: run the same command {how} to continue.") from error


def _as_sunbreak_error(error: Exception, cancellation: Cancellation) -> SunbreakError:
    if cancellation.requested:
        return error if isinstance(error, Cancelled) else Cancelled()
    if isinstance(error, SunbreakError):
        return error
    if isinstance(error, MemoryError):
        return RunError("Out of memory.", "Process a part of the scene with --window.", code="out-of-memory")
    text = str(error).strip().splitlines()
    return SunbreakError(
        f"Internal error ({type(error).__name__}: {text[0] if text else 'no message'}).",
        "Run the command again with --debug and report its output.",
    )


def _private_stdout() -> TextIO:
    """Reserve standard output for the protocol; other output goes to standard error from now on."""
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
    """Interrupt the main thread, and a waiting system call too where signals can do that."""
    if sys.platform == "win32":
        _thread.interrupt_main(signal.SIGTERM)
    else:
        signal.pthread_kill(thread, signal.SIGTERM)


@contextmanager
def _signals(cancellation: Cancellation) -> Iterator[None]:
    """The first interrupt or terminate signal asks the run to stop; the second one interrupts its step.

    A second terminate signal cancels the run in the usual way, so that partial files are deleted. A second interrupt,
    from a person at the keyboard, stops it at once.
    """

    def on_signal(number: int, _: object) -> None:
        if not cancellation.requested:
            cancellation.request()
        elif number == signal.SIGINT:
            raise KeyboardInterrupt
        elif not cancellation.noticed:  # a run that cleans up must not be interrupted again
            cancellation.noticed = True
            raise Cancelled

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
