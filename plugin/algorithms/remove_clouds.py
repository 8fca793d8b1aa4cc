"""`sunbreak:removeclouds`: a Sentinel-2 scene without its clouds, with the uncertainty of each pixel."""

from __future__ import annotations

from typing import Any

from ..compat import tr
from .declarations import OUTPUT
from .masking import CLOUD_NUMBERS, EXACT_CLOUDS, cloud_titles
from .network import MODEL, REMOVAL, S1_UNIT, S1_UNITS
from .other_dates import GROUND_CHANGED, SOURCE, OtherDatesAlgorithm, other_dates_help

REPLACE_ALL = "REPLACE_ALL"
UNCERTAINTY = "UNCERTAINTY"
RECONSTRUCTED = "RECONSTRUCTED"
CLOUD_PROBABILITY = "CLOUD_PROBABILITY"
CLOUD_MASK = "CLOUD_MASK"
RECONSTRUCTED_SHARE = "RECONSTRUCTED_SHARE"
SECONDS = "SECONDS"


class RemoveClouds(OtherDatesAlgorithm):
    """Reconstruct the cloudy pixels of a Sentinel-2 scene with the help of Sentinel-1."""

    command = "clean"
    help_topic = "clean-a-scene"
    roles = {  # noqa: RUF012 (read only)
        OUTPUT: "cleaned",
        UNCERTAINTY: "uncertainty",
        RECONSTRUCTED: "reconstructed",
        SOURCE: "source",
        GROUND_CHANGED: "changed",
        CLOUD_PROBABILITY: "cloud_probability",
        CLOUD_MASK: "cloud_mask",
    }
    numbers = {  # noqa: RUF012
        **CLOUD_NUMBERS,
        RECONSTRUCTED_SHARE: "reconstructed_share",
        SECONDS: "seconds",
    }
    switches = {REPLACE_ALL: "--replace-all", EXACT_CLOUDS: "--exact-clouds"}  # noqa: RUF012
    has_quicklook = True

    def name(self) -> str:
        """Stable id; never changes."""
        return "removeclouds"

    def displayName(self) -> str:
        """Displayed name in the toolbox."""
        return tr("Remove clouds")

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Clouds")

    def groupId(self) -> str:
        """Stable id; never changes."""
        return "clouds"

    def shortDescription(self) -> str:
        """One line, also for `qgis_process list`."""
        return tr("Reconstructs what lies under the clouds of a Sentinel-2 scene with the help of Sentinel-1 radar.")

    def shortHelpString(self) -> str:
        """Text beside the dialog."""
        text = tr(
            "Removes the clouds and cloud shadows of a Sentinel-2 scene and gives the uncertainty of each "
            "pixel.\n\n"
            "Sentinel-2 is one raster with the bands (the band names are read from the band descriptions), "
            "or any layer of a Sentinel-2 product: the whole product is read. Sentinel-1 is one "
            "terrain-corrected raster with VV and VH, in dB or linear power; it is resampled to the "
            "Sentinel-2 grid. Some models need no radar.\n\n"
            "Clouds and shadows are detected in Level-1C and Level-2A, with or without a scene classification "
            "(SCL). Or give your own cloud mask: an SCL, OmniCloudMask, Fmask, Cloud Score+, CLDPRB, MSK_CLASSI, "
            "QA60, 0/1, 0/255 or a probability. If its values could have several meanings, the run stops and names "
            "them; choose one in the advanced parameters.\n\n"
            "Cloud detector: the automatic choice joins the networks of ukis-csmask with s2cloudless (Level-1C) or "
            "with the SCL (Level-2A). s2cloudless finds no shadows. Replace says what is reconstructed; the rest "
            "stays as it was observed.\n\n"
            "Clear pixels keep their values exactly. Cloudy pixels get the model's reconstruction. Along "
            "cloud edges the two are blended.\n\n"
            "Uncertainty is the standard deviation (sigma) of each band. Reconstructed is the fraction of a "
            "pixel that was reconstructed, from 0 (observed) to 1 (fully reconstructed)."
        )
        return f"{text}\n\n{other_dates_help()}"

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        """Declare parameters and outputs."""
        self.add_scenes()
        self.add_other_dates()
        self.add_model(MODEL, tr("Model (empty: the backend's default)"), REMOVAL)
        self.add_masking()
        self.add_mask_coding()
        self.add_scene_parameters()
        self.add_cloud_threshold()
        self.add_choice(S1_UNIT, tr("Unit of the Sentinel-1 values"), S1_UNITS)
        self.add_radar_of_dates()
        self.add_model_file(MODEL, tr("Model from a file (card or weights; overrides the model above)"))
        self.add_switch(REPLACE_ALL, tr("Replace clear pixels too"))
        self.add_margins()
        self.add_computing()
        self.add_destinations(
            {
                OUTPUT: tr("Cleaned scene"),
                UNCERTAINTY: tr("Uncertainty"),
                RECONSTRUCTED: tr("Reconstructed"),
                SOURCE: tr("Source"),
                GROUND_CHANGED: tr("Ground changed"),
                CLOUD_PROBABILITY: tr("Cloud probability"),
                CLOUD_MASK: tr("Cloud mask"),
                **cloud_titles(),
                RECONSTRUCTED_SHARE: tr("Reconstructed fraction of the scene (0 to 1)"),
                SECONDS: tr("Run time in seconds"),
            },
            shown=(UNCERTAINTY, RECONSTRUCTED, SOURCE, GROUND_CHANGED, CLOUD_MASK),
        )
