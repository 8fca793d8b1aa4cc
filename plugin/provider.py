"""The Processing provider `sunbreak`: its algorithms, its icon and its settings."""

from __future__ import annotations

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from . import settings
from .algorithms.classify_land_cover import ClassifyLandCover
from .algorithms.clean_classify_explain import CleanClassifyExplain
from .algorithms.clean_series import CleanSeries
from .algorithms.compare_scenes import CompareScenes
from .algorithms.detect_clouds import DetectClouds
from .algorithms.doctor import Doctor
from .algorithms.explain_classification import ExplainClassification
from .algorithms.find_scenes import FindScenes
from .algorithms.get_scenes import GetScenes
from .algorithms.inspect_scene import InspectScene
from .algorithms.process_scenes import ProcessScenes
from .algorithms.remove_clouds import RemoveClouds


class SunbreakProvider(QgsProcessingProvider):
    """The algorithms of Sunbreak in the Processing toolbox."""

    def id(self) -> str:
        """The first part of every algorithm's id; never changes."""
        return "sunbreak"

    def name(self) -> str:
        """A proper name, not translated."""
        return "Sunbreak"

    def icon(self) -> QIcon:
        """The icon of the provider."""
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:
        """Path of the icon, for callers that scale it themselves."""
        return str(settings.ICON)

    def load(self) -> bool:
        """Add the settings and the algorithms."""
        self._loaded = True
        settings.with_processing(self._register)
        return super().load()

    def unload(self) -> None:
        """Remove the settings."""
        self._loaded = False
        settings.unregister()

    def _register(self) -> None:
        if self._loaded:
            settings.register()

    def loadAlgorithms(self) -> None:
        """Called by QGIS when the provider is added or refreshed."""
        for algorithm in (
            DetectClouds,
            RemoveClouds,
            ClassifyLandCover,
            ExplainClassification,
            CleanClassifyExplain,
            CleanSeries,
            ProcessScenes,
            CompareScenes,
            InspectScene,
            FindScenes,
            GetScenes,
            Doctor,
        ):
            self.addAlgorithm(algorithm())

    def supportedOutputRasterLayerExtensions(self) -> list[str]:
        """The backend writes cloud-optimized GeoTIFF only."""
        return ["tif", "tiff"]

    def supportedOutputVectorLayerExtensions(self) -> list[str]:
        """The backend writes GeoJSON only."""
        return ["geojson"]

    def defaultVectorFileExtension(self, hasGeometry: bool = True) -> str:
        """GeoJSON, whatever the user's default for other providers is."""
        return "geojson"

    def defaultRasterFileFormat(self) -> str:
        """GeoTIFF, whatever the user's default for other providers is (QGIS 4)."""
        return "GTiff"

    def defaultRasterFileExtension(self) -> str:
        """GeoTIFF, whatever the user's default for other providers is."""
        return "tif"

    def supportsNonFileBasedOutput(self) -> bool:
        """No database or memory outputs."""
        return False
