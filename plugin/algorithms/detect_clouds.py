"""`sunbreak:detectclouds`: cloud mask and cloud probability of a Sentinel-2 scene."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingParameterRasterLayer

from ..compat import tr
from .base import BackendAlgorithm
from .declarations import INPUT, OUTPUT

EXACT = "EXACT"
CLOUD_PROBABILITY = "CLOUD_PROBABILITY"
CLOUD_SHARE = "CLOUD_SHARE"
SECONDS = "SECONDS"


class DetectClouds(BackendAlgorithm):
    """Cloud mask and cloud probability of a Sentinel-2 scene."""

    command = "detect-clouds"
    help_topic = "clean-a-scene"
    icon_name = "detect-clouds"
    roles = {OUTPUT: "cloud_mask", CLOUD_PROBABILITY: "cloud_probability"}  # noqa: RUF012 (read only)
    numbers = {CLOUD_SHARE: "cloud_share", SECONDS: "seconds"}  # noqa: RUF012

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
        return tr("Cloud mask and cloud probability of a Sentinel-2 scene.")

    def shortHelpString(self) -> str:
        """Text beside the dialog."""
        return tr(
            "Detects the clouds of a Sentinel-2 scene.\n\n"
            "The input is one raster with the Sentinel-2 bands (the band names are read from the band "
            "descriptions), or any layer of a Sentinel-2 product: the whole product is read.\n\n"
            "The mask is 0 for clear, 1 for cloud and 255 where the scene has no data. The probability "
            "ranges from 0 to 1. The mask is cloud where the probability exceeds the threshold."
        )

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        """Declare parameters and outputs."""
        self.addParameter(QgsProcessingParameterRasterLayer(INPUT, tr("Sentinel-2 scene")))
        self.add_scene_parameters()
        self.add_cloud_threshold()
        self.add_switch(EXACT, tr("Full resolution (slower)"))
        self.add_destinations(
            {
                OUTPUT: tr("Cloud mask"),
                CLOUD_PROBABILITY: tr("Cloud probability"),
                CLOUD_SHARE: tr("Cloud fraction of the scene (0 to 1)"),
                SECONDS: tr("Run time in seconds"),
            },
            shown=(CLOUD_PROBABILITY,),
        )

    def arguments(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[str]:
        """The detection resolution."""
        return ["--exact"] if self.parameterAsBoolean(parameters, EXACT, context) else []
