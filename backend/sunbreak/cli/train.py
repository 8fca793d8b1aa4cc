"""`sunbreak train`: trains the networks."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli import train_bigearthnet, train_removal
from sunbreak.cli.model_outputs import check_training
from sunbreak.cli.session import session

app = typer.Typer(help="Train the networks.", no_args_is_help=True)

app.command("removal")(train_removal.removal)
app.command("multilabel")(train_bigearthnet.multilabel)
app.command("aug-cyclegan")(train_bigearthnet.aug_cyclegan)


@app.callback()
def _top() -> None:
    pass


@app.command()
def classifier(
    output: o.OutputFolder,
    name: Annotated[str, typer.Option("--name", help="Name of the model.")],
    work: Annotated[Path, typer.Option("--work", help="Folder for simulated scenes, state and log.")] = Path("runs"),
    scenes: Annotated[int, typer.Option(help="Number of simulated scenes in the training set.")] = 500,
    held_out: Annotated[int, typer.Option(help="Number of simulated scenes for calibration and measurement.")] = 500,
    eurosat: Annotated[
        Path | None,
        typer.Option(
            "--eurosat",
            help="Folder of EuroSAT: two thirds of its patches are used for training, the rest for measurement.",
        ),
    ] = None,
    depth: Annotated[int, typer.Option(help="Depth of the ResNet: 18 or 50.")] = 18,
    width: Annotated[int, typer.Option(help="Channels of the first stage.")] = 20,
    steps: Annotated[int, typer.Option(help="Number of training steps.")] = 1800,
    batch: Annotated[int, typer.Option(help="Patches per batch.")] = 48,
    real_share: Annotated[float, typer.Option(help="Fraction of real patches, if there are any.")] = 0.5,
    seed: Annotated[int, typer.Option(help="Seed of all random numbers.")] = 1,
    device: Annotated[str, typer.Option(help="Device: cpu or cuda.")] = "cpu",
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Train a land-cover classifier of the ten simplified IGBP classes, calibrate it, and write a model with its card.

    A stopped training resumes if the command is repeated with the same options.
    """
    with session("train classifier", events=events, debug=debug) as reporter:
        from sunbreak.training.classifier.pipeline import ClassifierOrder, train_classifier

        check_training(name, output, work)
        order = ClassifierOrder(
            name=name, output=output, work=work, scenes=scenes, held_out=held_out, eurosat=eurosat, depth=depth,
            width=width, steps=steps, batch=batch, real_share=real_share, seed=seed, device=device,
        )  # fmt: skip
        start = time.monotonic()
        files = train_classifier(order, reporter)
        reporter.result({"model": files.path}, {"minutes": (time.monotonic() - start) / 60})
