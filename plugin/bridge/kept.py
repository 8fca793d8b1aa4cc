"""A backend process that is kept for the panel's previews: it has its modules and networks loaded already.

Several threads use it: the panel starts and ends it, tasks of Processing run commands in it. But only the thread that
made a `QProcess` may use it. So a thread of its own attends to the process and exchanges bytes with the others.
"""

from __future__ import annotations

import contextlib
import json
import queue
import threading
import time
from pathlib import Path
from typing import Any
from weakref import WeakSet

from qgis.core import QgsProcessingFeedback
from qgis.PyQt.QtCore import QProcess, QProcessEnvironment

from ..compat import tr
from .environment import backend_variables
from .free_memory import free_memory
from .listening import BackendError, Listener, Result
from .process import output_of, stop

ARGUMENTS = ["-I", "-u", "-m", "sunbreak", "serve", "--warm"]
NEEDED_BYTES = 3 * 2**30
"""Memory that must be free for a process to be started: it needs half of it, and a preview the rest."""
POLL_MS = 50
START_S = 2.0
GRACE_S = 4.0  # the backend ends within 3 s of its cancellation

_all: WeakSet[KeptBackend] = WeakSet()


class KeptBackend:
    """Runs commands in one process, which is started when it is needed and ends by itself after ten idle minutes."""

    def __init__(self) -> None:
        self._turn, self._lock = threading.Lock(), threading.Lock()
        self._child: _Child | None = None
        self._unfit: Path | None = None
        _all.add(self)

    @property
    def pid(self) -> int | None:
        """Of the process; None if none runs."""
        child = self._child
        return child.pid if child is not None and child.lives else None

    def start(self, python: Path) -> None:
        """Start the process if it does not run, and if there is enough free memory; it loads what a preview needs."""
        with self._lock:
            self._started(python)

    def run(self, python: Path, arguments: list[str], feedback: QgsProcessingFeedback) -> Result | None:
        """Run a command and wait for it. Any thread may call it.

        Args:
            python: Interpreter that has the backend.
            arguments: Command and options.
            feedback: Receives messages and progress, and is asked whether to stop.

        Returns:
            Its result; None if no process can be kept or it is busy, and nothing was done.

        Raises:
            BackendError: It reported an error, was cancelled, or ended without a result.
        """
        if not self._turn.acquire(blocking=False):
            return None
        try:
            for _ in range(2):  # the process may end by itself before it hears of the command
                with self._lock:
                    child = self._started(python)
                if child is None:
                    return None
                listener = Listener(feedback, ())
                if child.run(arguments, feedback, listener):
                    code, crashed = child.status(listener)
                    return listener.outcome(str(python), code, crashed=crashed)
                self._forget(child, python)
            return None
        finally:
            self._turn.release()

    def end(self) -> None:
        """End the process; a command that runs in it is cancelled."""
        with self._lock:
            child, self._child = self._child, None
            self._unfit = None
        if child is not None:
            child.end()

    def _started(self, python: Path) -> _Child | None:
        variables = backend_variables(python)
        child = self._child
        if child is not None and child.lives and (child.python, child.variables) == (python, variables):
            return child
        if child is not None:
            child.end()
            self._child = None
        if python == self._unfit or free_memory() < NEEDED_BYTES:
            return None
        self._child = _Child(python, variables)
        return self._child

    def _forget(self, child: _Child, python: Path) -> None:
        """Give up a process that ended before it ran a command."""
        child.end()
        with self._lock:
            if self._child is child:
                self._child = None
            if not child.greeted:  # another release of the backend, which cannot serve
                self._unfit = python


def end_all() -> None:
    """End all processes: the backend is about to be replaced or removed."""
    for kept in list(_all):
        kept.end()


class _Child:
    """One process that serves commands.

    Attributes:
        greeted: Whether it has ever waited for a command.
        pid: Its number; None if it could not be started.
    """

    def __init__(self, python: Path, variables: dict[str, str]) -> None:
        self.python, self.variables = python, variables
        self.greeted = False
        self.pid: int | None = None
        self._asked = 0
        self._code, self._crashed = 1, False
        self._to_say: queue.Queue[bytes] = queue.Queue()
        self._heard: queue.Queue[tuple[bytes, bytes] | None] = queue.Queue()
        self._started, self._closing, self._over = (threading.Event() for _ in range(3))
        self._thread = threading.Thread(target=self._attend, name="sunbreak-kept", daemon=True)
        self._thread.start()
        self._started.wait(START_S)

    @property
    def lives(self) -> bool:
        """Whether the process runs."""
        return not self._over.is_set()

    def run(self, arguments: list[str], feedback: QgsProcessingFeedback, listener: Listener) -> bool:
        """Run a command until it is over; False if the process ended before it began.

        Raises:
            BackendError: It was cancelled, or uses another version of the protocol.
        """
        self._asked += 1
        self._say({"id": self._asked, "arguments": arguments})
        try:
            while self._listen(listener):
                if feedback.isCanceled():
                    raise BackendError(tr("Cancelled."), tr("No partial files were left."), "cancelled")
        except BackendError as error:
            if error.code == "cancelled":
                self._stop_command(listener)
            else:
                self.end()
            raise
        return listener.begun or listener.ended is not None

    def status(self, listener: Listener) -> tuple[int, bool]:
        """Exit status of the command that is over, or the signal that ended the process, and whether one did."""
        return (listener.ended[1], False) if listener.ended is not None else (self._code, self._crashed)

    def end(self) -> None:
        """End the process, see `stop`."""
        self._closing.set()
        self._thread.join()

    def _say(self, content: dict[str, Any]) -> None:
        self._to_say.put(json.dumps(content).encode() + b"\n")

    def _listen(self, listener: Listener) -> bool:
        """Pass on what the process says; False if the command or the process is over."""
        with contextlib.suppress(queue.Empty):
            heard = self._heard.get(timeout=POLL_MS / 1000)
            if heard is None:
                listener.hear(b"", b"", last=True)
                return False
            listener.hear(*heard)
            self.greeted = self.greeted or listener.ready
        return listener.ended is None

    def _stop_command(self, listener: Listener) -> None:
        """Cancel the running command; end the process if the command goes on."""
        end = time.monotonic() + GRACE_S
        self._say({"cancel": self._asked})
        with contextlib.suppress(BackendError):
            while time.monotonic() < end and self._listen(listener):
                pass
        if listener.ended is None:
            self.end()

    def _attend(self) -> None:
        """Start the process, and pass on bytes until it is over."""
        process = QProcess()
        environment = QProcessEnvironment()
        for name, value in self.variables.items():
            environment.insert(name, value)
        process.setProcessEnvironment(environment)
        process.start(str(self.python), ARGUMENTS)
        if process.waitForStarted():
            self.pid = process.processId()
        self._started.set()
        while process.state() != QProcess.ProcessState.NotRunning:
            with contextlib.suppress(queue.Empty):
                process.write(self._to_say.get_nowait())
            process.waitForReadyRead(POLL_MS)
            self._pass_on(process)
            if self._closing.is_set():
                stop(process)
        self._pass_on(process)
        self._code, self._crashed = process.exitCode(), process.exitStatus() == QProcess.ExitStatus.CrashExit
        self._over.set()
        self._heard.put(None)

    def _pass_on(self, process: QProcess) -> None:
        heard = output_of(process)
        if any(heard):
            self._heard.put(heard)
