"""The whole way in one run: find the clouds, remove them, classify what is there, show why, and say what to trust."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.events import Level, Reporter
from sunbreak.jobs.result import JobResult, provenance_of, report, say, say_resumed
from sunbreak.jobs.single import model_facts
from sunbreak.jobs.steps import (
    ClassifyingStep,
    ClassifyOptions,
    CleaningStep,
    CleanOptions,
    ExplainingStep,
    ExplainOptions,
)
from sunbreak.landcover import sliding_window
from sunbreak.landcover.classification import ClassArea
from sunbreak.landcover.explanation import write_bands
from sunbreak.landcover.sliding_window import CleanedRows
from sunbreak.landcover.trust import TrustThresholds
from sunbreak.layers.output import LayerSet
from sunbreak.layers.run_report import Picture, Report, write_report
from sunbreak.models.registry import ModelFiles
from sunbreak.removal import task as removal
from sunbreak.scene import Scene

_REPORT = "report.html"
_UNKNOWN_SHARE = 65535
# rough shares of the time, so that one bar can show all
_CLEANING, _CLASSIFYING, _EXPLAINING = 60.0, 15.0, 25.0
_MUCH = 0.3


@dataclass(frozen=True)
class ChainOptions:
    """How the chain runs.

    Attributes:
        clean: How the scene is cleaned.
        classify: How it is classified.
        explain: What is explained; None leaves that out.
        thresholds: What `trust` calls sure and seen.
    """

    clean: CleanOptions = field(default_factory=CleanOptions)
    classify: ClassifyOptions = field(default_factory=ClassifyOptions)
    explain: ExplainOptions | None = field(default_factory=ExplainOptions)
    thresholds: TrustThresholds = field(default_factory=TrustThresholds)


def run_chain(
    scene: Scene,
    directory: Path,
    removal_model: ModelFiles,
    classifier: ModelFiles,
    options: ChainOptions,
    reporter: Reporter,
    *,
    overwrite: bool = False,
    resume: bool = False,
) -> JobResult:
    """Clean, classify and explain a scene, and write all layers and a report, or nothing.

    Args:
        scene: The cloudy scene.
        directory: Where the layers go.
        removal_model: Removes the clouds.
        classifier: Classifies the cleaned scene.
        options: How.
        reporter: Told about everything.
        overwrite: Replace existing layers.
        resume: Go on where an earlier run on the same output was killed.

    Raises:
        SunbreakError: Reading, computing or writing failed; nothing is left behind.
    """
    start = time.monotonic()
    say(scene, reporter)
    staged = _Staged()
    cleaned = CleanedRows(staged.raw, staged.share)
    cleaning = CleaningStep(scene, removal_model, options.clean)
    classifying = ClassifyingStep(
        scene, classifier, options.classify, cleaned=cleaned, compare=True, thresholds=options.thresholds
    )
    explaining = ExplainingStep(scene, classifier, options.explain, cleaned=cleaned) if options.explain else None
    steps: list[tuple[CleaningStep | ClassifyingStep | ExplainingStep, float]] = [
        (cleaning, _CLEANING), (classifying, _CLASSIFYING),
    ]  # fmt: skip
    table = f"{explaining.role}_bands.csv" if explaining else None
    if explaining:
        steps.append((explaining, _EXPLAINING))
    facts = model_facts(removal_model.card) | model_facts(classifier.card, "classifier_")
    parameters: dict[str, object] = {}
    for step, _ in steps:
        parameters |= step.parameters
    with LayerSet(
        directory,
        scene.stem,
        scene.grid,
        [spec for step, _ in steps for spec in step.specs],
        provenance=provenance_of(scene, "chain", facts, parameters),
        inputs=scene.inputs,
        overwrite=overwrite,
        acquired=scene.acquired,
        beside=[_REPORT, *([table] if table else [])],
        resume=resume,
    ) as layers:
        say_resumed(layers, resume, reporter)
        staged.layers = layers
        told = _OneBar(reporter, sum(weight for _, weight in steps), 2 if cleaning.detection else 1)
        for step, weight in steps:
            told.stage(weight)
            step.run(layers, told)
        numbers = {key: value for step, _ in steps for key, value in step.numbers().items()}

        def write_beside(folder: Path, files: Mapping[str, Path]) -> None:
            content = _content(scene, cleaning, classifying, explaining, numbers)
            write_report(folder / f"{scene.stem}_{_REPORT}", content, layers.specs, files, cleaning.task.before.rgb)
            if explaining and table:
                write_bands(folder / f"{scene.stem}_{table}", explaining.task.bands())

        paths = layers.finish(cleaning.task.before.rgb, beside=write_beside, checkpoint=reporter.checkpoint)
    numbers |= {"model": removal_model.card.name, "classifier": classifier.card.name}
    numbers |= {"report": str(layers.path_beside(_REPORT)), "seconds": time.monotonic() - start}
    return report(paths, numbers, reporter)


class _Staged:
    """The cleaned scene while its layers are still being written."""

    layers: LayerSet

    def raw(self, first: int, stop: int) -> NDArray[Any]:
        return self.layers.read("cleaned", first, stop)

    def share(self, first: int, stop: int) -> NDArray[Any]:
        stored = self.layers.read("reconstructed", first, stop)[0]
        share: NDArray[np.float32] = stored.astype(np.float32) * np.float32(1e-4)
        share[stored == _UNKNOWN_SHARE] = np.nan
        return share


class _OneBar(Reporter):
    """Passes everything on, with the progress of all stages in one.

    Args:
        inner: Who is told.
        total: Weights of all stages together.
        parts: Runs that the first stage consists of, each of which counts its own tiles.
    """

    def __init__(self, inner: Reporter, total: float, parts: int) -> None:
        super().__init__(inner.cancellation)
        self._inner, self._total, self._parts = inner, total, parts
        self._before = self._weight = self._shown = 0.0
        self._unit, self._run = "", 0

    def stage(self, weight: float) -> None:
        """A stage of that weight begins."""
        self._before += self._weight
        self._weight, self._unit, self._run = weight, "", 0
        if self._before:
            self._parts = 1

    def message(self, text: str, level: Level = "info") -> None:
        """See `Reporter`."""
        self._inner.message(text, level)

    def progress(self, done: float, total: float, unit: str = "tiles") -> None:
        """See `Reporter`: percent of the whole."""
        if unit != self._unit:
            self._unit, self._run = unit, self._run + 1
        # looking for clouds takes a tenth of cleaning
        within = done / max(total, 1)
        if self._parts > 1:
            within = 0.1 * within if self._run == 1 else 0.1 + 0.9 * within
        share = 100 * (self._before + self._weight * within) / self._total
        # the counts of tiles that are in flight may waver; a bar should not
        self._shown = max(self._shown, share)
        self._inner.progress(round(self._shown, 1), 100, "percent")


def _content(
    scene: Scene,
    cleaning: CleaningStep,
    classifying: ClassifyingStep,
    explaining: ExplainingStep | None,
    numbers: Mapping[str, float | str],
) -> Report:
    areas = classifying.task.areas()
    limits = classifying.task.thresholds or TrustThresholds()
    colours = {kind.name: kind.colour for kind in classifying.files.card.classes}
    facts = [
        ("Scene", scene.stem),
        ("Acquired", scene.acquired.isoformat() if scene.acquired else "unknown"),
        ("Inputs", ", ".join(path.name for path in scene.inputs)),
        ("Cloud removal", cleaning.files.card.name),
        ("Classifier", classifying.files.card.name),
        ("Reconstructed", f"{float(numbers['reconstructed_share']):.1%} of the valid pixels"),
        ("Mean confidence", f"{float(numbers['mean_confidence']):.2f}"),
        ("Class changed by cleaning", f"{float(numbers['changed_share']):.1%} of the area"),
    ]
    trust = [
        ("seen, confident", float(numbers["trust_seen_confident"])),
        ("seen, unsure", float(numbers["trust_seen_unsure"])),
        ("reconstructed, confident", float(numbers["trust_reconstructed_confident"])),
        ("reconstructed, unsure", float(numbers["trust_reconstructed_unsure"])),
    ]
    pictures = [
        Picture("before", "Before", "The scene as it came, true colour, reflectance 0 to 0.3."),
        Picture(
            "cleaned", "Cleaned", "Clear pixels are the observed ones, bit for bit; the rest is the network's estimate."
        ),
        Picture("reconstructed", "Reconstructed", "Orange: synthesised, fully or in part."),
        Picture(
            "uncertainty", "Uncertainty", "Sigma of B04 in reflectance; brighter is less sure, black was observed."
        ),
        Picture("landcover", "Land cover", "Most probable class of each cell, on the cleaned scene."),
        Picture("landcover_confidence", "Confidence", "Probability of that class, 0 (dark) to 1 (bright)."),
        Picture(
            "trust",
            "Trust",
            f"Reconstructed: more than {limits.reconstructed:.0%} of the evidence is synthesised. "
            f"Confident: probability of at least {limits.confident:.0%}.",
        ),
        Picture(
            "landcover_cloudy_vs_cleaned", "Changed", "Pink: the cloudy scene would have been given another class."
        ),
    ]
    if explaining is not None:
        words = (
            f"Where the evidence for '{explaining.title}' lies ({explaining.options.method}, "
            f"{explaining.options.block})."
        )
        pictures.append(Picture(explaining.role, "Saliency", words))
    bands = [(share.band, share.share, share.attribution) for share in explaining.task.bands()] if explaining else []
    said = [*scene.warnings, *removal.fit_warnings(scene, cleaning.files.card)]
    said += sliding_window.fit_warnings(scene, classifying.files.card)
    return Report(
        title=f"{scene.stem}: cleaned, classified, explained",
        facts=facts,
        areas=[(a.name, colours[a.name], a.hectares, a.reconstructed, a.confidence) for a in areas],
        trust=trust,
        bands=bands,
        pictures=pictures,
        cautions=[*_cautions(areas, numbers), *said],
        footer=f"{cleaning.files.card.title}. {classifying.files.card.title}.",
    )


def _cautions(areas: list[ClassArea], numbers: Mapping[str, float | str]) -> list[str]:
    """What the figures of this scene say about how far to trust it."""
    said = [
        "Small or sudden things under clouds (a new building, a cut forest, a flood) are not recovered: what stands "
        "there is what usually stands in such a place.",
        "Cloud removal smooths, and classifiers then lean towards classes of little detail. Treat a class that rests "
        "mostly on reconstructed pixels as a guess.",
    ]
    resting = [area for area in areas if area.reconstructed > _MUCH]
    if resting:
        named = ", ".join(f"{area.name} ({area.reconstructed:.0%})" for area in resting)
        said.append(f"These classes rest on reconstructed pixels by more than {_MUCH:.0%}: {named}.")
    unsure = float(numbers["trust_seen_unsure"]) + float(numbers["trust_reconstructed_unsure"])
    if unsure > _MUCH:
        said.append(f"The classifier is unsure about {unsure:.0%} of the area.")
    if float(numbers["trust_reconstructed_confident"]) > 0.1:
        said.append(
            "Blue cells of the trust layer are confident and reconstructed: the classifier is sure of what the "
            "network painted, "
            "which is no observation."
        )
    return said
