"""`sunbreak train multilabel` and `sunbreak train aug-cyclegan`: the networks of the second paper, on BigEarthNet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.session import keeping_work, session

BigEarthNetFolder = Annotated[
    Path,
    typer.Option(
        "--bigearthnet", help="Folder of BigEarthNet v1 (with its lists of cloudy and snowy patches) or v2.",
    ),
]  # fmt: skip
Name = Annotated[str, typer.Option("--name", help="Name of the model.")]
Work = Annotated[Path, typer.Option("--work", help="Folder for state, log and pictures.")]
DeviceName = Annotated[str, typer.Option("--device", help="Where to train: cpu or cuda.")]
Workers = Annotated[int, typer.Option(min=0, help="Processes that read; 0 reads in this one.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of everything random.")]
Bands = Annotated[
    str | None, typer.Option("--bands", help="Bands of the images, such as B02,B03,B04; all 12 if not given.")
]


def multilabel(
    output: o.OutputFolder,
    bigearthnet: BigEarthNetFolder,
    name: Name = "bigearthnet-resnet18",
    work: Work = Path("runs"),
    bands: Bands = None,
    labels: Annotated[int, typer.Option(help="Nomenclature: 19 or 43 labels.")] = 19,
    depth: Annotated[int, typer.Option(help="18 (the paper's) or 50.")] = 18,
    width: Annotated[int, typer.Option(min=1, help="Channels of the first stage.")] = 64,
    steps: Annotated[int, typer.Option(help="Batches.")] = 20000,
    batch: Annotated[int, typer.Option(help="Patches per batch.")] = 64,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 2e-3,
    single: Annotated[float, typer.Option(help="Probability that a patch keeps one of its labels only.")] = 0.5,
    seed: Seed = 1,
    device: DeviceName = "cpu",
    workers: Workers = 0,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Train a multi-label land-cover classifier on the clear patches of BigEarthNet: a softmax over the labels.

    The threshold is tuned on the validation split and kept in the card; the figures are those of the test split.
    Stopped and started again with the same options, it goes on where it was.
    """
    with session("train multilabel", events=events, debug=debug) as reporter, keeping_work():
        from sunbreak.training.unpaired.pipeline import MultilabelOptions, checked_device, train_multilabel

        settings = MultilabelOptions(
            bands=o.band_names(bands), labels=labels, depth=depth, width=width, steps=steps, batch=batch,
            learning_rate=learning_rate, single=single, seed=seed,
        )  # fmt: skip
        files = train_multilabel(
            bigearthnet, settings, name, output, work / name, reporter, device=checked_device(device), workers=workers
        )
        figures = files.card.metrics[0]["figures"]
        shown = ("precision_sample", "recall_sample", "f1_sample", "f2_sample", "f1_micro", "f1_macro", "map_macro")
        reporter.result({"model": files.path}, {key: figures[key] for key in shown})


def aug_cyclegan(
    output: o.OutputFolder,
    bigearthnet: BigEarthNetFolder,
    name: Name = "aug-cyclegan-bigearthnet",
    work: Work = Path("runs"),
    classifier: Annotated[
        str | None,
        typer.Option("--classifier", help="Model whose features give the Frechet distance after every epoch."),
    ] = None,
    bands: Bands = None,
    conditioning: Annotated[
        str, typer.Option("--conditioning", help="Bands that see through cloud: VV,VH or B11,B12, or none.")
    ] = "VV,VH",
    judge_conditioning: Annotated[
        bool, typer.Option(help="Show them to the discriminators too; only for radar, which really sees no clouds.")
    ] = False,
    side: Annotated[int, typer.Option(help="Side of the squares that are trained on, in pixels.")] = 120,
    epochs: Annotated[int, typer.Option(help="Passes over the cloudy patches.")] = 100,
    batch: Annotated[int, typer.Option(help="Pairs per batch.")] = 8,
    width: Annotated[int, typer.Option(min=1, help="Channels after the generators' first convolution.")] = 32,
    latent: Annotated[int, typer.Option(min=0, help="Length of the latent vectors.")] = 16,
    learning_rate: Annotated[float, typer.Option(help="Of generators and encoders, in the first half.")] = 2e-4,
    cycle: Annotated[float, typer.Option(help="Weight of the cycle of clear images.")] = 1.0,
    cycle_cloudy: Annotated[
        float,
        typer.Option(help="Weight of the cycle of cloudy ones; a high one makes the network hide where clouds were."),
    ] = 1.0,
    average: Annotated[float, typer.Option(help="Decay of the generators' moving average.")] = 0.999,
    centred: Annotated[
        bool,
        typer.Option(help="Begin with the mean colour of the pile: spares a short training some thousand steps."),
    ] = False,
    samples: Annotated[int, typer.Option(min=2, help="Latent vectors that `sunbreak clean` draws.")] = 8,
    seed: Seed = 1,
    device: DeviceName = "cpu",
    workers: Workers = 0,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Train an Augmented CycleGAN on the cloudy and the clear patches of BigEarthNet, without pairs.

    After every epoch a picture of samples and, with --classifier, the Frechet distance of the cleared validation
    patches are written. Stopped and started again with the same options, it goes on where it was.
    """
    with session("train aug-cyclegan", events=events, debug=debug) as reporter, keeping_work():
        from sunbreak.training.unpaired.pipeline import TranslationOptions, checked_device, train_translation

        settings = TranslationOptions(
            bands=o.band_names(bands), conditioning=conditioning_names(conditioning),
            judge_conditioning=judge_conditioning, side=side, epochs=epochs, batch=batch, width=width, latent=latent,
            learning_rate=learning_rate, cycle=cycle, cycle_cloudy=cycle_cloudy, average=average,
            centred=centred, samples=samples, seed=seed,
        )  # fmt: skip
        files, last = train_translation(
            bigearthnet, settings, name, output, work / name, reporter,
            classifier=classifier, device=checked_device(device), workers=workers,
        )  # fmt: skip
        reporter.result({"model": files.path}, last)


def conditioning_names(text: str) -> tuple[str, ...]:
    """The value of `--conditioning`."""
    return () if text.strip() == "none" else tuple(o.band_names(text) or ())
