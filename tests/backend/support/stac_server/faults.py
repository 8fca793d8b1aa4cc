"""Faults that the server shows when told to, and counts of what was asked."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATUS = ("400", "401", "403", "404", "429", "500", "502", "503", "504")
KINDS = (
    *STATUS, "slow", "half", "wrong-bytes", "redirect-host", "redirect-file", "redirect", "no-ranges", "changed", "html",
)  # fmt: skip
CONTROL = "/control"


@dataclass
class Fault:
    """What goes wrong.

    Attributes:
        path: Regular expression; it is searched in the path of a request.
        fault: One of `KINDS`. A number is the status. ``slow`` waits before it answers, ``half`` ends the body after half
            of its length and closes the connection, ``wrong-bytes`` changes all bytes of the
            body, ``redirect`` leads to the same path, ``redirect-host`` to the same path on host localhost,
            ``redirect-file`` to a file URL, ``no-ranges`` gives the whole file, ``changed`` gives another ETag, ``html``
            gives a page of text with status 200.
        times: How many requests; -1 for all.
        after: How many matching requests are answered rightly before.
        retry_after: Value of Retry-After of 429 and 503 in seconds, or an HTTP date.
        seconds: How long ``slow`` waits.
    """

    path: str
    fault: str
    times: int = 1
    after: int = 0
    retry_after: int | str | None = None
    seconds: float = 3

    def __post_init__(self) -> None:
        if self.fault not in KINDS:
            raise ValueError(f"no such fault: {self.fault} (there are {', '.join(KINDS)})")
        re.compile(self.path)


@dataclass
class Faults:
    """The faults that are switched on, and the counts. Safe for several threads.

    Attributes:
        requests: Number of requests of each path.
        sent: Bytes of bodies sent for each path.
        hosts: Number of requests of each name in the header Host, without the port.
        log: The last 5000 requests: method, path, header Range or "", status.
    """

    requests: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    hosts: Counter[str] = field(default_factory=Counter)
    log: list[tuple[str, str, str, int]] = field(default_factory=list)
    _on: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, path: str, fault: str, **options: Any) -> None:
        """Switch a fault on, see `Fault`."""
        with self._lock:
            self._on.append(Fault(path, fault, **options))

    def clear(self) -> None:
        """Switch all faults off and set the counts to 0."""
        with self._lock:
            self._on.clear()
            self.log.clear()
            for counts in (self.requests, self.sent, self.hosts):
                counts.clear()

    def bytes(self, pattern: str = "") -> int:
        """Bytes sent for the paths that match a regular expression."""
        return sum(count for path, count in list(self.sent.items()) if re.search(pattern, path))

    def count(self, pattern: str = "") -> int:
        """Number of requests of the paths that match a regular expression."""
        return sum(count for path, count in list(self.requests.items()) if re.search(pattern, path))

    def state(self) -> dict[str, Any]:
        """All of it as JSON."""
        with self._lock:
            return {
                "requests": dict(self.requests),
                "bytes": dict(self.sent),
                "hosts": dict(self.hosts),
                "log": [list(entry) for entry in self.log],
                "faults": [asdict(fault) for fault in self._on],
            }

    def take(self, path: str) -> Fault | None:
        """The fault that a request of this path meets now."""
        with self._lock:
            for fault in self._on:
                if not re.search(fault.path, path):
                    continue
                if fault.after:
                    fault.after -= 1
                    return None
                if fault.times > 0:
                    fault.times -= 1
                    if not fault.times:
                        self._on.remove(fault)
                return fault
        return None

    def note(self, scope: Scope) -> None:
        """Count a request."""
        host = next((value.decode("latin-1") for key, value in scope["headers"] if key == b"host"), "")
        with self._lock:
            self.requests[scope["path"]] += 1
            self.hosts[host.rpartition(":")[0]] += 1

    def note_answer(self, scope: Scope, status: int) -> None:
        """Log an answer that begins."""
        wanted = next((value.decode("latin-1") for key, value in scope["headers"] if key == b"range"), "")
        with self._lock:
            self.log.append((scope["method"], scope["path"], wanted, status))
            del self.log[:-5000]

    def note_bytes(self, scope: Scope, count: int) -> None:
        """Count bytes that are sent now."""
        with self._lock:
            self.sent[scope["path"]] += count


class FaultyApp:
    """Wraps an application: counts its answers and spoils those that a fault hits. `CONTROL` is left alone."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app, self._faults = app, faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == CONTROL:
            await self._app(scope, receive, send)
            return
        self._faults.note(scope)
        fault = self._faults.take(scope["path"])

        async def counted(message: Message) -> None:
            # before it is sent, so that the counts are right when the client has its answer
            if message["type"] == "http.response.start":
                self._faults.note_answer(scope, message["status"])
            else:
                self._faults.note_bytes(scope, len(message.get("body", b"")))
            await send(message)

        if fault is None:
            await self._app(scope, receive, counted)
        else:
            await self._spoilt(fault, scope, receive, counted)

    async def _spoilt(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        kind = fault.fault
        if kind in STATUS:
            more = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
            await _answer(send, int(kind), f"fault {kind}".encode(), more)
        elif kind == "html":
            await _answer(
                send, 200, b"<!DOCTYPE html><html><body>Please log in.</body></html>", {"content-type": "text/html"}
            )
        elif kind.startswith("redirect"):
            await _answer(send, 302, b"", {"location": _elsewhere(kind, scope)})
        else:
            if kind == "slow":
                await asyncio.sleep(fault.seconds)
            if kind == "no-ranges":
                scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"range"]}
            await self._app(scope, receive, _Changed(kind, send))


class _Changed:
    """Changes the messages of an answer."""

    def __init__(self, kind: str, send: Send) -> None:
        self._kind, self._send = kind, send
        self._left = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message["headers"]))
            if self._kind == "no-ranges":
                del headers["accept-ranges"]
            if self._kind == "changed" and "etag" in headers:
                headers["etag"] = '"another"'
            self._left = int(headers.get("content-length", "0")) // 2
            message = {**message, "headers": headers.raw}
        elif self._kind == "wrong-bytes":
            message = {**message, "body": bytes(byte ^ 0x55 for byte in message.get("body", b""))}
        elif self._kind == "half":
            body = message.get("body", b"")[: self._left]
            self._left -= len(body)
            # never the last part: the server then closes the connection, with less sent than it said
            message = {**message, "body": body, "more_body": True}
        await self._send(message)


def _elsewhere(kind: str, scope: Scope) -> str:
    if kind == "redirect-file":
        return "file:///etc/hostname"
    host = "localhost" if kind == "redirect-host" else scope["server"][0]
    query = scope.get("query_string", b"").decode("latin-1")
    return f"http://{host}:{scope['server'][1]}{scope['path']}" + (f"?{query}" if query else "")


async def _answer(send: Send, status: int, body: bytes, headers: dict[str, str]) -> None:
    pairs = {"content-length": str(len(body)), "content-type": "text/plain", **headers}
    raw = [(key.encode(), value.encode("latin-1")) for key, value in pairs.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
