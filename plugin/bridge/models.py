"""The models that a backend can use, as `sunbreak models list --json` tells them; asked for without blocking QGIS."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.PyQt import sip
from qgis.PyQt.QtCore import QProcess

from .environment import backend_environment

# A question belongs to no dialog, because a process must not be deleted while it runs.
_asking: set[QProcess] = set()
_seen: dict[tuple[Path, str], tuple[Model, ...]] = {}


@dataclass(frozen=True)
class Model:
    """One model of a backend.

    Attributes:
        name: What the command line calls it.
        title: What a person reads.
        task: What it is for, such as ``cloud-removal``.
        classes: Names of the classes of a classifier, in its own order.
        default: Whether it is the one that is used for its task when none is named.
        own: Whether the user imported, trained or adapted it, so that it can be deleted.
        card: Its card as lines for people.
    """

    name: str
    title: str
    task: str
    classes: tuple[str, ...] = ()
    default: bool = False
    own: bool = False
    card: tuple[str, ...] = ()


def parse_models(text: bytes, task: str) -> tuple[Model, ...]:
    """The models for a task; empty if the text is no such list."""
    try:
        rows = json.loads(text.decode("utf-8", errors="replace"))
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
        )
        for row in rows
        if isinstance(row, dict) and row.get("name")
    )
    return tuple(model for model in models if not task or model.task in {task, ""})


def _names(value: Any) -> tuple[str, ...]:
    """A list of names; empty for anything else, so that an older backend only lacks them."""
    return tuple(name for name in value if isinstance(name, str)) if isinstance(value, list) else ()


def ask_for_models(python: Path, task: str, ready: Callable[[tuple[Model, ...]], None]) -> None:
    """Ask a backend for its models. What it said last is remembered, per backend and task.

    Args:
        python: Interpreter of the backend.
        task: Only models for this task; all for an empty one.
        ready: Called with the models, in the same thread: at once with what is remembered, and again when the backend
            has answered, if it could. The one who asked may be gone by then.
    """
    if (python, task) in _seen:
        ready(_seen[python, task])
    process = QProcess()
    process.setProcessEnvironment(backend_environment(python))

    def answered(code: int, *_: object) -> None:
        _asking.discard(process)
        if sip.isdeleted(process):  # QGIS is being closed
            return
        models = parse_models(bytes(process.readAllStandardOutput()), task) if code == 0 else ()
        if models:
            _seen[python, task] = models
            ready(models)

    process.finished.connect(answered)
    process.errorOccurred.connect(lambda _: _asking.discard(process))
    _asking.add(process)
    process.start(str(python), ["-I", "-u", "-m", "sunbreak", "models", "list", "--json"])
