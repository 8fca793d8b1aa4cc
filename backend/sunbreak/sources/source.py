"""The protocol of a raster that a scene is read from."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from rasterio.io import DatasetReader

from sunbreak.sources.fingerprint import Fingerprint


class RasterSource(Protocol):
    """A raster that can be opened. Equal sources are the same raster; a source can travel between processes."""

    @property
    def path(self) -> Path:
        """Where it is on this machine's disk."""

    @property
    def identity(self) -> str:
        """How messages name it."""

    @property
    def container(self) -> Path:
        """The file on disk that holds it: itself, or an archive."""

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file on disk that it is read from, `container` first.

        Raises:
            InputError: It cannot be told.
        """

    def remarks(self) -> tuple[list[str], list[str]]:
        """Notes and warnings about what it is made of, one sentence each; none for a file that is a raster.

        Raises:
            InputError: It is no raster that is read.
        """

    def fingerprint(self) -> Fingerprint:
        """What changes when its content does.

        Raises:
            OSError: It is not there.
        """

    def check(self, *, hollow: bool = False) -> float:
        """Check that it is whole; the fraction (0..1) of its blocks that were never written.

        Args:
            hollow: It may claim far more than it stores, as masks do that are clear all over.

        Raises:
            InputError: It is no raster that is read, it is truncated, or it claims too much.
        """

    def open(self) -> DatasetReader:
        """Open it for one thread. The caller closes it.

        Raises:
            InputError: It cannot be opened, or nothing can be done with what it holds.
        """

    def reading(self) -> AbstractContextManager[None]:
        """Around a read: a failure is raised as an `InputError` with the code ``damaged``."""
