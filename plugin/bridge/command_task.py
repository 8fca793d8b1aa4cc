"""One backend command as a background task of QGIS, for dialogs that may be closed while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from qgis.core import Qgis, QgsMessageLog, QgsProcessingFeedback, QgsTask
from qgis.PyQt.QtCore import pyqtSignal

from ..compat import tr
from ..plain import shown
from .process import BackendError, Result, run_backend

LOG = "Sunbreak"

# QGIS keeps only a C++ pointer to a task; Python must keep a reference to its Python part.
_kept: set[CommandTask] = set()


class CommandTask(QgsTask):
    """Runs `sunbreak <arguments> --events`; QGIS shows its progress, and cancels it when it is closed.

    Args:
        title: Shown in QGIS's task manager.
        python: Interpreter of the backend.
        arguments: Command and options.
        environment: Further variables for the backend, such as QGIS's proxy.

    Attributes:
        result: Of a command that succeeded.
        code: Error code of a command that failed.
    """

    said = pyqtSignal(str)
    stepped = pyqtSignal(str)
    """How far the command is, such as ``3 / 12 scenes``."""
    ended = pyqtSignal(bool, str)
    """Whether it succeeded, and the message."""

    def __init__(
        self, title: str, python: Path, arguments: list[str], environment: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(title, QgsTask.Flag.CanCancel)
        self._python, self._arguments, self._environment = python, arguments, environment
        self.result: Result | None = None
        self.code = ""
        self._feedback = _Listener(self)
        self.last = ""
        self.warnings: list[str] = []
        self._error = ""
        _kept.add(self)

    def run(self) -> bool:
        """Run the command. It catches all exceptions: an exception out of this method would crash QGIS."""
        try:
            self.result = run_backend(self._python, self._arguments, self._feedback, environment=self._environment)
        except BackendError as error:
            self._error, self.code = str(error), error.code
        except Exception as error:
            self._error = tr("The backend could not be run: {error}.").format(error=error)
        return not self._error

    def cancel(self) -> None:
        """Called by a dialog, by QGIS's task manager, or by QGIS when it is closed."""
        self._feedback.cancel()
        super().cancel()

    def finished(self, result: bool) -> None:
        """Called by QGIS in the main thread; emits the outcome and logs it."""
        _kept.discard(self)
        text = "\n".join([self.last, *self.warnings]) if result else self._error or tr("Cancelled.")
        QgsMessageLog.logMessage(shown(text), LOG, Qgis.MessageLevel.Info if result else Qgis.MessageLevel.Warning)
        self.ended.emit(result, text)


class _Listener(QgsProcessingFeedback):
    def __init__(self, task: CommandTask) -> None:
        super().__init__(False)
        self._task = task
        self.progressChanged.connect(task.setProgress)

    def pushInfo(self, info: str) -> None:
        self._task.last = info
        self._task.said.emit(info)

    def pushWarning(self, warning: str) -> None:
        self._task.warnings.append(warning)

    def pushCommandInfo(self, info: str) -> None:
        """Not shown."""

    def setProgressText(self, text: str) -> None:
        """Only some dialogs show it: the steps of most commands are internal."""
        self._task.stepped.emit(text)
