"""`sunbreak:cleanclassifyexplain`: the whole chain, from a cloudy scene to its land cover and trust layer."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingOutputString

from ..bridge.process import Result
from ..classes import area_lines, class_areas
from ..compat import tr
from .declarations import OUTPUT
from .masking import CLOUD_NUMBERS, EXACT_CLOUDS, cloud_titles
from .network import (
    BLOCK,
    CLASS,
    LAND_COVER,
    METHOD,
    MODEL,
    REMOVAL,
    S1_UNIT,
    S1_UNITS,
    STRIDE,
)
from .other_dates import GROUND_CHANGED, SOURCE, OtherDatesAlgorithm, other_dates_help

CLASSIFIER = "CLASSIFIER"
CONFIDENT_FROM = "CONFIDENT_FROM"
RECONSTRUCTED_ABOVE = "RECONSTRUCTED_ABOVE"
TRUST = "TRUST"
SALIENCY = "SALIENCY"
CHANGE = "CHANGE"
CONFIDENCE = "CONFIDENCE"
ENTROPY = "ENTROPY"
PROBABILITIES = "PROBABILITIES"
EVIDENCE = "EVIDENCE"
CLEANED = "CLEANED"
UNCERTAINTY = "UNCERTAINTY"
RECONSTRUCTED = "RECONSTRUCTED"
CLOUD_MASK = "CLOUD_MASK"
CLOUD_PROBABILITY = "CLOUD_PROBABILITY"
REPORT = "REPORT"
BANDS = "BANDS"
RECONSTRUCTED_SHARE = "RECONSTRUCTED_SHARE"
RECONSTRUCTED_EVIDENCE = "RECONSTRUCTED_EVIDENCE"
MEAN_CONFIDENCE = "MEAN_CONFIDENCE"
AREAS = "AREAS"
CHANGED_SHARE = "CHANGED_SHARE"
SEEN_CONFIDENT = "SEEN_CONFIDENT"
SEEN_UNSURE = "SEEN_UNSURE"
RECONSTRUCTED_CONFIDENT = "RECONSTRUCTED_CONFIDENT"
RECONSTRUCTED_UNSURE = "RECONSTRUCTED_UNSURE"
SECONDS = "SECONDS"


class CleanClassifyExplain(OtherDatesAlgorithm):
    """Remove the clouds of a scene, classify its land cover, explain it and map its trust."""

    command = "run"
    help_topic = "classify-and-explain-a-point"
    icon_name = "chain"
    roles = {  # noqa: RUF012 (read only)
        OUTPUT: "landcover",
        TRUST: "trust",
        SALIENCY: "saliency_*",
        CHANGE: "landcover_cloudy_vs_cleaned",
        CONFIDENCE: "landcover_confidence",
        ENTROPY: "landcover_entropy",
        PROBABILITIES: "landcover_probabilities",
        EVIDENCE: "landcover_evidence",
        CLEANED: "cleaned",
        UNCERTAINTY: "uncertainty",
        RECONSTRUCTED: "reconstructed",
        SOURCE: "source",
        GROUND_CHANGED: "changed",
        CLOUD_MASK: "cloud_mask",
        CLOUD_PROBABILITY: "cloud_probability",
    }
    visible = (OUTPUT, CLEANED)  # trust would hide all layers below it, so it is loaded but not shown
    files = {REPORT: "_report.html", BANDS: "_bands.csv"}  # noqa: RUF012
    numbers = {  # noqa: RUF012
        **CLOUD_NUMBERS,
        RECONSTRUCTED_SHARE: "reconstructed_share",
        RECONSTRUCTED_EVIDENCE: "reconstructed_evidence",
        MEAN_CONFIDENCE: "mean_confidence",
        CHANGED_SHARE: "changed_share",
        SEEN_CONFIDENT: "trust_seen_confident",
        SEEN_UNSURE: "trust_seen_unsure",
        RECONSTRUCTED_CONFIDENT: "trust_reconstructed_confident",
        RECONSTRUCTED_UNSURE: "trust_reconstructed_unsure",
        SECONDS: "seconds",
    }
    models = {MODEL: "--model", CLASSIFIER: "--classifier"}  # noqa: RUF012
    integers = {**OtherDatesAlgorithm.integers, STRIDE: "--stride"}  # noqa: RUF012
    fractions = {CONFIDENT_FROM: "--confident", RECONSTRUCTED_ABOVE: "--reconstructed"}  # noqa: RUF012
    switches = {EXACT_CLOUDS: "--exact-clouds"}  # noqa: RUF012
    texts = {CLASS: "--class"}  # noqa: RUF012
    on_demand = {PROBABILITIES: "--probabilities"}  # noqa: RUF012
    choices = {**OtherDatesAlgorithm.choices, METHOD: "--method", BLOCK: "--block"}  # noqa: RUF012
    has_quicklook = True

    def name(self) -> str:
        """Stable id; never changes."""
        return "cleanclassifyexplain"

    def displayName(self) -> str:
        """Displayed name in the toolbox."""
        return tr("Clean, classify, explain")

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Land cover")

    def groupId(self) -> str:
        """Stable id; never changes."""
        return "landcover"

    def tags(self) -> list[str]:
        """Search terms for the toolbox."""
        return [*super().tags(), "land cover", "classification", "trust", "saliency", "report", "chain"]

    def shortDescription(self) -> str:
        """One line, also for `qgis_process list`."""
        return tr(
            "Removes the clouds of a Sentinel-2 scene, classifies the land cover and maps how far it can be trusted."
        )

    def shortHelpString(self) -> str:
        """Text beside the dialog."""
        text = tr(
            "Runs all steps in one go. It detects the clouds and shadows of a Sentinel-2 scene, or takes them from "
            "your own mask, and removes them with the help of Sentinel-1 radar. It then classifies the land cover of "
            "the cleaned scene, explains the classification and maps how far each class can be trusted.\n\n"
            "Sentinel-2 is one raster with the bands (the band names are read from the band descriptions), "
            "or a layer of a Sentinel-2 product. Sentinel-1 is one terrain-corrected raster with VV and VH, "
            "in dB or linear power. Level-1C and Level-2A are cleaned, with or without a scene classification "
            "(SCL).\n\n"
            "Land cover has a class for each pixel, or for larger cells if the classifier works on patches. Only a "
            "patch classifier takes a stride. Probabilities have one band per class; from a pixel classifier they "
            "make a large file.\n\n"
            "Trust has four classes. Seen and confident: as reliable as in a clear scene. Seen and unsure: "
            "check it. Reconstructed and confident: the classifier is confident, but its input was "
            "reconstructed and not observed. Reconstructed and unsure: do not rely on it. Both thresholds "
            "are advanced parameters.\n\n"
            '"Changed by cleaning" shows where the cloudy scene would have got another class. Saliency shows '
            'where the evidence for a class lies: "predicted" explains the class assigned to each place, '
            '"none" skips this step.\n\n'
            "The report is one HTML file. It holds the pictures, the area of each class in hectares, the "
            "fraction of it based on reconstructed pixels, the area adjusted for classification error if the "
            "classifier's errors are known, and warnings."
        )
        return f"{text}\n\n{other_dates_help()}"

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        """Declare parameters and outputs."""
        self.add_scenes()
        self.add_other_dates()
        self.add_model(MODEL, tr("Cloud removal model (empty: the backend's default)"), REMOVAL)
        self.add_model(CLASSIFIER, tr("Classifier (empty: the backend's default)"), LAND_COVER)
        self.add_class(CLASSIFIER, none=True)
        self.add_masking()
        self.add_mask_coding()
        self.add_scene_parameters()
        self.add_cloud_threshold()
        self.add_choice(S1_UNIT, tr("Unit of the Sentinel-1 values"), S1_UNITS)
        self.add_radar_of_dates()
        self.add_model_file(MODEL, tr("Cloud removal model from a file (overrides the one above)"))
        self.add_model_file(CLASSIFIER, tr("Classifier from a file (overrides the one above)"))
        self.add_margins()
        self.add_stride()
        self.add_explanation_choices()
        self.add_fraction(CONFIDENT_FROM, tr("Confidence threshold of a confident class (not set: 0.6)"))
        self.add_fraction(
            RECONSTRUCTED_ABOVE,
            tr("Reconstructed fraction above which a cell counts as reconstructed (not set: 0.1)"),
        )
        self.add_computing()
        shown = (
            TRUST, SALIENCY, CHANGE, CONFIDENCE, CLEANED, UNCERTAINTY, RECONSTRUCTED, SOURCE, GROUND_CHANGED, REPORT,
        )  # fmt: skip
        self.add_destinations(
            {
                OUTPUT: tr("Land cover"),
                TRUST: tr("Trust"),
                SALIENCY: tr("Saliency"),
                CHANGE: tr("Changed by cleaning"),
                CONFIDENCE: tr("Confidence"),
                ENTROPY: tr("Entropy"),
                PROBABILITIES: tr("Probabilities"),
                EVIDENCE: tr("Evidence"),
                CLEANED: tr("Cleaned scene"),
                UNCERTAINTY: tr("Uncertainty"),
                RECONSTRUCTED: tr("Reconstructed"),
                SOURCE: tr("Source"),
                GROUND_CHANGED: tr("Ground changed"),
                CLOUD_MASK: tr("Cloud mask"),
                CLOUD_PROBABILITY: tr("Cloud probability"),
                REPORT: tr("Report"),
                BANDS: tr("Band table"),
                **cloud_titles(),
                RECONSTRUCTED_SHARE: tr("Reconstructed fraction of the scene (0 to 1)"),
                RECONSTRUCTED_EVIDENCE: tr("Reconstructed fraction of the evidence (0 to 1)"),
                MEAN_CONFIDENCE: tr("Mean confidence (0 to 1)"),
                CHANGED_SHARE: tr("Fraction whose class was changed by cleaning (0 to 1)"),
                SEEN_CONFIDENT: tr("Fraction that was seen and is confident (0 to 1)"),
                SEEN_UNSURE: tr("Fraction that was seen and is unsure (0 to 1)"),
                RECONSTRUCTED_CONFIDENT: tr("Fraction that was reconstructed and is confident (0 to 1)"),
                RECONSTRUCTED_UNSURE: tr("Fraction that was reconstructed and is unsure (0 to 1)"),
                SECONDS: tr("Run time in seconds"),
            },
            shown,
        )
        self.addOutput(QgsProcessingOutputString(AREAS, tr("Area of each class (JSON)")))

    def figures(self, result: Result) -> dict[str, Any]:
        """Also the area of each class."""
        found = class_areas(result.numbers)
        return super().figures(result) | ({AREAS: found} if found else {})

    def summary(self, result: Result) -> list[str]:
        """The area of each class."""
        return area_lines(class_areas(result.numbers), result.numbers.get("reconstructed_evidence"))
