"""The page *Find scenes* of the panel, fed with results of a search as the backend writes them."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path

import pytest
from finding import QUERY_BOX, RADAR, SCENES, content, radar_id, scene_id

pytest.importorskip("qgis.core", reason="QGIS's Python modules cannot be imported: run with QGIS's interpreter")

DATE, AS_SCENE, AS_OTHER, CLOUD = range(4)


@pytest.fixture
def settings(qgis_app):
    """No choice of an earlier session."""
    from qgis.core import QgsSettings

    QgsSettings().remove("sunbreak")
    yield QgsSettings()
    QgsSettings().remove("sunbreak")


@pytest.fixture
def panel(ready, qgis_new_project, qgis_canvas, settings):
    from qgis.core import QgsCoordinateReferenceSystem, QgsRectangle

    qgis_canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:32632"))
    qgis_canvas.setExtent(QgsRectangle(600_000, 5_392_320, 607_680, 5_400_000))
    return ready._menu.panel


@pytest.fixture
def tab(panel):
    return panel.open_find()


def show(tab, text=None):
    from sunbreak.plugin.bridge.catalogue import Query
    from sunbreak.plugin.found import parse_found

    found = parse_found(text or content())
    tab.show_found(found, Query(QUERY_BOX, "2021-06-03", 30, 100, "", "planetary-computer"))


def checked(row, column=DATE):
    from qgis.PyQt.QtCore import Qt

    return row.checkState(column) == Qt.CheckState.Checked


def tick(row, column=DATE, ticked=True):
    from qgis.PyQt.QtCore import Qt

    row.setCheckState(column, Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)


def rows(tab):
    return {date: tab.list.topLevelItem(place) for place, (date, *_) in enumerate(SCENES)}


def radar_of(row):
    below = [row.child(place) for place in range(row.childCount())]
    return {one.text(DATE).split()[1].replace("-", ""): one for one in below}


def press(widget, key):
    from qgis.PyQt.QtCore import QEvent, Qt
    from qgis.PyQt.QtGui import QKeyEvent

    widget.keyPressEvent(QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier))


# fields


def test_the_page_is_made_when_it_is_opened(panel):
    assert panel.find is None
    tab = panel.open_find()
    assert panel.open_find() is tab
    assert panel.pages.currentIndex() == 1


def test_the_view_is_sent_in_degrees(tab, qgis_canvas):
    from qgis.core import QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsProject

    view = qgis_canvas.extent()
    geographic = QgsCoordinateReferenceSystem("EPSG:4326")
    to_degrees = QgsCoordinateTransform(QgsCoordinateReferenceSystem("EPSG:32632"), geographic, QgsProject.instance())
    west, south, east, north = tab.form.query().bbox
    middle = to_degrees.transform(view.center())
    assert ((west + east) / 2, (south + north) / 2) == pytest.approx((middle.x(), middle.y()), abs=0.001)
    width, height = (east - west) * 111.32 * 0.66, (north - south) * 111.32
    assert (width, height) == pytest.approx((view.width() / 1000, view.height() / 1000), rel=0.08)


def test_the_size_of_the_area_is_shown(tab):
    from sunbreak.plugin.gui.find_area import kilometres

    width, height = kilometres(tab.form.query().bbox)
    assert tab.form.area.size.text() == f"{width:.1f} \N{MULTIPLICATION SIGN} {height:.1f} km"


def test_a_drawn_rectangle_keeps_its_place_when_the_map_changes(tab, qgis_canvas):
    from qgis.core import QgsCoordinateReferenceSystem, QgsRectangle

    area = tab.form.area
    area.kind.setCurrentIndex(area.kind.findData("drawn"))
    assert area.size.text() == "Draw a rectangle on the map first."
    qgis_canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    area.kind.draw(QgsRectangle(10.0, 48.0, 10.1, 48.1))
    qgis_canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    assert tab.form.query().bbox == pytest.approx((10.0, 48.0, 10.1, 48.1))
    assert tab.message.text() == "The search covers the rectangle."


def polygons(*boxes):
    from qgis.core import QgsFeature, QgsGeometry, QgsProject, QgsRectangle, QgsVectorLayer

    layer = QgsVectorLayer("Polygon?crs=EPSG:4326", "fields", "memory")
    for box in boxes:
        feature = QgsFeature()
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(*box)))
        layer.dataProvider().addFeature(feature)
    layer.updateExtents()
    QgsProject.instance().addMapLayer(layer)
    return layer


def test_selected_polygons_are_the_area_else_all_of_them(tab):
    area = tab.form.area
    area.kind.setCurrentIndex(area.kind.findData("polygons"))
    assert "no layer of polygons" in area.size.text()
    layer = polygons((10.0, 48.0, 10.1, 48.1), (10.2, 48.0, 10.3, 48.2))
    area.layer.setLayer(layer)
    assert tab.form.query().bbox == pytest.approx((10.0, 48.0, 10.3, 48.2))
    layer.selectByIds([2])
    assert tab.form.query().bbox == pytest.approx((10.2, 48.0, 10.3, 48.2))


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ((10.0, 48.0, 10.8, 48.4), "59 \N{MULTIPLICATION SIGN} 45 km: large. Each date is most of a tile"),
        ((10.0, 48.0, 11.9, 49.5), "139 \N{MULTIPLICATION SIGN} 167 km: large. Each date is about four tiles"),
        ((0.0, 48.0, 11.9, 49.5), "too large for a search, zoom in."),
    ],
)
def test_a_large_area_is_warned_of_with_its_tiles(tab, box, said):
    area = tab.form.area
    area.layer.setLayer(polygons(box))
    area.kind.setCurrentIndex(area.kind.findData("polygons"))
    assert said in area.size.text()


def test_a_search_of_half_a_continent_is_refused(tab):
    area = tab.form.area
    area.layer.setLayer(polygons((0.0, 40.0, 20.0, 50.0)))
    area.kind.setCurrentIndex(area.kind.findData("polygons"))
    tab.form.search.click()
    assert tab._task is None
    assert "Zoom in, or draw a rectangle of at most 500 km." in tab.message.text()


def test_the_catalogue_and_profile_files_are_kept_for_the_next_session(tab, qgis_canvas, tmp_path, settings):
    from sunbreak.plugin.gui.find_form import FindForm

    profile = tmp_path / "my catalogue ö.yaml"
    profile.write_text("like: planetary-computer\n")
    tab.form.add_profile(str(profile))
    assert tab.form.query().profile == str(profile)
    again = FindForm(qgis_canvas, print)
    assert again.query().profile == str(profile)
    assert again.catalogue.currentText() == profile.name
    profile.unlink()
    assert FindForm(qgis_canvas, print).query().profile == "planetary-computer"


# the list


def test_every_date_is_listed_with_days_clouds_and_use(tab):
    show(tab)
    assert tab.list.topLevelItemCount() == 6
    row = rows(tab)["20210605"]
    assert row.text(DATE).split("\n") == [
        "2021-06-05 (+2 days)",
        "Sentinel-2A, 32UPV, L2A",
        "Proposed as scene",
    ]
    assert row.text(CLOUD) == "38 %\ncovers 100 %"
    assert "nearest to the date" in row.toolTip(DATE)
    assert rows(tab)["20210531"].text(CLOUD) == "88 %\ncovers 62 %"
    assert rows(tab)["20210615"].text(CLOUD) == "41 % of tile\ncovers 100 %"
    assert tab.message.text() == "6 dates found in Microsoft Planetary Computer."


def test_what_is_proposed_is_ticked_with_its_radar(tab):
    show(tab)
    found = rows(tab)
    assert [date for date, row in found.items() if checked(row, AS_SCENE)] == ["20210605"]
    assert [date for date, row in found.items() if checked(row, AS_OTHER)] == ["20210506", "20210620"]
    assert {date for date, row in radar_of(found["20210605"]).items() if checked(row)} == {"20210604"}
    assert found["20210605"].isExpanded()
    assert not found["20210531"].isExpanded()


def test_one_date_is_the_scene(tab):
    show(tab)
    found = rows(tab)
    tick(found["20210531"], AS_SCENE)
    assert [date for date, row in found.items() if checked(row, AS_SCENE)] == ["20210531"]
    tick(found["20210531"], AS_SCENE, False)  # there is always one
    assert checked(found["20210531"], AS_SCENE)
    tick(found["20210620"], AS_SCENE)
    assert not checked(found["20210620"], AS_OTHER)
    assert tab.ticks.choice().scene == scene_id("20210620")


def test_one_radar_at_most_is_ticked_for_a_date(tab):
    show(tab)
    radar = radar_of(rows(tab)["20210605"])
    tick(radar["20210607"])
    assert {date for date, row in radar.items() if checked(row)} == {"20210607"}
    tick(radar["20210607"], ticked=False)
    assert tab.ticks.choice().radar == ""


def test_the_keys_tick_the_current_date(tab):
    from qgis.PyQt.QtCore import Qt

    show(tab)
    found = rows(tab)
    tab.list.setCurrentItem(found["20210511"])
    press(tab.list, Qt.Key.Key_Space)
    assert checked(found["20210511"], AS_OTHER)
    press(tab.list, Qt.Key.Key_Return)
    assert checked(found["20210511"], AS_SCENE)
    assert not checked(found["20210511"], AS_OTHER)
    tab.list.setCurrentItem(radar_of(found["20210511"])["20210508"])
    before = tab.ticks.choice().radar
    press(tab.list, Qt.Key.Key_Space)
    assert (before, tab.ticks.choice().radar) == (radar_id("20210508"), "")


def test_without_a_scene_nothing_can_be_loaded(tab):
    show(tab, content(scenes=[(*one[:4], "") for one in SCENES]))
    assert not tab.load.isEnabled()
    tick(rows(tab)["20210511"], AS_SCENE)
    assert tab.load.isEnabled()
    assert tab.clean.isEnabled()


def test_texts_of_the_catalogue_are_no_markup(tab):
    show(tab, content(warnings=["<b>old</b>"]).replace("nearest to the date", "<b>near</b>"))
    from qgis.PyQt.QtCore import Qt

    assert not Qt.mightBeRichText(rows(tab)["20210605"].toolTip(DATE))
    assert tab.warnings.text() == "<b>old</b>"
    assert tab.warnings.textFormat() == Qt.TextFormat.PlainText


def test_thumbnails_are_shown_and_rows_without_one_are_aligned(tab, tmp_path):
    from qgis.PyQt.QtCore import QSize
    from qgis.PyQt.QtGui import QColor, QImage

    image = QImage(64, 32, QImage.Format.Format_RGB32)
    image.fill(QColor(10, 200, 30))
    image.save(str(tmp_path / "picture.png"))
    show(tab, content(thumbnails={"20210605": str(tmp_path / "picture.png"), "20210506": "gone.png"}))
    colours = {}
    for date in ("20210605", "20210506", "20210511"):
        icon = rows(tab)[date].icon(DATE)
        colours[date] = icon.pixmap(QSize(56, 56)).toImage().pixelColor(28, 28).getRgb()[:3]
    assert colours == {"20210605": (10, 200, 30), "20210506": (160, 160, 164), "20210511": (160, 160, 164)}


# the timeline


def test_the_timeline_has_a_mark_for_each_date_at_its_clouds(tab):
    show(tab)
    tab.timeline.resize(400, 152)
    marks = {mark.key: mark for mark in tab.timeline.marks()}
    assert len(marks) == len(SCENES) + len(RADAR)
    places = [marks[scene_id(date)].at for date, *_ in SCENES]
    assert [one.x() for one in places] == sorted(one.x() for one in places)
    heights = {date: marks[scene_id(date)].at.y() for date, *_ in SCENES}
    assert heights["20210531"] < heights["20210511"] < heights["20210605"] < heights["20210620"] < heights["20210506"]
    low = max(heights.values())
    assert all(marks[radar_id(date)].at.y() > low for date, *_ in RADAR)


def test_a_click_on_a_mark_chooses_its_row_and_a_row_its_mark(tab, qgis_app):
    from qgis.PyQt.QtCore import QEvent, QPointF, Qt
    from qgis.PyQt.QtGui import QMouseEvent

    show(tab)
    tab.timeline.resize(400, 152)
    mark = next(mark for mark in tab.timeline.marks() if mark.key == scene_id("20210511"))
    button = Qt.MouseButton.LeftButton
    at = mark.at + QPointF(2, 2)
    tab.timeline.mousePressEvent(
        QMouseEvent(QEvent.Type.MouseButtonPress, at, button, button, Qt.KeyboardModifier.NoModifier)
    )
    assert tab.list.currentItem() is rows(tab)["20210511"]
    press(tab.timeline, Qt.Key.Key_Right)
    assert tab.list.currentItem() is rows(tab)["20210531"]
    tab.list.setCurrentItem(rows(tab)["20210620"])
    assert tab.timeline._key == scene_id("20210620")
    assert tab.timeline.near(QPointF(0, 0)) is None
    assert "Clouds over the area: 71 %" in mark.tip


def drawn(tab):
    from qgis.PyQt.QtGui import QImage

    tab.timeline.resize(400, 152)
    image = QImage(tab.timeline.size(), QImage.Format.Format_ARGB32)
    image.fill(tab.palette().window().color())
    tab.timeline.render(image)
    return image


def test_what_is_ticked_is_filled_in_the_timeline(tab):
    show(tab)
    mark = next(mark for mark in tab.timeline.marks() if mark.key == scene_id("20210511"))
    before = drawn(tab)
    mark = next(mark for mark in tab.timeline.marks() if mark.key == scene_id("20210511"))
    at = mark.at.toPoint()
    empty = before.pixelColor(at)
    tick(rows(tab)["20210511"], AS_OTHER)
    filled = drawn(tab).pixelColor(at)
    assert filled != empty
    tick(rows(tab)["20210511"], AS_SCENE)
    assert drawn(tab).pixelColor(at) not in (filled, empty)


@pytest.mark.parametrize(("ground", "text"), [("#2b2b2b", "#c8c8c8"), ("#f0f0f0", "#101010")])
def test_the_timeline_takes_the_colours_of_light_and_dark_themes(tab, ground, text):
    show(tab)
    tab.setStyleSheet(f"QWidget {{ background: {ground} }} QLabel {{ color: {text} }}")
    tab.timeline.ensurePolished()
    assert tab.timeline._text().name() == text


# keyboard and room


def test_the_tab_key_goes_through_the_page_from_top_to_bottom(tab):
    from qgis.PyQt.QtCore import Qt

    order = tab.keyboard_order()
    at, met = order[0], []
    for _ in range(400):
        met += [at] if at in order else []
        at = at.nextInFocusChain()
        if at is order[0]:
            break
    assert met == order
    assert all(widget.focusPolicy() & Qt.FocusPolicy.TabFocus for widget in order)


def german(texts):
    from xml.etree import ElementTree

    from sunbreak.plugin.settings import PLUGIN_FOLDER

    tree = ElementTree.parse(PLUGIN_FOLDER / "i18n" / "sunbreak_de.ts")
    found = {message.findtext("source"): message.findtext("translation") for message in tree.iter("message")}
    return [found[text] for text in texts]


@pytest.mark.parametrize("language", [list, german])
def test_every_field_of_the_page_has_its_own_shortcut_key(tab, language):
    from qgis.PyQt.QtWidgets import QLabel, QPushButton

    labels = [label for label in tab.findChildren(QLabel) if label.buddy() is not None]
    texts = [label.text() for label in labels] + [button.text() for button in tab.findChildren(QPushButton)]
    keys = [text[text.index("&") + 1].lower() for text in language(texts)]
    assert len(keys) == 12
    assert len(set(keys)) == len(keys)


def test_the_buttons_stay_in_sight_where_the_panel_is_low(panel, tab):
    from qgis.PyQt.QtWidgets import QApplication

    show(tab)
    panel.setFloating(True)
    panel.show()
    panel.resize(320, 420)
    QApplication.processEvents()
    for button in (tab.load, tab.clean, tab.stop):
        assert button.visibleRegion().boundingRect().height() == button.height()


# what was downloaded


@pytest.fixture
def download(tmp_path):
    """A folder as `get` writes it: the scene, its radar, two other dates and the radar of one of them."""
    from algorithms import DEMO

    folder = tmp_path / "2021-06-05_32UPV ö"
    others = folder / "other-dates"
    others.mkdir(parents=True)
    for path, source, use, date in (
        (folder / "S2.tif", DEMO / "demo_s2_cloudy.tif", "scene", "2021-06-05"),
        (folder / "S1.tif", DEMO / "demo_s1.tif", "radar", "2021-06-04"),
        (others / "before.tif", DEMO / "demo_s2_before.tif", "reference", "2021-05-06"),
        (others / "after.tif", DEMO / "demo_s2_after.tif", "reference", "2021-06-20"),
        (others / "radar.tif", DEMO / "demo_s1.tif", "reference-radar", "2021-05-08"),
    ):
        shutil.copy(source, path)
        properties = {"datetime": f"{date}T10:20:31Z", "sunbreak:use": use, "license": "proprietary"}
        properties |= {"title": "A scene", "attribution": "Contains modified Copernicus Sentinel data 2021"}
        path.with_suffix(".stac.json").write_text(json.dumps({"type": "Feature", "properties": properties}))
    shutil.copy(DEMO / "demo_s1.tif", folder / "foreign.tif")
    return folder


def load(tab, folder):
    show(tab)
    tab._fetched(folder, clean=False)


def test_downloaded_scenes_are_a_group_with_the_scene_on_top(tab, download):
    from qgis.core import QgsProject

    load(tab, download)
    (group,) = QgsProject.instance().layerTreeRoot().findGroups()
    assert group.name() == "Found 2021-06-05"
    assert [(node.name(), node.isVisible()) for node in group.findLayers()] == [
        ("Sentinel-2 2021-06-05", True),
        ("Sentinel-2 2021-05-06", False),
        ("Sentinel-2 2021-06-20", False),
        ("Radar 2021-06-04", False),
        ("Radar 2021-05-08", False),
    ]
    layer = group.findLayers()[0].layer()
    assert (layer.renderer().redBand(), layer.renderer().blueBand()) == (4, 2)
    assert layer.metadata().licenses() == ["proprietary"]
    assert layer.metadata().rights() == ["Contains modified Copernicus Sentinel data 2021"]
    assert not layer.customProperty("sunbreak/role")  # an input, no output of a run


def test_downloaded_scenes_are_stretched_like_the_clearest_of_them(tab, download):
    from qgis.core import QgsProject

    load(tab, download)
    (group,) = QgsProject.instance().layerTreeRoot().findGroups()
    layers = [node.layer() for node in group.findLayers()]
    whites = [layer.renderer().redContrastEnhancement().maximumValue() for layer in layers[:3]]
    assert whites[0] == whites[1] == whites[2]
    grey = layers[3].renderer()
    assert grey.type() == "singlebandgray"
    assert grey.contrastEnhancement().maximumValue() < 20


def test_downloaded_scenes_fill_the_fields_to_clean(panel, tab, download):
    load(tab, download)
    assert panel.scene.currentLayer().name() == "Sentinel-2 2021-06-05"
    assert panel.radar.currentLayer().name() == "Radar 2021-06-04"
    found = panel.parameters("removeclouds")
    from qgis.core import QgsProject

    named = [QgsProject.instance().mapLayer(key).name() for key in (*found["DATES"], *found["DATES_S1"])]
    assert named == ["Sentinel-2 2021-06-20", "Sentinel-2 2021-05-06", "Radar 2021-05-08"]
    assert "DATES_S1" not in panel.parameters("inspectscene")
    assert tab.message.text().startswith("Loaded: 5 layers in ")


def test_the_same_download_is_not_loaded_twice(tab, download):
    from qgis.core import QgsProject

    load(tab, download)
    load(tab, download)
    assert len(QgsProject.instance().mapLayers()) == 5
    assert len(QgsProject.instance().layerTreeRoot().findGroups()) == 1


def test_dates_of_another_download_are_not_ticked(panel, tab, download):
    load(tab, download)
    other = download.with_name("another")
    shutil.copytree(download, other)
    (other / "other-dates" / "after.tif").unlink()
    load(tab, other)
    sources = [panel.dates._offered[key].path for key in panel.dates.chosen()]
    assert sources == [other / "other-dates" / "before.tif"]


def test_a_download_without_a_scene_says_so(tab, tmp_path):
    show(tab)
    tab._fetched(tmp_path, clean=True)
    assert tab.message.text() == f"{tmp_path} has no scene that QGIS can open."


def test_each_date_gets_a_folder_of_its_own(tab):
    from sunbreak.plugin.gui.find_tab import folder_name

    show(tab)
    names = [folder_name(one) for one in tab.found.scenes]
    assert names[3] == "2021-06-05_32UPV"
    assert all(one != other for one, other in itertools.pairwise(names))
    assert Path(tab.folder.filePath()).name == "sunbreak"
