"""What a worker of a cluster does for a batch: the job of one scene, in the worker's own process.

The worker keeps its networks loaded for the next scene. A file in the batch's folder says that a scene was begun: a
second worker that gets the scene, because the first one ended, goes on where that one stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sunbreak.batches.outcome import Outcome
from sunbreak.batches.scene_job import SceneJob, carry_out
from sunbreak.cluster.calls import Busy, Call
from sunbreak.errors import OutputError
from sunbreak.events import Reporter
from sunbreak.jobs.execute import run
from sunbreak.jobs.result import Result
from sunbreak.jobs.runtimes import process_runtimes
from sunbreak.jobs.spec import JobSpec
from sunbreak.jobs.travel import absolute, check_files, check_models

_LOCKED = "output-locked"
_NOT_RESUMABLE = ("other-run", "damaged-run")


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
                result = run(replace(spec, overwrite=overwrite, resume=True), reporter, runtimes=process_runtimes())
            except OutputError as error:
                if error.code not in _NOT_RESUMABLE:
                    raise
            else:
                if set(result.numbers) != {"seconds"}:
                    return result
                # all layers are there, but their figures went with the worker that wrote them
        return run(replace(spec, overwrite=overwrite), reporter, runtimes=process_runtimes())
