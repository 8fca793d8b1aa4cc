"""Runs a call on a worker: reports its events to the client, and stops when the client wants it no more.

Dask marks a task that nobody wants any more, because it was cancelled or its client is gone, as cancelled. It cannot
stop the thread. A watch looks at the mark and asks the run to stop, as a signal does on the command line.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sunbreak import __version__, unfinished
from sunbreak.cluster.calls import Answer, Busy, WorkerDiffers
from sunbreak.cluster.threads import use_threads
from sunbreak.errors import Cancelled, SunbreakError
from sunbreak.events import Reporter

Function = Callable[[Mapping[str, Any], Reporter], Any]

_PROGRESS_S = 0.5
_WATCH_S = 0.2
# jobs keep their networks loaded, which one thread at a time may use
_one_at_a_time = threading.Lock()
_running: set[str] = set()


def serve(text: str) -> str:
    """Run a call and return its answer; no exception passes.

    Args:
        text: See `Call.to_json`.

    Returns:
        See `Answer.from_json`.
    """
    from distributed import get_worker

    worker = get_worker()
    call: dict[str, Any] = json.loads(text)
    reporter = _Sender(worker, call["topic"], call["key"])
    if call["sunbreak"] != __version__:
        what = f"it has Sunbreak {__version__}, not {call['sunbreak']}"
        return Answer("differs", what=(what,), worker=worker.address).to_json()
    _running.add(call["key"])
    reporter.begun()
    try:
        with _watched(worker, call["key"], reporter):
            answer = _answer(call, reporter)
    finally:
        _running.discard(call["key"])
        reporter.ended()
    plain = {**vars(answer), "worker": worker.address, "events": reporter.sent}
    return Answer(**plain).to_json()


def _answer(call: Mapping[str, Any], reporter: Reporter) -> Answer:
    try:
        while not _one_at_a_time.acquire(timeout=_WATCH_S):
            reporter.checkpoint()
        try:
            use_threads()
            return Answer("done", _function(call["function"])(call["arguments"], reporter))
        finally:
            _one_at_a_time.release()
    except WorkerDiffers as error:
        return Answer("differs", what=error.what)
    except Busy as error:
        return Answer("busy", code=error.code, reason=error.reason)
    except Exception as error:
        if isinstance(error, Cancelled) or reporter.cancellation.requested:
            return Answer("cancelled")
        if isinstance(error, SunbreakError):
            return Answer(
                "failed", code=error.code, reason=" ".join(str(error).split()), internal=error.exit_status == 1
            )
        lines = str(error).strip().splitlines()
        reason = f"{type(error).__name__}: {lines[0] if lines else 'no message'}"
        return Answer("failed", code="internal", reason=reason, internal=True)


def _function(name: str) -> Function:
    module, _, function = name.partition(":")
    if not module.startswith("sunbreak."):
        raise ValueError(f"{name} is no function of this package")
    found: Function = getattr(importlib.import_module(module), function)
    return found


def describe() -> dict[str, Any]:
    """What a worker is: asked before anything is sent to it."""
    import platform
    import socket

    return {"sunbreak": __version__, "python": platform.python_version(), "host": socket.gethostname()}


def abort(keys: Sequence[str]) -> None:
    """End this worker's process if it still runs one of these calls; its nanny starts another."""
    if _running & set(keys):
        unfinished.remove_all(1.0)
        os._exit(1)


class _Sender(Reporter):
    """Sends the events of a call to its client, through the scheduler."""

    def __init__(self, worker: Any, topic: str, key: str) -> None:
        super().__init__()
        self._worker, self._topic, self._key = worker, topic, key
        self.sent = 0
        self._next = 0.0

    def _emit(self, event: str, **fields: Any) -> None:
        if event == "result":
            return
        if event == "progress":
            now = time.monotonic()
            if now < self._next:
                return
            self._next = now + _PROGRESS_S
        self.sent += 1
        self._send({"event": event, **fields})

    def begun(self) -> None:
        """Say that the call has begun."""
        self._send({"event": "begun"})

    def ended(self) -> None:
        """Say that nothing of the call runs any more."""
        self._send({"event": "ended"})

    def _send(self, fields: dict[str, Any]) -> None:
        with contextlib.suppress(Exception):  # a worker that has lost its scheduler reports to nobody
            self._worker.log_event(self._topic, {"key": self._key, **fields})


@contextlib.contextmanager
def _watched(worker: Any, key: str, reporter: Reporter) -> Iterator[None]:
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_WATCH_S):
            if not _wanted(worker, key):
                reporter.cancellation.request()
                return

    threading.Thread(target=watch, name="sunbreak-watch", daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _wanted(worker: Any, key: str) -> bool:
    """Whether a client still wants the result of a task that this worker runs."""
    task = worker.state.tasks.get(key)
    return task is not None and task.state != "cancelled" and worker.status.name in ("running", "paused", "init")
