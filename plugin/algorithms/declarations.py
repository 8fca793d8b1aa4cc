"""Parameters and outputs that several algorithms declare: their names, and how each kind is declared."""

from __future__ import annotations

from pathlib import Path

from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingOutputFile,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterString,
)

from ..compat import ADVANCED, DOUBLE, tr

INPUT, OUTPUT, EXTENT = "INPUT", "OUTPUT", "EXTENT"
S2_UNIT, S2_OFFSET, S2_NODATA = "S2_UNIT", "S2_OFFSET", "S2_NODATA"
S2_SCALE, S2_BANDS = "S2_SCALE", "S2_BANDS"
THRESHOLD = "THRESHOLD"
QUICKLOOK = "QUICKLOOK"
UNITS = ("auto", "dn", "reflectance")

_CHOICES = f"{__name__.rpartition('.algorithms.')[0]}.gui.choice_widget.ChoiceWidgetWrapper"


class DeclaringAlgorithm(QgsProcessingAlgorithm):
    """An algorithm that declares its outputs from tables.

    Attributes:
        roles: Output parameter to layer role.
        files: Output parameter to the ending of a file that is not a layer, such as ``_report.html``.
        numbers: Numeric output to its name in the backend's result.
        words: Text output to its name in the backend's result.
        has_quicklook: Whether a picture is written beside the main layer.
    """

    roles: dict[str, str]
    files: dict[str, str] = {}  # noqa: RUF012 (read only)
    numbers: dict[str, str]
    words: dict[str, str] = {}  # noqa: RUF012
    has_quicklook = False

    def add_scene_parameters(self) -> None:
        """Declare the advanced parameters of every command for one scene: extent, unit, offset and band names."""
        self.add_advanced(QgsProcessingParameterExtent(EXTENT, tr("Only this extent"), optional=True))
        self.add_reading()

    def add_reading(self) -> None:
        """Declare the advanced parameters about the numbers in a scene: unit, offset and band names."""
        self.add_choice(S2_UNIT, tr("Unit of the Sentinel-2 values"), UNITS)
        self.add_advanced(
            QgsProcessingParameterNumber(
                S2_OFFSET,
                tr("Offset to add to the Sentinel-2 values (not set: detected automatically)"),
                DOUBLE,
                optional=True,
            )
        )
        self.add_advanced(
            QgsProcessingParameterNumber(
                S2_NODATA,
                tr("Sentinel-2 value of pixels without data (not set: detected automatically)"),
                DOUBLE,
                optional=True,
            )
        )
        self.add_advanced(
            QgsProcessingParameterNumber(
                S2_SCALE,
                tr("Reflectance of one Sentinel-2 value, such as 0.01 for percent (not set: detected automatically)"),
                DOUBLE,
                optional=True,
                minValue=0.0,
            )
        )
        self.add_advanced(
            QgsProcessingParameterString(
                S2_BANDS,
                tr("Names of the Sentinel-2 bands in file order, such as B01,B02,... (empty: detected automatically)"),
                optional=True,
            )
        )

    def add_cloud_threshold(self) -> None:
        """Declare the threshold of s2cloudless, for the commands that detect clouds."""
        self.add_advanced(
            QgsProcessingParameterNumber(
                THRESHOLD,
                tr("Cloud probability threshold of s2cloudless (not set: 0.4)"),
                DOUBLE,
                optional=True,
                minValue=0.0,
                maxValue=1.0,
            )
        )

    def add_destinations(self, titles: dict[str, str], shown: tuple[str, ...]) -> None:
        """Declare the rasters in the order of `roles`, then the other files, the numbers and the texts.

        Args:
            titles: Output to its displayed name.
            shown: Optional outputs that are created by default.
        """
        for name in self.roles:
            optional = name != OUTPUT
            self.addParameter(
                QgsProcessingParameterRasterDestination(
                    name, titles[name], optional=optional, createByDefault=not optional or name in shown
                )
            )
        for name, ending in self.files.items():
            suffix = Path(ending).suffix
            kinds = tr("{kind} files (*{suffix})").format(kind=suffix[1:].upper(), suffix=suffix)
            self.addParameter(
                QgsProcessingParameterFileDestination(
                    name, titles[name], kinds, optional=True, createByDefault=name in shown
                )
            )
        for name in self.numbers:
            self.addOutput(QgsProcessingOutputNumber(name, titles[name]))
        for name in self.words:
            self.addOutput(QgsProcessingOutputString(name, titles[name]))
        if self.has_quicklook:
            self.addOutput(QgsProcessingOutputFile(QUICKLOOK, tr("Quicklook (PNG beside the main layer)")))

    def add_advanced(self, parameter: QgsProcessingParameterDefinition) -> None:
        """Declare a parameter under "Advanced Parameters"."""
        parameter.setFlags(parameter.flags() | ADVANCED)
        self.addParameter(parameter)

    def add_choice(self, name: str, description: str, values: tuple[str, ...]) -> None:
        """Declare an advanced choice between values of a backend option; the first is the default."""
        self.add_advanced(
            QgsProcessingParameterEnum(
                name, description, options=list(values), defaultValue=values[0], usesStaticStrings=True
            )
        )

    def add_labelled(
        self, name: str, description: str, labels: dict[str, str], *, advanced: bool = False, several: bool = False
    ) -> None:
        """Declare a choice between words that scripts use and whose labels the dialog shows.

        Args:
            name: Of the parameter.
            description: Its displayed name.
            labels: Word to label. The first word is the default, or all of them if `several`.
            advanced: Whether it is an advanced parameter.
            several: Whether several words can be chosen.
        """
        words = list(labels)
        parameter = QgsProcessingParameterEnum(
            name,
            description,
            options=words,
            allowMultiple=several,
            defaultValue=",".join(words) if several else words[0],
            usesStaticStrings=True,
        )
        parameter.setMetadata({"widget_wrapper": {"class": _CHOICES, "labels": list(labels.values())}})
        if advanced:
            self.add_advanced(parameter)
        else:
            self.addParameter(parameter)

    def add_switch(self, name: str, description: str) -> None:
        """Declare an advanced checkbox that is off by default."""
        self.add_advanced(QgsProcessingParameterBoolean(name, description, defaultValue=False))
