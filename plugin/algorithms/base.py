"""What every algorithm of Sunbreak has in common: it fills in a command line, lets the backend run, and loads the layers.

A subclass declares its parameters, the roles of its outputs and the options of its command; nothing else differs.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qgis.core import (
    NULL,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtGui import QIcon

from .. import settings
from ..bridge.process import BackendError, Result, run_backend
from ..compat import ADVANCED, DOUBLE, tr
from ..layers import load_on_completion
from ..outputs import OutputError, publish, staging_folder
from ..sources import SourceError, backend_path

INPUT = "INPUT"
OUTPUT = "OUTPUT"
EXTENT = "EXTENT"
S2_UNIT = "S2_UNIT"
S2_OFFSET = "S2_OFFSET"
S2_BANDS = "S2_BANDS"
THRESHOLD = "THRESHOLD"
QUICKLOOK = "QUICKLOOK"
UNITS = ("auto", "dn", "reflectance")


def is_set(parameters: dict[str, Any], name: str) -> bool:
    """Whether a parameter has a value: dialogs pass a null QVariant for an empty number, scripts leave it out."""
    value = parameters.get(name)
    return value is not None and value != NULL and value != ""


class BackendAlgorithm(QgsProcessingAlgorithm):
    """One command of the backend as a Processing algorithm.

    Attributes:
        command: Name on the backend's command line.
        roles: Output parameter to layer role; the first is the main layer and always asked for.
        numbers: Numeric output to its name in the backend's result.
        inputs: Raster parameters, whose files no output may replace.
    """

    command: str
    roles: dict[str, str]
    numbers: dict[str, str]
    inputs: tuple[str, ...] = (INPUT,)

    def createInstance(self) -> BackendAlgorithm:
        """A fresh one for every run."""
        return type(self)()

    def icon(self) -> QIcon:
        """Sun breaking through a cloud."""
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:
        """The same as a file."""
        return str(settings.ICON)

    def tags(self) -> list[str]:
        """Words that find it in the toolbox."""
        return ["sentinel-2", "cloud", "clouds", "sentinel-1", "sar", "deep learning", "reflectance"]

    def canExecute(self) -> tuple[bool, str]:
        """Whether there is an interpreter to run the backend with, and if not, what to do."""
        try:
            settings.backend_python()
        except settings.BackendMissingError as error:
            return False, str(error)
        return True, ""

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Refuse what cannot work before anything runs: web layers, wrong file types, outputs that replace inputs."""
        fine, message = super().checkParameterValues(parameters, context)
        if not fine:
            return fine, message
        try:
            self._check(parameters, context)
        except (SourceError, OutputError) as error:
            return False, str(error)
        return True, ""

    def prepareAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read the layers while in their own thread; a model comes here without `checkParameterValues`."""
        try:
            self._check(parameters, context)
            self._arguments = [self.command, *self.arguments(parameters, context), *self._shared(parameters, context)]
        except (SourceError, OutputError) as error:
            raise QgsProcessingException(str(error)) from error
        return True

    def processAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Run the backend into a hidden folder beside the main output, then move its files to where they belong."""
        wanted = {name: self.parameterAsOutputLayer(parameters, name, context) for name in self.roles}
        targets = {self.roles[name]: Path(target).absolute() for name, target in wanted.items() if target}
        main = targets[self.roles[OUTPUT]]
        quicklook = main.with_name(main.stem + "_quicklook.png")
        try:
            with staging_folder(main) as folder:
                result = run_backend(settings.backend_python(), [*self._arguments, "-o", str(folder)], feedback)
                if self.roles[OUTPUT] not in result.layers:
                    raise BackendError(tr('The backend gave no "{role}".').format(role=self.roles[OUTPUT]))
                files = {path: targets[role] for role, path in result.layers.items() if role in targets}
                picture = next(iter(folder.glob("*_quicklook.png")), None)
                if picture is not None:
                    files[picture] = quicklook
                publish(files)
        except (BackendError, OutputError, settings.BackendMissingError) as error:
            raise QgsProcessingException(str(error)) from error
        return self._results(wanted, result, quicklook if picture is not None else None, context, feedback)

    @abstractmethod
    def arguments(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[str]:
        """The options of this command alone."""

    def add_scene_parameters(self) -> None:
        """Declare the advanced ones that every command has: extent, how to read the scene, and the cloud threshold."""
        self.add_advanced(QgsProcessingParameterExtent(EXTENT, tr("Only this extent"), optional=True))
        self.add_choice(S2_UNIT, tr("Unit of the Sentinel-2 values"), UNITS)
        self.add_advanced(
            QgsProcessingParameterNumber(
                S2_OFFSET, tr("Offset to add to the Sentinel-2 values (not set: found out)"), DOUBLE, optional=True
            )
        )
        self.add_advanced(
            QgsProcessingParameterString(
                S2_BANDS,
                tr("Names of the Sentinel-2 bands in the file's order, such as B01,B02,... (empty: found out)"),
                optional=True,
            )
        )
        self.add_advanced(
            QgsProcessingParameterNumber(
                THRESHOLD,
                tr("Probability above which a pixel is cloud (not set: the detector's own)"),
                DOUBLE,
                optional=True,
                minValue=0.0,
                maxValue=1.0,
            )
        )

    def add_destinations(self, titles: dict[str, str], shown: tuple[str, ...]) -> None:
        """Declare the rasters in the order of `roles`, then the numbers.

        Args:
            titles: Output to its name for people.
            shown: Optional outputs that the dialog makes unless told otherwise.
        """
        for name in self.roles:
            optional = name != OUTPUT
            self.addParameter(
                QgsProcessingParameterRasterDestination(
                    name, titles[name], optional=optional, createByDefault=not optional or name in shown
                )
            )
        for name in self.numbers:
            self.addOutput(QgsProcessingOutputNumber(name, titles[name]))

    def add_advanced(self, parameter: QgsProcessingParameterDefinition) -> None:
        """Declare a parameter under "Advanced Parameters"."""
        parameter.setFlags(parameter.flags() | ADVANCED)
        self.addParameter(parameter)

    def add_choice(self, name: str, description: str, values: tuple[str, ...]) -> None:
        """Declare an advanced choice between the backend's own words; the first is the default."""
        self.add_advanced(
            QgsProcessingParameterEnum(
                name, description, options=list(values), defaultValue=values[0], usesStaticStrings=True
            )
        )

    def add_switch(self, name: str, description: str) -> None:
        """Declare an advanced yes/no that is off by default."""
        self.add_advanced(QgsProcessingParameterBoolean(name, description, defaultValue=False))

    def raster_path(self, parameters: dict[str, Any], name: str, context: QgsProcessingContext) -> Path | None:
        """The file behind a raster parameter, None where it is not given.

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
        """A choice as an option of the command line; nothing for `auto`."""
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
        options += self.chosen(parameters, S2_UNIT, "--s2-unit", context)
        for name, option in ((S2_OFFSET, "--s2-offset"), (THRESHOLD, "--threshold")):
            if is_set(parameters, name):
                options += [option, repr(self.parameterAsDouble(parameters, name, context))]
        if is_set(parameters, S2_BANDS):
            options += ["--s2-bands", self.parameterAsString(parameters, S2_BANDS, context)]
        return options

    def _check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        sources = {}
        for name in self.inputs:
            path = self.raster_path(parameters, name, context)
            if path is not None:
                sources[path] = self.parameterDefinition(name).description()
        taken: dict[Path, str] = {}
        for title, target in self._destinations(parameters, context):
            if target.suffix.lower() not in {".tif", ".tiff"}:
                raise OutputError(
                    tr('{title}: {path} does not end in ".tif". Sunbreak writes GeoTIFF only.').format(
                        title=title, path=target
                    )
                )
            for path, source_title in sources.items():
                if _same_file(path, target):
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

    def _destinations(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Iterator[tuple[str, Path]]:
        """Title and path of each output with a name of the user's own; looking them up registers nothing."""
        for name in self.roles:
            if not is_set(parameters, name):
                continue
            target = self.parameterAsFileOutput(parameters, name, context)
            if target:
                yield self.parameterDefinition(name).description(), Path(target).absolute()

    def _results(
        self,
        wanted: dict[str, str],
        result: Result,
        quicklook: Path | None,
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, Any]:
        """What the algorithm gives back; names and styles the layers that are going to be loaded."""
        outputs: dict[str, Any] = {}
        for rank, (name, role) in enumerate(self.roles.items()):
            target = wanted[name]
            if not target:
                continue
            if role not in result.layers:
                feedback.pushWarning(tr('This run gives no "{role}": left out.').format(role=role))
                loading = context.layersToLoadOnCompletion()
                loading.pop(target, None)
                context.setLayersToLoadOnCompletion(loading)
                continue
            stem = result.layers[role].stem.removesuffix(f"_{role}")
            load_on_completion(
                context,
                target,
                name=f"{stem} {role.replace('_', ' ')}",
                default_name=self.parameterDefinition(name).description(),
                group=f"{stem} (Sunbreak)",
                rank=rank,
            )
            outputs[name] = target
        for name, key in self.numbers.items():
            if isinstance(result.numbers.get(key), (int, float)):
                outputs[name] = result.numbers[key]
        if quicklook is not None:
            outputs[QUICKLOOK] = str(quicklook)
        return outputs


def _same_file(one: Path, other: Path) -> bool:
    """Whether two names mean one file, through links and, for inputs that are folders, anything inside them."""
    one, other = one.resolve(), other.resolve()
    return one == other or one in other.parents or (other.exists() and one.samefile(other))
