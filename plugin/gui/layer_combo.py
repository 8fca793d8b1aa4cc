"""A list of raster layers, as the panel has several."""

from __future__ import annotations

from qgis.core import QgsMapLayerProxyModel
from qgis.gui import QgsMapLayerComboBox


def layer_combo(*, empty: bool) -> QgsMapLayerComboBox:
    """A list of the raster layers of the project; an empty choice is the first one, if there is one."""
    combo = QgsMapLayerComboBox()
    combo.setFilters(QgsMapLayerProxyModel.Filter.RasterLayer)
    combo.setAllowEmptyLayer(empty)
    if empty:
        combo.setCurrentIndex(0)
    return combo
