"""The catalogue server: STAC APIs in the layouts of public catalogues, their files, tokens, and faults to order."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from . import cdse, earth_search, faulty, planetary, static
from .api import Api
from .dates import DEMO_EPSG, DEMO_LEFT, DEMO_PIXELS, DEMO_TOP, TARGET_DAY
from .faults import CONTROL, Faults, FaultyApp
from .shared_data import shared_items
from .store import Store
from .tokens import Tokens

_APIS = {
    "planetary-computer": "/planetary-computer/api/stac/v1",
    "earth-search": "/earth-search/v1",
    "cdse": "/cdse/v1",
}
_SIGNED = {planetary.S2_FILES, planetary.RTC_FILES, planetary.GRD_FILES}


class CatalogueServer:
    """A server on this machine. Use it as a context manager, or call `start` and `stop`.

    Args:
        folder: Files and profiles go here; files that are there from an earlier run are used again.
        port: 0 picks a free one.
        data: Folder with the images of further places (`shared_data`); None for the demo's place only.

    Attributes:
        folder: As given.
        url: Such as ``http://127.0.0.1:40321``.
        faults: What goes wrong, and what was asked.
        tokens: How long they are valid.
        profiles: Profile file by name: ``planetary-computer``, ``earth-search``, ``cdse``, ``static``.
        bbox: West, south, east, north of the demo scene in degrees.
        date: Of the demo scene.
        bearer: The token that the files of ``cdse`` need, in the header Authorization.
    """

    date = TARGET_DAY
    bearer = cdse.TOKEN

    def __init__(self, folder: Path, port: int = 0, data: Path | None = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.faults, self.tokens = Faults(), Tokens()
        self.store = Store(folder)
        self._files: dict[str, str] = {}
        self._socket = socket.create_server(("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._items = {
            "planetary-computer": planetary.items(self.store, self._files, self.url),
            "earth-search": earth_search.items(self.store, self._files, self.url),
            "cdse": cdse.items(self.store, self._files, self.url),
        }
        for name, items in self._items.items():
            usual = [item for item in items if item["properties"]["datetime"].startswith(TARGET_DAY)]
            by_collection = {item["collection"]: item for item in usual if item["collection"].startswith("sentinel-2")}
            for source in by_collection.values() if name != "cdse" else ():
                items += faulty.items(source, self.store, self._files, self.url)
        if data is not None:
            for name, more in shared_items(data, self.store, self._files, self.url).items():
                self._items[name] += more
        self._documents = static.documents(self.store, self._files, self.url)
        self.profiles = self._write_profiles()
        self.bbox = _demo_bbox()
        self._apis: dict[str, Api] = {}
        app = Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "HEAD", "POST", "DELETE"])])
        config = uvicorn.Config(FaultyApp(app, self.faults), log_level="critical", lifespan="off", ws="none")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    def start(self) -> CatalogueServer:
        """Start to serve; it answers when this returns."""
        collections = {
            "planetary-computer": planetary.collections(),
            "earth-search": earth_search.collections(),
            "cdse": cdse.collections(),
        }
        for name, path in _APIS.items():
            self._apis[path] = Api(self.folder / "apis" / name, self.url + path, collections[name], self._items[name])
        self._thread.start()
        for api in self._apis.values():
            api.wait()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def stop(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._thread.join(10)
        for api in self._apis.values():
            api.stop()

    def __enter__(self) -> CatalogueServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def api(self, name: str) -> str:
        """Address of the landing page of an API, or of the ``catalog.json`` of ``static``."""
        return self.url + (f"{static.ROOT}/catalog.json" if name == "static" else _APIS[name])

    def items(self, name: str, collection: str = "") -> list[dict[str, Any]]:
        """The items of a catalogue as they were given to the API, without searching."""
        return [item for item in self._items[name] if collection in ("", item["collection"])]

    def path(self, href: str) -> Path:
        """The file behind an address, made now if it is not there."""
        return self.store.path(self._files[href.removeprefix(self.url)])

    def _write_profiles(self) -> dict[str, Path]:
        token = f"{self.url}/planetary-computer/api/sas/v1/token"
        more = {
            "planetary-computer": f"signing: {{kind: sas, token_url: '{token}'}}\n",
            "earth-search": "radar_from: planetary-computer.yaml\n",
            "cdse": "signing: {kind: bearer, variable: SUNBREAK_CDSE_TOKEN, hosts: [127.0.0.1]}\n"
            "radar_from: planetary-computer.yaml\n",
            "static": "static: true\nsigning: {kind: none}\n",
        }
        paths = {}
        for name, lines in more.items():
            like = "planetary-computer" if name == "static" else name
            paths[name] = self.folder / f"{name}.yaml"
            paths[name].write_text(
                f"# of the catalogue server for tests\nlike: {like}\ntitle: {name} on this machine\n"
                f"api: {self.api(name)}\nhosts: [127.0.0.1]\n{lines}"
            )
        return paths

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        if path == CONTROL:
            return await self._control(request)
        for mount, api in self._apis.items():
            if path == mount or path.startswith(mount + "/"):
                return await api.answer(request, path.removeprefix(mount))
        parts = path.strip("/").split("/")
        if path.startswith("/planetary-computer/api/sas/v1/token/") and len(parts) == 7:
            return JSONResponse(self.tokens.give(*parts[5:]))
        if path in self._documents:
            return JSONResponse(self._documents[path])
        if path not in self._files:
            return PlainTextResponse("not found", 404)
        if tuple(parts[:2]) in _SIGNED and not self.tokens.valid(parts[0], parts[1], request.query_params):
            return PlainTextResponse(
                "<Error><Code>AuthenticationFailed</Code></Error>", 403, media_type="application/xml"
            )
        if parts[0] == cdse.PREFIX and request.headers.get("authorization") != f"Bearer {self.bearer}":
            return PlainTextResponse("no valid token", 401)
        file = await run_in_threadpool(self.store.path, self._files[path])
        return FileResponse(file)

    async def _control(self, request: Request) -> Response:
        if request.method == "POST":
            try:
                order = json.loads(await request.body())
                if "fault" in order:
                    self.faults.add(**order)
                for name in ("token_seconds", "token_ahead_seconds"):
                    if name in order:
                        setattr(self.tokens, name.removeprefix("token_"), float(order[name]))
            except (ValueError, TypeError) as error:
                return PlainTextResponse(str(error), 400)
        if request.method == "DELETE":
            self.faults.clear()
        return JSONResponse({**self.faults.state(), "tokens_given": self.tokens.given})


def _demo_bbox() -> tuple[float, float, float, float]:
    from rasterio.warp import transform_bounds

    size = 10 * DEMO_PIXELS
    west, south, east, north = transform_bounds(
        f"EPSG:{DEMO_EPSG}", "EPSG:4326", DEMO_LEFT, DEMO_TOP - size, DEMO_LEFT + size, DEMO_TOP
    )
    return west, south, east, north
