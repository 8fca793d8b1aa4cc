"""`sunbreak:detectclouds`: cloud mask and cloud probability of a Sentinel-2 scene."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingParameterRasterLayer

from ..compat import tr
from .base import BackendAlgorithm
from .declarations import INPUT, OUTPUT
from .masking import CLOUD_NUMBERS, DETECTOR, cloud_titles, detectors

EXACT = "EXACT"
CLOUD_PROBABILITY = "CLOUD_PROBABILITY"
SECONDS = "SECONDS"


class DetectClouds(BackendAlgorithm):
    """Cloud mask and cloud probability of a Sentinel-2 scene."""

    command = "detect-clouds"
    help_topic = "clean-a-scene"
    icon_name = "detect-clouds"
    roles = {OUTPUT: "cloud_mask", CLOUD_PROBABILITY: "cloud_probability"}  # noqa: RUF012 (read only)
    numbers = {**CLOUD_NUMBERS, SECONDS: "seconds"}  # noqa: RUF012

    def name(self) -> str:
        """Stable id; never changes."""
        return "detectclouds"

    def displayName(self) -> str:
        """Displayed name in the toolbox."""
        return tr("Detect clouds")

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Clouds")

    def groupId(self) -> str:
        """Stable id; never changes."""
        return "clouds"

    def shortDescription(self) -> str:
        """One line, also for `qgis_process list`."""
        return tr("Mask of clouds and shadows, and cloud probability of a Sentinel-2 scene.")

    def shortHelpString(self) -> str:
        """Text beside the dialog."""
        return tr(
            "Detects the clouds and cloud shadows of a Sentinel-2 scene, Level-1C or Level-2A.\n\n"
            "The input is one raster with the Sentinel-2 bands (the band names are read from the band "
            "descriptions), or any layer of a Sentinel-2 product: the whole product is read. It needs B02, B03, B04 "
            "and B08. B11 and B12 make it better.\n\n"
            "The mask is 0 for clear, 1 for thick cloud, 2 for thin cloud, 3 for shadow and 255 where the scene "
            "has no data. The cloud probability ranges from 0 to 1.\n\n"
            "Cloud detector: the automatic choice joins the networks of ukis-csmask with s2cloudless (Level-1C) or "
            "with the scene classification (SCL, Level-2A). s2cloudless needs all bands of Level-1C and finds no "
            "shadows. The SCL is taken from the product as it is."
        )

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        """Declare parameters and outputs."""
        self.addParameter(QgsProcessingParameterRasterLayer(INPUT, tr("Sentinel-2 scene")))
        self.add_labelled(DETECTOR, tr("Cloud detector"), detectors())
        self.add_scene_parameters()
        self.add_cloud_threshold()
        self.add_switch(EXACT, tr("Run s2cloudless at full resolution (slower)"))
        self.add_destinations(
            {
                OUTPUT: tr("Cloud mask"),
                CLOUD_PROBABILITY: tr("Cloud probability"),
                **cloud_titles(),
                SECONDS: tr("Run time in seconds"),
            },
            shown=(CLOUD_PROBABILITY,),
        )

    def arguments(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[str]:
        """Detector and resolution."""
        exact = ["--exact"] if self.parameterAsBoolean(parameters, EXACT, context) else []
        return [*self.chosen(parameters, DETECTOR, "--detector", context), *exact]
