"""Asks servers over the network: JSON, small files and parts of large ones, within the rule of an `Access`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sunbreak.errors import InputError
from sunbreak.events import Reporter, Silent
from sunbreak.sources.remote import failures
from sunbreak.sources.remote.access import Access, shown

if TYPE_CHECKING:
    import requests

_JSON_BYTES = 64 * 2**20
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


@dataclass(frozen=True)
class Part:
    """A part of a file on a server.

    Attributes:
        data: Its bytes.
        total: Size of the whole file in bytes.
        tag: What the server says of the file's version (ETag or date), empty if nothing.
    """

    data: bytes
    total: int
    tag: str


class RemoteClient:
    """One run's connections. Several threads may use it.

    Args:
        access: What may be asked.
        reporter: Its checkpoint is called between attempts and while an answer is received.

    Raises:
        InputError: ``no-catalogue`` if the packages for it are not installed.

    Attributes:
        access: What may be asked.
        session: A `requests.Session` under the same rule, with the same limits and further attempts, for other
            libraries. It raises the errors of this class.
    """

    def __init__(self, access: Access, reporter: Reporter | None = None) -> None:
        transport = _transport()
        self.access = access
        self._counter = transport.Counter()
        self._at_most = transport.at_most
        self.session: requests.Session = transport.Session(access, reporter or Silent(), self._counter)

    @property
    def moved_bytes(self) -> int:
        """Bytes received so far, without headers."""
        return int(self._counter.moved_bytes)

    @property
    def requests_made(self) -> int:
        """Requests made so far, redirects and further attempts included."""
        return int(self._counter.requests)

    def get_json(self, url: str) -> Any:
        """What a JSON document holds.

        Raises:
            InputError: ``not-json``, and everything `get_bytes` says.
            RunError: Everything `get_bytes` says.
        """
        text = self.get_bytes(url, _JSON_BYTES)
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
        raise InputError(f"{shown(url)} is not JSON.", "Check the address of the catalogue.", code="not-json")

    def get_bytes(self, url: str, limit_bytes: int) -> bytes:
        """A whole file.

        Raises:
            InputError: ``not-https``, ``host-not-allowed``, ``redirect``, ``forbidden``, ``not-found`` or
                ``too-large``.
            RunError: ``too-many-requests``, ``server-error``, ``slow``, ``cut-off`` or ``no-connection``, after the
                last attempt.
            Cancelled: The caller asked to stop.
        """
        return bytes(self._ask(url, limit_bytes, {}).content)

    def read_range(self, url: str, start: int, stop: int) -> bytes:
        """The bytes from `start` up to `stop` of a file; fewer where the file ends before.

        Raises:
            InputError: ``no-ranges``, and everything `get_bytes` says.
            RunError: Everything `get_bytes` says.
        """
        return self.part(url, start, stop).data

    def size(self, url: str) -> int:
        """Size of a file in bytes.

        Raises:
            InputError: ``no-ranges``, and everything `get_bytes` says.
            RunError: Everything `get_bytes` says.
        """
        return self.part(url, 0, 1).total

    def part(self, url: str, start: int, stop: int) -> Part:
        """The bytes from `start` up to `stop`, and what is said of the whole file.

        Raises:
            InputError: ``no-ranges``, and everything `get_bytes` says.
            RunError: Everything `get_bytes` says.
        """
        headers = {"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity"}
        answer = self._ask(url, stop - start + 2**16, headers)
        found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if (
            answer.status_code != 206
            or found is None
            or answer.headers.get("Content-Encoding", "identity") != "identity"
        ):
            raise failures.no_ranges(url)
        first, last, total = (int(one) for one in found.groups())
        if first != start or last + 1 != min(stop, total) or len(answer.content) != last + 1 - first:
            raise failures.cut_off(url)
        tag = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        return Part(bytes(answer.content), total, tag)

    def _ask(self, url: str, limit: int, headers: dict[str, str]) -> requests.Response:
        self.access.check(url)
        from requests import RequestException

        answer = None
        try:
            with self._at_most(limit):
                answer = self.session.get(url, headers=headers)
        except RequestException as error:
            looping = type(error).__name__ == "TooManyRedirects"
        if answer is None:
            if looping:
                raise InputError(
                    f"{shown(url)} sends on from one address to the next without end.",
                    "Check the address of the catalogue.",
                    code="redirect",
                )
            raise failures.no_connection(url, "the request cannot be made")
        if answer.status_code >= 400:
            raise failures.of_status(answer.status_code, url)
        return answer


def _transport() -> Any:
    try:
        from sunbreak.sources.remote import transport
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("sunbreak"):
            raise
    else:
        return transport
    raise InputError(
        "Catalogues need packages that are not installed.",
        "Install them: pip install 'sunbreak[catalogue]'.",
        code="no-catalogue",
    )
