"""What a worker of a cluster does for a batch: the job of one scene, in the worker's own process.

The worker keeps its networks loaded for the next scene. A file in the batch's folder says that a scene was begun: a
second worker that gets the scene, because the first one ended, goes on where that one stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sunbreak.batches.markers import inputs_of
from sunbreak.batches.outcome import Outcome
from sunbreak.batches.scene_job import SceneJob, carry_out
from sunbreak.cluster.calls import Busy, Call, WorkerDiffers
from sunbreak.errors import InputError, ModelError, OutputError
from sunbreak.events import Reporter
from sunbreak.jobs.execute import run
from sunbreak.jobs.result import Result
from sunbreak.jobs.runtimes import Runtimes
from sunbreak.jobs.spec import JobSpec

_LOCKED = "output-locked"
_NOT_RESUMABLE = ("other-run", "damaged-run")
_runtimes = Runtimes()


def scene_call(job: SceneJob, begun: Path, *, resume: bool) -> Call:
    """The call that does the job of a scene.

    Args:
        job: The job, with `inputs`.
        begun: Folder of the batch where the scenes that were begun are noted; every worker must see it.
        resume: Whether to go on with what an earlier batch left of the scene.
    """
    arguments = {
        "spec": absolute(job.spec).to_json(), "what": job.what, "overwrite": job.overwrite, "inputs": job.inputs,
        "begun": str(begun), "resume": resume,
    }  # fmt: skip
    return Call(job.name, f"{__name__}:do_scene", arguments)


def do_scene(arguments: Mapping[str, Any], reporter: Reporter) -> dict[str, Any]:
    """Do the job of a scene; gives its `Outcome` as plain values.

    Raises:
        WorkerDiffers: This machine does not see the files or the folder as the client does, or lacks a model.
        Busy: Another process holds the output.
        Cancelled: The client does not want it any more.
    """
    spec = JobSpec.from_json(arguments["spec"])
    begun = Path(arguments["begun"])
    check_models(spec)
    check_files(spec, arguments["inputs"], begun)
    job = SceneJob(spec, arguments["what"], arguments["overwrite"], arguments["inputs"])
    times = times_begun(begun, job.name)
    again = times > 0
    (begun / f"{job.name}.{times + 1}").mkdir()
    outcome = carry_out(job, _Work(again, again or arguments["resume"]), reporter)
    if outcome.code == _LOCKED and again:
        raise Busy(outcome.code, outcome.reason)
    return asdict(outcome)


def times_begun(begun: Path, name: str) -> int:
    """How often workers have begun a scene."""
    times = 0
    while (begun / f"{name}.{times + 1}").exists():
        times += 1
    return times


def outcome_of(plain: Mapping[str, Any]) -> Outcome:
    """The inverse of what `do_scene` returns."""
    return Outcome(**plain)


class _Work:
    """Runs a job that may have been begun by a worker that is gone.

    Args:
        again: A worker of this batch has begun it.
        resume: Whether to go on with what is there.
    """

    def __init__(self, again: bool, resume: bool) -> None:
        self._again, self._resume = again, resume

    def __call__(self, spec: JobSpec, reporter: Reporter) -> Result:
        overwrite = spec.overwrite or self._again
        if self._resume:
            try:
                result = run(replace(spec, overwrite=overwrite, resume=True), reporter, runtimes=_runtimes)
            except OutputError as error:
                if error.code not in _NOT_RESUMABLE:
                    raise
            else:
                if set(result.numbers) != {"seconds"}:
                    return result
                # all layers are there, but their figures went with the worker that wrote them
        return run(replace(spec, overwrite=overwrite), reporter, runtimes=_runtimes)


def absolute(spec: JobSpec) -> JobSpec:
    """The job with absolute paths: a worker has another working folder."""
    inputs = spec.inputs
    several = ("s2", "s1", "references", "reference_s1", "found_references", "found_s1")
    single = ("mask", "reconstructed", "polygons")
    paths: dict[str, Any] = {name: tuple(path.absolute() for path in getattr(inputs, name)) for name in several}
    paths |= {name: None if (path := getattr(inputs, name)) is None else path.absolute() for name in single}
    return replace(spec, inputs=replace(inputs, **paths), output=spec.output.absolute())


def check_models(spec: JobSpec) -> None:
    """Check that this machine has the models of a job.

    Raises:
        WorkerDiffers: It lacks one, or has another one of that name.
    """
    try:
        spec.find_models()
    except ModelError as error:
        raise WorkerDiffers(error.message.rstrip(".")) from error


def check_files(spec: JobSpec, inputs: list[list[object]], shared: Path) -> None:
    """Check that this machine sees the same files as the client.

    Args:
        spec: The job, with absolute paths.
        inputs: What the client sees, see `sunbreak.batches.markers.inputs_of`.
        shared: A folder that the client made.

    Raises:
        WorkerDiffers: It does not.
    """
    if not shared.is_dir():
        raise WorkerDiffers(f"it does not see the folder {shared.parent}")
    for path in spec.inputs.paths:
        if not path.exists():
            raise WorkerDiffers(f"it does not see {path}")
    try:
        found = inputs_of(spec)
    except (OSError, InputError) as error:
        raise WorkerDiffers(f"it cannot read the input files ({error})") from error
    if len(found) != len(inputs):
        raise WorkerDiffers(f"it sees {len(found)} input files of {spec.output.name}, not {len(inputs)}")
    for here, there in zip(found, inputs, strict=True):
        if list(here[1:]) != list(there[1:]):
            raise WorkerDiffers(f"its {here[0]} has another size or time")
