"""The whole training of cloud removal: collect data, train, calibrate, measure, write model and card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sunbreak.datasets.sen12ms import Splits
from sunbreak.errors import InputError
from sunbreak.events import Reporter, Silent
from sunbreak.models.architectures import load_model
from sunbreak.models.registry import ModelFiles, find_model
from sunbreak.models.uncrtaints import UnCRtainTS
from sunbreak.training.numerics import described
from sunbreak.training.processes import Processes, first_alone, together
from sunbreak.training.removal.data_folders import (
    MADE_MASKS,
    gather_cereal,
    gather_clouded,
    gather_pairs,
    gather_series,
    transplants,
)
from sunbreak.training.removal.finishing import finish
from sunbreak.training.removal.loop import TrainingSamples, train
from sunbreak.training.removal.priors import with_trend, world_prior
from sunbreak.training.removal.progress import LOG, board_is_there, load_state
from sunbreak.training.removal.recipe import RemovalTraining
from sunbreak.training.removal.samples import Sample, place_of, simulated_samples, spread, with_masks
from sunbreak.training.removal.series_finishing import finish_series
from sunbreak.training.removal.validation import triplets
from sunbreak.training.state_files import minutes_of

_HELD_OUT_SEED = 900_000
_SPECTRA = 256  # real pairs that the prior is computed from


@dataclass(frozen=True)
class TrainingData:
    """The data of a training; see `sunbreak train removal --help`.

    Attributes:
        scenes: Number of simulated scenes in the training set.
        held_out: Number of simulated scenes for calibration and measurement.
        real: Folders of SEN12MS-CR, or of SEN12MS-CR-TS for several dates.
        split: Published split of their scenes into training, validation and test set.
        exclude: Places to leave out.
        hold_out: Places for calibration instead of training.
        clear: Clear scenes, each with its radar.
        ground: Clear scenes without radar, or folders of such scenes.
        check: Folders of triplets that the model is measured on; never used for training.
        transplants: Number of real clouds laid over each real clear image.
        guided: Whether the network gets the cloud-filled guide as an input.
        worldcereal: Folder of WorldCereal sites. The recipe has the fraction of their patches.
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


@dataclass(frozen=True)
class TrainingOrder:
    """A whole training: recipe, data, and the model that it makes.

    Attributes:
        recipe: How to train. The pipeline fills in what depends on the data.
        data: What to train on.
        name: Name of the model.
        output: Folder for the model.
        work: Folder for simulated scenes, masks, state and log.
        device: ``cpu`` or ``cuda``.
        begin: Model, or folder of a stopped training, whose weights the training starts from.
        tensorboard: Whether the log is also written for TensorBoard; None writes it where TensorBoard is installed.

    Raises:
        InputError: `data.worldcereal` and `recipe.worldcereal_share` contradict each other.
    """

    recipe: RemovalTraining
    data: TrainingData
    name: str
    output: Path
    work: Path
    device: str = "cpu"
    begin: str | None = None
    tensorboard: bool | None = False

    def __post_init__(self) -> None:
        folder, fraction = self.data.worldcereal, self.recipe.worldcereal_share
        if (folder is None) != (fraction == 0) or (self.recipe.dates > 1 and folder is not None):
            raise InputError(
                "--worldcereal and --worldcereal-share go together, in a training of one date.",
                "Give both, such as --worldcereal FOLDER --worldcereal-share 0.1, or none.",
                code="bad-option",
            )

    @property
    def folder(self) -> Path:
        """Folder of state and log."""
        return self.work / self.name

    @property
    def writes_tensorboard(self) -> bool:
        """Whether the log is also written for TensorBoard."""
        return board_is_there() if self.tensorboard is None else self.tensorboard


@dataclass(frozen=True)
class _Run:
    """An order in this process: the first process reports, the others are silent."""

    order: TrainingOrder
    me: Processes
    reporter: Reporter


def train_removal(order: TrainingOrder, reporter: Reporter) -> ModelFiles | None:
    """Run a training, or resume it.

    Returns:
        The model in the first process, None in the others.

    Raises:
        InputError: The data or the order cannot be used.
        RunError: The loss is not a number, or the disk is full.
        Cancelled: The reporter asked to stop; the finished steps are saved.
    """
    with together(order.device) as me:
        run = _Run(order, me, reporter if me.first else Silent(reporter.cancellation))
        return _on_series(run) if order.recipe.dates > 1 else _on_pairs(run)


def _on_pairs(run: _Run) -> ModelFiles | None:
    order, data, reporter = run.order, run.order.data, run.reporter
    recipe = replace(order.recipe, hides_opaque=data.guided)
    tile, seed, patience = recipe.tile, recipe.seed, recipe.patience
    kept = {*data.hold_out, *data.exclude}
    start, origin = _beginning(order)
    bare = [path for place in data.ground for path in (sorted(place.rglob("*.tif")) if place.is_dir() else [place])]
    bare = [path for path in bare if not any(name in path.stem for name in _in_file_names(kept))]
    with first_alone(run.me):
        checks = [(f"{folder.name}, never trained on", _masked(triplets(folder), order)) for folder in data.check]
        real = gather_pairs(
            data.real, order.work, reporter, exclude=data.exclude, hold_out=data.hold_out, splits=data.split,
            masked=data.guided, opaque=recipe.hides_opaque, least=max(tile, recipe.patch),
        )  # fmt: skip
        total = data.scenes + data.held_out
        reporter.message(f"Simulating the missing ones of {total} scenes in {order.work}.")
        cache = order.work / "scenes"
        simulated = _masked(simulated_samples(data.scenes, tile, 1, cache), order)
        kept_back = _masked(simulated_samples(data.held_out, tile, _HELD_OUT_SEED, cache), order)
        clouded = _masked(gather_clouded(data.clear, bare, tile, seed, real.learnt), order)
    moved: list[Sample] = []
    if data.guided and data.transplants:
        moved = transplants(
            clouded, real.learnt, data.transplants, seed, opaque=recipe.hides_opaque, cache=order.work / MADE_MASKS
        )
    cereal = None
    if data.worldcereal is not None and recipe.worldcereal_share:
        reference = real.learnt or simulated
        cereal = gather_cereal(
            data.worldcereal, recipe, reference, reporter, masked=data.guided, cache=order.work / MADE_MASKS
        )
    recipe = replace(
        recipe,
        prior=_prior(simulated, real.learnt, clouded, cereal.clouded if cereal else [], seed) if data.guided else (),
        transplanted_share=0.25 if moved else 0.0,
        clouded_share=0.25 if moved else recipe.clouded_share,
    )
    reporter.message(
        f"Training on {len(simulated)} simulated scenes, {len(real.learnt)} real pairs, {len(clouded)} real clear "
        f"images under simulated clouds and {len(moved)} under real clouds."
    )
    samples = TrainingSamples(
        simulated=simulated, real=real.learnt, clouded=clouded, transplanted=moved,
        small=cereal.groups(recipe.worldcereal_share) if cereal else (), held_out=real.held_out or kept_back,
    )  # fmt: skip
    module = train(
        recipe, samples, order.folder, reporter,
        device=order.device, start=start, tensorboard=order.writes_tensorboard,
    )  # fmt: skip
    if not run.me.first:
        return None
    facts = {
        "command": command(order, recipe),
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
        **_cost(run),
    }
    return finish(module, recipe, kept_back, checks, order.name, order.output, facts, real_calibration=real.held_out)


def _prior(
    simulated: Sequence[Sample],
    real: Sequence[Sample],
    clouded: Sequence[Sample],
    cereal: Sequence[Sample],
    seed: int,
) -> tuple[float, ...]:
    """The prior of clear ground, with the radar trend of the real places that have radar."""
    pairs = spread(real, _SPECTRA)
    grounds = (np.clip(one.clear, 0, 10000).astype(np.float32) / np.float32(10000) for one in [*simulated, *pairs])
    places: dict[str, dict[bytes, Sample]] = {}
    for sample in [*clouded, *pairs, *cereal]:
        if sample.s1 is not None:
            # each clear image once, although it occurs under several simulated clouds
            places.setdefault(place_of(sample.name), {})[sample.clear.tobytes()] = sample
    return with_trend(world_prior(grounds), [list(images.values()) for images in places.values()], seed).numbers()


def _on_series(run: _Run) -> ModelFiles | None:
    order, data, reporter = run.order, run.order.data, run.reporter
    recipe = order.recipe
    start, origin = _beginning(order)
    least = max(recipe.tile, recipe.patch)
    series = gather_series(data.real, recipe.dates, order.work, reporter, splits=data.split, least=least)
    samples = TrainingSamples(real=series.learnt, held_out=series.held_out)
    module = train(
        recipe, samples, order.folder, reporter,
        device=order.device, start=start, tensorboard=order.writes_tensorboard,
    )  # fmt: skip
    if not run.me.first:
        return None
    facts = {"command": command(order, recipe), **series.facts, **origin, **_cost(run)}

    def checkpoint(done: int, total: int) -> None:
        reporter.checkpoint()
        reporter.progress(done, total, "sequences")

    return finish_series(module, recipe, series.held_out, order.name, order.output, facts, checkpoint=checkpoint)


def _beginning(order: TrainingOrder) -> tuple[UnCRtainTS | None, dict[str, Any]]:
    """The network to start from, and what the card says about it."""
    if order.begin is None:
        return None, {}
    path = Path(order.begin)
    if path.is_dir() or path.suffix == ".pt":
        return load_state(path), {"started_from": f"the training {path.parent.name if path.suffix else path.name}"}
    files = find_model(order.begin, "cloud-removal")
    return load_model(files), {"started_from": f"{files.card.name}, sha256 {files.card.sha256}"}


def _masked(samples: Sequence[Sample], order: TrainingOrder) -> list[Sample]:
    return with_masks(samples, opaque=True, cache=order.work / MADE_MASKS) if order.data.guided else list(samples)


def _cost(run: _Run) -> dict[str, object]:
    order = run.order
    cost: dict[str, object] = {
        "minutes": round(minutes_of(order.folder / LOG), 1),
        "device": described(order.device, on_cpu=True),
    }
    return cost | ({"processes": run.me.count} if run.me.count > 1 else {})


def command(order: TrainingOrder, recipe: RemovalTraining) -> str:
    """The command that repeats a training with this recipe; placeholders stand for the folders of this machine."""
    data = order.data
    parts = [f"sunbreak train removal -o models --name {order.name}"]
    if recipe.dates > 1:
        parts += [f"--dates {recipe.dates}", *(["--real SEN12MSCRTS"] * len(data.real))]
    else:
        parts += [f"--scenes {data.scenes} --held-out {data.held_out}"]
    parts += [f"--steps {recipe.steps} --batch {recipe.batch} --patch {recipe.patch} --width {recipe.width}"]
    parts += [f"--depth {recipe.depth} --tile {recipe.tile} --seed {recipe.seed}"]
    parts += [f"--no-radar {recipe.no_radar:g} --detail {recipe.detail:g} --structure {recipe.structure:g}"]
    parts += [f"--colour {recipe.colour:g}"] if recipe.colour else []
    parts += [f"--average {recipe.average:g}"] if recipe.average else []
    parts += [f"--learning-rate {recipe.learning_rate:g}"]
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


def _in_file_names(places: set[str]) -> list[str]:
    """Places such as ``1970_fall_85_p492`` as they are written in file names: ``1970_fall_s2_85_p492``."""
    named = []
    for place in places:
        parts = place.split("_")
        if len(parts) == 4:
            seed, season, scene, patch = parts
            named.append(f"{seed}_{season}_s2_{scene}_{patch}")
    return named
