"""The study step by step: data, classifier, baseline, training with a distance after every epoch, pairs, report.

Everything but the report stands in `work` below the report's folder, so that a study that was stopped goes on where it
was.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from sunbreak.datasets.bigearthnet import Collection
from sunbreak.datasets.bigearthnet.writing import write_bigearthnet
from sunbreak.errors import OutputError
from sunbreak.evaluation.features import LAYER
from sunbreak.events import Reporter
from sunbreak.metrics.feature_sums import Distance, distance
from sunbreak.models.registry import ModelFiles, find_model
from sunbreak.studies.unpaired.examples import Examples, choose
from sunbreak.studies.unpaired.known_truth import PairTable, compare, with_truth
from sunbreak.training.bigearthnet_images import ImagePile
from sunbreak.training.numerics import threads
from sunbreak.training.unpaired.frechet_validation import plain
from sunbreak.training.unpaired.pipeline import (
    MultilabelOptions,
    TranslationOptions,
    epoch_rows,
    found,
    judge_of,
    run_translation,
    save_translation,
    train_multilabel,
)

Size = Literal["small", "medium", "paper"]
CLASSIFIER, TRANSLATION = "classifier", "aug-cyclegan"
_EXAMPLES = 9
# simulated clouds that leave something to see, as most of the data set's cloudy patches do
_COVER = (0.15, 0.6)


@dataclass(frozen=True)
class StudySize:
    """How large a study is.

    Attributes:
        patches: Of the simulated data set.
        classifier: The classifier and its training.
        translation: The translation and its training.
    """

    patches: int
    classifier: MultilabelOptions
    translation: TranslationOptions


SIZES: Mapping[Size, StudySize] = {
    # for two cores in less than twenty minutes; more validation images than features
    "small": StudySize(
        700,
        MultilabelOptions(width=8, steps=300, batch=16, learning_rate=3e-3),
        TranslationOptions(
            side=48, epochs=14, batch=4, width=12, latent=4, learning_rate=1e-3, cycle=10.0,
            cycle_cloudy=10.0, average=0.99, centred=True, judge_conditioning=True,
        ),
    ),
    # for a GPU
    "medium": StudySize(
        4000,
        MultilabelOptions(width=32, steps=3000, batch=64),
        TranslationOptions(epochs=40, cycle=10.0, centred=True, judge_conditioning=True),
    ),
    # the reference's networks and weights, for BigEarthNet itself
    "paper": StudySize(4000, MultilabelOptions(), TranslationOptions()),
}  # fmt: skip


@dataclass(frozen=True)
class Results:
    """What the report tells.

    Attributes:
        size: What was chosen.
        options: Of the study.
        collection: The data set.
        simulated: Whether it was simulated here.
        classifier: The model that judges.
        translation: The model that was trained.
        floor: Distance of clear training patches from clear validation patches: what perfect images would score.
        baseline: Distance of the cloudy validation patches.
        final: Distance of the cleared validation patches.
        epochs: A row of figures per epoch.
        examples: Images to show.
        pairs: Figures under clouds; None where no truth is known.
        minutes: What the study took, this call only.
    """

    size: StudySize
    options: StudyOptions
    collection: Collection
    simulated: bool
    classifier: ModelFiles
    translation: ModelFiles
    floor: Distance
    baseline: Distance
    final: Distance
    epochs: list[dict[str, float]]
    examples: Examples
    pairs: PairTable | None
    minutes: float


@dataclass(frozen=True)
class StudyOptions:
    """What a user chooses.

    Attributes:
        bigearthnet: Folder of the data set; simulated if not given.
        size: Of networks, trainings and simulated data.
        patches: Simulated patches, if other than the size says.
        epochs: Passes over the cloudy patches, if other than the size says.
        seed: Seed of everything random.
        device: ``cpu`` or ``cuda``.
        workers: Processes that read.
        threads: That a CPU computes with. The classifier that a training ends in depends on it, and with it every
            distance, so it is not left to the machine.
    """

    bigearthnet: Path | None = None
    size: Size = "small"
    patches: int | None = None
    epochs: int | None = None
    seed: int = 1
    device: str = "cpu"
    workers: int = 0
    threads: int = 1

    def sizes(self) -> StudySize:
        """The sizes, with what was chosen otherwise."""
        size = SIZES[self.size]
        translation = replace(size.translation, seed=self.seed, epochs=self.epochs or size.translation.epochs)
        return StudySize(self.patches or size.patches, replace(size.classifier, seed=self.seed), translation)


def run(output: Path, options: StudyOptions, reporter: Reporter, *, resume: bool = False) -> Results:
    """Run the study, or go on with it.

    Args:
        output: Folder of the report; `work` in it holds data, states and models.
        options: What is chosen.
        reporter: Told about the progress and asked whether to stop.
        resume: Whether an earlier call may have begun; without, a folder with its work is refused.

    Raises:
        OutputError: The folder holds an earlier study, or cannot be written.
        InputError: The data set cannot be used, or the earlier study had other options.
        Cancelled: The reporter stopped the run; what is done stays.
    """
    with threads(options.threads):
        return _run(output, options, reporter, resume)


def _run(output: Path, options: StudyOptions, reporter: Reporter, resume: bool) -> Results:
    start = time.monotonic()
    work = output / "work"
    if work.exists() and any(work.iterdir()) and not resume:
        raise OutputError(f"{work} holds an earlier study.", "Go on with it with --resume, or choose another folder.")
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{work} cannot be made: {error.strerror}.", "Choose another folder.") from error
    size = options.sizes()
    translation = size.translation
    folder = options.bigearthnet or _simulated(work, size.patches, options.seed, reporter)
    collection = found(folder, "required" if translation.channels.uses_radar else "none", reporter)
    classifier = _classifier(folder, size.classifier, work, options, reporter)
    judge = judge_of(collection, translation, str(classifier.path), options.device)
    reporter.message(f"Cloudy beside clear: {judge.baseline.text()}.")
    channels = translation.channels
    other = collection.pile("clear", "train")[: judge.baseline.counts[0]]
    floor = distance(
        judge.reader.gather(plain(ImagePile(other, channels), channels), judge.replicates, judge.seed + 1),
        judge.clear,
        LAYER,
    )
    trained = run_translation(
        collection, translation, work / TRANSLATION, reporter,
        after_epoch=judge.after_epoch, device=options.device, workers=options.workers,
    )  # fmt: skip
    final = judge.of(trained.average.to_clear)
    reporter.message(f"Cleared beside clear: {final.text()}.")
    figures: dict[str, Any] = {**final.figures(), "baseline": judge.baseline.frechet.value}
    files = save_translation(trained, collection, translation, TRANSLATION, work / "models", figures, options.device)
    trained.model.to(options.device)
    trained.average.to(options.device)
    examples = choose(collection, trained, channels, _EXAMPLES, options.seed)
    known = with_truth(collection)
    pairs = None
    if known:
        reporter.message(f"Measuring {len(known)} validation patches whose truth is known.")
        pairs = compare(
            collection, known, trained.average.to_clear, channels,
            seed=options.seed, device=options.device, checkpoint=reporter.checkpoint,
        )  # fmt: skip
    epochs = [{key: float(value) for key, value in row.items()} for row in epoch_rows(work / TRANSLATION)]
    minutes = (time.monotonic() - start) / 60
    return Results(
        size, options, collection, options.bigearthnet is None, classifier, files, floor, judge.baseline, final, epochs,
        examples, pairs, minutes,
    )  # fmt: skip


def _simulated(work: Path, patches: int, seed: int, reporter: Reporter) -> Path:
    folder = work / f"bigearthnet-{patches}-{seed}"
    if not folder.is_dir():
        reporter.message(f"Simulating {patches} patches in the layout of BigEarthNet.")

        def tick(done: int) -> None:
            reporter.checkpoint()
            reporter.progress(done, patches, "patches")

        write_bigearthnet(folder, patches, seed, truth=True, cover=_COVER, tick=tick)
    return folder


def _classifier(
    folder: Path, size: MultilabelOptions, work: Path, options: StudyOptions, reporter: Reporter
) -> ModelFiles:
    card = work / "models" / f"{CLASSIFIER}.json"
    state = work / CLASSIFIER
    if card.is_file() and _done(card, size, folder):
        return find_model(str(card), "land-cover")
    return train_multilabel(
        folder, size, CLASSIFIER, work / "models", state, reporter, device=options.device, workers=options.workers
    )


def _done(card: Path, size: MultilabelOptions, folder: Path) -> bool:
    """Whether an earlier call finished this very classifier."""
    training = find_model(str(card)).card.training
    same = ("depth", "width", "steps", "batch", "learning_rate", "seed", "single")
    return str(training["data"]).endswith(f" in {folder.name}") and all(
        training["recipe"][key] == getattr(size, key) for key in same
    )
