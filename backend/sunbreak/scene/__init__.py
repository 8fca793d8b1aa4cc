"""Scenes: Sentinel-2 and Sentinel-1 rasters, their bands, units and offsets, on one grid."""

from __future__ import annotations

from sunbreak.scene.bands import S2_BANDS
from sunbreak.scene.grid import Grid
from sunbreak.scene.radiometry import Radiometry
from sunbreak.scene.reader import S2Block, SceneReader
from sunbreak.scene.scene import Scene
from sunbreak.scene.series import DateRows, SceneSeries, SeriesReader

__all__ = [
    "S2_BANDS",
    "DateRows",
    "Grid",
    "Radiometry",
    "S2Block",
    "Scene",
    "SceneReader",
    "SceneSeries",
    "SeriesReader",
]
