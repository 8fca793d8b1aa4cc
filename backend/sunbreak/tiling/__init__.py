"""Tiles of a scene and their mosaic: windows, halo, blend weights, strips."""

from sunbreak.tiling.layout import BlendedLayout, ExactLayout, Layout, Strip, Tile
from sunbreak.tiling.mosaic import StripMosaic

__all__ = ["BlendedLayout", "ExactLayout", "Layout", "Strip", "StripMosaic", "Tile"]
