"""The window that shows what the backend finds in the layers of the panel: a table, a picture, notes and warnings.

The texts come from files: widgets show them as they are, and none of them guesses whether a text is HTML.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.PyQt import sip
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QPixmap
from qgis.PyQt.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QPlainTextEdit,
    QProgressBar,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ..compat import tr
from ..inspection import Inspection, as_text, parse_inspection
from ..plain import plain_label, shown, visible
from .running import Run

_PICTURE_WIDTH = 380
_FOUND_WIDTH = 240


class InspectDialog(QDialog):
    """Inspects at once; closing the window cancels.

    Args:
        parent: The panel.
        parameters: Of the algorithm *Inspect a scene*.
    """

    def __init__(self, parent: QWidget | None, parameters: dict[str, Any]) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Sunbreak: inspect a scene"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.inspection: Inspection | None = None
        self.message = plain_label(tr("Looking at the scene…"))
        self.message.setWordWrap(True)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.table = QTableWidget(0, 3)
        self.table.setHorizontalHeaderLabels(["", tr("Found"), tr("Why")])
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setWordWrap(True)
        self.table.setShowGrid(False)
        self.table.setAlternatingRowColors(True)
        self.table.setAccessibleName(tr("What was found"))
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.table.setColumnWidth(1, _FOUND_WIDTH)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        header.sectionResized.connect(lambda *_: self.table.resizeRowsToContents())
        self.picture = plain_label()
        self.picture.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
        self.notes = QPlainTextEdit()
        self.notes.setReadOnly(True)
        self.notes.setAccessibleName(tr("Notes and warnings"))
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.copy = self.buttons.addButton(tr("C&opy as text"), QDialogButtonBox.ButtonRole.ActionRole)
        self.copy.clicked.connect(lambda _=False: self._copy())
        self.buttons.rejected.connect(self.close)
        above = QSplitter()
        above.addWidget(self.table)
        above.addWidget(self.picture)
        above.setStretchFactor(0, 1)
        self._parts = QSplitter(Qt.Orientation.Vertical)
        self._parts.addWidget(above)
        self._parts.addWidget(self.notes)
        self._parts.setStretchFactor(0, 3)
        self._parts.setStretchFactor(1, 1)
        column = QVBoxLayout(self)
        for widget in (self.message, self.bar):
            column.addWidget(widget)
        column.addWidget(self._parts, 1)
        column.addWidget(self.buttons)
        self.resize(1180, 760)
        self._parts.hide()
        self.copy.hide()
        self._run = run = Run("inspectscene", parameters, {"JSON": "", "PICTURE": ""}, load=False)
        run.ended.connect(self._ended)
        run.start()

    def closeEvent(self, event) -> None:
        """Called by Qt; the backend stops."""
        self._run.cancel()
        super().closeEvent(event)

    def _ended(self, successful: bool, text: str) -> None:
        if sip.isdeleted(self):
            return
        self.bar.hide()
        if successful:
            try:
                found = parse_inspection(Path(self._run.results["JSON"]).read_text(encoding="utf-8"))
            except (OSError, KeyError, ValueError) as error:
                self.message.setText(str(error))
                return
            self._show(found, str(self._run.results.get("PICTURE", "")))
        else:
            self.message.setText(text)

    def _show(self, found: Inspection, picture: str) -> None:
        self.inspection = found
        impossible = [row for row in found.rows if not row.well]
        said = [tr("Nothing was processed. This is what a run will assume.")]
        said += [tr("Warnings: {count}, see below.").format(count=len(found.warnings))] if found.warnings else []
        said += [f"{row.title}: {row.why}" for row in impossible]
        self.message.setText("\n".join(said))
        self.table.setRowCount(len(found.rows))
        for place, row in enumerate(found.rows):
            for column, text in enumerate((row.title, row.found, row.why)):
                item = QTableWidgetItem(_breakable(text))
                item.setToolTip(shown(text))
                item.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
                self.table.setItem(place, column, item)
        image = QPixmap(picture)
        if not image.isNull():
            width = min(_PICTURE_WIDTH, image.width())
            self.picture.setPixmap(image.scaledToWidth(width, Qt.TransformationMode.SmoothTransformation))
        self.picture.setVisible(not image.isNull())
        self.notes.setPlainText(visible("\n".join([*(f"! {text}" for text in found.warnings), *found.notes])))
        self._parts.show()
        self.copy.show()
        self.table.resizeRowsToContents()

    def _copy(self) -> None:
        if self.inspection is not None:
            QApplication.clipboard().setText(as_text(self.inspection))


def _breakable(text: str) -> str:
    """The text with places to break long names of files and folders at: Qt cuts a word that does not fit."""
    text = visible(text)
    for mark in "_/\\":
        text = text.replace(mark, f"{mark}\u200b")
    return text
