"""The step that explains a classification with saliency maps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.engine import Runtime, run_task
from sunbreak.engine.cam_runtime import POOLED_BLOCK, CamRuntime
from sunbreak.engine.runtime import runs_compiled
from sunbreak.errors import InputError
from sunbreak.events import Reporter
from sunbreak.extras import is_installed, require
from sunbreak.jobs.options import ExplainOptions
from sunbreak.jobs.step_checkpoints import StepKeeper
from sunbreak.landcover.explanation import PREDICTED, Explanation, find_class
from sunbreak.landcover.sliding_window import CleanedRows
from sunbreak.layers import roles
from sunbreak.layers.output import LayerSet
from sunbreak.layers.roles import LayerSpec
from sunbreak.models.card_landcover import slug
from sunbreak.models.registry import ModelFiles
from sunbreak.scene import Scene


class ExplainStep:
    """Maps where in a scene, or in its cleaned version, the evidence for a class lies.

    Args:
        scene: What to explain.
        files: The classifier.
        options: How.
        cleaned: Explain this version of the scene.
        inside: (row, column) of the scene, the only place to explain.
        per_pixel: Give the map per pixel rather than on cells.
        runtime: Where the network runs, if not made from `files`; for this target, block, method and side of maps.

    Raises:
        SunbreakError: The model does not fit the scene, knows no such class or does not take the method, or the map
            needs gradients and torch is not installed.
    """

    weight, phases = 25.0, 1

    def __init__(
        self,
        scene: Scene,
        files: ModelFiles,
        options: ExplainOptions,
        *,
        cleaned: CleanedRows | None = None,
        inside: NDArray[np.bool_] | None = None,
        per_pixel: bool = False,
        runtime: Runtime | None = None,
    ) -> None:
        self.scene, self.files, self.options, self.runtime = scene, files, options.settled(files.card), runtime
        self.target = find_class(files.card, options.wanted)
        stride = options.stride
        self.task = Explanation(scene, files.card, stride, cleaned=cleaned, inside=inside, per_pixel=per_pixel)
        self.title = PREDICTED if self.target is None else files.card.classes[self.target].name
        self.role = f"saliency_{slug(self.title)}"
        self._gradients = is_installed("torch")
        if runtime is None and self.options.block != POOLED_BLOCK:
            require("torch", "torch", f"A saliency map at {self.options.block}")

    @property
    def bands_table(self) -> str | None:
        """Name of the table of the bands' contributions; None without torch: they need gradients."""
        return f"{self.role}_bands.csv" if self._gradients else None

    @property
    def specs(self) -> list[LayerSpec]:
        """The layer."""
        return [roles.saliency(slug(self.title), self.title, self.task.cell)]

    @property
    def parameters(self) -> dict[str, object]:
        """What the layer depends on beside the files."""
        options = self.options
        return {
            "explained_class": self.title,
            "method": options.method,
            "block": options.block,
            "saliency_stride": self.task.stride,
            "saliency_cell": self.task.cell,
        }

    @property
    def caption(self) -> str:
        """What the map shows, in a sentence."""
        return f"Where the evidence for '{self.title}' lies ({self.options.method}, {self.options.block})."

    def run(self, layers: LayerSet, reporter: Reporter) -> None:
        """Write the layer.

        Raises:
            SunbreakError: Reading, computing or writing failed.
        """
        task = self.task
        runtime = self.runtime or self._make_runtime()
        card = self.files.card
        reporter.message(f"Explaining {self.title} of {card.name} with {runtime.label}.")
        keeper = StepKeeper(layers, "explain", runtime.label, task)
        run_task(task, self.scene, runtime, layers.write, reporter, keeper)
        if not task.patches:
            raise InputError(
                f"{self.scene.source_name} holds no data at the place to explain.",
                "Choose another point or other polygons.",
                code="all-nodata",
            )
        if not self._gradients:
            reporter.message(
                "The contributions of the bands are left out: they need torch (pip install 'sunbreak[torch]')."
            )
        layers.write(self.role, 0, task.normalised()[None])
        layers.provenance["saliency_scale"] = f"{task.scale[0]:.9g} {task.scale[1]:.9g}"

    def _make_runtime(self) -> Runtime:
        side, options = self.task.side, self.options
        if options.block == POOLED_BLOCK and runs_compiled(options.device):
            gradients = self._with_gradients(side) if self._gradients else None
            return CamRuntime(self.files, side, target=self.target, gradients=gradients)
        return self._with_gradients(side)

    def _with_gradients(self, side: int) -> Runtime:
        from sunbreak.engine.runtime import choose_device
        from sunbreak.engine.saliency_runtime import SaliencyRuntime
        from sunbreak.models.architectures import load_classifier

        method: Any = self.options.method
        return SaliencyRuntime(
            load_classifier(self.files), choose_device(self.options.device), self.files.card.tile, side,
            target=self.target, block=self.options.block, method=method, source=self.files.weights,
        )  # fmt: skip

    def numbers(self) -> dict[str, float | str]:
        """Figures of the run."""
        numbers: dict[str, float | str] = {
            "explained_class": self.title,
            "saliency_maximum": self.task.scale[1],
        }
        if self._gradients:
            first = self.task.bands()[0]
            numbers |= {"strongest_band": first.band, "strongest_band_share": first.share}
        return numbers
