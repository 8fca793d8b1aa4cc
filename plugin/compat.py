"""Names that moved between QGIS 3.22 and 4 (enums that went from their class to `Qgis`), and the translator."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    Qgis,
    QgsProcessing,
    QgsProcessingFeatureSource,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
    QgsRasterLayerTemporalProperties,
    QgsUnitTypes,
)
from qgis.PyQt.QtCore import QCoreApplication


def _enum(modern: str, owner: type, legacy: str) -> Any:
    """`Qgis.<modern>` where this QGIS has it (3.36 and later), else `<owner>.<legacy>`."""
    value: Any = Qgis
    for part in modern.split("."):
        value = getattr(value, part, None)
    return getattr(owner, legacy) if value is None else value


ADVANCED = _enum("ProcessingParameterFlag.Advanced", QgsProcessingParameterDefinition, "FlagAdvanced")
INTEGER = _enum("ProcessingNumberParameterType.Integer", QgsProcessingParameterNumber, "Integer")
DOUBLE = _enum("ProcessingNumberParameterType.Double", QgsProcessingParameterNumber, "Double")
DATE = _enum("ProcessingDateTimeParameterDataType.Date", QgsProcessingParameterDateTime, "Date")
POLYGONS = _enum("ProcessingSourceType.VectorPolygon", QgsProcessing, "TypeVectorPolygon")
ANY_GEOMETRY = _enum(
    "ProcessingFeatureSourceFlag.SkipGeometryValidityChecks",
    QgsProcessingFeatureSource,
    "FlagSkipGeometryValidityChecks",
)
RASTERS = _enum("ProcessingSourceType.Raster", QgsProcessing, "TypeRaster")
FOLDER = _enum("ProcessingFileParameterBehavior.Folder", QgsProcessingParameterFile, "Folder")
FIXED_RANGE = _enum("RasterTemporalMode.FixedTemporalRange", QgsRasterLayerTemporalProperties, "ModeFixedTemporalRange")
IRREGULAR_STEP = _enum("TemporalUnit.IrregularStep", QgsUnitTypes, "TemporalIrregularStep")


def tr(text: str) -> str:
    """Translate a text of the user interface."""
    return QCoreApplication.translate("Sunbreak", text)
