"""One job over many scenes, one after the other: each in a folder of its own, a failing one does not stop the others.

What is done is remembered by a marker in each scene's folder, so that a batch can be resumed, and told in
``summary.csv``.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sunbreak import __version__
from sunbreak.batch.manifest import MARKER, SUMMARY, BatchScene
from sunbreak.drafts import write_text
from sunbreak.errors import Cancelled, OutputError, SunbreakError
from sunbreak.events import Level, Reporter
from sunbreak.layers.lock import OutputLock
from sunbreak.sources.fingerprint import fingerprint

if TYPE_CHECKING:
    from sunbreak.jobs.result import JobResult

Job = Callable[[BatchScene, Path, Reporter], "JobResult"]
"""Works on one scene and writes its layers into a folder; replaces existing ones only if the scene says so."""

Status = Literal["done", "failed", "skipped"]
Numbers = Mapping[str, "float | str"]


@dataclass(frozen=True)
class Outcome:
    """How one scene ended.

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
    """The outcomes in the order of the scenes, and where they were written down."""

    outcomes: tuple[Outcome, ...]
    summary: Path

    def having(self, status: Status) -> list[Outcome]:
        """The scenes that ended like this."""
        return [outcome for outcome in self.outcomes if outcome.status == status]


def run_batch(
    scenes: Sequence[BatchScene],
    directory: Path,
    job: Job,
    reporter: Reporter,
    *,
    task: str,
    parameters: Mapping[str, object],
    overwrite: bool = False,
    resume: bool = False,
) -> BatchResult:
    """Run `job` on every scene, each into ``directory/<name>``.

    Args:
        scenes: What to work on; their names are unique.
        directory: Target folder; made when missing.
        job: What to do. Any exception that it raises is the end of its scene only.
        reporter: Told about everything; cancels the batch.
        task: Name of the job.
        parameters: Everything that decides what comes out; JSON types. Other parameters make a finished scene an
            unfinished one.
        overwrite: Replace existing layers.
        resume: Skip scenes that were finished with the same task, parameters and files; do the others anew.

    Raises:
        Cancelled: The caller asked to stop. What is finished stays, and so does its summary.
        OutputError: The folder or the summary cannot be written, or another batch works there.
    """
    start = time.monotonic()
    directory = Path(directory).absolute()
    with _working_in(directory):
        batch = _Batch(directory, tuple(scenes), job, reporter, task, dict(parameters), overwrite or resume)
        try:
            if resume:
                batch.skip_finished()
            batch.run()
        except Exception as error:
            if isinstance(error, Cancelled) or reporter.cancellation.requested:
                done = sum(outcome.status != "failed" for outcome in batch.outcomes.values())
                raise Cancelled(
                    f"Cancelled: {done} of {len(scenes)} scenes are done.",
                    "The same command with --resume goes on.",
                ) from error
            raise
        result = BatchResult(batch.ordered(), batch.write_summary())
    numbers: dict[str, float | str] = {status: len(result.having(status)) for status in ("done", "failed", "skipped")}
    reporter.result({}, {**numbers, "seconds": time.monotonic() - start, "summary": str(result.summary)})
    return result


class SceneReporter(Reporter):
    """What one scene of a batch tells: messages under its name, its progress as a part of the whole batch's.

    A job goes through phases whose number nobody knows. Each takes half of what is left, so the bar never goes back and
    never stands still.

    Args:
        parent: The batch's reporter.
        name: The scene.
        before: Scenes that came before it.
        total: Scenes of the batch.
    """

    def __init__(self, parent: Reporter, name: str, before: int, total: int) -> None:
        super().__init__(parent.cancellation)
        self._parent, self._name, self._before, self._total = parent, name, before, total
        self._unit, self._done, self._left = "", 0.0, 2.0

    def message(self, text: str, level: Level = "info") -> None:
        """See `Reporter`."""
        self._parent.message(f"{self._name}: {text}", level)

    def progress(self, done: float, total: float, unit: str = "tiles") -> None:
        """See `Reporter`."""
        if unit != self._unit or done < self._done:
            self._left /= 2
        self._unit, self._done = unit, done
        share = 1 - self._left * (1 - 0.5 * min(done / total, 1.0) if total > 0 else 1)
        self._parent.progress(round(self._before + share, 3), self._total, "scenes")

    def layer(self, role: str, path: Path) -> None:
        """See `Reporter`."""
        self._parent.layer(role, path)


class _Batch:
    """The state of one batch."""

    def __init__(
        self,
        directory: Path,
        scenes: tuple[BatchScene, ...],
        job: Job,
        reporter: Reporter,
        task: str,
        parameters: dict[str, object],
        overwrite: bool,
    ) -> None:
        self.directory, self.scenes, self.job, self.reporter, self.overwrite = (
            directory, scenes, job, reporter, overwrite,
        )  # fmt: skip
        text = json.dumps(parameters, sort_keys=True)
        self.what = {
            "task": task,
            "parameters": parameters,
            "parameters_sha256": hashlib.sha256(text.encode()).hexdigest(),
        }
        self.outcomes: dict[str, Outcome] = {}
        self._told = False

    def ordered(self) -> tuple[Outcome, ...]:
        return tuple(self.outcomes[scene.name] for scene in self.scenes if scene.name in self.outcomes)

    def skip_finished(self) -> None:
        """Take over what an earlier batch finished."""
        for scene in self.scenes:
            self.reporter.checkpoint()
            folder = self.directory / scene.name
            marker = _read_marker(folder)
            if marker is None or not self._fits(marker, scene, folder):
                continue
            for role, path in _layers(marker, folder).items():
                self.reporter.layer(role, path)
            self.outcomes[scene.name] = Outcome(scene.name, "skipped", marker["seconds"], marker["numbers"])
        left = len(self.scenes) - len(self.outcomes)
        self.reporter.message(f"{len(self.outcomes)} of {len(self.scenes)} scenes are done already, {left} are left.")
        if self.outcomes:
            self._note_down()

    def run(self) -> None:
        """Work on what is not done yet."""
        left = [scene for scene in self.scenes if scene.name not in self.outcomes]
        for index, scene in enumerate(left):
            self.reporter.checkpoint()
            self.reporter.progress(index, len(left), "scenes")
            self.outcomes[scene.name] = self._one(scene, SceneReporter(self.reporter, scene.name, index, len(left)))
            self._note_down()
        self.reporter.progress(len(left), len(left), "scenes")

    def write_summary(self) -> Path:
        """Write the table of what has ended so far.

        Raises:
            OutputError: It cannot be replaced.
        """
        path = self.directory / SUMMARY
        try:
            write_text(path, _table(self.ordered()), sync=True)
        except OSError as error:
            raise OutputError(
                f"{path} cannot be written: {error.strerror}.", "Close it in other programs.", code="bad-output"
            ) from error
        return path

    def _note_down(self) -> None:
        """The summary after a scene. A spreadsheet that holds it open must not stop the batch, only its end."""
        try:
            self.write_summary()
        except OutputError as error:
            if not self._told:
                self.reporter.message(str(error), "warning")
            self._told = True

    def _one(self, scene: BatchScene, reporter: SceneReporter) -> Outcome:
        start = time.monotonic()
        folder = self.directory / scene.name
        before = _read_marker(folder)
        try:
            if self.overwrite:
                # from now on, what it says may be wrong
                (folder / MARKER).unlink(missing_ok=True)
            inputs = _inputs(scene)
            result = self.job(replace(scene, overwrite=self.overwrite), folder, reporter)
        except Exception as error:
            if isinstance(error, Cancelled) or reporter.cancellation.requested:
                raise
            code, reason = _reason(error)
            reporter.message(f"failed: {reason}", "warning")
            return Outcome(scene.name, "failed", time.monotonic() - start, code=code, reason=reason)
        seconds = time.monotonic() - start
        self._mark(folder, inputs, result, seconds, reporter)
        if before is not None and before["task"] == self.what["task"]:
            old = set(_layers(before, folder).values()) - set(result.layers.values())
            for path in sorted(path for path in old if path.exists()):
                reporter.message(f"{path.name} is left from an earlier run with other settings.", "warning")
        reporter.message(f"done in {seconds:.1f} s.")
        return Outcome(scene.name, "done", seconds, result.numbers)

    def _mark(
        self, folder: Path, inputs: list[list[object]], result: JobResult, seconds: float, reporter: Reporter
    ) -> None:
        marker = {
            "sunbreak": __version__,
            **self.what,
            "inputs": inputs,
            "layers": {role: Path(os.path.relpath(path, folder)).as_posix() for role, path in result.layers.items()},
            "numbers": result.numbers,
            "seconds": round(seconds, 3),
        }
        try:
            write_text(folder / MARKER, json.dumps(marker, indent=2) + "\n", sync=True)
        except OSError as error:
            reporter.message(f"{folder / MARKER} cannot be written, --resume will repeat it: {error}.", "warning")

    def _fits(self, marker: Mapping[str, Any], scene: BatchScene, folder: Path) -> bool:
        same = all(marker[key] == self.what[key] for key in ("task", "parameters_sha256"))
        layers = _layers(marker, folder)
        try:
            return same and marker["inputs"] == _inputs(scene) and all(path.is_file() for path in layers.values())
        except OSError:  # a file that cannot be looked at; doing the scene again says why
            return False


@contextlib.contextmanager
def _working_in(directory: Path) -> Iterator[None]:
    """The target folder, made and locked; gone again if nothing came to stand in it."""
    lock = OutputLock(directory / ".sunbreak-batch.lock")
    made = []
    try:
        for path in reversed([directory, *directory.parents]):
            if not path.exists():
                path.mkdir(exist_ok=True)
                made.append(path)
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


def _inputs(scene: BatchScene) -> list[list[object]]:
    """Path, size and time of every file that a scene is read from, folders opened up."""
    found: list[list[object]] = []
    for given in scene.paths:
        # GDAL and QGIS leave .aux.xml files when somebody only looks at a raster
        inside = sorted(given.rglob("*")) if given.is_dir() else [given]
        files = (path for path in inside if path.is_file() and not path.name.endswith(".aux.xml"))
        found += [[str(path), *fingerprint(path)] for path in files]
    return found


def _read_marker(folder: Path) -> dict[str, Any] | None:
    """What an earlier batch left, or None if there is none or it is broken."""
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        seconds, numbers = float(marker["seconds"]), dict(marker["numbers"])
        text = {key: str(marker[key]) for key in ("task", "parameters_sha256")}
        layers = {str(role): str(name) for role, name in marker["layers"].items()}
        return {**text, "inputs": marker["inputs"], "layers": layers, "numbers": numbers, "seconds": seconds}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _layers(marker: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    return {role: folder / name for role, name in marker["layers"].items()}


def _reason(error: Exception) -> tuple[str, str]:
    """Code and one line."""
    if isinstance(error, SunbreakError):
        return error.code, " ".join(str(error).split())
    if isinstance(error, MemoryError):
        return "out-of-memory", "The memory does not suffice."
    text = str(error).strip().splitlines()
    return "internal", f"{type(error).__name__}: {text[0] if text else 'no message'}"


def _table(outcomes: Sequence[Outcome]) -> str:
    columns = dict.fromkeys(key for outcome in outcomes for key in outcome.numbers)
    columns.pop("seconds", None)  # of the job alone; the scene's own stands before
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["name", "status", "seconds", *columns, "code", "reason"])
    for outcome in outcomes:
        numbers = (outcome.numbers.get(key, "") for key in columns)
        writer.writerow(
            [outcome.name, outcome.status, f"{outcome.seconds:.2f}", *numbers, outcome.code, outcome.reason]
        )
    return file.getvalue()
