"""Trains the two models of the second paper on BigEarthNet: the classifier for validation, and the translation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from sunbreak.datasets.bigearthnet import BANDS, Collection, Patch, find_patches, labelled
from sunbreak.errors import InputError
from sunbreak.evaluation.features import FeatureReader
from sunbreak.events import Reporter
from sunbreak.models.augcyclegan import AugCycleGANConfig
from sunbreak.models.importing_augcyclegan import save_augcyclegan
from sunbreak.models.registry import ModelFiles, check_name, find_model
from sunbreak.training.bigearthnet_images import Channels, ImagePile
from sunbreak.training.classifier import multilabel
from sunbreak.training.classifier.multilabel_model import finish
from sunbreak.training.numerics import described
from sunbreak.training.state_files import read_rows
from sunbreak.training.unpaired.frechet_validation import Judge
from sunbreak.training.unpaired.loop import AfterEpoch, AugCycleGANTraining, Trained, train
from sunbreak.training.unpaired.state import EPOCHS
from sunbreak.training.unpaired.step import Weights

_WIDTHS = {"generator_width": 1, "discriminator_width": 2, "encoder_width": 1}


@dataclass(frozen=True)
class BigEarthNetRun:
    """Which data set a training reads, which model it makes, and where it runs.

    Attributes:
        data: Folder of BigEarthNet.
        name: Name of the model.
        output: Folder for the model.
        work: Folder for state, logs and pictures.
        device: ``cpu`` or ``cuda``.
        workers: Processes that read the data; 0 reads in this process.
    """

    data: Path
    name: str
    output: Path
    work: Path
    device: str = "cpu"
    workers: int = 0


@dataclass(frozen=True)
class MultilabelOptions:
    """The user's options of the classifier; see `MultilabelTraining`."""

    bands: list[str] | None = None
    labels: int = 19
    depth: int = 18
    width: int = 64
    steps: int = 20000
    batch: int = 64
    learning_rate: float = 2e-3
    single: float = 0.5
    seed: int = 1


@dataclass(frozen=True)
class TranslationOptions:
    """The user's options of the translation; see `DirectionConfig` and `AugCycleGANTraining`."""

    bands: list[str] | None = None
    conditioning: tuple[str, ...] = ("VV", "VH")
    judge_conditioning: bool = False
    side: int = 120
    epochs: int = 100
    batch: int = 8
    width: int = 32
    latent: int = 16
    learning_rate: float = 2e-4
    cycle: float = 1.0
    cycle_cloudy: float = 1.0
    average: float = 0.999
    centred: bool = False
    samples: int = 8
    seed: int = 1

    @property
    def channels(self) -> Channels:
        """Input bands of the networks and their scaling."""
        return Channels(bands=tuple(self.bands) if self.bands else BANDS, conditioning=self.conditioning)

    def config(self) -> AugCycleGANConfig:
        """Configuration of the networks."""
        channels = self.channels
        widths = {name: factor * self.width for name, factor in _WIDTHS.items()}
        return AugCycleGANConfig.alike(
            len(channels.bands),
            len(channels.conditioning),
            latent=self.latent,
            judge_conditioning=self.judge_conditioning and bool(channels.conditioning),
            **widths,
        )

    def recipe(self) -> AugCycleGANTraining:
        """The recipe of the training."""
        return AugCycleGANTraining(
            epochs=self.epochs,
            batch=self.batch,
            learning_rate=self.learning_rate,
            weights=Weights(cycle_cloudy=self.cycle_cloudy, cycle_clear=self.cycle),
            average=self.average,
            centred=self.centred,
            seed=self.seed,
        )


def checked_device(name: str) -> str:
    """The name of a device, if the device exists.

    Raises:
        InputError: The name is unknown, or there is no such device.
    """
    if name not in ("cpu", "cuda"):
        raise InputError(f"Training runs on cpu or cuda, not on {name!r}.", code="bad-option")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("There is no CUDA device on this machine.", "Train with --device cpu.", code="no-device")
    return name


def train_multilabel(run: BigEarthNetRun, options: MultilabelOptions, reporter: Reporter) -> ModelFiles:
    """Train the classifier on the clear patches of a BigEarthNet, tune its threshold, measure it, and write the model.

    Args:
        run: Data set, model and device.
        options: The choices of the user.
        reporter: Receives the progress and can stop the run.

    Raises:
        InputError: The data set or the options cannot be used.
        RunError: The loss is not a number.
        Cancelled: The reporter stopped the run.
    """
    check_name(run.name)
    if options.labels not in (19, 43):
        raise InputError(f"There is no nomenclature of {options.labels} labels.", "Use 19 or 43.", code="bad-option")
    nomenclature: Any = options.labels
    collection = found(run.data, "none", reporter)
    splits: dict[str, tuple[Patch, ...]] = {}
    for split in ("train", "validation"):
        kept, dropped = labelled(collection.pile("clear", split), nomenclature)
        if dropped:
            reporter.message(f"{len(dropped)} patches of the {split} split have none of the {options.labels} labels.")
        splits[split] = kept
    if not splits["validation"]:
        raise InputError(f"{run.data}: no validation patch has a label to tune the threshold on.", code="empty-pile")
    clear = [patch for patch in collection.split("test") if patch.pile == "clear"]
    test, _ = labelled(clear, nomenclature)
    bands = tuple(options.bands) if options.bands else BANDS
    mean, deviation = multilabel.standardisation(splits["train"], bands, options.seed)
    recipe = multilabel.MultilabelTraining(
        bands, mean, deviation, depth=options.depth, width=options.width, steps=options.steps, batch=options.batch,
        learning_rate=options.learning_rate, single=options.single, nomenclature=nomenclature, seed=options.seed,
    )  # fmt: skip
    reporter.message(f"Training the classifier on {len(splits['train'])} clear patches.")
    module = multilabel.train(recipe, splits["train"], run.work, reporter, device=run.device, workers=run.workers)
    facts = {"data": _data(collection), "patches": len(splits["train"]), "device": described(run.device, on_cpu=False)}
    return finish(
        module, recipe, splits["validation"], test, run.name, run.output, facts, device=run.device, workers=run.workers
    )


def train_translation(
    run: BigEarthNetRun, options: TranslationOptions, reporter: Reporter, *, classifier: str | None = None
) -> tuple[ModelFiles, dict[str, float | str]]:
    """Train the Augmented CycleGAN on cloudy and clear patches of BigEarthNet; write its cloudy-to-clear generator.

    Args:
        run: Data set, model and device.
        options: The choices of the user.
        reporter: Receives the progress and can stop the run.
        classifier: Name or path of the model whose features give the Frechet distance after every epoch. Without it
            nothing is measured.

    Returns:
        The model, and the figures of the last epoch.

    Raises:
        InputError: The data set or the options cannot be used.
        RunError: A loss is not a number; the last valid state stays on disk.
        Cancelled: The reporter stopped the run.
    """
    check_name(run.name)
    channels = options.channels
    collection = found(run.data, "required" if channels.uses_radar else "none", reporter)
    judge = None
    if classifier is not None:
        judge = judge_of(collection, options, classifier, run.device)
        reporter.message(f"Baseline, cloudy against clear validation patches: {judge.baseline.text()}.")
    trained = run_translation(collection, options, run, reporter, after_epoch=judge.after_epoch if judge else None)
    last: dict[str, float | str] = {"steps": float(trained.steps)}
    if judge is not None:
        last = {key: float(value) for key, value in epoch_rows(run.work)[-1].items()}
        last |= {"layer": judge.baseline.layer, "width": float(judge.baseline.width)}
        last |= {"baseline": judge.baseline.frechet.value}
    return save_translation(trained, collection, options, run, last), last


def run_translation(
    collection: Collection,
    options: TranslationOptions,
    run: BigEarthNetRun,
    reporter: Reporter,
    *,
    after_epoch: AfterEpoch | None = None,
) -> Trained:
    """Train on the cloudy and the clear patches of the training split; arguments as in `train_translation`."""
    channels = options.channels
    cloudy, clear = (
        ImagePile(collection.pile(pile, "train"), channels, options.side, vary=True) for pile in ("cloudy", "clear")
    )
    reporter.message(f"Training the translation on {len(cloudy)} cloudy and {len(clear)} clear patches.")
    return train(
        options.config(), options.recipe(), cloudy, clear, run.work, reporter, device=run.device, workers=run.workers,
        picture_bands=picture_bands(channels), after_epoch=after_epoch,
    )  # fmt: skip


def save_translation(
    trained: Trained,
    collection: Collection,
    options: TranslationOptions,
    run: BigEarthNetRun,
    last: dict[str, float | str],
) -> ModelFiles:
    """Write the averaged generator to clear as a model of the registry."""
    channels = options.channels
    metrics = [{"data": "cleared validation patches against clear ones", "figures": last}] if "frechet" in last else []
    return save_augcyclegan(
        trained.average.to_clear.to("cpu"),
        run.name,
        run.output,
        title=f"Augmented CycleGAN, {len(channels.bands)} bands, given {', '.join(channels.conditioning) or 'nothing'}",
        description=(
            "Cloud removal trained without pairs, on cloudy and clear patches of different places. It draws possible "
            "images. Ground under thick clouds is generated in the style of the clear patches."
        ),
        licence="GPL-2.0-or-later",
        bands=channels.bands,
        conditioning=channels.conditioning,
        reflectance=channels.reflectance,
        radar=channels.radar,
        level="L2A",
        samples=options.samples,
        seed=options.seed,
        training={
            "data": _data(collection),
            "cloudy_patches": len(collection.pile("cloudy", "train")),
            "clear_patches": len(collection.pile("clear", "train")),
            "steps": trained.steps,
            "device": described(run.device, on_cpu=False),
            "options": {key: value for key, value in vars(options).items() if value is not None},
        },
        metrics=tuple(metrics),
    )


def judge_of(collection: Collection, options: TranslationOptions, classifier: str, device: str) -> Judge:
    """The Frechet validation of a training, from the classifier and the validation patches."""
    channels = options.channels
    reader = FeatureReader(find_model(classifier, "land-cover"), channels.bands, device)
    cloudy, clear = (collection.pile(pile, "validation") for pile in ("cloudy", "clear"))
    return Judge(reader, cloudy, clear, channels, seed=options.seed)


def epoch_rows(work: Path) -> list[dict[str, str]]:
    """The rows of a training's `epochs.csv`; empty without measurements."""
    path = work / EPOCHS
    if not path.is_file():
        return []
    return read_rows(path)


def found(folder: Path, radar: Any, reporter: Reporter) -> Collection:
    """The patches of a folder. Notes about them are reported."""
    collection = find_patches(folder, radar)
    for note in collection.notes:
        reporter.message(note)
    return collection


def picture_bands(channels: Channels) -> tuple[int, int, int]:
    """Indices of the red, green and blue band; the first three bands if one of them is missing."""
    bands = channels.bands
    if {"B04", "B03", "B02"} <= set(bands):
        return bands.index("B04"), bands.index("B03"), bands.index("B02")
    last = len(bands) - 1
    return 0, min(1, last), min(2, last)


def _data(collection: Collection) -> str:
    return f"BigEarthNet version {collection.version}, {len(collection.patches)} patches in {collection.folder.name}"
