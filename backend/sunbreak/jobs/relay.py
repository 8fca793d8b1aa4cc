"""Reporters between a job and its caller: one records the warnings, one shows several steps as one progress bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sunbreak.events import Level, Reporter


class Relay(Reporter):
    """Passes all events on and records the warnings.

    Args:
        inner: Receives the events. Cancelling one cancels the other.
    """

    def __init__(self, inner: Reporter) -> None:
        super().__init__(inner.cancellation)
        self._inner = inner
        self._warnings: dict[str, None] = {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings so far, each once."""
        return tuple(self._warnings)

    def checkpoint(self) -> None:
        """See `Reporter`."""
        self._inner.checkpoint()

    def message(self, text: str, level: Level = "info") -> None:
        """See `Reporter`."""
        if level == "warning":
            self._warnings[text] = None
        self._inner.message(text, level)

    def progress(self, done: float, total: float, unit: str = "tiles") -> None:
        """See `Reporter`."""
        self._inner.progress(done, total, unit)

    def working_on(self, things: Sequence[str]) -> None:
        """See `Reporter`."""
        self._inner.working_on(things)

    def layer(self, role: str, path: Path) -> None:
        """See `Reporter`."""
        self._inner.layer(role, path)

    def result(self, layers: Mapping[str, Path], numbers: Mapping[str, float | str]) -> None:
        """See `Reporter`."""
        self._inner.result(layers, numbers)


class OneBar(Relay):
    """Shows the progress of several steps as percent of the whole.

    Args:
        inner: Receives the events.
        total: Weights of all steps together.
    """

    def __init__(self, inner: Reporter, total: float) -> None:
        super().__init__(inner)
        self._total = total
        self._before = self._weight = self._shown = 0.0
        self._unit, self._phase, self._phases, self._first = "", 0, 1, 0.1

    def begin(self, weight: float, phases: int, first: float = 0.1) -> None:
        """A step of that weight begins, which counts its tiles from zero so many times.

        Args:
            weight: Of the step.
            phases: One or two, each with a unit of its own.
            first: Fraction of the step's time in the first of two. Detecting clouds takes a tenth of cleaning.
        """
        self._before += self._weight
        self._weight, self._phases, self._first = weight, phases, first
        self._unit, self._phase = "", 0

    def progress(self, done: float, total: float, unit: str = "tiles") -> None:
        """See `Reporter`: percent of the whole."""
        if unit != self._unit:
            self._unit, self._phase = unit, self._phase + 1
        within = done / max(total, 1)
        if self._phases > 1:
            within = self._first * within if self._phase == 1 else self._first + (1 - self._first) * within
        percent = 100 * (self._before + self._weight * within) / self._total
        # the number of tiles in flight varies; the bar never goes back
        self._shown = max(self._shown, percent)
        self._inner.progress(round(self._shown, 1), 100, "percent")
