"""A lock file as a lease: it ends by itself unless its process renews it, so that other hosts see that it is alive.

The file holds the process, its host and a random token. One thread per process renews all leases that the process
holds. It writes the same bytes again, so that the file server sets the time of the file: on some servers `os.utime`
sets the clock of the host that calls it. `os.utime` is used if writing is refused. The clocks of hosts differ. The age
of a lease is therefore the difference between the times of two files on the same server.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sunbreak import unfinished
from sunbreak.drafts import create, hidden_place, open_stored
from sunbreak.layers.publish import move_to_free_name

LEASE_S = 60.0
"""A lease of another host that was not renewed for so long has ended."""
RENEW_S = 10.0
"""Time between two renewals."""
_LIMIT = 1000
_LOOKS = 4
_PUT_BACK_S = 0.1


class Owner(NamedTuple):
    """Who holds a lease. Versions that did not renew their locks wrote no token."""

    pid: int
    host: str
    token: str


@dataclass(frozen=True)
class Look:
    """What a lock file holds, and when it was written last by the clock of the file server."""

    content: bytes
    changed_ns: int

    @property
    def owner(self) -> Owner | None:
        """Who holds the lease; None if the file is none of ours."""
        words = self.content.decode(errors="replace").split()
        if len(words) not in (2, 3) or not words[0].isdecimal() or not 0 < int(words[0]) < 2**31:
            return None
        return Owner(int(words[0]), words[1], words[2] if len(words) == 3 else "")

    def age(self, path: Path) -> float:
        """Seconds since the file was written, by the clock of the file server.

        Args:
            path: The lock file. A file is made in its folder, and removed.

        Raises:
            OSError: The folder cannot be written.
        """
        with hidden_place(path) as probe:
            create(probe).close()
            return (look_at(probe).changed_ns - self.changed_ns) / 1e9


def look_at(path: Path) -> Look:
    """Look at a lock file. It is opened, since network file systems may keep the old time of a file until then.

    Raises:
        OSError: It is missing, or no file of ours.
    """
    with open_stored(path, limit=_LIMIT) as file:
        content = file.read(_LIMIT + 1)
        return Look(content, os.fstat(file.fileno()).st_mtime_ns)


def this_host() -> str:
    """The name of this host as one word."""
    return "-".join(socket.gethostname().encode(errors="replace").decode().split()) or "unnamed"


def take_away(path: Path, stale: Look) -> bool:
    """Remove a lease that has ended, unless it was renewed or replaced since it was looked at.

    The file is renamed first, which only one of several hosts can do, and put back if it is not the one that was
    looked at.

    Args:
        path: The lock file.
        stale: What was seen there.

    Returns:
        Whether that lease is gone. The name is then free, unless another process was faster.

    Raises:
        OSError: The folder cannot be written.
    """
    with hidden_place(path) as aside:
        try:
            path.rename(aside)
        except FileNotFoundError:
            return True
        except PermissionError:  # it is another user's, or on Windows another process is looking at it
            return False
        with contextlib.suppress(OSError):
            if look_at(aside) == stale:
                return True
        with contextlib.suppress(FileExistsError):  # its owner finds out when it renews the lease
            move_to_free_name(aside, path)
        return False


class Lease:
    """A lease of this process, held and renewed from `make` to `release`, or until another process took it over.

    A process that was forked does not hold the leases of its parent.

    Args:
        path: The lock file, absolute.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.content = f"{os.getpid()} {this_host()} {secrets.token_hex(16)}\n".encode()
        self._busy = threading.Lock()  # Windows does not delete a file that is open

    def make(self) -> None:
        """Make the file and begin to renew it.

        Raises:
            FileExistsError: Something has its name.
            OSError: It cannot be made.
        """
        with self._busy:
            file = create(self.path)
            unfinished.add(self.path)
            try:
                _hold(self)
                with file:
                    file.write(self.content)
            except BaseException:
                _let_go(self)
                self.path.unlink(missing_ok=True)
                unfinished.drop(self.path)
                raise
        unfinished.add(self.path, only_if=self.renew)

    def renew(self) -> bool:
        """Renew the lease.

        Returns:
            Whether this process still holds it. If not, the file is another's or gone, and nothing was changed.

        Raises:
            OSError: The file cannot be opened; whether the lease is held is not known.
        """
        if not is_held_here(self.content):  # first, since a fork may have copied a lock that is never released
            return False
        with self._busy:
            with contextlib.suppress(FileNotFoundError):
                self._write()
            # by its name again: it may have been renamed while it was written
            if not (is_held_here(self.content) and self._is_in_place()):
                _let_go(self)
                return False
            return True

    def release(self) -> None:
        """Remove the file if it is still this lease. If the server does not answer, the lease ends by itself."""
        with contextlib.suppress(OSError):
            if self.renew():  # nobody takes it over from now on
                with self._busy:
                    self.path.unlink(missing_ok=True)
                unfinished.drop(self.path)
        _let_go(self)

    def _write(self) -> None:
        with open_stored(self.path, limit=_LIMIT, write=True) as file:
            if file.read(_LIMIT + 1) != self.content:
                return
            try:
                os.lseek(file.fileno(), 0, os.SEEK_SET)
                os.write(file.fileno(), self.content)
            except OSError:
                os.utime(file.fileno() if os.utime in os.supports_fd else self.path)

    def _is_in_place(self) -> bool:
        for attempt in range(_LOOKS):
            if attempt:  # `take_away` of another process may be about to put it back
                time.sleep(_PUT_BACK_S)
            with contextlib.suppress(FileNotFoundError):
                return look_at(self.path).content == self.content
        return False


_guard = threading.Lock()
_held: dict[bytes, Lease] = {}
_stop: threading.Event | None = None
"""Ends the thread that renews the leases; None if none runs."""


def is_held_here(content: bytes) -> bool:
    """Whether this process holds the lease with this content."""
    return content in _held


def _hold(lease: Lease) -> None:
    global _stop
    with _guard:
        _held[lease.content] = lease
        if _stop is None:
            stop = threading.Event()
            threading.Thread(target=_renew_all, args=(stop,), name="sunbreak-leases", daemon=True).start()
            _stop = stop


def _let_go(lease: Lease) -> None:
    global _stop
    with _guard:
        _held.pop(lease.content, None)
        if not _held and _stop is not None:
            _stop.set()
            _stop = None


def _renew_all(stop: threading.Event) -> None:
    while not stop.wait(RENEW_S):
        for lease in list(_held.values()):
            with contextlib.suppress(OSError):  # the server may answer the next time
                lease.renew()


def _in_child() -> None:
    """A child process holds nothing, and has no thread that renews."""
    global _guard, _stop
    _guard, _stop = threading.Lock(), None
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
