"""Who does the jobs of a batch: here, one after the other, in this process."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Protocol

from sunbreak.batches.outcome import Outcome
from sunbreak.batches.scene_job import SceneJob, Work, carry_out
from sunbreak.batches.scene_reporter import SceneReporter
from sunbreak.events import Reporter
from sunbreak.jobs.execute import prepare, run
from sunbreak.jobs.result import Result
from sunbreak.jobs.runtimes import Runtimes
from sunbreak.jobs.spec import JobSpec


class Executor(Protocol):
    """Does the jobs of a batch."""

    def outcomes(self, jobs: Sequence[SceneJob], reporter: Reporter) -> Generator[Outcome, None, None]:
        """Do the jobs; gives their outcomes as they come, in any order.

        Args:
            jobs: The jobs; their names are unique.
            reporter: Receives all events; cancels the batch.

        Raises:
            Cancelled: The caller asked to stop.
        """
        ...


class OneByOne:
    """Does the jobs in this process, in their order.

    Args:
        work: Runs one job.
    """

    def __init__(self, work: Work) -> None:
        self._work = work

    def outcomes(self, jobs: Sequence[SceneJob], reporter: Reporter) -> Generator[Outcome, None, None]:
        """See `Executor`."""
        for index, job in enumerate(jobs):
            reporter.checkpoint()
            reporter.progress(index, len(jobs), "scenes")
            yield carry_out(job, self._work, SceneReporter(reporter, job.name, index, len(jobs)))


class KeptNetworks:
    """Runs jobs in this process and keeps their networks loaded between jobs.

    Args:
        spec: One of the jobs; the others use the same networks. They are loaded now.

    Raises:
        SunbreakError: A network cannot be loaded.
    """

    def __init__(self, spec: JobSpec) -> None:
        self._runtimes = Runtimes()
        prepare(spec, self._runtimes)

    def __call__(self, spec: JobSpec, reporter: Reporter) -> Result:
        """Run one job."""
        return run(spec, reporter, runtimes=self._runtimes)


class LocalExecutor(OneByOne):
    """Does the jobs in this process, in their order, with networks that stay loaded.

    Args:
        spec: One of the jobs; the others use the same networks. They are loaded now.

    Raises:
        SunbreakError: A network cannot be loaded.
    """

    def __init__(self, spec: JobSpec) -> None:
        super().__init__(KeptNetworks(spec))
