"""Runs one algorithm in the background for the panel: progress, messages, layers in the map."""

from __future__ import annotations

import html
from collections.abc import Mapping
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

from ..bridge.kept import KeptBackend
from ..classes import area_lines
from ..compat import tr

TEMPORARY = "TEMPORARY_OUTPUT"


class Listener(QgsProcessingFeedback):
    """Feedback that emits messages as signals, so that a widget can show them from any thread.

    Args:
        kept: Runs the backend's command, see `run_backend`.
    """

    said = pyqtSignal(str)
    warned = pyqtSignal(str)
    failed = pyqtSignal(str)

    def __init__(self, kept: KeptBackend | None = None) -> None:
        super().__init__(False)
        self.kept = kept

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
        self.warned.emit(warning)

    def reportError(self, error: str, fatalError: bool = False) -> None:
        """Called by the algorithm."""
        super().reportError(error, fatalError)
        self.failed.emit(error)


class Run(QObject):
    """One run of an algorithm of Sunbreak.

    Args:
        algorithm: Its name without the provider.
        parameters: Inputs and options; default outputs become temporary files and are loaded.
        only: Outputs to create instead, with their layer names; they are placed on top of the layer tree.
        load: Whether layers are loaded and reports are listed by QGIS.
        kept: Runs the backend's command; without it the command is a process of its own.
    """

    progressed = pyqtSignal(float)
    said = pyqtSignal(str)
    warned = pyqtSignal(str)
    """A warning of the backend or the plugin: unlike what is `said`, it should stay to be seen after the run."""
    ended = pyqtSignal(bool, str)
    """Whether it succeeded, and the message."""

    def __init__(
        self,
        algorithm: str,
        parameters: dict[str, Any],
        only: Mapping[str, str] | None = None,
        *,
        load: bool = True,
        kept: KeptBackend | None = None,
    ) -> None:
        super().__init__()
        self._algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"sunbreak:{algorithm}")
        self.context = QgsProcessingContext()
        self.context.setProject(QgsProject.instance())
        self._only = only or {}
        self._load = load
        self._parameters = parameters | self._destinations(self._only)
        self._errors: list[str] = []
        self.feedback = Listener(kept)
        self.feedback.progressChanged.connect(self.progressed)
        self.feedback.said.connect(self.said)
        self.feedback.warned.connect(self.warned)
        self.feedback.failed.connect(self._errors.append)
        self.results: dict[str, Any] = {}
        self._task: QgsProcessingAlgRunnerTask | None = None

    @property
    def is_preview(self) -> bool:
        """Whether it creates chosen outputs instead of the default outputs."""
        return bool(self._only)

    def start(self) -> None:
        """Check the parameters and start; errors are emitted by `ended`."""
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
        """Cancel the run; `ended` is emitted when it has stopped."""
        self.feedback.cancel()

    def summary(self, text: str) -> str:
        """The message after a successful run: which fraction was cloudy and in shadow, where that is known.

        Args:
            text: The message otherwise.
        """
        cloudy, shadow = (self.results.get(name) for name in ("CLOUD_SHARE", "SHADOW_SHARE"))
        if isinstance(cloudy, (int, float)):
            said = (
                tr("Done: {share} % of the preview was cloudy.")
                if self.is_preview
                else tr("Done: {share} % of the scene was cloudy.")
            )
            text = said.format(share=f"{100 * cloudy:.1f}")
        if shadow:
            text += " " + tr("{share} % lay in shadow.").format(share=f"{100 * shadow:.1f}")
        return text

    def areas(self) -> list[str]:
        """Lines with the area of each class after a successful run; none if nothing was classified."""
        reconstructed = self.results.get("RECONSTRUCTED_EVIDENCE", self.results.get("RECONSTRUCTED_SHARE"))
        return area_lines(self.results.get("AREAS"), reconstructed)

    def _destinations(self, only: Mapping[str, str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for output in self._algorithm.destinationParameterDefinitions():
            wanted = output.name() in only if only else output.createByDefault()
            if not wanted:
                continue
            found[output.name()] = TEMPORARY
            if isinstance(output, QgsProcessingParameterRasterDestination):
                found[output.name()] = layer = QgsProcessingOutputLayerDefinition(TEMPORARY, self.context.project())
                layer.destinationName = only.get(output.name(), "")
        return found

    def _finish(self, successful: bool, results: dict[str, Any]) -> None:
        if not successful:
            cancelled = self.feedback.isCanceled()
            reason = self._errors[-1] if self._errors else tr("The run failed. See the Processing log.")
            self.ended.emit(False, tr("Cancelled.") if cancelled else html.unescape(reason))
            return
        self.results = results
        if not self._load:
            self.ended.emit(True, tr("Done."))
            return
        from processing.gui.Postprocessing import handleAlgorithmResults

        handleAlgorithmResults(self._algorithm, self.context, self.feedback, parameters=self._parameters)
        if self._only:
            _put_on_top(self.context.project(), {str(results.get(name)) for name in self._only})
        self.ended.emit(True, tr("Done."))


def _put_on_top(project: QgsProject, sources: set[str]) -> None:
    """Move layers from the group that QGIS put them into to the top of the layer tree."""
    root = project.layerTreeRoot()
    for node in root.findLayers():
        if node.layer() is not None and node.layer().source() in sources:
            root.insertChildNode(0, node.clone())
            node.parent().removeChildNode(node)
