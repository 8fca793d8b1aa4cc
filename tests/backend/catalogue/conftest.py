"""The catalogue server, one for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stac_server import CatalogueServer


@pytest.fixture(scope="session")
def catalogue_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CatalogueServer]:
    """A server that answers; use `catalogue`, which clears its faults."""
    for package in ("rustac", "uvicorn", "httpx"):
        pytest.importorskip(package)
    from stac_server import CatalogueServer

    with CatalogueServer(tmp_path_factory.mktemp("catalogue")) as server:
        yield server


@pytest.fixture
def catalogue(catalogue_server: CatalogueServer) -> Iterator[CatalogueServer]:
    """The server without faults, with counts of 0 and tokens that are valid for an hour."""
    catalogue_server.faults.clear()
    catalogue_server.tokens.seconds, catalogue_server.tokens.ahead_seconds = 3600, 0
    yield catalogue_server
    catalogue_server.faults.clear()
