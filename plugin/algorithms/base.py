"""The base of all algorithms: it builds a command line, runs the backend and loads the layers.

A subclass declares its parameters, the roles of its outputs and the options of its command.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from qgis.core import NULL, QgsProcessingContext, QgsProcessingException, QgsProcessingFeedback
from qgis.PyQt.QtGui import QIcon

from .. import settings
from ..bridge.process import BackendError, Result, run_backend
from ..classes import class_label
from ..compat import tr
from ..layers import Output, load_on_completion, scene_name, with_cell_size
from ..outputs import OutputError, publish, staging_folder
from ..sources import SourceError, backend_path
from .declarations import (
    EXTENT,
    INPUT,
    OUTPUT,
    QUICKLOOK,
    S2_BANDS,
    S2_NODATA,
    S2_OFFSET,
    S2_SCALE,
    S2_UNIT,
    THRESHOLD,
    DeclaringAlgorithm,
)


def is_set(parameters: dict[str, Any], name: str) -> bool:
    """Whether a parameter has a value. Dialogs pass a null QVariant for an empty number; scripts omit it."""
    value = parameters.get(name)
    return value is not None and value != NULL and value != ""


class BackendAlgorithm(DeclaringAlgorithm):
    """One command of the backend as a Processing algorithm.

    Attributes:
        command: Name on the backend's command line.
        visible: Outputs that are shown as soon as they are loaded; the others are in the layer tree, unticked.
        inputs: Raster parameters; no output may replace their files.
        icon_name: Name of its icon in `resources/icons`.
        help_topic: Heading of the user guide that its *Help* opens.
    """

    command: str
    visible: tuple[str, ...] = (OUTPUT,)
    inputs: tuple[str, ...] = (INPUT,)
    icon_name = "sunbreak"
    help_topic = ""

    def createInstance(self) -> BackendAlgorithm:
        """A new instance for every run."""
        return type(self)()

    def icon(self) -> QIcon:
        """The icon in the toolbox. QGIS shows no icons for groups."""
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:
        """Path of the icon."""
        return str(settings.ICONS / f"{self.icon_name}.svg")

    def helpUrl(self) -> str:
        """Address that the dialog's *Help* button opens."""
        return settings.guide(self.help_topic)

    def tags(self) -> list[str]:
        """Search terms for the toolbox."""
        return ["sentinel-2", "cloud", "clouds", "sentinel-1", "sar", "deep learning", "reflectance"]

    def canExecute(self) -> tuple[bool, str]:
        """Whether an interpreter with the backend is set, and if not, how to set one."""
        try:
            settings.backend_python()
        except settings.BackendMissingError as error:
            return False, str(error)
        return True, ""

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Refuse web layers, wrong file types and outputs that would replace inputs, before anything runs."""
        fine, message = super().checkParameterValues(parameters, context)
        if not fine:
            return fine, message
        try:
            self.check(parameters, context)
        except (SourceError, OutputError) as error:
            return False, str(error)
        return True, ""

    def prepareAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read the layers in the main thread. Models call this without `checkParameterValues`."""
        try:
            self.check(parameters, context)
            layer = self.parameterAsRasterLayer(parameters, INPUT, context)
            self._source, self._title = (layer.id(), layer.name()) if layer is not None else ("", "")
            self._arguments = [self.command, *self.arguments(parameters, context), *self._shared(parameters, context)]
        except (SourceError, OutputError) as error:
            raise QgsProcessingException(str(error)) from error
        return True

    def processAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Run the backend into a hidden folder beside the main output, then move its files to their destinations."""
        wanted = {name: self.parameterAsOutputLayer(parameters, name, context) for name in self.roles}
        wanted |= {name: self.parameterAsFileOutput(parameters, name, context) for name in self.files}
        targets = {name: Path(target).absolute() for name, target in wanted.items() if target}
        try:
            with staging_folder(targets[OUTPUT]) as folder:
                arguments = [*self._arguments, *self.late_arguments(parameters, context, folder)]
                result = run_backend(settings.backend_python(), [*arguments, "-o", str(folder)], feedback)
                found = self._found(result, folder)
                if OUTPUT not in found:
                    raise BackendError(
                        tr('The backend did not write the layer "{role}".').format(role=self.roles[OUTPUT])
                    )
                if self.has_quicklook:
                    targets[QUICKLOOK] = targets[OUTPUT].with_name(targets[OUTPUT].stem + "_quicklook.png")
                publish({path: targets[name] for name, path in found.items() if name in targets})
        except (BackendError, OutputError, SourceError, settings.BackendMissingError) as error:
            raise QgsProcessingException(str(error)) from error
        for name in [name for name in targets if name not in found]:
            del targets[name]
            if name in wanted:
                self._leave_out(wanted[name], context)
            if name in wanted and self.expects(name):
                what = (self.roles | self.files)[name].strip("_*")
                feedback.pushWarning(tr('This run gives no "{what}": the output is skipped.').format(what=what))
        self._load(wanted, found, result, context, self._source)
        for line in self.summary(result):
            feedback.pushInfo(line)
        outputs: dict[str, Any] = {name: wanted.get(name) or str(target) for name, target in targets.items()}
        return outputs | self.figures(result)

    def arguments(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[str]:
        """The options of this command only."""
        return []

    def late_arguments(self, parameters: dict[str, Any], context: QgsProcessingContext, folder: Path) -> list[str]:
        """Options that need files to be written first, in the background.

        Args:
            parameters: As given.
            context: Of the run.
            folder: Folder for these files; it is deleted after the run.

        Raises:
            SourceError: An input of these files cannot be read.
        """
        return []

    def figures(self, result: Result) -> dict[str, Any]:
        """Numeric and text outputs; those that the run did not give are omitted."""
        found: dict[str, Any] = {
            name: result.numbers[key]
            for name, key in self.numbers.items()
            if isinstance(result.numbers.get(key), (int, float))
        }
        return found | {name: str(result.numbers[key]) for name, key in self.words.items() if key in result.numbers}

    def summary(self, result: Result) -> list[str]:
        """Lines for the log after a finished run."""
        return []

    def raster_path(self, parameters: dict[str, Any], name: str, context: QgsProcessingContext) -> Path | None:
        """The file of a raster parameter; None if it is not given.

        Raises:
            SourceError: It cannot be loaded, or is not a file.
        """
        layer = self.parameterAsRasterLayer(parameters, name, context)
        if layer is not None:
            return backend_path(layer)
        if is_set(parameters, name):
            raise SourceError(
                tr("{parameter}: {value} cannot be opened as a raster. Check that the file exists.").format(
                    parameter=self.parameterDefinition(name).description(), value=parameters[name]
                )
            )
        return None

    def chosen(self, parameters: dict[str, Any], name: str, option: str, context: QgsProcessingContext) -> list[str]:
        """A choice as a command-line option; empty for `auto`."""
        word = self.parameterAsEnumString(parameters, name, context)
        return [] if word in {"", "auto"} else [option, word]

    def _shared(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[str]:
        """The scene, and what `add_scene_parameters` declared."""
        layer = self.parameterAsRasterLayer(parameters, INPUT, context)
        options = [str(self.raster_path(parameters, INPUT, context))]
        extent = self.parameterAsExtent(parameters, EXTENT, context, layer.crs())
        if not extent.isNull():
            sides = (extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum())
            options += ["--bbox", *(repr(float(side)) for side in sides)]
        return options + self.reading(parameters, context)

    def reading(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[str]:
        """What `add_reading` and `add_cloud_threshold` declared, as options."""
        options = self.chosen(parameters, S2_UNIT, "--s2-unit", context)
        for name, option in (
            (S2_OFFSET, "--s2-offset"),
            (S2_NODATA, "--s2-nodata"),
            (S2_SCALE, "--s2-scale"),
            (THRESHOLD, "--threshold"),
        ):
            if is_set(parameters, name) and self.parameterDefinition(name) is not None:
                options += [option, repr(self.parameterAsDouble(parameters, name, context))]
        if is_set(parameters, S2_BANDS):
            options += ["--s2-bands", self.parameterAsString(parameters, S2_BANDS, context)]
        return options

    def check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Refuse inputs and outputs that cannot be used.

        Raises:
            SourceError: An input is not a local file.
            OutputError: An output has the wrong type, the name of another one, or would replace an input.
        """
        sources = self.sources(parameters, context)
        taken: dict[Path, str] = {}
        for title, target, suffixes in self._destinations(parameters, context):
            if target.suffix.lower() not in suffixes:
                raise OutputError(
                    tr('{title}: {path} does not end in "{suffix}", the only file type for this output.').format(
                        title=title, path=target, suffix=suffixes[0]
                    )
                )
            for path, source_title in sources.items():
                if same_file(path, target):
                    raise OutputError(
                        tr("{title} would replace the input ({source}): {path}. Choose another file name.").format(
                            title=title, source=source_title, path=target
                        )
                    )
            if target.resolve() in taken:
                raise OutputError(
                    tr("{title} and {other} have the same file name: {path}. Choose another one.").format(
                        title=title, other=taken[target.resolve()], path=target
                    )
                )
            taken[target.resolve()] = title

    def sources(self, parameters: dict[str, Any], context: QgsProcessingContext) -> dict[Path, str]:
        """The input files that no output may replace, with the displayed names of their parameters.

        Raises:
            SourceError: An input is not a local file.
        """
        found = {}
        for name in self.inputs:
            path = self.raster_path(parameters, name, context)
            if path is not None:
                found[path] = self.parameterDefinition(name).description()
        return found

    def expects(self, name: str) -> bool:
        """Whether an output that the run did not give is missed, so that a warning names it."""
        return True

    def _destinations(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Iterator[tuple[str, Path, tuple[str, ...]]]:
        """Title, path and allowed suffixes of each output that the user has named; registers nothing."""
        for name in (*self.roles, *self.files):
            if not is_set(parameters, name):
                continue
            target = self.parameterAsFileOutput(parameters, name, context)
            if target:
                suffixes = (Path(self.files[name]).suffix,) if name in self.files else (".tif", ".tiff")
                yield self.parameterDefinition(name).description(), Path(target).absolute(), suffixes

    def _found(self, result: Result, folder: Path) -> dict[str, Path]:
        """Output to the file that the backend wrote for it."""
        found = {}
        for name, role in self.roles.items():
            path = next((path for given, path in result.layers.items() if fnmatchcase(given, role)), None)
            if path is not None:
                found[name] = path
        for name, ending in {**self.files, QUICKLOOK: "_quicklook.png"}.items():
            path = next(iter(folder.glob(f"*{ending}")), None)
            if path is not None:
                found[name] = path
        return found

    def _leave_out(self, destination: str, context: QgsProcessingContext) -> None:
        loading = context.layersToLoadOnCompletion()
        if loading.pop(destination, None) is not None:
            context.setLayersToLoadOnCompletion(loading)

    def _load(
        self,
        wanted: dict[str, str],
        found: dict[str, Path],
        result: Result,
        context: QgsProcessingContext,
        source: str,
    ) -> None:
        """Set name, order and style of the layers that will be loaded."""
        scene, outputs = "", []
        for name, role in self.roles.items():
            if not wanted[name] or name not in found:
                continue
            given = next(given for given, path in result.layers.items() if path == found[name])
            scene = scene_name(found[name].stem.removesuffix(f"_{given}"), self._title)
            default = self.parameterDefinition(name).description()
            title = default
            if role.endswith("*"):
                title += f" ({class_label(given.removeprefix(role[:-1]))})"
            elif role == "landcover":
                title = with_cell_size(title, Path(wanted[name]))
            outputs.append(Output(wanted[name], role, f"{title}: {scene}", default, name in self.visible))
        load_on_completion(context, outputs, scene, source)


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths are one file. Links are resolved; for an input folder, any path inside it counts."""
    one, other = one.resolve(), other.resolve()
    return one == other or one in other.parents or (other.exists() and one.samefile(other))
