"""The STAC APIs: one process of ``rustac serve`` for each catalogue, behind a small front.

The front is there for three reasons. Faults can be switched on for the API too. ``rustac`` 0.9 answers 500 to GET
/search that names collections and has more than one page, so the front asks it by POST and turns the next link back. And
it returns no item for ``query`` and ``filter``, which it does not know; the front refuses them instead.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

_START_SECONDS = 20
_PLACEHOLDER = "http://api.invalid/"  # rustac leaves out the path of its own address, so the front puts it in
_CHILD = Path(__file__).with_name("rustac_process.py")


class Api:
    """A STAC API over collections and items. Its process ends with the thread that made it (Linux).

    Args:
        folder: Its files go here.
        address: What its links begin with.
        collections: Its collections.
        items: Its items.
    """

    def __init__(
        self, folder: Path, address: str, collections: Sequence[dict[str, Any]], items: Sequence[dict[str, Any]]
    ) -> None:
        self.address = address.rstrip("/")
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        documents = [*collections, {"type": "FeatureCollection", "features": list(items)}]
        for number, document in enumerate(documents):
            paths.append(folder / f"{number}.json")
            paths[-1].write_text(json.dumps(document))
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        bound = f"127.0.0.1:{self._port}"
        command = [sys.executable, str(_CHILD), "serve", "--quiet", "--bind", bound, "--addr", _PLACEHOLDER]
        self._log = folder / "rustac.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([*command, *map(str, paths)], stdout=log, stderr=log)
        self._client = httpx.AsyncClient(base_url=f"http://{bound}", timeout=30, trust_env=False)

    def wait(self) -> None:
        """Wait until it answers.

        Raises:
            RuntimeError: It ended, or does not answer.
        """
        limit = time.monotonic() + _START_SECONDS
        while time.monotonic() < limit and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self._port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"rustac does not serve: {self._log.read_text()[-500:]}")

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait()

    async def answer(self, request: Request, path: str) -> Response:
        """The answer to a request of a path below the address."""
        if path == "/search":
            return await self._search(request)
        answer = await self._client.request(request.method, path or "/", params=request.query_params)
        content = answer.text.replace(_PLACEHOLDER, self.address + "/")
        return Response(content, answer.status_code, media_type=answer.headers.get("content-type"))

    async def _search(self, request: Request) -> Response:
        got = request.method in ("GET", "HEAD")
        body = _body(dict(request.query_params)) if got else await request.json()
        unknown = sorted({"query", "filter"} & set(body))
        if unknown:
            return JSONResponse({"description": f"{unknown[0]} is not supported by this API"}, 400)
        answer = await self._client.post("/search", json=body)
        if answer.status_code != 200:
            return Response(answer.content, answer.status_code)
        found = json.loads(answer.text.replace(_PLACEHOLDER, self.address + "/"))
        for link in found["links"] if got else ():
            if link["rel"] == "next":
                asked = {
                    key: ",".join(map(str, value)) if isinstance(value, list) else value
                    for key, value in link.pop("body").items()
                }
                link |= {"href": f"{self.address}/search?{urlencode(asked)}", "method": "GET"}
        return JSONResponse(found, media_type="application/geo+json")


def _body(query: dict[str, str]) -> dict[str, Any]:
    """The body of POST /search for the query of GET /search."""
    body: dict[str, Any] = dict(query)
    for name in {"collections", "ids"} & set(query):
        body[name] = query[name].split(",")
    for name in {"limit", "skip"} & set(query):
        body[name] = int(query[name])
    if "bbox" in query:
        body["bbox"] = [float(number) for number in query["bbox"].split(",")]
    if "intersects" in query:
        body["intersects"] = json.loads(query["intersects"])
    return body
