"""What became of the scenes of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sunbreak.errors import SunbreakError

Status = Literal["done", "failed", "skipped"]
Numbers = Mapping[str, "float | str"]


@dataclass(frozen=True)
class Outcome:
    """The outcome of one scene.

    Attributes:
        name: The scene.
        status: ``skipped`` if it was done by an earlier batch.
        seconds: Time it took, then or now.
        numbers: Figures of its result.
        code: Of the error.
        reason: One line that says what was wrong.
    """

    name: str
    status: Status
    seconds: float
    numbers: Numbers = field(default_factory=dict)
    code: str = ""
    reason: str = ""


@dataclass(frozen=True)
class BatchResult:
    """The outcomes in the order of the scenes, and the path of the summary."""

    outcomes: tuple[Outcome, ...]
    summary: Path

    def having(self, status: Status) -> list[Outcome]:
        """The outcomes of this status."""
        return [outcome for outcome in self.outcomes if outcome.status == status]


def reason_of(error: Exception) -> tuple[str, str]:
    """Code and one line."""
    if isinstance(error, SunbreakError):
        return error.code, " ".join(str(error).split())
    if isinstance(error, MemoryError):
        return "out-of-memory", "Out of memory."
    text = str(error).strip().splitlines()
    return "internal", f"{type(error).__name__}: {text[0] if text else 'no message'}"
