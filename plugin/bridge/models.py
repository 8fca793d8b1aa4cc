"""The models that a backend can use, as `sunbreak models list --json` tells them; asked for without blocking QGIS."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from qgis.PyQt.QtCore import QObject, QProcess

from .environment import backend_environment
from .process import stop

_seen: dict[tuple[Path, str], tuple[Model, ...]] = {}


@dataclass(frozen=True)
class Model:
    """A model by its name, the title that a person reads, and the task it is for."""

    name: str
    title: str
    task: str


def parse_models(text: bytes, task: str) -> tuple[Model, ...]:
    """The models for a task; empty if the text is no such list."""
    try:
        rows = json.loads(text.decode("utf-8", errors="replace"))
    except ValueError:
        return ()
    if not isinstance(rows, list):
        return ()
    models = (
        Model(str(row["name"]), str(row.get("title") or row["name"]), str(row.get("task", "")))
        for row in rows
        if isinstance(row, dict) and row.get("name")
    )
    return tuple(model for model in models if model.task in {task, ""})


class ModelList(QObject):
    """Asks a backend for its models and calls back; what it said last is remembered per backend.

    Args:
        python: Interpreter of the backend.
        task: Only models for this task.
        ready: Called with the models: at once with what is remembered, and again when the backend has answered.
        parent: Owner; when it goes, so does the question.
    """

    def __init__(self, python: Path, task: str, ready: Callable[[tuple[Model, ...]], None], parent: QObject) -> None:
        super().__init__(parent)
        self._python = python
        self._task = task
        self._ready = ready
        self._process = QProcess(self)
        self._process.setProcessEnvironment(backend_environment())
        self._process.finished.connect(self._answered)
        if (python, task) in _seen:
            ready(_seen[python, task])
        self._process.start(str(python), ["-I", "-u", "-m", "sunbreak", "models", "list", "--json"])
        self._process.closeWriteChannel()

    def close(self) -> None:
        """Stop asking."""
        stop(self._process)

    def _answered(self, code: int, *_: object) -> None:
        models = parse_models(bytes(self._process.readAllStandardOutput()), self._task) if code == 0 else ()
        if models:
            _seen[self._python, self._task] = models
            self._ready(models)
