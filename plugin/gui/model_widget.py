"""The list of models in the dialog: filled by the backend in the background, and free to take any other name."""

from __future__ import annotations

from typing import Any

from processing.gui.wrappers import DIALOG_MODELER, WidgetWrapper
from qgis.core import QgsProcessingModelChildParameterSource, QgsProcessingParameterString
from qgis.PyQt import sip
from qgis.PyQt.QtWidgets import QComboBox

from ..bridge.models import Model, ask_for_models
from ..compat import tr
from ..settings import BackendMissingError, backend_python

TASK = "cloud-removal"


class ModelWidgetWrapper(WidgetWrapper):
    """An editable combo box; the first entry leaves the choice to the backend."""

    def createWidget(self) -> QComboBox:
        """Called by QGIS for the dialog, the batch table and the model designer alike."""
        self._combo = combo = QComboBox()
        combo.setEditable(True)
        combo.addItem(tr("Default"), "")
        if self.dialogType == DIALOG_MODELER:
            for source in self.dialog.getAvailableValuesOfType(QgsProcessingParameterString):
                combo.addItem(self.dialog.resolveValueDescription(source), source)
        try:
            ask_for_models(backend_python(), TASK, self._offer)
        except BackendMissingError as error:
            combo.setToolTip(str(error))
        return combo

    def setValue(self, value: Any) -> None:
        """Show a model's name, listed or not; in the designer also an input of the model that is being designed."""
        if isinstance(value, list):
            value = value[0] if value else ""
        if isinstance(value, QgsProcessingModelChildParameterSource) and value.staticValue():
            value = value.staticValue()
        for index in range(self._combo.count()):
            if self._combo.itemData(index) == (value or ""):
                self._combo.setCurrentIndex(index)
                return
        self._combo.setEditText(str(value))

    def value(self) -> Any:
        """The chosen model's name; what was typed, if it is none of the list."""
        text = self._combo.currentText().strip()
        index = self._combo.findText(text)
        return self._combo.itemData(index) if index >= 0 else text

    def _offer(self, models: tuple[Model, ...]) -> None:
        combo = self._combo
        if sip.isdeleted(combo):
            return
        chosen = self.value()
        for index in range(combo.count() - 1, 0, -1):
            if isinstance(combo.itemData(index), str):
                combo.removeItem(index)
        for model in models:
            combo.addItem(f"{model.title} ({model.name})" if model.title != model.name else model.name, model.name)
        self.setValue(chosen)
