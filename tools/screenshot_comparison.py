"""Runs inside QGIS Desktop (see screenshot_comparison.sh): cleans the demo scene, compares it, takes screenshots.

Steps are timers of a few seconds apart, because QGIS draws its map and its legend between them.
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from pathlib import Path

import processing
from qgis.core import QgsApplication, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QSize, Qt, QTimer
from qgis.PyQt.QtWidgets import QDockWidget
from qgis.utils import iface, plugins

from sunbreak.plugin.stretch import natural_colours

DEMO = Path(os.environ["SUNBREAK_SHOT_DEMO"])
FOLDER = Path(os.environ["SUNBREAK_SHOT_FOLDER"])
STEP_MS = 2500
SIZE = QSize(1400, 860)

work = Path(tempfile.mkdtemp(prefix="sunbreak-shot-"))
state = {}


def arrange() -> None:
    """Set the window size, and show only the docks of the screenshots."""
    if "sunbreak" not in plugins:
        raise RuntimeError("the plugin sunbreak is not switched on")
    window = iface.mainWindow()
    window.resize(SIZE)
    docks = {dock.objectName(): dock for dock in window.findChildren(QDockWidget)}
    for name, dock in docks.items():
        dock.setVisible(name == "Layers")
    window.resizeDocks([docks["Layers"]], [420], Qt.Orientation.Horizontal)


def clean() -> None:
    """A cleaned scene with its mask."""
    names = {"OUTPUT": "demo_cleaned.tif", "CLOUD_MASK": "demo_mask.tif"}
    dates = [str(DEMO / f"demo_s2_{name}.tif") for name in ("before", "after")]
    given = {"INPUT": str(DEMO / "demo_s2_cloudy.tif"), "S1": str(DEMO / "demo_s1.tif"), "DATES": dates}
    processing.run("sunbreak:removeclouds", given | {name: str(work / file) for name, file in names.items()})
    for key, path in (
        ("clear", DEMO / "demo_s2_clear.tif"),
        ("cleaned", work / names["OUTPUT"]),
        ("mask", work / names["CLOUD_MASK"]),
    ):
        state[key] = QgsRasterLayer(str(path), path.stem)
    state["cleaned"].loadNamedStyle(str(work / "demo_cleaned.qml"))
    natural_colours(state["cleaned"], {})
    state["clear"].setRenderer(state["cleaned"].renderer().clone())
    for key in ("clear", "cleaned"):
        QgsProject.instance().addMapLayer(state[key])
    QgsProject.instance().setCrs(state["clear"].crs())


def compare() -> None:
    """The comparison, with its layers loaded as the dialog would."""
    processing.runAndLoadResults(
        "sunbreak:comparescenes",
        {
            "INPUT": state["cleaned"],
            "TARGET": state["clear"],
            "MASK": str(work / "demo_mask.tif"),
            "CLOUDY": str(DEMO / "demo_s2_cloudy.tif"),
            "OUTPUT": "TEMPORARY_OUTPUT",
            "SPECTRAL_ANGLE": "TEMPORARY_OUTPUT",
            "REPORT": str(work / "page.html"),
        },
    )


def show() -> None:
    """The whole scene, legends of the clear and the cleaned scene closed."""
    root = QgsProject.instance().layerTreeRoot()
    for key in ("clear", "cleaned"):
        root.findLayer(state[key].id()).setExpanded(False)
    (group,) = root.findGroups()
    iface.layerTreeView().setCurrentLayer(group.findLayers()[0].layer())
    iface.mapCanvas().setExtent(state["clear"].extent())
    iface.mapCanvas().zoomByFactor(1.05)
    iface.layerTreeView().resizeColumnToContents(0)
    iface.mapCanvas().refresh()


def photograph() -> None:
    """Screenshot of the window without message bar."""
    iface.messageBar().clearWidgets()
    iface.mainWindow().grab().save(str(FOLDER / "comparison-layers.png"))


def leave() -> None:
    """Quit without asking to save the project."""
    os._exit(0)


steps = [arrange, clean, compare, show, photograph, leave]


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
