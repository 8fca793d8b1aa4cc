"""The base of the lists in the dialogs: a combo box with entries of the backend that accepts any text."""

from __future__ import annotations

from typing import Any

from processing.gui.wrappers import DIALOG_MODELER, WidgetWrapper
from qgis.core import QgsProcessingModelChildParameterSource, QgsProcessingParameterString
from qgis.PyQt import sip
from qgis.PyQt.QtWidgets import QComboBox


class EditableCombo(WidgetWrapper):
    """An editable combo box for a string: fixed entries first, then entries that are added later."""

    def make_combo(self, entries: list[tuple[str, str]]) -> QComboBox:
        """Make the widget.

        Args:
            entries: Text and value of the fixed entries; the first is the default.
        """
        self._combo = combo = QComboBox()
        combo.setEditable(True)
        for text, value in entries:
            combo.addItem(text, value)
        if self.dialogType == DIALOG_MODELER:
            for source in self.dialog.getAvailableValuesOfType(QgsProcessingParameterString):
                combo.addItem(self.dialog.resolveValueDescription(source), source)
        self._fixed = combo.count()
        combo.currentTextChanged.connect(lambda _: self.widgetValueHasChanged.emit(self))
        return combo

    def setValue(self, value: Any) -> None:
        """Show a value, listed or not; in the model designer it may be an input of the model."""
        if isinstance(value, list):
            value = value[0] if value else ""
        if isinstance(value, QgsProcessingModelChildParameterSource) and value.staticValue():
            value = value.staticValue()
        for index in range(self._combo.count()):
            if self._combo.itemData(index) == (value or ""):
                self._combo.setCurrentIndex(index)
                return
        if value:
            self._combo.setEditText(str(value))
        else:
            self._combo.setCurrentIndex(0)

    def value(self) -> Any:
        """The value of the chosen entry, or the typed text."""
        text = self._combo.currentText().strip()
        index = self._combo.findText(text)
        return self._combo.itemData(index) if index >= 0 else text

    def offer(self, entries: list[tuple[str, str]]) -> None:
        """Replace the added entries and keep the choice. Does nothing when the dialog is closed.

        Args:
            entries: Text and value.
        """
        combo = self._combo
        if sip.isdeleted(combo):
            return
        chosen = self.value()
        combo.blockSignals(True)
        for index in range(combo.count() - 1, self._fixed - 1, -1):
            combo.removeItem(index)
        for text, value in entries:
            combo.addItem(text, value)
        self.setValue(chosen)
        combo.blockSignals(False)
