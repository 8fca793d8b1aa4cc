"""`sunbreak:getscenes`: downloads a scene, its radar and its other dates, cut to an area."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputFolder,
    QgsProcessingOutputRasterLayer,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterString,
)

from .. import settings
from ..bridge.catalogue import get_arguments
from ..bridge.process import BackendError, run_backend
from ..compat import tr
from ..fetched import OTHER_DATES, fetched, group_name, load_on_completion
from ..found import RADAR, REFERENCE, SCENE
from .declarations import OUTPUT
from .searching import SearchingAlgorithm

SCENE_ID, RADAR_ID, OTHER_IDS, OTHER_RADAR_IDS = "SCENE", "RADAR", "OTHER_DATES", "OTHER_DATES_RADAR"
LOAD = "LOAD"
S2, S1, DATES_FOLDER = "S2", "S1", "DATES_FOLDER"


class GetScenes(SearchingAlgorithm):
    """Download what a search proposes, or what is named."""

    command = "get"
    help_topic = "find-scenes"
    icon_name = "get"
    ids = {  # noqa: RUF012 (read only)
        SCENE_ID: "--scene",
        RADAR_ID: "--radar",
        OTHER_IDS: "--reference",
        OTHER_RADAR_IDS: "--reference-radar",
    }

    def name(self) -> str:
        """Stable id; never changes."""
        return "getscenes"

    def displayName(self) -> str:
        """Displayed name in the toolbox."""
        return tr("Get scenes")

    def shortDescription(self) -> str:
        """One line, also for `qgis_process list`."""
        return tr("Downloads a Sentinel-2 scene, its radar and its other dates, cut to an area.")

    def shortHelpString(self) -> str:
        """Text beside the dialog."""
        return tr(
            "Downloads what Find scenes proposes, ready to be cleaned: one Sentinel-2 scene, its Sentinel-1 radar, and "
            "other dates that show what lies under the clouds. Only the area is read from the catalogue, not the whole "
            "tiles. All files lie on one grid with pixels of 10 m.\n\n"
            "To get certain scenes, give their ids in the advanced parameters.\n\n"
            "The licence and the attribution that the data ask for are in the metadata of the layers. A download that "
            "was stopped resumes in the same folder."
        )

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        """Declare parameters and outputs."""
        self.add_query()
        for name, description in (
            (SCENE_ID, tr("Scene (id; empty: the proposed one)")),
            (RADAR_ID, tr("Radar (id, or none; empty: the proposed one)")),
            (OTHER_IDS, tr("Other dates (ids with commas, or none; empty: the proposed ones)")),
            (OTHER_RADAR_IDS, tr("Radar of the other dates (ids with commas; empty: the proposed one)")),
        ):
            self.add_advanced(QgsProcessingParameterString(name, description, optional=True))
        self.addParameter(QgsProcessingParameterBoolean(LOAD, tr("Load the scenes as a group"), defaultValue=True))
        self.addParameter(QgsProcessingParameterFolderDestination(OUTPUT, tr("Folder for the scenes")))
        self.addOutput(QgsProcessingOutputRasterLayer(S2, tr("Sentinel-2 scene")))
        self.addOutput(QgsProcessingOutputRasterLayer(S1, tr("Sentinel-1 scene (VV and VH)")))
        self.addOutput(QgsProcessingOutputFolder(DATES_FOLDER, tr("Folder of other dates")))

    def prepareAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Also read the ids."""
        self._ids: list[str] = []
        for name, option in self.ids.items():
            for one in re.split(r"[,;\s]+", self.parameterAsString(parameters, name, context).strip()):
                self._ids += [option, one] if one else []
        return super().prepareAlgorithm(parameters, context, feedback)

    def processAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Run the backend into the folder."""
        target = Path(self.parameterAsFileOutput(parameters, OUTPUT, context)).absolute()
        try:
            arguments = get_arguments(self._query, target, more=self._ids)
            run_backend(settings.backend_python(), arguments, feedback, environment=self._network)
        except (BackendError, settings.BackendMissingError) as error:
            raise QgsProcessingException(str(error)) from error
        files = fetched(target)
        if not any(one.use == SCENE for one in files):
            raise QgsProcessingException(tr("{folder} has no scene that QGIS can open.").format(folder=target))
        if self.parameterAsBoolean(parameters, LOAD, context) and context.project() is not None:
            load_on_completion(context, files, group_name(files, target.name))
        outputs: dict[str, Any] = {OUTPUT: str(target)}
        by_use = {one.use: str(one.path) for one in files}
        outputs |= {name: by_use[use] for name, use in ((S2, SCENE), (S1, RADAR)) if use in by_use}
        if any(one.use == REFERENCE for one in files):
            outputs[DATES_FOLDER] = str(target / OTHER_DATES)
        return outputs
