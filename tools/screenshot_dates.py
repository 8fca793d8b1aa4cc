"""Runs inside QGIS Desktop (see screenshot_dates.sh): the panel that proposes other dates, and a series that plays.

Steps are timers of a few seconds apart, because QGIS draws its map and its legend between them.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

import processing
from qgis.core import QgsApplication, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QSize, Qt, QTimer
from qgis.PyQt.QtWidgets import QAbstractButton, QDockWidget
from qgis.utils import iface, plugins

DEMO = Path(os.environ["SUNBREAK_SHOT_DEMO"])
FOLDER = Path(os.environ["SUNBREAK_SHOT_FOLDER"])
DATES = {"before": "20210501", "cloudy": "20210605", "after": "20210725"}
STEP_MS = 2500

state = {}


def show_docks(*names: str) -> None:
    """Show only these docks."""
    for dock in iface.mainWindow().findChildren(QDockWidget):
        dock.setVisible(dock.objectName() in names)
        state[dock.objectName()] = dock


def load() -> None:
    """Load the demo scene, its radar and its other dates."""
    if "sunbreak" not in plugins:
        raise RuntimeError("the plugin sunbreak is not switched on")
    iface.mainWindow().resize(QSize(1400, 860))
    show_docks("Layers")
    for name in ("demo_s1", "demo_s2_after", "demo_s2_before", "demo_s2_cloudy"):
        layer = QgsRasterLayer(str(DEMO / f"{name}.tif"), name)
        QgsProject.instance().addMapLayer(layer)
    QgsProject.instance().setCrs(layer.crs())
    iface.mapCanvas().setExtent(layer.extent())


def open_panel() -> None:
    """Show the panel."""
    state["panel"] = plugins["sunbreak"]._menu.panel
    state["panel"].setUserVisible(True)
    iface.mainWindow().resizeDocks([state["panel"]], [400], Qt.Orientation.Horizontal)


def photograph_panel() -> None:
    """Screenshot of the upper part of the panel."""
    picture, card = state["panel"].grab(), state["panel"].model.card
    bottom = card.mapTo(state["panel"], card.rect().bottomLeft()).y() + 6
    picture.copy(0, 0, picture.width(), bottom).save(str(FOLDER / "panel-other-dates.png"))


def clean() -> None:
    """Clean the three dates of the demo place as a series."""
    state["panel"].setUserVisible(False)
    QgsProject.instance().clear()
    place = Path(tempfile.mkdtemp()) / "Demo place"
    place.mkdir()
    for name, date in DATES.items():
        shutil.copy(DEMO / f"demo_s2_{name}.tif", place / f"S2_{date}.tif")
    shutil.copy(DEMO / "demo_s1.tif", place / f"S1_{DATES['cloudy']}.tif")
    processing.runAndLoadResults("sunbreak:cleanseries", {"INPUT": str(place), "OUTPUT": str(place / "cleaned")})


def open_controller() -> None:
    """Show the temporal controller, and start its animated navigation."""
    show_docks("Layers", "Temporal Controller")
    (group,) = QgsProject.instance().layerTreeRoot().findGroups()
    for node in group.findLayers():
        node.setExpanded(False)
    layer = group.findLayers()[0].layer()
    state["extent"] = layer.extent()
    QgsProject.instance().setCrs(layer.crs())
    iface.mainWindow().resizeDocks([state["Temporal Controller"]], [100], Qt.Orientation.Vertical)
    (animate,) = (
        button
        for button in state["Temporal Controller"].findChildren(QAbstractButton)
        if button.objectName() == "mNavigationAnimated"
    )
    animate.click()


def second_frame() -> None:
    """Step to the second date."""
    controller = iface.mapCanvas().temporalController()
    if controller.totalFrameCount() != len(DATES):
        raise RuntimeError(f"the controller has {controller.totalFrameCount()} frames")
    controller.setCurrentFrameNumber(1)
    iface.mapCanvas().setExtent(state["extent"])
    iface.mapCanvas().zoomByFactor(1.05)


def photograph_series() -> None:
    """Screenshot of the window."""
    iface.messageBar().clearWidgets()
    iface.mapCanvas().refresh()
    iface.mapCanvas().waitWhileRendering()
    iface.mainWindow().grab().save(str(FOLDER / "series-layers.png"))


def leave() -> None:
    """Quit without asking to save the project."""
    os._exit(0)


steps = [
    load, open_panel, photograph_panel, clean, open_controller, second_frame, photograph_series, leave,
]  # fmt: skip


def advance() -> None:
    """Run the next step; an error stops QGIS, with its traceback in the log."""
    step = steps.pop(0)
    try:
        step()
    except Exception:
        traceback.print_exc(file=sys.stderr)
        sys.stderr.flush()
        os._exit(1)
    QgsApplication.processEvents()
    QTimer.singleShot(STEP_MS, advance)


QTimer.singleShot(STEP_MS, advance)
