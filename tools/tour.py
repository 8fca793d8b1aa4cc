"""Runs inside QGIS Desktop (see tour.sh): uses the plugin as a new user does, checks it, takes screenshots."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import processing
from qgis.core import Qgis, QgsApplication, QgsProject, QgsRectangle
from qgis.gui import QgsFileWidget, QgsFilterLineEdit
from qgis.PyQt.QtCore import QSize, Qt, QTimer
from qgis.PyQt.QtWidgets import QAbstractButton, QDockWidget, QListWidget, QPushButton
from qgis.utils import iface, loadPlugin, plugin_times, plugins, startPlugin, unloadPlugin

sys.path.insert(0, os.environ["SUNBREAK_TOUR_TOOLS"])
from tour_kit import (
    MINUTES,
    PART,
    Waiting,
    agree_until,
    alone,
    choose,
    drawn,
    expect,
    go,
    layer_node,
    look_at_map,
    note,
    notes,
    panel,
    pause,
    picture,
    press,
    show_docks,
    until,
    window_named,
    windows_of,
)

ZIP = Path(os.environ["SUNBREAK_TOUR_ZIP"])
WHEELS = os.environ.get("SUNBREAK_TOUR_WHEELS", "")
PYTHON = os.environ.get("SUNBREAK_TOUR_PYTHON", "")
PIXELS = int(os.environ.get("SUNBREAK_TOUR_PIXELS") or 0)
SIZE = QSize(1400, 860)
LAYERS_WIDTH, LEGENDS_WIDTH = 390, 480  # wide enough to read names and legends
PANEL_WIDTH = 330
DARK = "Night Mapping"
STARTUP_LIMIT_S = 0.1

state: dict[str, object] = {}

# QGIS's own Python


def own_python() -> dict[str, object]:
    """State that a plugin must not change: packages and path of QGIS's Python."""
    versions = {}
    for name in ("numpy", "scipy", "osgeo"):
        try:
            module = importlib.import_module(name)
        except ImportError:
            versions[name] = None
        else:
            versions[name] = [module.__version__, module.__file__]
    return {"versions": versions, "path": [entry for entry in sys.path if entry]}


def check_own_python() -> None:
    """Compare this state with the one before the plugin was installed."""
    now, before = own_python(), notes["python_before"]
    expect(now["versions"] == before["versions"], f"QGIS's packages changed: {before['versions']} -> {now['versions']}")
    new = [entry for entry in now["path"] if entry not in before["path"]]
    expect(not new, f"sys.path grew by {new}")
    note("python_unchanged", True)


# the tour


def first_part() -> Iterator[Waiting]:
    """From a fresh profile to a cleaned, classified and explained scene."""
    arrange()
    note("qgis", Qgis.QGIS_VERSION)
    note("python_before", own_python())
    yield from install_plugin()
    yield from install_backend()
    yield from open_scene()
    yield from clean_from_toolbox()
    yield from detect_from_toolbox()
    yield from chain_from_panel()
    yield from explain_point()
    yield from look_at_models()
    yield from look_in_the_dark()
    check_own_python()


def arrange() -> None:
    """Set the window size, and show only the docks of the screenshots."""
    iface.mainWindow().resize(SIZE)
    show_docks("Layers")
    widen(LAYERS_WIDTH)


def widen(width: int) -> None:
    """Set the width of the layer tree."""
    window = iface.mainWindow()
    window.resizeDocks([window.findChild(QDockWidget, "Layers")], [width], Qt.Orientation.Horizontal)


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


def demo(name: str = "demo_s2_cloudy.tif") -> Path:
    """A file of the demo scene in the zip."""
    return Path(sys.modules["sunbreak"].__file__).parent / "resources" / "demo" / name


def install_backend() -> Iterator[Waiting]:
    """The backend dialog: offline from a folder of wheels, or an existing Python where there is none."""
    choose("Backend…")
    yield until(lambda: bool(windows_of("BackendDialog")), 30, "the backend's window")
    (dialog,) = windows_of("BackendDialog")
    yield until(lambda: dialog.pages[0].ready(), 60, "a Python to be found")
    yield pause(2)
    picture(dialog, "03-backend")  # Light and Full, with their sizes
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
    """Open the demo scene of the zip."""
    choose("Open the demo scene")
    yield until(lambda: len(QgsProject.instance().mapLayers()) >= 4, 30, "the demo scene")
    layers = {layer.name(): layer for layer in QgsProject.instance().mapLayers().values()}
    state["s1"], state["s2"] = layers["demo_s1"], layers["demo_s2_cloudy"]
    state["dates"] = [layers[f"demo_s2_{name}"] for name in ("before", "after")]
    QgsProject.instance().setCrs(state["s2"].crs())
    show_docks("Layers", "ProcessingToolbox")
    toolbox = iface.mainWindow().findChild(QDockWidget, "ProcessingToolbox")
    toolbox.findChild(QgsFilterLineEdit).setText("sunbreak")
    if PART == "first":
        yield from look_at_map(state["s2"], "06-scene")


def clean_from_toolbox() -> Iterator[Waiting]:
    """*Remove clouds* with the other dates, through its dialog."""
    given = {"S1": state["s1"].id(), "DATES": [date.id() for date in state["dates"]]}
    yield from run_dialog("removeclouds", given, "07-remove-clouds")
    wanted = {"Cleaned scene", "Uncertainty", "Reconstructed", "Cloud mask", "Source", "Ground changed"}
    yield from look_at_group("08-cleaned", wanted)
    (state["cleaned"],) = [layer for layer in state["new"] if layer.name().startswith("Cleaned scene")]


def detect_from_toolbox() -> Iterator[Waiting]:
    """*Detect clouds*: the mask with its four colours over the scene."""
    yield from run_dialog("detectclouds", {}, "17-detect-clouds")
    yield from look_at_group("17-cloud-mask", {"Cloud mask", "Cloud probability"})
    QgsProject.instance().layerTreeRoot().removeChildNode(layer_node(state["new"][0]).parent())


def chain_from_panel() -> Iterator[Waiting]:
    """A preview, then *Remove clouds, classify, explain*, from the panel."""
    choose("Panel")
    yield until(lambda: panel() is not None, 30, "the panel")
    show_docks("Layers")
    iface.mainWindow().resizeDocks([panel()], [PANEL_WIDTH], Qt.Orientation.Horizontal)
    yield until(lambda: panel().model.count() > 0, 60, "the panel's list of models")
    expect(panel().scene.currentLayer() is not None, "the panel did not guess the scene")
    panel().scene.setLayer(state["s2"])
    panel().radar.setLayer(state["s1"])
    expect(len(panel().dates.chosen()) == 2, "the panel does not propose the two other dates")
    yield until(lambda: "dB" in panel().model.card.text(), 60, "the figures of the model")
    yield from press_in_panel(panel().preview, "preview")
    (preview,) = state["new"]
    expect(preview.name().startswith("Preview"), f"the preview is called {preview.name()}")
    expect(layer_node(preview).parent() == QgsProject.instance().layerTreeRoot(), "the preview lies in a group")
    canvas = iface.mapCanvas()
    for group in QgsProject.instance().layerTreeRoot().findGroups():
        group.setItemVisibilityChecked(False)
        group.setExpanded(False)
    yield from look_at_map(state["s2"], "09-panel-preview")
    QgsProject.instance().removeMapLayer(preview)
    panel().task.setCurrentIndex(panel().task.findData("cleanclassifyexplain"))
    if PIXELS:
        side = PIXELS * state["s2"].rasterUnitsPerPixelX()
        whole = state["s2"].extent()
        canvas.setExtent(
            QgsRectangle(whole.xMinimum(), whole.yMaximum() - side, whole.xMinimum() + side, whole.yMaximum())
        )
        panel().extent.setCurrentIndex(panel().extent.findData("view"))
        yield from drawn()
    expect("Measured" in panel().classifier.card.text(), "the classifier is shown without its figures")
    yield from press_in_panel(panel().go, "chain")
    panel().setUserVisible(False)
    widen(LEGENDS_WIDTH)
    yield from look_at_group("10-chain-layers", {"Land cover", "Trust"})
    widen(LAYERS_WIDTH)


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


def look_at_models(name: str = "13-models") -> Iterator[Waiting]:
    """The list of models with their cards."""
    choose("Models…")
    yield until(lambda: bool(windows_of("ModelsDialog")), 30, "the models' window")
    (dialog,) = windows_of("ModelsDialog")
    yield until(lambda: dialog.list.count() > 1, 60, "the models")
    yield pause()
    picture(dialog, name)
    dialog.close()


def look_in_the_dark() -> Iterator[Waiting]:
    """The same windows in QGIS's dark theme."""
    QgsProject.instance().removeMapLayer(state["saliency"])
    choose("Panel")
    yield until(lambda: panel() is not None, 30, "the panel")
    panel().task.setCurrentIndex(panel().task.findData("removeclouds"))
    QgsApplication.setUITheme(DARK)
    alone(layer_node(state["cleaned"]).parent())
    yield from look_at_map(state["cleaned"], "14-dark")
    yield from look_at_models("15-dark-models")
    choose("Backend…")
    yield until(lambda: bool(windows_of("BackendDialog")), 30, "the backend's window")
    (dialog,) = windows_of("BackendDialog")
    yield pause(2)
    picture(dialog, "16-dark-backend")
    dialog.close()
    QgsApplication.setUITheme("default")


def run_dialog(algorithm: str, parameters: dict[str, object], name: str) -> Iterator[Waiting]:
    """Open an algorithm's dialog, run it, take screenshots of dialog and log, close it."""
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
    """Check that the layers form one group, and take a screenshot of the map."""
    groups = {layer_node(layer).parent().name() for layer in state["new"]}
    expect(len(groups) == 1 and groups != {""}, f"the layers lie in {sorted(groups)}, not in one group")
    titles = {layer.name().split(":")[0].split(" (")[0] for layer in state["new"]}
    expect(wanted <= titles, f"of {sorted(wanted)} only {sorted(titles)} came")
    note(f"layers_{name}", sorted(titles))
    alone(layer_node(state["new"][0]).parent())
    first = next(node.layer() for node in layer_node(state["new"][0]).parent().findLayers() if node.isVisible())
    yield from look_at_map(first, name)


def explain_point() -> Iterator[Waiting]:
    """*Explain classification* of the cleaned scene, at its centre."""
    alone(layer_node(state["cleaned"]).parent())
    iface.setActiveLayer(state["cleaned"])
    centre = state["s2"].extent().center()
    point = f"{centre.x():.0f},{centre.y():.0f} [{state['s2'].crs().authid()}]"
    yield from run_dialog("explainclassification", {"INPUT": state["cleaned"].id(), "POINT": point}, "11-explain-point")
    (state["saliency"],) = state["new"]
    yield from look_at_map(state["saliency"], "12-explained")


# closing QGIS during a run


def second_part() -> Iterator[Waiting]:
    """Start again with the same profile: measure the plugin's start-up time, then close QGIS during a run."""
    seconds = float(str(plugin_times["sunbreak"]).rstrip("s"))
    note("startup_seconds", seconds)
    note("startup_cpu_seconds", load_again())
    cost = min(seconds, notes["startup_cpu_seconds"])  # on a busy machine the wall time includes other programs
    expect(cost < STARTUP_LIMIT_S, f"the plugin takes {cost:.3f} s at the start")
    yield from start_run()
    note("running", True)
    QgsProject.instance().setDirty(False)
    QTimer.singleShot(0, iface.actionExit().trigger)
    yield from agree_until(lambda: not QgsApplication.taskManager().activeTasks(), 15, "the run to be cancelled")
    QgsProject.instance().setDirty(False)
    QTimer.singleShot(0, iface.actionExit().trigger)
    yield from agree_until(lambda: False, 60, "QGIS to close")


def load_again() -> float:
    """Processor time in seconds to import and start the plugin again."""
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
    """Start *Remove clouds* and wait until the backend computes."""
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


go({"first": first_part, "second": second_part, "third": third_part}[PART]())
