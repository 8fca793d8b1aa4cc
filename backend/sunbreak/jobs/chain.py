"""The chain in one run: detect the clouds, remove them, classify the land cover, explain it, map the trust."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.engine import Runtime
from sunbreak.events import Reporter
from sunbreak.jobs.chain_report import chain_report
from sunbreak.jobs.classify_step import ClassifyStep
from sunbreak.jobs.clean_step import CleanStep
from sunbreak.jobs.explain_step import ExplainStep
from sunbreak.jobs.options import ChainOptions
from sunbreak.jobs.pixel_explain_step import PixelExplainStep
from sunbreak.jobs.plan import Numbers, Plan, carry_out, model_facts
from sunbreak.jobs.result import Result
from sunbreak.jobs.runtimes import SceneMemory
from sunbreak.jobs.sharing import Sharing
from sunbreak.jobs.step import Step
from sunbreak.landcover.explanation import write_bands
from sunbreak.landcover.sliding_window import CleanedRows
from sunbreak.layers.output import LayerSet
from sunbreak.layers.run_report import write_report
from sunbreak.models.card_landcover import is_per_pixel
from sunbreak.models.registry import ModelFiles
from sunbreak.scene import Scene, SceneSeries

_REPORT = "report.html"
_UNKNOWN_FRACTION = 65535


def run_chain(
    scene: Scene | SceneSeries,
    directory: Path,
    removal_model: ModelFiles,
    classifier: ModelFiles,
    options: ChainOptions,
    reporter: Reporter,
    *,
    overwrite: bool = False,
    resume: bool = False,
    runtimes: tuple[Runtime | None, Runtime | None] = (None, None),
    memory: SceneMemory | None = None,
    sharing: Sharing | None = None,
) -> Result:
    """Clean, classify and explain a scene, and write all layers and a report, or nothing.

    Args:
        scene: The cloudy scene, alone or with other dates.
        directory: Where the layers go.
        removal_model: Removes the clouds.
        classifier: Classifies the cleaned scene.
        options: How.
        reporter: Receives all events.
        overwrite: Replace existing layers.
        resume: Resume an earlier run on the same output that was killed.
        runtimes: Where the removal and the classifier run, if not chosen by `options`.
        memory: Clouds and samples of scenes that other jobs read too.
        sharing: Processes that share the work of cleaning.

    Raises:
        SunbreakError: Reading, computing or writing failed; nothing is left behind.
    """
    series = SceneSeries.of(scene)
    return carry_out(
        lambda: _plan(series, removal_model, classifier, options, runtimes, memory, sharing),
        series,
        directory,
        reporter,
        overwrite=overwrite,
        resume=resume,
    )


def _plan(
    series: SceneSeries,
    removal_model: ModelFiles,
    classifier: ModelFiles,
    options: ChainOptions,
    runtimes: tuple[Runtime | None, Runtime | None],
    memory: SceneMemory | None,
    sharing: Sharing | None,
) -> Plan:
    staged, scene = _Staged(), series.target
    cleaned = CleanedRows(staged.raw, staged.fraction)
    cleaning = CleanStep(series, removal_model, options.clean, runtimes[0], memory=memory, sharing=sharing)
    classifying = ClassifyStep(
        scene, classifier, options.classify, cleaned=cleaned, compare=True, thresholds=options.thresholds,
        runtime=runtimes[1],
    )  # fmt: skip
    explain_step = PixelExplainStep if is_per_pixel(classifier.card) else ExplainStep
    explaining = explain_step(scene, classifier, options.explain, cleaned=cleaned) if options.explain else None
    steps: list[Step] = [cleaning, classifying, *([explaining] if explaining else [])]
    table = explaining.bands_table if explaining else None

    def begin(layers: LayerSet) -> None:
        staged.begin(layers)
        if sharing is not None:
            sharing.begin(layers)

    def write_beside(layers: LayerSet, folder: Path, files: Mapping[str, Path], numbers: Numbers) -> None:
        content = chain_report(scene, cleaning, classifying, explaining, numbers)
        write_report(folder / f"{scene.stem}_{_REPORT}", content, layers.specs, files, cleaning.task.before.rgb)
        if explaining and table:
            write_bands(folder / f"{scene.stem}_{table}", explaining.task.bands())

    def numbers(layers: LayerSet) -> Numbers:
        report = str(layers.path_beside(_REPORT))
        return {"model": removal_model.card.name, "classifier": classifier.card.name, "report": report}

    return Plan(
        cleaning.series,
        "chain",
        steps,
        model_facts(removal_model.card) | model_facts(classifier.card, "classifier_"),
        {key: value for step in steps for key, value in step.parameters.items()},
        cards=(removal_model.card, classifier.card),
        beside=(_REPORT, *([table] if table else [])),
        begin=begin,
        before=lambda: cleaning.task.before.rgb,
        write_beside=write_beside,
        numbers=numbers,
        shared=sharing is not None,
    )


class _Staged:
    """The cleaned scene while its layers are still being written."""

    layers: LayerSet

    def begin(self, layers: LayerSet) -> None:
        self.layers = layers

    def raw(self, first: int, stop: int) -> NDArray[Any]:
        return self.layers.read("cleaned", first, stop)

    def fraction(self, first: int, stop: int) -> NDArray[Any]:
        stored = self.layers.read("reconstructed", first, stop)[0]
        fraction: NDArray[np.float32] = stored.astype(np.float32) * np.float32(1e-4)
        fraction[stored == _UNKNOWN_FRACTION] = np.nan
        return fraction
