"""`sunbreak:inspectscene`: what is found in a scene, and what a run will assume about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingException, QgsProcessingFeedback, QgsProcessingUtils

from .. import settings
from ..bridge.process import BackendError, run_backend
from ..compat import tr
from ..inspection import as_page, as_text, parse_inspection
from ..outputs import OutputError, publish, staging_folder
from .declarations import INPUT, OUTPUT
from .masking import DETECTOR, MASK_CODING, detectors, mask_codings
from .network import MASK, S1, S1_UNIT, S1_UNITS, S1_VH, NetworkAlgorithm
from .other_dates import DATES, add_several, check_lists, raster_paths

JSON = "JSON"
PICTURE = "PICTURE"
TEXT = "TEXT"


class InspectScene(NetworkAlgorithm):
    """Say what is found in a scene and what a run will assume; process nothing."""

    command = "inspect"
    help_topic = "inspect-a-scene"
    icon_name = "inspect"
    roles = {}  # noqa: RUF012 (read only)
    visible = ()
    files = {OUTPUT: "_inspection.html", JSON: "_inspection.json", PICTURE: "_inspection.png"}  # noqa: RUF012
    numbers = {}  # noqa: RUF012
    words = {TEXT: "text"}  # noqa: RUF012
    models = {}  # noqa: RUF012
    inputs = (INPUT, S1, S1_VH, MASK)
    rasters = {S1: "--s1", S1_VH: "--s1", MASK: "--mask"}  # noqa: RUF012
    choices = {S1_UNIT: "--s1-unit", DETECTOR: "--detector"}  # noqa: RUF012

    def name(self) -> str:
        """Stable id; never changes."""
        return "inspectscene"

    def displayName(self) -> str:
        """Displayed name in the toolbox."""
        return tr("Inspect a scene")

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Set-up")

    def groupId(self) -> str:
        """Stable id; never changes."""
        return "setup"

    def tags(self) -> list[str]:
        """Search terms for the toolbox."""
        return [*super().tags(), "inspect", "check", "bands", "offset", "nodata", "metadata", "report"]

    def shortDescription(self) -> str:
        """One line, also for `qgis_process list`."""
        return tr("Says what is found in a Sentinel-2 scene and what a run will assume about it.")

    def shortHelpString(self) -> str:
        """Text beside the dialog."""
        return tr(
            "Looks at a scene before a run, and processes nothing. It says which level, bands, offset, unit, pixels "
            "without data, grid and date were found, where each of them comes from, and what a run will assume. It "
            "does the same for Sentinel-1, a cloud mask and other dates, and says which runs are possible and what is "
            "missing for the others.\n\n"
            "If something is wrong, set it in the advanced parameters here, look again, and set it in the same way for "
            "the run. What a run would refuse is refused here with the same message.\n\n"
            "The report is one HTML page with a picture: the scene in true colour with pixels without data hatched, "
            "the outline of the cloud mask, and Sentinel-1 beside it. The JSON file has the same for programs."
        )

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        """Declare parameters and outputs."""
        self.add_scenes()
        self.add_raster(MASK, tr("Cloud mask to use instead of detecting clouds"))
        add_several(self, DATES, tr("Other dates of the same place (Sentinel-2)"))
        self.add_labelled(DETECTOR, tr("Cloud detector"), detectors(), advanced=True)
        self.add_labelled(MASK_CODING, tr("What the values of the cloud mask stand for"), mask_codings(), advanced=True)
        self.add_scene_parameters()
        self.add_choice(S1_UNIT, tr("Unit of the Sentinel-1 values"), S1_UNITS)
        self.add_destinations(
            {
                OUTPUT: tr("Report"),
                JSON: tr("Report for programs (JSON)"),
                PICTURE: tr("Picture"),
                TEXT: tr("Report as text"),
            },
            shown=(OUTPUT,),
        )

    def checkParameterValues(self, parameters: dict[str, Any], context: QgsProcessingContext) -> tuple[bool, str]:
        """Name a layer that cannot be loaded; QGIS itself would name the parameter only."""
        return check_lists(self, (DATES,), parameters, context) or super().checkParameterValues(parameters, context)

    def arguments(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[str]:
        """The given parameters as options."""
        options = super().arguments(parameters, context)
        if "--mask" in options:
            options += self.chosen(parameters, MASK_CODING, "--mask-coding", context)
        for path in raster_paths(self, parameters, DATES, context):
            options += ["--reference", str(path)]
        return options

    def processAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Run the backend, and write what is asked for."""
        wanted = {name: self.parameterAsFileOutput(parameters, name, context) for name in self.files}
        targets = {name: Path(target).absolute() for name, target in wanted.items() if target}
        try:
            with staging_folder(_beside(targets)) as folder:
                picture = folder / "picture.png"
                drawn = [] if not targets else ["--picture", str(picture)]
                result = run_backend(settings.backend_python(), [*self._arguments, *drawn], feedback)
                content = str(result.numbers.get("inspection", ""))
                try:
                    found = parse_inspection(content)
                except ValueError as error:
                    raise BackendError(tr("The backend ended without a result."), str(error)) from error
                written = {OUTPUT: folder / "page.html", JSON: folder / "found.json", PICTURE: picture}
                if OUTPUT in targets:
                    written[OUTPUT].write_text(as_page(found, picture), encoding="utf-8")
                if JSON in targets:
                    moved = json.loads(content) | {"picture": str(targets[PICTURE]) if PICTURE in targets else None}
                    written[JSON].write_text(json.dumps(moved, indent=2) + "\n", encoding="utf-8")
                publish({written[name]: target for name, target in targets.items()})
        except (BackendError, OutputError, settings.BackendMissingError) as error:
            raise QgsProcessingException(str(error)) from error
        text = as_text(found)
        feedback.pushConsoleInfo(text)
        return {TEXT: text, **{name: wanted[name] for name in targets}}


def _beside(targets: dict[str, Path]) -> Path:
    """The file beside which the backend's files lie until they are moved."""
    return next(iter(targets.values()), Path(QgsProcessingUtils.tempFolder()) / "inspection")
