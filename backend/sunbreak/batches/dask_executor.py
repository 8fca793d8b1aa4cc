"""Does the jobs of a batch on the workers of a dask cluster: several scenes at the same time.

Descriptions of jobs travel, never arrays or weights. The workers write into the same folders as this process would.
"""

from __future__ import annotations

import contextlib
import shutil
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sunbreak import unfinished
from sunbreak.batches.on_worker import outcome_of, scene_call
from sunbreak.batches.outcome import Outcome, reason_of
from sunbreak.batches.scene_job import SceneJob
from sunbreak.batches.scene_reporter import Board
from sunbreak.cluster.calls import Call
from sunbreak.cluster.connection import Connection
from sunbreak.cluster.dispatch import Dispatcher
from sunbreak.errors import Cancelled, InputError, OutputError
from sunbreak.events import Reporter, Share
from sunbreak.jobs.travel import inputs_of
from sunbreak.layers.leftovers import remove_leftovers

Connect = Callable[[Reporter], Connection]


class DaskExecutor:
    """Does the jobs on the workers of a cluster.

    Args:
        connect: Makes the connection, given the reporter that is told about the workers.
        resume: Whether to go on with what an earlier batch left of a scene.
    """

    def __init__(self, connect: Connect, *, resume: bool = False) -> None:
        self._connect, self._resume = connect, resume

    def outcomes(self, jobs: Sequence[SceneJob], reporter: Reporter) -> Generator[Outcome, None, None]:
        """See `sunbreak.batches.executor.Executor`.

        Raises:
            InputError: There is no scheduler, or no worker can be used.
            OutputError: The folder cannot be written.
            RunError: The scheduler went away and did not come back.
        """
        ready: dict[str, SceneJob] = {}
        for job in jobs:
            try:
                ready[job.name] = replace(job, inputs=inputs_of(job.spec))
            except Exception as error:
                code, reason = reason_of(error)
                reporter.message(f"{job.name}: failed: {reason}", "warning")
                yield Outcome(job.name, "failed", 0.0, code=code, reason=reason)
        if not ready:
            return
        left = dict(ready)
        try:
            with _noted(next(iter(ready.values())).spec.output.parent) as begun, self._connect(reporter) as connection:
                try:
                    with contextlib.closing(self._run(ready, begun, connection, reporter, len(jobs))) as outcomes:
                        for outcome in outcomes:
                            left.pop(outcome.name, None)
                            yield outcome
                except (Cancelled, GeneratorExit):
                    # now: a cancelled command may be ended by force while the connection is closed
                    _tidy(left)
                    raise
        except (Cancelled, GeneratorExit):
            _tidy(left)  # again: workers elsewhere may have taken a moment longer
            raise

    def _run(
        self, jobs: Mapping[str, SceneJob], begun: Path, connection: Connection, reporter: Reporter, total: int
    ) -> Generator[Outcome, None, None]:
        scenes = _Scenes(reporter, total, total - len(jobs))
        dispatcher = Dispatcher(connection, reporter, scenes.hear, lambda call: not _is_unchanged(jobs[call.name]))
        calls = [scene_call(job, begun, resume=self._resume) for job in jobs.values()]
        with contextlib.closing(dispatcher.run(calls)) as answers:
            for call, answer in answers:
                if answer.state == "done":
                    outcome = outcome_of(answer.value)
                else:
                    outcome = Outcome(call.name, "failed", scenes.seconds(call), {}, answer.code, answer.reason)
                    reporter.message(f"{call.name}: failed: {answer.reason}", "warning")
                    # what workers that were ended by force could not remove
                    remove_leftovers(jobs[call.name].spec.output)
                scenes.over(call)
                yield outcome


class _Scenes:
    """Passes the events of scenes on as those of one batch."""

    def __init__(self, reporter: Reporter, total: int, over: int) -> None:
        self._reporter = reporter
        self._board = Board(reporter, total, over)
        self._shares: dict[str, Share] = {}
        self._begun: dict[str, float] = {}

    def hear(self, call: Call, event: Mapping[str, Any]) -> None:
        """An event of a scene."""
        self._begun.setdefault(call.name, time.monotonic())
        if event["event"] == "message":
            self._reporter.message(f"{call.name}: {event['text']}", event["level"])
        elif event["event"] == "layer":
            self._reporter.layer(event["role"], Path(event["path"]))
        elif event["event"] == "progress":
            share = self._shares.setdefault(call.name, Share())
            self._board.put(call.name, share.after(event["done"], event["total"], event["unit"]), event["unit"])

    def over(self, call: Call) -> None:
        """A scene is done or failed."""
        self._shares.pop(call.name, None)
        self._begun.pop(call.name, None)
        self._board.over(call.name)

    def seconds(self, call: Call) -> float:
        """Time since the scene was begun first."""
        return time.monotonic() - self._begun.get(call.name, time.monotonic())


@contextlib.contextmanager
def _noted(directory: Path) -> Iterator[Path]:
    """A folder of the batch in which workers note the scenes that they begin."""
    folder = directory / f".sunbreak-begun-{uuid.uuid4().hex[:12]}"
    try:
        folder.mkdir()
    except OSError as error:
        raise OutputError(
            f"Nothing can be written to the folder {directory}: {error.strerror}.", "Choose another folder."
        ) from error
    unfinished.add(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.drop(folder)


def _tidy(jobs: Mapping[str, SceneJob]) -> None:
    """Remove what workers that were ended left of these jobs."""
    for job in jobs.values():
        remove_leftovers(job.spec.output)


def _is_unchanged(job: SceneJob) -> bool:
    """Whether this process still sees the files of a scene as it did."""
    try:
        return inputs_of(job.spec) == job.inputs and all(path.exists() for path in job.spec.inputs.paths)
    except (OSError, InputError):
        return False
