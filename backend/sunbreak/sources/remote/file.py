"""A file on a server, read in parts: as an open binary file, or by GDAL through `rasterio`.

Parts that were received are kept, so that a header is asked for once however often it is read. What is asked for is
what is read, without rounding to pages: blocks of a raster that lie side by side are asked for together.
"""

from __future__ import annotations

import io
import os
import threading
from bisect import bisect_right
from collections.abc import Callable, Sequence

from sunbreak.errors import InputError
from sunbreak.sources.remote import failures
from sunbreak.sources.remote.client import Part, RemoteClient

#: `sign(address, again)` gives the address to ask; `again` says that the last one was refused.
Sign = Callable[[str, bool], str]

_HEAD = 2**16  # the header of a COG of a whole Sentinel-2 tile has about 20 KiB
_LEAST = 2**14  # small reads elsewhere are of headers too, and lead to others close by
_NEAR = 2**14  # parts closer than this are asked for together
_MOST = 2**23  # bytes of one request
_KEPT = 2**24  # bytes kept of one file; a run has dozens of them open


def unsigned(href: str, again: bool) -> str:
    """The address itself, for servers that ask for no signature."""
    return href


class Parts:
    """The parts of one file that were received. Several threads may use it.

    Args:
        client: Asks the server.
        href: The address without signature, which names the file.
        sign: Gives the address to ask.
    """

    def __init__(self, client: RemoteClient, href: str, sign: Sign = unsigned) -> None:
        self.href = href
        self._client, self._sign = client, sign
        self._lock, self._opening = threading.Lock(), threading.Lock()
        self._known: tuple[int, str] | None = None
        self._kept: dict[int, bytes] = {}
        self._order: list[int] = []  # first bytes of the kept parts, the oldest first
        self._starts: list[int] = []

    @property
    def size(self) -> int:
        """Size of the file in bytes.

        Raises:
            SunbreakError: As `RemoteClient.part` says.
        """
        with self._opening:
            known = self._known
            if known is None:
                self._receive(0, _HEAD)
                known = self._known
        return known[0] if known else 0

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from `start` up to `stop`; fewer where the file ends before.

        Raises:
            InputError: ``forbidden``, ``not-found``, ``no-ranges``, ``too-large`` and what `Access` refuses.
            RunError: ``changed``, ``too-many-requests``, ``server-error``, ``slow``, ``cut-off``, ``no-connection``.
        """
        return self.read_all([(start, stop)])[0]

    def read_all(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """The bytes of several ranges, each from its start up to its stop.

        Those close to each other are asked for together.

        Raises:
            SunbreakError: As `read` says.
        """
        size = self.size
        within = [(min(start, size), min(stop, size)) for start, stop in ranges]
        fresh: dict[int, bytes] = {}
        missing = sorted(gap for start, stop in within for gap in self._gaps(start, stop))
        for start, stop in _joined(missing, size):
            fresh[start] = self._receive(start, stop)
        return [self._collect(start, stop, fresh) for start, stop in within]

    def _collect(self, start: int, stop: int, fresh: dict[int, bytes]) -> bytes:
        """Put a range together, first of all from what this thread has just received."""
        with self._lock:
            parts = {**self._kept, **fresh}
        starts = sorted(parts)
        pieces = []
        while start < stop:
            place = bisect_right(starts, start) - 1
            # of parts that overlap, an earlier one may reach further
            for first in reversed(starts[: place + 1]):
                if first + len(parts[first]) > start:
                    piece = parts[first][start - first : stop - first]
                    break
            else:  # another thread has made room in the meantime
                piece = self._receive(start, min(stop, start + _MOST))
            pieces.append(piece)
            start += len(piece)
        return b"".join(pieces)

    def _gaps(self, start: int, stop: int) -> list[tuple[int, int]]:
        """What is missing of a range."""
        found = []
        with self._lock:
            for first in self._starts:
                last = first + len(self._kept[first])
                if last <= start:
                    continue
                if first >= stop or start >= stop:
                    break
                if first > start:
                    found.append((start, first))
                start = max(start, last)
        if start < stop:
            found.append((start, stop))
        return found

    def _receive(self, start: int, stop: int) -> bytes:
        part = self._ask(start, stop)
        with self._lock:
            if self._known is not None and self._known != (part.total, part.tag):
                raise failures.changed(self.href)
            self._known = part.total, part.tag
            if start in self._kept:
                self._order.remove(start)
            self._kept[start] = part.data
            self._order.append(start)
            room = _KEPT - sum(map(len, self._kept.values()))
            while room < 0 and len(self._order) > 1:
                # the header stays
                oldest = self._order.pop(1 if self._order[0] == 0 else 0)
                room += len(self._kept.pop(oldest))
            self._starts = sorted(self._kept)
        return part.data

    def _ask(self, start: int, stop: int) -> Part:
        refused = False
        try:
            return self._client.part(self._sign(self.href, False), start, stop)
        except InputError as error:
            refused = error.code == "forbidden"
            if not refused:
                raise
        # outside of the except block, so that an error below has no other one behind it
        return self._client.part(self._sign(self.href, True), start, stop)


def _joined(gaps: list[tuple[int, int]], size: int) -> list[tuple[int, int]]:
    """Ranges to ask for: gaps that are close to each other together, small ones extended, large ones split."""
    joined: list[tuple[int, int]] = []
    for start, stop in gaps:
        if joined and start <= joined[-1][1] + _NEAR and max(stop, joined[-1][1]) - joined[-1][0] <= _MOST:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    ranges = []
    for start, stop in joined:
        stop = min(max(stop, start + _LEAST), size)
        ranges += [(first, min(first + _MOST, stop)) for first in range(start, stop, _MOST)]
    return ranges


class RemoteFile(io.RawIOBase):
    """A file on a server, open for reading. Each thread opens its own; they may share the parts.

    Args:
        client: Asks the server.
        href: The address without signature, which names the file in messages.
        sign: Gives the address to ask.
        parts: What another file object of the same address has received.

    Reads raise what `Parts.read` says.
    """

    def __init__(self, client: RemoteClient, href: str, sign: Sign = unsigned, *, parts: Parts | None = None) -> None:
        super().__init__()
        self.parts = parts or Parts(client, href, sign)
        self._place = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """The place of the next read, in bytes."""
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the place of the next read; nothing is asked unless it counts from the end."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place}.get(whence)
        self._place = max((self.parts.size if base is None else base) + offset, 0)
        return self._place

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer; fewer bytes where the file ends before."""
        data = self.parts.read(self._place, self._place + len(buffer))
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)

    def readall(self) -> bytes:
        """The rest of the file."""
        data = self.parts.read(self._place, self.parts.size)
        self._place += len(data)
        return data


class GdalFile(RemoteFile):
    """A file that GDAL reads. An error cannot pass through GDAL: it is told to `failed`, and GDAL reads nothing more.

    Args:
        parts: What was received.
        failed: Takes the first error.
    """

    def __init__(self, parts: Parts, failed: list[BaseException]) -> None:
        super().__init__(parts._client, parts.href, parts=parts)
        self._failed = failed

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer; nothing after an error."""
        if self._failed:
            return 0
        try:
            return super().readinto(buffer)
        except BaseException as error:
            self._failed.append(error)
            return 0

    def get_byte_ranges(self, offsets: Sequence[int], sizes: Sequence[int]) -> list[bytes]:
        """Several parts at once, which GDAL asks for where blocks lie in several places; zeros after an error."""
        if not self._failed:
            try:
                ranges = [(start, start + length) for start, length in zip(offsets, sizes, strict=True)]
                found = self.parts.read_all(ranges)
                if all(len(data) == length for data, length in zip(found, sizes, strict=True)):
                    return found
                self._failed.append(failures.too_short(self.parts.href))
            except BaseException as error:
                self._failed.append(error)
        # GDAL copies as many bytes as it asks for
        return [bytes(length) for length in sizes]
