"""Chooses how a file is read: by its content, and as a virtual raster only if it is called one."""

from __future__ import annotations

from pathlib import Path

from sunbreak.sources.local import LocalRaster, local_path
from sunbreak.sources.source import RasterSource
from sunbreak.sources.virtual import VirtualRaster, is_virtual


def raster_at(path: Path) -> RasterSource:
    """The raster in a file of this machine's disk. Whether it can be read is found out when it is checked.

    Args:
        path: Its absolute path.
    """
    return VirtualRaster(path) if is_virtual(path) else LocalRaster(path)


def raster_source(given: str | Path, what: str = "file") -> RasterSource:
    """The raster that a user named: a local file.

    Args:
        given: What the user wrote.
        what: What it is to be, for the message.

    Raises:
        InputError: everything `local_path` says.
    """
    return raster_at(local_path(given, what))
