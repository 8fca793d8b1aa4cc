"""What is opened: rasters by source, each with an identity, a fingerprint and a check. Today these are local files."""

from __future__ import annotations

from sunbreak.sources.choice import raster_at, raster_source
from sunbreak.sources.local import LocalRaster, local_path, unread_sidecars
from sunbreak.sources.places import is_file, is_folder, listed, on_disk, read_bytes
from sunbreak.sources.source import RasterSource
from sunbreak.sources.virtual import VirtualRaster

__all__ = [
    "LocalRaster",
    "RasterSource",
    "VirtualRaster",
    "is_file",
    "is_folder",
    "listed",
    "local_path",
    "on_disk",
    "raster_at",
    "raster_source",
    "read_bytes",
    "unread_sidecars",
]
