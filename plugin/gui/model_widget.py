"""The list of models in the dialog: filled by the backend in the background, and free to take any other name."""

from __future__ import annotations

from processing.gui.wrappers import WidgetWrapper
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
        try:
            ask_for_models(backend_python(), TASK, self._offer)
        except BackendMissingError as error:
            combo.setToolTip(str(error))
        return combo

    def setValue(self, value: str | None) -> None:
        """Show a model's name, listed or not."""
        combo = self._combo
        index = combo.findData(value or "")
        if index >= 0:
            combo.setCurrentIndex(index)
        else:
            combo.setEditText(str(value))

    def value(self) -> str:
        """The chosen model's name; what was typed, if it is none of the list."""
        text = self._combo.currentText().strip()
        index = self._combo.findText(text)
        return self._combo.itemData(index) if index >= 0 else text

    def _offer(self, models: tuple[Model, ...]) -> None:
        combo = self._combo
        if sip.isdeleted(combo):
            return
        chosen = self.value()
        while combo.count() > 1:
            combo.removeItem(1)
        for model in models:
            combo.addItem(f"{model.title} ({model.name})" if model.title != model.name else model.name, model.name)
        self.setValue(chosen)
