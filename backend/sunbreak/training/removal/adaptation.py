"""Adaptation of cloud removal to a user's own place, with the clear parts of their scenes as training data.

Simulated clouds are laid over clear blocks of the scenes, so the truth is known. The guide is fitted to the colours of
the place and their relation to the radar. The network is fine-tuned. Some blocks are held out: the gain is measured on
them, under other clouds than those of the training.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sunbreak.engine.runtime import TorchRuntime
from sunbreak.errors import ModelError
from sunbreak.events import Reporter, Silent
from sunbreak.metrics import fills, image
from sunbreak.models.architectures import load_model
from sunbreak.models.importing import save_uncrtaints
from sunbreak.models.networks import RemovalNetwork
from sunbreak.models.registry import ModelFiles
from sunbreak.models.uncrtaints import UnCRtainTS
from sunbreak.removal.edges import feathered
from sunbreak.removal.fit import check_fit
from sunbreak.removal.place_prior import moments
from sunbreak.removal.task import DEFAULT_FEATHER
from sunbreak.scene import Scene
from sunbreak.training.numerics import described
from sunbreak.training.removal import validation
from sunbreak.training.removal.clear_blocks import Block, find_blocks
from sunbreak.training.removal.loop import RemovalTraining, TrainingSamples, train
from sunbreak.training.removal.priors import Trial, fit_prior
from sunbreak.training.removal.samples import Sample, with_masks

_DN = 10000.0
_FEATHER = DEFAULT_FEATHER
_LEARNING_RATE = 4e-4
_SAMPLES = 48  # smallest number of cloudy training images
_PACE = 6  # steps that measure the time per step
_AFTERWARDS = 15.0  # seconds to simulate the clouds of the calibration
_COVERS = (0.25, 0.45, 0.65, 0.85)


@dataclass(frozen=True)
class Gain:
    """Mean PSNR inside clouds on the held-out blocks, in dB.

    Attributes:
        before: The original network.
        guide: The original network with the prior of the place.
        after: The adapted network.
        mean_colour: Baseline: clouds filled with the mean colour of the clear pixels.
        images: Number of images.
    """

    before: float
    guide: float
    after: float
    mean_colour: float
    images: int


def lay_clouds(blocks: Sequence[Block], per_block: int, seed: int, *, opaque: bool = False) -> list[Sample]:
    """The blocks under simulated clouds and shadows, with the cloud masks that cleaning would use.

    Args:
        blocks: Clear ground.
        per_block: Number of different clouds over each block.
        seed: Seed of the clouds.
        opaque: Also mark what is opaque, see `sunbreak.training.removal.samples.with_masks`.
    """
    from sunbreak.datasets.simulation.clouds import Sun, cover_with, draw_clouds

    samples = []
    for index, block in enumerate(blocks):
        clear = block.dn.astype(np.float32) / np.float32(_DN)
        for number in range(per_block):
            rng = np.random.default_rng([seed, index, number])
            cover = _COVERS[number % len(_COVERS)]
            sun = Sun(rng.uniform(25, 60), rng.normal(155, 15))
            cloudy, _, _ = cover_with(clear, draw_clouds(rng, block.shape, cover), sun)
            dn = np.clip(np.rint(cloudy * _DN), 0, 65535).astype(np.uint16)
            samples.append(Sample(f"{block.name}, clouds {number}", block.s1, block.dn, dn, known=block.clear))
    # real clouds of the scene are hidden as well
    return [
        sample
        if sample.known is None or sample.hidden is None
        else replace(sample, hidden=sample.hidden | ~sample.known)
        for sample in with_masks(samples, opaque=opaque)
    ]


@dataclass(frozen=True)
class Adaptation:
    """How to adapt a model, and where the new one goes.

    Attributes:
        name: Name of the new model.
        folder: Folder for the new model.
        work: Folder for state and log.
        minutes: Approximate duration of the whole adaptation.
        steps: Number of training steps; replaces `minutes`.
        device: ``cpu`` or ``cuda``.
        seed: Seed of all random numbers.
    """

    name: str
    folder: Path
    work: Path
    minutes: float = 8.0
    steps: int | None = None
    device: str = "cpu"
    seed: int = 1


def adapt(scenes: Sequence[Scene], base: ModelFiles, order: Adaptation, reporter: Reporter) -> tuple[ModelFiles, Gain]:
    """Adapt a model to scenes, measure the gain, and write the new model with its card.

    Args:
        scenes: Scenes of the place. Their cloudy pixels are not used.
        base: The guided model to start from.
        order: How to adapt it, and where the new model goes.
        reporter: Receives messages and progress.

    Raises:
        InputError: The scenes do not fit the model or hold too little that is clear.
        ModelError: The model cannot be adapted.
        RunError: The loss is not a number.
    """
    begin = time.monotonic()
    card = base.card
    if not card.guided:
        raise ModelError(
            f"The model {card.name} is not guided, so it cannot be adapted.", "Use a bundled model.", code="not-guided"
        )
    for scene in scenes:
        check_fit(scene, card)
    module = load_model(base)
    learnt, held = find_blocks(scenes, reporter)
    reporter.message(f"{len(learnt)} blocks of {learnt[0].dn.shape[1]} px for training, {len(held)} held out.")
    per_block = max(4, _SAMPLES // len(learnt))
    opaque = module.config.hides_opaque
    samples = lay_clouds(learnt, per_block, order.seed, opaque=opaque)
    checks = lay_clouds(held, 4, order.seed + 1000, opaque=opaque)
    prior = _prior_of_place(learnt, samples, per_block)
    side = learnt[0].dn.shape[1]
    measuring = time.monotonic()
    before = _measure(module, checks, side, module.config.prior)
    guided = _measure(module, checks, side, prior)
    # time after the training: one more measurement, and a calibration with two images per block
    reserve = (time.monotonic() - measuring) * (0.5 + len(learnt) / len(checks)) + _AFTERWARDS
    recipe = RemovalTraining(
        steps=order.steps or 1, batch=8, patch=min(96, side), tile_steps=0.0, warm_up=0.0, learning_rate=_LEARNING_RATE,
        real_share=0.0, clouded_share=1.0, seed=order.seed, width=module.config.width, depth=module.config.depth,
        tile=side, prior=prior, no_radar=0.1, detail=0.1, hides_opaque=opaque,
    )  # fmt: skip
    if order.steps is None:
        seconds = 60 * order.minutes - (time.monotonic() - begin) - reserve
        recipe = replace(recipe, steps=_steps_in(seconds, recipe, samples, module, order))
    reporter.message(f"Training for {recipe.steps} steps.")
    own = TrainingSamples(clouded=samples)
    adapted = train(recipe, own, order.work / order.name, reporter, device=order.device, start=module)
    adapted = adapted.to("cpu").eval()
    after = _measure(adapted, checks, side, prior)
    fill = [_mean_fill(sample) for sample in checks]
    means = [float(np.mean(figures)) for figures in (before, guided, after, fill)]
    gain = Gain(means[0], means[1], means[2], means[3], len(checks))
    # sigma is calibrated under clouds that were not in the training
    fresh = lay_clouds(learnt, 2, order.seed + 2000, opaque=opaque)
    runtime = TorchRuntime(RemovalNetwork(adapted), torch.device("cpu"), side)
    factor = validation.temperature(fresh, validation.predict(runtime, fresh, prior))
    where = scenes[0].stem + (f" and {len(scenes) - 1} more" if len(scenes) > 1 else "")
    files = save_uncrtaints(
        adapted,
        order.name,
        order.folder,
        title=f"{card.name}, adapted to {where}",
        description=(
            f"{card.name}, fine-tuned on the clear parts of {where} under simulated clouds. It is meant for that place "
            "and season; use the original model elsewhere."
        ),
        licence=card.licence,
        tile=card.tile,
        overlap=card.overlap,
        temperature=tuple(round(float(value), 4) for value in factor),
        calibrated_on=f"{len(fresh)} images of the training blocks under other simulated clouds",
        training={
            "adapted_from": card.name,
            "adapted_from_sha256": card.sha256,
            "scenes": [path.name for scene in scenes for path in scene.inputs],
            "blocks": len(learnt),
            "minutes": round((time.monotonic() - begin) / 60, 1),
            "device": described(order.device, on_cpu=True),
            "recipe": asdict(recipe),
        },
        metrics=(
            {
                "data": f"held-out blocks of the scenes under simulated clouds ({gain.images} images)",
                "figures": {
                    "before": {"psnr_in_cloud": gain.before},
                    "before, with a guide that knows the place": {"psnr_in_cloud": gain.guide},
                    "after": {"psnr_in_cloud": gain.after},
                    "mean of clear pixels": {"psnr_in_cloud": gain.mean_colour},
                },
            },
        ),
    )
    return files, gain


def _prior_of_place(learnt: Sequence[Block], samples: Sequence[Sample], per_block: int) -> tuple[float, ...]:
    """The prior of the place from its training blocks. Samples are in the order of the blocks."""
    parts = []
    for block in learnt:
        reflectance = np.clip(block.dn, 0, _DN).astype(np.float32) / np.float32(_DN)
        parts.append((block.place, moments(reflectance, block.clear, block.s1)))
    trials = []
    for number, sample in enumerate(samples):
        cloudy, clear, judged = _parts(sample)
        if judged.any() and sample.hidden is not None:
            place = learnt[number // per_block].place
            trials.append(Trial(place, cloudy, clear, ~sample.hidden, judged, sample.s1))
    return fit_prior(parts, trials).numbers()


def _steps_in(
    seconds: float, recipe: RemovalTraining, samples: Sequence[Sample], module: UnCRtainTS, order: Adaptation
) -> int:
    """The number of steps that fit into a time, measured by a few steps."""
    trial, folder = replace(recipe, steps=_PACE), order.work / ".pace"
    begin = time.monotonic()
    train(trial, TrainingSamples(clouded=samples), folder, Silent(), device=order.device, start=module)
    (folder / "state.pt").unlink(missing_ok=True)
    took = time.monotonic() - begin
    return int(np.clip((seconds - took) * _PACE / took, 20, 3000))


def _measure(module: UnCRtainTS, samples: Sequence[Sample], side: int, prior: Sequence[float]) -> list[float]:
    """PSNR inside the clouds of each sample, with the blending of `sunbreak clean`."""
    runtime = TorchRuntime(RemovalNetwork(module), torch.device("cpu"), side)
    figures = []
    for sample, (mean, _) in zip(samples, validation.predict(runtime, samples, prior), strict=True):
        cloudy, target, cloud = _parts(sample)
        fraction = feathered(sample.hidden if sample.hidden is not None else cloud, _FEATHER)
        figures.append(image.psnr(cloudy + fraction * (mean - cloudy), target, cloud))
    return figures


def _mean_fill(sample: Sample) -> float:
    cloudy, target, cloud = _parts(sample)
    hidden = sample.hidden if sample.hidden is not None else cloud
    return image.psnr(fills.mean_fill(cloudy, hidden), target, cloud)


def _parts(sample: Sample) -> tuple[Any, Any, NDArray[np.bool_]]:
    """Cloudy and clear image on [0, 1], and the pixels that simulated clouds hide and whose truth is known."""
    cloudy, clear = (
        np.clip(part, 0, _DN).astype(np.float32) / np.float32(_DN) for part in (sample.cloudy, sample.clear)
    )
    changed = np.abs(cloudy - clear).mean(axis=0) > 0.02
    hidden = changed if sample.hidden is None else changed & sample.hidden
    return cloudy, clear, hidden if sample.known is None else hidden & sample.known
