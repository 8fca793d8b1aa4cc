"""`sunbreak:explainclassification`: saliency of a class over a scene, and the contribution of each band."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterPoint,
)

from ..bridge.process import Result
from ..classes import class_label, decimal
from ..compat import POLYGONS as POLYGON_LAYERS
from ..compat import tr
from ..polygons import write_geojson
from ..sources import SourceError
from .base import is_set
from .declarations import INPUT, OUTPUT
from .network import (
    BLOCK,
    CLASS,
    DEVICE,
    DEVICES,
    LAND_COVER,
    METHOD,
    MODEL,
    S1,
    S1_UNIT,
    S1_UNITS,
    S1_VH,
    STRIDE,
    NetworkAlgorithm,
)

POINT = "POINT"
POLYGONS = "POLYGONS"
BANDS = "BANDS"
PREDICTED_CLASS = "PREDICTED_CLASS"
PROBABILITY = "PROBABILITY"
STRONGEST_BAND = "STRONGEST_BAND"
STRONGEST_BAND_SHARE = "STRONGEST_BAND_SHARE"
SECONDS = "SECONDS"

_PROBABILITY = "probability_"
_PIXELS = "explained_pixels"  # a figure of classifiers that give a class to each pixel


class ExplainClassification(NetworkAlgorithm):
    """Explain a land-cover classification with a saliency map."""

    command = "explain"
    help_topic = "classify-and-explain-a-point"
    icon_name = "explain"
    roles = {OUTPUT: "saliency_*"}  # noqa: RUF012 (read only)
    files = {BANDS: "_bands.csv"}  # noqa: RUF012
    numbers = {STRONGEST_BAND_SHARE: "strongest_band_share", SECONDS: "seconds"}  # noqa: RUF012
    words = {PREDICTED_CLASS: "predicted_class", STRONGEST_BAND: "strongest_band"}  # noqa: RUF012
    inputs = (INPUT, S1, S1_VH)
    integers = {STRIDE: "--stride"}  # noqa: RUF012
    texts = {CLASS: "--class"}  # noqa: RUF012
    choices = {S1_UNIT: "--s1-unit", METHOD: "--method", BLOCK: "--block", DEVICE: "--device"}  # noqa: RUF012

    def name(self) -> str:
        """Stable id; never changes."""
        return "explainclassification"

    def displayName(self) -> str:
        """Displayed name in the toolbox."""
        return tr("Explain classification")

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Land cover")

    def groupId(self) -> str:
        """Stable id; never changes."""
        return "landcover"

    def tags(self) -> list[str]:
        """Search terms for the toolbox."""
        return [*super().tags(), "land cover", "classification", "saliency", "grad-cam", "hirescam", "explanation"]

    def shortDescription(self) -> str:
        """One line, also for `qgis_process list`."""
        return tr("Shows where in a Sentinel-2 scene the evidence for a land cover class lies, and in which bands.")

    def shortHelpString(self) -> str:
        """Text beside the dialog."""
        return tr(
            "Explains a land cover classification with a saliency map. Bright pixels are evidence for the "
            "class; pixels without evidence are transparent.\n\n"
            'The class is one of the classifier\'s class names, such as Water. "predicted" explains the '
            "class assigned to each place.\n\n"
            "With a point (click the button, then the map), a patch classifier explains the patch around it, a pixel "
            "classifier the class of the pixel there. The map shows the surroundings pixel by pixel, and the log "
            "lists the class probabilities of this patch or pixel.\n\n"
            "With polygons, a patch classifier explains the area inside them. A pixel classifier explains the class "
            "of the pixels inside them, and the map also shows the evidence around them.\n\n"
            "With neither, the whole scene is explained: by a pixel classifier, all pixels for which the class was "
            "predicted, together.\n\n"
            "The method auto is Grad-CAM for patch classifiers and integrated gradients for pixel classifiers. "
            "HiResCAM shows only pixels that raised the score of the class; at layer4 of patch classifiers it agrees "
            "with Grad-CAM. Lower layers give finer maps that are harder to interpret. Integrated gradients go through "
            "the whole network and take no block. Only patch classifiers take a stride.\n\n"
            "A light backend, which has no PyTorch, explains the bundled patch classifier with Grad-CAM at layer4. "
            "Everything else needs PyTorch.\n\n"
            "The band table lists how much each band contributed, and whether it contributed for or against the "
            "class.\n\n"
            "Each map is scaled so that its brightest pixel is 1. The brightness of two maps cannot be "
            "compared."
        )

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        """Declare parameters and outputs."""
        self.add_scenes()
        self.add_model(MODEL, tr("Classifier (empty: the backend's default)"), LAND_COVER)
        self.add_class(MODEL)
        self.addParameter(
            QgsProcessingParameterPoint(POINT, tr("Only the patch around this point, or its pixel"), optional=True)
        )
        self.addParameter(
            QgsProcessingParameterFeatureSource(
                POLYGONS, tr("Only inside these polygons"), [POLYGON_LAYERS], optional=True
            )
        )
        self.add_scene_parameters()
        self.add_choice(S1_UNIT, tr("Unit of the Sentinel-1 values"), S1_UNITS)
        self.add_model_file(MODEL, tr("Classifier from a file (card or weights; overrides the one above)"))
        self.add_explanation_choices()
        self.add_stride()
        self.add_choice(DEVICE, tr("Device"), DEVICES)
        self.add_destinations(
            {
                OUTPUT: tr("Saliency"),
                BANDS: tr("Band table"),
                STRONGEST_BAND_SHARE: tr("Fraction of the strongest band (0 to 1)"),
                SECONDS: tr("Run time in seconds"),
                PREDICTED_CLASS: tr("Class of the patch or pixel at the point"),
                STRONGEST_BAND: tr("Strongest band"),
            },
            shown=(),
        )
        self.addOutput(QgsProcessingOutputNumber(PROBABILITY, tr("Probability of that class (0 to 1)")))

    def check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Also refuse a point together with polygons."""
        super().check(parameters, context)
        if is_set(parameters, POINT) and is_set(parameters, POLYGONS):
            raise SourceError(tr("Both a point and polygons are given. Remove one of them."))

    def arguments(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[str]:
        """Also the point, in the scene's CRS."""
        options = super().arguments(parameters, context)
        scene = self.parameterAsRasterLayer(parameters, INPUT, context)
        self._extent, self._crs = scene.extent(), scene.crs()
        if is_set(parameters, POINT):
            point = self.parameterAsPoint(parameters, POINT, context, self._crs)
            options.append(f"--at={point.x()!r},{point.y()!r}")
        return options

    def late_arguments(self, parameters: dict[str, Any], context: QgsProcessingContext, folder: Path) -> list[str]:
        """The polygons, as a file."""
        source = self.parameterAsSource(parameters, POLYGONS, context)
        if source is None:
            if is_set(parameters, POLYGONS):
                raise SourceError(tr("{value} cannot be opened as a vector layer.").format(value=parameters[POLYGONS]))
            return []
        path = folder / "polygons.geojson"
        write_geojson(source, path, self._extent, self._crs, context)
        return ["--mask", str(path)]

    def figures(self, result: Result) -> dict[str, Any]:
        """Also the probability of the class of the patch or pixel."""
        probabilities = _probabilities(result)
        return super().figures(result) | ({PROBABILITY: probabilities[0][1]} if probabilities else {})

    def summary(self, result: Result) -> list[str]:
        """Class probabilities of the patch or pixel at the point."""
        lines = [
            tr("{name}: {share} %").format(name=class_label(name), share=decimal(100 * value))
            for name, value in _probabilities(result)
        ]
        if not lines:
            return []
        is_pixel = _PIXELS in result.numbers
        return [tr("The pixel at the point:") if is_pixel else tr("The patch around the point:"), *lines]


def _probabilities(result: Result) -> list[tuple[str, float]]:
    """Classes and probabilities of the patch or pixel at the point, most probable first."""
    found = {
        name.removeprefix(_PROBABILITY): float(value)
        for name, value in result.numbers.items()
        if name.startswith(_PROBABILITY)
    }
    return sorted(found.items(), key=lambda item: -item[1])
