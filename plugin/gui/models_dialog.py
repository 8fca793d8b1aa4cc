"""The models dialog: list, card, import of a checkpoint, deletion of the user's models."""

from __future__ import annotations

from qgis.core import QgsApplication
from qgis.PyQt import sip
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtGui import QFontDatabase
from qgis.PyQt.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from ..bridge.command_task import CommandTask
from ..bridge.models import Model, ask_for_models
from ..compat import tr
from ..plain import plain_label, shown
from ..settings import BackendMissingError, backend_python
from .import_dialog import ImportDialog

_task: CommandTask | None = None


def running() -> CommandTask | None:
    """The running import or deletion; it continues when the dialog is closed."""
    return _task


def stop() -> None:
    """Cancel the running task when the plugin is unloaded."""
    if _task is not None:
        _task.cancel()


class ModelsDialog(QDialog):
    """A list on the left, the chosen model's card on the right.

    Args:
        parent: QGIS's window.
    """

    changed = pyqtSignal()
    """A model was imported or deleted."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Sunbreak: models"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._models: tuple[Model, ...] = ()
        self._wanted = ""
        self.list = QListWidget()
        self.list.currentItemChanged.connect(lambda *_: self._show_card())
        self.card = QPlainTextEdit()
        self.card.setReadOnly(True)
        self.card.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.message = plain_label()
        self.message.setWordWrap(True)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.add = QPushButton(tr("&Import a checkpoint…"))
        self.add.clicked.connect(lambda _=False: self._ask_import())
        self.remove = QPushButton(tr("&Delete…"))
        self.remove.clicked.connect(lambda _=False: self._ask_delete())
        self.remove.setEnabled(False)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        label = plain_label(tr("&Models"))
        label.setBuddy(self.list)
        column.addWidget(label)
        column.addWidget(self.list)
        row = QHBoxLayout()
        row.addWidget(self.add)
        row.addWidget(self.remove)
        column.addLayout(row)
        split = QSplitter()
        split.addWidget(left)
        split.addWidget(self.card)
        split.setStretchFactor(1, 2)
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.cancel = QPushButton(tr("&Cancel"))
        self.cancel.clicked.connect(lambda _=False: stop())
        busy = QHBoxLayout()
        busy.addWidget(self.bar, 1)
        busy.addWidget(self.cancel)
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.reject)
        whole = QVBoxLayout(self)
        whole.addWidget(split, 1)
        whole.addLayout(busy)
        whole.addWidget(self.message)
        whole.addWidget(close)
        self.resize(900, 520)
        self._show_busy()
        if _task is not None:
            self._follow(_task, "")
        self.refresh()

    def refresh(self, wanted: str = "") -> None:
        """Query the backend again, then select the model `wanted`."""
        self._wanted = wanted or self._name()
        try:
            ask_for_models(backend_python(), "", self._take)
        except BackendMissingError as error:
            self.message.setText(str(error))
            self.add.setEnabled(False)

    def choose(self, name: str) -> None:
        """Show one model's card."""
        self._wanted = name
        self._select()

    def start(self, arguments: list[str], said: str, wanted: str = "") -> None:
        """Import or delete a model in the background and show the outcome.

        Args:
            arguments: Of the backend's command line.
            said: Message shown meanwhile.
            wanted: The model to select afterwards.
        """
        global _task
        if _task is not None:
            return
        try:
            _task = CommandTask(said, backend_python(), arguments)
        except BackendMissingError as error:
            self.message.setText(str(error))
            return
        _task.ended.connect(_forget)
        self.message.setText(said)
        self._follow(_task, wanted)
        QgsApplication.taskManager().addTask(_task)

    def _follow(self, task: CommandTask, wanted: str) -> None:
        task.ended.connect(lambda successful, text: sip.isdeleted(self) or self._finished(successful, text, wanted))
        self._show_busy()

    def _finished(self, successful: bool, text: str, wanted: str) -> None:
        self.message.setText(text)
        self._show_busy()
        if successful:
            self.changed.emit()
            self.refresh(wanted)

    def _show_busy(self) -> None:
        self.add.setEnabled(_task is None)
        for widget in (self.bar, self.cancel):
            widget.setVisible(_task is not None)
        self._show_card()

    def _take(self, models: tuple[Model, ...]) -> None:
        if sip.isdeleted(self):
            return
        self._models = models
        self.list.clear()
        for model in models:
            text = tr("{name} (default)").format(name=model.name) if model.default else model.name
            item = QListWidgetItem(text)
            item.setData(Qt.ItemDataRole.UserRole, model.name)
            item.setToolTip(shown(model.title))
            self.list.addItem(item)
        self._select()

    def _select(self) -> None:
        rows = [row for row in range(self.list.count()) if self._name(row) == self._wanted]
        self.list.setCurrentRow(rows[0] if rows else 0)

    def _name(self, row: int | None = None) -> str:
        item = self.list.currentItem() if row is None else self.list.item(row)
        return item.data(Qt.ItemDataRole.UserRole) if item is not None else ""

    def _show_card(self) -> None:
        model = next((m for m in self._models if m.name == self._name()), None)
        self.card.setPlainText("\n".join(model.card) if model is not None else "")
        self.remove.setEnabled(model is not None and model.own and _task is None)

    def _ask_import(self) -> None:
        dialog = ImportDialog(self, {model.name for model in self._models})
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._import(dialog))
        dialog.open()

    def _import(self, dialog: ImportDialog) -> None:
        name = dialog.name.text().strip()
        self.start(dialog.arguments(), tr("Importing {name}…").format(name=name), name)

    def _ask_delete(self) -> None:
        name = self._name()
        answer = QMessageBox.question(
            self, tr("Delete"), shown(tr("Delete the model {name} with its weights?").format(name=name))
        )
        if answer == QMessageBox.StandardButton.Yes:
            self.start(["models", "delete", name], tr("Deleting {name}…").format(name=name))


def _forget(*_: object) -> None:
    global _task
    _task = None
