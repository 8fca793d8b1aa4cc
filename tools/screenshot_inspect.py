"""Runs inside QGIS Desktop (see screenshot_inspect.sh): the panel, and the window that it opens to inspect a scene.

Steps are timers of a few seconds apart, because QGIS draws its map and its legend between them.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

from qgis.core import QgsApplication, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QSize, Qt, QTimer
from qgis.PyQt.QtWidgets import QDockWidget
from qgis.utils import iface, plugins

DEMO = Path(os.environ["SUNBREAK_SHOT_DEMO"])
FOLDER = Path(os.environ["SUNBREAK_SHOT_FOLDER"])
STEP_MS = 2500
NAMES = {
    "demo_s1": "S1A_IW_GRDH_1SDV_20210604T053000",
    "demo_s2_cloudy": "S2A_MSIL1C_20210605T102031_N0209_R065_T32UNU_20210605T123000",
}

state = {}


def load() -> None:
    """Load the demo scene and its radar under names as products have them, beside a mask."""
    if "sunbreak" not in plugins:
        raise RuntimeError("the plugin sunbreak is not switched on")
    iface.mainWindow().resize(QSize(1400, 860))
    for dock in iface.mainWindow().findChildren(QDockWidget):
        dock.setVisible(dock.objectName() == "Layers")
    place = Path(tempfile.mkdtemp()) / "Demo place"
    place.mkdir()
    for name, title in (*NAMES.items(), ("demo_cloud", "cloud mask")):
        shutil.copy(DEMO / f"{name}.tif", place / f"{title}.tif")
        layer = QgsRasterLayer(str(place / f"{title}.tif"), title)
        QgsProject.instance().addMapLayer(layer)
        state[name] = layer
    QgsProject.instance().setCrs(layer.crs())
    iface.mapCanvas().setExtent(layer.extent())


def open_panel() -> None:
    """Show the panel, and choose the mask."""
    state["panel"] = plugins["sunbreak"]._menu.panel
    state["panel"].setUserVisible(True)
    state["panel"].mask.setLayer(state["demo_cloud"])
    iface.mainWindow().resizeDocks([state["panel"]], [420], Qt.Orientation.Horizontal)


def photograph_panel() -> None:
    """Screenshot of the upper part of the panel."""
    picture, card = state["panel"].grab(), state["panel"].model.card
    bottom = card.mapTo(state["panel"], card.rect().bottomLeft()).y() + 6
    picture.copy(0, 0, picture.width(), bottom).save(str(FOLDER / "panel-inspect.png"))


def inspect() -> None:
    """Open the window as a click does."""
    state["panel"].inspect.click()


def wait() -> None:
    """Come back to this step until the backend has answered."""
    if state["panel"]._inspection.inspection is None:
        steps.insert(0, wait)


def photograph_window() -> None:
    """Screenshot of the window."""
    state["panel"]._inspection.grab().save(str(FOLDER / "inspect-window.png"))


def leave() -> None:
    """Quit without asking to save the project."""
    os._exit(0)


steps = [load, open_panel, photograph_panel, inspect, wait, photograph_window, leave]


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
