"""Reads states and logs of trainings. Damaged states and states of other runs are refused; logs are truncated."""

from __future__ import annotations

import csv
import pickle  # nosec B403: for its exception only
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sunbreak.drafts import appended, write_bytes
from sunbreak.errors import InputError
from sunbreak.tables import CsvTable

_BREAK = 120.0  # a longer gap between steps, in seconds, is an interruption


def read_state(path: Path, terms: Mapping[str, Any]) -> dict[str, Any]:
    """The saved state of a training, if it was started with the same terms.

    Raises:
        InputError: The state is damaged, or belongs to a run with another recipe, other networks or other data.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        found, _ = dict(state["terms"]), int(state["step"])
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: this is not a readable training state ({type(error).__name__}).",
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
    """Add a row to a log; a new log starts with a header. The first column is `step`, counted from 0."""
    new = not path.exists()
    with appended(path) as stream:
        table = CsvTable(stream)
        if new:
            table.row(row)
        table.row([value if isinstance(value, int) else f"{value:.7g}" for value in row.values()])


def cut_rows(path: Path, step: int) -> None:
    """Drop the rows that a killed run wrote after its last state."""
    if not path.is_file():
        return
    head, *rows = path.read_bytes().splitlines(keepends=True)
    kept = [row for row in rows if row.endswith(b"\n") and int(row.partition(b",")[0]) < step]
    write_bytes(path, b"".join([head, *kept]))


def minutes_of(log: Path) -> float:
    """Duration of the steps of a log in minutes, without interruptions."""
    with log.open(newline="", encoding="utf-8") as stream:
        times = np.array([float(row["time"]) for row in csv.DictReader(stream)])
    gaps = np.diff(times)
    return float(gaps[gaps < _BREAK].sum()) / 60
