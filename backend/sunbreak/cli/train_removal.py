"""`sunbreak train removal`: trains cloud removal with one date or with several dates."""

from __future__ import annotations

import time
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.model_outputs import check_training
from sunbreak.cli.session import keeping_work, session
from sunbreak.errors import InputError

_DATA, _VALIDATION = "Data", "Validation"


class SplitName(str, Enum):
    """A published split into training, validation and test scenes."""

    official = "official"
    glf_cr = "glf-cr"


def removal(
    output: o.OutputFolder,
    name: Annotated[str, typer.Option("--name", help="Name of the model.")],
    work: Annotated[Path, typer.Option("--work", help="Folder for simulated scenes, masks, state and log.")] = Path(
        "runs"
    ),
    scenes: Annotated[
        int, typer.Option(help="Number of simulated scenes in the training set.", rich_help_panel=_DATA)
    ] = 300,
    held_out: Annotated[
        int, typer.Option(help="Number of simulated scenes for calibration and measurement.", rich_help_panel=_DATA)
    ] = 16,
    steps: Annotated[int, typer.Option(help="Number of training steps.")] = 2400,
    batch: Annotated[int, typer.Option(help="Patches per batch, over all processes.")] = 8,
    patch: Annotated[int, typer.Option(help="Side of a patch in pixels.")] = 96,
    width: Annotated[int, typer.Option(help="Channels of the network.")] = 128,
    depth: Annotated[int, typer.Option(help="Blocks of the network.")] = 5,
    tile: Annotated[int, typer.Option(help="Side of the tiles at inference, in pixels.")] = 256,
    seed: Annotated[int, typer.Option(help="Seed of all random numbers.")] = 1,
    real: Annotated[
        list[Path] | None,
        typer.Option(
            "--real",
            help="Folder of SEN12MS-CR (with --dates: SEN12MS-CR-TS) with real training pairs.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    split: Annotated[
        SplitName | None,
        typer.Option(
            "--split",
            help="Published split of --real: official (of the data set's authors) or glf-cr. Its training scenes are "
            "trained on, its validation scenes are held out, its test scenes are not used.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    dates: Annotated[
        int,
        typer.Option("--dates", min=1, max=30, help="Number of input dates; 3 in the paper.", rich_help_panel=_DATA),
    ] = 1,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", help="Place to leave out, such as 1970_fall_139_p839.", rich_help_panel=_DATA),
    ] = None,
    clear_s2: Annotated[
        list[Path] | None,
        typer.Option(
            "--clear-s2",
            help="Clear scene for training under simulated clouds; needs its --clear-s1.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    clear_s1: Annotated[
        list[Path] | None,
        typer.Option("--clear-s1", help="Radar of each --clear-s2, in the same order.", rich_help_panel=_DATA),
    ] = None,
    check: Annotated[
        list[Path] | None,
        typer.Option(
            "--check",
            help="Folder of <id>_s1.tif, <id>_s2_cloudy.tif, <id>_s2.tif, used for measurement only.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    ground: Annotated[
        list[Path] | None,
        typer.Option(
            "--ground",
            help="Clear scene without radar, or a folder of such scenes, for training under simulated clouds.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    worldcereal: Annotated[
        Path | None,
        typer.Option(
            "--worldcereal",
            help="Folder of WorldCereal sites (time series of S2 L2A and S1) with more training data.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    worldcereal_share: Annotated[
        float,
        typer.Option(
            "--worldcereal-share",
            min=0,
            max=0.9,
            help="Fraction of training patches from --worldcereal.",
            rich_help_panel=_DATA,
        ),
    ] = 0.0,
    hold_out: Annotated[
        list[str] | None,
        typer.Option(
            "--hold-out",
            help="Place of --real to hold out for calibration, such as 1970_fall_85_p492.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option(
            "--start",
            help="Model of the same size, or folder of a stopped training, whose weights the training starts from.",
        ),
    ] = None,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate of the schedule.")] = 1.5e-3,
    transplants: Annotated[
        int,
        typer.Option(
            min=0, help="Number of real clouds of --real laid over each real clear image.", rich_help_panel=_DATA
        ),
    ] = 8,
    guided: Annotated[bool, typer.Option(help="Give the network the cloud-filled guide as an input.")] = True,
    no_radar: Annotated[float, typer.Option(help="Probability of leaving the radar out of a patch.")] = 0.15,
    detail: Annotated[float, typer.Option(help="Weight of the gradient loss, which penalises blur.")] = 0.1,
    structure: Annotated[
        float, typer.Option(help="Weight of the structure loss, which rewards edges where the truth has them.")
    ] = 0.1,
    colour: Annotated[
        float, typer.Option(min=0, help="Weight of the spectral angle between prediction and truth.")
    ] = 0.0,
    average: Annotated[
        float,
        typer.Option(
            min=0,
            max=0.9999,
            help="Decay per step of the moving average of the weights, which is the result; 0: the last weights.",
        ),
    ] = 0.0,
    validate_every: Annotated[
        int,
        typer.Option(
            "--validate-every",
            min=0,
            help="Steps between two validations on the held-out data; 0 disables validation.",
            rich_help_panel=_VALIDATION,
        ),
    ] = 200,
    patience: Annotated[
        int,
        typer.Option(
            "--patience",
            min=0,
            help="Early stopping: stop after this number of validations without a lower loss; use the best weights; "
            "0 disables it.",
            rich_help_panel=_VALIDATION,
        ),
    ] = 0,
    tensorboard: Annotated[
        bool | None,
        typer.Option(
            "--tensorboard/--no-tensorboard",
            help="Write the log for TensorBoard too; by default if TensorBoard is installed.",
            rich_help_panel=_VALIDATION,
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="Device: cpu or cuda.")] = "cpu",
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Train cloud removal with uncertainty on simulated and real scenes, calibrate it, and write a model with its card.

    A stopped training resumes if the command is repeated with the same options. For several processes or GPUs, use
    torchrun (torchrun --nproc-per-node 2 -m sunbreak train removal ...).
    """
    with session("train removal", events=events, debug=debug) as reporter:
        from sunbreak.training.removal.pipeline import TrainingData, TrainingOrder, train_removal
        from sunbreak.training.removal.recipe import RemovalTraining

        check_training(name, output, work, begin)
        start = time.monotonic()
        several = dates > 1
        recipe = RemovalTraining(
            steps=steps, batch=batch, patch=patch, width=width, depth=depth, tile=tile, seed=seed, no_radar=no_radar,
            detail=detail, structure=structure, colour=colour, average=average, learning_rate=learning_rate,
            dates=dates, validate_every=validate_every, patience=patience,
            real_share=1.0 if several else 0.2, clouded_share=0.0 if several else 0.35,
            worldcereal_share=worldcereal_share,
        )  # fmt: skip
        data = TrainingData(
            scenes=scenes, held_out=held_out, real=tuple(real or []), split=split.value if split else None,
            exclude=tuple(exclude or []), hold_out=tuple(hold_out or []), clear=_with_radar(clear_s2, clear_s1),
            ground=tuple(ground or []), check=tuple(check or []), transplants=transplants, guided=guided,
            worldcereal=worldcereal,
        )  # fmt: skip
        order = TrainingOrder(recipe, data, name, output, work, device, begin, tensorboard)
        with keeping_work(saves=True):
            files = train_removal(order, reporter)
        if files is not None:
            reporter.result({"model": files.path}, {"minutes": (time.monotonic() - start) / 60})


def _with_radar(optical: list[Path] | None, radar: list[Path] | None) -> tuple[tuple[Path, Path], ...]:
    """Each clear scene with its radar.

    Raises:
        InputError: The numbers of scenes and radar images differ.
    """
    if len(optical or []) != len(radar or []):
        raise InputError(
            f"{len(optical or [])} --clear-s2 and {len(radar or [])} --clear-s1 were given.",
            "Each clear scene needs its radar. Give scenes without radar with --ground.",
            code="bad-option",
        )
    return tuple(zip(optical or [], radar or [], strict=True))
