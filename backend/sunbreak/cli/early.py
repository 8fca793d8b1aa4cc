"""Signals before and after the session of a command: while modules are imported, and while the interpreter ends.

Imports the standard library's smallest parts only, so that it is there first.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys

CANCELLED = 130
_MESSAGE, _HINT = "Cancelled.", "Nothing was left behind."
_status: int | None = None


def install() -> None:
    """From now on, an interrupt or terminate signal ends the process with the line of a cancelled command."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    atexit.register(_ignore)


def _ignore() -> None:
    """Let no signal decide how the process ends once the interpreter ends, which takes its handlers away."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def set_status(status: int) -> None:
    """Say how the command ended. What comes after it has nothing to clean up, so that a signal ends it at once."""
    global _status
    _status = status


def leave(status: int) -> None:
    """End a cancelled process without waiting for threads of libraries that are still computing."""
    # what usually happens at the end of the interpreter: processes that read data end with this one
    multiprocessing = sys.modules.get("multiprocessing")
    with contextlib.suppress(Exception):
        for child in multiprocessing.active_children() if multiprocessing is not None else ():
            child.terminate()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(status)


def _end(number: int, frame: object) -> None:
    if _status is not None:
        leave(_status)
    # nothing has been written yet; an exception would end up in the import of whatever is being imported
    with contextlib.suppress(OSError):
        if "--events" in sys.argv:
            line = f'{{"event": "error", "code": "cancelled", "message": "{_MESSAGE}", "hint": "{_HINT}"}}\n'
            os.write(1, line.encode())
        else:
            os.write(2, f"{_MESSAGE} {_HINT}\n".encode())
    os._exit(CANCELLED)
