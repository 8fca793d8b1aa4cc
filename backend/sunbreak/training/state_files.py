"""Reads states and logs of trainings. Damaged states and states of other runs are refused; logs are truncated."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from sunbreak.drafts import appended, read_stored, read_stored_text, write_bytes
from sunbreak.errors import InputError, ModelError, SunbreakError
from sunbreak.models.checkpoint_files import first_line, read_checkpoint
from sunbreak.tables import CsvTable
from sunbreak.training.disk import writing

LOG_OF_TRAINING = "log of a training"
_BREAK = 120.0  # a longer gap between steps, in seconds, is an interruption


def read_state(path: Path, terms: Mapping[str, Any]) -> dict[str, Any]:
    """The saved state of a training, if it was started with the same terms.

    Raises:
        InputError: The state is damaged, or belongs to a run with another recipe, other networks or other data.
    """
    state = read_content(path)
    with restoring(path):
        found, _ = dict(state["terms"]), int(state["step"])
    other = sorted(name for name in {*found, *terms} if found.get(name) != terms.get(name))
    if other:
        raise InputError(
            f"{path}: belongs to a training with other settings ({', '.join(other)}).",
            "Choose another folder, or repeat the call with the settings it was started with.",
            code="other-recipe",
        )
    return state


def read_content(path: Path) -> dict[str, Any]:
    """What a training saved.

    Raises:
        InputError: The file is damaged, or holds something else.
    """
    try:
        state = read_checkpoint(path)
    except ModelError as error:
        raise _unreadable(path, error.message) from error
    if not isinstance(state, dict):
        raise _unreadable(path, "it holds no table")
    return state


@contextmanager
def restoring(path: Path, what: str = "training state") -> Iterator[None]:
    """Take what a training saved apart. Parts that are missing or do not fit are an error of the file.

    Args:
        path: The file, for the message.
        what: What it is, for the message.

    Raises:
        InputError: Something within failed.
    """
    try:
        yield
    except SunbreakError:
        raise
    except Exception as error:  # networks, optimizers and generators each raise their own
        raise _unreadable(path, f"{type(error).__name__}: {first_line(error)}", what) from error


def _unreadable(path: Path, reason: str, what: str = "training state") -> InputError:
    return InputError(
        f"{path}: this is not a readable {what} ({reason}).",
        "Delete it to start again, or choose another folder.",
        code="bad-state",
    )


def append_row(path: Path, row: Mapping[str, float | int]) -> None:
    """Add a row to a log; a new log starts with a header. The first column is `step`, counted from 0.

    Raises:
        RunError: The log cannot be written, or is no file of ours.
    """
    new = not os.path.lexists(path)
    with writing(path), appended(path) as stream:
        table = CsvTable(stream)
        if new:
            table.row(row)
        table.row([value if isinstance(value, int) else f"{value:.7g}" for value in row.values()])


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a log, by the names in its header; without those that a kill cut short.

    Raises:
        InputError: It is damaged, or no log of ours.
    """
    with restoring(path, LOG_OF_TRAINING):
        text = read_stored_text(path)
        whole = text[: text.rfind("\n") + 1]
        rows = list(csv.DictReader(io.StringIO(whole, newline=""), strict=True))
    return [row for row in rows if None not in row and None not in row.values()]


def cut_rows(path: Path, step: int) -> None:
    """Drop the rows that a killed run wrote after its last state.

    Raises:
        InputError: The log is damaged, or no log of ours.
        RunError: It cannot be written.
    """
    if not path.is_file():
        return
    with restoring(path, LOG_OF_TRAINING):
        head, *rows = read_stored(path).splitlines(keepends=True)
        kept = [row for row in rows if row.endswith(b"\n") and int(row.partition(b",")[0]) < step]
    with writing(path):
        write_bytes(path, b"".join([head, *kept]))


def minutes_of(log: Path) -> float:
    """Duration of the steps of a log in minutes, without interruptions."""
    with restoring(log, LOG_OF_TRAINING):
        times = np.array([float(row["time"]) for row in read_rows(log)])
    gaps = np.diff(times)
    return float(gaps[gaps < _BREAK].sum()) / 60
