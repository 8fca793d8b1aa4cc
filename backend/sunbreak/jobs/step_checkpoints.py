"""Connects a step of a job to the journal of its layers, so that a killed step resumes where it stopped."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sunbreak.engine import RunCount
from sunbreak.engine.checkpoints import Resumable, State
from sunbreak.layers.journal import Point
from sunbreak.layers.output import LayerSet
from sunbreak.tiling import Layout

WORKERS = "workers"
"""What runs the network of a step that other processes compute in parts."""


class StepKeeper:
    """Writes the checkpoints of one step of a job, see `sunbreak.engine.checkpoints.Keeper`.

    Args:
        layers: Where the step writes.
        step: Its name, unique in the job.
        runtime: What runs its network.
        task: What it counts.

    Raises:
        OutputError: The earlier run of this step cannot be continued.
    """

    def __init__(self, layers: LayerSet, step: str, runtime: str, task: Resumable) -> None:
        self._layers, self._step, self._runtime, self._task = layers, step, runtime, task
        self.strips = self.computed = 0
        self._state: State = {}
        past = layers.continuation.point(step, runtime)
        if past is not None:
            point, self._state = past
            self.strips, self.computed = point.strips, point.computed
            layout = getattr(task, "layout", None)
            if layout is not None and self.strips > sum(1 for _ in layout.strips()):
                raise layers.continuation.damaged_counts(ValueError(f"there are no {self.strips} strips"))

    def restore(self) -> None:
        """See `Keeper`.

        Raises:
            OutputError: The counts are not those of this task.
        """
        try:
            self._task.restore(self._state)
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise self._layers.continuation.damaged_counts(error) from error
        self._state = {}

    def due(self) -> bool:
        """See `Keeper`."""
        return self._layers.continuation.journal.due

    def once(self, layout: Layout, run: Callable[[], RunCount]) -> RunCount:
        """Run a step that other processes compute in parts, unless an earlier run finished it.

        Args:
            layout: Tiles of the scene.
            run: Runs it, and merges the sums of the parts into the task.
        """
        strips = sum(1 for _ in layout.strips())
        if self.strips == strips:
            self.restore()
            return RunCount(layout.count, self.computed)
        count = run()
        self.capture(strips, count.computed)()
        return count

    def capture(self, strips: int, computed: int) -> Callable[[], None]:
        """See `Keeper`."""
        point = Point(self._step, self._runtime, strips, computed, f"{self._step}-{strips}.npz")
        return partial(self._layers.keep, point, self._task.state())
