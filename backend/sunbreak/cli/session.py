"""The frame of every command: its reporter, cancellation, and errors as one line and an exit status."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import typer

from sunbreak import unfinished
from sunbreak.cli import early, hosting
from sunbreak.cli.ending import SAVING_S, STOPPING_WORKERS_S, Ending, current
from sunbreak.cli.showing import tame_libraries
from sunbreak.errors import Cancelled, InputError, RunError, SunbreakError
from sunbreak.events import Cancellation, JsonLines, Reporter
from sunbreak.extras import lacking
from sunbreak.outputs import FULL_DISK
from sunbreak.texts import visible

_CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP}


@contextmanager
def session(command: str, *, events: bool, debug: bool = False) -> Iterator[Reporter]:
    """Run a command's body with a reporter.

    With `events`, standard output carries protocol lines only (what libraries print goes to standard error), and
    closing standard input cancels, as the terminate signal always does. The process then ends within 3 s, whatever it
    is doing, see `sunbreak.cli.ending`. In a process of several commands the lines and the cancellation go through
    its `Host`.

    Args:
        command: Its name.
        events: Whether another program reads the output.
        debug: Whether to print tracebacks.

    Raises:
        typer.Exit: After an error: 2 wrong input or options, 1 internal error, 130 cancelled.
    """
    tame_libraries()
    cancellation = Cancellation()
    host = hosting.current()
    reporter: Reporter
    if host is not None:
        reporter = host.reporter(cancellation)
    elif events:
        reporter = JsonLines(private_stdout(), cancellation)
    else:
        from sunbreak.cli.console import Console

        reporter = Console(cancellation)
    ending = Ending(cancellation, reporter.error)
    if host is not None:
        host.attach(ending)
    elif events:
        ending.begin_when_stdin_closes()
    status = Cancelled.exit_status
    with ending.on_signals():
        try:
            reporter.started(command)
            yield reporter
            status = 0
        except typer.Exit as end:
            status = end.exit_code
            raise
        except KeyboardInterrupt:
            ending.tell(Cancelled())
        except Exception as error:
            known = _as_sunbreak_error(error, cancellation)
            if debug:
                sys.stderr.write(visible(traceback.format_exc(), keep="\n"))
            if isinstance(known, Cancelled):
                ending.tell(known)
            else:
                reporter.error(known)
            status = known.exit_status
        finally:
            if status == Cancelled.exit_status:
                unfinished.remove_all(0)  # what a signal kept from removing itself, such as a lock
            reporter.close()
            early.set_status(status)
            ending.finish()
    if status:
        raise typer.Exit(status)


@contextmanager
def keeping_work(option: str = "", *, saves: bool = False) -> Iterator[None]:
    """Wrap work that is kept when it is cancelled: the error then says how to continue.

    Args:
        option: Option that resumes the work, if one is needed.
        saves: The work saves its state when it is cancelled, and gets the time for that.
    """
    hint = f"Finished work is kept: run the same command {f'with {option}' if option else 'again'} to continue."
    kept(hint)
    ending = current()
    if ending is not None and saves:
        ending.patience = SAVING_S
    try:
        yield
    except Cancelled as error:
        raise Cancelled(error.message, hint) from error


def kept(hint: str) -> None:
    """What the error says if the running command is ended by force, since it keeps its finished work."""
    ending = current()
    if ending is not None:
        ending.hint = hint


def stops_workers() -> None:
    """Give the running command the time to stop its workers when it is cancelled."""
    ending = current()
    if ending is not None:
        ending.patience = STOPPING_WORKERS_S


def _as_sunbreak_error(error: Exception, cancellation: Cancellation) -> SunbreakError:
    if cancellation.requested:
        return error if isinstance(error, Cancelled) else Cancelled()
    if isinstance(error, SunbreakError):
        return error
    if isinstance(error, ImportError) and (missing := lacking(error)) is not None:
        return missing
    if isinstance(error, MemoryError):
        return RunError("Out of memory.", "Process a part of the scene with --window.", code="out-of-memory")
    text = (str(error).strip().splitlines() or ["no message"])[0]
    if isinstance(error, OSError) and error.errno in FULL_DISK:
        return _full(error.filename or "a file")
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        name = os.fsdecode(error.filename or "")
        return InputError(f"{name[:60]}...: this name is too long for a file.", "Shorten it.", code="bad-name")
    if isinstance(error, OSError) and error.errno in _CLOSED and error.filename:
        name = os.fsdecode(error.filename)
        return InputError(f"{name}: {error.strerror}.", "Check it and its permissions.", code="unreadable")
    if type(error).__module__ == "rasterio._err":  # errors of GDAL that are no RasterioError
        return RunError(f"A raster could not be read or written: {text}.", "Check the disk, then run again.")
    return SunbreakError(
        f"Internal error ({type(error).__name__}: {text}).", "Run the command again with --debug and report its output."
    )


def _full(name: str | bytes) -> RunError:
    return RunError(
        f"{os.fsdecode(name)} could not be written: {os.strerror(errno.ENOSPC)}.",
        "Free some space, or choose a folder on another disk.",
        code="disk-full",
    )


def private_stdout() -> TextIO:
    """Reserve standard output for the protocol; other output goes to standard error from now on."""
    sys.stdout.flush()
    own = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(own, "w", encoding="utf-8", newline="\n")
