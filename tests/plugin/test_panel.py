"""The panel and the models dialog, used as by a person, with real runs of the backend."""

from __future__ import annotations

import re
import time

import pytest
from algorithms import write_raster

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")

BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")


@pytest.fixture
def layers(scene, qgis_new_project):
    """Radar and scene in the project, under names that do not depend on the order."""
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
    assert panel.classifier.itemText(0) == "resnet18-landcover"
    text = panel.model.card.text()
    assert re.search(
        r"Measured on triplets.*: PSNR \d\d\.\d dB, \d\d\.\d dB under clouds \(cloudy input: \d\d\.\d dB\)", text
    )
    assert "Licence: GPL-2.0-or-later" in text
    assert 'href="card"' in text
    assert re.search(r"EuroSAT.*: accuracy \d\d %, macro F1 0\.\d\d\.", panel.classifier.card.text())
    assert "Small or sudden things" in panel.model.card.toolTip()


@pytest.mark.parametrize(("ground", "text"), [("#2b2b2b", "#c8c8c8"), ("#f0f0f0", "#101010")])
def test_the_link_to_the_card_can_be_read_in_light_and_dark_themes(panel, qt, ground, text):
    from qgis.PyQt.QtGui import QColor

    def luminance(name):
        channels = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in QColor(name).getRgbF()[:3]]
        return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]

    qt.waitUntil(lambda: panel.model.count() > 0)
    panel.setStyleSheet(f"QWidget {{ background: {ground}; color: {text} }}")
    panel.model.card.ensurePolished()
    link = re.search(r'href="card" style="color:(#\w+)"', panel.model.card.text())[1]
    light, dark = sorted((luminance(link), luminance(ground)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) > 4.5  # required by WCAG


@pytest.mark.parametrize(
    ("task", "shown"),
    [("removeclouds", (True, False)), ("cleanclassifyexplain", (True, True)), ("classifylandcover", (False, True))],
)
def test_each_task_shows_the_models_that_it_uses(panel, task, shown):
    panel.task.setCurrentIndex(panel.task.findData(task))
    choices = (panel.model, panel.classifier)
    assert tuple(not choice.isHidden() for choice in choices) == shown
    assert tuple(not choice.card.isHidden() for choice in choices) == shown


def test_the_chain_gets_the_chosen_classifier_and_a_preview_none(panel, qt):
    qt.waitUntil(lambda: panel.model.count() > 0)
    panel.classifier.addItem("mine", "mine")
    panel.classifier.setCurrentIndex(panel.classifier.findData("mine"))
    panel.task.setCurrentIndex(panel.task.findData("cleanclassifyexplain"))
    found = panel.parameters("cleanclassifyexplain")
    assert (found["MODEL"], found["CLASSIFIER"]) == ("uncrtaints-guided", "mine")
    assert "CLASSIFIER" not in panel.parameters("removeclouds", preview=True)
    panel.task.setCurrentIndex(panel.task.findData("classifylandcover"))
    assert panel.parameters("classifylandcover")["MODEL"] == "mine"


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
    assert cleaned.metadata().licenses() == ["GPL-2.0-or-later"]
    assert cleaned.customProperty("sunbreak/role") == "cleaned"
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


def test_a_preview_cleans_only_the_middle_of_the_view(panel, qt, layers, qgis_canvas):
    from qgis.core import QgsProject, QgsRectangle

    middle = layers["s2"].extent().center()
    view = QgsRectangle(middle.x() - 640, middle.y() - 640, middle.x() + 640, middle.y() + 640)
    qgis_canvas.setExtent(view)
    shown = qgis_canvas.extent().intersect(layers["s2"].extent())
    panel.preview.click()
    finish(panel, qt)
    new = [layer for layer in QgsProject.instance().mapLayers().values() if layer not in layers.values()]
    (cleaned,) = new
    assert re.fullmatch(r"Done: \d+\.\d % of the preview was cloudy\. \d+\.\d % lay in shadow\.", panel.message.text())
    assert re.fullmatch(r"Preview \d\d:\d\d:\d\d: place s2", cleaned.name())
    assert QgsProject.instance().layerTreeRoot().children()[0].layer() == cleaned
    assert not QgsProject.instance().mapThemeCollection().mapThemes()
    assert "False colour (near infrared, red, green)" in cleaned.styleManager().styles()
    assert cleaned.bandCount() == 13
    assert abs(cleaned.extent().width() - shown.width()) <= 20
    assert cleaned.extent().height() < 0.6 * layers["s2"].extent().height()


def test_the_chosen_detector_is_the_one_that_runs(panel, qt, qgis_canvas):
    assert panel.parameters("removeclouds")["DETECTOR"] == "auto"
    assert "DETECTOR" not in panel.parameters("classifylandcover")
    panel.detector.setCurrentIndex(panel.detector.findData("s2cloudless"))
    assert panel.parameters("cleanclassifyexplain")["DETECTOR"] == "s2cloudless"
    said = []
    panel.preview.click()
    panel._run.said.connect(said.append)
    finish(panel, qt)
    assert any(text.startswith("Clouds: s2cloudless") for text in said)
    assert "shadow" not in panel.message.text()  # s2cloudless knows none


def test_a_mask_switches_the_detector_off(panel, layers):
    assert panel.detector.isEnabled()
    panel.detector.setCurrentIndex(panel.detector.findData("ukis"))
    panel.mask.setLayer(layers["s1"])
    assert not panel.detector.isEnabled()
    assert "DETECTOR" not in panel.parameters("removeclouds")
    assert panel.parameters("removeclouds")["MASK"] == layers["s1"]
    panel.mask.setCurrentIndex(0)
    assert panel.detector.isEnabled()
    panel.task.setCurrentIndex(panel.task.findData("classifylandcover"))
    assert not panel.detector.isEnabled()


@pytest.mark.parametrize(("value", "found"), [(0, "0.0%"), (1, "100.0%")])
def test_a_suspicious_cloud_share_stays_visible_in_the_panel(panel, qt, tmp_path, value, found):
    import numpy as np
    from qgis.core import QgsProject, QgsRasterLayer

    own = write_raster(tmp_path / "my cloud mask.tif", np.full((1, 240, 250), value, "uint8"))
    layer = QgsRasterLayer(str(own), "my mask")
    QgsProject.instance().addMapLayer(layer)
    panel.mask.setLayer(layer)
    panel.show()
    assert panel.warnings.isHidden()
    panel.preview.click()
    finish(panel, qt)
    assert panel.message.text().startswith("Done: ")
    assert panel.warnings.isVisibleTo(panel)
    assert f"Clouds and shadows cover {found} of the scene." in panel.warnings.text()
    # the next run starts without the warnings of this one
    panel.mask.setCurrentIndex(0)
    panel.preview.click()
    assert panel.warnings.isHidden()
    finish(panel, qt)
    assert "cover" not in panel.warnings.text()
    assert panel.warnings.isHidden()


def test_all_warnings_of_a_run_are_shown_one_below_the_other(panel):
    panel._warn("The scenes are 9 days apart.")
    panel._warn("<b>No</b> cloud shadows are detected.")
    assert panel.warnings.text() == "The scenes are 9 days apart.\n<b>No</b> cloud shadows are detected."
    from qgis.PyQt.QtCore import Qt

    assert panel.warnings.textFormat() == Qt.TextFormat.PlainText


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


def test_invalid_inputs_are_reported_in_the_panel(panel, qt, layers):
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


def test_the_model_that_is_chosen_is_the_one_the_algorithm_gets(panel, qt):
    from qgis.core import QgsApplication

    qt.waitUntil(lambda: panel.model.count() > 0)
    for task in ("removeclouds", "cleanclassifyexplain", "classifylandcover"):
        panel.task.setCurrentIndex(panel.task.findData(task))
        parameters = panel.parameters(task)
        algorithm = QgsApplication.processingRegistry().algorithmById(f"sunbreak:{task}")
        known = {definition.name() for definition in algorithm.parameterDefinitions()}
        choice = panel.classifier if task == "classifylandcover" else panel.model
        assert parameters["MODEL"] == choice.currentData()
        assert set(parameters) <= known


def sides(text):
    numbers, _, crs = text.partition(" [")
    return [float(number) for number in numbers.split(",")], crs.rstrip("]")


def test_a_drawn_rectangle_is_transformed_to_the_scene_crs(panel, layers, qgis_canvas):
    from qgis.core import QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsProject, QgsRectangle

    scene = layers["s2"].extent()
    wanted = QgsRectangle(
        scene.xMinimum() + 500, scene.yMinimum() + 700, scene.xMinimum() + 900, scene.yMinimum() + 1500
    )
    geographic = QgsCoordinateReferenceSystem("EPSG:4326")
    to_map = QgsCoordinateTransform(layers["s2"].crs(), geographic, QgsProject.instance())
    panel.extent.setCurrentIndex(panel.extent.findData("drawn"))
    qgis_canvas.setDestinationCrs(geographic)
    panel.extent.draw(to_map.transformBoundingBox(wanted))
    # the map CRS changes afterwards: the rectangle keeps its position
    qgis_canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    numbers, crs = sides(panel.parameters("removeclouds")["EXTENT"])
    assert crs == "EPSG:32632"
    expected = [wanted.xMinimum(), wanted.xMaximum(), wanted.yMinimum(), wanted.yMaximum()]
    assert numbers == pytest.approx(expected, abs=20)


def test_a_missing_rectangle_is_reported_before_the_run(panel):
    panel.extent.setCurrentIndex(panel.extent.findData("drawn"))
    panel.go.click()
    assert panel._run is None
    assert panel.message.text() == "Draw a rectangle on the map first."


def test_a_view_that_cannot_be_transformed_is_reported(panel, qgis_canvas, monkeypatch):
    from qgis.core import QgsCoordinateTransform, QgsCsException

    def cannot(*_):
        raise QgsCsException("forward transform\nfailed")

    from qgis.core import QgsCoordinateReferenceSystem

    qgis_canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3031"))
    monkeypatch.setattr(QgsCoordinateTransform, "transformBoundingBox", cannot)
    panel.extent.setCurrentIndex(panel.extent.findData("view"))
    panel.go.click()
    assert panel._run is None
    assert "cannot be transformed to the coordinate system of the scene (EPSG:32632" in panel.message.text()
    assert "\n" not in panel.message.text()


def test_the_buttons_stay_in_sight_where_the_panel_is_low(panel):
    from qgis.PyQt.QtWidgets import QApplication

    panel.task.setCurrentIndex(panel.task.findData("cleanclassifyexplain"))
    panel.setFloating(True)
    panel.show()
    panel.resize(320, 420)
    panel._warn("One says that clouds and shadows cover less than 1 % of the scene.")
    QApplication.processEvents()
    for button in (panel.preview, panel.go, panel.stop):
        assert button.visibleRegion().boundingRect().height() == button.height()
    assert panel.classifier.visibleRegion().isEmpty()  # further down, where one scrolls to


def test_the_tab_key_goes_through_the_panel_from_top_to_bottom(panel):
    order = panel.keyboard_order()
    at, met = order[0], []
    for _ in range(400):
        met += [at] if at in order else []
        at = at.nextInFocusChain()
        if at is order[0]:
            break
    assert met == order
    from qgis.PyQt.QtCore import Qt

    assert all(widget.focusPolicy() & Qt.FocusPolicy.TabFocus for widget in order)


def german(texts):
    """The same texts as the German translation has them."""
    from xml.etree import ElementTree

    from sunbreak.plugin.settings import PLUGIN_FOLDER

    tree = ElementTree.parse(PLUGIN_FOLDER / "i18n" / "sunbreak_de.ts")
    found = {message.findtext("source"): message.findtext("translation") for message in tree.iter("message")}
    return [found[text] for text in texts]


@pytest.mark.parametrize("language", [list, german])
def test_every_field_of_the_panel_has_its_own_shortcut_key(panel, language):
    from qgis.PyQt.QtWidgets import QLabel, QPushButton

    labels = [label for label in panel.findChildren(QLabel) if label.buddy() is not None]
    texts = [label.text() for label in labels] + [button.text() for button in panel.findChildren(QPushButton)]
    keys = [text[text.index("&") + 1].lower() for text in language(texts)]
    assert len(keys) == 16
    assert len(set(keys)) == len(keys)


def test_an_output_of_a_run_is_not_guessed_as_the_scene(panel, layers):
    from qgis.core import QgsProject, QgsRasterLayer

    from sunbreak.plugin.gui.guessing import guess_scene

    made = QgsRasterLayer(layers["s2"].source(), "sentinel-2 Zugeschnitten")
    made.setCustomProperty("sunbreak/role", "cleaned")
    QgsProject.instance().addMapLayer(made)
    assert guess_scene(QgsProject.instance()) == layers["s2"]


def test_a_view_outside_the_scene_starts_no_run(panel, layers, qgis_canvas):
    from qgis.core import QgsRectangle

    panel.extent.setCurrentIndex(panel.extent.findData("view"))
    qgis_canvas.setExtent(QgsRectangle(900_000, 5_000_000, 901_000, 5_001_000))
    panel.go.click()
    assert panel._run is None
    assert "does not show the scene" in panel.message.text()


def test_a_manually_chosen_scene_is_kept_when_the_panel_refreshes(panel, layers):
    panel.scene.setLayer(layers["s1"])
    panel.scene.activated.emit(panel.scene.currentIndex())
    panel.refresh()
    assert panel.scene.currentLayer() == layers["s1"]


# Other dates


@pytest.fixture
def date(layers, tmp_path):
    """Adds a file of the scene's place to the project; returns its layer."""
    import numpy as np
    from qgis.core import QgsProject, QgsRasterLayer

    def add(name, *, bands=BANDS, values=None, epsg=32632):
        values = np.full((len(bands) or 13, 240, 250), 1000, "uint16") if values is None else values
        path = write_raster(tmp_path / f"{name}.tif", values, bands=bands, epsg=epsg)
        layer = QgsRasterLayer(str(path), name)
        QgsProject.instance().addMapLayer(layer)
        return layer

    return add


def listed(panel):
    """Text and tick of each other date in the panel."""
    from qgis.PyQt.QtCore import Qt

    items = [panel.dates.list.item(row) for row in range(panel.dates.list.count())]
    return [(item.text(), item.checkState() == Qt.CheckState.Checked) for item in items]


def dated(layer, day):
    """Give a layer a fixed time range from a day on, as a user does in its properties."""
    from qgis.core import QgsDateTimeRange
    from qgis.PyQt.QtCore import QDateTime, Qt

    begin = QDateTime.fromString(f"{day}T10:20:31Z", Qt.DateFormat.ISODate)
    layer.temporalProperties().setFixedTemporalRange(QgsDateTimeRange(begin, begin.addDays(1)))
    layer.temporalProperties().setIsActive(True)


def test_other_dates_of_the_scene_are_proposed_with_date_and_days(panel, layers, date):
    dated(layers["s2"], "2021-06-05")
    date("a_20210725T102031")
    date("tomorrow_2021-06-06")
    other = date("b")
    dated(other, "2021-05-01")
    date("whenever")
    panel.refresh()
    assert listed(panel) == [
        ("2021-06-06 (+1 day): tomorrow_2021-06-06", True),
        ("2021-05-01 (\N{MINUS SIGN}35 days): b", True),
        ("2021-07-25 (+50 days): a_20210725T102031", True),
        ("Date unknown: whenever", True),
    ]
    assert panel.parameters("removeclouds")["DATES"][1] == other.id()
    assert len(panel.parameters("cleanclassifyexplain", preview=True)["DATES"]) == 4
    assert "DATES" not in panel.parameters("classifylandcover")


def test_what_is_no_other_date_is_not_proposed(panel, layers, date, tmp_path):
    import numpy as np
    from qgis.core import QgsProject, QgsRasterLayer

    dated(layers["s2"], "2021-06-05")
    date("four bands", bands=("B02", "B03", "B04", "B08"))
    date("unnamed", bands=())
    date("product names", bands=tuple(f"B{number}" for number in range(1, 14)))
    date("three bands", bands=("B02", "B03", "B04"))
    date("radar", bands=("VV", "VH"))
    date("picture", values=np.zeros((13, 240, 250), "uint8"))
    date("same day 20210605")
    date("elsewhere", epsg=32633)
    date("made").setCustomProperty("sunbreak/role", "cleaned")
    again = QgsRasterLayer(layers["s2"].source(), "the scene again")
    twice = QgsRasterLayer(str(tmp_path / "four bands.tif"), "four bands again")
    for layer in (again, twice):
        QgsProject.instance().addMapLayer(layer)
    texts = [text.replace(" again", "") for text, _ in listed(panel)]
    assert texts == ["Date unknown: four bands", "Date unknown: product names", "Date unknown: unnamed"]


def test_an_unticked_date_stays_unticked_for_its_scene(panel, layers, date):
    from qgis.core import QgsProject
    from qgis.PyQt.QtCore import Qt

    first, second = date("a 2021-05-01"), date("b 2021-07-25")
    panel.dates.list.item(0).setCheckState(Qt.CheckState.Unchecked)
    third = date("c 2021-08-01")
    panel.refresh()
    assert listed(panel) == [
        ("2021-05-01: a 2021-05-01", False),
        ("2021-07-25: b 2021-07-25", True),
        ("2021-08-01: c 2021-08-01", True),
    ]
    assert panel.parameters("removeclouds")["DATES"] == [second.id(), third.id()]
    panel.scene.setLayer(first)
    assert all(ticked for _, ticked in listed(panel))
    assert len(listed(panel)) == 3
    panel.scene.setLayer(layers["s2"])
    assert [ticked for _, ticked in listed(panel)] == [False, True, True]
    QgsProject.instance().removeMapLayer(third.id())
    assert [ticked for _, ticked in listed(panel)] == [False, True]


def test_files_that_are_added_are_ticked_and_kept(panel, layers, tmp_path):
    import numpy as np

    assert panel.dates.list.isHidden()
    assert not panel.dates.none.isHidden()
    path = write_raster(tmp_path / "place_20210501.tif", np.full((13, 240, 250), 1000, "uint16"), bands=BANDS)
    panel.dates.add_files([str(path), str(tmp_path / "gone.tif"), layers["s2"].source()])
    assert panel.message.text() == f"{layers['s2'].source()} is the scene itself."
    panel.dates.add_files([str(tmp_path / "gone.tif")])
    assert "gone.tif cannot be opened as a raster" in panel.message.text()
    panel.refresh()
    assert listed(panel) == [("2021-05-01: place_20210501", True)]
    assert panel.parameters("removeclouds")["DATES"] == [str(path)]
    assert panel.dates.none.isHidden()


def test_a_run_of_the_panel_is_given_the_other_dates(panel, qt, date):
    from algorithms import part_of_demo

    date("place_20210501", values=part_of_demo("demo_s2_before"))
    said = []
    panel.preview.click()
    panel._run.said.connect(said.append)
    finish(panel, qt)
    assert panel.message.text().startswith("Done: ")
    assert any(text.startswith("Other date 2021-05-01") for text in said)
    assert "gives no" not in panel.warnings.text()  # a preview creates the cleaned scene only


def test_only_tasks_that_remove_clouds_show_the_other_dates(panel):
    for task, shown in (("removeclouds", True), ("classifylandcover", False), ("cleanclassifyexplain", True)):
        panel.task.setCurrentIndex(panel.task.findData(task))
        assert panel.dates.isHidden() is not shown
