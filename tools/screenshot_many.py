"""Runs inside QGIS Desktop (see screenshot_many.sh): the dialog of *Process many scenes* while it runs, and the options.

Steps are timers of a few seconds apart, because QGIS draws its dialogs between them.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

import processing
from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QSize, QTimer
from qgis.PyQt.QtWidgets import (
    QApplication,
    QDialog,
    QGroupBox,
    QLineEdit,
    QMessageBox,
    QScrollArea,
    QTextEdit,
    QTreeView,
)
from qgis.utils import iface, plugins

DEMO = Path(os.environ["SUNBREAK_SHOT_DEMO"])
FOLDER = Path(os.environ["SUNBREAK_SHOT_FOLDER"])
MORE = Path(os.environ["SUNBREAK_SHOT_MORE"])
DATES = {"before": "20210501", "cloudy": "20210605", "after": "20210725"}
STEP_MS = 2500
PATIENCE_S = 300

state = {}


def open_dialog() -> None:
    """Open the dialog with a folder of three scenes."""
    if "sunbreak" not in plugins:
        raise RuntimeError("the plugin sunbreak is not switched on")
    iface.mainWindow().resize(QSize(1400, 860))
    scenes = Path(tempfile.mkdtemp()) / "scenes"
    scenes.mkdir()
    for name, date in DATES.items():
        shutil.copy(DEMO / f"demo_s2_{name}.tif", scenes / f"{date}_s2.tif")
        shutil.copy(DEMO / "demo_s1.tif", scenes / f"{date}_s1.tif")
    parameters = {
        "INPUT": str(scenes), "S1_PATTERN": "{stem}_s1.tif", "WORKERS": 2, "OUTPUT": str(scenes / "cleaned"),
    }  # fmt: skip
    state["dialog"] = processing.createAlgorithmDialog("sunbreak:processscenes", parameters)
    state["dialog"].show()
    state["dialog"].resize(1000, 800)


def photograph_parameters() -> None:
    """Screenshot of the first parameters."""
    state["dialog"].grab().save(str(FOLDER / "many-scenes.png"))


def open_advanced() -> None:
    """Show the advanced parameters."""
    for box in state["dialog"].findChildren(QGroupBox):
        box.setProperty("collapsed", False)


def photograph_advanced() -> None:
    """Screenshot of the last parameters."""
    area = next(area for area in state["dialog"].findChildren(QScrollArea) if area.verticalScrollBar().maximum() > 0)
    area.verticalScrollBar().setValue(area.verticalScrollBar().maximum())
    QApplication.processEvents()
    state["dialog"].grab().save(str(MORE / "many-scenes-advanced.png"))


def start() -> None:
    """Run it."""
    state["dialog"].runButton().click()


def photograph_run() -> None:
    """Screenshot of the log, once scenes are at work."""
    end = time.monotonic() + PATIENCE_S
    while "At work" not in _log() and time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.05)
    state["dialog"].grab().save(str(MORE / "many-scenes-running.png"))


def cancel() -> None:
    """Stop it."""
    state["dialog"].cancelButton().click()
    end = time.monotonic() + PATIENCE_S
    while "Cancelled" not in _log() and time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.05)
    state["dialog"].grab().save(str(MORE / "many-scenes-cancelled.png"))
    state["dialog"].close()


def open_options() -> None:
    """Open the options, with a bad address in the field of the scheduler."""
    QTimer.singleShot(2500, photograph_options)
    iface.showOptionsDialog(iface.mainWindow(), "processingOptions")


def photograph_options() -> None:
    """Screenshot of the options, then of what a bad address gives."""
    try:
        (dialog,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, QDialog) and w.isVisible()]
        dialog.resize(1000, 620)
        (tree,) = [tree for tree in dialog.findChildren(QTreeView) if tree.isVisible() and _groups(tree)]
        (group,) = _groups(tree)
        tree.setExpanded(group.parent(), True)
        tree.setExpanded(group, True)
        tree.setColumnWidth(0, 420)
        tree.scrollTo(group)
        scheduler = next(
            tree.model().index(row, 1, group)
            for row in range(tree.model().rowCount(group))
            if str(tree.model().index(row, 0, group).data()).startswith("Dask scheduler")
        )
        QApplication.processEvents()
        dialog.grab().save(str(MORE / "options.png"))
        tree.edit(scheduler)
        QApplication.processEvents()
        (field,) = [one for one in tree.findChildren(QLineEdit) if one.isVisible()]
        field.setText("http://gpu:8786")
        QApplication.processEvents()
        dialog.grab().save(str(MORE / "options-editing.png"))
        tree.model().setData(scheduler, "http://gpu:8786")
        QTimer.singleShot(1500, lambda: _photograph_box(dialog))
        dialog.accept()
    except Exception:
        traceback.print_exc(file=sys.stderr)
        sys.stderr.flush()
        os._exit(1)


def _photograph_box(dialog: QDialog) -> None:
    for box in QApplication.topLevelWidgets():
        if isinstance(box, QMessageBox) and box.isVisible():
            box.grab().save(str(MORE / "options-refused.png"))
            box.accept()
    dialog.reject()


def _groups(tree: QTreeView) -> list:
    """The plugin's group among the providers, if the tree is that of Processing's options."""
    model, found = tree.model(), []
    for row in range(model.rowCount() if model is not None else 0):
        top = model.index(row, 0)
        if top.data() == "Providers":
            groups = [model.index(i, 0, top) for i in range(model.rowCount(top))]
            found += [group for group in groups if group.data() == "Sunbreak"]
    return found


def _log() -> str:
    return "\n".join(one.toPlainText() for one in state["dialog"].findChildren(QTextEdit))


def leave() -> None:
    """Quit without asking to save the project."""
    os._exit(0)


steps = [
    open_dialog, photograph_parameters, open_advanced, photograph_advanced, start, photograph_run, cancel, open_options, leave,
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
