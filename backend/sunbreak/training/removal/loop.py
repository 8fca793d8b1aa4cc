"""The training loop of cloud removal with uncertainty, from samples to a network.

The training has three phases. First, the loss is the absolute error only: a variance needs a sensible mean. Then the
Gaussian likelihood is added, on small patches. At the end the batches hold whole tiles, as at inference, because norms
and gates depend on the whole tile. Under torchrun every process computes its part of each batch; the first one writes.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sunbreak.errors import InputError, ModelError, RunError
from sunbreak.events import Reporter
from sunbreak.models.uncrtaints import UnCRtainTS
from sunbreak.models.uncrtaints_config import UnCRtainTSConfig
from sunbreak.training.disk import writing
from sunbreak.training.numerics import mixed_precision
from sunbreak.training.processes import Processes, any_process, here, join_batch_norms, mean_over_processes, together
from sunbreak.training.removal.finishing import choose_gain, finish, scale_residual
from sunbreak.training.removal.losses import absolute_error, colour_error, detail_error, gaussian_nll, structure_error
from sunbreak.training.removal.network_batches import Batch, Draws
from sunbreak.training.removal.progress import STATE, Log, restore
from sunbreak.training.removal.recipe import RemovalTraining
from sunbreak.training.removal.samples import Sample
from sunbreak.training.removal.series import Series, SeriesDraws

__all__ = ["RemovalTraining", "TrainingSamples", "choose_gain", "finish", "scale_residual", "train"]

Samples = Sequence[Sample] | Sequence[Series]
Group = tuple[float, Sequence[Any]]

_SCALE = 10.0
_SAVE_EVERY = 100
_VALIDATE_ON = 8  # held-out samples
_CLIP = 1.0  # gradient norm
_AHEAD = 2  # batches that are prepared during a step


@dataclass(frozen=True)
class TrainingSamples:
    """The samples of a training, by kind; with several dates all of them are series.

    Attributes:
        simulated: Simulated scenes.
        real: Real pairs of a cloudy and a clear image.
        clouded: Real clear ground under simulated clouds.
        transplanted: Real clear ground under real clouds of other places.
        small: Groups of samples that may be smaller than a tile, each with its fraction of all patches. The other
            fractions are parts of the rest. Steps on whole tiles leave out the groups that are smaller than a tile.
        held_out: Samples for the validation loss; the network does not learn from them.
    """

    simulated: Samples = ()
    real: Samples = ()
    clouded: Samples = ()
    transplanted: Samples = ()
    small: Sequence[tuple[float, Sequence[Sample]]] = ()
    held_out: Samples = ()

    def groups(self, recipe: RemovalTraining) -> list[Group]:
        """The kinds that fill whole tiles, each with the probability that the recipe gives it."""
        rest = 1 - recipe.real_share - recipe.clouded_share - recipe.transplanted_share
        return [
            (rest, self.simulated), (recipe.real_share, self.real), (recipe.clouded_share, self.clouded),
            (recipe.transplanted_share, self.transplanted),
        ]  # fmt: skip


def train(
    recipe: RemovalTraining,
    samples: TrainingSamples,
    folder: Path,
    reporter: Reporter,
    *,
    device: str = "cpu",
    start: UnCRtainTS | None = None,
    tensorboard: bool = False,
) -> UnCRtainTS:
    """Train a network, or resume an earlier call with the same recipe.

    Args:
        recipe: How to train.
        samples: Training and validation samples.
        folder: Folder of state and log.
        reporter: Receives the progress and can stop the training, which saves the state first.
        device: ``cpu`` or ``cuda``.
        start: Network whose weights the training starts from; random weights if not given.
        tensorboard: Whether the log is also written for TensorBoard.

    Raises:
        InputError: There are no samples, the batch is too small for the processes, or TensorBoard is not installed.
        RunError: The loss is not a number (the last valid state stays on disk), or the disk is full.
    """
    me = here()
    device = me.device(device)
    groups = samples.groups(recipe)
    _check(recipe, samples, me)
    torch.manual_seed(recipe.seed)
    module = UnCRtainTS(_config(recipe)).to(device)
    if start is not None:
        _begin_with(module, start)
    optimizer = torch.optim.Adam(module.parameters(), lr=recipe.learning_rate)
    draws = (
        SeriesDraws(groups, recipe.seed, recipe.dates, recipe.no_radar)
        if recipe.dates > 1
        else Draws(groups, recipe.seed, recipe.no_radar, recipe.prior, samples.small)
    )
    validation = draws.held_out(samples.held_out, recipe.tile, _VALIDATE_ON) if recipe.validate_every else []
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    course = restore(folder / STATE, recipe, module, optimizer)
    reporter.progress(course.step, recipe.steps, "steps")
    try:
        with together(device), Log(folder, course.step, tensorboard) if me.first else nullcontext() as log:
            trainer = _Trainer(recipe, module, optimizer, device, me)
            with closing(_ahead(lambda step: _batch(draws, recipe, step, me), course.step, recipe.steps)) as batches:
                while not course.over(recipe):
                    if any_process(reporter.cancellation.requested, device):
                        reporter.cancellation.request()
                        if me.first and course.step:
                            course.save(folder / STATE, recipe, module, optimizer)
                    reporter.checkpoint()
                    step, batch = course.step, next(batches)
                    loss, error = trainer.step(step, batch)
                    if not math.isfinite(loss):
                        raise _not_a_number(step, folder)
                    course.stepped(module)
                    due = bool(validation) and (course.step % recipe.validate_every == 0 or course.step == recipe.steps)
                    found = trainer.validate(validation, course.result(module)) if due else None
                    if found is not None:
                        course.note(found, course.result(module), recipe)
                    if log is not None:
                        log.row(step, loss, error, recipe.rate(step), found)
                    if course.step % _SAVE_EVERY == 0 or course.over(recipe):
                        if not trainer.sane(batch):
                            raise _not_a_number(step + 1, folder)
                        if me.first:
                            course.save(folder / STATE, recipe, module, optimizer)
                    reporter.progress(course.step, recipe.steps, "steps")
    finally:
        module.eval()
    module = course.result(module).eval()
    if course.best_weights is not None:
        module.load_state_dict(course.best_weights)
        lowest = f"The validation loss was lowest, {course.best:.4f}, after step {course.best_step}"
        stopped = f"; stopped early at step {course.step}." if course.step < recipe.steps else "."
        reporter.message(lowest + stopped)
    return module


@dataclass
class _Trainer:
    """Everything that all steps share."""

    recipe: RemovalTraining
    module: UnCRtainTS
    optimizer: torch.optim.Optimizer
    device: str
    me: Processes

    def __post_init__(self) -> None:
        self.network: nn.Module = self.module.network
        if self.me.count > 1:
            join_batch_norms(self.network)
            self.network = nn.parallel.DistributedDataParallel(self.network)

    def step(self, step: int, batch: Batch) -> tuple[float, float]:
        """Run one step. Returns loss and mean absolute error (reflectance); NaN if the weights were not updated."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate(step)
        self.module.train()
        loss, error = self._losses(self.network, self.module, batch, self.recipe.likelihood(step))
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        numbers: list[float] = mean_over_processes(torch.stack((loss.detach(), error.detach()))).tolist()
        norm = torch.nn.utils.clip_grad_norm_(self.module.parameters(), _CLIP)
        if not (math.isfinite(numbers[0]) and math.isfinite(norm.item())):
            return math.nan, math.nan
        self.optimizer.step()
        return numbers[0], numbers[1] / _SCALE

    def validate(self, batches: Sequence[Batch], module: UnCRtainTS) -> float:
        """Mean loss of a network on held-out batches, with the loss of the last phase."""
        module.eval()
        with torch.no_grad():
            losses = [self._losses(module.network, module, batch, 0.3)[0].item() for batch in batches]
        return sum(losses) / len(losses)

    def sane(self, batch: Batch) -> bool:
        """Whether the network gives finite numbers in evaluation mode, so that its state can be saved."""
        self.module.eval()
        with torch.no_grad():
            loss = self._losses(self.module.network, self.module, batch, 0.3)[0].item()
        return not any_process(not math.isfinite(loss), self.device)

    def _losses(self, network: nn.Module, module: UnCRtainTS, batch: Batch, likelihood: float) -> tuple[Tensor, Tensor]:
        """The loss, and the mean absolute error in it. `network` is that of `module`, which may be distributed."""
        device = self.device
        x, target, weight = (torch.from_numpy(part).to(device) for part in (batch.x, batch.target, batch.weight))
        days = None if batch.days is None else torch.from_numpy(batch.days).to(device)
        with mixed_precision(device, on_cpu=True):
            raw = network(x * module.config.scale_by, days)
        mean, variance = module.head(raw.float(), module.filled(x))
        if variance is None:
            raise ValueError("training needs a network with variance")
        mean, target = mean * _SCALE, target * _SCALE
        absolute = absolute_error(mean, target, weight)
        error = absolute
        if self.recipe.detail:
            error = error + self.recipe.detail * detail_error(mean, target, weight)
        if self.recipe.structure:
            error = error + self.recipe.structure * structure_error(mean, target, weight)
        if self.recipe.colour:
            error = error + self.recipe.colour * colour_error(mean, target, weight)
        return error + likelihood * gaussian_nll(mean, variance * _SCALE**2, target, weight), absolute


def _config(recipe: RemovalTraining) -> UnCRtainTSConfig:
    return UnCRtainTSConfig(
        width=recipe.width,
        depth=recipe.depth,
        guided=bool(recipe.prior),
        hides_opaque=recipe.hides_opaque,
        prior=recipe.prior,
        multi_temporal=recipe.dates > 1,
    )


def _check(recipe: RemovalTraining, samples: TrainingSamples, me: Processes) -> None:
    if not any(len(group) for _, group in samples.groups(recipe)):
        raise InputError("There are no samples to train on.", "Give simulated scenes or real pairs.", code="no-samples")
    if recipe.batch < me.count:
        raise InputError(
            f"A batch of {recipe.batch} patches is too small for {me.count} processes.",
            f"Give --batch {me.count} or more.",
            code="bad-option",
        )
    if recipe.patience and not (recipe.validate_every and len(samples.held_out)):
        raise InputError(
            "Early stopping needs a validation set.",
            "Give held-out scenes or pairs and --validate-every, or --patience 0.",
            code="bad-option",
        )


def _batch(draws: Draws, recipe: RemovalTraining, step: int, me: Processes) -> Batch:
    """The part of a batch that this process computes."""
    # every process needs at least one patch, so batches of whole tiles grow with the number of processes
    count, size = (max(2, me.count), recipe.tile) if recipe.whole_tiles(step) else (recipe.batch, recipe.patch)
    return draws.batch(step, count, size, me.share(count))


def _ahead(make: Callable[[int], Batch], first: int, stop: int) -> Generator[Batch]:
    """The batches from `first` on. A thread prepares them during the steps before."""
    with ThreadPoolExecutor(1, "sunbreak-batches") as pool:
        waiting = deque(pool.submit(make, step) for step in range(first, min(first + _AHEAD, stop)))
        try:
            for step in range(first, stop):
                batch = waiting.popleft().result()
                if step + _AHEAD < stop:
                    waiting.append(pool.submit(make, step + _AHEAD))
                yield batch
        finally:
            for future in waiting:
                future.cancel()


def _not_a_number(step: int, folder: Path) -> RunError:
    state = folder / STATE
    kept = (
        f"The last valid weights are in {state}: continue from them with --start {folder}, another --name and a "
        "lower --learning-rate."
        if state.is_file()
        else "Train with a lower --learning-rate."
    )
    return RunError(f"The loss is not a number at step {step}.", kept, code="nan-loss")


def _begin_with(module: UnCRtainTS, start: UnCRtainTS) -> None:
    """Copy the weights of another network. Its prior may differ, and whether it sees opaque clouds."""
    input_only = {"prior": None, "hides_opaque": None}
    theirs, ours = ({**config.to_dict(), **input_only} for config in (start.config, module.config))
    if theirs != ours:
        raise ModelError(
            "The model to start from has another architecture than the model to train.",
            f"Use the options of its training: width {start.config.width}, depth {start.config.depth}, "
            f"{'guided' if start.config.guided else 'not guided'}.",
            code="wrong-size",
        )
    module.load_state_dict(start.state_dict())
