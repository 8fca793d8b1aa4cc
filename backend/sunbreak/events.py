"""Events that a run sends to its caller, and how the caller cancels it.

A run talks to a `Reporter`. `JsonLines` is the process protocol (one JSON object per line, see docs/architecture.md);
the command line adds a readable one, and `Silent` is for use as a library. Cancelling sets one flag, which
`Reporter.checkpoint` checks.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TextIO

from sunbreak import __version__
from sunbreak.errors import Cancelled, MissingExtra, SunbreakError

PROTOCOL_VERSION = 1

Level = Literal["info", "warning"]


class Cancellation:
    """A flag that any thread or signal handler may set. The run checks it between tiles."""

    def __init__(self) -> None:
        self._flag = threading.Event()
        self.noticed = False
        """Whether the run is stopping already."""

    def request(self) -> None:
        """Ask the run to stop at its next checkpoint."""
        self._flag.set()

    @property
    def requested(self) -> bool:
        """Whether the run was asked to stop."""
        return self._flag.is_set()


class Share:
    """How much of a run is done, from the progress of its phases.

    The number of phases is not known. Each fills half of what remains, so that the share never falls and never stops.
    """

    def __init__(self) -> None:
        self._unit, self._done, self._left = "", 0.0, 2.0

    def after(self, done: float, total: float, unit: str) -> float:
        """The share, 0 to 1, after `done` of `total` units of the present phase."""
        if unit != self._unit or done < self._done:
            self._left /= 2
        self._unit, self._done = unit, done
        return 1 - self._left * (1 - 0.5 * min(done / total, 1.0) if total > 0 else 1)


class Reporter:
    """Receives the events of one run. The base class estimates the time left and ignores all events."""

    def __init__(self, cancellation: Cancellation | None = None) -> None:
        self.cancellation = cancellation or Cancellation()
        self._clock: tuple[str, float, float] | None = None
        self._working_on: tuple[str, ...] = ()

    def checkpoint(self) -> None:
        """Raise `Cancelled` if the caller asked to stop."""
        if self.cancellation.requested:
            self.cancellation.noticed = True
            raise Cancelled

    def started(self, command: str) -> None:
        """A command has started."""
        self._emit("started", version=PROTOCOL_VERSION, sunbreak=__version__, command=command)

    def message(self, text: str, level: Level = "info") -> None:
        """A message to the user, such as an assumption or an unusual input."""
        self._emit("message", text=text, level=level)

    def progress(self, done: float, total: float, unit: str = "tiles") -> None:
        """`done` of `total` units are finished. The time left (`eta`, in seconds) is extrapolated linearly."""
        now = time.monotonic()
        if self._clock is None or self._clock[0] != unit or done < self._clock[2]:
            self._clock = (unit, now, done)
        _, start, first = self._clock
        pace = (now - start) / (done - first) if done > first else None
        eta = None if pace is None else round(pace * (total - done), 1)
        on = {"on": list(self._working_on)} if self._working_on else {}
        self._emit("progress", done=done, total=total, unit=unit, eta=eta, **on)

    def working_on(self, things: Sequence[str]) -> None:
        """What is worked on at the same time, such as ``2021-05-03: tiles, 40 %``. It goes out with the progress."""
        self._working_on = tuple(things)

    def layer(self, role: str, path: Path) -> None:
        """A layer was written under its final name."""
        self._emit("layer", role=role, path=str(path))

    def result(self, layers: Mapping[str, Path], numbers: Mapping[str, float | str]) -> None:
        """The command has finished."""
        self._emit("result", layers={role: str(path) for role, path in layers.items()}, numbers=dict(numbers))

    def error(self, error: SunbreakError) -> None:
        """The command failed. Where it needs an extra that is not installed, the event names the extra."""
        extra = {"extra": error.extra} if isinstance(error, MissingExtra) else {}
        self._emit("error", code=error.code, message=error.message, hint=error.hint, **extra)

    def close(self) -> None:
        """Release resources, such as a progress bar on the screen."""

    def _emit(self, event: str, **fields: Any) -> None:
        pass


class Silent(Reporter):
    """Ignores all events. For use as a library."""


class JsonLines(Reporter):
    """The process protocol: one JSON object per line on `stream`, flushed at once, safe from several threads."""

    def __init__(self, stream: TextIO, cancellation: Cancellation | None = None) -> None:
        super().__init__(cancellation)
        self._stream = stream
        self._lock = threading.Lock()

    def ready(self) -> None:
        """A process that runs several commands takes the first one from now on."""
        self._emit("ready", version=PROTOCOL_VERSION, sunbreak=__version__)

    def ended(self, request: str | int | None, status: int) -> None:
        """A command of such a process is over, with the exit status that it would have had as a process."""
        self._emit("ended", id=request, status=status)

    def _emit(self, event: str, **fields: Any) -> None:
        line = json.dumps({"event": event, **fields}, ensure_ascii=True)
        with self._lock:
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
            except (BrokenPipeError, ValueError):
                # the reader has closed the stream: cancel the run
                self.cancellation.request()
