"""What the lists of the dialogs have in common: a combo box that offers what the backend knows and takes any text."""

from __future__ import annotations

from typing import Any

from processing.gui.wrappers import DIALOG_MODELER, WidgetWrapper
from qgis.core import QgsProcessingModelChildParameterSource, QgsProcessingParameterString
from qgis.PyQt import sip
from qgis.PyQt.QtWidgets import QComboBox


class EditableCombo(WidgetWrapper):
    """An editable combo box for a string: fixed entries first, then those that are offered later."""

    def make_combo(self, entries: list[tuple[str, str]]) -> QComboBox:
        """Make the widget.

        Args:
            entries: Text and value of those that always stand there; the first is the default.
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
        """Show a value, listed or not; in the designer also an input of the model that is being designed."""
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
        """The chosen entry's value; what was typed, if it is none of the list."""
        text = self._combo.currentText().strip()
        index = self._combo.findText(text)
        return self._combo.itemData(index) if index >= 0 else text

    def offer(self, entries: list[tuple[str, str]]) -> None:
        """Replace what was offered before; the choice stays. Does nothing when the dialog is gone.

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
