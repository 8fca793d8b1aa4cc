"""Building blocks of automated tours through QGIS Desktop, as in tour.py: clicks, checks, waiting.

A tour is a generator that yields conditions to wait for. A timer resumes it, so that QGIS's event loop keeps running and
modal dialogs do not block the tour.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from qgis.core import QgsLayerTreeGroup, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtWidgets import QAbstractButton, QApplication, QDialog, QDockWidget, QMessageBox, QWidget
from qgis.utils import iface

FOLDER = Path(os.environ["SUNBREAK_TOUR_FOLDER"])
NOTES = Path(os.environ["SUNBREAK_TOUR_NOTES"])
PART = os.environ["SUNBREAK_TOUR_PART"]
TICK_MS = 200
MINUTES = 60.0

Waiting = tuple[Callable[[], bool], float, str]
notes: dict[str, object] = json.loads(NOTES.read_text()) if NOTES.exists() else {}


class TourError(Exception):
    """A check of the tour failed."""


# conditions to wait for


def until(condition: Callable[[], bool], seconds: float, what: str) -> Waiting:
    """Wait until the condition holds; an error after a time in seconds."""
    return condition, time.monotonic() + seconds, what


def pause(seconds: float = 1.5) -> Waiting:
    """Wait a moment until everything is drawn."""
    end = time.monotonic() + seconds
    return (lambda: time.monotonic() >= end), end + MINUTES, "a pause"


def drawn() -> Iterator[Waiting]:
    """Wait until the map is drawn."""
    yield pause(1.0)
    yield until(lambda: not iface.mapCanvas().isDrawing(), 60, "the map to be drawn")
    yield pause(0.5)


# clicks and screenshots


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
    """Click a button by timer, so that a modal dialog does not block the tour."""
    if not button.isEnabled():
        raise TourError(f"the button {button.text()!r} cannot be pressed")
    QTimer.singleShot(0, button.click)


def window_named(name: str) -> QDialog | None:
    """The visible top-level window of that object name."""
    found = [w for w in QApplication.topLevelWidgets() if w.objectName() == name and w.isVisible()]
    return found[0] if found else None


def picture(widget: QWidget, name: str, messages: bool = False) -> None:
    """Screenshot of a window, without message bar unless it is wanted."""
    if not messages:
        iface.messageBar().clearWidgets()
    QApplication.processEvents()
    widget.grab().save(str(FOLDER / f"tour-{name}.png"))


def note(key: str, value: object) -> None:
    """Record a number for the summary."""
    notes[key] = value
    NOTES.write_text(json.dumps(notes, indent=1))
    print(f"tour: {key}: {value}", file=sys.stderr, flush=True)


def expect(holds: bool, what: str) -> None:
    """Stop the tour if a condition does not hold."""
    if not holds:
        raise TourError(what)


def agree_until(done: Callable[[], bool], seconds: float, what: str) -> Iterator[Waiting]:
    """Answer Yes to QGIS's questions until a condition holds."""
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


def show_docks(*names: str) -> None:
    """Show these docks of QGIS and hide the others, except the plugin's panel."""
    for dock in iface.mainWindow().findChildren(QDockWidget):
        if "unbreak" not in dock.objectName():
            dock.setVisible(dock.objectName() in names)


def panel() -> QDockWidget | None:
    """The panel, if it is shown."""
    found = iface.mainWindow().findChild(QDockWidget, "SunbreakPanel")
    return found if found is not None and found.isVisible() else None


# layers


def alone(group: QgsLayerTreeGroup) -> None:
    """Show this group; collapse and hide the others."""
    for other in QgsProject.instance().layerTreeRoot().findGroups():
        other.setItemVisibilityChecked(other == group)
        other.setExpanded(other == group)


def look_at_map(layer: QgsRasterLayer, name: str) -> Iterator[Waiting]:
    """Zoom to a layer and take a screenshot of the window."""
    canvas = iface.mapCanvas()
    canvas.setExtent(canvas.mapSettings().layerExtentToOutputExtent(layer, layer.extent()))
    canvas.zoomByFactor(1.05)
    iface.layerTreeView().resizeColumnToContents(0)
    iface.layerTreeView().scrollToTop()
    canvas.refresh()
    yield from drawn()
    picture(iface.mainWindow(), name)


def layer_node(layer: QgsRasterLayer):
    """A layer's place in the tree."""
    return QgsProject.instance().layerTreeRoot().findLayer(layer.id())


# the engine


def go(walk: Iterator[Waiting]) -> None:
    """Walk to the end, which ends QGIS. What goes wrong ends it too, with a picture and the traceback."""
    waiting = pause(3)

    def advance() -> None:
        nonlocal waiting
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

    QTimer.singleShot(TICK_MS, advance)
