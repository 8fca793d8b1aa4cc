"""*Inspect a scene* in the toolbox and in the panel, with the real backend."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from algorithms import run, write_raster

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")


@pytest.fixture
def real(plugin, backend, monkeypatch):
    monkeypatch.setenv("SUNBREAK_PYTHON", str(backend))
    return plugin


@pytest.fixture
def panel(ready, scene, qgis_new_project, qgis_canvas):
    from qgis.core import QgsProject, QgsRasterLayer

    layers = {name: QgsRasterLayer(str(scene[name]), f"place {name}") for name in ("s1", "s2")}
    for layer in layers.values():
        QgsProject.instance().addMapLayer(layer)
    qgis_canvas.setDestinationCrs(layers["s2"].crs())
    qgis_canvas.setExtent(layers["s2"].extent())
    return ready._menu.panel


def hostile(folder: Path):
    """A scene and a mask whose names hold markup."""
    import numpy as np

    rng = np.random.default_rng(0)
    bands = ("B02", "B03", "B04", "B08")
    values = rng.normal(900, 90, (4, 40, 50)).clip(1).astype("uint16")
    return write_raster(folder / "<b>S2<b> &amp;.tif", values, bands=bands, nodata=0)


def test_the_report_holds_the_findings_and_the_picture(real, scene, tmp_path, feedback):
    wanted = {"OUTPUT": "seen.html", "JSON": "seen.json", "PICTURE": "seen.png"}
    found = run(
        "inspectscene",
        {"INPUT": str(scene["s2"]), "S1": str(scene["s1"])} | {k: str(tmp_path / v) for k, v in wanted.items()},
        feedback=feedback,
    )
    page = (tmp_path / "seen.html").read_text(encoding="utf-8")
    assert "Inspection of S2 tiny.tif" in page
    assert "<td><b>Processing level</b></td><td>L1C</td>" in page
    assert "data:image/png;base64," in page
    content = json.loads((tmp_path / "seen.json").read_text(encoding="utf-8"))
    assert content["sentinel1"]["unit"] == "db"
    assert content["picture"] == str(tmp_path / "seen.png")
    assert (tmp_path / "seen.png").read_bytes().startswith(b"\x89PNG")
    assert "Processing level" in found["TEXT"]
    # what a run would say is in the log too
    assert "Level L1C, since band B10 is there." in feedback.said["info"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(wanted.values())


def test_without_outputs_there_is_still_the_text(real, scene):
    found = run("inspectscene", {"INPUT": str(scene["s2"])})
    assert "possible with uncrtaints-guided" in found["TEXT"]
    assert set(found) == {"TEXT"}


def test_a_mask_and_options_of_reading_reach_the_backend(real, scene, tmp_path, feedback):
    import numpy as np

    mask = write_raster(tmp_path / "mask.tif", np.ones((1, 240, 250), "uint8"))
    found = run(
        "inspectscene",
        {"INPUT": str(scene["s2"]), "MASK": str(mask), "MASK_CODING": "binary", "S2_OFFSET": 0},
        feedback=feedback,
    )
    (command,) = feedback.said["command"]
    assert "--mask-coding binary" in command
    assert "--s2-offset 0.0" in command
    assert "100.0% cloud" in found["TEXT"]


def test_what_a_run_refuses_is_refused_with_one_line(real, scene, tmp_path):
    import numpy as np
    from qgis.core import QgsProcessingException

    path = write_raster(tmp_path / "two.tif", np.ones((2, 40, 50), "uint16"))
    with pytest.raises(QgsProcessingException, match=r"two\.tif: which Sentinel-2 bands its 2 bands are"):
        run("inspectscene", {"INPUT": str(path), "OUTPUT": str(tmp_path / "seen.html")})
    assert [one.name for one in tmp_path.iterdir()] == ["two.tif"]


def test_texts_of_files_are_no_markup_in_the_page(real, tmp_path):
    path = hostile(tmp_path)
    run("inspectscene", {"INPUT": str(path), "OUTPUT": str(tmp_path / "seen.html")})
    page = (tmp_path / "seen.html").read_text(encoding="utf-8")
    assert "<b>S2<b>" not in page
    assert "&lt;b&gt;S2&lt;b&gt; &amp;amp;.tif" in page


def test_the_panel_shows_table_picture_and_notes_of_the_chosen_layers(panel, qt):
    from qgis.core import QgsProject

    assert panel.inspect.isEnabled()
    panel.inspect.click()
    dialog = panel._inspection
    qt.waitUntil(lambda: dialog.inspection is not None)
    table = {
        dialog.table.item(row, 0).text(): (dialog.table.item(row, 1).text(), dialog.table.item(row, 2).text())
        for row in range(dialog.table.rowCount())
    }
    assert table["Processing level"] == ("L1C", "band B10 is there")
    assert table["Remove clouds"][0] == "possible with uncrtaints-guided"
    assert table["Sentinel-1"][0] == "VV: band 1 of S1 tiny.tif; VH: band 2 of S1 tiny.tif"
    assert dialog.message.text().startswith("Nothing was processed.")
    assert dialog.picture.pixmap().width() > 300
    assert "S1 is in dB" in dialog.notes.toPlainText()
    assert len(QgsProject.instance().mapLayers()) == 2
    dialog.copy.click()
    from qgis.PyQt.QtWidgets import QApplication

    assert "Processing level" in QApplication.clipboard().text()
    dialog.close()


def test_the_window_says_in_one_line_what_is_refused(panel, qt, tmp_path):
    import numpy as np
    from qgis.core import QgsProject, QgsRasterLayer

    path = write_raster(tmp_path / "two.tif", np.ones((2, 40, 50), "uint16"))
    layer = QgsRasterLayer(str(path), "two")
    QgsProject.instance().addMapLayer(layer)
    panel.scene.setLayer(layer)
    panel.radar.setCurrentIndex(0)
    panel.inspect.click()
    dialog = panel._inspection
    qt.waitUntil(lambda: "cannot be told" in dialog.message.text())
    assert dialog.table.rowCount() == 0
    assert not dialog._parts.isVisible()
    dialog.close()


def test_names_of_layers_and_files_are_plain_text_in_the_window(panel, qt, tmp_path):
    from qgis.core import QgsProject, QgsRasterLayer
    from qgis.PyQt.QtCore import Qt

    layer = QgsRasterLayer(str(hostile(tmp_path)), "<b>bold</b>")
    QgsProject.instance().addMapLayer(layer)
    panel.scene.setLayer(layer)
    panel.radar.setCurrentIndex(0)
    panel.inspect.click()
    dialog = panel._inspection
    qt.waitUntil(lambda: dialog.inspection is not None)
    assert dialog.table.item(0, 1).text() == "<b>S2<b> &amp;.tif"
    assert dialog.message.textFormat() == Qt.TextFormat.PlainText
    # four bands are too few for the default classifier
    assert "needs the bands B05" in dialog.message.text()
    dialog.close()


def test_closing_the_window_stops_the_backend(panel, qt):
    panel.inspect.click()
    running = panel._inspection._run
    ended = []
    running.ended.connect(lambda *outcome: ended.append(outcome))
    panel._inspection.close()
    qt.waitUntil(lambda: ended)
    assert ended[0] == (False, "Cancelled.")


def test_two_layers_of_radar_are_found_by_their_names_and_both_are_read(panel, qt, scene, tmp_path):
    from algorithms import read
    from qgis.core import QgsProject, QgsRasterLayer

    both = read(scene["s1"])
    made = {}
    for place, name in enumerate(("VV", "VH")):
        path = write_raster(tmp_path / f"S1A_20200610_{name}.tif", both[place : place + 1])
        made[name] = QgsRasterLayer(str(path), path.stem)
        QgsProject.instance().addMapLayer(made[name])
    old = panel.radar.currentLayer()
    assert panel.vh.currentLayer() is None
    QgsProject.instance().removeMapLayer(old.id())
    panel.refresh()
    assert panel.radar.currentLayer() == made["VV"]
    assert panel.vh.currentLayer() == made["VH"]
    found = panel.parameters("removeclouds")
    assert (found["S1"], found["S1_VH"]) == (made["VV"], made["VH"])
    panel.inspect.click()
    dialog = panel._inspection
    qt.waitUntil(lambda: dialog.inspection is not None)
    (row,) = (row for row in dialog.inspection.rows if row.key == "radar")
    assert row.found == "VV: band 1 of S1A_20200610_VV.tif; VH: band 1 of S1A_20200610_VH.tif"
    dialog.close()


def test_without_radar_there_is_no_vh(panel):
    assert panel.vh.isEnabled()
    panel.vh.setLayer(panel.radar.currentLayer())
    panel.radar.setCurrentIndex(0)
    assert not panel.vh.isEnabled()
    assert panel.vh.currentLayer() is None
    assert "S1_VH" not in panel.parameters("removeclouds")
