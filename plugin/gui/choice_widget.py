"""The choices of the dialogs whose words scripts use: the same words with labels that are read at once."""

from __future__ import annotations

from typing import Any

from processing.gui.wrappers import DIALOG_MODELER, WidgetWrapper
from qgis.core import NULL, QgsProcessingModelChildParameterSource, QgsProcessingParameterEnum
from qgis.PyQt.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QWidget


class ChoiceWidgetWrapper(WidgetWrapper):
    """A combo box, or a row of checkboxes where several words can be chosen. The value is made of words."""

    def createWidget(self, labels: list[str]):
        """Called by QGIS for the dialog, the batch table and the model designer alike.

        Args:
            labels: What is shown for each option of the parameter, in order.
        """
        words = dict(zip(self.parameterDefinition().options(), labels, strict=True))
        self._several = self.parameterDefinition().allowMultiple()
        return self._make_boxes(words) if self._several else self._make_combo(words)

    def _make_combo(self, words: dict[str, str]) -> QComboBox:
        self._combo = combo = QComboBox()
        for word, label in words.items():
            combo.addItem(label, word)
        if self.dialogType == DIALOG_MODELER:
            for source in self.dialog.getAvailableValuesOfType(QgsProcessingParameterEnum):
                combo.addItem(self.dialog.resolveValueDescription(source), source)
        combo.currentIndexChanged.connect(lambda _: self.widgetValueHasChanged.emit(self))
        return combo

    def _make_boxes(self, words: dict[str, str]) -> QWidget:
        widget = QWidget()
        row = QHBoxLayout(widget)
        row.setContentsMargins(0, 0, 0, 0)
        self._boxes = {word: QCheckBox(label) for word, label in words.items()}
        for box in self._boxes.values():
            row.addWidget(box)
            box.toggled.connect(lambda _: self.widgetValueHasChanged.emit(self))
        row.addStretch(1)
        return widget

    def setValue(self, value: Any) -> None:
        """Show a value: a word, several words with commas or as a list; in the model designer also an input."""
        if isinstance(value, list) and value and isinstance(value[0], QgsProcessingModelChildParameterSource):
            value = value[0]
        if isinstance(value, QgsProcessingModelChildParameterSource) and value.staticValue() not in (None, NULL):
            value = value.staticValue()
        if self._several:
            words = value if isinstance(value, (list, tuple)) else str(value or "").split(",")
            for word, box in self._boxes.items():
                box.setChecked(word in words)
            return
        for index in range(self._combo.count()):
            if self._combo.itemData(index) == value:
                self._combo.setCurrentIndex(index)
                return
        self._combo.setCurrentIndex(0)

    def value(self) -> Any:
        """The chosen word, or words with commas: QGIS 3.22 loses a list of words in its history of commands."""
        if self._several:
            return ",".join(word for word, box in self._boxes.items() if box.isChecked())
        return self._combo.currentData()
