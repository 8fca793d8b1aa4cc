"""The step that classifies land cover."""

from __future__ import annotations

from dataclasses import asdict

from sunbreak.engine import RunCount, Runtime, make_runtime, run_task
from sunbreak.events import Reporter
from sunbreak.jobs.options import ClassifyOptions
from sunbreak.jobs.step_checkpoints import StepKeeper
from sunbreak.landcover import sliding_window
from sunbreak.landcover.classification import LandCover, PairRuntime
from sunbreak.landcover.sliding_window import CleanedRows, RowSource
from sunbreak.landcover.trust import TrustThresholds
from sunbreak.layers import roles
from sunbreak.layers.output import LayerSet
from sunbreak.layers.roles import LayerSpec
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
        self.scene, self.files, self.options, self.runtime = scene, files, options, runtime
        self.task = LandCover(
            scene, files.card, options.stride, cleaned=cleaned, share=share, compare=compare, thresholds=thresholds
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
            roles.landcover_probabilities(names, cell),
            roles.landcover_evidence(cell, task.share is not None),
        ]
        if task.thresholds is not None:
            specs.append(roles.trust(task.thresholds.confident, task.thresholds.reconstructed, cell))
        specs += [roles.landcover_change(cell)] if task.compare else []
        return specs

    @property
    def parameters(self) -> dict[str, object]:
        """What the layers depend on beside the files."""
        limits = self.task.thresholds
        return {"stride": self.task.stride, "cell": self.task.cell} | (asdict(limits) if limits is not None else {})

    def run(self, layers: LayerSet, reporter: Reporter) -> None:
        """Write the layers.

        Raises:
            SunbreakError: Reading, computing or writing failed.
        """
        for text in sliding_window.fit_warnings(self.scene, self.files.card):
            reporter.message(text, "warning")
        runtime = self.runtime or make_runtime(self.files, self.options.device, self.options.runtime)
        card = self.files.card
        reporter.message(
            f"Classifier {card.name} with {runtime.label}: patches of {card.tile} px every {self.task.stride} px, "
            f"cells of {self.task.cell} px."
        )
        running = PairRuntime(runtime) if self.task.compare else runtime
        keeper = StepKeeper(layers, "classify", running.label, self.task)
        self.count = run_task(self.task, self.scene, running, layers.write, reporter, keeper)

    def numbers(self) -> dict[str, float | str]:
        """Figures of the run."""
        return {**self.task.numbers(), "patches": self.count.computed}
