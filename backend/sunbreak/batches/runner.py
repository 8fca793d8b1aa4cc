"""One job over many scenes, each in its own folder; a failed one does not stop the others.

A marker in each scene's folder says what was done, so that a batch can be resumed; ``summary.csv`` lists all scenes.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sunbreak import unfinished
from sunbreak.batches.executor import Executor
from sunbreak.batches.manifest import SUMMARY
from sunbreak.batches.markers import layers_of, read_marker
from sunbreak.batches.outcome import BatchResult, Outcome
from sunbreak.batches.scene_job import SceneJob
from sunbreak.batches.specs import parameters_of
from sunbreak.drafts import read_stored, write_text
from sunbreak.errors import Cancelled, OutputError
from sunbreak.events import Reporter
from sunbreak.jobs.spec import JobSpec
from sunbreak.jobs.travel import inputs_of
from sunbreak.layers.lock import OutputLock
from sunbreak.outputs import FULL_DISK, check_folder, refuse_existing, refuse_folders
from sunbreak.tables import CsvTable

_SUMMARY_START = b"name,status,seconds,"


def run_batch(
    specs: Sequence[JobSpec],
    directory: Path,
    executor: Executor,
    reporter: Reporter,
    *,
    overwrite: bool = False,
    resume: bool = False,
    only: Collection[str] | None = None,
) -> BatchResult:
    """Run the jobs of a batch, each into ``directory/<name of the scene>``.

    Args:
        specs: The jobs, with the same task, options and models; see `sunbreak.batches.specs.specs_of`.
        directory: Target folder; created if missing.
        executor: Does the jobs.
        reporter: Receives all events; cancels the batch.
        overwrite: Replace existing layers.
        resume: Skip scenes that were finished with the same task, parameters and files; process the others.
        only: Names of the scenes to process; all if not given. The others stand in the summary if they are done.

    Raises:
        Cancelled: The caller asked to stop. What is finished stays, and so does its summary.
        OutputError: The folder or the summary cannot be written, or another batch works there.
    """
    start = time.monotonic()
    directory = Path(directory).absolute()
    check_folder(directory)
    with _working_in(directory):
        _check_summary(directory / SUMMARY, overwrite)
        batch = _Batch(directory, tuple(specs), executor, reporter, overwrite or resume)
        try:
            if only is not None:
                batch.leave_out(only)
            if resume:
                batch.skip_finished()
            batch.run()
        except Exception as error:
            if isinstance(error, Cancelled) or reporter.cancellation.requested:
                done = sum(outcome.status != "failed" for outcome in batch.outcomes.values())
                known = len(batch.wanted | set(batch.outcomes))
                raise Cancelled(
                    f"Cancelled: {done} of {known} scenes are done.",
                    "Run the same command with --resume to process the others.",
                ) from error
            raise
        result = BatchResult(batch.ordered(), batch.write_summary())
    numbers: dict[str, float | str] = {status: len(result.having(status)) for status in ("done", "failed", "skipped")}
    reporter.result({}, {**numbers, "seconds": time.monotonic() - start, "summary": str(result.summary)})
    return result


class _Batch:
    """The state of one batch."""

    def __init__(
        self,
        directory: Path,
        specs: tuple[JobSpec, ...],
        executor: Executor,
        reporter: Reporter,
        overwrite: bool,
    ) -> None:
        self.directory, self.executor, self.reporter, self.overwrite = directory, executor, reporter, overwrite
        self.specs = {spec.output.name: spec for spec in specs}
        task, parameters = (specs[0].task, parameters_of(specs[0])) if specs else ("", {})
        text = json.dumps(parameters, sort_keys=True)
        self.what = {
            "task": task,
            "parameters": parameters,
            "parameters_sha256": hashlib.sha256(text.encode()).hexdigest(),
        }
        self.outcomes: dict[str, Outcome] = {}
        self.wanted = set(self.specs)
        self._warned = False

    def ordered(self) -> tuple[Outcome, ...]:
        return tuple(self.outcomes[name] for name in self.specs if name in self.outcomes)

    def leave_out(self, only: Collection[str]) -> None:
        """Process these scenes only. The others are skipped without a word, and listed if an earlier batch did them."""
        self.wanted &= set(only)
        for name in set(self.specs) - self.wanted:
            marker = self._finished(name)
            if marker is not None:
                self.outcomes[name] = Outcome(name, "skipped", marker["seconds"], marker["numbers"])

    def skip_finished(self) -> None:
        """Mark what an earlier batch finished as skipped."""
        wanted = [name for name in self.specs if name in self.wanted]
        skipped = 0
        for name in wanted:
            self.reporter.checkpoint()
            marker = self._finished(name)
            if marker is None:
                continue
            for role, path in layers_of(marker, self.directory / name).items():
                self.reporter.layer(role, path)
            self.outcomes[name] = Outcome(name, "skipped", marker["seconds"], marker["numbers"])
            skipped += 1
        self.reporter.message(f"{skipped} of {len(wanted)} scenes are done already, {len(wanted) - skipped} are left.")
        if self.outcomes:
            self._update_summary()

    def run(self) -> None:
        """Process the scenes that are not finished."""
        left = [name for name in self.specs if name in self.wanted and name not in self.outcomes]
        jobs = [SceneJob(self.specs[name], self.what, self.overwrite) for name in left]
        with contextlib.closing(self.executor.outcomes(jobs, self.reporter)) as outcomes:
            for outcome in outcomes:
                self.outcomes[outcome.name] = outcome
                self._update_summary()
        self.reporter.progress(len(left), len(left), "scenes")

    def write_summary(self) -> Path:
        """Write the table of the outcomes so far.

        Raises:
            OutputError: It cannot be replaced.
        """
        path = self.directory / SUMMARY
        try:
            write_text(path, _table(self.ordered()), sync=True)
        except OSError as error:
            full = error.errno in FULL_DISK
            hint = "Free some space; --resume then continues." if full else "Close it in other programs."
            raise OutputError(
                f"{path} cannot be written: {error.strerror}.", hint, code="disk-full" if full else "bad-output"
            ) from error
        return path

    def _update_summary(self) -> None:
        """Update the summary after a scene. A spreadsheet that has it open must stop the batch only at its end."""
        try:
            self.write_summary()
        except OutputError as error:
            if not self._warned:
                self.reporter.message(str(error), "warning")
            self._warned = True

    def _finished(self, name: str) -> dict[str, Any] | None:
        """The marker of a scene that an earlier batch finished in the same way."""
        folder = self.directory / name
        marker = read_marker(folder)
        return marker if marker is not None and self._fits(marker, self.specs[name], folder) else None

    def _fits(self, marker: Mapping[str, Any], spec: JobSpec, folder: Path) -> bool:
        same = all(marker[key] == self.what[key] for key in ("task", "parameters_sha256"))
        layers = layers_of(marker, folder)
        try:
            return same and marker["inputs"] == inputs_of(spec) and all(path.is_file() for path in layers.values())
        except OSError:  # an unreadable file; processing the scene again reports the error
            return False


@contextlib.contextmanager
def _working_in(directory: Path) -> Iterator[None]:
    """The target folder, made and locked; removed at the end if it is empty."""
    lock = OutputLock(directory / ".sunbreak-batch.lock")
    made = []
    try:
        for path in reversed([directory, *directory.parents]):
            if not path.exists():
                path.mkdir(exist_ok=True)
                made.append(path)
                unfinished.add(path, keep_content=True)
        lock.acquire()
    except OSError as error:
        for path in reversed(made):
            with contextlib.suppress(OSError):
                path.rmdir()
        raise OutputError(
            f"Nothing can be written to the folder {directory}: {error.strerror}.", "Choose another folder."
        ) from error
    try:
        yield
    finally:
        lock.release()
        for path in reversed(made):
            with contextlib.suppress(OSError):
                path.rmdir()
            unfinished.drop(path)


def _check_summary(path: Path, overwrite: bool) -> None:
    """Refuse to replace a file that no batch wrote.

    Raises:
        OutputError: Such a file has the name of the summary.
    """
    refuse_folders([path])
    if overwrite or not os.path.lexists(path):
        return
    with contextlib.suppress(OSError):
        if read_stored(path).startswith(_SUMMARY_START):
            return
    refuse_existing([path])


def _table(outcomes: Sequence[Outcome]) -> str:
    columns = dict.fromkeys(key for outcome in outcomes for key in outcome.numbers)
    columns.pop("seconds", None)  # of the job alone; the scene has its own column
    file = io.StringIO(newline="")
    table = CsvTable(file, lineterminator="\n")
    table.row(["name", "status", "seconds", *columns, "code", "reason"])
    for outcome in outcomes:
        numbers = (outcome.numbers.get(key, "") for key in columns)
        table.row([outcome.name, outcome.status, f"{outcome.seconds:.2f}", *numbers, outcome.code, outcome.reason])
    return file.getvalue()
