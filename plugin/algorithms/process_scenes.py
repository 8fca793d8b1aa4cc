"""`sunbreak:processscenes`: one task on many scenes, of a folder, of layers or of a table."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFile,
    QgsProcessingParameterString,
)

from ..batch_layers import MOST_SCENES, by_scene, load_scenes
from ..bridge.process import Result
from ..compat import FOLDER, tr
from ..sources import SourceError
from .base import is_set
from .clean_classify_explain import CLASSIFIER, CONFIDENT_FROM, RECONSTRUCTED_ABOVE
from .declarations import INPUT, OUTPUT
from .masking import EXACT_CLOUDS, MASK_CODING, MaskingAlgorithm, detectors
from .network import (
    BLOCK,
    CLASS,
    LAND_COVER,
    METHOD,
    MODEL,
    REMOVAL,
    S1_UNIT,
    S1_UNITS,
    STRIDE,
)
from .other_dates import add_several, check_lists, existing_folder, raster_paths
from .remove_clouds import REPLACE_ALL
from .several import DONE, FAILED, SKIPPED, SUMMARY, SeveralAlgorithm, parallel_help, refuse_as_output

PATTERN = "PATTERN"
LAYERS = "LAYERS"
TABLE = "TABLE"
S1_PATTERN = "S1_PATTERN"
TASK = "TASK"
OTHER_DATES = "OTHER_DATES"
COUNT = "COUNT"
PROBABILITIES = "PROBABILITIES"

_CLEAN, _RUN, _CLASSIFY = "clean", "run", "classify"
_EVERYTHING = "*.tif"
_LOADED = {_CLEAN: ("cleaned",), _RUN: ("landcover", "cleaned"), _CLASSIFY: ("landcover",)}
_MODELS = {_CLEAN: (MODEL,), _RUN: (MODEL, CLASSIFIER), _CLASSIFY: (CLASSIFIER,)}
_OPTIONS = {MODEL: "--model", CLASSIFIER: "--classifier"}


class ProcessScenes(SeveralAlgorithm):
    """Remove the clouds of many scenes, classify them, or both."""

    command = "batch"
    help_topic = "many-scenes"
    icon_name = "many"
    integers = {**MaskingAlgorithm.integers, STRIDE: "--stride"}  # noqa: RUF012 (read only)
    fractions = {CONFIDENT_FROM: "--confident", RECONSTRUCTED_ABOVE: "--reconstructed"}  # noqa: RUF012
    switches = {  # noqa: RUF012
        REPLACE_ALL: "--replace-all",
        EXACT_CLOUDS: "--exact-clouds",
        PROBABILITIES: "--probabilities",
    }

    def name(self) -> str:
        """Stable id; never changes."""
        return "processscenes"

    def displayName(self) -> str:
        """Displayed name in the toolbox."""
        return tr("Process many scenes")

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Clouds")

    def groupId(self) -> str:
        """Stable id; never changes."""
        return "clouds"

    def tags(self) -> list[str]:
        """Search terms for the toolbox."""
        return [*super().tags(), "batch", "many", "folder", "parallel", "dask", "land cover", "classification"]

    def shortDescription(self) -> str:
        """One line, also for `qgis_process list`."""
        return tr("Removes the clouds of many Sentinel-2 scenes, classifies their land cover, or both.")

    def shortHelpString(self) -> str:
        """Text beside the dialog."""
        text = tr(
            "Runs one task on many scenes, which may lie anywhere. All scenes are processed with the same models "
            "and options.\n\n"
            "Give a folder and which files in it are scenes, such as *_s2.tif, *.SAFE or **/*_s2.tif with all "
            "folders in it. Or give layers, or both. Sentinel-1 is named relative to the Sentinel-2 file: {stem} "
            "stands for its name without .tif and without _s2 at the end. Files that are the Sentinel-1 of "
            "another scene are left out. Or give a table, a CSV file with the columns s2, s1, mask, mask_coding, "
            "references, reference_s1 and name.\n\n"
            "With other dates, each scene is cleaned with the nearest scenes of its place among all scenes. "
            "Scenes of unknown date have none.\n\n"
            "Each scene gets a folder of its own in the output folder, with all its layers. A scene that fails "
            "does not stop the others; the summary lists all scenes. If finished scenes are kept, a run that was "
            "stopped resumes."
        )
        return f"{text}\n\n{parallel_help()}"

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        """Declare parameters and outputs."""
        self.addParameter(QgsProcessingParameterFile(INPUT, tr("Folder with scenes"), FOLDER, optional=True))
        self.addParameter(
            QgsProcessingParameterString(
                PATTERN, tr("Files in the folder that are scenes (Sentinel-2)"), defaultValue=_EVERYTHING
            )
        )
        add_several(self, LAYERS, tr("Scenes as layers (Sentinel-2)"))
        self.addParameter(
            QgsProcessingParameterString(
                S1_PATTERN, tr("Sentinel-1 beside each scene (such as {stem}_s1.tif; empty: none)"), optional=True
            )
        )
        self.addParameter(
            QgsProcessingParameterFile(
                TABLE, tr("Table of scenes (instead of the above)"), fileFilter=tr("CSV files (*.csv)"), optional=True
            )
        )
        self.add_labelled(
            TASK,
            tr("Task"),
            {
                _CLEAN: tr("Remove clouds"),
                _RUN: tr("Clean, classify, explain"),
                _CLASSIFY: tr("Classify land cover"),
            },
        )
        self.add_model(MODEL, tr("Cloud removal model (empty: the backend's default)"), REMOVAL)
        self.add_model(CLASSIFIER, tr("Classifier (empty: the backend's default)"), LAND_COVER)
        self.add_class(CLASSIFIER, none=True)
        self.add_detecting(detectors())
        self.addParameter(
            QgsProcessingParameterBoolean(
                OTHER_DATES, tr("Clean each scene with the other dates of its place"), defaultValue=False
            )
        )
        self.add_integer(COUNT, tr("Other dates for each scene, the nearest ones (not set: 8)"), least=1)
        self.add_mask_coding()
        self.add_reading()
        self.add_cloud_threshold()
        self.add_choice(S1_UNIT, tr("Unit of the Sentinel-1 values"), S1_UNITS)
        self.add_model_file(MODEL, tr("Cloud removal model from a file (overrides the one above)"))
        self.add_model_file(CLASSIFIER, tr("Classifier from a file (overrides the one above)"))
        self.add_switch(REPLACE_ALL, tr("Replace clear pixels too"))
        self.add_margins()
        self.add_stride()
        self.add_explanation_choices()
        self.add_fraction(CONFIDENT_FROM, tr("Confidence threshold of a confident class (not set: 0.6)"))
        self.add_fraction(
            RECONSTRUCTED_ABOVE,
            tr("Reconstructed fraction above which a cell counts as reconstructed (not set: 0.1)"),
        )
        self.add_switch(PROBABILITIES, tr("Write the probabilities of all classes of a pixel classifier (large files)"))
        self.add_computing()
        self.add_workers()
        self.add_results(
            tr("Folder for the results"),
            tr("Keep finished scenes of an earlier run"),
            tr("Load the results as a group, of up to {count} scenes").format(count=MOST_SCENES),
            {
                DONE: tr("Number of scenes that were processed"),
                FAILED: tr("Number of scenes that failed"),
                SKIPPED: tr("Number of scenes that were kept from an earlier run"),
                SUMMARY: tr("Table of all scenes (CSV)"),
            },
            some_failed=tr("{failed} of {count} scenes could not be processed; {summary} says why."),
            all_failed=tr("None of the {count} scenes could be processed. The messages above say why."),
        )

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Name a layer or table that cannot be read; QGIS itself would name the parameter only."""
        try:
            self._table(parameters, context)
        except SourceError as error:
            return False, str(error)
        return check_lists(self, (LAYERS,), parameters, context) or super().checkParameterValues(parameters, context)

    def check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Refuse inputs and outputs that cannot be used.

        Raises:
            SourceError: There are no scenes, they are given twice, or what is given is not for them or the task.
            OutputError: The output folder is the folder with the scenes, or a scene lies in it.
        """
        super().check(parameters, context)
        folder = existing_folder(self, parameters, INPUT, context)
        layers = raster_paths(self, parameters, LAYERS, context)
        table = self._table(parameters, context)
        pattern = self.parameterAsString(parameters, S1_PATTERN, context).strip()
        if table is None and folder is None and not layers:
            raise SourceError(tr("Give a folder with scenes, several layers, or a table of scenes."))
        if table is not None and (folder is not None or layers):
            raise SourceError(tr("Give either a table of scenes, or a folder and layers: the table names all scenes."))
        if table is not None and pattern:
            raise SourceError(tr("A table of scenes names Sentinel-1 in its column s1. Leave the other field empty."))
        if self._task(parameters, context) == _CLASSIFY and self.parameterAsBoolean(parameters, OTHER_DATES, context):
            raise SourceError(tr("Other dates are for removing clouds. Leave them out, or choose another task."))
        refuse_as_output(
            self.parameterAsFileOutput(parameters, OUTPUT, context),
            {path.parent.resolve() for path in layers} | ({folder.resolve()} if folder is not None else set()),
            tr("{path} is the folder with the scenes. Choose another output folder, such as one in it."),
        )

    def scenes(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[str]:
        """The scenes, their radar and their other dates.

        Raises:
            SourceError: An input is not a local file.
        """
        self._chosen = self._task(parameters, context)
        table = self._table(parameters, context)
        folder = existing_folder(self, parameters, INPUT, context)
        layers = raster_paths(self, parameters, LAYERS, context)
        if table is not None:
            self._group, given = table.stem, [str(table)]
        else:
            self._group, given = (folder or layers[0].parent).name, [str(path) for path in layers]
        if folder is not None:
            pattern = self.parameterAsString(parameters, PATTERN, context).strip() or _EVERYTHING
            given.insert(0, str(Path(glob.escape(str(folder))) / pattern))
        given += ["--task", self._chosen]
        radar = self.parameterAsString(parameters, S1_PATTERN, context).strip()
        if radar:
            given += ["--s1-pattern", radar]
        if self.parameterAsBoolean(parameters, OTHER_DATES, context):
            count = self.parameterAsInt(parameters, COUNT, context) if is_set(parameters, COUNT) else 0
            given += ["--references", str(count or "auto")]
        return given

    def arguments(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[str]:
        """The given parameters as options. Models and explanations that are not part of the task are left out."""
        task = self._task(parameters, context)
        self.models = {name: _OPTIONS[name] for name in _MODELS[task]}
        explained = task == _RUN
        self.texts = {CLASS: "--class"} if explained else {}
        self.choices = MaskingAlgorithm.choices | ({METHOD: "--method", BLOCK: "--block"} if explained else {})
        options = super().arguments(parameters, context)
        return options + self.chosen(parameters, MASK_CODING, "--mask-coding", context)

    def load_scenes(self, result: Result, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> None:
        """Have Processing load the main layers as a group after the run, unless there are many."""
        scenes = by_scene(result.written, _LOADED[self._chosen])
        if len(scenes) > MOST_SCENES:
            feedback.pushInfo(
                tr("No layers are loaded: {count} scenes are more than {most}. They lie in the output folder.").format(
                    count=len(scenes), most=MOST_SCENES
                )
            )
            return
        titles = {"cleaned": tr("Cleaned scene"), "landcover": tr("Land cover")}
        load_scenes(context, scenes, self._group, titles)

    def _task(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        return self.parameterAsEnumString(parameters, TASK, context)

    def _table(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Path | None:
        """The table of scenes; None if it is not given.

        Raises:
            SourceError: It is not a CSV file.
        """
        text = self.parameterAsFile(parameters, TABLE, context)
        if not text:
            return None
        path = Path(text).absolute()
        if path.suffix.lower() != ".csv" or not path.is_file():
            raise SourceError(
                tr("{parameter}: {value} is not a CSV file. Choose one that exists.").format(
                    parameter=self.parameterDefinition(TABLE).description(), value=text
                )
            )
        return path
