"""Bytes, requests and seconds for a window of 512 x 512 pixels out of a 10,980 x 10,980 COG on a server of this machine.

python benchmarks/remote_window.py [BLOCK ...]      sides of the COG's blocks in pixels, 512 if none is given

Three ways to read it: `RemoteRaster`, GDAL's /vsicurl through rasterio, and odc-stac. The bytes are compared with
- the blocks: the stored sizes of all blocks that the window touches, less than which no reader can decode it from;
- the window: the size of a COG with the same settings that holds the window alone.
"""

from __future__ import annotations

import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import rasterio
import rasterio.shutil
from common import say
from rasterio.transform import from_origin
from rasterio.windows import Window

from sunbreak.sources.remote import Access, RemoteClient, RemoteRaster

SIDE, WINDOW = 10_980, Window(3_001, 4_711, 512, 512)
CRS, PLACE = "EPSG:32632", from_origin(600_000, 5_300_040, 10, 10)
# what users of both libraries are told to set
CLOUD = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES"}


def texture(rows: int, seed: int) -> np.ndarray:
    """DN (row, column) of fields with soil and noise, which compress about as a band of 10 m does."""
    rng = np.random.default_rng(seed)
    fields = cv2.resize(
        rng.normal(1_400, 500, (rows // 30 + 1, SIDE // 40 + 1)).astype("float32"),
        (SIDE, rows),
        interpolation=cv2.INTER_NEAREST,
    )
    soil = cv2.resize(
        rng.normal(0, 150, (rows // 8 + 1, SIDE // 8 + 1)).astype("float32"),
        (SIDE, rows),
        interpolation=cv2.INTER_CUBIC,
    )
    noise = rng.normal(0, 25, (rows, SIDE)).astype("float32")
    return np.maximum(fields + soil + noise, 1).astype("uint16")


def write_plain(path: Path) -> None:
    profile = {"driver": "GTiff", "height": SIDE, "width": SIDE, "count": 1, "dtype": "uint16", "crs": CRS}
    with rasterio.open(path, "w", transform=PLACE, tiled=True, blockxsize=512, blockysize=512, **profile) as dataset:
        for row in range(0, SIDE, 1_024):
            rows = min(1_024, SIDE - row)
            dataset.write(texture(rows, row), 1, window=Window(0, row, SIDE, rows))


def write_cog(source: Path, path: Path, block: int) -> None:
    rasterio.shutil.copy(
        str(source), str(path), driver="COG", compress="DEFLATE", predictor="YES", blocksize=block, num_threads="2",
        overview_resampling="average",
    )  # fmt: skip


def stored(path: Path, block: int) -> int:
    """Bytes of the blocks that the window touches."""
    rows = range(int(WINDOW.row_off) // block, int(WINDOW.row_off + WINDOW.height - 1) // block + 1)
    columns = range(int(WINDOW.col_off) // block, int(WINDOW.col_off + WINDOW.width - 1) // block + 1)
    with rasterio.open(path) as dataset:
        return sum(int(dataset.get_tag_item(f"BLOCK_SIZE_{x}_{y}", "TIFF", bidx=1)) for y in rows for x in columns)


def alone(source: Path, folder: Path, block: int) -> int:
    """Bytes of a COG of the window alone."""
    with rasterio.open(source) as dataset:
        profile = {**dataset.profile, "width": int(WINDOW.width), "height": int(WINDOW.height)}
        values = dataset.read(1, window=WINDOW)
    with rasterio.open(folder / "cut.tif", "w", **profile) as cut:
        cut.write(values, 1)
    write_cog(folder / "cut.tif", folder / "alone.tif", block)
    return (folder / "alone.tif").stat().st_size


class Server(ThreadingHTTPServer):
    """Sends parts of one file under any path, and counts."""

    daemon_threads = True

    def __init__(self, file: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = np.memmap(file, mode="r")
        self.sent = self.requests = 0
        self.count = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_HEAD(self) -> None:
        """Headers alone."""
        self.do_GET()

    def do_GET(self) -> None:
        """The file, or the part that is asked for."""
        total = self.server.content.size
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start, stop = (int(asked[1]), min(int(asked[2] or total) + 1, total)) if asked else (0, total)
        body = b"" if self.command == "HEAD" else self.server.content[start:stop].tobytes()
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(stop - start))
        self.send_header("Accept-Ranges", "bytes")
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{total}")
        self.end_headers()
        with self.server.count:
            self.server.requests += 1
            self.server.sent += len(body)
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def with_remote_raster(url: str) -> np.ndarray:
    client = RemoteClient(Access(frozenset({"127.0.0.1"})))
    return RemoteRaster(client, url).read(WINDOW)


def with_vsicurl(url: str) -> np.ndarray:
    with rasterio.Env(**CLOUD), rasterio.open(url) as dataset:
        return dataset.read(1, window=WINDOW)


def with_odc_stac(url: str) -> np.ndarray:
    import datetime

    import odc.stac
    import pystac
    from odc.geo.geobox import GeoBox
    from rasterio.warp import transform_bounds

    corners = rasterio.transform.array_bounds(SIDE, SIDE, PLACE)
    bbox = transform_bounds(CRS, "EPSG:4326", *corners)
    west, south, east, north = bbox
    outline = {
        "type": "Polygon",
        "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
    }
    grid = {"proj:code": CRS, "proj:epsg": 32632, "proj:shape": [SIDE, SIDE], "proj:transform": list(PLACE)[:6]}
    item = pystac.Item("x", outline, list(bbox), datetime.datetime(2026, 6, 1, tzinfo=datetime.timezone.utc), grid)
    item.stac_extensions = ["https://stac-extensions.github.io/projection/v2.0.0/schema.json"]
    item.add_asset("B04", pystac.Asset(url, media_type=pystac.MediaType.COG, roles=["data"]))
    odc.stac.configure_rio(cloud_defaults=True)
    box = GeoBox((int(WINDOW.height), int(WINDOW.width)), rasterio.windows.transform(WINDOW, PLACE), CRS)
    return odc.stac.load([item], bands=["B04"], geobox=box)["B04"].values[0]


METHODS: dict[str, Callable[[str], np.ndarray]] = {
    "RemoteRaster": with_remote_raster,
    "GDAL /vsicurl": with_vsicurl,
    "odc-stac": with_odc_stac,
}

with tempfile.TemporaryDirectory() as scratch:
    home = Path(scratch)
    write_plain(home / "plain.tif")
    with rasterio.open(home / "plain.tif") as dataset:
        truth = dataset.read(1, window=WINDOW)
    for block in [int(given) for given in sys.argv[1:]] or [512]:
        write_cog(home / "plain.tif", home / "tile.tif", block)
        blocks, window = stored(home / "tile.tif", block), alone(home / "plain.tif", home, block)
        server = Server(home / "tile.tif")
        rows = []
        for number, (name, read) in enumerate(METHODS.items()):
            try:
                read(f"http://127.0.0.1:{server.server_port}/warm{number}.tif")  # imports, and what GDAL sets up once
            except ImportError:
                rows.append((name, "not installed"))
                continue
            server.sent = server.requests = 0
            start = time.perf_counter()
            found = read(f"http://127.0.0.1:{server.server_port}/cold{number}.tif")
            seconds = time.perf_counter() - start
            assert np.array_equal(found, truth), name
            rows.append(
                (
                    name,
                    f"{server.sent / 1e6:6.3f} MB  {server.requests:3d} requests  {server.sent / blocks:5.2f}x the blocks"
                    f"  {server.sent / window:5.2f}x the window  {seconds:.3f} s",
                )
            )
        size = (home / "tile.tif").stat().st_size
        say(
            f"512 x 512 pixels of a COG of {size / 1e6:.0f} MB ({size / 2 / SIDE**2:.0%} of its pixels) in blocks of {block}: "
            f"blocks {blocks / 1e6:.3f} MB, window alone {window / 1e6:.3f} MB",
            rows,
        )
        server.shutdown()
