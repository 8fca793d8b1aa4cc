"""The other dates of a scene's place, for the algorithms that remove clouds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingParameterFile,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingUtils,
    QgsRasterLayer,
)

from ..compat import FOLDER, RASTERS, tr
from ..outputs import ITEM, OutputError, sidecar
from ..sources import SourceError, backend_path
from .base import is_set, same_file
from .declarations import INPUT, DeclaringAlgorithm
from .masking import MaskingAlgorithm

DATES = "DATES"
DATES_FOLDER = "DATES_FOLDER"
DATES_S1 = "DATES_S1"
SOURCE = "SOURCE"
GROUND_CHANGED = "GROUND_CHANGED"


class OtherDatesAlgorithm(MaskingAlgorithm):
    """A command that removes clouds, also with what other acquisitions of the place show."""

    def add_other_dates(self) -> None:
        """Declare the other dates: layers, a folder, and their radar."""
        add_several(self, DATES, tr("Other dates of the same place (Sentinel-2)"))
        self.addParameter(QgsProcessingParameterFile(DATES_FOLDER, tr("Folder of other dates"), FOLDER, optional=True))

    def add_radar_of_dates(self) -> None:
        """Declare the radar of the other dates, an advanced parameter."""
        add_several(self, DATES_S1, tr("Radar of the other dates (Sentinel-1)"), advanced=True)

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Name a layer that cannot be loaded; QGIS itself would name the parameter only."""
        return check_lists(self, (DATES, DATES_S1), parameters, context) or super().checkParameterValues(
            parameters, context
        )

    def arguments(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[str]:
        """The given parameters as options."""
        options = super().arguments(parameters, context)
        for name, option in ((DATES, "--reference"), (DATES_S1, "--reference-s1")):
            for path in raster_paths(self, parameters, name, context):
                options += [option, str(path)]
        folder = self._folder(parameters, context)
        return options if folder is None else [*options, "--references", str(folder)]

    def sources(self, parameters: dict[str, Any], context: QgsProcessingContext) -> dict[Path, str]:
        """Also the other dates and their radar.

        Raises:
            SourceError: An input is not a local file.
        """
        found = super().sources(parameters, context)
        for name in (DATES, DATES_S1):
            title = self.parameterDefinition(name).description()
            found |= {path: title for path in raster_paths(self, parameters, name, context) if path not in found}
        return found

    def check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Also refuse other dates that are none.

        Raises:
            SourceError: The scene is among its other dates, their folder is none, or an input is not a local file.
            OutputError: An output cannot be written there.
        """
        super().check(parameters, context)
        scene = self.raster_path(parameters, INPUT, context)
        others = raster_paths(self, parameters, DATES, context)
        for path in others:
            if scene is not None and same_file(path, scene):
                raise SourceError(
                    tr(
                        "{parameter}: {path} is the scene itself, which has the same clouds. Leave it out there."
                    ).format(parameter=self.parameterDefinition(DATES).description(), path=path)
                )
        folder = self._folder(parameters, context)
        if not others and folder is None and raster_paths(self, parameters, DATES_S1, context):
            raise SourceError(
                tr("{parameter}: there are no other dates. Give the Sentinel-2 scenes of these dates too.").format(
                    parameter=self.parameterDefinition(DATES_S1).description()
                )
            )
        for title, target, _ in self._destinations(parameters, context):
            # a layer that an earlier run wrote into that folder has a STAC item, and is no date
            date = folder is not None and target.exists() and not sidecar(target, ITEM).exists()
            if date and target.parent.resolve() == folder.resolve():
                raise OutputError(
                    tr("{title} would replace the input ({source}): {path}. Choose another file name.").format(
                        title=title, source=self.parameterDefinition(DATES_FOLDER).description(), path=target
                    )
                )

    def expects(self, name: str) -> bool:
        """Without other dates there is no layer about them, and nothing is missing."""
        return name not in (SOURCE, GROUND_CHANGED) or bool({"--reference", "--references"} & set(self._arguments))

    def _folder(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Path | None:
        return existing_folder(self, parameters, DATES_FOLDER, context)


def other_dates_help() -> str:
    """The paragraph about other dates in the help of an algorithm."""
    return tr(
        "Other dates are further Sentinel-2 scenes of the same place, before or after. They show what lies under the "
        "clouds. Any number of them helps, and each may be cloudy itself: its own clouds and shadows are "
        "found and left out. The dates nearest to the scene count most. They may lie on another grid, and lack some of "
        "the bands. Give them as layers, as a folder, or both. Source tells which date each pixel comes from, and "
        "Ground changed where the ground changed since then."
    )


def add_several(algorithm: DeclaringAlgorithm, name: str, description: str, *, advanced: bool = False) -> None:
    """Declare an optional list of raster layers."""
    parameter = QgsProcessingParameterMultipleLayers(name, description, RASTERS, optional=True)
    if advanced:
        algorithm.add_advanced(parameter)
    else:
        algorithm.addParameter(parameter)


def raster_paths(
    algorithm: DeclaringAlgorithm, parameters: dict[str, Any], name: str, context: QgsProcessingContext
) -> list[Path]:
    """The files of a list of raster layers, each once; several layers of one product are one file.

    Raises:
        SourceError: One cannot be loaded, or is not a file.
    """
    if not is_set(parameters, name):
        return []
    given = parameters[name] if isinstance(parameters[name], (list, tuple)) else [parameters[name]]
    for text in given:
        if isinstance(text, str) and text and QgsProcessingUtils.mapLayerFromString(text, context) is None:
            raise _not_a_raster(algorithm, name, text)
    paths = []
    for layer in algorithm.parameterAsLayerList(parameters, name, context):
        if not isinstance(layer, QgsRasterLayer):
            raise _not_a_raster(algorithm, name, layer.name())
        paths.append(backend_path(layer))
    return list(dict.fromkeys(paths))


def check_lists(
    algorithm: DeclaringAlgorithm, names: tuple[str, ...], parameters: dict[str, Any], context: QgsProcessingContext
) -> tuple[bool, str] | None:
    """The refusal of a list of raster layers, as `checkParameterValues` returns it; None if all can be used."""
    try:
        for name in names:
            raster_paths(algorithm, parameters, name, context)
    except SourceError as error:
        return False, str(error)
    return None


def existing_folder(
    algorithm: DeclaringAlgorithm, parameters: dict[str, Any], name: str, context: QgsProcessingContext
) -> Path | None:
    """A folder that is read; None if it is not given.

    Raises:
        SourceError: It is not a folder.
    """
    text = algorithm.parameterAsFile(parameters, name, context)
    if not text:
        return None
    if not Path(text).is_dir():
        raise SourceError(
            tr("{parameter}: {value} is not a folder. Choose one that exists.").format(
                parameter=algorithm.parameterDefinition(name).description(), value=text
            )
        )
    return Path(text).absolute()


def _not_a_raster(algorithm: DeclaringAlgorithm, name: str, value: str) -> SourceError:
    return SourceError(
        tr("{parameter}: {value} cannot be opened as a raster. Check that the file exists.").format(
            parameter=algorithm.parameterDefinition(name).description(), value=value
        )
    )
