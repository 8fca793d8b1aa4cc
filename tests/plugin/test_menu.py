"""The menu *Plugins > Sunbreak*: its entries work, and it is removed with the plugin."""

from __future__ import annotations

from unittest.mock import MagicMock

import pytest


@pytest.fixture
def entries(plugin):
    """The menu's entries by their text, without the marks of the keys."""
    return {action.text().replace("&", ""): action for action in plugin._menu.actions}


def test_the_menu_is_added_and_removed_with_the_plugin(plugin, qgis_iface, monkeypatch, entries):
    taken = []
    monkeypatch.setattr(
        qgis_iface, "removePluginMenu", lambda name, action: taken.append((name, action)), raising=False
    )
    assert list(entries) == ["Panel", "Models…", "Backend…", "Doctor…", "Open the demo scene", "User guide"]
    assert all(not action.icon().isNull() for action in entries.values())
    plugin.unload()
    assert taken == [("Sunbreak", action) for action in entries.values()]
    assert plugin._menu is None


def test_every_entry_has_its_own_shortcut_key(plugin):
    keys = [action.text()[action.text().index("&") + 1].lower() for action in plugin._menu.actions]
    assert len(set(keys)) == len(keys)


def test_the_demo_scene_comes_with_its_radar_and_its_other_dates(entries, qgis_iface, qgis_new_project):
    from qgis.core import QgsProject

    entries["Open the demo scene"].trigger()
    nodes = QgsProject.instance().layerTreeRoot().children()
    assert [node.name() for node in nodes] == ["demo_s2_cloudy", "demo_s2_before", "demo_s2_after", "demo_s1"]
    assert [node.isVisible() for node in nodes] == [True, False, False, False]
    assert qgis_iface.activeLayer().name() == "demo_s2_cloudy"


def test_the_dates_of_the_demo_scene_are_shown_alike_in_true_colour(entries, qgis_new_project):
    from qgis.core import QgsProject

    entries["Open the demo scene"].trigger()
    for layer in QgsProject.instance().mapLayers().values():
        if layer.name() == "demo_s1":
            continue
        renderer = layer.renderer()
        assert (renderer.redBand(), renderer.greenBand(), renderer.blueBand()) == (4, 3, 2)
        # DN of the clear land, not of the clouds
        assert 300 < renderer.redContrastEnhancement().minimumValue() < 450
        assert 1300 < renderer.redContrastEnhancement().maximumValue() < 1800


def test_the_demo_is_what_the_panel_proposes(ready, entries, qgis_new_project):
    entries["Open the demo scene"].trigger()
    panel = ready._menu.panel
    assert panel.scene.currentLayer().name() == "demo_s2_cloudy"
    assert panel.radar.currentLayer().name() == "demo_s1"
    assert len(panel.dates.chosen()) == 2


def test_a_missing_demo_scene_is_reported(entries, qgis_iface, qgis_new_project, monkeypatch, tmp_path):
    from qgis.core import Qgis, QgsProject

    from sunbreak.plugin.gui import menu

    monkeypatch.setattr(menu, "DEMO", tmp_path)
    entries["Open the demo scene"].trigger()
    assert not QgsProject.instance().mapLayers()
    (said,) = qgis_iface.messageBar().get_messages(Qgis.MessageLevel.Warning)
    assert "demo_s1.tif" in said


def test_the_backend_dialog_is_closed_with_the_plugin(plugin, entries):
    from sunbreak.plugin.gui import backend_dialog

    entries["Backend…"].trigger()
    dialog = backend_dialog._open
    assert dialog.isVisible()
    plugin.unload()
    assert backend_dialog._open is None


@pytest.mark.parametrize("missing", [True, False])
def test_a_missing_backend_is_offered_once_with_a_button(
    plugin_folder, qgis_iface, qgis_processing, monkeypatch, missing
):
    from qgis.PyQt.QtWidgets import QPushButton

    from sunbreak.plugin import settings
    from sunbreak.plugin.gui.menu import Menu

    def backend_python():
        if missing:
            raise settings.BackendMissingError("none")

    pushed = []
    monkeypatch.setattr(settings, "backend_python", backend_python)
    monkeypatch.setattr(qgis_iface.messageBar(), "pushWidget", lambda item, level: pushed.append(item))
    menu = Menu(qgis_iface)
    menu.open_backend = MagicMock()
    assert len(pushed) == missing
    if missing:
        (button,) = pushed[0].findChildren(QPushButton)
        assert button.text() == "Install…"
    menu.remove()


def test_running_queries_stop_silently_when_the_plugin_unloads(plugin, backend, capfd):
    import time

    from sunbreak.plugin.bridge.asking import ask, open_questions

    answers = []
    ask(str(backend), ["-c", "import time; time.sleep(60)"], lambda *what: answers.append(what), 90_000)
    assert open_questions()
    start = time.monotonic()
    plugin.unload()
    assert time.monotonic() - start < 5
    assert not open_questions()
    assert not answers
    assert "Destroyed while process" not in capfd.readouterr().err
