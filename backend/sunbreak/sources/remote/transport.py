"""How requests are sent: under the rule of `Access`, with further attempts, and with every answer read to its end.

All of it is one adapter of a `requests.Session`, so that it holds for whatever library is given the session. Answers
are small (JSON, or a part of a raster) and are read into memory within the limits.
"""

from __future__ import annotations

import contextvars
import logging
import random
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import DecodeError, HTTPError, NameResolutionError, ReadTimeoutError
from urllib3.util import parse_url

from sunbreak import __version__
from sunbreak.errors import InputError, SunbreakError
from sunbreak.events import Reporter
from sunbreak.sources.remote import failures
from sunbreak.sources.remote.access import Access, is_loopback, shown

_PIECE = 2**16
_EXPLANATION = 2**20  # bytes of the text with which a server refuses
_REDIRECTS = 5
_WORTH_SAYING_S = 5
# a server that sends less than this, after ten times the longest wait, is too slow although it never stops
_LEAST_PER_S = 4096
_limit: contextvars.ContextVar[int | None] = contextvars.ContextVar("answer_limit", default=None)


@contextmanager
def at_most(limit: int) -> Iterator[None]:
    """Within, an answer may have `limit` bytes."""
    token = _limit.set(limit)
    try:
        yield
    finally:
        _limit.reset(token)


@dataclass(frozen=True)
class _Failed:
    """A request that failed: what is raised if no further attempt succeeds, and seconds that the server asks for."""

    error: SunbreakError
    wait_s: float | None = None
    passing: bool = True


class Counter:
    """Bytes received and requests made, by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.moved_bytes = 0
        self.requests = 0

    def add(self, *, moved_bytes: int = 0, requests: int = 0) -> None:
        """Count."""
        with self._lock:
            self.moved_bytes += moved_bytes
            self.requests += requests


class Session(requests.Session):
    """A session that asks allowed hosts only, keeps no cookies and sends no password of the user's files."""

    def __init__(self, access: Access, reporter: Reporter, counter: Counter) -> None:
        super().__init__()
        self._access = access
        self.max_redirects = _REDIRECTS
        self.headers["User-Agent"] = f"sunbreak/{__version__}"
        self.auth = _without_password
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.adapters.clear()
        self.mount("", Transport(access, reporter, counter))
        _keep_queries_out_of_logs()

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where an answer sends on to, if that may be asked.

        Raises:
            InputError: ``redirect``.
        """
        try:
            target: str | None = super().get_redirect_target(resp)
            whole = urljoin(resp.url, target) if target is not None else ""
        except ValueError:  # bytes that are no text, brackets without end
            target, whole = "", "?"
        if target is not None:
            self._access.check_redirect(resp.url, whole)
        return target

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Another host does not get the password of the first; none is looked up for it."""
        before, after = urlsplit(response.request.url or ""), urlsplit(prepared_request.url or "")
        if before[:2] != after[:2]:  # scheme, host and port
            prepared_request.headers.pop("Authorization", None)


class Transport(HTTPAdapter):
    """Sends one request, again if that may help, and reads the answer."""

    def __init__(self, access: Access, reporter: Reporter, counter: Counter) -> None:
        super().__init__(pool_connections=16, pool_maxsize=16, max_retries=0)
        self._access, self._reporter, self._counter = access, reporter, counter

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """The answer, read to its end; also one with a status of 400 or more, if no further attempt can help.

        Raises:
            InputError: ``not-https``, ``host-not-allowed``, ``no-ranges``, ``too-large``.
            RunError: ``too-many-requests``, ``server-error``, ``slow``, ``cut-off``, ``no-connection``.
            Cancelled: The caller asked to stop.
        """
        url = request.url or ""
        self._access.check(url)
        if parse_url(url).scheme not in ("http", "https") or not _same_host(url):
            raise InputError(f"{shown(url)} is no valid address.", "Give an https address.", code="not-https")
        options = {"verify": verify, "cert": cert, "proxies": {} if is_loopback(url) else proxies}
        attempt = 1
        while True:
            self._reporter.checkpoint()
            found = self._once(request, attempt, options)
            if not isinstance(found, _Failed):
                return found
            if not found.passing or attempt >= self._access.attempts:
                # outside of any except block: the causes hold whole addresses, with their signatures
                raise found.error
            self._pause(url, attempt, found.wait_s)
            attempt += 1

    def _once(
        self, request: requests.PreparedRequest, attempt: int, options: Mapping[str, Any]
    ) -> requests.Response | _Failed:
        url = request.url or ""
        self._counter.add(requests=1)
        response, failed = None, _Failed(failures.cut_off(url))
        try:
            response = super().send(
                request, stream=True, timeout=(self._access.connect_s, self._access.read_s), **options
            )
            unread = self._read(request, response, attempt)
            if unread is None:
                response.raw.release_conn()
                return response
            failed = unread
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            failed = _failure(error, url, self._access)
        finally:
            if response is not None:
                self._counter.add(moved_bytes=_received(response))
                response.raw.close()
        return failed

    def _read(self, request: requests.PreparedRequest, response: requests.Response, attempt: int) -> _Failed | None:
        """Read the answer into memory, or tell why it is none."""
        url = request.url or ""
        if response.status_code in failures.PASSING:
            return _Failed(failures.of_status(response.status_code, url, attempt), _retry_after(response.headers))
        if "Range" in request.headers and response.status_code == 200:
            return _Failed(failures.no_ranges(url), passing=False)
        limit = min(_limit.get() or self._access.answer_bytes, self._access.answer_bytes)
        if response.status_code >= 400:
            limit = max(limit, _EXPLANATION)
        declared = response.headers.get("Content-Length", "")
        length = int(declared) if declared.isascii() and declared.isdigit() else None
        if length is not None and length > limit:
            return _Failed(failures.too_large(url, "the answer", limit), passing=False)
        pieces, size, start = [], 0, time.monotonic()
        while piece := response.raw.read1(_PIECE, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            self._reporter.checkpoint()
            if size > limit:
                return _Failed(failures.too_large(url, "the answer", limit), passing=False)
            if self._counter.moved_bytes + _received(response) > self._access.max_bytes:
                return _Failed(
                    failures.too_large(url, "all that this run has received", self._access.max_bytes), passing=False
                )
            seconds = time.monotonic() - start
            if seconds > 10 * self._access.read_s + size / _LEAST_PER_S:
                return _Failed(failures.slow(url, seconds))
        if length is not None and request.method != "HEAD" and _received(response) < length:
            return _Failed(failures.cut_off(url))
        # where `requests` looks for what was read already
        vars(response).update(_content=b"".join(pieces), _content_consumed=True)
        return None

    def _pause(self, url: str, attempt: int, asked_s: float | None) -> None:
        """Wait before another attempt: as long as the server asks, or twice as long as the last time, with jitter."""
        seconds = self._access.pause_s * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)
        seconds = min(seconds if asked_s is None else asked_s, self._access.longest_pause_s)
        if seconds >= _WORTH_SAYING_S:
            self._reporter.message(f"{urlsplit(url).hostname} asks to wait: next attempt in {seconds:.0f} s.")
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._reporter.checkpoint()
            time.sleep(min(left, 0.1))


def _failure(error: Exception, url: str, access: Access) -> _Failed:
    """What went wrong, in our own words: those of the libraries quote the whole address."""
    chain = list(_causes(error))
    if any(isinstance(one, requests.exceptions.ProxyError) for one in chain):
        return _Failed(failures.no_connection(url, "the proxy does not answer or refuses"))
    if any(isinstance(one, requests.exceptions.SSLError) for one in chain):
        return _Failed(failures.no_connection(url, "its certificate or encryption is not accepted"), passing=False)
    if any(isinstance(one, requests.exceptions.ConnectTimeout) for one in chain):
        return _Failed(failures.slow(url, access.connect_s))
    if any(isinstance(one, requests.exceptions.ReadTimeout | ReadTimeoutError | TimeoutError) for one in chain):
        return _Failed(failures.slow(url, access.read_s))
    if any(isinstance(one, NameResolutionError) for one in chain):
        return _Failed(failures.no_connection(url, "there is no such host"))
    if any(isinstance(one, ConnectionRefusedError) for one in chain):
        return _Failed(failures.no_connection(url, "nothing answers there"))
    if isinstance(error, requests.exceptions.ConnectionError | HTTPError | DecodeError):
        if any(isinstance(one, OSError) and one.errno in _UNREACHABLE for one in chain):
            return _Failed(failures.no_connection(url, "there is no route to it"))
        return _Failed(failures.cut_off(url))
    return _Failed(failures.no_connection(url, "the request cannot be made"), passing=False)


_UNREACHABLE = {100, 101, 112, 113, 10051, 10065}  # network or host down or unreachable, on Linux and Windows


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and all that led to it: by the chain, and as libraries keep it."""
    seen: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting and len(seen) < 50:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in seen:
            seen.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    yield from seen


def _received(response: requests.Response) -> int:
    return int(response.raw.tell())


def _same_host(url: str) -> bool:
    """Whether the library that connects finds the same host in an address as the rule that allowed it."""
    host = (parse_url(url).host or "").strip("[]").rstrip(".").lower()
    return host == (urlsplit(url).hostname or "").rstrip(".")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait for: a number, or until a date."""
    given = headers.get("Retry-After", "").strip()
    if given.isascii() and given.isdigit():
        return float(given[:9])
    try:
        return max(parsedate_to_datetime(given).timestamp() - time.time(), 0.0)
    except (TypeError, ValueError, OverflowError):
        return None


def _without_password(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Stands for a password, so that none is taken from ``.netrc``."""
    return request


class _NoQueries(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(one.split("?")[0] if isinstance(one, str) else one for one in record.args)
        return True


def _keep_queries_out_of_logs() -> None:
    """urllib3 logs whole addresses where a program asks for all logs."""
    logger = logging.getLogger("urllib3.connectionpool")
    if not any(isinstance(one, _NoQueries) for one in logger.filters):
        logger.addFilter(_NoQueries())
