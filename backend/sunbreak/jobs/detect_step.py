"""The step that detects clouds and writes their probability and mask."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
from numpy.typing import NDArray

from sunbreak.clouds.detection import CloudDetection, DetectorRuntime
from sunbreak.clouds.detector import CloudDetector
from sunbreak.engine import run_task
from sunbreak.events import Reporter
from sunbreak.jobs.step_checkpoints import StepKeeper
from sunbreak.layers import roles
from sunbreak.layers.output import LayerSet
from sunbreak.layers.roles import LayerSpec
from sunbreak.scene import Scene

_Write = Callable[[str, int, NDArray[np.float32]], None]


class DetectStep:
    """Detects the clouds of a scene.

    Args:
        scene: The scene.
        detector: What detects them.
        written: The layers to write. The cleaning step writes the mask itself, with the buffer.

    Raises:
        InputError: The scene lacks a band that the detector needs.
    """

    weight, phases = 100.0, 1

    def __init__(
        self, scene: Scene, detector: CloudDetector, written: Collection[str] = ("cloud_probability", "cloud_mask")
    ) -> None:
        self.scene, self.detector, self.written = scene, detector, written
        self.task = CloudDetection(scene, detector)

    @property
    def specs(self) -> list[LayerSpec]:
        """The layers."""
        return [spec for spec in (roles.cloud_probability(), roles.cloud_mask()) if spec.role in self.written]

    @property
    def parameters(self) -> dict[str, object]:
        """What the layers depend on beside the files."""
        return dict(self.detector.settings)

    def run(self, layers: LayerSet, reporter: Reporter) -> None:
        """Write the layers.

        Raises:
            SunbreakError: Reading, computing or writing failed.
        """
        runtime = DetectorRuntime(self.detector)
        reporter.message(f"Clouds: {runtime.label}.")
        keeper = StepKeeper(layers, "clouds", runtime.label, self.task)
        run_task(self.task, self.scene, runtime, _only(self.written, layers.write), reporter, keeper)

    def numbers(self) -> dict[str, float | str]:
        """Figures of the run."""
        return {"cloud_share": self.task.cloudy / max(self.task.valid, 1)}


def _only(written: Collection[str], write: _Write) -> _Write:
    def chosen(role: str, row: int, values: NDArray[np.float32]) -> None:
        if role in written:
            write(role, row, values)

    return chosen
