"""What a run tells its caller while it works, and how the caller tells it to stop.

A run talks to a `Reporter`. `JsonLines` is the process protocol (one JSON object per line, see docs/architecture.md);
the command line adds one for people, and `Silent` is for library use. Cancelling is one flag, looked at in
`Reporter.checkpoint`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TextIO

from sunbreak import __version__
from sunbreak.errors import Cancelled, SunbreakError

PROTOCOL_VERSION = 1

Level = Literal["info", "warning"]


class Cancellation:
    """A flag that any thread or signal handler may set, and that the run looks at between tiles."""

    def __init__(self) -> None:
        self._flag = threading.Event()
        self.noticed = False
        """Whether the run is on its way out already."""

    def request(self) -> None:
        """Ask the run to stop at its next checkpoint."""
        self._flag.set()

    @property
    def requested(self) -> bool:
        """Whether somebody asked."""
        return self._flag.is_set()


class Reporter:
    """Receives the events of one run. The base class keeps time and forgets everything else."""

    def __init__(self, cancellation: Cancellation | None = None) -> None:
        self.cancellation = cancellation or Cancellation()
        self._clock: tuple[str, float, float] | None = None

    def checkpoint(self) -> None:
        """Raise `Cancelled` if the caller asked to stop."""
        if self.cancellation.requested:
            self.cancellation.noticed = True
            raise Cancelled

    def started(self, command: str) -> None:
        """A command begins."""
        self._emit("started", version=PROTOCOL_VERSION, sunbreak=__version__, command=command)

    def message(self, text: str, level: Level = "info") -> None:
        """Something that the user should know: what was assumed, what is unusual."""
        self._emit("message", text=text, level=level)

    def progress(self, done: float, total: float, unit: str = "tiles") -> None:
        """`done` of `total` units are finished. The time left (`eta`, seconds) is linear in what was done so far."""
        now = time.monotonic()
        if self._clock is None or self._clock[0] != unit or done < self._clock[2]:
            self._clock = (unit, now, done)
        _, start, first = self._clock
        pace = (now - start) / (done - first) if done > first else None
        eta = None if pace is None else round(pace * (total - done), 1)
        self._emit("progress", done=done, total=total, unit=unit, eta=eta)

    def layer(self, role: str, path: Path) -> None:
        """A layer stands under its final name."""
        self._emit("layer", role=role, path=str(path))

    def result(self, layers: Mapping[str, Path], numbers: Mapping[str, float | str]) -> None:
        """The command is done."""
        self._emit("result", layers={role: str(path) for role, path in layers.items()}, numbers=dict(numbers))

    def error(self, error: SunbreakError) -> None:
        """The command failed."""
        self._emit("error", code=error.code, message=error.message, hint=error.hint)

    def close(self) -> None:
        """Release what the reporter holds (a progress bar on the screen, say)."""

    def _emit(self, event: str, **fields: Any) -> None:
        pass


class Silent(Reporter):
    """Says nothing. For use as a library."""


class JsonLines(Reporter):
    """The process protocol: one JSON object per line on `stream`, flushed at once, safe from several threads."""

    def __init__(self, stream: TextIO, cancellation: Cancellation | None = None) -> None:
        super().__init__(cancellation)
        self._stream = stream
        self._lock = threading.Lock()

    def _emit(self, event: str, **fields: Any) -> None:
        line = json.dumps({"event": event, **fields}, ensure_ascii=True)
        with self._lock:
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
            except (BrokenPipeError, ValueError):
                # nobody listens any more, so nobody wants the rest
                self.cancellation.request()
