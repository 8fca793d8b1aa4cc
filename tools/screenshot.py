"""Runs inside QGIS Desktop (see screenshot.sh): runs the algorithms through the toolbox's own machinery and takes pictures.

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
    """One size, and only the docks that the pictures are about."""
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
    """The scene as it comes."""
    state["scene"] = QgsRasterLayer(str(S2), S2.stem)
    QgsProject.instance().addMapLayer(state["scene"])
    QgsProject.instance().setCrs(state["scene"].crs())


def clean() -> None:
    """The removal, with its results loaded and styled as the dialog would."""
    outputs = ("OUTPUT", "UNCERTAINTY", "RECONSTRUCTED", "CLOUD_MASK")
    run("removeclouds", outputs)


def chain() -> None:
    """The whole chain, in the place of what was there."""
    project = QgsProject.instance()
    project.layerTreeRoot().removeChildNode(state["group"])
    outputs = ("OUTPUT", "TRUST", "SALIENCY", "CHANGE", "CONFIDENCE", "CLEANED", "UNCERTAINTY", "RECONSTRUCTED")
    run("cleanclassifyexplain", outputs)


def run(algorithm: str, outputs: tuple[str, ...]) -> None:
    """Run an algorithm with temporary outputs, which enter the project as one group."""
    processing.runAndLoadResults(
        f"sunbreak:{algorithm}",
        {"INPUT": state["scene"], "S1": str(S1), **dict.fromkeys(outputs, "TEMPORARY_OUTPUT")},
    )
    (state["group"],) = QgsProject.instance().layerTreeRoot().findGroups()


def show() -> None:
    """The whole scene, with the cloudy one in the same colours as the cleaned one."""
    nodes = {node.name().split(":")[0]: node for node in state["group"].findLayers()}
    state["scene"].setRenderer(nodes["Cleaned scene"].layer().renderer().clone())
    below = QgsProject.instance().layerTreeRoot().findLayer(state["scene"].id())
    below.setExpanded(False)
    main = next(node for node in state["group"].findLayers() if node.isVisible())
    iface.layerTreeView().setCurrentLayer(main.layer())
    iface.mapCanvas().setExtent(state["scene"].extent())
    iface.mapCanvas().zoomByFactor(1.05)
    iface.layerTreeView().resizeColumnToContents(0)
    iface.mapCanvas().refresh()


def photograph() -> None:
    """The whole window after the removal."""
    grab("qgis-cleaned.png")


def photograph_chain() -> None:
    """The whole window after the chain."""
    grab("chain-layers.png")


def grab(name: str) -> None:
    """A picture of the window, without messages that would cover the map."""
    iface.messageBar().clearWidgets()
    iface.mapCanvas().refresh()
    iface.mapCanvas().waitWhileRendering()
    iface.mainWindow().grab().save(str(FOLDER / name))


def fill_dialog() -> None:
    """The dialog as a user fills it in."""
    state["radar"] = QgsRasterLayer(str(S1), S1.stem)
    QgsProject.instance().addMapLayer(state["radar"])
    dialog = processing.createAlgorithmDialog(
        "sunbreak:removeclouds",
        {"INPUT": state["scene"].id(), "S1": state["radar"].id(), "OUTPUT": f"/data/scenes/{S2.stem}_cleaned.tif"},
    )
    dialog.resize(1000, 800)
    dialog.show()
    state["dialog"] = dialog


def photograph_dialog() -> None:
    """The dialog alone."""
    state["dialog"].grab().save(str(FOLDER / "qgis-dialog.png"))


def leave() -> None:
    """Without questions about unsaved projects."""
    os._exit(0)


steps = [
    arrange, load, clean, show, photograph, chain, show, photograph_chain, fill_dialog, photograph_dialog,
    leave,
]  # fmt: skip


def advance() -> None:
    """Take the next step; an error ends everything, with its traceback in the log."""
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
