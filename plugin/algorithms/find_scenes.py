"""`sunbreak:findscenes`: what a catalogue has of a place around a date, and what of it is proposed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterVectorDestination,
    QgsProcessingUtils,
)

from .. import settings
from ..bridge.catalogue import find_arguments
from ..bridge.process import BackendError, run_backend
from ..compat import POLYGONS, tr
from ..found import RADAR, SCENE, Found, parse_found
from ..found_page import as_page, without_pictures
from ..found_texts import counted
from ..outputs import OutputError, publish, staging_folder
from .base import is_set
from .declarations import OUTPUT
from .searching import SearchingAlgorithm

TABLE = "TABLE"
JSON = "JSON"
COUNT = "COUNT"
SCENE_ID, RADAR_ID = "SCENE", "RADAR"
_FOOTPRINTS = ".geojson"


class FindScenes(SearchingAlgorithm):
    """Search a catalogue; download no scene."""

    command = "find"
    help_topic = "find-scenes"
    icon_name = "find"
    files = {TABLE: "_scenes.html", JSON: "_scenes.json"}  # noqa: RUF012 (read only)

    def name(self) -> str:
        """Stable id; never changes."""
        return "findscenes"

    def displayName(self) -> str:
        """Displayed name in the toolbox."""
        return tr("Find scenes")

    def shortDescription(self) -> str:
        """One line, also for `qgis_process list`."""
        return tr("Lists the Sentinel-2 scenes of a place, their radar and their other dates in a catalogue.")

    def shortHelpString(self) -> str:
        """Text beside the dialog."""
        return tr(
            "Searches a catalogue on the network for Sentinel-2 scenes of an area around a date, and for terrain-"
            "corrected Sentinel-1. The cloud cover is that of the area, not of the whole tile: it is read from the "
            "scene classification at a coarse resolution. No scene is downloaded.\n\n"
            "One date is proposed as the scene, others as other dates that show what lies under its clouds, and the "
            "radar that fits each of them. The table gives the reason. Get scenes loads what is proposed.\n\n"
            "Only the hosts of the chosen catalogue are asked, through the proxy and with the certificates that are "
            "set in QGIS. Another catalogue is described by a profile file."
        )

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        """Declare parameters and outputs."""
        self.add_query()
        self.addParameter(QgsProcessingParameterVectorDestination(OUTPUT, tr("Footprints"), POLYGONS, optional=True))
        self.add_destinations({TABLE: tr("Table"), JSON: tr("Table for programs (JSON)")}, shown=(TABLE,))
        self.addOutput(QgsProcessingOutputNumber(COUNT, tr("Number of dates")))
        self.addOutput(QgsProcessingOutputString(SCENE_ID, tr("Proposed scene (id)")))
        self.addOutput(QgsProcessingOutputString(RADAR_ID, tr("Proposed radar (id)")))

    def processAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Run the backend, and write what is asked for."""
        wanted = {OUTPUT: self.parameterAsOutputLayer(parameters, OUTPUT, context)}
        wanted |= {name: self.parameterAsFileOutput(parameters, name, context) for name in self.files}
        targets = {name: Path(target).absolute() for name, target in wanted.items() if target}
        temporary = Path(QgsProcessingUtils.tempFolder()) / "found"
        try:
            with staging_folder(next(iter(targets.values()), temporary)) as folder:
                footprints = folder / f"footprints{_FOOTPRINTS}"
                pictures = folder / "pictures" if TABLE in targets else None
                arguments = find_arguments(
                    self._query, thumbnails=pictures, geojson=footprints if OUTPUT in targets else None
                )
                result = run_backend(settings.backend_python(), arguments, feedback, environment=self._network)
                content = str(result.numbers.get("found", ""))
                try:
                    found = parse_found(content)
                except ValueError as error:
                    raise BackendError(tr("The backend ended without a result."), str(error)) from error
                written = {OUTPUT: footprints, TABLE: folder / "page.html", JSON: folder / "found.json"}
                if TABLE in targets:
                    written[TABLE].write_text(as_page(found), encoding="utf-8")
                if JSON in targets:
                    moved = without_pictures(json.loads(content))
                    written[JSON].write_text(json.dumps(moved, indent=2) + "\n", encoding="utf-8")
                publish({written[name]: target for name, target in targets.items()})
        except (BackendError, OutputError, settings.BackendMissingError) as error:
            raise QgsProcessingException(str(error)) from error
        feedback.pushInfo(counted(found))
        self._name_layer(wanted[OUTPUT], found, context)
        outputs: dict[str, Any] = {name: wanted[name] for name in targets}
        return outputs | {COUNT: len(found.scenes), **_proposed(found)}

    def _destinations(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Iterator[tuple[str, Path, tuple[str, ...]]]:
        yield from super()._destinations(parameters, context)
        target = self.parameterAsFileOutput(parameters, OUTPUT, context) if is_set(parameters, OUTPUT) else ""
        if target:
            yield self.parameterDefinition(OUTPUT).description(), Path(target).absolute(), (_FOOTPRINTS,)

    def _name_layer(self, destination: str, found: Found, context: QgsProcessingContext) -> None:
        default = self.parameterDefinition(OUTPUT).description()
        if destination and context.willLoadLayerOnCompletion(destination):
            details = context.layerToLoadOnCompletionDetails(destination)
            if details.name == default:
                details.name = f"{default}: {found.date:%Y-%m-%d}"


def _proposed(found: Found) -> dict[str, str]:
    """The ids of what is proposed; an output without a value is left out."""
    ids = {
        SCENE_ID: next((one.id for one in found.scenes if one.use == SCENE), ""),
        RADAR_ID: next((one.id for one in found.radar if one.use == RADAR), ""),
    }
    return {name: value for name, value in ids.items() if value}
