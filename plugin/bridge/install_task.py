"""Runs installations, removals and checks as background tasks of QGIS, one at a time."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from qgis.core import Qgis, QgsApplication, QgsMessageLog, QgsTask
from qgis.PyQt.QtCore import pyqtSignal

from ..compat import tr
from ..plain import shown
from . import installed
from .install_errors import cancelled
from .process import BackendError

LOG = "Sunbreak"


class BackendTask(QgsTask):
    """Work on a backend; the task is the `Watcher` of what it runs.

    Args:
        title: Shown in QGIS's task manager.
        work: Called with this task in a background thread.
    """

    stood = pyqtSignal(float, str)
    logged = pyqtSignal(str)
    ended = pyqtSignal()

    def __init__(self, title: str, work: Callable[[BackendTask], Any]) -> None:
        super().__init__(title, QgsTask.Flag.CanCancel)
        self._work = work
        self.result: Any = None
        self.error: BackendError | None = None
        self.fraction = 0.0
        self.text = ""
        self.lines: list[str] = []

    def run(self) -> bool:
        """Do the work. It catches all exceptions: an exception out of this method would crash QGIS."""
        try:
            self.result = self._work(self)
        except BackendError as error:
            self.error = error
        except Exception as error:
            self.log(traceback.format_exc())
            self.error = BackendError(
                tr("The installation failed: {error}.").format(error=error),
                tr("Internal error. Please report it with the text of the log."),
                "install-internal",
            )
        return self.error is None

    def finished(self, result: bool) -> None:
        """Called by QGIS in the main thread; emits the outcome and logs it."""
        global _running
        if _running is self:
            _running = None
        if self.error is None and not result:
            self.error = cancelled()  # before it started
        if self.error is not None:
            QgsMessageLog.logMessage(shown(str(self.error)), LOG, Qgis.MessageLevel.Warning)
        elif self.text:
            QgsMessageLog.logMessage(shown(self.text), LOG, Qgis.MessageLevel.Info)
        self.ended.emit()
        clean_up()

    def stand(self, fraction: float, text: str) -> None:
        """Report progress; an empty text keeps the last one."""
        text = text or self.text
        fraction = round(fraction, 6)  # rounding errors of sums would make progress go backwards
        if (fraction, text) != (self.fraction, self.text):
            self.fraction, self.text = fraction, text
            self.setProgress(100 * fraction)
            self.stood.emit(fraction, text)

    def log(self, line: str) -> None:
        """A line for the log of the dialog."""
        self.lines.append(line)
        self.logged.emit(line)

    def stopped(self) -> bool:
        """Whether the user cancelled it, in the dialog or in QGIS's task manager, or QGIS is being closed."""
        return self.isCanceled()


class _CleaningTask(QgsTask):
    """Deletes discarded folders; stops when QGIS is closed and resumes in a later session."""

    def __init__(self) -> None:
        super().__init__(tr("Deleting old files of the Sunbreak backend"), QgsTask.Flag.CanCancel)
        self._root = installed.home()

    def run(self) -> bool:
        """Delete."""
        installed.empty_trash(self._root, self.isCanceled)
        return True

    def finished(self, result: bool) -> None:
        """Allow the next cleaning task."""
        global _cleaning
        _cleaning = None


_running: BackendTask | None = None
_cleaning: _CleaningTask | None = None


def clean_up() -> None:
    """Delete discarded folders in the background, also those of an earlier session."""
    global _cleaning
    if _cleaning is None and installed.trash():
        _cleaning = _CleaningTask()
        QgsApplication.taskManager().addTask(_cleaning)


def running() -> BackendTask | None:
    """The running task, if any."""
    return _running


def start(title: str, work: Callable[[BackendTask], Any]) -> BackendTask:
    """Start a task in the background.

    Raises:
        BackendError: Another task is running.
    """
    global _running
    if _running is not None:
        raise BackendError(tr("Another task is using the backend."), tr("Wait until it has finished."))
    _running = BackendTask(title, work)
    QgsApplication.taskManager().addTask(_running)
    return _running
