"""The dialog before a checkpoint is imported: file, name, and facts that the weights do not contain."""

from __future__ import annotations

import re
from pathlib import Path

from qgis.gui import QgsFileWidget
from qgis.PyQt.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QWidget

from ..compat import tr
from ..plain import plain_label

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class ImportDialog(QDialog):
    """File and name are needed, the rest is optional.

    Args:
        parent: The models window.
        taken: Names that exist already.
    """

    def __init__(self, parent: QWidget | None, taken: set[str]) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Import a checkpoint"))
        self._taken = taken
        self.file, self.config = QgsFileWidget(), QgsFileWidget()
        self.file.setDialogTitle(tr("Checkpoint"))
        self.file.setFilter(tr("Checkpoints (*.pth *.pt *.tar *.ckpt *.safetensors);;All files (*)"))
        self.config.setDialogTitle(tr("Configuration"))
        self.config.setFilter(tr("Configurations (*.json);;All files (*)"))
        self.config.setToolTip(
            tr("conf.json of an UnCRtainTS training, or JSON with the bands, classes and scaling of a classifier")
        )
        self.name, self.title, self.licence = QLineEdit(), QLineEdit(), QLineEdit()
        self.title.setPlaceholderText(tr("one-line description"))
        self.licence.setPlaceholderText(tr("licence of the weights, such as CC-BY-4.0 (empty: unknown)"))
        self.task = QComboBox()
        for text, value in (
            (tr("Detected from the checkpoint"), ""),
            (tr("Remove clouds"), "cloud-removal"),
            (tr("Classify land cover"), "land-cover"),
        ):
            self.task.addItem(text, value)
        self.trouble = plain_label()
        self.trouble.setWordWrap(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        form = QFormLayout(self)
        for text, widget in (
            (tr("&Checkpoint"), self.file),
            (tr("&Name"), self.name),
            (tr("&Task"), self.task),
            (tr("T&itle"), self.title),
            (tr("&Licence"), self.licence),
            (tr("C&onfiguration"), self.config),
        ):
            label = plain_label(text)
            label.setBuddy(widget)
            form.addRow(label, widget)
        form.addRow(self.trouble)
        form.addRow(self.buttons)
        self.file.fileChanged.connect(self._propose)
        self.config.fileChanged.connect(lambda _: self._check())
        self.name.textChanged.connect(lambda _: self._check())
        self.resize(520, self.sizeHint().height())
        self._check()

    def arguments(self) -> list[str]:
        """The backend's command line."""
        found = ["models", "import", self.file.filePath(), "--name", self.name.text().strip()]
        for option, value in (
            ("--task", self.task.currentData()),
            ("--title", self.title.text().strip()),
            ("--licence", self.licence.text().strip()),
            ("--config", self.config.filePath()),
        ):
            found += [option, value] if value else []
        return found

    def _propose(self, file: str) -> None:
        if not self.name.text():
            self.name.setText(re.sub(r"[^A-Za-z0-9._-]+", "-", Path(file).name.partition(".")[0]).strip("-"))
        self._check()

    def _check(self) -> None:
        """Show what is missing, and enable OK once nothing is."""
        trouble, name = "", self.name.text().strip()
        if not Path(self.file.filePath()).is_file() or not self.file.filePath():
            trouble = tr("Choose the checkpoint file.")
        elif not _NAME.fullmatch(name):
            trouble = tr("A name may contain letters, digits, dots, dashes and underscores.")
        elif name in self._taken:
            trouble = tr("A model {name} exists already.").format(name=name)
        elif self.config.filePath() and not Path(self.config.filePath()).is_file():
            trouble = tr("The configuration file does not exist.")
        self.trouble.setText(trouble)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(not trouble)
