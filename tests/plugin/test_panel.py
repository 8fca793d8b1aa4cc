"""The panel and the models window, driven as a person would, with real runs of the backend."""

from __future__ import annotations

import time

import pytest

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")

PATIENCE_S = 240


class Waiter:
    """Lets QGIS go on until something is so."""

    def waitUntil(self, so):
        from qgis.PyQt.QtWidgets import QApplication

        end = time.monotonic() + PATIENCE_S
        while not so():
            assert time.monotonic() < end, "it never came to that"
            QApplication.processEvents()
            time.sleep(0.02)


@pytest.fixture
def qt():
    return Waiter()


@pytest.fixture
def ready(plugin, backend, monkeypatch, qgis_iface, tmp_path):
    """The plugin with the real backend, and a folder for the user's own models."""
    from processing.gui import Postprocessing

    monkeypatch.setattr(Postprocessing, "iface", None, raising=False)  # pytest-qgis's has no layer tree view
    monkeypatch.setenv("SUNBREAK_PYTHON", str(backend))
    monkeypatch.setenv("SUNBREAK_MODELS", str(tmp_path / "models"))
    for name in ("addDockWidget", "removeDockWidget"):
        monkeypatch.setattr(qgis_iface, name, lambda *_: None, raising=False)
    return plugin


@pytest.fixture
def layers(scene, qgis_new_project):
    """Radar and scene in the project, under names that say nothing of the order."""
    from qgis.core import QgsProject, QgsRasterLayer

    made = {name: QgsRasterLayer(str(scene[name]), f"place {name}") for name in ("s1", "s2")}
    for layer in made.values():
        QgsProject.instance().addMapLayer(layer)
    return made


@pytest.fixture
def panel(ready, layers, qgis_canvas):
    qgis_canvas.setDestinationCrs(layers["s2"].crs())
    qgis_canvas.setExtent(layers["s2"].extent())
    return ready._menu.panel


def finish(panel, qt):
    qt.waitUntil(lambda: panel._run is None)


def test_the_panel_finds_scene_and_radar_by_bands_and_names(panel, layers):
    assert panel.scene.currentLayer() == layers["s2"]
    assert panel.radar.currentLayer() == layers["s1"]
    assert panel.mask.currentLayer() is None


def test_radar_that_leaves_the_project_is_not_replaced_by_another_layer(panel, layers):
    from qgis.core import QgsProject

    QgsProject.instance().removeMapLayer(layers["s1"].id())
    assert panel.radar.currentLayer() is None
    assert "S1" not in panel.parameters("removeclouds")


def test_the_models_of_the_task_are_offered_with_their_cards(panel, qt):
    qt.waitUntil(lambda: panel.model.count() > 0)
    assert panel.model.itemText(0) == "uncrtaints-guided"
    assert "card" in panel.card.text()
    panel.task.setCurrentIndex(panel.task.findData("classifylandcover"))
    assert panel.model.itemText(0) == "resnet18-landcover"


def test_a_run_puts_a_group_of_layers_into_the_project(panel, qt, layers):
    from qgis.core import QgsProject

    assert panel.go.isEnabled()
    assert not panel.stop.isEnabled()
    panel.go.click()
    assert panel.stop.isEnabled()
    assert not panel.go.isEnabled()
    finish(panel, qt)
    assert panel.message.text().startswith("Done: ")
    (group,) = QgsProject.instance().layerTreeRoot().findGroups()
    assert group.name().startswith("place s2") or "tiny" in group.name()
    names = [child.name() for child in group.children()]
    assert any(name.startswith("Cleaned") for name in names)
    assert any(name.startswith("Uncertainty") for name in names)
    assert panel.go.isEnabled()
    cleaned = next(child.layer() for child in group.children() if child.name().startswith("Cleaned"))
    styles = cleaned.styleManager()
    assert styles.styles() == ["False colour (near infrared, red, green)", "True colour"]
    assert styles.currentStyle() == "True colour"
    assert (cleaned.renderer().redBand(), cleaned.renderer().blueBand()) == (4, 2)
    styles.setCurrentStyle("False colour (near infrared, red, green)")
    assert (cleaned.renderer().redBand(), cleaned.renderer().blueBand()) == (8, 3)
    styles.setCurrentStyle("True colour")
    assert "uncrtaints-guided" in cleaned.metadata().abstract()
    assert cleaned.metadata().title() == "Cleaned scene"
    themes = QgsProject.instance().mapThemeCollection()
    assert sorted(themes.mapThemes()) == ["S2 tiny: after", "S2 tiny: before"]
    (shown,) = themes.mapThemeState("S2 tiny: before").layerRecords()
    assert shown.layer() == layers["s2"]
    own = layers["s2"].styleManager().currentStyle()
    assert shown.currentStyle != own
    layers["s2"].styleManager().setCurrentStyle(shown.currentStyle)
    # the same stretch on both
    one, other = (layer.renderer().redContrastEnhancement() for layer in (layers["s2"], cleaned))
    scale = cleaned.dataProvider().bandScale(4)
    assert scale == pytest.approx(1e-4)
    assert one.maximumValue() == pytest.approx(other.maximumValue() / scale)
    assert one.maximumValue() > 1000


def test_a_preview_cleans_the_middle_of_the_view_alone(panel, qt, layers, qgis_canvas):
    from qgis.core import QgsProject, QgsRectangle

    middle = layers["s2"].extent().center()
    view = QgsRectangle(middle.x() - 640, middle.y() - 640, middle.x() + 640, middle.y() + 640)
    qgis_canvas.setExtent(view)
    shown = qgis_canvas.extent().intersect(layers["s2"].extent())
    panel.preview.click()
    finish(panel, qt)
    new = [layer for layer in QgsProject.instance().mapLayers().values() if layer not in layers.values()]
    (cleaned,) = new
    assert cleaned.bandCount() == 13
    assert abs(cleaned.extent().width() - shown.width()) <= 20
    assert cleaned.extent().height() < 0.6 * layers["s2"].extent().height()


def test_a_cancelled_run_says_so_and_leaves_no_layer(panel, qt, layers):
    from qgis.core import QgsProject

    panel.go.click()
    qt.waitUntil(lambda: panel.bar.value() > 0 or "Bands" in panel.message.text())
    start = time.monotonic()
    panel.stop.click()
    finish(panel, qt)
    assert time.monotonic() - start < 10
    assert panel.message.text() == "Cancelled."
    assert len(QgsProject.instance().mapLayers()) == 2


def test_what_cannot_work_is_said_in_the_panel(panel, qt, layers):
    panel.scene.setLayer(layers["s1"])
    panel.radar.setCurrentIndex(0)
    panel.go.click()
    finish(panel, qt)
    assert "band" in panel.message.text().lower()
    assert panel.go.isEnabled()


def test_without_a_backend_there_is_one_button_that_offers_it(panel, monkeypatch, tmp_path):
    monkeypatch.setenv("SUNBREAK_PYTHON", str(tmp_path / "nothing"))
    panel.refresh()
    assert not panel.install.isHidden()
    assert not panel.go.isEnabled()
    assert "nothing" in panel.message.text()


def test_the_models_window_imports_shows_and_deletes(ready, qt, tmp_path, monkeypatch):
    from qgis.PyQt.QtWidgets import QMessageBox

    from sunbreak.plugin.gui.models_dialog import ModelsDialog

    dialog = ModelsDialog()
    qt.waitUntil(lambda: dialog.list.count() >= 2)
    assert "licence" in dialog.card.toPlainText()
    assert not dialog.remove.isEnabled()
    broken = tmp_path / "broken.pth"
    broken.write_bytes(b"no checkpoint")
    dialog.import_checkpoint(broken, "mine")
    qt.waitUntil(lambda: dialog._process is None)
    assert "broken.pth" in dialog.message.text()
    assert dialog.list.count() == 2
    # the bundled classifier, imported again under a name of its own
    from sunbreak.plugin.settings import PLUGIN_FOLDER

    source = PLUGIN_FOLDER / "resources" / "models"
    folder = tmp_path / "models"
    folder.mkdir(exist_ok=True)
    card = (source / "resnet18-landcover.json").read_text(encoding="utf-8").replace("resnet18-landcover", "mine")
    (folder / "mine.json").write_text(card, encoding="utf-8")
    (folder / "mine.safetensors").write_bytes((source / "resnet18-landcover.safetensors").read_bytes())
    dialog.refresh("mine")
    qt.waitUntil(lambda: dialog.list.count() == 3)
    assert dialog._name() == "mine"
    assert dialog.remove.isEnabled()
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    dialog.remove.click()
    qt.waitUntil(lambda: dialog.list.count() == 2 and dialog._process is None)
    assert not (folder / "mine.json").exists()
    assert not (folder / "mine.safetensors").exists()
    dialog.close()


def test_the_model_that_is_chosen_is_the_one_the_algorithm_gets(panel, qt):
    from qgis.core import QgsApplication

    qt.waitUntil(lambda: panel.model.count() > 0)
    for task in ("removeclouds", "cleanclassifyexplain", "classifylandcover"):
        panel.task.setCurrentIndex(panel.task.findData(task))
        parameters = panel.parameters(task)
        algorithm = QgsApplication.processingRegistry().algorithmById(f"sunbreak:{task}")
        known = {definition.name() for definition in algorithm.parameterDefinitions()}
        assert panel.model.currentData() in parameters.values()
        assert set(parameters) <= known


def test_a_view_beside_the_scene_starts_nothing(panel, layers, qgis_canvas):
    from qgis.core import QgsRectangle

    panel.extent.setCurrentIndex(panel.extent.findData("view"))
    qgis_canvas.setExtent(QgsRectangle(900_000, 5_000_000, 901_000, 5_001_000))
    panel.go.click()
    assert panel._run is None
    assert "does not show the scene" in panel.message.text()


def test_a_scene_chosen_by_hand_stays_when_the_panel_looks_again(panel, layers):
    panel.scene.setLayer(layers["s1"])
    panel.scene.activated.emit(panel.scene.currentIndex())
    panel.refresh()
    assert panel.scene.currentLayer() == layers["s1"]
