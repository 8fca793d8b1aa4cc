"""What is opened: rasters by source, each with an identity, a fingerprint and a check. Today these are local files."""

from __future__ import annotations

from sunbreak.sources.local import LocalRaster, local_path, raster_source, unread_sidecars
from sunbreak.sources.source import RasterSource

__all__ = ["LocalRaster", "RasterSource", "local_path", "raster_source", "unread_sidecars"]
