"""The job of one scene of a batch: it writes the layers, then the marker that says that the scene is done."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sunbreak import __version__
from sunbreak.batches.manifest import MARKER
from sunbreak.batches.markers import layers_of, read_marker
from sunbreak.batches.outcome import Outcome, reason_of
from sunbreak.drafts import write_text
from sunbreak.errors import Cancelled
from sunbreak.events import Reporter
from sunbreak.jobs.result import Result
from sunbreak.jobs.spec import JobSpec
from sunbreak.jobs.travel import inputs_of

Work = Callable[[JobSpec, Reporter], Result]
"""Runs one job: writes its layers into its folder, or raises. It is given a `JobSpec` only."""


@dataclass(frozen=True)
class SceneJob:
    """The job of one scene.

    Attributes:
        spec: What is done; its output is the folder of the scene.
        what: Task and parameters, as the marker says them: `task`, `parameters`, `parameters_sha256`.
        overwrite: Replace existing layers.
        inputs: What the marker says of the files that are read; found when the job starts if it is not given.
    """

    spec: JobSpec
    what: Mapping[str, Any]
    overwrite: bool = False
    inputs: list[list[object]] | None = None

    @property
    def name(self) -> str:
        """The scene's name."""
        return self.spec.output.name


def carry_out(job: SceneJob, work: Work, reporter: Reporter) -> Outcome:
    """Do the job of a scene. An exception fails the scene and nothing else.

    Args:
        job: The job.
        work: Runs it.
        reporter: Receives the events of this scene; cancels.

    Raises:
        Cancelled: The caller asked to stop.
    """
    start = time.monotonic()
    spec, folder = job.spec, job.spec.output
    before = read_marker(folder)
    try:
        if job.overwrite:
            # the marker is out of date from now on
            (folder / MARKER).unlink(missing_ok=True)
        inputs = job.inputs if job.inputs is not None else inputs_of(spec)
        result = work(replace(spec, overwrite=job.overwrite), reporter)
    except Exception as error:
        if isinstance(error, Cancelled) or reporter.cancellation.requested:
            raise
        code, reason = reason_of(error)
        reporter.message(f"failed: {reason}", "warning")
        return Outcome(job.name, "failed", time.monotonic() - start, code=code, reason=reason)
    seconds = time.monotonic() - start
    _mark(job, inputs, result, seconds, reporter)
    if before is not None and before["task"] == job.what["task"]:
        old = set(layers_of(before, folder).values()) - set(result.layers.values())
        for path in sorted(path for path in old if path.exists()):
            reporter.message(f"{path.name} is left from an earlier run with other settings.", "warning")
    reporter.message(f"done in {seconds:.1f} s.")
    return Outcome(job.name, "done", seconds, result.numbers)


def _mark(job: SceneJob, inputs: list[list[object]], result: Result, seconds: float, reporter: Reporter) -> None:
    folder = job.spec.output
    marker = {
        "sunbreak": __version__,
        **job.what,
        "inputs": inputs,
        "layers": {role: Path(os.path.relpath(path, folder)).as_posix() for role, path in result.layers.items()},
        "numbers": result.numbers,
        "seconds": round(seconds, 3),
    }
    try:
        write_text(folder / MARKER, json.dumps(marker, indent=2) + "\n", sync=True)
    except OSError as error:
        reporter.message(f"{folder / MARKER} cannot be written, --resume will repeat it: {error}.", "warning")
