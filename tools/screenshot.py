"""Runs inside QGIS Desktop (see screenshot.sh): runs the whole chain as the toolbox does and takes a screenshot.

Steps are timers of a few seconds apart, because QGIS draws its map and its legend between them.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

import processing
from qgis.core import QgsApplication, QgsProject, QgsRasterLayer
from qgis.gui import QgsFilterLineEdit
from qgis.PyQt.QtCore import QSize, Qt, QTimer
from qgis.PyQt.QtWidgets import QDockWidget
from qgis.utils import iface, plugins

S2 = Path(os.environ["SUNBREAK_SHOT_S2"])
S1 = Path(os.environ["SUNBREAK_SHOT_S1"])
FOLDER = Path(os.environ["SUNBREAK_SHOT_FOLDER"])
STEP_MS = 2500
SIZE = QSize(1400, 860)

state = {}


def arrange() -> None:
    """Set the window size, and show only the docks of the screenshots."""
    if "sunbreak" not in plugins:
        raise RuntimeError("the plugin sunbreak is not switched on")
    window = iface.mainWindow()
    window.resize(SIZE)
    docks = {dock.objectName(): dock for dock in window.findChildren(QDockWidget)}
    for name, dock in docks.items():
        dock.setVisible(name in {"Layers", "ProcessingToolbox"})
    window.resizeDocks([docks["Layers"], docks["ProcessingToolbox"]], [465, 245], Qt.Orientation.Horizontal)
    docks["ProcessingToolbox"].findChild(QgsFilterLineEdit).setText("sunbreak")


def load() -> None:
    """Load the scene."""
    state["scene"] = QgsRasterLayer(str(S2), S2.stem)
    QgsProject.instance().addMapLayer(state["scene"])
    QgsProject.instance().setCrs(state["scene"].crs())


def chain() -> None:
    """Run the whole chain with temporary outputs, which are loaded as one group."""
    outputs = ("OUTPUT", "TRUST", "SALIENCY", "CHANGE", "CONFIDENCE", "CLEANED", "UNCERTAINTY", "RECONSTRUCTED")
    dates = [S2.with_name(f"demo_s2_{name}.tif") for name in ("before", "after")]
    given = {"INPUT": state["scene"], "S1": str(S1), "DATES": [str(date) for date in dates if date.exists()]}
    processing.runAndLoadResults(
        "sunbreak:cleanclassifyexplain", given | dict.fromkeys((*outputs, "SOURCE"), "TEMPORARY_OUTPUT")
    )
    (state["group"],) = QgsProject.instance().layerTreeRoot().findGroups()


def show() -> None:
    """Zoom to the scene, and select the land cover."""
    QgsProject.instance().layerTreeRoot().findLayer(state["scene"].id()).setExpanded(False)
    main = next(node for node in state["group"].findLayers() if node.isVisible())
    iface.layerTreeView().setCurrentLayer(main.layer())
    iface.mapCanvas().setExtent(state["scene"].extent())
    iface.mapCanvas().zoomByFactor(1.05)
    iface.layerTreeView().resizeColumnToContents(0)
    iface.mapCanvas().refresh()


def photograph() -> None:
    """Screenshot of the window."""
    grab("chain-layers.png")


def grab(name: str) -> None:
    """Screenshot of the window without message bar."""
    iface.messageBar().clearWidgets()
    iface.mapCanvas().refresh()
    iface.mapCanvas().waitWhileRendering()
    iface.mainWindow().grab().save(str(FOLDER / name))


def leave() -> None:
    """Quit without asking to save the project."""
    os._exit(0)


steps = [arrange, load, chain, show, photograph, leave]


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
