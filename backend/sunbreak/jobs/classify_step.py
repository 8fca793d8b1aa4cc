"""The step that classifies land cover."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sunbreak.engine import RunCount, Runtime, make_runtime, run_task
from sunbreak.engine.runtime import check_runtime
from sunbreak.events import Reporter
from sunbreak.jobs.options import ClassifyOptions
from sunbreak.jobs.step_checkpoints import StepKeeper
from sunbreak.landcover import sliding_window
from sunbreak.landcover.classification import LandCover, PairRuntime
from sunbreak.landcover.pixel_classification import PixelLandCover
from sunbreak.landcover.pixel_tiles import refuse_stride
from sunbreak.landcover.sliding_window import CleanedRows, RowSource
from sunbreak.landcover.trust import TrustThresholds
from sunbreak.layers import roles
from sunbreak.layers.output import LayerSet
from sunbreak.layers.roles import LayerSpec
from sunbreak.models.card import ModelCard
from sunbreak.models.card_landcover import RADIUS, is_per_pixel
from sunbreak.models.registry import ModelFiles
from sunbreak.scene import Scene


class ClassifyStep:
    """Classifies a scene, or its cleaned version.

    Args:
        scene: What to classify.
        files: The classifier.
        options: How.
        cleaned: Classify this version of the scene.
        share: The reconstructed fraction of rows, when the scene itself is a cleaned one.
        compare: Classify the scene as it came as well.
        thresholds: What `trust` calls confident and reconstructed; None leaves that layer out.
        runtime: Where the network runs, if not chosen by `options`.

    Raises:
        SunbreakError: The model does not fit the scene.
    """

    weight, phases = 15.0, 1

    def __init__(
        self,
        scene: Scene,
        files: ModelFiles,
        options: ClassifyOptions,
        *,
        cleaned: CleanedRows | None = None,
        share: RowSource | None = None,
        compare: bool = False,
        thresholds: TrustThresholds | None = None,
        runtime: Runtime | None = None,
    ) -> None:
        check_runtime(options.device, options.runtime)
        self.scene, self.files, self.options, self.runtime = scene, files, options, runtime
        self.task = _task(
            scene, files.card, options, cleaned=cleaned, share=share, compare=compare, thresholds=thresholds
        )
        self.count = RunCount()

    @property
    def specs(self) -> list[LayerSpec]:
        """The layers."""
        names = [kind.name for kind in self.files.card.classes]
        colours = [kind.colour for kind in self.files.card.classes]
        cell, task = self.task.cell, self.task
        specs = [
            roles.landcover(names, colours, cell),
            roles.landcover_confidence(cell),
            roles.landcover_entropy(cell),
            *([roles.landcover_probabilities(names, cell)] if self._probabilities else []),
            roles.landcover_evidence(cell, task.share is not None),
        ]
        if task.thresholds is not None:
            specs.append(roles.trust(task.thresholds.confident, task.thresholds.reconstructed, cell))
        specs += [roles.landcover_change(cell)] if task.compare else []
        return specs

    @property
    def parameters(self) -> dict[str, object]:
        """What the layers depend on beside the files."""
        task, limits = self.task, self.task.thresholds
        how = {"stride": task.stride} if isinstance(task, LandCover) else {"probabilities": task.probabilities}
        return {**how, "cell": task.cell} | (asdict(limits) if limits is not None else {})

    @property
    def _probabilities(self) -> bool:
        return isinstance(self.task, LandCover) or self.task.probabilities

    def run(self, layers: LayerSet, reporter: Reporter) -> None:
        """Write the layers.

        Raises:
            SunbreakError: Reading, computing or writing failed.
        """
        for text in sliding_window.fit_warnings(self.scene, self.files.card):
            reporter.message(text, "warning")
        runtime = self.runtime or make_runtime(self.files, self.options.device, self.options.runtime)
        card, task = self.files.card, self.task
        tiles = (
            f"patches of {card.tile} px every {task.stride} px, cells of {task.cell} px"
            if isinstance(task, LandCover)
            else f"tiles of {card.tile} px with a margin of {RADIUS} px, a class for each pixel"
        )
        reporter.message(f"Classifier {card.name} with {runtime.label}: {tiles}.")
        running = PairRuntime(runtime) if self.task.compare else runtime
        keeper = StepKeeper(layers, "classify", running.label, self.task)
        self.count = run_task(self.task, self.scene, running, layers.write, reporter, keeper)

    def numbers(self) -> dict[str, float | str]:
        """Figures of the run."""
        return {**self.task.numbers(), self.task.unit: self.count.computed}


def _task(scene: Scene, card: ModelCard, options: ClassifyOptions, **how: Any) -> LandCover | PixelLandCover:
    """The task of a classifier of patches or of pixels.

    Raises:
        InputError: The model does not fit the scene, or the stride is invalid or given for a classifier of pixels.
    """
    if not is_per_pixel(card):
        return LandCover(scene, card, options.stride, **how)
    refuse_stride(card, options.stride)
    return PixelLandCover(scene, card, probabilities=options.probabilities, **how)
