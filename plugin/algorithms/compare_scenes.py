"""`sunbreak:comparescenes`: metrics of a scene against a reference, as numbers, page and error map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingParameterRasterLayer

from ..bridge.process import Result
from ..compat import tr
from .base import BackendAlgorithm
from .declarations import INPUT, OUTPUT

TARGET = "TARGET"
MASK = "MASK"
CLOUDY = "CLOUDY"
SPECTRAL_ANGLE = "SPECTRAL_ANGLE"
REPORT = "REPORT"
TABLE = "TABLE"

_FIGURES = {
    "PSNR": "psnr",
    "SSIM": "ssim",
    "SAM": "sam",
    "MAE": "mae",
    "RMSE": "rmse",
    "BIAS": "bias",
    "DETAIL_GRADIENT": "detail_gradient",
    "DETAIL_HIGH_FREQUENCY": "detail_high_frequency",
}


def _numbers() -> dict[str, str]:
    """All metrics: of the evaluated and the cloudy scene; everywhere, inside and outside the mask."""
    found = {}
    for before, prefix in (("", ""), ("CLOUDY_", "cloudy_")):
        for after, suffix in (("", ""), ("_INSIDE", "_inside"), ("_OUTSIDE", "_outside")):
            found |= {f"{before}{name}{after}": f"{prefix}{key}{suffix}" for name, key in _FIGURES.items()}
    return found | {"COMPARED_SHARE": "compared_share", "MASK_SHARE": "mask_share", "SECONDS": "seconds"}


class CompareScenes(BackendAlgorithm):
    """Metrics of a scene against a reference."""

    command = "compare"
    help_topic = "compare-two-scenes"
    icon_name = "compare"
    roles = {OUTPUT: "error", SPECTRAL_ANGLE: "spectral_angle"}  # noqa: RUF012 (read only)
    files = {REPORT: "_comparison.html", TABLE: "_comparison.csv"}  # noqa: RUF012
    numbers = _numbers()
    inputs = (INPUT, TARGET, MASK, CLOUDY)

    def name(self) -> str:
        """Stable id; never changes."""
        return "comparescenes"

    def displayName(self) -> str:
        """Displayed name in the toolbox."""
        return tr("Compare scenes")

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Evaluation")

    def groupId(self) -> str:
        """Stable id; never changes."""
        return "evaluation"

    def tags(self) -> list[str]:
        """Search terms for the toolbox."""
        return [*super().tags(), "psnr", "ssim", "sam", "rmse", "accuracy", "evaluate", "difference"]

    def shortDescription(self) -> str:
        """One line, also for `qgis_process list`."""
        return tr("PSNR, SSIM, spectral angle, error and sharpness of a scene against a reference.")

    def shortHelpString(self) -> str:
        """Text beside the dialog."""
        return tr(
            "Compares a scene with a reference, for example a cleaned scene with a clear one.\n\n"
            "Both rasters must have the same bands and the same grid. With a cloud mask, all metrics are "
            "also given inside and outside the mask. With the cloudy scene, they are also given for the "
            "scene before cleaning, as a baseline.\n\n"
            "PSNR (dB): error on a logarithmic scale; higher is better. SSIM: similarity of patterns; 1 is "
            "identical. SAM (degrees): spectral angle, the difference in colour. MAE, RMSE and bias: error "
            "in reflectance. Detail: strength of edges and of fine structures relative to the reference; 1 "
            "is equally sharp, less is blurred.\n\n"
            "The error map has the same colours and units as the uncertainty layer, so the two can be "
            "compared. The page explains all metrics and lists them for each band too."
        )

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        """Declare parameters and outputs."""
        self.addParameter(QgsProcessingParameterRasterLayer(INPUT, tr("Scene to evaluate (cleaned)")))
        self.addParameter(QgsProcessingParameterRasterLayer(TARGET, tr("Reference (clear)")))
        self.addParameter(QgsProcessingParameterRasterLayer(MASK, tr("Cloud mask"), optional=True))
        self.addParameter(QgsProcessingParameterRasterLayer(CLOUDY, tr("Scene before cleaning"), optional=True))
        self.add_scene_parameters()
        self.add_destinations(
            {
                OUTPUT: tr("Mean absolute error"),
                SPECTRAL_ANGLE: tr("Spectral angle"),
                REPORT: tr("Page with all metrics"),
                TABLE: tr("Table of all metrics"),
                **_titles(),
                "COMPARED_SHARE": tr("Fraction of pixels compared (0 to 1)"),
                "MASK_SHARE": tr("Fraction of these inside the mask (0 to 1)"),
                "SECONDS": tr("Run time in seconds"),
            },
            shown=(SPECTRAL_ANGLE, REPORT),
        )

    def arguments(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[str]:
        """Mask and cloudy scene. The reference follows the evaluated scene on the command line."""
        self._target = str(self.raster_path(parameters, TARGET, context))
        options = []
        for name, option in ((MASK, "--mask"), (CLOUDY, "--cloudy")):
            path = self.raster_path(parameters, name, context)
            if path is not None:
                options += [option, str(path)]
        return options

    def late_arguments(self, parameters: dict[str, Any], context: QgsProcessingContext, folder: Path) -> list[str]:
        """The reference."""
        return [self._target]

    def summary(self, result: Result) -> list[str]:
        """The most common metrics."""
        found = []
        for place, suffix in ((tr("Everywhere"), ""), (tr("Inside the mask"), "_inside")):
            figures = {name: result.numbers.get(f"{name}{suffix}") for name in ("psnr", "ssim", "sam", "mae")}
            if all(isinstance(value, (int, float)) for value in figures.values()):
                line = tr("{place}: PSNR {psnr:.2f} dB, SSIM {ssim:.4f}, SAM {sam:.2f} degrees, MAE {mae:.4f}")
                found.append(line.format(place=place, **figures))
        return found


def _titles() -> dict[str, str]:
    """Displayed names of the metrics."""
    figures = {
        "PSNR": tr("PSNR (dB)"),
        "SSIM": tr("SSIM"),
        "SAM": tr("SAM (degrees)"),
        "MAE": tr("MAE"),
        "RMSE": tr("RMSE"),
        "BIAS": tr("Bias"),
        "DETAIL_GRADIENT": tr("Detail: edges relative to the reference"),
        "DETAIL_HIGH_FREQUENCY": tr("Detail: fine structures relative to the reference"),
    }
    places = {"": "", "_INSIDE": tr("inside the mask"), "_OUTSIDE": tr("outside the mask")}
    found = {}
    for before, raster in (("", ""), ("CLOUDY_", tr("before cleaning"))):
        for after, place in places.items():
            for name, title in figures.items():
                found[f"{before}{name}{after}"] = ", ".join(part for part in (title, raster, place) if part)
    return found
