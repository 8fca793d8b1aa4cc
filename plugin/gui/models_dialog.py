"""The models of the backend: list, card, import of a checkpoint, deletion of one's own."""

from __future__ import annotations

from pathlib import Path

from qgis.PyQt import sip
from qgis.PyQt.QtCore import QProcess, Qt, pyqtSignal
from qgis.PyQt.QtGui import QFontDatabase
from qgis.PyQt.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from ..bridge.environment import backend_environment
from ..bridge.models import Model, ask_for_models
from ..compat import tr
from ..settings import BackendMissingError, backend_python


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
        self._process: QProcess | None = None
        self._wanted = ""
        self.list = QListWidget()
        self.list.currentItemChanged.connect(lambda *_: self._show_card())
        self.card = QPlainTextEdit()
        self.card.setReadOnly(True)
        self.card.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.add = QPushButton(tr("&Import a checkpoint…"))
        self.add.clicked.connect(lambda _=False: self._choose_file())
        self.remove = QPushButton(tr("&Delete…"))
        self.remove.clicked.connect(lambda _=False: self._ask_delete())
        self.remove.setEnabled(False)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        label = QLabel(tr("&Models"))
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
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.reject)
        whole = QVBoxLayout(self)
        whole.addWidget(split, 1)
        whole.addWidget(self.message)
        whole.addWidget(close)
        self.resize(900, 520)
        self.refresh()

    def refresh(self, wanted: str = "") -> None:
        """Ask the backend again; the model `wanted` is chosen when it is there."""
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

    def import_checkpoint(self, file: Path, name: str) -> None:
        """Have the backend check and import a checkpoint; what it says is shown."""
        self._start(["models", "import", str(file), "--name", name], tr("Importing {name}…").format(name=name), name)

    def delete(self, name: str) -> None:
        """Have the backend delete a model of the user."""
        self._start(["models", "delete", name], tr("Deleting {name}…").format(name=name), "")

    def _start(self, arguments: list[str], said: str, wanted: str) -> None:
        if self._process is not None:
            return
        python = backend_python()
        self._process = process = QProcess(self)
        process.setProcessEnvironment(backend_environment(python))
        process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        process.finished.connect(lambda code, *_: self._finished(code, wanted))
        self.message.setText(said)
        self._show_busy()
        process.start(str(python), ["-I", "-u", "-m", "sunbreak", *arguments])

    def _finished(self, code: int, wanted: str) -> None:
        process, self._process = self._process, None
        text = bytes(process.readAllStandardOutput()).decode("utf-8", errors="replace").strip()
        process.deleteLater()
        self.message.setText(text)
        self._show_busy()
        if code == 0:
            self.changed.emit()
            self.refresh(wanted)

    def _show_busy(self) -> None:
        self.add.setEnabled(self._process is None)
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
            item.setToolTip(model.title)
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
        self.remove.setEnabled(model is not None and model.own and self._process is None)

    def _choose_file(self) -> None:
        kinds = tr("Checkpoints (*.pth *.pt *.tar *.ckpt *.safetensors);;All files (*)")
        file, _ = QFileDialog.getOpenFileName(self, tr("Checkpoint"), "", kinds)
        if not file:
            return
        proposed = Path(file).name.partition(".")[0]
        name, fine = QInputDialog.getText(self, tr("Import"), tr("Name of the model"), text=proposed)
        if fine and name:
            self.import_checkpoint(Path(file), name)

    def _ask_delete(self) -> None:
        name = self._name()
        answer = QMessageBox.question(
            self, tr("Delete"), tr("Delete the model {name} with its weights?").format(name=name)
        )
        if answer == QMessageBox.StandardButton.Yes:
            self.delete(name)
