"""Runs the jobs of a batch in this process, one after the other."""

from __future__ import annotations

from collections.abc import Callable

from sunbreak.events import Reporter
from sunbreak.jobs.execute import prepare, run
from sunbreak.jobs.result import Result
from sunbreak.jobs.runtimes import Runtimes
from sunbreak.jobs.spec import JobSpec

Executor = Callable[[JobSpec, Reporter], Result]
"""Runs one job: writes its layers into its folder, or raises. It is given a `JobSpec` only."""


class LocalExecutor:
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
