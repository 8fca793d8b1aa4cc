"""Training of cloud removal with uncertainty: one loop, from samples to a model with its card.

Three stretches: absolute error first, because a variance is only worth learning around a sensible mean; then the
Gaussian likelihood on small patches; at last whole tiles, because norms and gates look at the whole tile and tiles are
what is used.
"""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sunbreak.engine.runtime import TorchRuntime
from sunbreak.errors import ModelError, RunError
from sunbreak.events import Reporter
from sunbreak.models.guide import guide
from sunbreak.models.importing import save_uncrtaints
from sunbreak.models.networks import RemovalNetwork
from sunbreak.models.registry import ModelFiles
from sunbreak.models.uncrtaints import UnCRtainTS, UnCRtainTSConfig
from sunbreak.training.losses import absolute_error, detail_error, gaussian_nll
from sunbreak.training.samples import Draws, Sample

_SCALE = 10.0
_SAVE_EVERY = 100
_CLIP = 1.0
_BREAK = 120.0  # seconds without a step
_GAINS = tuple(round(0.1 * tenth, 1) for tenth in range(1, 11))


@dataclass(frozen=True)
class RemovalTraining:
    """The recipe.

    Attributes:
        steps: Batches.
        batch: Patches per batch.
        patch: Side of a patch in pixels.
        tile_steps: Share of the steps, at the end, on whole tiles (batches of 2).
        warm_up: Share of the steps, at the beginning, with absolute error only.
        learning_rate: Highest learning rate of Adam; rises over 3 % of the steps, then falls as a cosine.
        real_share: Share of patches from real cloudy and clear pairs, where there are any.
        clouded_share: Share of patches of real ground under simulated clouds, where there are any.
        transplanted_share: Share of patches of real ground under real clouds of other places, where there are any.
        seed: Seed of everything random.
        width: Channels of the network.
        depth: Blocks of the network.
        tile: Side of a tile.
        no_radar: Probability of leaving the radar out of a patch.
        detail: Weight of the error of neighbours' differences.
        prior: Spectrum of a guided network; empty for one without a guide.
    """

    steps: int = 2400
    batch: int = 8
    patch: int = 96
    tile_steps: float = 0.1
    warm_up: float = 0.15
    learning_rate: float = 1.5e-3
    real_share: float = 0.2
    clouded_share: float = 0.35
    transplanted_share: float = 0.0
    seed: int = 1
    width: int = 128
    depth: int = 5
    tile: int = 256
    no_radar: float = 0.05
    detail: float = 0.0
    prior: tuple[float, ...] = ()


def train(
    recipe: RemovalTraining,
    simulated: Sequence[Sample],
    real: Sequence[Sample],
    clouded: Sequence[Sample],
    folder: Path,
    reporter: Reporter,
    *,
    device: str = "cpu",
    start: UnCRtainTS | None = None,
    transplanted: Sequence[Sample] = (),
) -> UnCRtainTS:
    """Train, resume where an earlier call with the same recipe stopped, and give back the network.

    Args:
        recipe: How.
        simulated: Simulated samples.
        real: Real pairs; may be empty.
        clouded: Real ground under simulated clouds; may be empty.
        folder: Where state and log are kept.
        reporter: Told about the progress and asked whether to stop; when it stops the state has been saved.
        device: Where to train.
        start: Weights to begin with instead of random ones.
        transplanted: Real ground under real clouds of other places; may be empty.

    Raises:
        RunError: The loss is not a number; the last good state is kept.
    """
    torch.manual_seed(recipe.seed)
    config = UnCRtainTSConfig(width=recipe.width, depth=recipe.depth, guided=bool(recipe.prior), prior=recipe.prior)
    module = UnCRtainTS(config).to(device)
    if start is not None:
        _begin_with(module, start)
    optimizer = torch.optim.Adam(module.parameters(), lr=recipe.learning_rate)
    rest = 1 - recipe.real_share - recipe.clouded_share - recipe.transplanted_share
    groups = [
        (rest, simulated), (recipe.real_share, real), (recipe.clouded_share, clouded),
        (recipe.transplanted_share, transplanted),
    ]  # fmt: skip
    draws = Draws(groups, recipe.seed, recipe.no_radar, recipe.prior)
    folder.mkdir(parents=True, exist_ok=True)
    state_path = folder / "state.pt"
    first = _restore(state_path, recipe, module, optimizer)
    reporter.progress(first, recipe.steps, "steps")
    try:
        for step in range(first, recipe.steps):
            reporter.checkpoint()
            loss, error = _step(recipe, step, module, optimizer, draws, device)
            if not math.isfinite(loss):
                raise RunError(
                    f"The loss is not a number at step {step}.",
                    f"The state of the last {_SAVE_EVERY} steps is kept in {folder}; train with a lower learning rate.",
                    code="nan-loss",
                )
            _log(folder / "log.csv", step, loss, error, optimizer.param_groups[0]["lr"])
            if (step + 1) % _SAVE_EVERY == 0 or step + 1 == recipe.steps:
                _save(state_path, recipe, step + 1, module, optimizer)
            reporter.progress(step + 1, recipe.steps, "steps")
    finally:
        module.eval()
    return module


def finish(
    module: UnCRtainTS,
    recipe: RemovalTraining,
    held_out: Sequence[Sample],
    checks: Sequence[tuple[str, Sequence[Sample]]],
    name: str,
    folder: Path,
    facts: dict[str, Any],
    *,
    real_calibration: Sequence[Sample] = (),
) -> ModelFiles:
    """Calibrate on held-out samples, measure, and write weights and card.

    Args:
        module: The trained network.
        recipe: How it was trained.
        held_out: Simulated samples that were not trained on, split in two: the first half calibrates, the second
            checks.
        checks: Further data, each with its name, to measure on and for nothing else.
        name: Name of the model.
        folder: Where it goes.
        facts: What the card says about the training beside the recipe.
        real_calibration: Real pairs that were not trained on: sigma is calibrated on them instead of the simulated
            ones.
    """
    from sunbreak.training import evaluation

    module = module.to("cpu").eval()
    if recipe.prior and real_calibration:
        gain = choose_gain(module, real_calibration, recipe)
        scale_residual(module, gain)
        facts = {
            **facts,
            "residual_gain": gain,
            "residual_gain_chosen_on": f"{len(real_calibration)} held-out real pairs",
        }
    runtime = TorchRuntime(RemovalNetwork(module.to("cpu").eval()), torch.device("cpu"), recipe.tile)
    half = len(held_out) // 2
    predictions = evaluation.predict(runtime, held_out, recipe.prior)
    if real_calibration:
        factor = evaluation.temperature(real_calibration, evaluation.predict(runtime, real_calibration, recipe.prior))
        calibrated_on = f"{len(real_calibration)} real pairs that were not trained on"
    else:
        factor = evaluation.temperature(held_out[:half], predictions[:half])
        calibrated_on = f"{half} held-out simulated scenes"
    groups = [("held-out simulated scenes, not used for calibration", held_out[half:], predictions[half:])]
    groups += [(label, samples, evaluation.predict(runtime, samples, recipe.prior)) for label, samples in checks]
    metrics = []
    for label, samples, predicted in groups:
        figures = evaluation.evaluate(samples, predicted, factor)
        if recipe.no_radar > 0:
            figures |= evaluation.without_radar(runtime, samples, factor, recipe.prior)
        metrics.append({"data": f"{label} ({len(samples)} images)", "figures": figures})
    return save_uncrtaints(
        module,
        name,
        folder,
        title=f"UnCRtainTS{', guided,' if recipe.prior else ','} mono-temporal, trained on simulated and real scenes",
        description=(
            "A first set of weights so that everything runs out of the box. Trained by `sunbreak train removal` on "
            "simulated scenes and a few real ones; see the figures before you rely on it. Small or sudden things "
            "under clouds are not recovered."
        ),
        licence="GPL-2.0-or-later",
        tile=recipe.tile,
        # the guides of neighbouring tiles differ where little is clear: over 32 px the step between them can be seen
        overlap=recipe.tile // (4 if recipe.prior else 8),
        temperature=tuple(round(float(value), 4) for value in factor),
        calibrated_on=calibrated_on,
        training={**facts, "recipe": asdict(recipe)},
        metrics=tuple(metrics),
    )


def choose_gain(module: UnCRtainTS, samples: Sequence[Sample], recipe: RemovalTraining) -> float:
    """How much of what a guided network adds to its guide is worth keeping, in tenths.

    A network that learnt mostly from simulated scenes is too sure on real ones. The share with the highest mean PSNR
    inside the masks of real pairs that were not trained on is taken.
    """
    from sunbreak.metrics import image
    from sunbreak.training import evaluation

    runtime = TorchRuntime(RemovalNetwork(module), torch.device("cpu"), recipe.tile)
    totals = np.zeros(len(_GAINS))
    for sample, (mean, _) in zip(samples, evaluation.predict(runtime, samples, recipe.prior), strict=True):
        if sample.hidden is None or not sample.hidden.any():
            continue
        cloudy, target = evaluation.reflectance(sample)
        start = guide(cloudy, ~sample.hidden, recipe.prior, sample.s1)
        for index, gain in enumerate(_GAINS):
            mixed = np.clip(start + np.float32(gain) * (mean - start), 0, 1)
            totals[index] += image.psnr(mixed, target, sample.hidden)
    return float(_GAINS[int(totals.argmax())])


def scale_residual(module: UnCRtainTS, gain: float) -> None:
    """Multiply what a guided network adds to its guide, in its weights."""
    last: Any = module.network.out_conv.conv.conv[0]  # type: ignore[index]
    with torch.no_grad():
        last.weight[:13].mul_(gain)
        last.bias[:13].mul_(gain)


def _step(
    recipe: RemovalTraining,
    step: int,
    module: UnCRtainTS,
    optimizer: torch.optim.Optimizer,
    draws: Draws,
    device: str,
) -> tuple[float, float]:
    whole_tiles = step >= recipe.steps * (1 - recipe.tile_steps)
    batch = draws.batch(step, 2, recipe.tile) if whole_tiles else draws.batch(step, recipe.batch, recipe.patch)
    x, target, weight = (torch.from_numpy(part).to(device) for part in (batch.x, batch.target, batch.weight))
    for group in optimizer.param_groups:
        group["lr"] = _learning_rate(recipe, step)
    module.train()
    with torch.autocast(torch.device(device).type, torch.bfloat16):
        raw = module.network(x * module.config.scale_by)
    mean, variance = module.head(raw.float(), module.filled(x))
    if variance is None:
        raise ValueError("training needs a network with variance")
    error = absolute_error(mean * _SCALE, target * _SCALE, weight)
    likelihood = gaussian_nll(mean * _SCALE, variance * _SCALE**2, target * _SCALE, weight)
    # a little of the likelihood from the start, so that the variance begins at a sensible place
    if recipe.detail:
        error = error + recipe.detail * detail_error(mean * _SCALE, target * _SCALE, weight)
    loss = error + (0.01 if step < recipe.steps * recipe.warm_up else 0.3) * likelihood
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    if not math.isfinite(loss.item()):
        return loss.item(), error.item()
    torch.nn.utils.clip_grad_norm_(module.parameters(), _CLIP)
    optimizer.step()
    return loss.item(), error.item() / _SCALE


def _begin_with(module: UnCRtainTS, start: UnCRtainTS) -> None:
    """Take over the weights of another network, whose prior may be another one."""
    if replace(start.config, prior=module.config.prior) != module.config:
        raise ModelError(
            "The model to begin with is not of the kind that is to be trained.",
            f"Give the options of its own training: width {start.config.width}, depth {start.config.depth}, "
            f"{'guided' if start.config.guided else 'not guided'}.",
            code="wrong-size",
        )
    module.load_state_dict(start.state_dict())


def _learning_rate(recipe: RemovalTraining, step: int) -> float:
    rise = max(1, round(0.03 * recipe.steps))
    if step < rise:
        return recipe.learning_rate * (step + 1) / rise
    progress = (step - rise) / max(1, recipe.steps - rise)
    return recipe.learning_rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))


def _save(path: Path, recipe: RemovalTraining, step: int, module: UnCRtainTS, optimizer: torch.optim.Optimizer) -> None:
    draft = path.with_name(f".{path.name}")
    torch.save(
        {"recipe": asdict(recipe), "step": step, "weights": module.state_dict(), "optimizer": optimizer.state_dict()},
        draft,
    )
    draft.replace(path)


def _restore(path: Path, recipe: RemovalTraining, module: UnCRtainTS, optimizer: torch.optim.Optimizer) -> int:
    """Load an earlier state of the same recipe and give its step, or 0."""
    if not path.is_file():
        return 0
    state = torch.load(path, map_location="cpu", weights_only=True)
    if state["recipe"] != asdict(recipe):
        return 0
    module.load_state_dict(state["weights"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])


def minutes_of(log: Path) -> float:
    """How long the steps of a log took, breaks left out."""
    with log.open(newline="", encoding="utf-8") as stream:
        times = np.array([float(row["time"]) for row in csv.DictReader(stream)])
    gaps = np.diff(times)
    return float(gaps[gaps < _BREAK].sum()) / 60


def _log(path: Path, step: int, loss: float, error: float, learning_rate: float) -> None:
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        if new:
            writer.writerow(["time", "step", "loss", "mean_absolute_error", "learning_rate"])
        writer.writerow([round(time.time(), 1), step, f"{loss:.6f}", f"{error:.6f}", f"{learning_rate:.3g}"])
