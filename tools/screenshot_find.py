"""Runs inside QGIS Desktop (see screenshot_find.sh): a search, what is loaded from it, and the cleaned scene.

Steps are timers of a few seconds apart, because QGIS draws its map and its legend between them. A step that returns
False is repeated until the backend has ended.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

from qgis.core import QgsApplication, QgsCoordinateReferenceSystem, QgsProject, QgsRectangle
from qgis.PyQt.QtCore import QDate, QSize, Qt, QTimer
from qgis.PyQt.QtWidgets import QDockWidget
from qgis.utils import iface, plugins

PROFILE = os.environ["SUNBREAK_SHOT_PROFILE"]
SCENES = os.environ["SUNBREAK_SHOT_SCENES"]
FOLDER = Path(os.environ["SUNBREAK_SHOT_FOLDER"])
PLACE = QgsRectangle(600_600, 5_393_100, 606_400, 5_398_900)  # of the demo scene, EPSG:32632
DATE = QDate(2021, 6, 4)
STEP_MS = 2500
WIDTH = 440

state = {}


def open_page() -> None:
    """Show the place and the page *Find scenes*."""
    if "sunbreak" not in plugins:
        raise RuntimeError("the plugin sunbreak is not switched on")
    iface.newProject(False)
    iface.mainWindow().resize(QSize(1400, 880))
    for dock in iface.mainWindow().findChildren(QDockWidget):
        dock.setVisible(dock.objectName() == "Layers")
    QgsProject.instance().setCrs(QgsCoordinateReferenceSystem("EPSG:32632"))
    state["panel"] = panel = plugins["sunbreak"]._menu.panel
    panel.setUserVisible(True)
    iface.mainWindow().resizeDocks([panel], [WIDTH], Qt.Orientation.Horizontal)
    state["find"] = panel.open_find()


def search() -> None:
    """Search the area that a rectangle marks."""
    find = state["find"]
    iface.mapCanvas().setExtent(PLACE)
    find.form.area.kind.setCurrentIndex(find.form.area.kind.findData("drawn"))
    find.form.area.kind.draw(PLACE)
    find.form.add_profile(PROFILE)
    find.form.date.setDate(DATE)
    find.folder.setFilePath(SCENES)
    find.form.search.click()


def ended() -> bool:
    """Wait for the backend."""
    return state["find"]._task is None and state["panel"]._run is None


def photograph_page() -> None:
    """Screenshot of the panel with the list."""
    if state["find"].found is None:
        raise RuntimeError(state["find"].message.text())
    state["panel"].grab().save(str(FOLDER / "find-tab.png"))


def load() -> None:
    """Load what is proposed."""
    state["find"].load.click()


def photograph_loaded() -> None:
    """Screenshot of the window with the cloudy scene."""
    iface.mapCanvas().zoomToFullExtent()
    photograph("find-result.png")


def clean() -> None:
    """Clean it; the scenes are there already."""
    state["find"].clean.click()


def photograph_cleaned() -> None:
    """Screenshot of the window with the cleaned scene."""
    if not state["panel"].message.text().startswith("Done: "):
        raise RuntimeError(state["panel"].message.text())
    photograph("find-cleaned.png")


def photograph(name: str) -> None:
    """Screenshot of the window."""
    iface.messageBar().clearWidgets()
    iface.mapCanvas().refresh()
    iface.mapCanvas().waitWhileRendering()
    QgsApplication.processEvents()
    iface.mainWindow().grab().save(str(FOLDER / name))


def leave() -> None:
    """Quit without asking to save the project."""
    os._exit(0)


steps = [
    open_page, search, ended, photograph_page, load, ended, photograph_loaded, clean, ended, photograph_cleaned, leave,
]  # fmt: skip


def advance() -> None:
    """Run the next step; an error stops QGIS, with its traceback in the log."""
    step = steps.pop(0)
    try:
        if step() is False:
            steps.insert(0, step)
    except Exception:
        traceback.print_exc(file=sys.stderr)
        sys.stderr.flush()
        os._exit(1)
    QgsApplication.processEvents()
    QTimer.singleShot(STEP_MS, advance)


QTimer.singleShot(STEP_MS, advance)
