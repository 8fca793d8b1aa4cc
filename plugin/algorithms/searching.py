"""The base of the algorithms that search a catalogue on the network: what is searched for, and how it is asked."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
)

from ..bridge.catalogue import Query
from ..bridge.network import catalogue_environment
from ..catalogues import catalogues, levels
from ..compat import DATE as DATE_ONLY
from ..compat import INTEGER, tr
from ..outputs import OutputError
from ..sources import SourceError
from .base import BackendAlgorithm
from .declarations import EXTENT

DATE = "DATE"
DAYS = "DAYS"
MAX_CLOUD = "MAX_CLOUD"
LEVEL = "LEVEL"
CATALOGUE = "CATALOGUE"
PROFILE = "PROFILE"

_ANY = "any"


class SearchingAlgorithm(BackendAlgorithm):
    """A command that searches a catalogue for a place and a date."""

    roles = {}  # noqa: RUF012 (read only)
    visible = ()
    inputs = ()
    numbers = {}  # noqa: RUF012

    def group(self) -> str:
        """Group in the toolbox."""
        return tr("Scenes")

    def groupId(self) -> str:
        """Stable id; never changes."""
        return "scenes"

    def tags(self) -> list[str]:
        """Search terms for the toolbox."""
        return [
            *super().tags(), "search", "catalogue", "stac", "download", "planetary computer", "earth search",
            "copernicus", "cdse", "cog",
        ]  # fmt: skip

    def add_query(self) -> None:
        """Declare area, date, days, clouds, level and catalogue."""
        self.addParameter(QgsProcessingParameterExtent(EXTENT, tr("Area")))
        self.addParameter(QgsProcessingParameterDateTime(DATE, tr("Date"), DATE_ONLY))
        for name, description, default, most in (
            (DAYS, tr("Days before and after the date"), 30, 366),
            (MAX_CLOUD, tr("Largest cloud cover in percent"), 100, 100),
        ):
            self.addParameter(
                QgsProcessingParameterNumber(name, description, INTEGER, default, minValue=1, maxValue=most)
            )
        self.add_labelled(LEVEL, tr("Processing level"), {value or _ANY: text for value, text in levels().items()})
        self.add_labelled(CATALOGUE, tr("Catalogue"), catalogues())
        self.add_advanced(
            QgsProcessingParameterFile(
                PROFILE,
                tr("Profile of another catalogue (YAML; overrides the catalogue above)"),
                fileFilter=tr("Profiles of catalogues (*.yaml *.yml)"),
                optional=True,
            )
        )

    def prepareAlgorithm(
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Read the parameters and QGIS's proxy and certificates, in the main thread."""
        try:
            self.check(parameters, context)
            self._query = self.query(parameters, context)
        except (SourceError, OutputError) as error:
            raise QgsProcessingException(str(error)) from error
        self._network = catalogue_environment()
        return True

    def query(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Query:
        """What is searched for.

        Raises:
            SourceError: The area is empty or cannot be transformed to degrees.
        """
        extent = self.parameterAsExtent(parameters, EXTENT, context, QgsCoordinateReferenceSystem("EPSG:4326"))
        if extent.isNull() or extent.isEmpty() or not extent.isFinite():
            raise SourceError(tr("The area is empty. Choose another one."))
        level = self.parameterAsEnumString(parameters, LEVEL, context)
        profile = self.parameterAsFile(parameters, PROFILE, context)
        return Query(
            (extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum()),
            self.parameterAsDateTime(parameters, DATE, context).date().toString("yyyy-MM-dd"),
            self.parameterAsInt(parameters, DAYS, context),
            self.parameterAsInt(parameters, MAX_CLOUD, context),
            "" if level == _ANY else level,
            profile or self.parameterAsEnumString(parameters, CATALOGUE, context),
        )
