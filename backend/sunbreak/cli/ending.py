"""Ends a command soon after it was asked to stop, whatever it is doing.

A run looks at its cancellation between tiles. A long step in between is interrupted after `PATIENCE_S`, as soon as the
interpreter runs Python code. A step inside a library, which cannot be interrupted, goes down with the process `FORCE_S`
later; before that, what the run has not finished is removed. If a library holds the interpreter so that not even that
is possible, a timer in C ends the process after `LAST_RESORT_S`.
"""

from __future__ import annotations

import _thread
import contextlib
import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from sunbreak import unfinished
from sunbreak.cli import early
from sunbreak.errors import Cancelled
from sunbreak.events import Cancellation

PATIENCE_S = 1.0
FORCE_S = 0.9
LAST_RESORT_S = 5.0
SAVING_S = 10.0
"""What a training gets instead of `PATIENCE_S`, to finish its step and save its state."""
STOPPING_WORKERS_S = 3.5
"""What a command gets instead whose workers must remove their partial files first."""
_RENAMING_S = 2.0


class Ending:
    """The end of one command.

    Args:
        cancellation: Of its run.
        tell: Reports an error to the caller.
    """

    def __init__(self, cancellation: Cancellation, tell: Callable[[Cancelled], None]) -> None:
        self.cancellation = cancellation
        self.patience = PATIENCE_S
        self.hint: str | None = None
        """What the error says if the command keeps its work."""
        self.over = threading.Event()
        self.forceful = False
        """Whether the command had to be interrupted, or a signal asked it to stop: what comes after it cannot be sure
        of the process."""
        self._report = tell
        self._begun, self._told = threading.Lock(), threading.Lock()
        self._owner, self._main = os.getpid(), threading.get_ident()
        self._signals = 0
        self._interrupting = False

    def begin(self) -> None:
        """Ask the run to stop, and begin to count down. Any thread may call it, as often as it likes."""
        if os.getpid() == self._owner and self._begun.acquire(blocking=False):
            threading.Thread(target=self._count_down, name="sunbreak-ending", daemon=True).start()

    def tell(self, error: Cancelled) -> None:
        """Report a cancellation, once; a second call never returns, because the process is ending."""
        if not self._told.acquire(blocking=False):
            threading.Event().wait()
        self._report(error)

    def finish(self) -> None:
        """The command is over."""
        self.over.set()
        faulthandler.cancel_dump_traceback_later()

    def begin_when_stdin_closes(self) -> None:
        """Take the end of standard input as a request to stop: a parent that closed it may be gone."""

        def wait() -> None:
            try:
                while os.read(0, 4096):
                    pass
            except OSError:
                return
            self.begin()

        if sys.stdin is not None:
            # the descriptor, not sys.stdin: a thread that waits in a buffered reader blocks the end of the interpreter
            threading.Thread(target=wait, name="sunbreak-stdin", daemon=True).start()

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """The first interrupt or terminate signal asks the run to stop; the second one interrupts its step.

        A second terminate signal cancels the run in the usual way, so that partial files are deleted. A second
        interrupt, from a person at the keyboard, stops it at once. A thread hears of the first one even while a library
        computes in the main thread, where Python calls no handler.
        """
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        global _current
        outer, _current = _current, self
        try:
            with self._heard_by_a_thread():
                yield
        finally:
            _current = outer
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self._signals += 1
        self.forceful = True
        self.begin()
        if self.cancellation.noticed or (self._signals == 1 and not self._interrupting):
            return  # a run that cleans up must not be interrupted again
        if number == signal.SIGINT and not self._interrupting:
            raise KeyboardInterrupt
        self.cancellation.noticed = True
        raise Cancelled

    @contextlib.contextmanager
    def _heard_by_a_thread(self) -> Iterator[None]:
        if sys.platform == "win32":  # has no such signals
            yield
            return
        reading, writing = os.pipe()
        os.set_blocking(writing, False)

        def listen() -> None:
            with open(reading, "rb", buffering=0) as pipe:  # noqa: PTH123 -- a descriptor
                while heard := pipe.read(1):
                    if heard[0] in (signal.SIGINT, signal.SIGTERM):
                        self.begin()

        threading.Thread(target=listen, name="sunbreak-signals", daemon=True).start()
        before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            os.close(writing)

    def _count_down(self) -> None:
        with Path(os.devnull).open("w") as nowhere:
            # a timer in C needs no lock of the interpreter, which a library may hold
            faulthandler.dump_traceback_later(self.patience + FORCE_S + LAST_RESORT_S, exit=True, file=nowhere)
            if self.over.is_set():  # too late: `finish` has cancelled the timer already
                faulthandler.cancel_dump_traceback_later()
                return
            self.cancellation.request()
            if self.over.wait(self.patience):
                return
            if not self.cancellation.noticed:
                self._interrupting = True
                self._interrupt()
            if not self.over.wait(FORCE_S):
                self._force()

    def _interrupt(self) -> None:
        """Interrupt the main thread, and a waiting system call too where signals can do that."""
        if sys.platform == "win32":
            _thread.interrupt_main(signal.SIGTERM)
        else:
            signal.pthread_kill(self._main, signal.SIGTERM)

    def _force(self) -> None:
        """Remove what is unfinished, and end the process in the middle of whatever it does."""
        if not unfinished.remove_all(_RENAMING_S) and self.over.wait(_RENAMING_S):
            return  # it was putting its finished files in place, and is done
        self.tell(Cancelled() if self.hint is None else Cancelled(hint=self.hint))
        early.leave(Cancelled.exit_status)


_current: Ending | None = None


def current() -> Ending | None:
    """The end of the command that is running."""
    return _current


def _in_child() -> None:
    """A child that was forked, such as a process that reads data, ends by its signals as any process does."""
    if _current is not None:
        with contextlib.suppress(ValueError):  # forked by another thread
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
