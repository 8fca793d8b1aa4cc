"""`sunbreak:comparescenes`: how far a scene lies from what it should be, in numbers, as a page and on the map."""

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
    """All figures: of the judged scene and of the cloudy one, everywhere, inside and outside of the mask."""
    found = {}
    for before, prefix in (("", ""), ("CLOUDY_", "cloudy_")):
        for after, suffix in (("", ""), ("_INSIDE", "_inside"), ("_OUTSIDE", "_outside")):
            found |= {f"{before}{name}{after}": f"{prefix}{key}{suffix}" for name, key in _FIGURES.items()}
    return found | {"COMPARED_SHARE": "compared_share", "MASK_SHARE": "mask_share", "SECONDS": "seconds"}


class CompareScenes(BackendAlgorithm):
    """Figures of merit of a scene beside the one that it should equal."""

    command = "compare"
    help_topic = "compare-two-scenes"
    icon_name = "compare"
    roles = {OUTPUT: "error", SPECTRAL_ANGLE: "spectral_angle"}  # noqa: RUF012 (read only)
    files = {REPORT: "_comparison.html", TABLE: "_comparison.csv"}  # noqa: RUF012
    numbers = _numbers()
    inputs = (INPUT, TARGET, MASK, CLOUDY)

    def name(self) -> str:
        """Stable for ever."""
        return "comparescenes"

    def displayName(self) -> str:
        """Name in the toolbox."""
        return tr("Compare scenes")

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Evaluation")

    def groupId(self) -> str:
        """Stable for ever."""
        return "evaluation"

    def tags(self) -> list[str]:
        """Words that find it in the toolbox."""
        return [*super().tags(), "psnr", "ssim", "sam", "rmse", "accuracy", "evaluate", "difference"]

    def shortDescription(self) -> str:
        """One line, also for `qgis_process list`."""
        return tr("PSNR, SSIM, spectral angle, error and detail of a scene beside a reference.")

    def shortHelpString(self) -> str:
        """Text beside the dialog."""
        return tr(
            "Says how far a scene lies from what it should be: a cleaned scene from a clear one, for example.\n\nBoth "
            "rasters have the same bands and lie on the same grid. With a cloud mask the figures also come for its "
            "inside and its outside; with the cloudy scene also for doing nothing, so that one sees what was "
            "gained.\n\nPSNR (dB): error on a logarithmic scale, higher is better. SSIM: whether patterns agree, 1 is "
            "equal. SAM (degrees): how much the colour differs. MAE, RMSE and bias: error in reflectance. Detail: "
            "strength of edges and of the finest structures over those of the reference; 1 is as sharp, less is "
            "blurred.\n\nThe map of the error has the colours and the numbers of the uncertainty layer, so that one "
            "can see whether errors lie where they were expected. The page has all figures, also band by band, and "
            "says what they mean."
        )

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        """Declare parameters and outputs."""
        self.addParameter(QgsProcessingParameterRasterLayer(INPUT, tr("Scene to judge (cleaned)")))
        self.addParameter(QgsProcessingParameterRasterLayer(TARGET, tr("Reference (clear)")))
        self.addParameter(QgsProcessingParameterRasterLayer(MASK, tr("Cloud mask"), optional=True))
        self.addParameter(QgsProcessingParameterRasterLayer(CLOUDY, tr("Scene before cleaning"), optional=True))
        self.add_scene_parameters()
        self.add_destinations(
            {
                OUTPUT: tr("Mean absolute error"),
                SPECTRAL_ANGLE: tr("Spectral angle"),
                REPORT: tr("Page with all figures"),
                TABLE: tr("Table of all figures"),
                **_titles(),
                "COMPARED_SHARE": tr("Share of the pixels that were compared (0 to 1)"),
                "MASK_SHARE": tr("Share of them inside the mask (0 to 1)"),
                "SECONDS": tr("Seconds that the run took"),
            },
            shown=(SPECTRAL_ANGLE, REPORT),
        )

    def arguments(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[str]:
        """Mask and cloudy scene; the reference follows the judged scene on the command line."""
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
        """The figures that most people look at."""
        found = []
        for place, suffix in ((tr("Everywhere"), ""), (tr("Inside the mask"), "_inside")):
            figures = {name: result.numbers.get(f"{name}{suffix}") for name in ("psnr", "ssim", "sam", "mae")}
            if all(isinstance(value, (int, float)) for value in figures.values()):
                line = tr("{place}: PSNR {psnr:.2f} dB, SSIM {ssim:.4f}, SAM {sam:.2f} degrees, MAE {mae:.4f}")
                found.append(line.format(place=place, **figures))
        return found


def _titles() -> dict[str, str]:
    """Names of the figures for people."""
    figures = {
        "PSNR": tr("PSNR (dB)"),
        "SSIM": tr("SSIM"),
        "SAM": tr("SAM (degrees)"),
        "MAE": tr("MAE"),
        "RMSE": tr("RMSE"),
        "BIAS": tr("Bias"),
        "DETAIL_GRADIENT": tr("Detail: edges over those of the reference"),
        "DETAIL_HIGH_FREQUENCY": tr("Detail: finest structures over those of the reference"),
    }
    places = {"": "", "_INSIDE": tr("inside the mask"), "_OUTSIDE": tr("outside the mask")}
    found = {}
    for before, raster in (("", ""), ("CLOUDY_", tr("before cleaning"))):
        for after, place in places.items():
            for name, title in figures.items():
                found[f"{before}{name}{after}"] = ", ".join(part for part in (title, raster, place) if part)
    return found
