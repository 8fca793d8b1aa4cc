"""Runs inside QGIS Desktop (see tour.sh): walks through the plugin as a new user does, checks what it sees, takes pictures.

The walk is a generator that says what it waits for; a timer resumes it, so QGIS's own event loop runs all the time and
dialogs that block their caller do not block the walk.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import processing
from qgis.core import Qgis, QgsApplication, QgsLayerTreeGroup, QgsProject, QgsRasterLayer, QgsRectangle
from qgis.gui import QgsFileWidget, QgsFilterLineEdit
from qgis.PyQt.QtCore import QSize, QTimer
from qgis.PyQt.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QDockWidget,
    QListWidget,
    QMessageBox,
    QPushButton,
    QWidget,
)
from qgis.utils import iface, loadPlugin, plugin_times, plugins, startPlugin, unloadPlugin

ZIP = Path(os.environ["SUNBREAK_TOUR_ZIP"])
WHEELS = os.environ.get("SUNBREAK_TOUR_WHEELS", "")
PYTHON = os.environ.get("SUNBREAK_TOUR_PYTHON", "")
FOLDER = Path(os.environ["SUNBREAK_TOUR_FOLDER"])
NOTES = Path(os.environ["SUNBREAK_TOUR_NOTES"])
PART = os.environ["SUNBREAK_TOUR_PART"]

PIXELS = int(os.environ.get("SUNBREAK_TOUR_PIXELS") or 0)

TICK_MS = 200
SIZE = QSize(1400, 860)
STARTUP_LIMIT_S = 0.1
MINUTES = 60.0

Waiting = tuple[Callable[[], bool], float, str]
notes: dict[str, object] = json.loads(NOTES.read_text()) if NOTES.exists() else {}


class TourError(Exception):
    """Something is not as a user should find it."""


# what the walk can wait for


def until(condition: Callable[[], bool], seconds: float, what: str) -> Waiting:
    """Go on as soon as the condition holds; an error after so many seconds."""
    return condition, time.monotonic() + seconds, what


def pause(seconds: float = 1.5) -> Waiting:
    """Go on a little later, when everything is drawn."""
    end = time.monotonic() + seconds
    return (lambda: time.monotonic() >= end), end + MINUTES, "a pause"


def drawn() -> Iterator[Waiting]:
    """Go on when the map is drawn."""
    yield pause(1.0)
    yield until(lambda: not iface.mapCanvas().isDrawing(), 60, "the map to be drawn")
    yield pause(0.5)


# hands and eyes


def choose(text: str) -> None:
    """Choose an entry of the menu Plugins > Sunbreak."""
    menus = [action.menu() for action in iface.pluginMenu().actions() if action.text().replace("&", "") == "Sunbreak"]
    entries = {action.text().replace("&", ""): action for menu in menus for action in menu.actions()}
    if text not in entries:
        raise TourError(f"the menu has {sorted(entries)}, not {text!r}")
    QTimer.singleShot(0, entries[text].trigger)


def windows_of(name: str) -> list[QWidget]:
    """The visible windows of a class."""
    return [w for w in QApplication.topLevelWidgets() if type(w).__name__ == name and w.isVisible()]


def press(button: QAbstractButton) -> None:
    """Click a button soon, so that a dialog that it opens does not hold the walk up."""
    if not button.isEnabled():
        raise TourError(f"the button {button.text()!r} cannot be pressed")
    QTimer.singleShot(0, button.click)


def window_named(name: str) -> QDialog | None:
    """The visible top-level window of that object name."""
    found = [w for w in QApplication.topLevelWidgets() if w.objectName() == name and w.isVisible()]
    return found[0] if found else None


def picture(widget: QWidget, name: str, messages: bool = False) -> None:
    """Photograph a window, without messages that would cover the map unless they are wanted."""
    if not messages:
        iface.messageBar().clearWidgets()
    QApplication.processEvents()
    widget.grab().save(str(FOLDER / f"tour-{name}.png"))


def note(key: str, value: object) -> None:
    """Remember a figure for the summary."""
    notes[key] = value
    NOTES.write_text(json.dumps(notes, indent=1))
    print(f"tour: {key}: {value}", file=sys.stderr, flush=True)


def expect(holds: bool, what: str) -> None:
    """Stop the tour if something does not hold."""
    if not holds:
        raise TourError(what)


# QGIS's own Python


def own_python() -> dict[str, object]:
    """What a plugin must not change: packages of QGIS's Python and its path."""
    import numpy
    import osgeo
    import scipy

    return {
        "versions": {module.__name__: [module.__version__, module.__file__] for module in (numpy, scipy, osgeo)},
        "path": [entry for entry in sys.path if entry],
    }


def check_own_python() -> None:
    """Compare with what it was before the plugin came."""
    now, before = own_python(), notes["python_before"]
    expect(now["versions"] == before["versions"], f"QGIS's packages changed: {before['versions']} -> {now['versions']}")
    new = [entry for entry in now["path"] if entry not in before["path"]]
    expect(not new, f"sys.path grew by {new}")
    note("python_unchanged", True)


# the walk


def first_part() -> Iterator[Waiting]:
    """From a fresh profile to a cleaned, classified and explained scene."""
    arrange()
    note("qgis", Qgis.QGIS_VERSION)
    note("python_before", own_python())
    yield from install_plugin()
    yield from install_backend()
    yield from open_scene()
    yield from clean_from_toolbox()
    yield from chain_from_panel()
    yield from explain_point()
    yield from look_at_models()
    check_own_python()


def arrange() -> None:
    """One size, and only the docks that the pictures are about."""
    window = iface.mainWindow()
    window.resize(SIZE)
    show_docks("Layers")


def show_docks(*names: str) -> None:
    """Show these docks and hide QGIS's others; the plugin's own is left as it is."""
    for dock in iface.mainWindow().findChildren(QDockWidget):
        if "unbreak" not in dock.objectName():
            dock.setVisible(dock.objectName() in names)


def install_plugin() -> Iterator[Waiting]:
    """Plugins > Manage and Install Plugins > Install from ZIP."""
    expect("sunbreak" not in plugins, "the profile is not fresh")
    QTimer.singleShot(0, iface.actionManagePlugins().trigger)
    yield until(lambda: window_named("QgsPluginManagerBase") is not None, 90, "the plugin manager")
    manager = window_named("QgsPluginManagerBase")
    pages = manager.findChild(QListWidget, "mOptionsListWidget")
    (row,) = [i for i in range(pages.count()) if "ZIP" in pages.item(i).text()]
    pages.setCurrentRow(row)
    manager.findChild(QgsFileWidget, "mZipFileWidget").setFilePath(str(ZIP))
    yield pause()
    picture(manager, "01-install-from-zip")
    press(manager.findChild(QPushButton, "buttonInstallFromZip"))
    yield from agree_until(lambda: "sunbreak" in plugins, 60, "the plugin to be installed")
    yield pause()
    manager.close()
    note("installed_in", str(demo().parents[2]))
    yield pause()
    picture(iface.mainWindow(), "02-installed", messages=True)


def agree_until(done: Callable[[], bool], seconds: float, what: str) -> Iterator[Waiting]:
    """Press Yes in every question that QGIS asks, until something has happened."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TourError(f"waited in vain for {what}")
        for box in QApplication.topLevelWidgets():
            if isinstance(box, QMessageBox) and box.isVisible():
                button = box.button(QMessageBox.StandardButton.Yes) or box.defaultButton()
                if button is not None:
                    press(button)
        yield pause(0.3)


def demo(name: str = "demo_s2_cloudy.tif") -> Path:
    """A file of the demo scene that came in the zip."""
    return Path(sys.modules["sunbreak"].__file__).parent / "resources" / "demo" / name


def install_backend() -> Iterator[Waiting]:
    """The backend dialog: offline from a folder of wheels, or an existing Python where there is none."""
    choose("Backend…")
    yield until(lambda: bool(windows_of("BackendDialog")), 30, "the backend's window")
    (dialog,) = windows_of("BackendDialog")
    yield pause(2)
    started = time.monotonic()
    if WHEELS:
        page = dialog.pages[1]
        dialog.tabs.setCurrentWidget(page)
        page.folder.setFilePath(WHEELS)
        yield until(page.ready, 60, f"the folder of wheels to be accepted ({page.found.text()})")
    else:
        page = dialog.pages[2]
        dialog.tabs.setCurrentWidget(page)
        page.path.setEditText(PYTHON)
        yield until(page.ready, 30, "the interpreter to be accepted")
    yield pause()
    picture(dialog, "03-backend")
    press(dialog.go)
    yield until(lambda: dialog.bar.value() > 300 or not dialog.cancel.isVisible(), 30 * MINUTES, "the packages to come")
    picture(dialog, "04-backend-installing")
    yield until(lambda: not dialog.cancel.isVisible(), 30 * MINUTES, "the backend to be installed")
    said = dialog.message.text()
    note("backend", said)
    note("backend_seconds", round(time.monotonic() - started, 1))
    expect("will be used" in said or "works" in said, f"the backend was not installed: {said}")
    yield pause()
    picture(dialog, "05-backend-installed")
    dialog.close()


def open_scene() -> Iterator[Waiting]:
    """The demo scene out of the zip, radar and optical."""
    choose("Open the demo scene")
    yield until(lambda: len(QgsProject.instance().mapLayers()) >= 2, 30, "the demo scene")
    layers = {layer.name(): layer for layer in QgsProject.instance().mapLayers().values()}
    state["s1"], state["s2"] = layers["demo_s1"], layers["demo_s2_cloudy"]
    QgsProject.instance().setCrs(state["s2"].crs())
    QgsProject.instance().layerTreeRoot().findLayer(state["s1"].id()).setItemVisibilityChecked(False)
    true_colour(state["s2"])
    show_docks("Layers", "ProcessingToolbox")
    toolbox = iface.mainWindow().findChild(QDockWidget, "ProcessingToolbox")
    toolbox.findChild(QgsFilterLineEdit).setText("sunbreak")
    iface.mapCanvas().setExtent(state["s2"].extent())
    iface.mapCanvas().refresh()
    yield from drawn()
    picture(iface.mainWindow(), "06-scene")


def true_colour(layer: QgsRasterLayer) -> None:
    """The bands that show colours as they are; with them, the stretch that QGIS chose."""
    names = [layer.bandName(band) for band in range(1, layer.bandCount() + 1)]
    bands = [next(i for i, name in enumerate(names, 1) if band in name) for band in ("B04", "B03", "B02")]
    renderer = layer.renderer()
    renderer.setRedBand(bands[0])
    renderer.setGreenBand(bands[1])
    renderer.setBlueBand(bands[2])
    layer.setDefaultContrastEnhancement()
    layer.triggerRepaint()


def clean_from_toolbox() -> Iterator[Waiting]:
    """*Remove clouds*, through its dialog."""
    yield from run_dialog("removeclouds", {"S1": state["s1"].id()}, "07-remove-clouds")
    yield from look_at_group("08-cleaned", {"Cleaned scene", "Uncertainty", "Reconstructed", "Cloud mask"})
    (state["cleaned"],) = [layer for layer in state["new"] if layer.name().startswith("Cleaned scene")]


def chain_from_panel() -> Iterator[Waiting]:
    """A preview, then *Remove clouds, classify, explain*, from the panel."""
    choose("Panel")
    yield until(lambda: panel() is not None, 30, "the panel")
    show_docks("Layers")
    yield until(lambda: panel().model.count() > 0, 60, "the panel's list of models")
    expect(panel().scene.currentLayer() is not None, "the panel did not guess the scene")
    panel().scene.setLayer(state["s2"])
    panel().radar.setLayer(state["s1"])
    yield from press_in_panel(panel().preview, "preview")
    yield from look_at_map(state["s2"], "09-panel-preview")
    panel().task.setCurrentIndex(panel().task.findData("cleanclassifyexplain"))
    if PIXELS:
        canvas, side = iface.mapCanvas(), PIXELS * state["s2"].rasterUnitsPerPixelX()
        whole = state["s2"].extent()
        canvas.setExtent(
            QgsRectangle(whole.xMinimum(), whole.yMaximum() - side, whole.xMinimum() + side, whole.yMaximum())
        )
        panel().extent.setCurrentIndex(panel().extent.findData("view"))
        yield from drawn()
    yield from press_in_panel(panel().go, "chain")
    yield from look_at_group("10-chain-layers", {"Land cover", "Trust"})


def panel() -> QDockWidget | None:
    """The panel, if it is shown."""
    found = iface.mainWindow().findChild(QDockWidget, "SunbreakPanel")
    return found if found is not None and found.isVisible() else None


def press_in_panel(button: QAbstractButton, what: str) -> Iterator[Waiting]:
    """Start a run from the panel and wait for its end."""
    known = set(QgsProject.instance().mapLayers())
    started = time.monotonic()
    press(button)
    yield until(panel().stop.isEnabled, 30, f"{what} to start")
    yield until(lambda: not panel().stop.isEnabled(), 30 * MINUTES, f"{what} to finish")
    note(f"{what}_seconds", round(time.monotonic() - started, 1))
    yield pause()
    said = panel().message.text()
    state["new"] = [layer for key, layer in QgsProject.instance().mapLayers().items() if key not in known]
    expect(panel().bar.value() == 100 and bool(state["new"]), f"{what} failed: {said}")


def look_at_models() -> Iterator[Waiting]:
    """The list of models with their cards."""
    choose("Models…")
    yield until(lambda: bool(windows_of("ModelsDialog")), 30, "the models' window")
    (dialog,) = windows_of("ModelsDialog")
    yield pause(6)
    picture(dialog, "13-models")
    dialog.close()


def run_dialog(algorithm: str, parameters: dict[str, object], name: str) -> Iterator[Waiting]:
    """Open an algorithm's dialog, photograph it, run it, photograph its log, close it."""
    dialog = processing.createAlgorithmDialog(f"sunbreak:{algorithm}", {"INPUT": state["s2"].id()} | parameters)
    dialog.resize(1000, 760)
    dialog.show()
    yield pause(2)
    picture(dialog, name)
    ended: list[bool] = []
    dialog.algorithmFinished.connect(lambda success, _: ended.append(success))
    known = set(QgsProject.instance().mapLayers())
    started = time.monotonic()
    press(dialog.runButton())
    yield until(lambda: bool(ended), 30 * MINUTES, f"{algorithm} to finish")
    note(f"{algorithm}_seconds", round(time.monotonic() - started, 1))
    yield pause()
    picture(dialog, f"{name}-log")
    expect(ended[0], f"{algorithm} failed: {dialog.logText() if hasattr(dialog, 'logText') else ''}")
    state["new"] = [layer for key, layer in QgsProject.instance().mapLayers().items() if key not in known]
    dialog.close()


def look_at_group(name: str, wanted: set[str]) -> Iterator[Waiting]:
    """Check that the layers came as one group, and photograph the map."""
    groups = {layer_node(layer).parent().name() for layer in state["new"]}
    expect(len(groups) == 1 and groups != {""}, f"the layers lie in {sorted(groups)}, not in one group")
    titles = {layer.name().split(":")[0] for layer in state["new"]}
    expect(wanted <= titles, f"of {sorted(wanted)} only {sorted(titles)} came")
    note(f"layers_{name}", sorted(titles))
    alone(layer_node(state["new"][0]).parent())
    first = next(node.layer() for node in layer_node(state["new"][0]).parent().findLayers() if node.isVisible())
    yield from look_at_map(first, name)


def alone(group: QgsLayerTreeGroup) -> None:
    """Show this group and fold and hide the others, as one does to look at one run."""
    for other in QgsProject.instance().layerTreeRoot().findGroups():
        other.setItemVisibilityChecked(other == group)
        other.setExpanded(other == group)


def look_at_map(layer: QgsRasterLayer, name: str) -> Iterator[Waiting]:
    """Zoom to a layer and photograph the window."""
    canvas = iface.mapCanvas()
    canvas.setExtent(canvas.mapSettings().layerExtentToOutputExtent(layer, layer.extent()))
    canvas.zoomByFactor(1.05)
    iface.layerTreeView().resizeColumnToContents(0)
    canvas.refresh()
    yield from drawn()
    picture(iface.mainWindow(), name)


def layer_node(layer: QgsRasterLayer):
    """A layer's place in the tree."""
    return QgsProject.instance().layerTreeRoot().findLayer(layer.id())


def explain_point() -> Iterator[Waiting]:
    """*Explain classification* of the cleaned scene, at its centre."""
    alone(layer_node(state["cleaned"]).parent())
    iface.setActiveLayer(state["cleaned"])
    centre = state["s2"].extent().center()
    point = f"{centre.x():.0f},{centre.y():.0f} [{state['s2'].crs().authid()}]"
    yield from run_dialog("explainclassification", {"INPUT": state["cleaned"].id(), "POINT": point}, "11-explain-point")
    (saliency,) = state["new"]
    yield from look_at_map(saliency, "12-explained")


# closing QGIS while the backend works


def second_part() -> Iterator[Waiting]:
    """Another start with the same profile: what the plugin costs; then QGIS is closed during a run."""
    seconds = float(str(plugin_times["sunbreak"]).rstrip("s"))
    note("startup_seconds", seconds)
    note("startup_cpu_seconds", load_again())
    cost = min(seconds, notes["startup_cpu_seconds"])  # on a busy machine the clock measures the others
    expect(cost < STARTUP_LIMIT_S, f"the plugin takes {cost:.3f} s at the start")
    yield from start_run()
    note("running", True)
    QgsProject.instance().setDirty(False)
    QTimer.singleShot(0, iface.actionExit().trigger)
    yield from agree_until(lambda: not QgsApplication.taskManager().activeTasks(), 15, "the run to be cancelled")
    QgsProject.instance().setDirty(False)
    QTimer.singleShot(0, iface.actionExit().trigger)
    yield pause(60)
    raise TourError("QGIS did not close")


def load_again() -> float:
    """Processor time in seconds that it takes to import and start the plugin, once more from the beginning."""
    expect(unloadPlugin("sunbreak"), "the plugin cannot be unloaded")
    before = time.process_time()
    expect(loadPlugin("sunbreak") and startPlugin("sunbreak"), "the plugin cannot be loaded again")
    return round(time.process_time() - before, 3)


def third_part() -> Iterator[Waiting]:
    """A run during which tour.sh kills QGIS."""
    yield from start_run()
    note("killable", True)
    yield pause(30 * MINUTES)


def start_run() -> Iterator[Waiting]:
    """*Remove clouds* up to where the backend computes."""
    yield from open_scene()
    dialog = processing.createAlgorithmDialog(
        "sunbreak:removeclouds", {"INPUT": state["s2"].id(), "S1": state["s1"].id()}
    )
    dialog.show()
    yield pause()
    press(dialog.runButton())
    yield until(lambda: bool(QgsApplication.taskManager().activeTasks()), 30, "the run to start")
    yield pause(4)
    expect(bool(QgsApplication.taskManager().activeTasks()), "the run was over too soon")


# the engine


def advance() -> None:
    """Resume the walk if what it waits for has come; an error ends everything, with a picture and the traceback."""
    global waiting
    try:
        condition, end, what = waiting
        if condition():
            waiting = next(walk)
        elif time.monotonic() > end:
            raise TourError(f"waited in vain for {what}")
    except StopIteration:
        note(f"{PART}_done", True)
        os._exit(0)
    except Exception:
        traceback.print_exc(file=sys.stderr)
        try:
            for number, window in enumerate([w for w in QApplication.topLevelWidgets() if w.isVisible()]):
                window.grab().save(str(FOLDER / f"tour-failed-{number}.png"))
        finally:
            sys.stderr.flush()
            os._exit(1)
    QTimer.singleShot(TICK_MS, advance)


state: dict[str, object] = {}
walk = {"first": first_part, "second": second_part, "third": third_part}[PART]()
waiting: Waiting = pause(3)
QTimer.singleShot(TICK_MS, advance)
