"""The study step by step: data, classifier, baseline, training with a distance after every epoch, pairs, report.

All intermediate files are in `work` below the report's folder, so that a stopped study resumes.
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
    BigEarthNetRun,
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
# cloud cover of the simulated cloudy patches; most real ones are only partly covered too
_COVER = (0.15, 0.6)


@dataclass(frozen=True)
class StudySize:
    """The size of a study.

    Attributes:
        patches: Number of simulated patches.
        classifier: Options of the classifier and its training.
        translation: Options of the translation and its training.
    """

    patches: int
    classifier: MultilabelOptions
    translation: TranslationOptions


SIZES: Mapping[Size, StudySize] = {
    # under twenty minutes on two cores; more validation images than features
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
    # networks and loss weights of the reference, for BigEarthNet itself
    "paper": StudySize(4000, MultilabelOptions(), TranslationOptions()),
}  # fmt: skip


@dataclass(frozen=True)
class Results:
    """The results of the study.

    Attributes:
        size: Size of the study.
        options: Options of the study.
        collection: The data set.
        simulated: Whether the data set is simulated.
        classifier: The classifier of the Frechet distance.
        translation: The trained translation.
        floor: Distance of clear training patches to clear validation patches: the distance of perfect images.
        baseline: Distance of the cloudy validation patches.
        final: Distance of the cleared validation patches.
        epochs: A row of metrics per epoch.
        examples: Example images.
        pairs: Image quality under clouds; None without truth.
        minutes: Duration of this call in minutes.
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
    """The user's options of the study.

    Attributes:
        bigearthnet: Folder of the data set; simulated if not given.
        size: Size of networks, trainings and simulated data.
        patches: Number of simulated patches; by default that of the size.
        epochs: Number of epochs; by default that of the size.
        seed: Seed of all random numbers.
        device: ``cpu`` or ``cuda``.
        workers: Processes that read the data.
        threads: Number of CPU threads. The trained classifier and therefore all distances depend on it, so it does not
            depend on the machine.
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
        """The size of the study, with the options that override it."""
        size = SIZES[self.size]
        translation = replace(size.translation, seed=self.seed, epochs=self.epochs or size.translation.epochs)
        return StudySize(self.patches or size.patches, replace(size.classifier, seed=self.seed), translation)

    def training(self, data: Path, work: Path, name: str) -> BigEarthNetRun:
        """One of the two trainings: its data, model name, folders and device."""
        return BigEarthNetRun(data, name, work / "models", work / name, self.device, self.workers)


def run(output: Path, options: StudyOptions, reporter: Reporter, *, resume: bool = False) -> Results:
    """Run the study, or resume it.

    Args:
        output: Folder of the report; its folder `work` has data, states and models.
        options: Options of the study.
        reporter: Receives the progress and can stop the study.
        resume: Resume the study in the folder. Without it, a folder with an earlier study is refused.

    Raises:
        OutputError: The folder has an earlier study, or cannot be written.
        InputError: The data set cannot be used, or the earlier study has other options.
        Cancelled: The reporter stopped the run; finished results remain.
    """
    with threads(options.threads):
        return _run(output, options, reporter, resume)


def _run(output: Path, options: StudyOptions, reporter: Reporter, resume: bool) -> Results:
    start = time.monotonic()
    work = output / "work"
    if work.exists() and any(work.iterdir()) and not resume:
        raise OutputError(f"{work} has an earlier study.", "Resume it with --resume, or choose another folder.")
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{work} cannot be created: {error.strerror}.", "Choose another folder.") from error
    size = options.sizes()
    translation = size.translation
    folder = options.bigearthnet or _simulated(work, size.patches, options.seed, reporter)
    collection = found(folder, "required" if translation.channels.uses_radar else "none", reporter)
    classifier = _classifier(folder, size.classifier, work, options, reporter)
    judge = judge_of(collection, translation, str(classifier.path), options.device)
    reporter.message(f"Baseline, cloudy against clear: {judge.baseline.text()}.")
    channels = translation.channels
    other = collection.pile("clear", "train")[: judge.baseline.counts[0]]
    floor = distance(
        judge.reader.gather(plain(ImagePile(other, channels), channels), judge.replicates, judge.seed + 1),
        judge.clear,
        LAYER,
    )
    training = options.training(folder, work, TRANSLATION)
    trained = run_translation(collection, translation, training, reporter, after_epoch=judge.after_epoch)
    final = judge.of(trained.average.to_clear)
    reporter.message(f"Cleared against clear: {final.text()}.")
    figures: dict[str, Any] = {**final.figures(), "baseline": judge.baseline.frechet.value}
    files = save_translation(trained, collection, translation, training, figures)
    trained.model.to(options.device)
    trained.average.to(options.device)
    examples = choose(collection, trained, channels, _EXAMPLES, options.seed)
    known = with_truth(collection)
    pairs = None
    if known:
        reporter.message(f"Measuring {len(known)} validation patches with known truth.")
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
    if card.is_file() and _done(card, size, folder):
        return find_model(str(card), "land-cover")
    return train_multilabel(options.training(folder, work, CLASSIFIER), size, reporter)


def _done(card: Path, size: MultilabelOptions, folder: Path) -> bool:
    """Whether an earlier call finished a classifier with these options."""
    training = find_model(str(card)).card.training
    same = ("depth", "width", "steps", "batch", "learning_rate", "seed", "single")
    return str(training["data"]).endswith(f" in {folder.name}") and all(
        training["recipe"][key] == getattr(size, key) for key in same
    )
