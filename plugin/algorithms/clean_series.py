"""`sunbreak:cleanseries`: every date of a place, each cleaned with the others, as layers that play in time."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingParameterFile

from ..bridge.process import Result
from ..compat import FOLDER, tr
from ..series_layers import dated_layers, load_series
from ..sources import SourceError
from .declarations import INPUT, OUTPUT
from .masking import EXACT_CLOUDS, MaskingAlgorithm, detectors
from .network import MODEL, REMOVAL, S1, S1_UNIT, S1_UNITS
from .other_dates import add_several, check_lists, existing_folder, raster_paths
from .remove_clouds import REPLACE_ALL
from .several import DONE, FAILED, SKIPPED, SUMMARY, SeveralAlgorithm, parallel_help, refuse_as_output

LAYERS = "LAYERS"
COUNT = "COUNT"


class CleanSeries(SeveralAlgorithm):
    """Clean every date of a place with the other dates."""

    command = "series"
    help_topic = "clean-a-series"
    icon_name = "series"
    integers = {**MaskingAlgorithm.integers, COUNT: "--dates"}  # noqa: RUF012 (read only)
    switches = {REPLACE_ALL: "--replace-all", EXACT_CLOUDS: "--exact-clouds"}  # noqa: RUF012

    def name(self) -> str:
        """Stable id; never changes."""
        return "cleanseries"

    def displayName(self) -> str:
        """Displayed name in the toolbox."""
        return tr("Clean a series")

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Clouds")

    def groupId(self) -> str:
        """Stable id; never changes."""
        return "clouds"

    def tags(self) -> list[str]:
        """Search terms for the toolbox."""
        return [*super().tags(), "time series", "temporal", "multitemporal", "animation", "dates"]

    def shortDescription(self) -> str:
        """One line, also for `qgis_process list`."""
        return tr("Removes the clouds of all Sentinel-2 dates of one place, each with the help of the other dates.")

    def shortHelpString(self) -> str:
        """Text beside the dialog."""
        text = tr(
            "Cleans every date of one place. Each date is cleaned with the dates nearest to it as other dates, which "
            "show what lies under its clouds.\n\n"
            "Give a folder that holds the dates: Sentinel-2 products, rasters with all bands, or folders with one file "
            "for each band. Or give several layers, or both. At least two dates are needed, and each may be cloudy. "
            "Their dates are read from the metadata or the names. Scenes of another place and scenes without a date "
            "are left out and named. Sentinel-1 is matched by its own date; radar in the folder is found.\n\n"
            "Each date gets a folder of its own in the output folder, with all its layers. A date that fails does not "
            "stop the others; the summary lists all dates. If finished dates are kept, a run that was stopped "
            "resumes.\n\n"
            "The cleaned dates are loaded as one group, sorted by date. Each layer has a time range, from its date to "
            "the next one. To play the series, open View > Panels > Temporal Controller, choose animated navigation "
            "and press play. The time range of the project is set to that of the series, unless you have set one."
        )
        return f"{text}\n\n{parallel_help()}"

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        """Declare parameters and outputs."""
        self.addParameter(
            QgsProcessingParameterFile(INPUT, tr("Folder with the dates of one place"), FOLDER, optional=True)
        )
        add_several(self, LAYERS, tr("Dates as layers (Sentinel-2)"))
        add_several(self, S1, tr("Radar of the dates (Sentinel-1)"))
        self.add_model(MODEL, tr("Model (empty: the backend's default)"), REMOVAL)
        self.add_detecting(detectors())
        self.add_integer(COUNT, tr("Other dates for each date, the nearest ones (not set: 8)"), least=1)
        self.add_reading()
        self.add_cloud_threshold()
        self.add_choice(S1_UNIT, tr("Unit of the Sentinel-1 values"), S1_UNITS)
        self.add_model_file(MODEL, tr("Model from a file (card or weights; overrides the model above)"))
        self.add_switch(REPLACE_ALL, tr("Replace clear pixels too"))
        self.add_margins()
        self.add_computing()
        self.add_workers()
        self.add_results(
            tr("Folder for the cleaned dates"),
            tr("Keep finished dates of an earlier run"),
            tr("Load the cleaned dates as a group for the temporal controller"),
            {
                DONE: tr("Number of dates that were cleaned"),
                FAILED: tr("Number of dates that failed"),
                SKIPPED: tr("Number of dates that were kept from an earlier run"),
                SUMMARY: tr("Table of all dates (CSV)"),
            },
            some_failed=tr("{failed} of {count} dates could not be cleaned; {summary} says why."),
            all_failed=tr("None of the {count} dates could be cleaned. The messages above say why."),
        )

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Name a layer that cannot be loaded; QGIS itself would name the parameter only."""
        return check_lists(self, (LAYERS, S1), parameters, context) or super().checkParameterValues(parameters, context)

    def check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Refuse inputs and outputs that cannot be used.

        Raises:
            SourceError: There are no dates, or an input is not a local file.
            OutputError: The output folder is the folder with the dates, or a date lies in it.
        """
        super().check(parameters, context)
        folder = existing_folder(self, parameters, INPUT, context)
        dates = raster_paths(self, parameters, LAYERS, context)
        raster_paths(self, parameters, S1, context)
        if folder is None and not dates:
            raise SourceError(tr("Give a folder with the dates of one place, or several layers."))
        refuse_as_output(
            self.parameterAsFileOutput(parameters, OUTPUT, context),
            {path.parent.resolve() for path in dates} | ({folder.resolve()} if folder is not None else set()),
            tr("{path} is the folder with the dates. Choose another output folder, such as one in it."),
        )

    def scenes(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[str]:
        """The dates and their radar.

        Raises:
            SourceError: An input is not a local file.
        """
        folder = existing_folder(self, parameters, INPUT, context)
        dates = raster_paths(self, parameters, LAYERS, context)
        self._place = (folder or dates[0].parent).name
        given = [str(path) for path in ([folder] if folder is not None else []) + dates]
        for path in raster_paths(self, parameters, S1, context):
            given += ["--s1", str(path)]
        return given

    def load_scenes(self, result: Result, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> None:
        """Have Processing load the cleaned dates as a group after the run."""
        cleaned = dict.fromkeys(path for role, path in result.written if role == "cleaned")
        dates, undated = dated_layers(cleaned)
        for path in undated:
            feedback.pushWarning(tr("{path} is not loaded: its date is not known.").format(path=path))
        load_series(context, dates, self._place)
