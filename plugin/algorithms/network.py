"""The base of the algorithms that run a network: radar, models, device, and options declared in tables."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)

from ..compat import DOUBLE, INTEGER, tr
from .base import BackendAlgorithm, is_set
from .declarations import INPUT

S1, S1_VH = "S1", "S1_VH"
MASK = "MASK"
MODEL = "MODEL"
S1_UNIT = "S1_UNIT"
S1_UNITS = ("auto", "db", "linear", "amplitude")
DEVICE = "DEVICE"
DEVICES = ("auto", "cpu", "cuda", "mps")
STRIDE = "STRIDE"
CLASS = "CLASS"
METHOD = "METHOD"
METHODS = ("auto", "gradcam", "hirescam", "integrated-gradients")
BLOCK = "BLOCK"
BLOCKS = ("layer4", "layer3", "layer2", "layer1")

REMOVAL, LAND_COVER = "cloud-removal", "land-cover"

_GUI = f"{__name__.rpartition('.algorithms.')[0]}.gui"


def file_of(model: str) -> str:
    """The parameter that takes a model from a file: `MODEL_FILE` beside `MODEL`."""
    return f"{model}_FILE"


class NetworkAlgorithm(BackendAlgorithm):
    """A command that runs one network or several.

    Attributes:
        models: Parameter that names a model to its option.
        rasters: Optional raster parameter to its option.
        integers: Optional whole number to its option.
        fractions: Optional number from 0 to 1 to its option.
        switches: Checkbox to its option.
        choices: Choice between values of a backend option, to that option.
        texts: Text to its option; an empty text is not passed.
        on_demand: Output that the backend writes only if it is told to, to that option.
    """

    models: dict[str, str] = {MODEL: "--model"}  # noqa: RUF012 (read only)
    rasters: dict[str, str] = {S1: "--s1", S1_VH: "--s1"}  # noqa: RUF012
    integers: dict[str, str] = {}  # noqa: RUF012
    fractions: dict[str, str] = {}  # noqa: RUF012
    switches: dict[str, str] = {}  # noqa: RUF012
    choices: dict[str, str] = {S1_UNIT: "--s1-unit", DEVICE: "--device"}  # noqa: RUF012
    texts: dict[str, str] = {}  # noqa: RUF012
    on_demand: dict[str, str] = {}  # noqa: RUF012

    def arguments(self, parameters: dict[str, Any], context: QgsProcessingContext) -> list[str]:
        """The given parameters as options."""
        options = []
        for name, option in self.rasters.items():
            path = self.raster_path(parameters, name, context)
            if path is not None:
                options += [option, str(path)]
        for name, option in self.models.items():
            model = self.parameterAsFile(parameters, file_of(name), context)
            model = model or self.parameterAsString(parameters, name, context)
            if model:
                options += [option, model]
        for name, option in self.texts.items():
            text = self.parameterAsString(parameters, name, context).strip()
            if text:
                options += [option, text]
        for name, option in self.integers.items():
            if is_set(parameters, name):
                options += [option, str(self.parameterAsInt(parameters, name, context))]
        for name, option in self.fractions.items():
            if is_set(parameters, name):
                options += [option, repr(self.parameterAsDouble(parameters, name, context))]
        options += [
            option for name, option in self.switches.items() if self.parameterAsBoolean(parameters, name, context)
        ]
        for name, option in self.on_demand.items():
            if is_set(parameters, name) and self.parameterAsFileOutput(parameters, name, context):
                options.append(option)
        for name, option in self.choices.items():
            options += self.chosen(parameters, name, option, context)
        return options

    def add_scenes(self) -> None:
        """Declare the Sentinel-2 scene and an optional Sentinel-1 scene."""
        self.addParameter(QgsProcessingParameterRasterLayer(INPUT, tr("Sentinel-2 scene")))
        self.add_raster(S1, tr("Sentinel-1 scene (VV and VH)"))
        self.add_advanced(
            QgsProcessingParameterRasterLayer(
                S1_VH, tr("Sentinel-1 VH, if it is a layer of its own (above is VV then)"), optional=True
            )
        )

    def add_raster(self, name: str, description: str) -> None:
        """Declare an optional raster."""
        self.addParameter(QgsProcessingParameterRasterLayer(name, description, optional=True))

    def add_model(self, name: str, description: str, task: str) -> None:
        """Declare a model by name; the dialog lists the models of the task."""
        parameter = QgsProcessingParameterString(name, description, optional=True)
        parameter.setMetadata({"widget_wrapper": {"class": f"{_GUI}.model_widget.ModelWidgetWrapper", "task": task}})
        self.addParameter(parameter)

    def add_model_file(self, name: str, description: str) -> None:
        """Declare the same model as a file, for a model that is not in the list."""
        self.add_advanced(
            QgsProcessingParameterFile(
                file_of(name), description, fileFilter=tr("Models (*.json *.safetensors)"), optional=True
            )
        )

    def add_class(self, classifier: str, *, none: bool = False) -> None:
        """Declare the class to explain; the dialog lists the classes of the chosen classifier.

        Args:
            classifier: Parameter that names the classifier.
            none: Whether the explanation can be skipped.
        """
        words = tr("predicted, none, or a name such as Water") if none else tr("predicted, or a name such as Water")
        parameter = QgsProcessingParameterString(
            CLASS, tr("Class to explain ({words})").format(words=words), defaultValue="predicted", optional=True
        )
        widget = {"class": f"{_GUI}.class_widget.ClassWidgetWrapper", "model": classifier, "none": none}
        parameter.setMetadata({"widget_wrapper": widget})
        self.addParameter(parameter)

    def add_explanation_choices(self) -> None:
        """Declare method and network block of the explanation."""
        self.add_choice(METHOD, tr("Explanation method"), METHODS)
        self.add_choice(BLOCK, tr("Network block to explain (layer1 is the finest)"), BLOCKS)

    def add_integer(self, name: str, description: str, least: int = 0) -> None:
        """Declare an advanced optional whole number."""
        self.add_advanced(QgsProcessingParameterNumber(name, description, INTEGER, optional=True, minValue=least))

    def add_fraction(self, name: str, description: str) -> None:
        """Declare an advanced optional number from 0 to 1."""
        self.add_advanced(
            QgsProcessingParameterNumber(name, description, DOUBLE, optional=True, minValue=0.0, maxValue=1.0)
        )

    def add_stride(self) -> None:
        """Declare the stride of the patches. The backend refuses one for a pixel classifier."""
        self.add_integer(
            STRIDE,
            tr("Stride (pixels from one patch to the next, only for patch classifiers; not set: the model's default)"),
            least=1,
        )
