"""Training of cloud removal with uncertainty: one loop, from samples to a network.

Three stretches: absolute error first, because a variance is only worth learning around a sensible mean; then the
Gaussian likelihood on small patches; at last whole tiles, because norms and gates look at the whole tile and tiles are
what is used. Under torchrun every process computes its part of each batch and the first one writes.
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
from sunbreak.models.uncrtaints import UnCRtainTS, UnCRtainTSConfig
from sunbreak.training.disk import writing
from sunbreak.training.numerics import mixed_precision
from sunbreak.training.processes import Processes, any_process, here, join_batch_norms, mean_over_processes, together
from sunbreak.training.removal.finishing import choose_gain, finish, scale_residual
from sunbreak.training.removal.losses import absolute_error, detail_error, gaussian_nll
from sunbreak.training.removal.progress import STATE, Log, restore
from sunbreak.training.removal.recipe import RemovalTraining
from sunbreak.training.removal.samples import Batch, Draws, Sample
from sunbreak.training.removal.series import Series, SeriesDraws

__all__ = ["RemovalTraining", "choose_gain", "finish", "scale_residual", "train"]

Samples = Sequence[Sample] | Sequence[Series]

_SCALE = 10.0
_SAVE_EVERY = 100
_LOOK_AT = 8  # held-out samples
_CLIP = 1.0
_AHEAD = 2  # batches that are prepared while another one is computed with


def train(
    recipe: RemovalTraining,
    simulated: Samples,
    real: Samples,
    clouded: Samples,
    folder: Path,
    reporter: Reporter,
    *,
    device: str = "cpu",
    start: UnCRtainTS | None = None,
    transplanted: Samples = (),
    small: Sequence[tuple[float, Sequence[Sample]]] = (),
    held_out: Samples = (),
    tensorboard: bool = False,
) -> UnCRtainTS:
    """Train, resume where an earlier call with the same recipe stopped, and give back the network.

    Args:
        recipe: How.
        simulated: Simulated samples; with several dates all samples are series (`sunbreak.training.removal.series`).
        real: Real pairs; may be empty.
        clouded: Real ground under simulated clouds; may be empty.
        folder: Where state and log are kept.
        reporter: Told about the progress and asked whether to stop; when it stops the state has been saved.
        device: Where to train.
        start: Weights to begin with instead of random ones.
        transplanted: Real ground under real clouds of other places; may be empty.
        small: Groups of samples that may be smaller than a tile, each with its share of all patches; the other shares
            are parts of what is left. Steps on whole tiles do without those that are smaller.
        held_out: Samples that are looked at and not learnt from, as often as the recipe says.
        tensorboard: Whether the log is also written for TensorBoard.

    Raises:
        InputError: There are no samples, the batch is too small for the processes, or TensorBoard is not installed.
        RunError: The loss is not a number (the last good state is kept), or the disk is full.
    """
    me = here()
    device = me.device(device)
    groups: list[tuple[float, Sequence[Any]]] = [
        (1 - recipe.real_share - recipe.clouded_share - recipe.transplanted_share, simulated),
        (recipe.real_share, real), (recipe.clouded_share, clouded), (recipe.transplanted_share, transplanted),
    ]  # fmt: skip
    _check(recipe, groups, held_out, me)
    torch.manual_seed(recipe.seed)
    module = UnCRtainTS(_config(recipe)).to(device)
    if start is not None:
        _begin_with(module, start)
    optimizer = torch.optim.Adam(module.parameters(), lr=recipe.learning_rate)
    draws = (
        SeriesDraws(groups, recipe.seed, recipe.dates, recipe.no_radar)
        if recipe.dates > 1
        else Draws(groups, recipe.seed, recipe.no_radar, recipe.prior, small)
    )
    looks = draws.held_out(held_out, recipe.tile, _LOOK_AT) if recipe.validate_every else []
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
                    course.step += 1
                    due = bool(looks) and (course.step % recipe.validate_every == 0 or course.step == recipe.steps)
                    found = trainer.look(looks) if due else None
                    if found is not None:
                        course.note(found, module, recipe)
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
    if course.best_weights is not None:
        module.load_state_dict(course.best_weights)
        said = f"The held-out loss was lowest, {course.best:.4f}, after step {course.best_step}"
        stopped = f"; stopped at step {course.step}." if course.step < recipe.steps else "."
        reporter.message(said + stopped)
    return module


@dataclass
class _Trainer:
    """What a step needs that does not change from one to the next."""

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
        """One step; loss and mean absolute error in reflectance of the batch, NaN where nothing was changed."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate(step)
        self.module.train()
        loss, error = self._losses(self.network, batch, self.recipe.likelihood(step))
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        told: list[float] = mean_over_processes(torch.stack((loss.detach(), error.detach()))).tolist()
        norm = torch.nn.utils.clip_grad_norm_(self.module.parameters(), _CLIP)
        if not (math.isfinite(told[0]) and math.isfinite(norm.item())):
            return math.nan, math.nan
        self.optimizer.step()
        return told[0], told[1] / _SCALE

    def look(self, batches: Sequence[Batch]) -> float:
        """Mean loss of held-out batches, as in the last stretch."""
        self.module.eval()
        with torch.no_grad():
            losses = [self._losses(self.module.network, batch, 0.3)[0].item() for batch in batches]
        return sum(losses) / len(losses)

    def sane(self, batch: Batch) -> bool:
        """Whether the network as it is used gives numbers, so that its state is worth keeping."""
        self.module.eval()
        with torch.no_grad():
            loss = self._losses(self.module.network, batch, 0.3)[0].item()
        return not any_process(not math.isfinite(loss), self.device)

    def _losses(self, network: nn.Module, batch: Batch, likelihood: float) -> tuple[Tensor, Tensor]:
        """The loss, and the error that is a part of it."""
        device, module = self.device, self.module
        x, target, weight = (torch.from_numpy(part).to(device) for part in (batch.x, batch.target, batch.weight))
        days = None if batch.days is None else torch.from_numpy(batch.days).to(device)
        with mixed_precision(device, on_cpu=True):
            raw = network(x * module.config.scale_by, days)
        mean, variance = module.head(raw.float(), module.filled(x))
        if variance is None:
            raise ValueError("training needs a network with variance")
        mean, target = mean * _SCALE, target * _SCALE
        error = absolute_error(mean, target, weight)
        if self.recipe.detail:
            error = error + self.recipe.detail * detail_error(mean, target, weight)
        return error + likelihood * gaussian_nll(mean, variance * _SCALE**2, target, weight), error


def _config(recipe: RemovalTraining) -> UnCRtainTSConfig:
    return UnCRtainTSConfig(
        width=recipe.width,
        depth=recipe.depth,
        guided=bool(recipe.prior),
        prior=recipe.prior,
        multi_temporal=recipe.dates > 1,
    )


def _check(
    recipe: RemovalTraining, groups: Sequence[tuple[float, Sequence[Any]]], held_out: Sequence[Any], me: Processes
) -> None:
    if not any(len(samples) for _, samples in groups):
        raise InputError("There are no samples to train on.", "Give simulated scenes or real pairs.", code="no-samples")
    if recipe.batch < me.count:
        raise InputError(
            f"A batch of {recipe.batch} cannot be shared by {me.count} processes.",
            f"Give --batch {me.count} or more.",
            code="bad-option",
        )
    if recipe.patience and not (recipe.validate_every and len(held_out)):
        raise InputError(
            "To stop early, there must be something held out to look at.",
            "Give held-out scenes or pairs and --validate-every, or --patience 0.",
            code="bad-option",
        )


def _batch(draws: Draws, recipe: RemovalTraining, step: int, me: Processes) -> Batch:
    """This process's part of a batch."""
    # every process needs something to compute, so with more than two the batches of whole tiles are larger
    count, size = (max(2, me.count), recipe.tile) if recipe.whole_tiles(step) else (recipe.batch, recipe.patch)
    return draws.batch(step, count, size, me.share(count))


def _ahead(make: Callable[[int], Batch], first: int, stop: int) -> Generator[Batch]:
    """The batches from `first` on, made in a thread while earlier ones are computed with."""
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
        f"The last good weights are kept in {state}: go on from them with --start {folder}, another --name and a lower "
        "--learning-rate."
        if state.is_file()
        else "Train with a lower --learning-rate."
    )
    return RunError(f"The loss is not a number at step {step}.", kept, code="nan-loss")


def _begin_with(module: UnCRtainTS, start: UnCRtainTS) -> None:
    """Take over the weights of another network, whose prior may be another one."""
    theirs, ours = ({**config.to_dict(), "prior": None} for config in (start.config, module.config))
    if theirs != ours:
        raise ModelError(
            "The model to begin with is not of the kind that is to be trained.",
            f"Give the options of its own training: width {start.config.width}, depth {start.config.depth}, "
            f"{'guided' if start.config.guided else 'not guided'}.",
            code="wrong-size",
        )
    module.load_state_dict(start.state_dict())
