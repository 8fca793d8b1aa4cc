"""`sunbreak:cleanclassifyexplain`: the whole chain, from a cloudy scene to its land cover and what to trust of it."""

from __future__ import annotations

from typing import Any

from ..bridge.process import Result
from ..compat import tr
from .declarations import INPUT, OUTPUT
from .network import (
    BLOCK,
    CLASS,
    DEVICE,
    DEVICES,
    LAND_COVER,
    MASK,
    METHOD,
    MODEL,
    REMOVAL,
    S1,
    S1_UNIT,
    S1_UNITS,
    STRIDE,
    NetworkAlgorithm,
    areas,
)

CLASSIFIER = "CLASSIFIER"
EXACT_CLOUDS = "EXACT_CLOUDS"
FEATHER = "FEATHER"
BUFFER = "BUFFER"
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
CLOUD_SHARE = "CLOUD_SHARE"
RECONSTRUCTED_SHARE = "RECONSTRUCTED_SHARE"
MEAN_CONFIDENCE = "MEAN_CONFIDENCE"
CHANGED_SHARE = "CHANGED_SHARE"
SEEN_CONFIDENT = "SEEN_CONFIDENT"
SEEN_UNSURE = "SEEN_UNSURE"
RECONSTRUCTED_CONFIDENT = "RECONSTRUCTED_CONFIDENT"
RECONSTRUCTED_UNSURE = "RECONSTRUCTED_UNSURE"
SECONDS = "SECONDS"


class CleanClassifyExplain(NetworkAlgorithm):
    """Remove the clouds of a scene, classify its land cover, show why, and say what to trust."""

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
        CLOUD_MASK: "cloud_mask",
        CLOUD_PROBABILITY: "cloud_probability",
    }
    visible = (OUTPUT, CLEANED)  # trust covers everything: on top, one click away
    files = {REPORT: "_report.html", BANDS: "_bands.csv"}  # noqa: RUF012
    numbers = {  # noqa: RUF012
        CLOUD_SHARE: "cloud_share",
        RECONSTRUCTED_SHARE: "reconstructed_share",
        MEAN_CONFIDENCE: "mean_confidence",
        CHANGED_SHARE: "changed_share",
        SEEN_CONFIDENT: "trust_seen_confident",
        SEEN_UNSURE: "trust_seen_unsure",
        RECONSTRUCTED_CONFIDENT: "trust_reconstructed_confident",
        RECONSTRUCTED_UNSURE: "trust_reconstructed_unsure",
        SECONDS: "seconds",
    }
    inputs = (INPUT, S1, MASK)
    models = {MODEL: "--model", CLASSIFIER: "--classifier"}  # noqa: RUF012
    rasters = {S1: "--s1", MASK: "--mask"}  # noqa: RUF012
    integers = {FEATHER: "--feather", BUFFER: "--buffer", STRIDE: "--stride"}  # noqa: RUF012
    shares = {CONFIDENT_FROM: "--confident", RECONSTRUCTED_ABOVE: "--reconstructed"}  # noqa: RUF012
    switches = {EXACT_CLOUDS: "--exact-clouds"}  # noqa: RUF012
    texts = {CLASS: "--class"}  # noqa: RUF012
    choices = {S1_UNIT: "--s1-unit", METHOD: "--method", BLOCK: "--block", DEVICE: "--device"}  # noqa: RUF012
    has_quicklook = True

    def name(self) -> str:
        """Stable for ever."""
        return "cleanclassifyexplain"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Clean, classify, explain")

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Land cover")

    def groupId(self) -> str:
        """Stable for ever."""
        return "landcover"

    def tags(self) -> list[str]:
        """Words that find it in the toolbox."""
        return [*super().tags(), "land cover", "classification", "trust", "saliency", "report", "chain"]

    def shortDescription(self) -> str:
        """One line, also for `qgis_process list`."""
        return tr("Removes the clouds of a Sentinel-2 scene, classifies the land under them, and says what to trust.")

    def shortHelpString(self) -> str:
        """Text beside the dialog."""
        return tr(
            "Goes the whole way: finds the clouds of a Sentinel-2 scene, removes them with the help of Sentinel-1 "
            "radar, classifies the land cover of the cleaned scene, shows what the classifier looked at, and says how "
            "far each answer can be trusted.\n\nSentinel-2 is one raster with the bands (their names are read from "
            "the band descriptions), or a layer out of a Sentinel-2 product. Sentinel-1 is one raster with VV and VH, "
            "terrain-corrected, in dB or linear power.\n\nTrust has four classes. Seen and confident is as good as a "
            "clear scene. Seen and unsure: look again. Reconstructed and confident: the classifier is sure of what "
            "the network painted, which is no observation. Reconstructed and unsure: a guess. Both thresholds are "
            "among the advanced parameters.\n\n"
            '"Changed by cleaning" shows where the cloudy scene would have been given another class. Saliency shows '
            'where the evidence for a class lies: "predicted" explains in each place the class that it was taken for, '
            '"none" leaves that out.\n\n'
            "The report is one HTML file with the pictures, the area of each class in hectares, what share of it rests "
            "on reconstructed pixels, and what to be careful about."
        )

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        """Declare parameters and outputs."""
        self.add_scenes()
        self.add_model(MODEL, tr("Model that removes clouds (empty: the backend's default)"), REMOVAL)
        self.add_model(CLASSIFIER, tr("Classifier (empty: the backend's default)"), LAND_COVER)
        self.add_class(CLASSIFIER, none=True)
        self.add_raster(MASK, tr("Cloud mask to use instead of looking for clouds"))
        self.add_scene_parameters()
        self.add_cloud_threshold()
        self.add_choice(S1_UNIT, tr("Unit of the Sentinel-1 values"), S1_UNITS)
        self.add_model_file(MODEL, tr("Model that removes clouds from a file (instead of the one above)"))
        self.add_model_file(CLASSIFIER, tr("Classifier from a file (instead of the one above)"))
        self.add_integer(
            FEATHER, tr("Width of the mixed edge of clouds in pixels (not set: 4, or 0 with a mask of your own)")
        )
        self.add_integer(
            BUFFER, tr("Pixels by which clouds are grown first (not set: 4, or 0 with a mask of your own)")
        )
        self.add_switch(EXACT_CLOUDS, tr("Detect clouds at full resolution (slower)"))
        self.add_stride()
        self.add_explanation_choices()
        self.add_share(CONFIDENT_FROM, tr("Confidence from which on a class counts as sure (not set: 0.6)"))
        self.add_share(
            RECONSTRUCTED_ABOVE,
            tr("Reconstructed share above which a cell counts as reconstructed (not set: 0.1)"),
        )
        self.add_choice(DEVICE, tr("Device"), DEVICES)
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
                CLOUD_MASK: tr("Cloud mask"),
                CLOUD_PROBABILITY: tr("Cloud probability"),
                REPORT: tr("Report"),
                BANDS: tr("Table of bands"),
                CLOUD_SHARE: tr("Share of the scene under cloud (0 to 1)"),
                RECONSTRUCTED_SHARE: tr("Share of the scene that was reconstructed (0 to 1)"),
                MEAN_CONFIDENCE: tr("Mean confidence (0 to 1)"),
                CHANGED_SHARE: tr("Share whose class was changed by cleaning (0 to 1)"),
                SEEN_CONFIDENT: tr("Share that was seen and is confident (0 to 1)"),
                SEEN_UNSURE: tr("Share that was seen and is unsure (0 to 1)"),
                RECONSTRUCTED_CONFIDENT: tr("Share that was reconstructed and is confident (0 to 1)"),
                RECONSTRUCTED_UNSURE: tr("Share that was reconstructed and is unsure (0 to 1)"),
                SECONDS: tr("Seconds that the run took"),
            },
            shown=(TRUST, SALIENCY, CHANGE, CONFIDENCE, CLEANED, UNCERTAINTY, RECONSTRUCTED, REPORT),
        )

    def summary(self, result: Result) -> list[str]:
        """The area of each class."""
        return areas(result.numbers)
