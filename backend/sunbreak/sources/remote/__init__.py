"""Rasters and documents on servers of chosen hosts, read within limits. Its packages are the extra `catalogue`."""

from __future__ import annotations

from sunbreak.sources.remote.access import Access, shown
from sunbreak.sources.remote.client import RemoteClient
from sunbreak.sources.remote.file import RemoteFile, Sign, unsigned
from sunbreak.sources.remote.raster import RemoteRaster

__all__ = ["Access", "RemoteClient", "RemoteFile", "RemoteRaster", "Sign", "shown", "unsigned"]
