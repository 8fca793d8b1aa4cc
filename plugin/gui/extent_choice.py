"""The extent of a run: the whole scene, the current view, or a rectangle drawn on the map."""

from __future__ import annotations

from collections.abc import Callable

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsReferencedRectangle,
)
from qgis.gui import QgsMapCanvas, QgsMapToolExtent
from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QComboBox

from ..compat import tr

WHOLE, VIEW, DRAWN = "whole", "view", "drawn"


class ExtentError(Exception):
    """The chosen extent does not overlap the scene. The text gives the reason and the fix."""


class MapExtent(QComboBox):
    """A combo box with extents; choosing the one that is drawn starts drawing.

    Args:
        canvas: The map.
        say: Shows a message.
        entries: Text and value of each extent.
        drawn: Message when a rectangle was drawn.
    """

    drawnChanged = pyqtSignal()

    def __init__(
        self, canvas: QgsMapCanvas, say: Callable[[str], None], entries: tuple[tuple[str, str], ...], drawn: str
    ) -> None:
        super().__init__()
        self._canvas, self._say, self._done = canvas, say, drawn
        self._drawn: QgsReferencedRectangle | None = None
        self._tool: QgsMapToolExtent | None = None
        for text, value in entries:
            self.addItem(text, value)
        self.activated.connect(lambda _: self._start_drawing())

    def on_map(self) -> QgsReferencedRectangle:
        """The current view, or the rectangle that was drawn.

        Raises:
            ExtentError: No rectangle was drawn.
        """
        if self.currentData() == DRAWN:
            if self._drawn is None:
                raise ExtentError(tr("Draw a rectangle on the map first."))
            return self._drawn
        return QgsReferencedRectangle(self._canvas.extent(), self._canvas.mapSettings().destinationCrs())

    def draw(self, extent: QgsRectangle) -> None:
        """Set a rectangle in the current CRS of the map."""
        self._drawn = QgsReferencedRectangle(extent, self._canvas.mapSettings().destinationCrs())
        self._say(self._done)
        self.end_drawing()
        self.drawnChanged.emit()

    def end_drawing(self) -> None:
        """Restore the previous map tool."""
        if self._tool is not None:
            self._canvas.unsetMapTool(self._tool)
            self._tool = None

    def _start_drawing(self) -> None:
        self.end_drawing()
        if self.currentData() == DRAWN:
            self._tool = QgsMapToolExtent(self._canvas)
            self._tool.extentChanged.connect(self.draw)
            self._canvas.setMapTool(self._tool)
            self._say(tr("Draw a rectangle on the map."))


class ExtentChoice(MapExtent):
    """The extents of a run over a scene.

    Args:
        canvas: The map.
        say: Shows a message.
    """

    def __init__(self, canvas: QgsMapCanvas, say: Callable[[str], None]) -> None:
        entries = (tr("Whole scene"), WHOLE), (tr("Current view"), VIEW), (tr("Drawn on the map"), DRAWN)
        super().__init__(canvas, say, entries, tr("The run covers the rectangle."))

    def inside(self, scene: QgsRasterLayer, most: int | None = None) -> QgsRectangle | None:
        """The chosen part of the scene, in the scene's CRS; None for the whole scene.

        Args:
            scene: A layer.
            most: Largest side of a preview in pixels, around the centre of the extent.

        Raises:
            ExtentError: The extent does not overlap the scene, or no rectangle was drawn.
        """
        kind = self.currentData()
        if kind == WHOLE and most is None:
            return None
        found = to_crs(self.on_map(), scene.crs()).intersect(scene.extent())
        if found.isEmpty():
            raise ExtentError(
                tr("The rectangle does not overlap the scene.")
                if kind == DRAWN
                else tr("The current view does not show the scene.")
            )
        if most is not None:
            middle = found.center()
            width = min(found.width(), most * scene.rasterUnitsPerPixelX())
            height = min(found.height(), most * scene.rasterUnitsPerPixelY())
            found = QgsRectangle(
                middle.x() - width / 2, middle.y() - height / 2, middle.x() + width / 2, middle.y() + height / 2
            )
        return found


def to_crs(extent: QgsReferencedRectangle, crs: QgsCoordinateReferenceSystem) -> QgsRectangle:
    """Transform an extent to another CRS; unchanged if either CRS is unknown.

    Raises:
        ExtentError: The extent cannot be transformed.
    """
    if not (extent.crs().isValid() and crs.isValid()):
        return QgsRectangle(extent)
    transform = QgsCoordinateTransform(extent.crs(), crs, QgsProject.instance().transformContext())
    try:
        found = transform.transformBoundingBox(extent)
    except QgsCsException:
        found = QgsRectangle()
    if found.isNull() or not found.isFinite():
        raise ExtentError(
            tr(
                "The map extent cannot be transformed to the coordinate system of the scene ({crs}). Zoom to the scene."
            ).format(crs=crs.userFriendlyIdentifier())
        )
    return found
