"""The catalogue server itself: search, pages, ranges, tokens and each fault."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
import requests
from rasterio.io import MemoryFile
from rasterio.transform import from_origin
from rasterio.windows import from_bounds

if TYPE_CHECKING:
    from stac_server import CatalogueServer

pystac_client = pytest.importorskip("pystac_client")
ROOT = Path(__file__).resolve().parents[3]
DEMO = ROOT / "resources" / "demo"
APIS = ["planetary-computer", "earth-search", "cdse"]
L2A = "sentinel-2-l2a"


def item_of(server: CatalogueServer, api: str, collection: str, day: str) -> dict[str, Any]:
    """The first item of a day."""
    return next(item for item in server.items(api, collection) if item["properties"]["datetime"].startswith(day))


def token(server: CatalogueServer, account: str = "sentinel2l2a01", container: str = "sentinel2-l2") -> str:
    answer = requests.get(f"{server.url}/planetary-computer/api/sas/v1/token/{account}/{container}", timeout=10)
    return str(answer.json()["token"])


@pytest.fixture
def scl(catalogue: CatalogueServer) -> str:
    """Address of a small public file."""
    return str(item_of(catalogue, "earth-search", L2A, "2021-06-05")["assets"]["scl"]["href"])


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("name", APIS)
def test_a_search_gives_the_images_of_a_place_and_a_time_page_by_page(
    catalogue: CatalogueServer, name: str, method: str
) -> None:
    client = pystac_client.Client.open(catalogue.api(name))
    asked = {"collections": [L2A], "bbox": catalogue.bbox, "datetime": "2021-05-25/2021-06-12"}
    pages = list(client.search(method=method, limit=2, **asked).pages_as_dicts())
    found = [item["id"] for page in pages for item in page["features"]]
    days = [item["properties"]["datetime"][:10] for page in pages for item in page["features"]]
    assert [len(page["features"]) for page in pages] == [2, 2, 2]
    assert days == ["2021-05-26", "2021-05-31", "2021-05-31", "2021-06-02", "2021-06-05", "2021-06-10"]
    assert len(set(found)) == 6
    (one,) = client.search(method=method, ids=[found[4]], collections=[L2A]).items()
    assert one.datetime.isoformat() == "2021-06-05T10:20:31.024000+00:00"


@pytest.mark.parametrize("bbox", [(2.0, 50.0, 2.1, 50.1), (10.1, 48.6, 10.2, 48.7)])
def test_a_search_elsewhere_gives_nothing(catalogue: CatalogueServer, bbox: tuple[float, ...]) -> None:
    client = pystac_client.Client.open(catalogue.api("planetary-computer"))
    assert not list(client.search(collections=[L2A], bbox=bbox, datetime="2021-06-05").items())


def test_a_search_by_what_the_api_does_not_know_is_refused(catalogue: CatalogueServer) -> None:
    body = {"query": {"eo:cloud_cover": {"lt": 20}}}
    answer = requests.post(f"{catalogue.api('earth-search')}/search", json=body, timeout=10)
    assert answer.status_code == 400 and "query" in answer.text


def test_the_static_catalogue_is_walked_by_its_links(catalogue: CatalogueServer) -> None:
    import pystac

    root = pystac.Catalog.from_file(catalogue.api("static"))
    items = {item.id: item for item in root.get_items(recursive=True)}
    assert len(items) == 22
    item = next(item for item in items.values() if item.collection_id == L2A)
    answer = requests.get(item.assets["SCL"].get_absolute_href() or "", timeout=30)
    with MemoryFile(answer.content) as file, file.open() as raster:
        assert raster.res == (20, 20) and raster.shape == (1020, 1020)


def test_radar_differs_in_cover_polarisation_and_orbit(catalogue: CatalogueServer) -> None:
    radar = catalogue.items("planetary-computer", "sentinel-1-rtc")
    assert {item["properties"]["sat:orbit_state"] for item in radar} == {"ascending", "descending"}
    assert [set(item["assets"]) for item in radar].count({"vv"}) == 1
    half = item_of(catalogue, "planetary-computer", "sentinel-1-rtc", "2021-06-05")
    west, _, east, _ = half["bbox"]
    assert catalogue.bbox[0] < west < catalogue.bbox[2] < east


def test_the_files_of_level_1c_hold_the_demo(catalogue: CatalogueServer) -> None:
    assets = item_of(catalogue, "earth-search", "sentinel-2-l1c", "2021-06-05")["assets"]
    assert len([asset for asset in assets.values() if "raster:bands" in asset]) == 13
    offset = assets["blue"]["raster:bands"][0]["offset"]
    with rasterio.open(DEMO / "demo_s2_cloudy.tif") as demo:
        blue, bounds = demo.read(2).astype(int), demo.bounds
        swir = demo.read(12).astype(float)
    with MemoryFile(requests.get(assets["blue"]["href"], timeout=30).content) as file, file.open() as raster:
        assert raster.block_shapes == [(512, 512)] and raster.overviews(1) == [2, 4] and raster.nodata == 0
        stored = raster.read(1, window=from_bounds(*bounds, raster.transform)).astype(int)
    assert np.array_equal(stored + round(offset * 10000), blue)
    with MemoryFile(requests.get(assets["swir16"]["href"], timeout=30).content) as file, file.open() as raster:
        stored = raster.read(1, window=from_bounds(*bounds, raster.transform))
    assert np.abs(stored - 1000 - swir.reshape(384, 2, 384, 2).mean((1, 3))).max() <= 0.5


@pytest.mark.parametrize(
    ("collection", "day", "shift"),
    [
        ("sentinel-2-c1-l2a", "2021-06-15", 0),
        (L2A, "2021-06-15", -1000),
        (L2A, "2021-05-31", 0),
        (L2A, "2021-06-10", -1000),
    ],
)
def test_the_offset_is_in_the_numbers_or_not(catalogue: CatalogueServer, collection: str, day: str, shift: int) -> None:
    here = item_of(catalogue, "earth-search", collection, day)
    tile = here["properties"]["grid:code"].removeprefix("MGRS-")
    (unchanged,) = [
        item
        for item in catalogue.items("planetary-computer", L2A)
        if item["properties"]["datetime"].startswith(day)
        and item["properties"]["s2:mgrs_tile"] == tile
        and item["properties"]["s2:processing_baseline"] == "05.00"
    ]
    with rasterio.open(catalogue.path(here["assets"]["swir22"]["href"])) as raster:
        stored = raster.read(1)
    with rasterio.open(catalogue.path(unchanged["assets"]["B12"]["href"])) as raster:
        shifted = raster.read(1).astype(int)
    assert np.array_equal(stored[shifted > 1001], shifted[shifted > 1001] + shift)


def test_the_atmosphere_of_level_2a_is_the_one_of_the_trainings() -> None:
    from stac_server import world

    from sunbreak.training.removal.l2a_to_l1c import optics

    assert np.allclose(optics(), (world.THROUGH, world.SKY), atol=5e-5)


def test_a_file_is_read_in_ranges(catalogue: CatalogueServer, scl: str) -> None:
    whole = requests.get(scl, timeout=30)
    part = requests.get(scl, headers={"Range": "bytes=100-199"}, timeout=10)
    assert part.status_code == 206 and part.content == whole.content[100:200]
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"
    again = requests.get(scl, headers={"Range": "bytes=100-199", "If-Range": part.headers["etag"]}, timeout=10)
    other = requests.get(scl, headers={"Range": "bytes=100-199", "If-Range": '"another"'}, timeout=10)
    assert (again.status_code, other.status_code) == (206, 200)
    assert requests.get(scl, headers={"Range": f"bytes={10**9}-"}, timeout=10).status_code == 416
    path = scl.removeprefix(catalogue.url)
    assert catalogue.faults.requests[path] == 5
    assert catalogue.faults.sent[path] == 2 * len(whole.content) + 200


def test_a_whole_tile_is_mostly_without_data_and_small_windows_are_few_bytes(catalogue: CatalogueServer) -> None:
    href = item_of(catalogue, "planetary-computer", L2A, "2021-06-20")["assets"]["B04"]["href"]
    size = int(requests.head(f"{href}?{token(catalogue)}", timeout=60).headers["content-length"])
    with rasterio.open(catalogue.path(href)) as raster:
        assert raster.shape == (10980, 10980) and raster.overviews(1)[-1] == 32
        assert raster.transform == from_origin(600000, 5400000, 10, 10)
        assert not raster.read(1, window=((3000, 3010), (3000, 3010))).any()
    assert size < 12_000_000


def test_files_need_a_token_of_their_container_that_has_not_ended(catalogue: CatalogueServer) -> None:
    href = item_of(catalogue, "planetary-computer", L2A, "2021-06-05")["assets"]["B01"]["href"]
    assert requests.get(href, timeout=10).status_code == 403
    assert requests.get(f"{href}?{token(catalogue)}", timeout=30).status_code == 200
    assert requests.get(f"{href}?{token(catalogue, 'sentinel1euwestrtc')}", timeout=10).status_code == 403
    catalogue.tokens.seconds = 0.3
    signed = f"{href}?{token(catalogue)}"
    assert requests.get(signed, timeout=10).status_code == 200
    time.sleep(0.35)
    assert requests.get(signed, timeout=10).status_code == 403
    catalogue.tokens.seconds, catalogue.tokens.ahead_seconds = 60, 120
    assert requests.get(f"{href}?{token(catalogue)}", timeout=10).status_code == 403


def test_the_package_of_planetary_computer_gets_tokens_here(
    catalogue: CatalogueServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sas = pytest.importorskip("planetary_computer.sas")
    settings = sas.Settings(sas_url=f"{catalogue.url}/planetary-computer/api/sas/v1/token")
    monkeypatch.setattr(sas.Settings, "get", staticmethod(lambda: settings))
    monkeypatch.setattr(sas, "TOKEN_CACHE", {})
    href = item_of(catalogue, "planetary-computer", L2A, "2021-06-05")["assets"]["B01"]["href"]
    given = sas.get_token("sentinel2l2a01", "sentinel2-l2")
    assert requests.get(f"{href}?{given.token}", timeout=30).status_code == 200
    assert 3500 < given.ttl() <= 3600


def test_the_files_of_cdse_need_a_bearer_token(catalogue: CatalogueServer) -> None:
    asset = item_of(catalogue, "cdse", L2A, "2021-06-05")["assets"]["B01_60m"]
    assert asset["href"].startswith("s3://")
    href = asset["alternate"]["https"]["href"]
    assert requests.get(href, timeout=10).status_code == 401
    answer = requests.get(href, headers={"Authorization": f"Bearer {catalogue.bearer}"}, timeout=30)
    assert answer.status_code == 200 and answer.content[:2] == b"II"


@pytest.mark.parametrize("status", [403, 404, 429, 500, 502, 503, 504])
def test_a_status_is_answered_as_often_as_ordered(catalogue: CatalogueServer, scl: str, status: int) -> None:
    catalogue.faults.add(r"SCL", str(status), times=2, retry_after=1)
    answers = [requests.get(scl, timeout=10) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert answers[0].headers["retry-after"] == "1"


def test_a_fault_can_hit_the_search_and_begin_later(catalogue: CatalogueServer) -> None:
    catalogue.faults.add(r"/search$", "503", after=1)
    search = f"{catalogue.api('earth-search')}/search"
    answers = [requests.post(search, json={"limit": 1}, timeout=10).status_code for _ in range(3)]
    assert answers == [200, 503, 200]


def test_a_slow_answer_comes_late(catalogue: CatalogueServer, scl: str) -> None:
    requests.get(scl, timeout=10)
    catalogue.faults.add("SCL", "slow", seconds=0.5)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(scl, timeout=0.2)
    assert requests.get(scl, timeout=10).ok


@pytest.mark.parametrize("wanted", [None, "bytes=0-9999"])
def test_half_a_body_is_shorter_than_its_length(catalogue: CatalogueServer, scl: str, wanted: str | None) -> None:
    headers = {"Range": wanted} if wanted else {}
    whole = requests.get(scl, headers=headers, timeout=30).content
    catalogue.faults.add("SCL", "half")
    catalogue.faults.sent.clear()
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        requests.get(scl, headers=headers, timeout=10)
    assert catalogue.faults.bytes("SCL") == len(whole) // 2
    assert requests.get(scl, headers=headers, timeout=10).content == whole


def test_wrong_bytes_have_the_right_length(catalogue: CatalogueServer, scl: str) -> None:
    right = requests.get(scl, timeout=30).content
    catalogue.faults.add("SCL", "wrong-bytes")
    wrong = requests.get(scl, timeout=30).content
    assert len(wrong) == len(right) and wrong[:4] != right[:4] and requests.get(scl, timeout=10).content == right


def test_redirects_lead_to_another_host_a_file_or_the_same_place(catalogue: CatalogueServer, scl: str) -> None:
    places = []
    for kind in ("redirect-host", "redirect-file", "redirect"):
        catalogue.faults.add("SCL", kind)
        answer = requests.get(scl, allow_redirects=False, timeout=10)
        assert answer.status_code == 302
        places.append(answer.headers["location"])
    assert places == [scl.replace("127.0.0.1", "localhost"), "file:///etc/hostname", scl]
    requests.get(places[0], timeout=30)
    assert catalogue.faults.hosts == {"127.0.0.1": 3, "localhost": 1}


def test_a_server_without_ranges_gives_the_whole_file(catalogue: CatalogueServer, scl: str) -> None:
    catalogue.faults.add("SCL", "no-ranges")
    answer = requests.get(scl, headers={"Range": "bytes=0-9"}, timeout=30)
    assert answer.status_code == 200 and len(answer.content) > 10 and "accept-ranges" not in answer.headers


def test_a_changed_file_has_another_tag_and_a_page_is_no_raster(catalogue: CatalogueServer, scl: str) -> None:
    tag = requests.head(scl, timeout=30).headers["etag"]
    catalogue.faults.add("SCL", "changed")
    assert requests.head(scl, timeout=10).headers["etag"] != tag
    catalogue.faults.add("SCL", "html")
    assert requests.get(scl, timeout=10).content.startswith(b"<!DOCTYPE html>")


def test_items_with_faults_are_a_year_before_the_others(catalogue: CatalogueServer) -> None:
    client = pystac_client.Client.open(catalogue.api("planetary-computer"))
    found = client.search(collections=[L2A], bbox=catalogue.bbox, datetime="2020-06-01/2020-06-30").items()
    items = {item.id.rpartition("_")[2]: item for item in found}
    assert set(items) == {
        "missing-asset",
        "wrong-checksum",
        "right-checksum",
        "other-host",
        "local-file",
        "missing-file",
    }
    assert "B08" not in items["missing-asset"].assets
    assert items["local-file"].assets["B08"].href == "file:///etc/hostname"
    assert items["other-host"].assets["B08"].href.startswith("http://localhost:")
    for name, right in (("right-checksum", True), ("wrong-checksum", False)):
        asset = items[name].assets["B09"]
        content = requests.get(f"{asset.href}?{token(catalogue)}", timeout=30).content
        assert asset.extra_fields["file:size"] == len(content)
        stated = asset.extra_fields["file:checksum"]
        assert stated.startswith("1220") and (stated[4:] == hashlib.sha256(content).hexdigest()) is right


def test_the_shared_data_add_a_real_place(tmp_path: Path) -> None:
    pytest.importorskip("rustac")
    from stac_server import CatalogueServer

    data = ROOT / ".." / "shared" / "data"
    if not (data / "timeseries").is_dir():
        pytest.skip("the shared data are not here")
    server = CatalogueServer(tmp_path, data=data)
    items = server.items("planetary-computer", L2A)
    real = [item for item in items if item["properties"]["s2:mgrs_tile"] == "33TUG"]
    assert len(real) == 16
    cover = {item["properties"]["datetime"][:10]: item["properties"]["eo:cloud_cover"] for item in real}
    assert cover["2018-06-10"] < 1 and 5 < cover["2018-07-05"] < 20 and cover["2018-04-01"] > 80
    top = item_of(server, "earth-search", "sentinel-2-l1c", "2018-06-10")["assets"]["red"]["href"]
    with (
        rasterio.open(server.path(top)) as raster,
        rasterio.open(next((data / "timeseries").glob("*2018-06-10*"))) as first,
    ):
        assert raster.crs == "EPSG:32633" and raster.read(1).min() > 0
        assert abs(float(np.median(raster.read(1))) - float(np.median(first.read(4)))) < 30


def test_a_control_request_switches_faults_and_shows_counts(catalogue: CatalogueServer, scl: str) -> None:
    control = f"{catalogue.url}/control"
    assert requests.post(control, json={"path": "x", "fault": "strange"}, timeout=10).status_code == 400
    order = {"path": "SCL", "fault": "500", "times": -1, "token_seconds": 5}
    assert requests.post(control, json={"path": "SCL", "fault": "500", "times": -1}, timeout=10).ok
    assert requests.post(control, json={"token_seconds": order["token_seconds"]}, timeout=10).ok
    assert [requests.get(scl, timeout=10).status_code for _ in range(3)] == [500, 500, 500]
    state = requests.get(control, timeout=10).json()
    assert state["requests"] == {scl.removeprefix(catalogue.url): 3} and catalogue.tokens.seconds == 5
    assert state["log"][0] == ["GET", scl.removeprefix(catalogue.url), "", 500]
    requests.delete(control, timeout=10)
    assert requests.get(scl, timeout=30).status_code == 200


def test_the_tool_serves_until_it_is_stopped(tmp_path: Path) -> None:
    pytest.importorskip("rustac")
    command = [
        sys.executable,
        str(ROOT / "tools" / "catalogue_server.py"),
        "--folder",
        str(tmp_path),
        "--data",
        "none",
        "--json",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        assert requests.get(f"{facts['url']}/static/catalog.json", timeout=10).json()["id"] == "static"
        assert "like: planetary-computer" in Path(facts["profiles"]["planetary-computer"]).read_text()
    finally:
        process.terminate()
    assert process.wait(20) == 0
