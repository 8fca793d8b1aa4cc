"""A virtual raster (VRT) over local files, read through a text of our own over files that were checked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rasterio.errors import RasterioError
from rasterio.io import DatasetReader

from sunbreak.errors import InputError
from sunbreak.sources.claims import check_ratio
from sunbreak.sources.fingerprint import Fingerprint, fingerprint
from sunbreak.sources.gdal import environment, open_pinned
from sunbreak.sources.local import LocalRaster, one_line
from sunbreak.sources.vrt_document import VrtDocument, VrtSource, read_document
from sunbreak.sources.vrt_parts import Part, check_hollow, look_into, part_paths
from sunbreak.sources.vrt_plan import Plan, make_plan
from sunbreak.sources.vrt_text import plan_text


@dataclass(frozen=True)
class VirtualRaster:
    """A VRT whose files are GeoTIFF and JPEG 2000 files in its folder or below it, see `RasterSource`.

    Attributes:
        path: The VRT.
    """

    path: Path

    @property
    def identity(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def files(self) -> tuple[Path, ...]:
        """The VRT, then the files that it takes pixels from, each once.

        Raises:
            InputError: The VRT is not read, or names files that may not be read.
        """
        return (self.path, *self._paths())

    @property
    def container(self) -> Path:
        """The VRT."""
        return self.path

    def band_parts(self) -> tuple[tuple[Part, ...], ...]:
        """The files that each band takes pixels from.

        Raises:
            InputError: everything that `open` says.
        """
        bands = self._plan().bands
        return tuple(tuple(dict.fromkeys(part for _, part, _, _ in band.sources)) for band in bands)

    def fingerprint(self) -> Fingerprint:
        """The size of all files together, and a digest of their names, sizes and times.

        Raises:
            OSError: A file is missing.
            InputError: The VRT is not read, or names files that may not be read.
        """
        found = [(str(path), *fingerprint(path)) for path in self.files]
        digest = hashlib.sha256(repr(found).encode("utf-8", "surrogateescape")).digest()
        return Fingerprint(sum(size for _, size, _ in found), int.from_bytes(digest[:7], "big"))

    def check(self, *, hollow: bool = False) -> float:
        """Check that every file is whole; the largest fraction (0..1) of blocks of one that were never written.

        Args:
            hollow: It may claim far more than its files store, as masks do that are clear all over.

        Raises:
            InputError: everything that `open` says; ``too-large`` for what it claims.
        """
        plan = self._plan()
        if not hollow:
            check_hollow(self.path, plan.parts)
            check_ratio(plan.claims(), self.path, of_blocks=False)
        return plan.unwritten

    def remarks(self) -> tuple[list[str], list[str]]:
        """Notes and warnings about what is taken from its files, and how.

        Raises:
            InputError: everything that `open` says.
        """
        plan = self._plan()
        return list(plan.notes), list(plan.warnings)

    def open(self) -> DatasetReader:
        """Open it for one thread. The caller closes it, and reads in `reading`.

        Raises:
            InputError: ``bad-vrt``, ``unsupported-vrt``, ``vrt-source`` for files that may not be read, ``too-large``,
                ``complex``, ``not-projected``, ``bad-crs``, ``mixed-units``, and everything that `LocalRaster` says of
                a file.
        """
        plan = self._plan()
        try:
            return open_pinned(plan_text(plan))
        except (RasterioError, OSError, ValueError) as error:
            raise InputError(
                f"{self.path} cannot be opened: {one_line(error)}.",
                "Turn it into a file: gdal_translate -of COG in.vrt out.tif.",
                code="bad-vrt",
            ) from error

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Raise a failed read as an `InputError` with the code ``damaged``; GDAL opens the files when it needs them."""
        try:
            with environment():
                yield
        except RasterioError as error:
            text = f"{error} {error.__cause__ or ''}"
            broken = next((path for path in self._paths() if str(path) in text or path.name in text), None)
            named = self.path if broken is None else f"{broken}, a file of {self.path.name},"
            cause = one_line(error).replace("vrt://", "").partition("?if=")[0]
            raise InputError(f"{named} is damaged: {cause}.", "Download or export it again.", code="damaged") from error

    def _paths(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys(_read(self.path, self._state())[1].values()))

    def _state(self) -> Fingerprint | None:
        return _state_of(self.path)

    def _plan(self) -> Plan:
        return _planned(self.path, self._state(), tuple(_state_of(path) for path in self._paths()))


def _state_of(path: Path) -> Fingerprint | None:
    try:
        return fingerprint(path)
    except OSError:
        return None  # reading it says what is wrong


@lru_cache(maxsize=32)
def _read(path: Path, _: Fingerprint | None) -> tuple[VrtDocument, dict[VrtSource, Path]]:
    """What a VRT says, and the file of each source. Asked for once for each thread and read."""
    document = read_document(path)
    return document, part_paths(path, document)


@lru_cache(maxsize=32)
def _planned(path: Path, state: Fingerprint | None, _: tuple[Fingerprint | None, ...]) -> Plan:
    document, places = _read(path, state)
    return make_plan(path, document, places, look_into(path, list(places.values())))


def is_virtual(path: Path) -> bool:
    """Whether a file is called a VRT and is one by its first bytes."""
    if path.suffix.lower() != ".vrt":
        return False
    return LocalRaster(path).begins_with(b"<VRTDataset")
