"""Training loop of the Augmented CycleGAN on cloudy and clear images that are not paired.

A run depends only on recipe, networks, data and seed. A run that was stopped and resumed ends in the same state, bit
for bit on a CPU.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset

from sunbreak.errors import Cancelled, InputError, RunError
from sunbreak.events import Reporter
from sunbreak.models.augcyclegan import AugCycleGAN, AugCycleGANConfig
from sunbreak.training.disk import writing
from sunbreak.training.state_files import append_row
from sunbreak.training.unpaired.batches import (
    Piles,
    Sample,
    batches,
    count,
    epoch_order,
    fixed_batch,
    generator_for,
    latent_generator,
    mean_colour,
    validation_pairs,
)
from sunbreak.training.unpaired.epoch_pictures import sample_columns, write_grid
from sunbreak.training.unpaired.state import EPOCHS, LOG, STATE, restore_state, save_state
from sunbreak.training.unpaired.step import GeneratorAverage, Latents, Optimizers, Pair, Weights, training_step

_PICTURE_DRAWS = 2
_PICTURES = 3

# called after every epoch with its number (from 1) and the averaged generators; returns figures for the log
AfterEpoch = Callable[[int, GeneratorAverage], Mapping[str, float]]


@dataclass(frozen=True)
class AugCycleGANTraining:
    """The recipe, as in the reference unless noted.

    Attributes:
        epochs: Number of epochs; an epoch is a pass over the cloudy images.
        batch: Pairs per batch, at least 2.
        learning_rate: Learning rate of generators and encoders. It is constant in the first half of the epochs, then
            falls linearly.
        critic_share: Learning rate of the discriminators as a fraction of `learning_rate`.
        beta1: First decay of Adam.
        clip: Largest gradient norm of a network (gradient clipping).
        weights: Weights of the losses.
        average: Decay of the generators' moving average (not in the reference).
        centred: Whether the generators start with the mean colour of their target images instead of the middle of the
            range. This saves some thousand steps (not in the reference).
        seed: Seed of all random numbers.
    """

    epochs: int = 100
    batch: int = 8
    learning_rate: float = 2e-4
    critic_share: float = 0.2
    beta1: float = 0.5
    clip: float = 500.0
    weights: Weights = field(default_factory=Weights)
    average: float = 0.999
    centred: bool = False
    seed: int = 1

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 2:
            raise InputError("A training needs at least one epoch and batches of at least 2 pairs.", code="bad-recipe")
        if not 0 <= self.average < 1:
            raise InputError("The decay of the moving average lies between 0 and 1.", code="bad-recipe")
        if not self.learning_rate > 0:
            raise InputError("The learning rate is above 0.", code="bad-recipe")


@dataclass(frozen=True)
class Trained:
    """The result of a training.

    Attributes:
        model: All networks, in evaluation mode.
        average: The averaged generators, which are used at inference.
        steps: Number of finished steps.
    """

    model: AugCycleGAN
    average: GeneratorAverage
    steps: int


def train(
    config: AugCycleGANConfig,
    recipe: AugCycleGANTraining,
    cloudy: Dataset[Sample],
    clear: Dataset[Sample],
    folder: Path,
    reporter: Reporter,
    *,
    device: str = "cpu",
    workers: int = 0,
    save_every: int = 200,
    picture_bands: tuple[int, int, int] = (2, 1, 0),
    after_epoch: AfterEpoch | None = None,
) -> Trained:
    """Train the networks, or resume an earlier call in this folder.

    Writes `state.pt`, `log.csv` (a row per step), `epochs.csv` (a row per epoch, from `after_epoch`) and
    `samples/epoch_0001.png` and so on to the folder.

    Args:
        config: The networks.
        recipe: How to train.
        cloudy: Map-style data set of (image, conditioning), float32 (band, row, column) in [-1, 1]; conditioning may
            have zero bands.
        clear: The same for clear images.
        folder: Folder of the run.
        reporter: Receives the progress and can stop the training, which saves the state first.
        device: ``cpu`` (float32) or ``cuda`` (bfloat16).
        workers: Processes that read the data; 0 reads in this process.
        save_every: Steps between two saved states; a state is also saved after each epoch.
        picture_bands: Indices of the red, green and blue band of the pictures.
        after_epoch: Measures the averaged generators.

    Raises:
        InputError: There are too few images, they do not fit the networks, or the folder belongs to another run.
        RunError: A loss or gradient is not a number; the last valid state stays on disk.
        Cancelled: The reporter stopped the run.
    """
    where = torch.device(device)
    piles = Piles(cloudy, clear)
    sizes = (count(cloudy), count(clear))
    _check(config, recipe, piles, sizes, picture_bands)
    torch.manual_seed(recipe.seed)
    model = AugCycleGAN(config).to(where).train()
    if recipe.centred:
        for direction, pile in zip(model.directions(), (clear, cloudy), strict=True):
            direction.generator.start_at(mean_colour(pile))
    average = GeneratorAverage(model, recipe.average).to(where)
    optimizers = Optimizers(model, recipe.learning_rate, recipe.beta1, recipe.critic_share, recipe.clip)
    terms = _terms(config, recipe, sizes)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    first = restore_state(folder, terms, model, average, optimizers)
    if not first:
        # a valid state exists from the start; logs without a state belong to another run
        for name in (LOG, EPOCHS):
            (folder / name).unlink(missing_ok=True)
        save_state(folder, terms, 0, model, average, optimizers)
    fixed = validation_pairs(recipe.seed, *sizes, min(_PICTURES, sizes[0]))
    per_epoch = sizes[0] // recipe.batch
    total = recipe.epochs * per_epoch
    step = first
    reporter.progress(step, total, "steps")
    try:
        for epoch in range(first // per_epoch, recipe.epochs):
            optimizers.set_factor(learning_rate_factor(epoch, recipe.epochs))
            order = epoch_order(recipe.seed, epoch, *sizes, recipe.batch)[step - epoch * per_epoch :]
            for pair in batches(piles, order, where, workers):
                reporter.checkpoint()
                numbers = training_step(
                    model, average, optimizers, recipe.weights, pair, _latents(model, recipe, step), step
                )
                _check_numbers(numbers, pair, step, folder)
                append_row(folder / LOG, {"step": step, "epoch": epoch + 1, **numbers})
                step += 1
                if step % save_every == 0 and step % per_epoch:
                    save_state(folder, terms, step, model, average, optimizers)
                reporter.progress(step, total, "steps")
            pair = fixed_batch(piles, fixed, where)
            _picture(
                folder / "samples" / f"epoch_{epoch + 1:04d}.png", model, average, pair, recipe.seed, picture_bands
            )
            if after_epoch is not None:
                append_row(folder / EPOCHS, {"step": step - 1, "epoch": epoch + 1, **after_epoch(epoch + 1, average)})
            save_state(folder, terms, step, model, average, optimizers)
    except Cancelled:
        # at the end of an epoch, the state is saved only after picture and figures
        if step % per_epoch:
            save_state(folder, terms, step, model, average, optimizers)
        raise
    return Trained(model.eval(), average, step)


def learning_rate_factor(epoch: int, epochs: int) -> float:
    """Factor of the learning rate in an epoch (from 0): 1 in the first half, then linearly towards 0."""
    half = epochs / 2
    return 1.0 if epoch <= half else (epochs - epoch) / half


def _latents(model: AugCycleGAN, recipe: AugCycleGANTraining, step: int) -> Latents:
    return _draw(model, recipe.batch, latent_generator(recipe.seed, step))


def _draw(model: AugCycleGAN, batch: int, generator: torch.Generator) -> Latents:
    device = next(model.parameters()).device
    there, back = model.directions()
    return Latents(there.prior(batch, generator, device), back.prior(batch, generator, device))


def _picture(
    path: Path, model: AugCycleGAN, average: GeneratorAverage, pair: Pair, seed: int, bands: tuple[int, int, int]
) -> None:
    generator = generator_for(seed)
    draws = [_draw(model, len(pair.cloudy), generator) for _ in range(_PICTURE_DRAWS)]
    write_grid(path, sample_columns(model, average, pair, draws), bands, pair.clear)


def _terms(config: AugCycleGANConfig, recipe: AugCycleGANTraining, sizes: tuple[int, int]) -> dict[str, Any]:
    return {
        **{f"networks.{name}": value for name, value in config.to_dict().items()},
        **asdict(recipe),
        "cloudy images": sizes[0],
        "clear images": sizes[1],
    }


def _check(
    config: AugCycleGANConfig,
    recipe: AugCycleGANTraining,
    piles: Piles,
    sizes: tuple[int, int],
    picture_bands: tuple[int, int, int],
) -> None:
    """Refuse data that would fail in the first batch, or give meaningless results."""
    if sizes[0] < recipe.batch or sizes[1] < 1:
        raise InputError(
            f"There are {sizes[0]} cloudy and {sizes[1]} clear images; a batch needs {recipe.batch} cloudy and 1 "
            "clear.",
            "Give more images or a smaller batch.",
            code="too-few-images",
        )
    cloudy, cloudy_conditioning, clear, clear_conditioning = piles[(0, 0, 0)]
    bands = (config.to_clear.source_bands, config.to_clear.target_bands)
    for name, image, conditioning, wanted in (
        ("cloudy", cloudy, cloudy_conditioning, bands[0]),
        ("clear", clear, clear_conditioning, bands[1]),
    ):
        if (
            image.ndim != 3
            or conditioning.ndim != 3
            or len(image) != wanted
            or len(conditioning) != config.to_clear.conditioning
        ):
            raise InputError(
                f"The {name} images have shape {tuple(image.shape)} and conditioning {tuple(conditioning.shape)}; the "
                f"networks take {wanted} bands and {config.to_clear.conditioning} conditioning bands.",
                "Choose the bands that the networks are configured for.",
                code="bad-shape",
            )
        if image.abs().max() > 1 or (conditioning.numel() and conditioning.abs().max() > 1):
            raise InputError(
                f"The {name} images hold values outside [-1, 1].", "Scale and clip them.", code="bad-scale"
            )
    if max(picture_bands) >= min(bands):
        raise InputError(
            f"The pictures show bands {picture_bands} (from 0), but there are only {min(bands)}.",
            "Choose other bands for red, green and blue.",
            code="bad-bands",
        )


def _check_numbers(numbers: Mapping[str, float], pair: Pair, step: int, folder: Path) -> None:
    lost = [name for name, value in numbers.items() if not math.isfinite(value)]
    if not lost:
        return
    parts = {name: part for name, part in pair._asdict().items() if part is not None}
    bad = [name.replace("_", " ") for name, part in parts.items() if not bool(torch.isfinite(part).all())]
    raise RunError(
        f"{lost[0]} is not a number at step {step}{f': the {bad[0]} images hold NaN' if bad else ''}.",
        f"The last valid state is in {folder / STATE}. "
        f"{'Correct the data' if bad else 'Start again with a lower learning rate'}.",
        code="nan-loss",
    )
