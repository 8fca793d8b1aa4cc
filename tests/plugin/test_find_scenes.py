"""Finding, loading and cleaning scenes from the panel and the toolbox: the real backend and a real catalogue server."""

from __future__ import annotations

import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from algorithms import read, run

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")

CHECKOUT = Path(__file__).resolve().parents[2]
BOX = (10.38, 48.69, 10.42, 48.715)
EXTENT = f"{BOX[0]},{BOX[2]},{BOX[1]},{BOX[3]} [EPSG:4326]"
DAY = "2021-06-05"
PACKAGES = "import httpx, pystac_client, rustac, starlette, uvicorn, yaml"


@pytest.fixture(scope="module")
def server(backend, tmp_path_factory):
    """A catalogue server in the layout of Planetary Computer; it serves the demo place."""
    if subprocess.run([backend, "-c", PACKAGES], capture_output=True).returncode:
        pytest.skip("the backend's interpreter lacks the packages of the catalogue server")
    folder = tmp_path_factory.mktemp("catalogue ö")
    program = [backend, str(CHECKOUT / "tools" / "catalogue_server.py"), "--folder", str(folder), "--json"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


@pytest.fixture
def profile(server):
    """Its profile file; no faults are switched on."""
    control(server, "DELETE")
    yield server["profiles"]["planetary-computer"]
    control(server, "DELETE")


def control(server, method, content=None):
    from urllib.request import ProxyHandler, Request, build_opener

    data = json.dumps(content).encode() if content is not None else None
    request = Request(f"{server['url']}/control", data, {"Content-Type": "application/json"}, method=method)
    with build_opener(ProxyHandler({})).open(request, timeout=30) as answer:
        return json.loads(answer.read() or b"null")


@pytest.fixture
def settings(qgis_app):
    from qgis.core import QgsSettings

    QgsSettings().remove("sunbreak")
    yield QgsSettings()
    QgsSettings().remove("sunbreak")


@pytest.fixture
def panel(ready, profile, settings, qgis_new_project, qgis_canvas, tmp_path):
    """The panel with the page *Find scenes* open: the map shows the demo place, and the catalogue is chosen."""
    from qgis.core import QgsCoordinateReferenceSystem, QgsRectangle
    from qgis.PyQt.QtCore import QDate

    qgis_canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    qgis_canvas.setExtent(QgsRectangle(BOX[0], BOX[1], BOX[2], BOX[3]))
    panel = ready._menu.panel
    tab = panel.open_find()
    tab.form.add_profile(profile)
    tab.form.date.setDate(QDate.fromString(DAY, "yyyy-MM-dd"))
    tab.form.area.kind.setCurrentIndex(1)
    tab.form.area.kind.draw(QgsRectangle(*BOX))
    tab.folder.setFilePath(str(tmp_path / "loaded ä"))
    return panel


def search(panel, qt):
    panel.find.form.search.click()
    assert not panel.find.form.search.isEnabled()
    qt.waitUntil(lambda: panel.find._task is None)


# the toolbox


@pytest.fixture
def real(plugin, backend, monkeypatch):
    monkeypatch.setenv("SUNBREAK_PYTHON", str(backend))
    return plugin


QUERY = {"EXTENT": EXTENT, "DATE": DAY, "DAYS": 20}


def test_the_toolbox_lists_dates_with_footprints_table_and_json(real, profile, tmp_path, feedback):
    from qgis.core import QgsVectorLayer

    wanted = {"OUTPUT": tmp_path / "found.geojson", "TABLE": tmp_path / "found.html", "JSON": tmp_path / "found.json"}
    result = run(
        "findscenes", {**QUERY, "PROFILE": profile} | {k: str(v) for k, v in wanted.items()}, feedback=feedback
    )
    content = json.loads(wanted["JSON"].read_text(encoding="utf-8"))
    assert result["COUNT"] == len(content["scenes"]) > 4
    assert result["SCENE"].startswith("S2A_MSIL2A_20210605")
    assert result["RADAR"].startswith("S1A_IW_GRDH_1SDV_20210604")
    assert {scene["thumbnail"] for scene in content["scenes"]} == {None}  # they were temporary
    layer = QgsVectorLayer(str(wanted["OUTPUT"]), "found")
    assert layer.featureCount() == len(content["scenes"]) + len(content["radar"])
    assert any(feature["use"] == "scene" for feature in layer.getFeatures())
    page = wanted["TABLE"].read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == len(content["scenes"])
    assert "scene: " in page
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in wanted.values())
    assert any("dates found" in text for text in feedback.said["info"])


def test_the_toolbox_gets_what_is_proposed_as_a_group(real, profile, qgis_new_project, tmp_path):
    import processing
    from qgis.core import QgsProject

    folder = tmp_path / "got ö"
    result = processing.runAndLoadResults("sunbreak:getscenes", {**QUERY, "PROFILE": profile, "OUTPUT": str(folder)})
    assert Path(result["S2"]).name.startswith("S2A_20210605")
    assert Path(result["S1"]).name.startswith("S1A_20210604")
    assert len(list(Path(result["DATES_FOLDER"]).glob("S2*.tif"))) == 2
    (group,) = QgsProject.instance().layerTreeRoot().findGroups()
    nodes = group.findLayers()
    assert [node.isVisible() for node in nodes] == [True, *[False] * (len(nodes) - 1)]
    scene = nodes[0].layer()
    assert scene.name() == "Sentinel-2 2021-06-05"
    assert scene.metadata().rights()[0].startswith("Contains modified Copernicus Sentinel data 2021")
    assert scene.metadata().licenses()
    assert (scene.renderer().redBand(), scene.renderer().greenBand()) == (4, 3)


def test_a_scene_that_is_named_is_got_without_the_rest(real, profile, tmp_path):
    found = run("findscenes", {**QUERY, "PROFILE": profile, "JSON": str(tmp_path / "found.json")})
    given = {"SCENE": found["SCENE"], "RADAR": "none", "OTHER_DATES": "none", "LOAD": False}
    result = run("getscenes", {**QUERY, "PROFILE": profile, "OUTPUT": str(tmp_path / "got"), **given})
    assert set(result) == {"OUTPUT", "S2"}
    assert read(result["S2"]).shape[0] == 13  # twelve bands and the scene classification


def test_what_the_catalogue_does_not_have_is_one_line(real, profile, tmp_path):
    from qgis.core import QgsProcessingException

    with pytest.raises(QgsProcessingException, match="S2Z_NEVER"):
        run("getscenes", {**QUERY, "PROFILE": profile, "SCENE": "S2Z_NEVER", "OUTPUT": str(tmp_path / "got")})
    with pytest.raises(QgsProcessingException, match="has no Sentinel-2 scene of the place from 2015-12-16"):
        run("findscenes", {**QUERY, "DATE": "2016-01-05", "PROFILE": profile, "TABLE": str(tmp_path / "found.html")})
    assert list(tmp_path.iterdir()) == []


# the panel


def test_from_a_place_and_a_date_to_a_clean_scene(panel, qt):
    from qgis.core import QgsProject

    tab = panel.find
    search(panel, qt)
    assert tab.list.topLevelItemCount() > 5
    assert "dates found" in tab.message.text()
    assert all(scene.thumbnail.is_file() for scene in tab.found.scenes)
    choice = tab.ticks.choice()
    assert len(choice.others) == 2
    assert choice.radar
    tab.clean.click()
    qt.waitUntil(lambda: tab._task is None)
    assert panel.pages.currentIndex() == 0
    assert panel.scene.currentLayer().name() == "Sentinel-2 2021-06-05"
    assert panel.radar.currentLayer().name() == "Radar 2021-06-04"
    assert len(panel.dates.chosen()) == 2
    qt.waitUntil(lambda: panel._run is None)
    assert panel.message.text().startswith("Done: ")
    names = [layer.name() for layer in QgsProject.instance().mapLayers().values()]
    assert any(name.startswith("Cleaned") for name in names)
    assert any(name.startswith("Source") for name in names)  # the other dates were used


def test_a_server_that_fails_is_one_line_and_the_next_search_works(panel, server, qt):
    control(server, "POST", {"path": "search", "fault": "404", "times": 50})
    search(panel, qt)
    text = panel.find.message.text()
    assert "404" in text or "not" in text
    assert "\n" not in text
    assert panel.find.found is None
    control(server, "DELETE")
    search(panel, qt)
    assert panel.find.list.topLevelItemCount() > 5


def test_where_nothing_is_found_the_list_says_why(panel, qt):
    from qgis.PyQt.QtCore import QDate

    panel.find.form.date.setDate(QDate(2016, 1, 5))
    search(panel, qt)
    assert panel.find.message.text() == "No scene was found."
    assert "has no Sentinel-2 scene of the place from 2015-12-06 to 2016-02-04." in panel.find.hint.text()
    assert not panel.find.hint.isHidden()
    assert panel.find.list.isHidden()


def test_a_search_can_be_cancelled(panel, qt):
    panel.find.form.search.click()
    assert panel.find.stop.isEnabled()
    panel.find.stop.click()
    qt.waitUntil(lambda: panel.find._task is None)
    assert panel.find.message.text().startswith("Cancelled.")
    assert panel.find.form.search.isEnabled()
    assert not panel.find.load.isEnabled()


@pytest.fixture
def proxy(qgis_app, monkeypatch):
    """A proxy in QGIS's options, with a login; it refuses everything. Gives what it was asked."""
    from qgis.core import QgsNetworkAccessManager, QgsSettings

    asked = []

    class Refusing(BaseHTTPRequestHandler):
        def do_CONNECT(self):
            asked.append((self.path, self.headers["Proxy-Authorization"]))
            self.send_error(403, "hans:s3cret may not")

        def log_message(self, *_):
            pass

    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    names = ("proxyEnabled", "proxyType", "proxyHost", "proxyPort", "proxyUser", "proxyPassword")
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as service:
        threading.Thread(target=service.serve_forever, daemon=True).start()
        values = (True, "HttpProxy", "127.0.0.1", str(service.server_address[1]), "hans", "s3cret")
        for name, value in zip(names, values, strict=True):
            QgsSettings().setValue(f"proxy/{name}", value)
        QgsNetworkAccessManager.instance().setupDefaultProxyAndCache()
        yield asked
        service.shutdown()
    for name in names:
        QgsSettings().remove(f"proxy/{name}")
    QgsNetworkAccessManager.instance().setupDefaultProxyAndCache()


def test_a_search_goes_through_the_proxy_of_qgis_and_says_no_login(panel, proxy, qt):
    from base64 import b64encode

    panel.find.form.catalogue.setCurrentIndex(panel.find.form.catalogue.findData("planetary-computer"))
    search(panel, qt)
    login = f"Basic {b64encode(b'hans:s3cret').decode()}"
    assert set(proxy) == {("planetarycomputer.microsoft.com:443", login)}
    assert "proxy" in panel.find.message.text()
    assert "s3cret" not in panel.find.message.text()


def test_a_profile_that_is_wrong_is_one_line(panel, qt, tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("title: nothing else\n")
    panel.find.form.add_profile(str(wrong))
    search(panel, qt)
    assert "wrong.yaml: the catalogue profile is wrong" in panel.find.message.text()


def test_another_selection_goes_into_a_folder_of_its_own(panel, qt, tmp_path):
    tab = panel.find
    search(panel, qt)
    for key in list(tab.ticks.others):
        tab.ticks.take_other(key, False)
    for radar in (tab.ticks.radar[tab.ticks.scene], ""):
        tab.ticks.take_radar(tab.ticks.scene, radar)
        tab.load.click()
        qt.waitUntil(lambda: tab._task is None)
        assert tab.message.text().startswith("Loaded: "), tab.message.text()
    names = sorted(path.name for path in (tmp_path / "loaded ä").iterdir())
    assert names == ["2021-06-05_32UPU", "2021-06-05_32UPU-2"]
    assert panel.radar.currentLayer() is None
