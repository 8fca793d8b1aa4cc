"""The models of a backend, read from `sunbreak models list --json` without blocking QGIS."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .asking import ask

LIMIT_MS = 120_000  # the first start of an interpreter from a slow disk

_seen: dict[tuple[Path, str], tuple[Model, ...]] = {}


@dataclass(frozen=True)
class Measurement:
    """Metrics measured on one data set.

    Attributes:
        data: Name of the data set.
        figures: Name to number, or to nested metrics.
    """

    data: str
    figures: dict[str, Any]

    def number(self, *names: str) -> float | None:
        """A nested metric; None if it was not measured."""
        value: Any = self.figures
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


@dataclass(frozen=True)
class Model:
    """One model of a backend.

    Attributes:
        name: What the command line calls it.
        title: Displayed name.
        task: What it is for, such as ``cloud-removal``.
        classes: Names of the classes of a classifier, in its own order.
        default: Whether it is the default model of its task.
        own: Whether the user imported, trained or adapted it, so that it can be deleted.
        card: Its card as readable lines.
        description: Training data and limitations.
        licence: Of its weights.
        measured: Measurements, the most important last.
        per_pixel: Whether a classifier gives a class to each pixel, not to patches.
    """

    name: str
    title: str
    task: str
    classes: tuple[str, ...] = ()
    default: bool = False
    own: bool = False
    card: tuple[str, ...] = ()
    description: str = ""
    licence: str = ""
    measured: tuple[Measurement, ...] = ()
    per_pixel: bool = False


def parse_models(text: str, task: str) -> tuple[Model, ...]:
    """The models for a task; empty if the text is no such list."""
    try:
        rows = json.loads(text)
    except ValueError:
        return ()
    if not isinstance(rows, list):
        return ()
    models = (
        Model(
            str(row["name"]),
            str(row.get("title") or row["name"]),
            str(row.get("task", "")),
            _names(row.get("classes")),
            row.get("default") is True,
            row.get("own") is True,
            _names(row.get("card")),
            str(row.get("description") or ""),
            str(row.get("licence") or ""),
            _measurements(row.get("measured")),
            row.get("per_pixel") is True,
        )
        for row in rows
        if isinstance(row, dict) and row.get("name")
    )
    return tuple(model for model in models if not task or model.task in {task, ""})


def _names(value: Any) -> tuple[str, ...]:
    """A list of names; empty for anything else, so that an older backend still works."""
    return tuple(name for name in value if isinstance(name, str)) if isinstance(value, list) else ()


def _measurements(value: Any) -> tuple[Measurement, ...]:
    groups = value if isinstance(value, list) else []
    return tuple(
        Measurement(str(group.get("data", "")), group["figures"])
        for group in groups
        if isinstance(group, dict) and isinstance(group.get("figures"), dict)
    )


def ask_for_models(python: Path, task: str, ready: Callable[[tuple[Model, ...]], None]) -> None:
    """Query the models of a backend. The last answer is cached per backend and task.

    Args:
        python: Interpreter of the backend.
        task: Only models for this task; all for an empty one.
        ready: Called with the models, in the same thread: at once with the cached answer, and again when the backend
            has answered. The caller may have been deleted by then.
    """
    if (python, task) in _seen:
        ready(_seen[python, task])

    def answered(code: int, text: str) -> None:
        models = parse_models(text, task) if code == 0 else ()
        if models:
            _seen[python, task] = models
            ready(models)

    ask(str(python), ["-I", "-u", "-m", "sunbreak", "models", "list", "--json"], answered, LIMIT_MS)
