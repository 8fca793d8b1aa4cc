"""What the algorithms that detect clouds or take a mask have in common: detector, coding of the mask, what is replaced.

The values of a choice are the words of the backend's options, so that scripts can be read. Dialogs show their labels.
"""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext

from ..compat import tr
from ..sources import SourceError
from .declarations import INPUT
from .network import DEVICE, DEVICES, MASK, S1, S1_UNIT, S1_VH, NetworkAlgorithm

DETECTOR = "DETECTOR"
MASK_CODING = "MASK_CODING"
PRECISION = "PRECISION"
REPLACE = "REPLACE"
FEATHER = "FEATHER"
BUFFER, BUFFER_THIN, BUFFER_SHADOW = "BUFFER", "BUFFER_THIN", "BUFFER_SHADOW"
EXACT_CLOUDS = "EXACT_CLOUDS"
CLOUD_SHARE, THIN_CLOUD_SHARE, SHADOW_SHARE = "CLOUD_SHARE", "THIN_CLOUD_SHARE", "SHADOW_SHARE"

#: Numeric output to its name in the backend's result.
CLOUD_NUMBERS = {
    CLOUD_SHARE: "cloud_share", THIN_CLOUD_SHARE: "thin_cloud_share", SHADOW_SHARE: "shadow_share"
}  # fmt: skip

_EXACT = "exact"
_OWN_MASK = ("auto", "none")  # the detectors beside which a mask may be given


def detectors() -> dict[str, str]:
    """Value of `DETECTOR` to its label, for scenes without a mask of their own."""
    return {
        "auto": tr("Automatic (best for the scene)"),
        "ukis": tr("Clouds and shadows (ukis-csmask)"),
        "s2cloudless": tr("Clouds only, Level-1C (s2cloudless)"),
        "scl": tr("Classification of the product (SCL)"),
    }


def mask_codings() -> dict[str, str]:
    """Value of `MASK_CODING` to its label."""
    return {
        "auto": tr("Automatic"),
        "binary": tr("Cloud or not: 0 and 1, or 0 and 255"),
        "probability": tr("Cloud probability, 0 to 1"),
        "percent": tr("Cloud probability in percent (CLDPRB)"),
        "probability-255": tr("Cloud probability, 0 to 255 (CLP)"),
        "scl": tr("Scene classification of Sentinel-2 (SCL)"),
        "msk-classi": tr("MSK_CLASSI of a Sentinel-2 product"),
        "qa60": tr("QA60 of Earth Engine"),
        "cloudscore": tr("Cloud Score+ of Earth Engine (1 is clear)"),
        "omnicloudmask": tr("OmniCloudMask, CloudSEN12, or a cloud mask of Sunbreak"),
        "fmask": tr("Fmask 3"),
        "fmask4": tr("Fmask 4"),
        "hls": tr("Fmask of HLS (bits)"),
    }


def replaceable() -> dict[str, str]:
    """Value of `REPLACE` to its label."""
    return {"clouds": tr("thick clouds"), "thin": tr("thin clouds"), "shadows": tr("shadows")}


def precisions() -> dict[str, str]:
    """Value of `PRECISION` to its label."""
    return {
        _EXACT: tr("Exact"),
        "fast": tr("Fast (bfloat16 where the processor has it; small error)"),
    }


def cloud_titles() -> dict[str, str]:
    """Displayed names of `CLOUD_NUMBERS`."""
    return {
        CLOUD_SHARE: tr("Cloud fraction of the scene (0 to 1)"),
        THIN_CLOUD_SHARE: tr("Thin cloud fraction of the scene (0 to 1)"),
        SHADOW_SHARE: tr("Shadow fraction of the scene (0 to 1)"),
    }


class MaskingAlgorithm(NetworkAlgorithm):
    """A command that removes clouds: those of a detector, or of a given mask."""

    inputs = (INPUT, S1, S1_VH, MASK)
    rasters = {S1: "--s1", S1_VH: "--s1", MASK: "--mask"}  # noqa: RUF012 (read only)
    integers = {  # noqa: RUF012
        FEATHER: "--feather",
        BUFFER: "--buffer",
        BUFFER_THIN: "--buffer-thin",
        BUFFER_SHADOW: "--buffer-shadow",
    }
    choices = {S1_UNIT: "--s1-unit", DEVICE: "--device", DETECTOR: "--detector"}  # noqa: RUF012

    def add_masking(self) -> None:
        """Declare the mask, the detector and what is replaced."""
        self.add_raster(MASK, tr("Cloud mask to use instead of detecting clouds"))
        self.add_detecting({**detectors(), "none": tr("None: only the cloud mask above")})

    def add_detecting(self, choices: dict[str, str]) -> None:
        """Declare the detector and what is replaced.

        Args:
            choices: Value of the detector to its label.
        """
        self.add_labelled(DETECTOR, tr("Cloud detector"), choices)
        self.add_labelled(REPLACE, tr("Replace"), replaceable(), several=True)

    def add_mask_coding(self) -> None:
        """Declare the coding of the mask, an advanced parameter."""
        self.add_labelled(MASK_CODING, tr("What the values of the cloud mask stand for"), mask_codings(), advanced=True)

    def add_margins(self) -> None:
        """Declare the margins of the mask and the width of the blended edge."""
        self.add_integer(
            FEATHER, tr("Feather: width of the blended cloud edge in pixels (not set: 4, or 0 with your own mask)")
        )
        self.add_integer(
            BUFFER, tr("Buffer: pixels by which the mask is dilated (not set: 4, or 0 with your own mask)")
        )
        self.add_integer(BUFFER_THIN, tr("Buffer of thin clouds in pixels (not set: as above)"))
        self.add_integer(BUFFER_SHADOW, tr("Buffer of shadows in pixels (not set: as above)"))
        self.add_switch(EXACT_CLOUDS, tr("Run s2cloudless at full resolution (slower)"))

    def add_computing(self) -> None:
        """Declare where and how precisely networks are computed, advanced parameters."""
        self.add_choice(DEVICE, tr("Device"), DEVICES)
        self.add_labelled(PRECISION, tr("Numeric precision"), precisions(), advanced=True)

    def arguments(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[str]:
        """The given parameters as options."""
        options = super().arguments(parameters, context)
        precision = self.parameterAsEnumString(parameters, PRECISION, context)
        if precision not in {"", _EXACT}:
            options += ["--precision", precision]
        if "--mask" in options:
            options += self.chosen(parameters, MASK_CODING, "--mask-coding", context)
        wanted = self.parameterAsEnumStrings(parameters, REPLACE, context)
        known = self.parameterDefinition(REPLACE).options()
        if set(wanted) != set(known):
            options += ["--replace", ",".join(word for word in known if word in wanted)]
        return options

    def check(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Also refuse a mask together with a detector: only one of them can decide.

        Raises:
            SourceError: Both are given, or an input is not a local file.
            OutputError: An output cannot be written there.
        """
        super().check(parameters, context)
        chosen = self.parameterAsEnumString(parameters, DETECTOR, context)
        if chosen not in _OWN_MASK and self.raster_path(parameters, MASK, context) is not None:
            raise SourceError(
                tr(
                    "Both a cloud mask and the cloud detector {detector} are given. A mask is used as it is: leave it "
                    "out, or set the detector to automatic."
                ).format(detector=chosen)
            )
