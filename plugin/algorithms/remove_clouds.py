"""`sunbreak:removeclouds`: a Sentinel-2 scene without its clouds, and how far each pixel can be trusted."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingOutputFile,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)

from ..compat import INTEGER, tr
from .base import INPUT, OUTPUT, QUICKLOOK, BackendAlgorithm, is_set

S1 = "S1"
MASK = "MASK"
MODEL = "MODEL"
MODEL_FILE = "MODEL_FILE"
REPLACE_ALL = "REPLACE_ALL"
FEATHER = "FEATHER"
BUFFER = "BUFFER"
EXACT_CLOUDS = "EXACT_CLOUDS"
DEVICE = "DEVICE"
DEVICES = ("auto", "cpu", "cuda", "mps")
S1_UNIT = "S1_UNIT"
S1_UNITS = ("auto", "db", "linear")
UNCERTAINTY = "UNCERTAINTY"
RECONSTRUCTED = "RECONSTRUCTED"
CLOUD_PROBABILITY = "CLOUD_PROBABILITY"
CLOUD_MASK = "CLOUD_MASK"
CLOUD_SHARE = "CLOUD_SHARE"
RECONSTRUCTED_SHARE = "RECONSTRUCTED_SHARE"
SECONDS = "SECONDS"

_MODEL_WIDGET = f"{__name__.rpartition('.algorithms.')[0]}.gui.model_widget.ModelWidgetWrapper"


class RemoveClouds(BackendAlgorithm):
    """Reconstruct what lies under the clouds of a Sentinel-2 scene with the help of Sentinel-1."""

    command = "clean"
    roles = {  # noqa: RUF012 (read only)
        OUTPUT: "cleaned",
        UNCERTAINTY: "uncertainty",
        RECONSTRUCTED: "reconstructed",
        CLOUD_PROBABILITY: "cloud_probability",
        CLOUD_MASK: "cloud_mask",
    }
    numbers = {  # noqa: RUF012
        CLOUD_SHARE: "cloud_share",
        RECONSTRUCTED_SHARE: "reconstructed_share",
        SECONDS: "seconds",
    }
    inputs = (INPUT, S1, MASK)

    def name(self) -> str:
        """Stable for ever."""
        return "removeclouds"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Remove clouds")

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Clouds")

    def groupId(self) -> str:
        """Stable for ever."""
        return "clouds"

    def shortDescription(self) -> str:
        """One line, also for `qgis_process list`."""
        return tr("Reconstructs what lies under the clouds of a Sentinel-2 scene with the help of Sentinel-1 radar.")

    def shortHelpString(self) -> str:
        """Text beside the dialog."""
        return tr(
            "Takes the clouds out of a Sentinel-2 scene and says how far each pixel can be trusted.\n\n"
            "Sentinel-2 is one raster with the bands (their names are read from the band descriptions), or a layer out "
            "of a Sentinel-2 product, which stands for the whole product. Sentinel-1 is one raster with VV and VH, "
            "terrain-corrected, in dB or linear power; it is brought onto the Sentinel-2 grid. Models that need no "
            "radar do without. A mask of your own may be a scene classification (SCL), 0/1, 0/255 or a probability.\n\n"
            "Clear pixels keep their values exactly. Under clouds the model's reconstruction is written, and along the "
            "edges of clouds the two are mixed.\n\n"
            "Uncertainty is the standard deviation (sigma) of each band. Reconstructed says how much of a pixel was "
            "synthesised, from 0 (observed) to 1 (all of it)."
        )

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        """Declare parameters and outputs."""
        self.addParameter(QgsProcessingParameterRasterLayer(INPUT, tr("Sentinel-2 scene")))
        self.addParameter(QgsProcessingParameterRasterLayer(S1, tr("Sentinel-1 scene (VV and VH)"), optional=True))
        model = QgsProcessingParameterString(MODEL, tr("Model (empty: the backend's default)"), optional=True)
        model.setMetadata({"widget_wrapper": {"class": _MODEL_WIDGET}})
        self.addParameter(model)
        self.addParameter(
            QgsProcessingParameterRasterLayer(
                MASK, tr("Cloud mask to use instead of looking for clouds"), optional=True
            )
        )
        self.add_scene_parameters()
        self.add_choice(S1_UNIT, tr("Unit of the Sentinel-1 values"), S1_UNITS)
        self.add_advanced(
            QgsProcessingParameterFile(
                MODEL_FILE,
                tr("Model from a file (its card or weights; instead of the model above)"),
                fileFilter=tr("Models (*.json *.safetensors)"),
                optional=True,
            )
        )
        self.add_switch(REPLACE_ALL, tr("Replace clear pixels too"))
        self.add_advanced(
            QgsProcessingParameterNumber(
                FEATHER,
                tr("Width of the mixed edge of clouds in pixels (not set: the backend's default)"),
                INTEGER,
                optional=True,
                minValue=0,
            )
        )
        self.add_advanced(
            QgsProcessingParameterNumber(
                BUFFER,
                tr("Pixels by which clouds are grown first (not set: 4, or 0 with a mask of your own)"),
                INTEGER,
                optional=True,
                minValue=0,
            )
        )
        self.add_switch(EXACT_CLOUDS, tr("Detect clouds at full resolution (slower)"))
        self.add_choice(DEVICE, tr("Device"), DEVICES)
        self.add_destinations(
            {
                OUTPUT: tr("Cleaned scene"),
                UNCERTAINTY: tr("Uncertainty"),
                RECONSTRUCTED: tr("Reconstructed"),
                CLOUD_PROBABILITY: tr("Cloud probability"),
                CLOUD_MASK: tr("Cloud mask"),
                CLOUD_SHARE: tr("Share of the scene under cloud (0 to 1)"),
                RECONSTRUCTED_SHARE: tr("Share of the scene that was reconstructed (0 to 1)"),
                SECONDS: tr("Seconds that the run took"),
            },
            shown=(UNCERTAINTY, RECONSTRUCTED, CLOUD_MASK),
        )
        self.addOutput(QgsProcessingOutputFile(QUICKLOOK, tr("Quicklook (PNG beside the cleaned scene)")))

    def arguments(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[str]:
        """Radar, mask, model, blending and device."""
        options = []
        radar = self.raster_path(parameters, S1, context)
        if radar is not None:
            options += ["--s1", str(radar)]
        mask = self.raster_path(parameters, MASK, context)
        if mask is not None:
            options += ["--mask", str(mask)]
        model = self.parameterAsFile(parameters, MODEL_FILE, context) or self.parameterAsString(
            parameters, MODEL, context
        )
        if model:
            options += ["--model", model]
        if self.parameterAsBoolean(parameters, REPLACE_ALL, context):
            options.append("--replace-all")
        for name, option in ((FEATHER, "--feather"), (BUFFER, "--buffer")):
            if is_set(parameters, name):
                options += [option, str(self.parameterAsInt(parameters, name, context))]
        if self.parameterAsBoolean(parameters, EXACT_CLOUDS, context):
            options.append("--exact-clouds")
        options += self.chosen(parameters, S1_UNIT, "--s1-unit", context)
        return options + self.chosen(parameters, DEVICE, "--device", context)
