"""Runs inside QGIS Desktop (see screenshot.sh): cleans a scene through the toolbox's own machinery and takes two pictures.

Steps are timers of a few seconds apart, because QGIS draws its map and its legend between them.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

import processing
from qgis.core import QgsApplication, QgsMapLayerType, QgsProject, QgsRasterLayer
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
    window.resizeDocks([docks["Layers"], docks["ProcessingToolbox"]], [340, 230], Qt.Orientation.Horizontal)
    docks["ProcessingToolbox"].findChild(QgsFilterLineEdit).setText("clouds")


def load() -> None:
    """The scene as it comes."""
    state["scene"] = QgsRasterLayer(str(S2), S2.stem)
    QgsProject.instance().addMapLayer(state["scene"])
    QgsProject.instance().setCrs(state["scene"].crs())


def clean() -> None:
    """The algorithm, with its results loaded and styled as the dialog would."""
    outputs = ("OUTPUT", "UNCERTAINTY", "RECONSTRUCTED", "CLOUD_MASK")
    processing.runAndLoadResults(
        "sunbreak:removeclouds",
        {"INPUT": state["scene"], "S1": str(S1), **dict.fromkeys(outputs, "TEMPORARY_OUTPUT")},
    )


def show() -> None:
    """The cleaned scene on top and the cloudy one, in the same colours, below everything."""
    project = QgsProject.instance()
    tree = project.layerTreeRoot()
    order = ("cleaned", "uncertainty", "reconstructed", "cloud mask", state["scene"].name())
    layers = sorted(
        (layer for layer in project.mapLayers().values() if layer.type() == QgsMapLayerType.RasterLayer),
        key=lambda layer: next(rank for rank, end in enumerate(order) if layer.name().endswith(end)),
    )
    state["cleaned"] = layers[0]
    state["scene"].setRenderer(layers[0].renderer().clone())
    for layer in layers:
        node = tree.findLayer(layer.id())
        copy = node.clone()
        node.parent().addChildNode(copy)
        node.parent().removeChildNode(node)
        copy.setExpanded(layer is not state["scene"])
    iface.layerTreeView().setCurrentLayer(layers[0])
    iface.mapCanvas().setExtent(layers[0].extent())
    iface.mapCanvas().zoomByFactor(1.05)
    iface.layerTreeView().resizeColumnToContents(0)
    iface.mapCanvas().refresh()


def photograph() -> None:
    """The whole window."""
    iface.messageBar().clearWidgets()
    iface.mainWindow().grab().save(str(FOLDER / "qgis-cleaned.png"))


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


steps = [arrange, load, clean, show, photograph, fill_dialog, photograph_dialog, leave]


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
