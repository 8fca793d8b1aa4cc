"""How a scene is cut and sewn: windows, halo, blend weights, strip mosaic."""

from sunbreak.tiling.layout import BlendedLayout, ExactLayout, Layout, Strip, Tile
from sunbreak.tiling.mosaic import StripMosaic

__all__ = ["BlendedLayout", "ExactLayout", "Layout", "Strip", "StripMosaic", "Tile"]
