"""The step that explains a per-pixel classification with a saliency map."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.engine import run_task
from sunbreak.engine.saliency_runtime import PixelSaliencyRuntime
from sunbreak.errors import InputError
from sunbreak.events import Reporter
from sunbreak.extras import require
from sunbreak.jobs.options import BLOCK, ExplainOptions
from sunbreak.jobs.step_checkpoints import StepKeeper
from sunbreak.landcover.explanation import PREDICTED, find_class, normalised
from sunbreak.landcover.pixel_explanation import PixelExplanation
from sunbreak.landcover.sliding_window import CleanedRows
from sunbreak.layers import roles
from sunbreak.layers.output import LayerSet
from sunbreak.layers.roles import LayerSpec
from sunbreak.models.card_landcover import slug
from sunbreak.models.registry import ModelFiles
from sunbreak.models.saliency_methods import INTEGRATED
from sunbreak.scene import Scene

Summed = Literal["pixel", "polygons", "predicted area"]
"""The pixels over which the logits of a class are summed."""

_WORDS: dict[Summed, str] = {
    "pixel": "its logit at the point",
    "polygons": "its logits, summed over the polygons",
    "predicted area": "its logits, summed over the pixels where it is predicted",
}


class PixelExplainStep:
    """Maps where in a scene, or in its cleaned version, the evidence for the class of some pixels lies.

    Args:
        scene: What to explain; at a point, the part of it that the pixel's map depends on.
        files: The per-pixel classifier.
        options: How. A stride has no meaning here, and a block has none for integrated gradients.
        cleaned: Explain this version of the scene.
        inside: (row, column) of the scene: the pixels whose logits are summed. None takes those where the class is
            predicted.
        shown: At a point, the part of `scene` that the layer shows, pixel by pixel.

    Raises:
        SunbreakError: The model does not fit the scene or knows no such class, a stride is given, or torch is not
            installed.
    """

    weight = 25.0
    first_phase = 0.8
    """Of Grad-CAM: its first pass goes forward and backward through the network, its second up to one stage."""

    def __init__(
        self,
        scene: Scene,
        files: ModelFiles,
        options: ExplainOptions,
        *,
        cleaned: CleanedRows | None = None,
        inside: NDArray[np.bool_] | None = None,
        shown: Window | None = None,
    ) -> None:
        require("torch", "torch", f"Explaining the model {files.card.name}, which needs gradients,")
        from sunbreak.models.cam_segmentation import stride_of
        from sunbreak.models.input_attribution import CELL

        if options.stride is not None:
            raise InputError(
                f"The model {files.card.name} gives a class for each pixel; there are no patches and no stride.",
                "Leave --stride out, or choose a classifier of patches.",
                code="bad-option",
            )
        options = options.settled(files.card)
        self.scene, self.files, self.options, self.shown = scene, files, options, shown
        self.target = find_class(files.card, options.wanted)
        self.summed: Summed = "predicted area" if inside is None else "polygons" if shown is None else "pixel"
        cell = CELL if options.method == INTEGRATED else stride_of(options.block)
        self.task = PixelExplanation(
            scene, files.card, cell, options.method, cleaned=cleaned, inside=inside, everywhere=shown is not None
        )
        self.phases = 2 if options.method == "gradcam" else 1
        self.title = PREDICTED if self.target is None else files.card.classes[self.target].name
        self.role = f"saliency_{slug(self.title)}"
        self.scale = (0.0, 0.0)

    @property
    def cell(self) -> int:
        """Side in pixels of the layer's cells."""
        return self.task.cell if self.shown is None else 1

    @property
    def specs(self) -> list[LayerSpec]:
        """The layer."""
        return [roles.saliency(slug(self.title), self.title, self.cell)]

    @property
    def parameters(self) -> dict[str, object]:
        """What the layer depends on beside the files."""
        options = self.options
        return {
            "explained_class": self.title,
            "method": options.method,
            **({} if options.method == INTEGRATED else {"block": options.block}),
            "saliency_sum": self.summed,
            "saliency_cell": self.cell,
        }

    @property
    def caption(self) -> str:
        """What the map shows, in a sentence."""
        kind = "each pixel's predicted class" if self.target is None else f"'{self.title}'"
        how = self.options.method
        how = "integrated gradients" if how == INTEGRATED else f"{how}, {self.options.block}"
        words = _WORDS[self.summed] if self.target is not None else _WORDS[self.summed].split(" where ")[0]
        return f"Where the evidence for {kind} lies: {words} ({how})."

    def run(self, layers: LayerSet, reporter: Reporter) -> None:
        """Write the layer.

        Raises:
            InputError: The place that is explained holds no valid pixel (``all-nodata``).
            SunbreakError: Reading, computing or writing failed.
        """
        task, runtime = self.task, self._make_runtime()
        reporter.message(f"Explaining {self.title} of {self.files.card.name} with {runtime.label}: {self.summed}.")
        if self.options.method == INTEGRATED and self.options.block != BLOCK:
            reporter.message(
                f"Integrated gradients go through the whole network: --block {self.options.block} has no effect. "
                "Give --method gradcam or hirescam to map a block.",
                "warning",
            )
        if self.options.method == "gradcam":
            self._run("weights", runtime, layers, reporter)
            self._check(reporter)
            runtime.weigh(task.weigh())
            self._run("explain", runtime, layers, reporter)
        else:
            self._run("explain", runtime, layers, reporter)
            self._check(reporter)
        field = task.positive() if self.shown is None else task.in_pixels(self.shown)
        if np.isfinite(field).any():
            field, self.scale = normalised(field)
        layers.write(self.role, 0, field[None])
        layers.provenance["saliency_scale"] = f"{self.scale[0]:.9g} {self.scale[1]:.9g}"

    def _run(self, name: str, runtime: PixelSaliencyRuntime, layers: LayerSet, reporter: Reporter) -> None:
        self.task.unit = "tiles" if name == "explain" else "gradients"
        keeper = StepKeeper(layers, name, runtime.label, self.task)
        run_task(self.task, self.scene, runtime, layers.write, reporter, keeper)

    def _check(self, reporter: Reporter) -> None:
        """Refuse places without data; warn of a class that is nowhere."""
        if self.task.pixels:
            return
        if self.summed != "predicted area":
            place = "the point lies on a pixel" if self.summed == "pixel" else "the polygons cover only pixels"
            raise InputError(
                f"{self.scene.inputs[0]}: {place} without data.",
                "Give another place.",
                code="all-nodata",
            )
        reporter.message(
            f"{self.title} is predicted nowhere in the scene: its map is empty. Give a point or polygons to ask why.",
            "warning",
        )

    @property
    def bands_table(self) -> str:
        """Name of the table of the bands' contributions."""
        return f"{self.role}_bands.csv"

    def _make_runtime(self) -> PixelSaliencyRuntime:
        from sunbreak.engine.runtime import choose_device
        from sunbreak.models.architectures import load_segmentation

        method: Any = self.options.method
        return PixelSaliencyRuntime(
            load_segmentation(self.files), choose_device(self.options.device), self.files.card.tile,
            target=self.target, block=self.options.block, method=method,
            only_predicted=self.summed == "predicted area", source=self.files.weights,
        )  # fmt: skip

    def numbers(self) -> dict[str, float | str]:
        """Figures of the run."""
        first = self.task.bands()[0]
        return {
            "explained_class": self.title,
            "explained_pixels": self.task.pixels,
            "saliency_maximum": self.scale[1],
            "strongest_band": first.band,
            "strongest_band_share": first.share,
        }
