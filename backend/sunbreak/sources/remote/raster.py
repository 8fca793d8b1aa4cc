"""A GeoTIFF on a server, of which only the parts that a window needs are read.

GDAL never connects. It reads through Python (`rasterio`'s openers), from the one file that was named: it is told that
there is no other, so that it looks for no sidecar on the server. Several threads may use one raster; each opens it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

from numpy.typing import NDArray
from rasterio.abc import MultiByteRangeResourceContainer
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.sources.claims import check_blocks, check_ratio, tiff_claims_of
from sunbreak.sources.gdal import environment, open_container
from sunbreak.sources.local import JP2_MAGIC, TIFF_MAGIC, check_opened, one_line
from sunbreak.sources.remote.access import shown
from sunbreak.sources.remote.client import RemoteClient
from sunbreak.sources.remote.file import GdalFile, Parts, RemoteFile, Sign, unsigned
from sunbreak.sources.structure import BrokenStructureError, tiff_layout_of

# a Sentinel-2 tile in rows has 10,980, and in blocks of 64 pixels 29,584
_MOST_BLOCKS = 2**20
_SHORT = "raster.tif"
_OTHER = "Choose another item, or another catalogue."


class RemoteRaster:
    """A GeoTIFF on a server.

    Args:
        client: Asks the server.
        href: The address without signature.
        sign: Gives the address to ask.
        name: How messages name the raster: the address, if not given.

    Errors of the connection are those of `Parts.read`. After one, the raster can be opened again: what was received is
    kept.
    """

    def __init__(self, client: RemoteClient, href: str, sign: Sign = unsigned, name: str = "") -> None:
        self.href, self.name = href, name or shown(href)
        self._client = client
        self._lock = threading.Lock()
        self._parts = Parts(client, href, sign)
        self._checked = False

    @property
    def size(self) -> int:
        """Size of the file in bytes.

        Raises:
            SunbreakError: Of the connection.
        """
        return self._parts.size

    def content(self) -> bytes:
        """The whole file, for small ones. What was received is used again.

        Raises:
            SunbreakError: Of the connection.
        """
        return self._parts.read(0, self._parts.size)

    def check(self) -> None:
        """Check what the header claims, before GDAL sees it; once for each raster.

        The checks are those of a local file: its size, its blocks and their number, its metadata, and that all blocks
        lie within the file. What takes the whole file is left out: whether the blocks can be decoded turns out when
        they are read, and a checksum of the catalogue is not compared.

        Raises:
            InputError: ``not-a-raster``, ``truncated``, ``too-large``, ``not-utf8``, and of the connection.
            RunError: Of the connection.
        """
        with self._lock:
            if not self._checked:
                self._check()
                self._checked = True

    def _check(self) -> None:
        raw = RemoteFile(self._client, self.href, parts=self._parts)
        head = raw.read(12)
        if head.startswith(JP2_MAGIC):
            raise InputError(
                f"{self.name} is a JPEG 2000 file, of which no part can be read over the network.",
                "Choose a catalogue with GeoTIFFs, or download the file and give it.",
                code="not-a-raster",
            )
        if not head.startswith(TIFF_MAGIC):
            raise InputError(
                f"{self.name} is not a GeoTIFF: the server sends something else under its address.",
                _OTHER,
                code="not-a-raster",
            )
        file, broken = cast(BinaryIO, raw), ""
        try:
            claims = tiff_claims_of(file, self.name)
            check_blocks(claims, self.name)
            check_ratio(claims, self.name, of_blocks=False)
            layout = tiff_layout_of(file, _MOST_BLOCKS)
        except BrokenStructureError as error:
            broken = str(error)
        if not broken and layout.beyond:
            broken = f"{layout.beyond} of its {layout.blocks} blocks lie beyond the end of the file"
        if not broken and layout.unwritten == layout.blocks:
            broken = "none of its blocks was ever written"
        if broken:
            raise InputError(f"{self.name} is truncated on the server: {broken}.", _OTHER, code="truncated")

    @contextmanager
    def open(self) -> Iterator[DatasetReader]:
        """The raster, open for the thread that asks, under the GDAL settings of all reads.

        An error of the connection within is raised at the end, in place of what GDAL makes of it.

        Raises:
            InputError: What `check` says, ``not-a-raster``, ``complex``, ``damaged``, and of the connection.
            RunError: Of the connection.
            Cancelled: The caller asked to stop.
        """
        self.check()
        failed: list[BaseException] = []
        damage = ""
        with environment():
            dataset = self._dataset(failed)
            try:
                yield dataset
            except Exception as error:
                if not failed and not isinstance(error, RasterioError):
                    raise
                damage = _said(error)
            finally:
                dataset.close()
        if failed:
            raise failed[0]
        if damage:
            raise InputError(f"{self.name} is damaged on the server: {damage}.", _OTHER, code="damaged")

    def read(
        self,
        window: Window | None = None,
        out_shape: tuple[int, int] | None = None,
        band: int | Sequence[int] = 1,
        resampling: Resampling = Resampling.nearest,
    ) -> NDArray[Any]:
        """Stored numbers of a window.

        Args:
            window: In pixels of the raster; all of it if not given.
            out_shape: Rows and columns of the result, if not those of the window: smaller ones are read from the
                overviews.
            band: Its number from 1, or several.
            resampling: For `out_shape`.

        Returns:
            (row, column), or (band, row, column) for several bands, in the type of the raster.

        Raises:
            SunbreakError: As `open` says.
        """
        shape = out_shape if out_shape is None or isinstance(band, int) else (len(band), *out_shape)
        with self.open() as dataset:
            values: NDArray[Any] = dataset.read(
                band if isinstance(band, int) else list(band), window=window, out_shape=shape, resampling=resampling
            )
        return values

    def _dataset(self, failed: list[BaseException]) -> DatasetReader:
        dataset, why = None, ""
        try:
            dataset = open_container(_OneFile(self._parts, failed), _OneFile.NAME)
            if not failed:
                check_opened(dataset, self.name)
                return dataset
        except (RasterioError, OSError, ValueError) as error:
            why = _said(error)
        except BaseException:
            if dataset is not None:
                dataset.close()
            raise
        if dataset is not None:
            dataset.close()
        if failed:
            raise failed[0]
        raise InputError(f"{self.name} cannot be opened: {why}.", _OTHER, code="not-a-raster")


def _said(error: Exception) -> str:
    """What GDAL said, without the name by which it knows the file."""
    return (
        re.sub(r"/vsi\w+/+remote/raster\.tif:? ?", "", one_line(error)).replace(f"{_SHORT}: ", "").replace(_SHORT, "it")
    )


class _OneFile(MultiByteRangeResourceContainer):  # type: ignore[misc]
    """What GDAL sees: one file, and nothing beside it. Questions about others are answered here, without a request."""

    NAME = f"/remote/{_SHORT}"

    def __init__(self, parts: Parts, failed: list[BaseException]) -> None:
        self._parts, self._failed = parts, failed

    def open(self, path: str, mode: str = "r", **options: Any) -> GdalFile:
        if path != self.NAME or not mode.startswith("r") or "+" in mode:
            raise FileNotFoundError(path)
        return GdalFile(self._parts, self._failed)

    def isfile(self, path: str) -> bool:
        return path == self.NAME

    def isdir(self, path: str) -> bool:
        return False

    def ls(self, path: str) -> list[str]:
        return []

    def mtime(self, path: str) -> int:
        return 0

    def rm(self, path: str) -> None:
        raise PermissionError(path)

    def size(self, path: str) -> int:
        if path != self.NAME:
            raise FileNotFoundError(path)
        return self._parts.size
