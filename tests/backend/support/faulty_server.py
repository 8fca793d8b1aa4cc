"""An HTTP server on this machine that sends parts of files, and fails where a test tells it to."""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

#: Deals with a request itself and says so, or leaves it to the server.
Fault = Callable[["Handler"], bool]


@dataclass
class FaultyServer:
    """What it serves, what it does wrong, and what it was asked.

    Attributes:
        files: Content by path.
        faults: Each deals with one request, the first one first; then all goes well.
        always: Looks at every request before `faults`.
        asked: Method, path with query, and range of every request.
        sent: Bytes of all bodies.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    always: Fault | None = None
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    sent: int = 0
    ranges: bool = True
    tag: str = '"1"'
    port: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """The address of a path."""
        return f"http://{host}:{self.port}{path}"


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    served: FaultyServer

    def do_GET(self) -> None:
        served = self.served
        with served.lock:
            served.asked.append((self.command, self.path, self.headers.get("Range", "")))
            served.headers.append(dict(self.headers))
            fault = served.faults.pop(0) if served.faults else None
        if served.always is not None and served.always(self):
            return
        if fault is not None and fault(self):
            return
        self.answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def answer(self, *, body: bytes | None = None) -> None:
        """What a good server sends."""
        content = self.served.files.get(urlsplit(self.path).path) if body is None else body
        if content is None:
            self.reply(404, b"no such file: " + self.path.encode())
            return
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if asked is None or not self.served.ranges:
            self.reply(200, content, {"ETag": self.served.tag})
            return
        start, stop = int(asked[1]), min(int(asked[2]) + 1, len(content))
        if start >= len(content):
            self.reply(416, b"", {"Content-Range": f"bytes */{len(content)}"})
            return
        self.reply(
            206,
            content[start:stop],
            {"Content-Range": f"bytes {start}-{stop - 1}/{len(content)}", "ETag": self.served.tag},
        )

    def reply(self, status: int, body: bytes, headers: dict[str, str] | None = None, length: int | None = None) -> None:
        """Send an answer, which may say a wrong length."""
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body) if length is None else length)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        with self.served.lock:
            self.served.sent += len(body)
        if length is not None and length != len(body):
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Clients that leave are what the tests are about."""


@contextmanager
def serving(
    files: dict[str, bytes] | None = None, *, certificate: tuple[Path, Path] | None = None
) -> Iterator[FaultyServer]:
    """A server on loopback, until the end of the block; with TLS if it has a certificate and its key."""
    served = FaultyServer(files or {})
    server = _Quiet(("127.0.0.1", 0), type("Bound", (Handler,), {"served": served}))
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    served.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def status(code: int, **headers: str) -> Fault:
    """Answer with a status; names of headers with underscores for hyphens."""

    def fault(handler: Handler) -> bool:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        handler.reply(code, b"<html>token=SECRET</html>", named)
        return True

    return fault


def retry_date(seconds: float) -> str:
    """An HTTP date some seconds from now."""
    return formatdate(time.time() + seconds, usegmt=True)


def redirect(target: str) -> Fault:
    """Send on to another address."""
    return status(302, Location=target)


def half(handler: Handler) -> bool:
    """Say the whole length of an answer and send half of it."""
    whole = handler.reply

    def cut(code: int, body: bytes, headers: dict[str, str] | None = None, length: int | None = None) -> None:
        whole(code, body[: len(body) // 2], headers, len(body))

    handler.reply = cut  # type: ignore[assignment, method-assign]
    handler.answer()
    return True


def stall(seconds: float) -> Fault:
    """Answer later than a client waits."""

    def fault(handler: Handler) -> bool:
        time.sleep(seconds)
        handler.close_connection = True
        return True

    return fault


def hang_up(handler: Handler) -> bool:
    """Close the connection without an answer."""
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True
    return True


def unless_signed(signature: Callable[[], str]) -> Fault:
    """Refuse (403) whoever does not give the signature of the moment."""

    def fault(handler: Handler) -> bool:
        if parse_qs(urlsplit(handler.path).query).get("sig") == [signature()]:
            return False
        handler.reply(403, b"signature expired")
        return True

    return fault
