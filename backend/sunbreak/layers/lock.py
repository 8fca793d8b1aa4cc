"""Allows one run at a time on one output, with a lock file that names the process that holds it.

When a lock has ended:

- Of this host: when its process has ended, at once. A live process keeps its lock also if it does not renew it, since
  it may be suspended. A process that got the number of an ended one cannot be told from it: the message then names it.
- Of another host: when it was not renewed for `LEASE_S`. Earlier versions did not renew their locks; such a lock of
  another host stays until somebody deletes it.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from sunbreak.errors import OutputError
from sunbreak.layers import lease as leases
from sunbreak.layers.lease import Lease, Look, is_held_here, look_at, take_away, this_host
from sunbreak.processes import is_alive

_TRIES = 3
_WRITTEN_WITHIN_S = 5
_SETTLE_S = 0.2
_HINT = "Wait for it, choose another folder, or delete that file if no run is active."


class OutputLock:
    """Held from `acquire` to `release`. A lock that has ended is replaced.

    Args:
        path: The lock file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lease: Lease | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock. Looks at the file, and renews it."""
        try:
            return self._lease is not None and self._lease.renew()
        except OSError:
            return False

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            OutputError: another run holds it, ``output-locked``.
            OSError: the folder cannot be written.
        """
        replaced = False
        for _ in range(_TRIES):
            lease = Lease(self.path)
            try:
                lease.make()
            except FileExistsError:
                try:
                    seen = look_at(self.path)
                except FileNotFoundError:
                    continue
                except OSError:  # it is no lock file of ours
                    break
                if not self._is_stale(seen):
                    raise self._refusal(seen) from None
                if not take_away(self.path, seen):
                    break
                replaced = True
            else:
                if self._is_settled(lease, replaced):
                    self._lease = lease
                    return
                break
        raise self._refusal(None)

    def check(self) -> None:
        """Check that this object still holds the lock, and renew it.

        Raises:
            OutputError: it does not, ``lease-lost``.
            OSError: the file cannot be looked at.
        """
        if self._lease is None or not self._lease.renew():
            raise OutputError(
                f"This run has lost its lock {self.path}: it stood still until another run took over, or the file was "
                "deleted.",
                "None of its results were put in place; run it again when no other run writes there.",
                code="lease-lost",
            )

    def release(self) -> None:
        """Release the lock. Does nothing when it is not held, or no longer: the file may be another run's."""
        if self._lease is not None:
            lease, self._lease = self._lease, None
            lease.release()

    def _is_settled(self, lease: Lease, replaced: bool) -> bool:
        """Whether a lease that was just made is in place.

        A process that judged the same stale lock a moment ago may move the new one away, and put it back.
        """
        try:
            if replaced:
                time.sleep(_SETTLE_S)
            return lease.renew()
        except BaseException:
            lease.release()
            raise

    def _is_stale(self, seen: Look) -> bool:
        if not seen.content:  # killed before it was written, unless its owner is about to write it
            return seen.age(self.path) > _WRITTEN_WITHIN_S
        owner = seen.owner
        if owner is None:
            return False
        if owner.host != this_host():
            return bool(owner.token) and seen.age(self.path) > leases.LEASE_S
        # with the number of this process it was left by an earlier one, unless this process holds it
        return not is_held_here(seen.content) if owner.pid == os.getpid() else not is_alive(owner.pid)

    def _refusal(self, seen: Look | None) -> OutputError:
        owner = seen.owner if seen is not None else None
        message, hint = f"Another run is writing the same output ({self.path}).", _HINT
        if seen is not None and owner is not None:
            age = seen.age(self.path) if owner.token else 0
            if owner.host != this_host():
                message = f"Another run on the host {owner.host} is writing the same output ({self.path})"
                if owner.token:
                    message += f"; it renewed its lock {max(age, 0):.0f} s ago."
                    hint = (
                        "Wait for it, or choose another folder. If that host has stopped, the lock ends by itself "
                        f"{leases.LEASE_S:.0f} s after its last renewal."
                    )
                else:
                    message += ", with an earlier version, which does not renew its lock."
            elif age > leases.LEASE_S:
                message = (
                    f"Another run, process {owner.pid}, is writing the same output ({self.path}); it has not renewed "
                    f"its lock for {age:.0f} s and may be suspended."
                )
                hint = "Continue it or end it, or delete that file if that process is no run."
        return OutputError(message, hint, code="output-locked")
