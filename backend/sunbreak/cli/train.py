"""`sunbreak train`: trains the networks."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli import train_bigearthnet, train_removal
from sunbreak.cli.model_outputs import check_training
from sunbreak.cli.session import session
from sunbreak.errors import InputError

if TYPE_CHECKING:
    from sunbreak.events import Reporter
    from sunbreak.models.registry import ModelFiles

_FOLDS = 4

app = typer.Typer(help="Train the networks.", no_args_is_help=True, add_completion=False)

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
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            help="Folder of label rasters (class and confidence of each pixel): trains a per-pixel network of the nine "
            "classes of Dynamic World.",
        ),
    ] = None,
    images: Annotated[
        Path | None, typer.Option("--images", help="Folder of the images that the label rasters belong to.")
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            "--folds",
            help="Networks that are trained to measure, with --labels: each without a part of the places, 4 if not "
            "given.",
        ),
    ] = None,
    depth: Annotated[int, typer.Option(help="Depth of the ResNet: 18 or 50; 18 with --labels.")] = 18,
    width: Annotated[int | None, typer.Option(help="Channels of the first stage: 20, and 18 with --labels.")] = None,
    steps: Annotated[int | None, typer.Option(help="Training steps: 1800, and 300 with --labels.")] = None,
    batch: Annotated[int | None, typer.Option(help="Patches per batch: 48, and 12 with --labels.")] = None,
    real_share: Annotated[float, typer.Option(help="Fraction of real patches, if there are any.")] = 0.5,
    seed: Annotated[int, typer.Option(help="Seed of all random numbers.")] = 1,
    device: Annotated[str, typer.Option(help="Device: cpu or cuda.")] = "cpu",
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Train a land-cover classifier, calibrate it, and write a model with its card.

    It gives one of the ten simplified IGBP classes to a patch, or with --labels one of the nine classes of Dynamic
    World to each pixel.

    A stopped training resumes if the command is repeated with the same options.
    """
    with session("train classifier", events=events, debug=debug) as reporter:
        check_training(name, output, work)
        start = time.monotonic()
        if labels is None and images is None and folds is None:
            from sunbreak.training.classifier.pipeline import ClassifierOrder, train_classifier

            order = ClassifierOrder(
                name=name, output=output, work=work, scenes=scenes, held_out=held_out, eurosat=eurosat, depth=depth,
                width=width or 20, steps=steps or 1800, batch=batch or 48, real_share=real_share, seed=seed,
                device=device,
            )  # fmt: skip
            files = train_classifier(order, reporter)
        else:
            files = _per_pixel(
                name, output, work, labels, images, folds, scenes, width, steps, batch, seed, device,
                reporter,
            )  # fmt: skip
        reporter.result({"model": files.path}, {"minutes": (time.monotonic() - start) / 60})


def _per_pixel(
    name: str,
    output: Path,
    work: Path,
    labels: Path | None,
    images: Path | None,
    folds: int | None,
    scenes: int,
    width: int | None,
    steps: int | None,
    batch: int | None,
    seed: int,
    device: str,
    reporter: Reporter,
) -> ModelFiles:
    from sunbreak.training.segmentation.loop import SegmentationTraining
    from sunbreak.training.segmentation.pipeline import SegmentationOrder, train_segmentation

    if labels is None or images is None:
        raise InputError("--labels, --images and --folds go together.", "Give the folders of both.", code="bad-option")
    usual = SegmentationTraining(seed=seed)
    recipe = replace(usual, width=width or usual.width, steps=steps or usual.steps, batch=batch or usual.batch)
    count = _FOLDS if folds is None else folds
    order = SegmentationOrder(name, output, work, labels, images, count, scenes, recipe, device)
    return train_segmentation(order, reporter)
