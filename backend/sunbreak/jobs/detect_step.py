"""The step that detects clouds and writes their probability and mask."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from sunbreak.clouds.choice import Choice
from sunbreak.clouds.class_counts import ClassCounts
from sunbreak.clouds.detection import CloudDetection, DetectorRuntime
from sunbreak.engine import run_task
from sunbreak.errors import InputError
from sunbreak.events import Reporter
from sunbreak.jobs.step_checkpoints import WORKERS, StepKeeper
from sunbreak.layers import roles
from sunbreak.layers.output import LayerSet
from sunbreak.layers.roles import LayerSpec
from sunbreak.scene import Scene

if TYPE_CHECKING:
    from sunbreak.jobs.sharing import Sharing

# shares of cloud and shadow below and above which the user is warned
_LITTLE, _MUCH = 0.01, 0.95

_Write = Callable[[str, int, NDArray[Any]], None]


class DetectStep:
    """Detects the clouds of a scene.

    Args:
        scene: The scene.
        choice: What detects them, see `sunbreak.clouds.choice`.
        written: The layers to write. The cleaning step writes the mask itself, with its margins.

    Raises:
        InputError: The scene lacks a band that the detector needs, or ``no-detector``.
    """

    weight, phases = 100.0, 1

    def __init__(
        self, scene: Scene, choice: Choice, written: Collection[str] = ("cloud_probability", "cloud_mask")
    ) -> None:
        if choice.detector is None:
            raise InputError(
                f"{scene.inputs[0]}: no clouds are detected: a mask is given, or the detector is none.",
                "Leave out --mask, and choose a detector.",
                code="no-detector",
            )
        self.scene, self.detector, self.written = scene, choice.detector, written
        self._warnings = choice.warnings
        self.task = CloudDetection(scene, choice.detector)

    @property
    def specs(self) -> list[LayerSpec]:
        """The layers."""
        return [spec for spec in (roles.cloud_probability(), roles.cloud_mask()) if spec.role in self.written]

    @property
    def parameters(self) -> dict[str, object]:
        """What the layers depend on beside the files."""
        return dict(self.detector.settings)

    def run(self, layers: LayerSet, reporter: Reporter, sharing: Sharing | None = None) -> None:
        """Write the layers.

        Args:
            layers: Where they go.
            reporter: Receives all events.
            sharing: The workers that share the work, if there are any.

        Raises:
            SunbreakError: Reading, computing or writing failed.
        """
        runtime = DetectorRuntime(self.detector)
        for text in self._warnings:
            reporter.message(text, "warning")
        reporter.message(f"Clouds: {runtime.label}.")
        write = _only(self.written, layers.write)
        if sharing is not None:
            keeper = StepKeeper(layers, "clouds", WORKERS, self.task)
            keeper.once(self.task.layout, lambda: sharing.detect(self.task, write, reporter))
        else:
            keeper = StepKeeper(layers, "clouds", runtime.label, self.task)
            run_task(self.task, self.scene, runtime, write, reporter, keeper)
        warn_of_share(self.task.counts, reporter)

    def numbers(self) -> dict[str, float | str]:
        """Figures of the run."""
        return {**self.task.counts.shares()}


def _only(written: Collection[str], write: _Write) -> _Write:
    def chosen(role: str, row: int, values: NDArray[Any]) -> None:
        if role in written:
            write(role, row, values)

    return chosen


def warn_of_share(counts: ClassCounts, reporter: Reporter) -> None:
    """Warn if so little or so much of the scene is cloud or shadow that the mask may be wrong."""
    if not counts.valid:
        return
    found = 1 - counts.clear / counts.valid
    if found < _LITTLE:
        reporter.message(
            f"Clouds and shadows cover {found:.1%} of the scene. If you see more, use another detector or a mask.",
            "warning",
        )
    elif found > _MUCH:
        reporter.message(
            f"Clouds and shadows cover {found:.1%} of the scene. If you see less, use another detector or a mask.",
            "warning",
        )
