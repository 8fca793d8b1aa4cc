"""Runs installations, removals and checks as background tasks of QGIS, one at a time, whatever dialog watches."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from qgis.core import Qgis, QgsApplication, QgsMessageLog, QgsTask
from qgis.PyQt.QtCore import pyqtSignal

from ..compat import tr
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
        """Do the work; nothing may leave this method as an exception, because it would end QGIS."""
        try:
            self.result = self._work(self)
        except BackendError as error:
            self.error = error
        except Exception as error:
            self.log(traceback.format_exc())
            self.error = BackendError(
                tr("The installation failed: {error}.").format(error=error),
                tr("Please report it with the text of the log."),
                "install-internal",
            )
        return self.error is None

    def finished(self, result: bool) -> None:
        """Called by QGIS in the main thread; tells those who wait, and the log."""
        global _running
        if _running is self:
            _running = None
        if self.error is None and not result:
            self.error = cancelled()  # before it had begun
        if self.error is not None:
            QgsMessageLog.logMessage(str(self.error), LOG, Qgis.MessageLevel.Warning)
        elif self.text:
            QgsMessageLog.logMessage(self.text, LOG, Qgis.MessageLevel.Info)
        self.ended.emit()
        clean_up()

    def stand(self, fraction: float, text: str) -> None:
        """Where it stands; an empty text leaves the last one."""
        text = text or self.text
        fraction = round(fraction, 6)  # sums of parts end a hair above what comes next
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
    """Deletes what was discarded, with patience; stops when QGIS is closed and is taken up again later."""

    def __init__(self) -> None:
        super().__init__(tr("Deleting old files of the Sunbreak backend"), QgsTask.Flag.CanCancel)
        self._root = installed.home()

    def run(self) -> bool:
        """Delete."""
        installed.empty_trash(self._root, self.isCanceled)
        return True

    def finished(self, result: bool) -> None:
        """Make way for the next one."""
        global _cleaning
        _cleaning = None


_running: BackendTask | None = None
_cleaning: _CleaningTask | None = None


def clean_up() -> None:
    """Delete in the background what was discarded, now or by an earlier QGIS."""
    global _cleaning
    if _cleaning is None and installed.trash():
        _cleaning = _CleaningTask()
        QgsApplication.taskManager().addTask(_cleaning)


def running() -> BackendTask | None:
    """The task that is at work, if any."""
    return _running


def start(title: str, work: Callable[[BackendTask], Any]) -> BackendTask:
    """Start work in the background.

    Raises:
        BackendError: Something else is at work.
    """
    global _running
    if _running is not None:
        raise BackendError(tr("Something else is being done with the backend."), tr("Wait until it is done."))
    _running = BackendTask(title, work)
    QgsApplication.taskManager().addTask(_running)
    return _running
