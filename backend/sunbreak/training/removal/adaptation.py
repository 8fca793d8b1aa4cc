"""Adapting cloud removal to a user's own place: the clear parts of their scenes teach what clouds hide.

Clear blocks of the scenes are put under simulated clouds, so the truth is known. The guide learns the place's colours
and what its radar tells of them, the network is fine-tuned. Some blocks are held out: what the adaptation gained is
measured there, under other clouds than it learnt from.
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
from rasterio.windows import Window

from sunbreak.clouds.classes import replaced
from sunbreak.clouds.detection import CloudDetection, DetectorRuntime
from sunbreak.clouds.given_masks import given_classes
from sunbreak.clouds.registry import detector
from sunbreak.engine import run_task
from sunbreak.engine.runtime import TorchRuntime
from sunbreak.errors import InputError, ModelError
from sunbreak.events import Reporter, Silent
from sunbreak.metrics import fills, image
from sunbreak.models.architectures import load_model
from sunbreak.models.importing import save_uncrtaints
from sunbreak.models.networks import RemovalNetwork
from sunbreak.models.registry import ModelFiles
from sunbreak.models.uncrtaints import UnCRtainTS
from sunbreak.removal.place_prior import moments
from sunbreak.removal.task import DEFAULT_BUFFER, DEFAULT_FEATHER, check_fit, feathered, grown
from sunbreak.scene import S2_BANDS, Scene
from sunbreak.training.numerics import described
from sunbreak.training.removal import baselines
from sunbreak.training.removal.loop import RemovalTraining, train
from sunbreak.training.removal.priors import Trial, fit_prior
from sunbreak.training.removal.samples import Sample, with_masks

_DN = 10000.0
_SIDES = (256, 192, 128, 96)
_LEAST_BLOCKS = 4
_GOOD_BLOCKS = 12
_MOST_BLOCKS = 160
_LEAST_CLEAR = 0.5
_EVERY = 4
_FEATHER = DEFAULT_FEATHER
_LEARNING_RATE = 4e-4
_SAMPLES = 48  # images under clouds to learn from, at least
_PACE = 6  # steps that tell how long one takes
_AFTERWARDS = 15.0  # seconds for clouds to calibrate under
_COVERS = (0.25, 0.45, 0.65, 0.85)


@dataclass(frozen=True)
class Block:
    """A piece of ground.

    Attributes:
        name: Scene and place.
        place: Number of the place; the same on other dates.
        s1: (2, row, column) dB, or None.
        dn: (13, row, column) DN.
        clear: (row, column), where it can be trusted.
    """

    name: str
    place: int
    s1: NDArray[np.float32] | None
    dn: NDArray[np.uint16]
    clear: NDArray[np.bool_]

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        rows, columns = self.clear.shape
        return rows, columns


@dataclass(frozen=True)
class Gain:
    """Mean PSNR inside clouds on the held-out blocks, in dB.

    Attributes:
        before: The network as it was.
        guide: The network as it was with the guide that knows the place.
        after: The adapted one.
        mean_colour: A fill with the mean colour of the clear pixels.
        images: How many images that is.
    """

    before: float
    guide: float
    after: float
    mean_colour: float
    images: int


def find_blocks(scenes: Sequence[Scene], reporter: Reporter) -> tuple[list[Block], list[Block]]:
    """Blocks of which at least half is clear, for learning and for measuring; no pixel of the ground is in both.

    The side is the largest of 256, 192, 128 and 96 pixels that gives twelve blocks, or else four. Every fourth place of
    those is held out, in all scenes alike, so that another date of the same place is no cheating.

    Raises:
        InputError: The scenes hold too little that is clear.
    """
    masks = [_cloudy(scene, reporter) for scene in scenes]
    few: tuple[list[Block], list[Block]] | None = None
    for side in _SIDES:
        most = max(1, _MOST_BLOCKS // len(scenes))
        blocks = [block for scene, mask in zip(scenes, masks, strict=True) for block in _cut(scene, mask, side, most)]
        held_out = set(sorted({block.place for block in blocks})[_EVERY - 1 :: _EVERY])
        if len(blocks) < _LEAST_BLOCKS or not held_out:
            continue
        learnt = [block for block in blocks if block.place not in held_out]
        split = learnt, [block for block in blocks if block.place in held_out]
        if len(blocks) >= _GOOD_BLOCKS:
            return split
        few = few or split
    if few is not None:
        return few
    raise InputError(
        f"{scenes[0].inputs[0]}: there are not four clear pieces of {_SIDES[-1]} x {_SIDES[-1]} pixels to learn from.",
        "Give larger or clearer scenes of the place, several dates for example.",
        code="too-little-clear",
    )


def lay_clouds(blocks: Sequence[Block], per_block: int, seed: int) -> list[Sample]:
    """The blocks under simulated clouds and shadows, with the masks that cleaning would find."""
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
    # what is cloudy in the scene itself is no ground to look at either
    return [
        sample
        if sample.known is None or sample.hidden is None
        else replace(sample, hidden=sample.hidden | ~sample.known)
        for sample in with_masks(samples)
    ]


def adapt(
    scenes: Sequence[Scene],
    base: ModelFiles,
    name: str,
    folder: Path,
    work: Path,
    reporter: Reporter,
    *,
    minutes: float = 8.0,
    steps: int | None = None,
    device: str = "cpu",
    seed: int = 1,
) -> tuple[ModelFiles, Gain]:
    """Adapt a model to scenes, measure what that gained, and write the new model with its card.

    Args:
        scenes: Scenes of the place; their cloudy parts are left out.
        base: The model to start from; a guided one.
        name: Name of the new model.
        folder: Where it goes.
        work: Folder for state and log.
        reporter: Told about everything.
        minutes: About how long all of it takes.
        steps: Batches, instead of a time.
        device: Where to train.
        seed: Seed of everything random.

    Raises:
        InputError: The scenes do not fit the model or hold too little that is clear.
        ModelError: The model cannot be adapted.
        RunError: The loss became NaN.
    """
    begin = time.monotonic()
    card = base.card
    if not card.guided:
        raise ModelError(
            f"The model {card.name} cannot be adapted: it is not guided.", "Use a bundled model.", code="not-guided"
        )
    for scene in scenes:
        check_fit(scene, card)
    module = load_model(base)
    learnt, held = find_blocks(scenes, reporter)
    reporter.message(f"{len(learnt)} blocks of {learnt[0].dn.shape[1]} px to learn from, {len(held)} to measure on.")
    per_block = max(4, _SAMPLES // len(learnt))
    samples = lay_clouds(learnt, per_block, seed)
    checks = lay_clouds(held, 4, seed + 1000)
    prior = _place(learnt, samples, per_block)
    side = learnt[0].dn.shape[1]
    measuring = time.monotonic()
    before = _measure(module, checks, side, module.config.prior)
    guided = _measure(module, checks, side, prior)
    # afterwards the held-out images are measured once more, and twice as many as there are blocks calibrate
    reserve = (time.monotonic() - measuring) * (0.5 + len(learnt) / len(checks)) + _AFTERWARDS
    recipe = RemovalTraining(
        steps=steps or 1, batch=8, patch=min(96, side), tile_steps=0.0, warm_up=0.0, learning_rate=_LEARNING_RATE,
        real_share=0.0, clouded_share=1.0, seed=seed, width=module.config.width, depth=module.config.depth, tile=side,
        prior=prior, no_radar=0.1, detail=0.1,
    )  # fmt: skip
    if steps is None:
        seconds = 60 * minutes - (time.monotonic() - begin) - reserve
        recipe = replace(recipe, steps=_steps_in(seconds, recipe, samples, module, work, device))
    reporter.message(f"{recipe.steps} steps.")
    adapted = train(recipe, [], [], samples, work / name, reporter, device=device, start=module).to("cpu").eval()
    after = _measure(adapted, checks, side, prior)
    fill = [_mean_fill(sample) for sample in checks]
    means = [float(np.mean(figures)) for figures in (before, guided, after, fill)]
    gain = Gain(means[0], means[1], means[2], means[3], len(checks))
    # sigma is fitted under clouds that were not learnt from
    fresh = lay_clouds(learnt, 2, seed + 2000)
    runtime = TorchRuntime(RemovalNetwork(adapted), torch.device("cpu"), side)
    factor = baselines.temperature(fresh, baselines.predict(runtime, fresh, prior))
    where = scenes[0].stem + (f" and {len(scenes) - 1} more" if len(scenes) > 1 else "")
    files = save_uncrtaints(
        adapted,
        name,
        folder,
        title=f"{card.name}, adapted to {where}",
        description=(
            f"{card.name}, fine-tuned on the clear parts of {where} under simulated clouds. For that place and season; "
            "elsewhere use the model that it came from."
        ),
        licence=card.licence,
        tile=card.tile,
        overlap=card.overlap,
        temperature=tuple(round(float(value), 4) for value in factor),
        calibrated_on=f"{len(fresh)} images of the learnt blocks under clouds that were not learnt from",
        training={
            "adapted_from": card.name,
            "adapted_from_sha256": card.sha256,
            "scenes": [path.name for scene in scenes for path in scene.inputs],
            "blocks": len(learnt),
            "minutes": round((time.monotonic() - begin) / 60, 1),
            "device": described(device, on_cpu=True),
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


def _cloudy(scene: Scene, reporter: Reporter) -> NDArray[np.bool_]:
    """Clouds of a whole scene and their edges, (row, column): those of the given mask, else those that are detected."""
    if scene.has_mask:
        with scene.reader() as reader:
            return grown(replaced(given_classes(reader, scene.grid.window)), DEFAULT_BUFFER)
    task = CloudDetection(scene, detector())
    quiet = Silent(reporter.cancellation)
    run_task(task, scene, DetectorRuntime(task.detector), lambda role, row, values: None, quiet)
    return grown(replaced(task.mask.get(0, scene.grid.height)), 2 * DEFAULT_BUFFER)


def _cut(scene: Scene, cloudy: NDArray[np.bool_], side: int, most: int) -> list[Block]:
    """Blocks that are clear enough, evenly taken from a scene that has more of them than `most`."""
    across = scene.grid.width // side
    corners = {number: (number // across * side, number % across * side)
               for number in range(across * (scene.grid.height // side))}  # fmt: skip
    promising = [
        number for number, (row, col) in corners.items()
        if (~cloudy[row : row + side, col : col + side]).mean() >= _LEAST_CLEAR
    ]  # fmt: skip
    blocks = []
    present = [index for index, band in enumerate(S2_BANDS) if band in scene.bands]
    with scene.reader() as reader:
        for number in promising[:: -(-len(promising) // most) or 1]:
            row, col = corners[number]
            window = Window(col, row, side, side)
            found = reader.s2(window)
            clear = found.valid & ~cloudy[row : row + side, col : col + side]
            if clear.mean() < _LEAST_CLEAR:
                continue
            reflectance = np.nan_to_num(found.reflectance())
            dn = np.zeros((len(S2_BANDS), side, side), np.uint16)
            dn[present] = np.clip(np.rint(reflectance * _DN), 0, 65535).astype(np.uint16)
            radar = reader.s1(window) if scene.has_s1 else None
            blocks.append(Block(f"{scene.stem} at {row}, {col}", number, radar, dn, clear))
    return blocks


def _place(learnt: Sequence[Block], samples: Sequence[Sample], per_block: int) -> tuple[float, ...]:
    """What the learnt blocks tell the guide; their samples come block by block."""
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
    seconds: float, recipe: RemovalTraining, samples: Sequence[Sample], module: UnCRtainTS, work: Path, device: str
) -> int:
    """How many steps fit into a time, by doing a few of them."""
    trial = replace(recipe, steps=_PACE)
    begin = time.monotonic()
    train(trial, [], [], samples, work / ".pace", Silent(), device=device, start=module)
    (work / ".pace" / "state.pt").unlink(missing_ok=True)
    took = time.monotonic() - begin
    return int(np.clip((seconds - took) * _PACE / took, 20, 3000))


def _measure(module: UnCRtainTS, samples: Sequence[Sample], side: int, prior: Sequence[float]) -> list[float]:
    """PSNR inside the clouds of each sample, as `sunbreak clean` would leave it."""
    runtime = TorchRuntime(RemovalNetwork(module), torch.device("cpu"), side)
    figures = []
    for sample, (mean, _) in zip(samples, baselines.predict(runtime, samples, prior), strict=True):
        cloudy, target, cloud = _parts(sample)
        share = feathered(sample.hidden if sample.hidden is not None else cloud, _FEATHER)
        figures.append(image.psnr(cloudy + share * (mean - cloudy), target, cloud))
    return figures


def _mean_fill(sample: Sample) -> float:
    cloudy, target, cloud = _parts(sample)
    hidden = sample.hidden if sample.hidden is not None else cloud
    return image.psnr(fills.mean_fill(cloudy, hidden), target, cloud)


def _parts(sample: Sample) -> tuple[Any, Any, NDArray[np.bool_]]:
    """Cloudy and clear image on [0, 1], and where clouds that were laid hide ground that is known."""
    cloudy, clear = (
        np.clip(part, 0, _DN).astype(np.float32) / np.float32(_DN) for part in (sample.cloudy, sample.clear)
    )
    changed = np.abs(cloudy - clear).mean(axis=0) > 0.02
    hidden = changed if sample.hidden is None else changed & sample.hidden
    return cloudy, clear, hidden if sample.known is None else hidden & sample.known
