"""A whole cloud removal training as it is ordered: data gathered, network trained, model finished, card written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sunbreak.datasets.sen12ms import Splits
from sunbreak.events import Reporter
from sunbreak.models.architectures import load_model
from sunbreak.models.registry import ModelFiles, find_model
from sunbreak.models.uncrtaints import UnCRtainTS
from sunbreak.training.numerics import described
from sunbreak.training.processes import Processes, first_alone
from sunbreak.training.removal.baselines import triplets
from sunbreak.training.removal.data_folders import (
    gather_cereal,
    gather_clouded,
    gather_pairs,
    gather_series,
    transplants,
)
from sunbreak.training.removal.finishing import finish
from sunbreak.training.removal.loop import train
from sunbreak.training.removal.priors import world_prior
from sunbreak.training.removal.progress import LOG, load_state, minutes_of
from sunbreak.training.removal.recipe import RemovalTraining
from sunbreak.training.removal.samples import Sample, simulated_samples, spread, with_masks
from sunbreak.training.removal.series_finishing import finish_series

_HELD_OUT_SEED = 900_000
_SPECTRA = 256  # real pairs that the prior is taken from


@dataclass(frozen=True)
class Order:
    """What is to be made.

    Attributes:
        recipe: How to train; what depends on the data is filled in.
        name: Name of the model.
        output: Where it goes.
        work: Where simulated scenes, masks, state and log are kept.
        reporter: Told about everything.
        me: This process among those that train together.
        device: Where to train.
        begin: Model, or folder of a training that stopped, whose weights to begin with.
        tensorboard: Whether the log is also written for TensorBoard.
    """

    recipe: RemovalTraining
    name: str
    output: Path
    work: Path
    reporter: Reporter
    me: Processes
    device: str = "cpu"
    begin: str | None = None
    tensorboard: bool = False

    @property
    def folder(self) -> Path:
        """Where state and log are kept."""
        return self.work / self.name


@dataclass(frozen=True)
class Data:
    """What to train on; see `sunbreak train removal --help`.

    Attributes:
        scenes: Simulated scenes to train on.
        held_out: Simulated scenes to calibrate and measure on.
        real: Folders of SEN12MS-CR, or of SEN12MS-CR-TS for several dates.
        split: List of which of their scenes are for what.
        exclude: Places to leave out.
        hold_out: Places to calibrate on.
        clear: Clear scenes and their radar.
        ground: Clear scenes without radar, or folders of them.
        check: Folders of triplets that are measured on and nothing else.
        transplants: Real clouds laid over each real clear place.
        guided: Whether the network is shown the image with its clouds filled.
        worldcereal: Folder of WorldCereal sites; how often they are drawn from is in the recipe.
    """

    scenes: int = 300
    held_out: int = 16
    real: tuple[Path, ...] = ()
    split: Splits | None = None
    exclude: tuple[str, ...] = ()
    hold_out: tuple[str, ...] = ()
    clear: tuple[tuple[Path, Path], ...] = ()
    ground: tuple[Path, ...] = ()
    check: tuple[Path, ...] = ()
    transplants: int = 8
    guided: bool = True
    worldcereal: Path | None = None


def train_removal(order: Order, data: Data) -> ModelFiles | None:
    """Train a model as ordered, or go on with it.

    Returns:
        The model in the first process, None in the others.

    Raises:
        InputError: The data or the order cannot be used.
        RunError: The loss is not a number, or the disk is full.
        Cancelled: The caller asked to stop; what is done is kept.
    """
    return _on_series(order, data) if order.recipe.dates > 1 else _on_pairs(order, data)


def _on_pairs(order: Order, data: Data) -> ModelFiles | None:
    recipe, reporter = order.recipe, order.reporter
    tile, seed, patience = recipe.tile, recipe.seed, recipe.patience
    kept = {*data.hold_out, *data.exclude}
    start, origin = _beginning(order)
    bare = [path for place in data.ground for path in (sorted(place.rglob("*.tif")) if place.is_dir() else [place])]
    bare = [path for path in bare if not any(name in path.stem for name in _disguised(kept))]
    with first_alone(order.me):
        checks = [(f"{folder.name}, never trained on", _masked(triplets(folder), data)) for folder in data.check]
        real = gather_pairs(
            data.real, order.work, reporter, exclude=data.exclude, hold_out=data.hold_out, splits=data.split,
            masked=data.guided, least=max(tile, recipe.patch),
        )  # fmt: skip
        total = data.scenes + data.held_out
        reporter.message(f"Simulating {total} scenes into {order.work}, as far as they are not there.")
        cache = order.work / "scenes"
        simulated = _masked(simulated_samples(data.scenes, tile, 1, cache), data)
        kept_back = _masked(simulated_samples(data.held_out, tile, _HELD_OUT_SEED, cache), data)
        clouded = _masked(gather_clouded(data.clear, bare, tile, seed), data)
    moved: list[Sample] = []
    if data.guided and data.transplants:
        moved = transplants(clouded, real.learnt, data.transplants, seed)
    recipe = replace(
        recipe,
        prior=_prior([*simulated, *spread(real.learnt, _SPECTRA)]) if data.guided else (),
        transplanted_share=0.25 if moved else 0.0,
        clouded_share=0.25 if moved else recipe.clouded_share,
    )
    cereal = None
    if data.worldcereal is not None and recipe.worldcereal_share:
        cereal = gather_cereal(data.worldcereal, recipe, real.learnt or simulated, reporter)
    reporter.message(
        f"Training on {len(simulated)} simulated scenes, {len(real.learnt)} real pairs and {len(clouded)} real places "
        f"under simulated clouds and {len(moved)} under real ones."
    )
    module = train(
        recipe, simulated, real.learnt, clouded, order.folder, reporter, device=order.device, start=start,
        transplanted=moved, small=cereal.groups(recipe.worldcereal_share) if cereal else (),
        held_out=real.held_out or kept_back, tensorboard=order.tensorboard,
    )  # fmt: skip
    if not order.me.first:
        return None
    facts = {
        "command": command(order, data, recipe),
        "simulated_scenes": f"{data.scenes} of {tile} x {tile} px, seeds 1 to {data.scenes}",
        "real_pairs": [],
        **real.facts,
        "clouded_scenes": [path.stem for path, _ in data.clear],
        "clouded_scenes_without_radar": [path.stem for path in bare],
        "transplants": f"{len(moved)} places under real clouds of other places",
        **(cereal.facts if cereal else {}),
        "left_out": list(data.exclude),
        **({"early_stop_by": "the held-out pairs" if real.held_out else "the held-out scenes"} if patience else {}),
        **origin,
        **_cost(order),
    }
    return finish(module, recipe, kept_back, checks, order.name, order.output, facts, real_calibration=real.held_out)


def _prior(samples: Sequence[Sample]) -> tuple[float, ...]:
    """What clear ground looks like in them."""
    grounds = (np.clip(sample.clear, 0, 10000).astype(np.float32) / np.float32(10000) for sample in samples)
    return world_prior(grounds).numbers()


def _on_series(order: Order, data: Data) -> ModelFiles | None:
    recipe = order.recipe
    start, origin = _beginning(order)
    least = max(recipe.tile, recipe.patch)
    series = gather_series(data.real, recipe.dates, order.work, order.reporter, splits=data.split, least=least)
    module = train(
        recipe, [], series.learnt, [], order.folder, order.reporter,
        device=order.device, start=start, held_out=series.held_out, tensorboard=order.tensorboard,
    )  # fmt: skip
    if not order.me.first:
        return None
    facts = {"command": command(order, data, recipe), **series.facts, **origin, **_cost(order)}

    def checkpoint(done: int, total: int) -> None:
        order.reporter.checkpoint()
        order.reporter.progress(done, total, "sequences")

    return finish_series(module, recipe, series.held_out, order.name, order.output, facts, checkpoint=checkpoint)


def _beginning(order: Order) -> tuple[UnCRtainTS | None, dict[str, Any]]:
    """The network to begin with, and what the card says about it."""
    if order.begin is None:
        return None, {}
    path = Path(order.begin)
    if path.is_dir() or path.suffix == ".pt":
        return load_state(path), {"started_from": f"the training {path.parent.name if path.suffix else path.name}"}
    files = find_model(order.begin, "cloud-removal")
    return load_model(files), {"started_from": f"{files.card.name}, sha256 {files.card.sha256}"}


def _masked(samples: Sequence[Sample], data: Data) -> list[Sample]:
    return with_masks(samples) if data.guided else list(samples)


def _cost(order: Order) -> dict[str, object]:
    cost: dict[str, object] = {
        "minutes": round(minutes_of(order.folder / LOG), 1),
        "device": described(order.device, on_cpu=True),
    }
    return cost | ({"processes": order.me.count} if order.me.count > 1 else {})


def command(order: Order, data: Data, recipe: RemovalTraining) -> str:
    """The command that repeats a training, with placeholders for the folders of this machine."""
    parts = [f"sunbreak train removal -o models --name {order.name}"]
    if recipe.dates > 1:
        parts += [f"--dates {recipe.dates}", *(["--real SEN12MSCRTS"] * len(data.real))]
    else:
        parts += [f"--scenes {data.scenes} --held-out {data.held_out}"]
    parts += [f"--steps {recipe.steps} --batch {recipe.batch} --patch {recipe.patch} --width {recipe.width}"]
    parts += [f"--depth {recipe.depth} --tile {recipe.tile} --seed {recipe.seed}"]
    parts += [f"--no-radar {recipe.no_radar:g} --detail {recipe.detail:g} --learning-rate {recipe.learning_rate:g}"]
    parts += [f"--validate-every {recipe.validate_every}"]
    parts += [f"--patience {recipe.patience}"] if recipe.patience else []
    if recipe.dates == 1:
        parts += ["--guided" if recipe.prior else "--no-guided", f"--transplants {data.transplants}"]
        parts += ["--real SEN12MSCR"] * len(data.real)
        if data.worldcereal is not None and recipe.worldcereal_share:
            parts += [f"--worldcereal WORLDCEREAL --worldcereal-share {recipe.worldcereal_share:g}"]
        parts += ["--clear-s2 S2 --clear-s1 S1"] * len(data.clear)
        parts += ["--ground S2"] * len(data.ground) + ["--check TRIPLETS"] * len(data.check)
    parts += [f"--split {data.split}"] if data.split else []
    parts += [f"--start {Path(order.begin).name}"] if order.begin else []
    parts += [f"--exclude {place}" for place in data.exclude]
    parts += [f"--hold-out {place}" for place in sorted(data.hold_out)]
    return " ".join(parts)


def _disguised(places: set[str]) -> list[str]:
    """Places such as ``1970_fall_85_p492`` as they stand in file names: ``1970_fall_s2_85_p492``."""
    named = []
    for place in places:
        parts = place.split("_")
        if len(parts) == 4:
            seed, season, scene, patch = parts
            named.append(f"{seed}_{season}_s2_{scene}_{patch}")
    return named
