"""The pages of the backend dialog: online installation, offline installation, existing Python."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from qgis.gui import QgsFileWidget
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ..bridge.install_plan import Wheels, read_wheels
from ..bridge.install_python import Python, probe
from ..bridge.installed import home, interpreter_of
from ..builds import build_name
from ..compat import tr
from .build_choice import BuildChoice
from .wrapped import wrapped


class InstallPage(QWidget):
    """Python, build and required disk space."""

    changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.title = tr("&Install")
        self.python = QComboBox()
        self.python.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.python.setMinimumContentsLength(34)
        self.other = QPushButton(tr("O&ther…"))
        self.other.setToolTip(tr("Choose another Python 3.10 to 3.13"))
        self.build = BuildChoice()
        self.keep = QCheckBox(tr("&Keep finished downloads when I cancel"))
        self.room, self.trouble = wrapped(), wrapped()
        row = QHBoxLayout()
        row.addWidget(self.python, 1)
        row.addWidget(self.other)
        form = QFormLayout()
        form.addRow(tr("&Python:"), row)
        form.labelForField(row).setBuddy(self.python)
        layout = QVBoxLayout(self)
        layout.addWidget(
            wrapped(
                tr(
                    "Installs the backend into a separate Python environment in your QGIS profile. Nothing is "
                    "installed into QGIS itself."
                )
            )
        )
        layout.addLayout(form)
        for widget in (self.build, self.keep, self.room, self.trouble):
            layout.addWidget(widget)
        self.trouble.setVisible(False)
        layout.addStretch(1)
        self.python.addItem(tr("Searching for Python…"))
        self.python.setEnabled(False)
        self.other.clicked.connect(self._choose)
        self.build.changed.connect(self._follow)
        self._follow()

    @property
    def action(self) -> str:
        """What the button does: install a backend, or add packages to the installed one."""
        if not self.build.adds():
            return tr("Install")
        return tr("Add PyTorch") if self.build.chosen().has_torch else tr("Add the networks")

    def offer_pythons(self, found: list[Python]) -> None:
        """Fill the list of interpreters."""
        self.python.clear()
        for python in found:
            self.python.addItem(python.text, python)
        self.python.setEnabled(bool(found))
        if not found:
            self.python.addItem(tr("none found"))
            self._warn(
                tr(
                    "No Python 3.10 to 3.13 was found. Install one, for example from {link}, then open this window "
                    "again. "
                    "QGIS's own Python cannot be used: what is installed into it can break other plugins."
                ).format(link="python.org/downloads")
            )
        self.changed.emit()

    def chosen_python(self) -> Python | None:
        """The selected interpreter."""
        return self.python.currentData()

    def ready(self) -> bool:
        """Whether everything is chosen."""
        return self.chosen_python() is not None

    def _follow(self) -> None:
        new, folder = self.build.new_part(), home()
        there = next(parent for parent in (folder, *folder.parents) if parent.is_dir())
        said = (
            tr("Adds about {download:.1f} GB of downloads and {disk:.1f} GB on disk in {folder} ({free:.0f} GB free).")
            if self.build.adds()
            else tr("Downloads about {download:.1f} GB and takes about {disk:.1f} GB in {folder} ({free:.0f} GB free).")
        )
        free = shutil.disk_usage(there).free / 1e9
        self.room.setText(
            said.format(download=new.download_mb / 1000, disk=new.disk_mb / 1000, folder=folder, free=free)
        )
        self.changed.emit()

    def _warn(self, text: str) -> None:
        self.trouble.setText(text)
        self.trouble.setVisible(bool(text))

    def _choose(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, tr("Choose a Python 3.10 to 3.13"))
        if path:
            probe(Path(path), self._take)

    def _take(self, python: Python | None) -> None:
        if python is None or not python.suits:
            self._warn(tr("This is not a Python 3.10 to 3.13 that can create an environment."))
            return
        self._warn("")
        if not self.python.isEnabled():
            self.python.clear()
        self.python.addItem(python.text, python)
        self.python.setCurrentIndex(self.python.count() - 1)
        self.python.setEnabled(True)
        self.changed.emit()


class OfflinePage(QWidget):
    """Installation from a folder of wheels."""

    changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.title, self.action = tr("Install &offline"), tr("Install from this folder")
        self._pythons: list[Python] = []
        self.wheels = Wheels(frozenset(), 0.0, None, "")
        self.folder = QgsFileWidget()
        self.folder.setStorageMode(QgsFileWidget.StorageMode.GetDirectory)
        self.folder.setDialogTitle(tr("Folder of wheels"))
        self.found = wrapped()
        self.prepare = QPushButton(tr("Prepare &such a folder here…"))
        self.prepare.setToolTip(tr("Downloads all packages for the Python and the build chosen under Install"))
        form = QFormLayout()
        form.addRow(tr("&Folder of wheels:"), self.folder)
        layout = QVBoxLayout(self)
        layout.addWidget(
            wrapped(
                tr(
                    "For machines without a network. Prepare the folder on a machine with a network and the same "
                    "operating system, processor and Python version."
                )
            )
        )
        layout.addLayout(form)
        layout.addWidget(self.found)
        layout.addStretch(1)
        layout.addWidget(self.prepare, 0, Qt.AlignmentFlag.AlignRight)
        self.folder.fileChanged.connect(lambda _: self._look())

    def offer_pythons(self, found: list[Python]) -> None:
        """Set the interpreters of this machine; the wheels decide which one is used."""
        self._pythons = found
        self._look()

    def chosen_python(self) -> Python | None:
        """An interpreter of the Python version of the wheels."""
        wanted = self.wheels.python
        return next((python for python in self._pythons if wanted in {None, python.version[:2]}), None)

    def ready(self) -> bool:
        """Whether the folder is complete."""
        return bool(self.wheels.names) and not self.wheels.lacks and self.chosen_python() is not None

    def _look(self) -> None:
        path = self.folder.filePath()
        self.wheels = wheels = read_wheels(Path(path)) if path else Wheels(frozenset(), 0.0, None, "")
        python = self.chosen_python()
        if not path:
            text = ""
        elif wheels.lacks:
            text = tr("This folder has no wheels of {names}.").format(names=", ".join(wheels.lacks))
        else:
            text = tr("{count} packages, {size:.0f} MB: {build}.").format(
                count=len(wheels.names), size=wheels.megabytes, build=build_name(wheels.variant)
            )
            version = ".".join(map(str, wheels.python or ()))
            if python is not None:
                text += " " + tr("It will be installed with {python}.").format(python=python.text)
            else:
                text += " " + tr("They are for Python {version}, which was not found on this machine.").format(
                    version=version
                )
        self.found.setText(text)
        self.changed.emit()


class ExistingPage(QWidget):
    """Use an interpreter that already has the backend."""

    changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.title, self.action = tr("Use an existing &Python"), tr("Check and use")
        self.path = QComboBox()
        self.path.setEditable(True)
        self.path.addItem("")
        self.path.addItems(conda_environments())
        self.path.lineEdit().setPlaceholderText(tr("interpreter, or folder of a virtual or conda environment"))
        self.browse = QPushButton(tr("&Browse…"))
        row = QHBoxLayout()
        row.addWidget(self.path, 1)
        row.addWidget(self.browse)
        form = QFormLayout()
        form.addRow(tr("&Environment:"), row)
        form.labelForField(row).setBuddy(self.path)
        layout = QVBoxLayout(self)
        layout.addWidget(
            wrapped(
                tr(
                    "Uses a Python or conda environment that you maintain yourself. Its version, its packages and "
                    "its backend are checked first."
                )
            )
        )
        layout.addLayout(form)
        layout.addStretch(1)
        self.path.currentTextChanged.connect(lambda _: self.changed.emit())
        self.browse.clicked.connect(self._choose)

    def interpreter(self) -> Path:
        """The chosen interpreter; for a folder, the interpreter of that environment."""
        path = Path(os.path.expandvars(self.path.currentText().strip())).expanduser()
        return interpreter_of(path) if path.is_dir() else path

    def ready(self) -> bool:
        """Whether there is something to check."""
        return bool(self.path.currentText().strip())

    def _choose(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, tr("Choose a Python that has the backend"))
        if path:
            self.path.setEditText(path)


def conda_environments() -> list[str]:
    """Existing conda environments of this user, from conda's own list."""
    listed = Path.home() / ".conda" / "environments.txt"
    if not listed.is_file():
        return []
    lines = listed.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line.strip() for line in lines if line.strip() and interpreter_of(Path(line.strip())).is_file()]
