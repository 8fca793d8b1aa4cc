"""The area of a search: the current view, a rectangle drawn on the map, or a layer of polygons."""

from __future__ import annotations

import math
from collections.abc import Callable

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsMapLayerProxyModel,
    QgsRectangle,
    QgsReferencedRectangle,
    QgsVectorLayer,
)
from qgis.gui import QgsMapCanvas, QgsMapLayerComboBox
from qgis.PyQt.QtWidgets import QVBoxLayout, QWidget

from ..bridge.catalogue import Box
from ..compat import tr
from ..plain import plain_label
from .extent_choice import DRAWN, VIEW, ExtentError, MapExtent, to_crs

POLYGONS = "polygons"

# kilometres: tiles of Sentinel-2 lie 100 km apart
_LARGE, _LARGEST, _TILE = 50.0, 500.0, 100.0
_DEGREE = 111.32


class AreaChoice(QWidget):
    """A combo box with the kinds of areas, the layer of polygons below it, and the size of the area.

    Args:
        canvas: The map.
        say: Shows a message.
    """

    def __init__(self, canvas: QgsMapCanvas, say: Callable[[str], None]) -> None:
        super().__init__()
        entries = (tr("Current view"), VIEW), (tr("Drawn on the map"), DRAWN), (tr("Polygon layer"), POLYGONS)
        self._canvas = canvas
        self.kind = MapExtent(canvas, say, entries, tr("The search covers the rectangle."))
        self.kind.setToolTip(tr("Where to search; one scene is cut to this area"))
        self.layer = QgsMapLayerComboBox()
        self.layer.setFilters(QgsMapLayerProxyModel.Filter.PolygonLayer)
        self.layer.setAccessibleName(tr("Polygon layer"))
        self.layer.setToolTip(tr("The rectangle around its selected polygons, or around all of them"))
        self.size = plain_label()
        self.size.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.kind, self.layer, self.size):
            column.addWidget(widget)
        self.setFocusProxy(self.kind)
        self.kind.currentIndexChanged.connect(lambda _: self.show_size())
        self.kind.drawnChanged.connect(self.show_size)
        self.layer.layerChanged.connect(lambda _: self.show_size())
        canvas.extentsChanged.connect(self.show_size)
        self.show_size()

    def box(self) -> Box:
        """The area in degrees.

        Raises:
            ExtentError: There is none, it cannot be transformed, or it is too large.
        """
        found = self._in_degrees()
        width, height = kilometres(found)
        if max(width, height) > _LARGEST:
            raise ExtentError(
                tr("The area is {size} large. Zoom in, or draw a rectangle of at most {most} km.").format(
                    size=_size(width, height), most=f"{_LARGEST:.0f}"
                )
            )
        return found

    def forget(self) -> None:
        """Stop drawing and listening to the map when the plugin is unloaded."""
        self._canvas.extentsChanged.disconnect(self.show_size)
        self.kind.end_drawing()

    def show_size(self) -> None:
        """Show how large the area is, and warn if several tiles are needed for it."""
        self.layer.setVisible(self.kind.currentData() == POLYGONS)
        try:
            width, height = kilometres(self._in_degrees())
        except ExtentError as error:
            self.size.setText(str(error))
            return
        text = _size(width, height)
        if max(width, height) > _LARGEST:
            text = tr("{size}: too large for a search, zoom in.").format(size=text)
        elif max(width, height) > _LARGE:
            tiles = math.ceil(width / _TILE) * math.ceil(height / _TILE)
            warning = (
                tr("{size}: large. Each date is most of a tile of Sentinel-2, which takes long to load.")
                if tiles == 1
                else tr("{size}: large. Each date is about {tiles} tiles of Sentinel-2, which take long to load.")
            )
            text = warning.format(size=text, tiles=_in_words(tiles))
        self.size.setText(text)

    def _in_degrees(self) -> Box:
        geographic = QgsCoordinateReferenceSystem("EPSG:4326")
        try:
            found = to_crs(self._chosen(), geographic)
        except ExtentError as error:
            if isinstance(error, AreaError):
                raise
            raise ExtentError(tr("The area cannot be transformed to degrees. Zoom to a place on land.")) from error
        west, east = max(-180.0, found.xMinimum()), min(180.0, found.xMaximum())
        south, north = max(-90.0, found.yMinimum()), min(90.0, found.yMaximum())
        if west >= east or south >= north:
            raise AreaError(tr("The area is empty. Choose another one."))
        return west, south, east, north

    def _chosen(self) -> QgsReferencedRectangle:
        if self.kind.currentData() != POLYGONS:
            try:
                return self.kind.on_map()
            except ExtentError as error:
                raise AreaError(str(error)) from error
        layer = self.layer.currentLayer()
        if not isinstance(layer, QgsVectorLayer):
            raise AreaError(tr("The project has no layer of polygons. Load one, or choose another area."))
        extent = layer.boundingBoxOfSelected() if layer.selectedFeatureCount() else layer.extent()
        if extent.isNull() or extent.isEmpty():
            raise AreaError(tr("The layer {name} has no polygons.").format(name=layer.name()))
        return QgsReferencedRectangle(QgsRectangle(extent), layer.crs())


class AreaError(ExtentError):
    """There is no area. The text gives the reason and the fix."""


def kilometres(box: Box) -> tuple[float, float]:
    """Width and height of an area, nearly."""
    west, south, east, north = box
    return (east - west) * _DEGREE * math.cos(math.radians((south + north) / 2)), (north - south) * _DEGREE


def _size(width: float, height: float) -> str:
    digits = 1 if min(width, height) < 10 else 0
    return tr("{width} \N{MULTIPLICATION SIGN} {height} km").format(
        width=f"{width:.{digits}f}", height=f"{height:.{digits}f}"
    )


def _in_words(number: int) -> str:
    words = {2: tr("two"), 3: tr("three"), 4: tr("four"), 6: tr("six"), 8: tr("eight"), 9: tr("nine")}
    return words.get(number, str(number))
