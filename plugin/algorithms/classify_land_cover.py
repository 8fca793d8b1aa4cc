"""`sunbreak:classifylandcover`: land cover of a Sentinel-2 scene, with its confidence."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingOutputString

from ..bridge.process import Result
from ..classes import area_lines, class_areas
from ..compat import tr
from .declarations import INPUT, OUTPUT
from .network import (
    DEVICE,
    DEVICES,
    LAND_COVER,
    MODEL,
    S1,
    S1_UNIT,
    S1_UNITS,
    S1_VH,
    STRIDE,
    NetworkAlgorithm,
)

RECONSTRUCTED = "RECONSTRUCTED"
CONFIDENCE = "CONFIDENCE"
ENTROPY = "ENTROPY"
PROBABILITIES = "PROBABILITIES"
EVIDENCE = "EVIDENCE"
MEAN_CONFIDENCE = "MEAN_CONFIDENCE"
RECONSTRUCTED_SHARE = "RECONSTRUCTED_SHARE"
AREAS = "AREAS"
SECONDS = "SECONDS"


class ClassifyLandCover(NetworkAlgorithm):
    """Classify the land cover of a Sentinel-2 scene."""

    command = "classify"
    help_topic = "classify-and-explain-a-point"
    icon_name = "landcover"
    roles = {  # noqa: RUF012 (read only)
        OUTPUT: "landcover",
        CONFIDENCE: "landcover_confidence",
        ENTROPY: "landcover_entropy",
        PROBABILITIES: "landcover_probabilities",
        EVIDENCE: "landcover_evidence",
    }
    numbers = {  # noqa: RUF012
        MEAN_CONFIDENCE: "mean_confidence",
        RECONSTRUCTED_SHARE: "reconstructed_evidence",
        SECONDS: "seconds",
    }
    inputs = (INPUT, S1, S1_VH, RECONSTRUCTED)
    rasters = {S1: "--s1", S1_VH: "--s1", RECONSTRUCTED: "--reconstructed"}  # noqa: RUF012
    integers = {STRIDE: "--stride"}  # noqa: RUF012
    on_demand = {PROBABILITIES: "--probabilities"}  # noqa: RUF012

    def name(self) -> str:
        """Stable id; never changes."""
        return "classifylandcover"

    def displayName(self) -> str:
        """Displayed name in the toolbox."""
        return tr("Classify land cover")

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Land cover")

    def groupId(self) -> str:
        """Stable id; never changes."""
        return "landcover"

    def tags(self) -> list[str]:
        """Search terms for the toolbox."""
        return [*super().tags(), "land cover", "classification", "land use", "confidence"]

    def shortDescription(self) -> str:
        """One line, also for `qgis_process list`."""
        return tr("Land cover of a Sentinel-2 scene, with its confidence and the evidence behind it.")

    def shortHelpString(self) -> str:
        """Text beside the dialog."""
        return tr(
            "Classifies the land cover of a Sentinel-2 scene. There are two kinds of classifiers. A pixel classifier "
            "gives a class to each pixel (cells of 10 m). A patch classifier runs on overlapping patches, whose "
            "probabilities are blended onto larger cells. Its stride sets their size; with a pixel classifier, "
            "leave the stride empty.\n\n"
            "The input is one raster with the Sentinel-2 bands (the band names are read from the band "
            "descriptions), or a layer of a Sentinel-2 product. Sentinel-1 is needed only for classifiers "
            "that were trained with it.\n\n"
            'For a cleaned scene, also give its layer "Reconstructed". The evidence then includes how much '
            "of each cell is based on reconstructed pixels.\n\n"
            "Confidence is the probability of the assigned class. Entropy ranges from 0 (one class is "
            "certain) to 1 (all classes are equally probable). Probabilities have one band per class. From a pixel "
            "classifier they make a large file: about 2 GB for a full tile with nine classes. "
            "Evidence says what a cell's class is based on: the fraction of its patches, or of its pixel, that has "
            "data, and the fraction that was reconstructed.\n\n"
            "The log lists the area of each class in hectares. If the classifier's errors are known, it also gives "
            "the area adjusted for them, with a 95 % confidence interval."
        )

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        """Declare parameters and outputs."""
        self.add_scenes()
        self.add_model(MODEL, tr("Classifier (empty: the backend's default)"), LAND_COVER)
        self.add_raster(RECONSTRUCTED, tr("Reconstructed fraction, for a cleaned scene"))
        self.add_scene_parameters()
        self.add_choice(S1_UNIT, tr("Unit of the Sentinel-1 values"), S1_UNITS)
        self.add_model_file(MODEL, tr("Classifier from a file (card or weights; overrides the one above)"))
        self.add_stride()
        self.add_choice(DEVICE, tr("Device"), DEVICES)
        self.add_destinations(
            {
                OUTPUT: tr("Land cover"),
                CONFIDENCE: tr("Confidence"),
                ENTROPY: tr("Entropy"),
                PROBABILITIES: tr("Probabilities"),
                EVIDENCE: tr("Evidence"),
                MEAN_CONFIDENCE: tr("Mean confidence (0 to 1)"),
                RECONSTRUCTED_SHARE: tr("Reconstructed fraction of the evidence (0 to 1)"),
                SECONDS: tr("Run time in seconds"),
            },
            shown=(CONFIDENCE,),
        )
        self.addOutput(QgsProcessingOutputString(AREAS, tr("Area of each class (JSON)")))

    def figures(self, result: Result) -> dict[str, Any]:
        """Also the area of each class."""
        found = class_areas(result.numbers)
        return super().figures(result) | ({AREAS: found} if found else {})

    def summary(self, result: Result) -> list[str]:
        """The area of each class."""
        return area_lines(class_areas(result.numbers), result.numbers.get("reconstructed_evidence"))
