"""The base of the algorithms over several scenes: a folder of results, a summary, and work in parallel."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputFile,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterNumber,
)

from .. import settings
from ..bridge.process import BackendError, Result, run_backend
from ..compat import INTEGER, tr
from ..outputs import OutputError
from ..scheduler import SchedulerError
from ..sources import SourceError
from .declarations import OUTPUT
from .masking import MaskingAlgorithm
from .remove_clouds import SECONDS

WORKERS = "WORKERS"
KEEP = "KEEP"
LOAD = "LOAD"
DONE, FAILED, SKIPPED = "DONE", "FAILED", "SKIPPED"
SUMMARY = "SUMMARY"

_NO_PACKAGE = "not-installed"  # error code of the backend


class SeveralAlgorithm(MaskingAlgorithm):
    """A command over several scenes. Each gets a folder of its own in the output folder, and a summary lists all."""

    inputs = ()
    visible = ()
    roles = {}  # noqa: RUF012 (the layers of each scene lie in the output folder)
    rasters = {}  # noqa: RUF012
    numbers = {DONE: "done", FAILED: "failed", SKIPPED: "skipped", SECONDS: "seconds"}  # noqa: RUF012

    def add_workers(self) -> None:
        """Declare how many scenes are processed at the same time, an advanced parameter."""
        self.add_advanced(
            QgsProcessingParameterNumber(
                WORKERS,
                tr("Run in parallel: workers on this machine (1: one after the other)"),
                INTEGER,
                defaultValue=1,
                minValue=1,
                maxValue=max(2, os.cpu_count() or 1),
            )
        )

    def add_results(
        self, folder: str, keep: str, load: str, titles: dict[str, str], *, some_failed: str, all_failed: str
    ) -> None:
        """Declare the output folder, what is done with it, and the numbers.

        Args:
            folder: Displayed name of the output folder.
            keep: Displayed name of `KEEP`.
            load: Displayed name of `LOAD`.
            titles: Displayed names of `DONE`, `FAILED`, `SKIPPED` and `SUMMARY`.
            some_failed: Warning if some scenes failed, with the places of `failed`, `count` and `summary`.
            all_failed: Error if all of them did, with the place of their `count`.
        """
        self._some_failed, self._all_failed = some_failed, all_failed
        self.addParameter(QgsProcessingParameterBoolean(KEEP, keep, defaultValue=True))
        self.addParameter(QgsProcessingParameterBoolean(LOAD, load, defaultValue=True))
        self.addParameter(QgsProcessingParameterFolderDestination(OUTPUT, folder))
        self.add_destinations({**titles, SECONDS: tr("Run time in seconds")}, shown=())
        self.addOutput(QgsProcessingOutputFile(SUMMARY, titles[SUMMARY]))

    def check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Refuse settings that cannot be used.

        Raises:
            SourceError: The scheduler in the settings has no address.
        """
        try:
            settings.scheduler()
        except SchedulerError as error:
            raise SourceError(str(error)) from error

    def prepareAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read the layers in the main thread. Models call this without `checkParameterValues`."""
        try:
            self.check(parameters, context)
            options = [
                *self.scenes(parameters, context),
                *self.arguments(parameters, context),
                *self.reading(parameters, context),
            ]
            self._scheduler = settings.scheduler()
        except (SourceError, OutputError, SchedulerError) as error:
            raise QgsProcessingException(str(error)) from error
        options.append("--resume" if self.parameterAsBoolean(parameters, KEEP, context) else "--overwrite")
        workers = self.parameterAsInt(parameters, WORKERS, context)
        if self._scheduler:
            options += ["--executor", "dask", "--scheduler", self._scheduler]
        elif workers > 1:
            options += ["--executor", "dask", "--workers", str(workers)]
        self._arguments = [self.command, *options]
        return True

    def processAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Run the backend into the output folder. Scenes that are finished stay there if the run is stopped."""
        target = Path(self.parameterAsFileOutput(parameters, OUTPUT, context)).absolute()
        if self._scheduler:
            feedback.pushInfo(
                tr(
                    "The scenes go to the dask scheduler at {address}, which is set in Settings > Options > "
                    "Processing > Providers > Sunbreak. No workers are started on this machine."
                ).format(address=self._scheduler)
            )
        try:
            result = run_backend(
                settings.backend_python(), [*self._arguments, "-o", str(target)], feedback, several=True
            )
        except BackendError as error:
            raise QgsProcessingException(_in_qgis(error)) from error
        except settings.BackendMissingError as error:
            raise QgsProcessingException(str(error)) from error
        outputs: dict[str, Any] = {OUTPUT: str(target), **self.figures(result)}
        if "summary" in result.numbers:
            outputs[SUMMARY] = str(result.numbers["summary"])
        failed, others = outputs.get(FAILED, 0), outputs.get(DONE, 0) + outputs.get(SKIPPED, 0)
        if failed and not others:
            raise QgsProcessingException(self._all_failed.format(count=failed))
        if failed:
            summary = outputs.get(SUMMARY, target)
            feedback.pushWarning(self._some_failed.format(failed=failed, count=failed + others, summary=summary))
        if self.parameterAsBoolean(parameters, LOAD, context) and context.project() is not None:
            self.load_scenes(result, context, feedback)
        return outputs

    def scenes(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[str]:
        """The scenes on the command line, and options about them alone.

        Raises:
            SourceError: An input is not a local file.
        """
        return []

    def load_scenes(self, result: Result, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> None:
        """Have Processing load layers of the scenes after the run; none, unless a subclass chooses some."""


def parallel_help() -> str:
    """The paragraph about workers in the help of an algorithm."""
    return tr(
        "In parallel, several scenes are processed at the same time. Each worker needs memory for a scene of its "
        "own, and gets its share of the cores. With a dask scheduler in Settings > Options > Processing > "
        "Providers > Sunbreak, the workers of its cluster process the scenes; they have to see the same paths."
    )


def refuse_as_output(target: str, places: set[Path], message: str) -> None:
    """Refuse an output folder that holds the inputs.

    Args:
        target: The output folder; empty for none.
        places: Folders of the inputs, resolved.
        message: Why, with the place of the `path`.

    Raises:
        OutputError: It is one of them.
    """
    if target and Path(target).resolve() in places:
        raise OutputError(message.format(path=target))


def _in_qgis(error: BackendError) -> str:
    """What a backend error says in QGIS, where a package is added in another way than in a shell."""
    if error.code != _NO_PACKAGE:
        return str(error)
    return tr(
        "Workers need the Python package distributed, which the backend lacks. The Full builds of Plugins > "
        "Sunbreak > Backend have it; a Python of your own gets it with pip install 'sunbreak[distributed]'. Without "
        "it, leave the number of workers at 1 and the dask scheduler in the settings empty."
    )
