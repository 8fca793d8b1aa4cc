"""A server that fails on demand, and clients with short waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from faulty_server import FaultyServer, serving

pytest.importorskip("requests")

from sunbreak.events import Reporter
from sunbreak.sources.remote import Access, RemoteClient

Connect = Callable[..., RemoteClient]


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with serving({"/a.json": b'{"a": 1}', "/a.bin": bytes(range(256)) * 400}) as served:
        yield served


@pytest.fixture
def connect() -> Connect:
    """Make a client that may ask 127.0.0.1 and waits for short times."""

    def make(reporter: Reporter | None = None, **limits: object) -> RemoteClient:
        given = {"hosts": frozenset({"127.0.0.1"}), "read_s": 3, "connect_s": 3, "pause_s": 0.01, **limits}
        return RemoteClient(Access(**given), reporter)  # type: ignore[arg-type]

    return make
