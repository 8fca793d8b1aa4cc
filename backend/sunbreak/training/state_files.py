"""States and logs of trainings on disk: a damaged or foreign state is refused, and a log is cut back to its state."""

from __future__ import annotations

import csv
import pickle  # nosec B403: for its exception only
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from sunbreak.drafts import write_bytes
from sunbreak.errors import InputError


def read_state(path: Path, terms: Mapping[str, Any]) -> dict[str, Any]:
    """What an earlier call of a training saved, if it was started with the same terms.

    Raises:
        InputError: The state is damaged or belongs to a run with another recipe, other networks or other data.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        found, _ = dict(state["terms"]), int(state["step"])
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: is not a readable state of a training ({type(error).__name__}).",
            "Delete it to start again, or choose another folder.",
            code="bad-state",
        ) from error
    other = sorted(name for name in {*found, *terms} if found.get(name) != terms.get(name))
    if other:
        raise InputError(
            f"{path}: belongs to a training with other settings ({', '.join(other)}).",
            "Choose another folder, or repeat the call with the settings it was started with.",
            code="other-recipe",
        )
    return state


def append_row(path: Path, row: Mapping[str, float | int]) -> None:
    """Add a row to a log, with the names first if it is new. The first column is `step`, the steps before the row."""
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        if new:
            writer.writerow(row)
        writer.writerow([value if isinstance(value, int) else f"{value:.7g}" for value in row.values()])


def cut_rows(path: Path, step: int) -> None:
    """Drop the rows that a killed run wrote after its last state."""
    if not path.is_file():
        return
    head, *rows = path.read_bytes().splitlines(keepends=True)
    kept = [row for row in rows if row.endswith(b"\n") and int(row.partition(b",")[0]) < step]
    write_bytes(path, b"".join([head, *kept]))
