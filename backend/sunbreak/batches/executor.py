"""What does the jobs of a batch: this process, one after the other."""

from __future__ import annotations

from collections.abc import Callable

from sunbreak.events import Reporter
from sunbreak.jobs.execute import prepare, run
from sunbreak.jobs.result import Result
from sunbreak.jobs.runtimes import Runtimes
from sunbreak.jobs.spec import JobSpec

Executor = Callable[[JobSpec, Reporter], Result]
"""Does one job: writes its layers into its folder, or raises. A `JobSpec` is all that it gets."""


class LocalExecutor:
    """Does jobs in this process and holds their networks from one job to the next.

    Args:
        spec: One of the jobs; the others use the same networks. They are loaded now.

    Raises:
        SunbreakError: A network cannot be loaded.
    """

    def __init__(self, spec: JobSpec) -> None:
        self._runtimes = Runtimes()
        prepare(spec, self._runtimes)

    def __call__(self, spec: JobSpec, reporter: Reporter) -> Result:
        """Do one job."""
        return run(spec, reporter, runtimes=self._runtimes)
