"""Reads the bytes of one file in a zip archive, in any order and without unpacking it to disk."""

from __future__ import annotations

import io
import zlib
from typing import Any, BinaryIO

from sunbreak.errors import InputError
from sunbreak.regular_files import open_regular
from sunbreak.sources.archive import (
    AGAIN,
    ENCRYPTED,
    LOCAL,
    NONE32,
    STORED,
    Archive,
    Entry,
    cut_off,
    decoded,
    refuse,
)

_CHUNK = 2**20
_STATES, _STATE_FROM = 64, 4 * 2**20  # kept of a decoder, and the bytes between them at least


def open_entry(archive: Archive, entry: Entry) -> BinaryIO:
    """Open a file of an archive for reading bytes. The caller closes it.

    Reading raises an `InputError` with the code ``damaged`` if the file does not unpack to what the archive says.

    Raises:
        InputError: ``bad-archive`` if its header contradicts the list of the archive; ``unreadable``.
    """
    file = open_regular(archive.path, "archive")
    try:
        file.seek(entry.offset)
        head = file.read(LOCAL.size)
        if len(head) < LOCAL.size:
            raise cut_off(archive.path)
        mark, _, flags, method, _, _, crc, packed, size, name_bytes, extra = LOCAL.unpack(head)
        later = flags & 8 or NONE32 in (packed, size)
        said = (b"PK\x03\x04", entry.method, entry.name)
        if (mark, method, decoded(file.read(name_bytes), flags)) != said or flags & ENCRYPTED:
            refuse(archive.path, f"it says of {entry.name[:200]} one thing in its list and another in its place")
        if not later and (crc, packed, size) != (entry.crc, entry.packed, entry.size):
            refuse(archive.path, f"it says of {entry.name[:200]} one thing in its list and another in its place")
        start = entry.offset + LOCAL.size + name_bytes + extra
        return io.BufferedReader(_Member(archive, entry, file, start), 2**16)
    except BaseException:
        file.close()
        raise


class _Member(io.RawIOBase):
    """A file in an archive. To seek costs nothing; a deflated file is unpacked only as far as it is read.

    To go back does not unpack all again: the state of the decoder is kept at some places.
    """

    def __init__(self, archive: Archive, entry: Entry, file: BinaryIO, start: int) -> None:
        super().__init__()
        self._archive, self._entry, self._file, self._start = archive, entry, file, start
        self._place = 0
        self._decoder: Any = zlib.decompressobj(-zlib.MAX_WBITS)
        self._at, self._fed, self._pending = 0, 0, b""  # bytes unpacked, bytes read, and those read that wait
        self._states: list[tuple[int, int, Any, bytes]] = [(0, 0, self._decoder.copy(), b"")]
        self._crc, self._summed = 0, 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte, as files do."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._entry.size}[whence]
        self._place = max(0, origin + offset)
        return self._place

    def tell(self) -> int:
        """The byte that is read next."""
        return self._place

    def close(self) -> None:
        """Close the archive too."""
        self._file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as there are bytes; how many there were."""
        view = memoryview(buffer).cast("B")
        wanted = max(0, min(len(view), self._entry.size - self._place))
        view[:wanted] = self._stored(wanted) if self._entry.method == STORED else self._unpacked(wanted)
        self._place += wanted
        return wanted

    def _stored(self, wanted: int) -> bytes:
        self._file.seek(self._start + self._place)
        content = self._file.read(wanted)
        if len(content) < wanted:
            raise cut_off(self._archive.path)
        return content

    def _unpacked(self, wanted: int) -> bytes:
        if not self._at <= self._place:
            self._restore(self._place)
        parts: list[bytes] = []
        missing = wanted
        while missing:
            content = self._next(min(_CHUNK, self._place + wanted - self._at))
            inside = content[max(0, len(content) - (self._at - self._place)) :]
            parts.append(inside)
            missing -= len(inside)
        return b"".join(parts)

    def _next(self, limit: int) -> bytes:
        """Unpack the next bytes, at most so many."""
        content = b""
        while not content:
            if not self._pending:
                self._file.seek(self._start + self._fed)
                self._pending = self._file.read(min(2**16, self._entry.packed - self._fed))
                self._fed += len(self._pending)
            had = bool(self._pending)
            try:
                content = self._decoder.decompress(self._pending, limit)
            except zlib.error:
                raise self._damaged() from None
            self._pending = self._decoder.unconsumed_tail
            if not content and (self._decoder.eof or not had):
                raise self._damaged()
        self._at += len(content)
        if self._at - len(content) == self._summed:
            self._crc, self._summed = zlib.crc32(content, self._crc), self._at
            if self._summed == self._entry.size and self._crc != self._entry.crc:
                raise self._damaged()
        if self._at >= self._states[-1][0] + max(_STATE_FROM, self._entry.size // _STATES):
            self._states.append((self._at, self._fed, self._decoder.copy(), self._pending))
        return content

    def _restore(self, place: int) -> None:
        """Go back to the last kept state before a place."""
        kept = next(state for state in reversed(self._states) if state[0] <= place)
        self._at, self._fed, self._decoder, self._pending = kept[0], kept[1], kept[2].copy(), kept[3]

    def _damaged(self) -> InputError:
        return InputError(
            f"{self._archive.path} is damaged: {self._entry.name} in it does not unpack to what was packed.",
            AGAIN,
            code="damaged",
        )
