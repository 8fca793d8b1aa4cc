"""Sends calls to the workers of a cluster and takes their answers, whatever happens to workers and scheduler.

A call is sent again when its worker ended, when that worker lacks something, and when the scheduler came back after it
was gone. A call whose workers end again and again without getting further is given up.
"""

from __future__ import annotations

import contextlib
import queue
import time
import uuid
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sunbreak.cluster import serving
from sunbreak.cluster.calls import Answer, Call
from sunbreak.cluster.connection import Connection
from sunbreak.events import Reporter, Share

MOST_LOSSES = 5
"""Workers that may end one after the other at a call that gets no further."""
BUSY_S = 100.0
"""How long a call is asked again whose output somebody else holds: a lease of a dead host ends sooner."""
CLEANUP_S = 2.5
"""What running calls get to remove their partial files after a cancellation."""

_TICK_S = 0.1
_BUSY_PAUSE_S = 2.0
_ABORT_S = 0.3
_LATE_EVENTS_S = 2.0

OnEvent = Callable[[Call, Mapping[str, Any]], None]
CallIsWrong = Callable[[Call], bool]


@dataclass
class _Sent:
    """A call, and what was tried so far."""

    call: Call
    number: int
    tries: int = 0
    future: Any = None
    losses: int = 0
    progress: Share = field(default_factory=Share)
    share: float = 0.0  # of its work that is done
    share_at_loss: float = 0.0
    begun: bool = False
    events: int = 0
    not_before: float = 0.0
    busy_since: float | None = None
    answer: Answer | None = None
    answered: float = field(default=0.0)


class Dispatcher:
    """Runs calls on the workers of a connection.

    Args:
        connection: The connection.
        reporter: Is told what happens to workers; cancels.
        on_event: Receives the events of each call, in order.
        is_wrong: Whether a call that a worker cannot do, because it lacks something, is to blame itself: then it fails,
            and the worker stays in use.
    """

    def __init__(
        self, connection: Connection, reporter: Reporter, on_event: OnEvent, is_wrong: CallIsWrong = lambda call: False
    ) -> None:
        self._connection, self._reporter = connection, reporter
        self._on_event, self._is_wrong = on_event, is_wrong
        self._topic = f"sunbreak-{uuid.uuid4().hex}"
        self._heard: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._running: dict[str, _Sent] = {}
        self._waiting: deque[_Sent] = deque()
        self._ended: set[str] = set()
        self._listening: Any = None

    def run(self, calls: Sequence[Call]) -> Generator[tuple[Call, Answer], None, None]:
        """The answers of the calls as they come; `done` and `failed` ones only.

        Raises:
            Cancelled: The caller asked to stop; the workers have stopped, and partial files are removed.
            InputError: No worker can be used.
            RunError: The scheduler is gone for good.
        """
        self._waiting.extend(_Sent(call, number) for number, call in enumerate(calls))
        try:
            while self._waiting or self._running:
                self._reporter.checkpoint()
                if self._connection.is_lost():
                    self._take_back()
                    self._connection.connect_again()
                self._listen()
                self._connection.look()
                self._send()
                self._hear()
                for sent in [sent for sent in self._running.values() if self._is_complete(sent)]:
                    answer = self._settle(sent)
                    if answer is not None:
                        yield sent.call, answer
        finally:
            self._stop()

    def _listen(self) -> None:
        if self._listening is self._connection.client:
            return
        self._listening = self._connection.client
        self._listening.subscribe_topic(self._topic, lambda event: self._heard.put(("event", event[1])))

    def _send(self) -> None:
        """Submit as many calls as the workers take, and a few more, so that none waits for the next."""
        slots = self._connection.slots
        most = slots + max(1, slots // 4) if slots else 0
        now = time.monotonic()
        for sent in list(self._waiting):
            if len(self._running) >= most:
                return
            if sent.not_before > now:
                continue
            self._waiting.remove(sent)
            sent.tries += 1
            key = f"{self._topic}-{sent.number}-{sent.tries}"
            self._running[key] = sent
            try:
                sent.future = self._connection.client.submit(
                    serving.serve, sent.call.to_json(key, self._topic), key=key, pure=False, retries=0,
                    priority=-sent.number, workers=self._connection.restricted_to, allow_other_workers=False,
                )  # fmt: skip
            except OSError:  # the scheduler has just gone: noticed in the next turn
                del self._running[key]
                self._waiting.appendleft(sent)
                return
            sent.future.add_done_callback(lambda future, key=key: self._heard.put(("over", key)))

    def _hear(self) -> None:
        """Take what has come: events, and calls that are over."""
        wait = _TICK_S
        while True:
            try:
                kind, what = self._heard.get(timeout=wait)
            except queue.Empty:
                return
            wait = 0.0
            if kind == "event":
                self._hear_event(what)
            else:
                self._hear_end(what)

    def _hear_event(self, event: Mapping[str, Any]) -> None:
        key = event["key"]
        sent = self._running.get(key)
        if sent is None:
            return
        if event["event"] == "ended":
            self._ended.add(key)
            return
        if event["event"] == "begun":
            sent.begun, sent.progress = True, Share()
            return
        sent.events += 1
        if event["event"] == "progress":
            sent.share = max(sent.share, sent.progress.after(event["done"], event["total"], event["unit"]))
        self._on_event(sent.call, event)

    def _hear_end(self, key: str) -> None:
        sent = self._running.get(key)
        if sent is None or sent.future is None:
            return
        sent.answered = time.monotonic()
        future = sent.future
        if future.status == "finished":
            try:
                sent.answer = Answer.from_json(future.result(timeout=30))
            except Exception as error:  # the worker that held the answer ended
                sent.answer = self._answer_of(error)
        elif future.status == "error":
            try:
                sent.answer = self._answer_of(future.exception(timeout=30))
            except Exception as error:
                sent.answer = self._answer_of(error)
        else:
            sent.answer = Answer("cancelled")  # the scheduler forgot it

    def _answer_of(self, error: BaseException | None) -> Answer:
        """The answer that stands for an exception of dask."""
        from distributed import KilledWorker

        if isinstance(error, KilledWorker):
            worker = getattr(error.last_worker, "address", str(error.last_worker))
            return Answer("cancelled", code="worker-lost", worker=worker)
        if isinstance(error, ImportError):
            return Answer("cancelled")  # a worker without this package came: `look` finds it
        return Answer("cancelled", code="worker-lost", reason=str(error))

    def _is_complete(self, sent: _Sent) -> bool:
        """Whether a call is over and its events have come; those of a worker that ended never do."""
        if sent.answer is None:
            return False
        late = sent.answer.state in ("done", "failed") and sent.events < sent.answer.events
        return not late or time.monotonic() - sent.answered > _LATE_EVENTS_S

    def _settle(self, sent: _Sent) -> Answer | None:
        """The answer to pass on; None if the call is to be sent again."""
        key = next(key for key, running in self._running.items() if running is sent)
        del self._running[key]
        self._ended.discard(key)
        answer, sent.answer, sent.future, sent.events, sent.begun = sent.answer, None, None, 0, False
        if answer is None or answer.state in ("done", "failed"):
            return answer
        title = sent.call.title or sent.call.name
        if answer.state == "differs":
            if self._is_wrong(sent.call):
                return Answer("failed", code="unreadable", reason=f"{'; '.join(answer.what)}.", worker=answer.worker)
            self._connection.exclude(answer.worker, answer.what)
        elif answer.state == "busy":
            now = time.monotonic()
            sent.busy_since = sent.busy_since or now
            if now - sent.busy_since > BUSY_S:
                return Answer("failed", code=answer.code, reason=answer.reason)
            sent.not_before = now + _BUSY_PAUSE_S
        elif answer.code == "worker-lost":
            sent.losses = 1 if sent.share > sent.share_at_loss else sent.losses + 1
            sent.share_at_loss = sent.share
            if sent.losses >= MOST_LOSSES:
                reason = (
                    f"{sent.losses} workers ended one after the other while they worked on it, probably for want of "
                    "memory. Use fewer workers, or ones with more memory."
                )
                return Answer("failed", code="worker-lost", reason=reason, internal=True)
            self._reporter.message(f"{title}: its worker {answer.worker} ended. Another goes on with it.", "warning")
        self._waiting.appendleft(sent)
        return None

    def _take_back(self) -> None:
        """The scheduler is gone: everything that was sent is to be sent again."""
        for sent in sorted(self._running.values(), key=lambda sent: -sent.number):
            sent.answer, sent.future, sent.events, sent.begun = None, None, 0, False
            self._waiting.appendleft(sent)
        self._running.clear()

    def _have_ended(self, keys: set[str], until: float) -> bool:
        """Wait until calls have ended, or a time has come; gives whether all have."""
        while keys - self._ended and time.monotonic() < until:
            with contextlib.suppress(queue.Empty):
                kind, what = self._heard.get(timeout=_TICK_S)
                if kind == "event" and what["event"] == "ended":
                    self._ended.add(what["key"])
        return not keys - self._ended

    def _stop(self) -> None:
        """Stop what still runs: it removes its partial files; what does not stop in time is ended."""
        client = self._connection.client
        futures = {key: sent.future for key, sent in self._running.items() if sent.future is not None}
        if futures and client is not None:
            begun = {key for key, sent in self._running.items() if sent.begun}
            until = time.monotonic() + CLEANUP_S
            with contextlib.suppress(Exception):
                client.cancel(list(futures.values()), asynchronous=False, force=True)
            if not self._have_ended(begun, until):
                with contextlib.suppress(Exception):
                    client.run(serving.abort, sorted(begun - self._ended), wait=False, on_error="ignore")
                if not self._have_ended(begun, time.monotonic() + _ABORT_S):
                    # a library that holds the interpreter keeps a worker from hearing of it
                    self._connection.end_workers()
        self._running.clear()
        if client is not None and self._listening is client:
            with contextlib.suppress(Exception):
                client.unsubscribe_topic(self._topic)
