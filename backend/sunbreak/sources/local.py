"""Rasters on this machine's disk: GeoTIFF and JPEG 2000 files that are whole, and nothing else.

The first bytes of a file choose the GDAL driver, never its name, and only that driver opens it. A VRT named ``.tif``
would make GDAL read any file or fetch any address. Addresses and ``/vsi`` paths are refused with a hint. A path
may lead into a zip archive (``product.zip/folder/band.jp2``), see `sunbreak.sources.places`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader

from sunbreak.errors import InputError
from sunbreak.regular_files import open_regular
from sunbreak.sources.claims import MAX_SIDE, Claims, check_blocks, check_ratio, jp2_claims, not_utf8, tiff_claims
from sunbreak.sources.fingerprint import Fingerprint, fingerprint
from sunbreak.sources.gdal import Driver, open_dataset
from sunbreak.sources.places import archive_of, is_file, is_folder, on_disk, open_bytes, read_bytes
from sunbreak.sources.structure import BrokenStructureError, jp2_is_whole, tiff_layout

_MAX_BLOCK_BYTES = 2**30

#: First bytes of a classic or Big TIFF, and of JPEG 2000.
TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
JP2_MAGIC = (b"\x00\x00\x00\x0cjP  ", b"\xff\x4f\xff\x51")
_KINDS = (
    (b"PK\x03\x04", "a zip archive", "Extract it and give the rasters inside, or say archive.zip/folder/file."),
    (b"PK\x05\x06", "a zip archive without files", "Make the download again."),
    (b"\x1f\x8b", "a gzip archive", "Extract it and give its folder, or the rasters inside."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Extract it and give its folder, or the rasters inside."),
    (b"Rar!\x1a\x07", "a RAR archive", "Extract it and give its folder, or the rasters inside."),
    (b"BZh", "a bzip2 archive", "Extract it and give its folder, or the rasters inside."),
    (b"\xfd7zXZ\0", "an xz archive", "Extract it and give its folder, or the rasters inside."),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "Extract it and give its folder, or the rasters inside."),
    (b"SQLite format 3\0", "a GeoPackage or database", "Export its raster: gdal_translate -of COG in.gpkg out.tif."),
    (b"\x89HDF", "a NetCDF-4 or HDF5 file", "Convert its bands first: gdal_translate -of COG NETCDF:x.nc:band x.tif."),
    (b"CDF", "a NetCDF file", "Convert its bands first: gdal_translate -of COG NETCDF:file.nc:variable out.tif."),
    (b"\x89PNG", "a PNG picture", "Give the GeoTIFF or JPEG 2000 bands, not a picture of them."),
    (b"\xff\xd8\xff", "a JPEG picture", "Give the GeoTIFF or JPEG 2000 bands, not a picture of them."),
)  # fmt: skip
_AGAIN = "The copy or export was cut off: make it again."
_LOCAL_ONLY = "Only local GeoTIFF and JPEG 2000 files are read: download it and give the file."
_MAX_SIDECAR = 2**20
_IN_SIDECAR = {
    b"SRS": "the coordinate reference system",
    b"GeoTransform": "the place",
    b"GCPList": "ground control points",
    b"NoDataValue": "the nodata value",
    b"Scale": "the scale",
}
_CONNECTION = re.compile(r"^(/vsi\w+|[A-Za-z][A-Za-z0-9+.\-]+:(?!\\))")


@dataclass(frozen=True)
class LocalRaster:
    """A GeoTIFF or JPEG 2000 file, see `RasterSource`.

    Attributes:
        path: The file. `sunbreak.sources.raster_source` makes it absolute and refuses what is not local.
    """

    path: Path

    @property
    def identity(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def files(self) -> tuple[Path, ...]:
        """The file on disk alone."""
        return (self.container,)

    def remarks(self) -> tuple[list[str], list[str]]:
        """Nothing."""
        return [], []

    def fingerprint(self) -> Fingerprint:
        """Size and time of change, of a file in an archive those of the archive.

        Raises:
            OSError: The file is missing.
        """
        return fingerprint(self.container)

    @property
    def container(self) -> Path:
        """The file itself, or the zip archive that it is in."""
        return on_disk(self.path)

    def begins_with(self, mark: bytes) -> bool:
        """Whether the first bytes of the file hold a mark; not if it cannot be read."""
        try:
            with open_regular(self.path, "raster") as file:
                return mark in file.read(4096)
        except (InputError, OSError):
            return False

    def driver(self) -> Driver:
        """The GDAL driver for the file, from its first bytes.

        Raises:
            InputError: ``missing-file``, ``unreadable``, ``not-a-file``, ``not-local``, ``empty-file``,
                ``unsupported-driver`` or ``not-a-raster``.
        """
        path = self.path
        if path.is_dir():
            raise InputError(f"{path} is a folder, not a raster.", "Give the raster file.", code="not-a-raster")
        if str(path).startswith("/vsi"):
            raise InputError(f"{path} is not a local path.", _LOCAL_ONLY, code="not-local")
        with open_bytes(path, "raster") as file:
            try:
                head = file.read(512)
            except OSError as error:
                raise InputError(
                    f"{path} cannot be read: {error.strerror}.", "Check its permissions.", code="unreadable"
                ) from error
        if not head:
            raise InputError(f"{path} is empty (0 bytes).", "Download or export it again.", code="empty-file")
        if head.startswith(TIFF_MAGIC):
            return "GTiff"
        if head.startswith(JP2_MAGIC):
            return "JP2OpenJPEG"
        for magic, kind, hint in _KINDS:
            if head.startswith(magic):
                raise InputError(f"{path} is {kind}, not a GeoTIFF or JPEG 2000 file.", hint, code="unsupported-driver")
        if head[257:262] == b"ustar":
            raise InputError(
                f"{path} is a tar archive, not a GeoTIFF or JPEG 2000 file.",
                "Extract it and give its folder, or the rasters inside.",
                code="unsupported-driver",
            )
        if b"<VRTDataset" in head:
            raise InputError(
                f"{path} is a GDAL virtual raster (VRT), which is read only under a name that ends in "
                ".vrt, and not as a part of another one.",
                "Turn it into a file: gdal_translate -of COG in.vrt out.tif.",
                code="unsupported-driver",
            )
        raise InputError(
            f"{path} is not a raster: its content is neither GeoTIFF nor JPEG 2000.",
            "Download or export it again, as GeoTIFF.",
            code="not-a-raster",
        )

    def check(self, *, hollow: bool = False) -> float:
        """Check that the file is whole; the fraction (0..1) of its blocks that were never written.

        Args:
            hollow: It may claim far more than it stores, as masks do that are clear all over.

        Raises:
            InputError: everything `driver` says; ``truncated`` if blocks lie beyond the file's end or if none was ever
                written; ``too-large`` for what it claims.
        """
        path, driver = self.path, self.driver()
        claims = self._claims(driver)
        if not hollow:
            check_ratio(claims, path)
        try:
            if driver == "JP2OpenJPEG":
                if not jp2_is_whole(path):
                    raise InputError(f"{path} is truncated: its image data has no end.", _AGAIN, code="truncated")
                return 0.0
            layout = tiff_layout(path)
        except BrokenStructureError as error:
            raise InputError(f"{path} is truncated: {error}.", _AGAIN, code="truncated") from error
        if layout.beyond:
            raise InputError(
                f"{path} is truncated: {layout.beyond} of its {layout.blocks} blocks lie beyond the end of the file.",
                _AGAIN,
                code="truncated",
            )
        if layout.unwritten == layout.blocks:
            raise InputError(f"{path} is unfinished: none of its blocks was ever written.", _AGAIN, code="truncated")
        return layout.unwritten / layout.blocks

    def open(self) -> DatasetReader:
        """Open the file with the one driver that its content asks for. The caller closes it.

        Raises:
            InputError: everything `driver` says, ``truncated``, ``not-a-raster``, ``too-large``, ``complex`` or
                ``not-utf8``.
        """
        path, driver = self.path, self.driver()
        _check_sidecars(path)
        self._claims(driver)
        try:
            dataset = open_dataset(path, driver)
        except (RasterioError, OSError, ValueError) as error:
            raise InputError(
                f"{path} cannot be opened: {one_line(error)}.", "Download or export it again.", code="not-a-raster"
            ) from error
        try:
            check_opened(dataset, path)
        except InputError:
            dataset.close()
            raise
        return dataset

    def _claims(self, driver: Driver) -> Claims:
        try:
            claims = jp2_claims(self.path) if driver == "JP2OpenJPEG" else tiff_claims(self.path)
        except BrokenStructureError as error:
            raise InputError(f"{self.path} is truncated: {error}.", _AGAIN, code="truncated") from error
        check_blocks(claims, self.path)
        return claims

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Raise a failed read as an `InputError` with the code ``damaged``."""
        try:
            yield
        except RasterioError as error:
            raise InputError(
                f"{self.path} is damaged: {one_line(error)}.", "Download or export it again.", code="damaged"
            ) from error


def local_path(given: str | Path, what: str = "file") -> Path:
    """The absolute path of something on this machine's disk.

    Args:
        given: What the user wrote.
        what: What it is to be, for the message.

    Raises:
        InputError: ``not-local`` for an address, a ``/vsi`` path or a GDAL connection string; ``missing-file``; for a
            path into an archive, that it cannot be read.
    """
    text = str(given)
    try:
        path = Path(given).expanduser().absolute()
        exists = path.exists()
    except (OSError, ValueError, RuntimeError):  # too long, a zero byte, an unknown user's home
        path, exists = Path(given), False
    if text.startswith("/vsi") or (not exists and _CONNECTION.match(text)):
        zipped = (
            "Give the path of the archive, or archive.zip/folder/file." if text.startswith("/vsizip") else _LOCAL_ONLY
        )
        raise InputError(f"{text} is not a local path.", zipped, code="not-local")
    if not exists and archive_of(path) is not None:
        if is_file(path) or is_folder(path):
            return path
        raise InputError(f"{text}: there is no such {what} in the archive.", "Check the path.", code="missing-file")
    if not exists:
        raise InputError(f"{text}: there is no such {what}.", "Check the path.", code="missing-file")
    return path


def unread_sidecars(path: Path, *, nameless: bool = False) -> list[str]:
    """A sentence if another program keeps something that matters about a raster in a file beside it.

    Files beside a raster are never read: GDAL would open whatever they name.

    Args:
        path: The raster.
        nameless: It does not name its bands itself, so that names beside it matter.
    """
    sidecar = path.with_name(path.name + ".aux.xml")
    try:
        text = read_bytes(sidecar, limit_bytes=_MAX_SIDECAR) if is_file(sidecar) else b""
    except (InputError, OSError):
        return []
    elements = {**_IN_SIDECAR, **({b"Description": "the names of the bands"} if nameless else {})}
    found = [name for element, name in elements.items() if re.search(rb"<" + element + rb"[\s>]", text)]
    if not found:
        return []
    return [
        f"{sidecar.name} states {' and '.join(found)} of {path.name} and is not read; to use it, write both to one "
        "file: gdal_translate -of COG in.tif out.tif."
    ]


def check_opened(dataset: DatasetReader, path: Path | str) -> None:
    """Refuse a raster that nothing can be done with.

    Args:
        dataset: Open.
        path: The file, or how messages name it.

    Raises:
        InputError: ``not-a-raster``, ``complex``, ``too-large`` or ``not-utf8``.
    """
    _check_size(dataset, path)
    _check_texts(dataset, path)


def _check_size(dataset: DatasetReader, path: Path | str) -> None:
    if dataset.count == 0:
        raise InputError(f"{path} holds no bands.", "Give the raster itself.", code="not-a-raster")
    if any(dtype.startswith("complex") for dtype in dataset.dtypes):
        raise InputError(
            f"{path} holds complex numbers ({dataset.dtypes[0]}), as single-look complex radar does.",
            "Give a terrain-corrected backscatter product (GRD, gamma0 or sigma0).",
            code="complex",
        )
    height, width = dataset.shape
    block_height, block_width = dataset.block_shapes[0]
    itemsize = np.dtype(dataset.dtypes[0]).itemsize
    together = dataset.count if dataset.profile.get("interleave") == "pixel" else 1
    if max(height, width) > MAX_SIDE or block_height * block_width * itemsize * together > _MAX_BLOCK_BYTES:
        raise InputError(
            f"{path} claims {width} x {height} pixels in blocks of {block_width} x {block_height}: too large to read.",
            "Cut a part out of it first: gdal_translate -projwin ... -of COG in.tif out.tif.",
            code="too-large",
        )


def _check_texts(dataset: DatasetReader, path: Path | str) -> None:
    """GDAL hands texts on as they are stored; rasterio decodes them as UTF-8 when they are asked for."""
    try:
        texts: list[object] = [dataset.descriptions, dataset.units, dataset.tags()]
        texts += [dataset.tags(index) for index in dataset.indexes]
        str(texts).encode("utf-8")
    except UnicodeError:
        raise not_utf8(path) from None


def _check_sidecars(path: Path) -> None:
    # not read, but other programs open them beside the raster with any driver they know: a VRT could hide in them
    for suffix in (".ovr", ".msk", ".OVR", ".MSK"):
        sidecar = path.with_name(path.name + suffix)
        if sidecar.is_file() and sidecar.stat().st_size:
            with open_regular(sidecar) as file:
                if not file.read(4).startswith(TIFF_MAGIC):
                    raise InputError(f"{sidecar} is not a TIFF file.", "Remove it.", code="unsupported-driver")


def one_line(error: Exception) -> str:
    """What GDAL said, as a part of a sentence."""
    cause = error.__cause__ or error
    return " ".join(str(cause).split()).rstrip(".")[:200]
