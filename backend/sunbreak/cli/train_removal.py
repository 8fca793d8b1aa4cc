"""`sunbreak train removal`: train cloud removal, of one date or of several."""

from __future__ import annotations

import time
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.session import keeping_work, session

_DATA, _COURSE = "Data", "Course"


class SplitName(str, Enum):
    """A list of which scenes are trained on, held out and tested on."""

    official = "official"
    glf_cr = "glf-cr"


def removal(
    output: o.OutputFolder,
    name: Annotated[str, typer.Option("--name", help="Name of the model.")],
    work: Annotated[Path, typer.Option("--work", help="Folder for simulated scenes, masks, state and log.")] = Path(
        "runs"
    ),
    scenes: Annotated[int, typer.Option(help="Simulated scenes to train on.", rich_help_panel=_DATA)] = 300,
    held_out: Annotated[
        int, typer.Option(help="Simulated scenes to calibrate and measure on.", rich_help_panel=_DATA)
    ] = 16,
    steps: Annotated[int, typer.Option(help="Batches.")] = 2400,
    batch: Annotated[int, typer.Option(help="Patches per batch, of all processes together.")] = 8,
    patch: Annotated[int, typer.Option(help="Side of a patch in pixels.")] = 96,
    width: Annotated[int, typer.Option(help="Channels of the network.")] = 128,
    depth: Annotated[int, typer.Option(help="Blocks of the network.")] = 5,
    tile: Annotated[int, typer.Option(help="Side of the tiles it will be used on.")] = 256,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 1,
    real: Annotated[
        list[Path] | None,
        typer.Option(
            "--real",
            help="Folder of SEN12MS-CR to train on as well; with --dates, of SEN12MS-CR-TS.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    split: Annotated[
        SplitName | None,
        typer.Option(
            "--split",
            help="Of --real, train on the training scenes of this list, calibrate on its validation scenes, and leave "
            "its test scenes alone: official (the data set's authors') or glf-cr.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    dates: Annotated[
        int,
        typer.Option("--dates", min=1, max=30, help="Dates that go in at once: 3 in the paper.", rich_help_panel=_DATA),
    ] = 1,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", help="Place to leave out, such as 1970_fall_139_p839.", rich_help_panel=_DATA),
    ] = None,
    clear_s2: Annotated[
        list[Path] | None,
        typer.Option(
            "--clear-s2",
            help="Clear scene to lay simulated clouds over; needs its --clear-s1.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    clear_s1: Annotated[
        list[Path] | None,
        typer.Option("--clear-s1", help="Radar of each --clear-s2, in order.", rich_help_panel=_DATA),
    ] = None,
    check: Annotated[
        list[Path] | None,
        typer.Option(
            "--check",
            help="Folder of <id>_s1.tif, <id>_s2_cloudy.tif, <id>_s2.tif: measured on, never trained on.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    ground: Annotated[
        list[Path] | None,
        typer.Option(
            "--ground",
            help="Clear scene without radar, or a folder of such, to lay simulated clouds over.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    worldcereal: Annotated[
        Path | None,
        typer.Option(
            "--worldcereal",
            help="Folder of WorldCereal sites (S2 L2A and S1 series) to train on as well.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    worldcereal_share: Annotated[
        float,
        typer.Option(
            "--worldcereal-share", min=0, max=0.9, help="Share of the patches from there.", rich_help_panel=_DATA
        ),
    ] = 0.0,
    hold_out: Annotated[
        list[str] | None,
        typer.Option(
            "--hold-out",
            help="Place of --real to calibrate on instead, such as 1970_fall_85_p492.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option(
            "--start",
            help="Model of the same size to begin with instead of random weights, or the folder of a training that "
            "stopped.",
        ),
    ] = None,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 1.5e-3,
    transplants: Annotated[
        int,
        typer.Option(min=0, help="Real clouds of --real pairs laid over each real clear place.", rich_help_panel=_DATA),
    ] = 8,
    guided: Annotated[
        bool, typer.Option(help="Show the network the image with its clouds filled from what is clear.")
    ] = True,
    no_radar: Annotated[float, typer.Option(help="Probability of leaving the radar out of a patch.")] = 0.15,
    detail: Annotated[float, typer.Option(help="Weight of the price on blur.")] = 0.1,
    validate_every: Annotated[
        int,
        typer.Option(
            "--validate-every",
            min=0,
            help="Steps between looks at what is held out; 0: never.",
            rich_help_panel=_COURSE,
        ),
    ] = 200,
    patience: Annotated[
        int,
        typer.Option(
            "--patience",
            min=0,
            help="Stop after so many looks without a better held-out loss and keep the best weights; 0: never.",
            rich_help_panel=_COURSE,
        ),
    ] = 0,
    tensorboard: Annotated[
        bool | None,
        typer.Option(
            "--tensorboard/--no-tensorboard",
            help="Log for TensorBoard beside log.csv; by default where it is installed.",
            rich_help_panel=_COURSE,
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="Where to train: cpu or cuda.")] = "cpu",
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Train cloud removal with uncertainty on simulated and real scenes, calibrate it, and write a model with its card.

    Stopped and started again with the same options, it goes on where it was. Several processes or GPUs: start it with
    torchrun (torchrun --nproc-per-node 2 -m sunbreak train removal ...).
    """
    with session("train removal", events=events, debug=debug) as told:
        from sunbreak.errors import InputError
        from sunbreak.events import Silent
        from sunbreak.training.processes import together
        from sunbreak.training.removal.pipeline import Data, Order, train_removal
        from sunbreak.training.removal.progress import board_is_there
        from sunbreak.training.removal.recipe import RemovalTraining

        start = time.monotonic()
        if len(clear_s2 or []) != len(clear_s1 or []):
            raise InputError(
                f"{len(clear_s2 or [])} --clear-s2 and {len(clear_s1 or [])} --clear-s1 were given.",
                "Each clear scene needs its radar; those without go to --ground.",
                code="bad-option",
            )
        several = dates > 1
        if (worldcereal is None) != (worldcereal_share == 0) or (several and worldcereal is not None):
            raise InputError(
                "--worldcereal and --worldcereal-share go together, in a training of one date.",
                "Give both, such as --worldcereal FOLDER --worldcereal-share 0.1, or none.",
                code="bad-option",
            )
        recipe = RemovalTraining(
            steps=steps, batch=batch, patch=patch, width=width, depth=depth, tile=tile, seed=seed, no_radar=no_radar,
            detail=detail, learning_rate=learning_rate, dates=dates, validate_every=validate_every, patience=patience,
            real_share=1.0 if several else 0.2, clouded_share=0.0 if several else 0.35,
            worldcereal_share=worldcereal_share,
        )  # fmt: skip
        with together(device) as me:
            reporter = told if me.first else Silent(told.cancellation)
            order = Order(
                recipe, name, output, work, reporter, me, device, begin,
                board_is_there() if tensorboard is None else tensorboard,
            )  # fmt: skip
            data = Data(
                scenes=scenes, held_out=held_out, real=tuple(real or []), split=split.value if split else None,
                exclude=tuple(exclude or []), hold_out=tuple(hold_out or []),
                clear=tuple(zip(clear_s2 or [], clear_s1 or [], strict=True)), ground=tuple(ground or []),
                check=tuple(check or []), transplants=transplants, guided=guided, worldcereal=worldcereal,
            )  # fmt: skip
            with keeping_work():
                files = train_removal(order, data)
        if files is not None:
            told.result({"model": files.path}, {"minutes": (time.monotonic() - start) / 60})
