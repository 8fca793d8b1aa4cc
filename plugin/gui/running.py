"""One algorithm in the background, for windows that are not Processing's own: progress, messages, layers in the map."""

from __future__ import annotations

import html
from typing import Any

from qgis.core import (
    QgsApplication,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterRasterDestination,
    QgsProject,
)
from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..compat import tr

TEMPORARY = "TEMPORARY_OUTPUT"


class Listener(QgsProcessingFeedback):
    """Feedback whose messages are signals, so that a window can show them whatever thread they come from."""

    said = pyqtSignal(str)
    failed = pyqtSignal(str)

    def __init__(self) -> None:
        super().__init__(False)

    def pushInfo(self, info: str) -> None:
        """Called by the algorithm."""
        super().pushInfo(info)
        self.said.emit(info)

    def setProgressText(self, text: str) -> None:
        """Called by the algorithm."""
        super().setProgressText(text)
        self.said.emit(text)

    def pushWarning(self, warning: str) -> None:
        """Called by the algorithm."""
        super().pushWarning(warning)
        self.said.emit(warning)

    def reportError(self, error: str, fatalError: bool = False) -> None:
        """Called by the algorithm."""
        super().reportError(error, fatalError)
        self.failed.emit(error)


class Run(QObject):
    """One run of an algorithm of Sunbreak.

    Args:
        algorithm: Its name without the provider's.
        parameters: Inputs and options; outputs that the dialog would make go into temporary files and into the map.
        only: Outputs to make instead.
    """

    progressed = pyqtSignal(float)
    said = pyqtSignal(str)
    ended = pyqtSignal(bool, str)
    """Whether it succeeded, and what to tell."""

    def __init__(self, algorithm: str, parameters: dict[str, Any], only: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"sunbreak:{algorithm}")
        self.context = QgsProcessingContext()
        self.context.setProject(QgsProject.instance())
        self._parameters = parameters | self._destinations(only)
        self._errors: list[str] = []
        self.feedback = Listener()
        self.feedback.progressChanged.connect(self.progressed)
        self.feedback.said.connect(self.said)
        self.feedback.failed.connect(self._errors.append)
        self.results: dict[str, Any] = {}
        self._task: QgsProcessingAlgRunnerTask | None = None

    def start(self) -> None:
        """Check the parameters and begin; what is wrong comes through `ended`."""
        fine, reason = self._algorithm.canExecute()
        if fine:
            fine, reason = self._algorithm.checkParameterValues(self._parameters, self.context)
        if not fine:
            self.ended.emit(False, reason)
            return
        self._task = QgsProcessingAlgRunnerTask(self._algorithm, self._parameters, self.context, self.feedback)
        self._task.executed.connect(self._finish)
        QgsApplication.taskManager().addTask(self._task)

    def cancel(self) -> None:
        """Ask it to stop; `ended` tells when it has."""
        self.feedback.cancel()

    def _destinations(self, only: tuple[str, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for output in self._algorithm.destinationParameterDefinitions():
            wanted = output.name() in only if only else output.createByDefault()
            if not wanted:
                continue
            raster = isinstance(output, QgsProcessingParameterRasterDestination)
            found[output.name()] = (
                QgsProcessingOutputLayerDefinition(TEMPORARY, self.context.project()) if raster else TEMPORARY
            )
        return found

    def _finish(self, successful: bool, results: dict[str, Any]) -> None:
        if not successful:
            cancelled = self.feedback.isCanceled()
            reason = self._errors[-1] if self._errors else tr("The run failed; see the log of Processing.")
            self.ended.emit(False, tr("Cancelled.") if cancelled else html.unescape(reason))
            return
        from processing.gui.Postprocessing import handleAlgorithmResults

        self.results = results
        handleAlgorithmResults(self._algorithm, self.context, self.feedback, parameters=self._parameters)
        self.ended.emit(True, tr("Done."))
