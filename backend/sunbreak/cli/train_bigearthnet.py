"""`sunbreak train multilabel` and `sunbreak train aug-cyclegan`: trains the networks of the second paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.model_outputs import check_training
from sunbreak.cli.session import keeping_work, session

BigEarthNetFolder = Annotated[
    Path,
    typer.Option(
        "--bigearthnet", help="Folder of BigEarthNet v1 (with its lists of cloudy and snowy patches) or v2.",
    ),
]  # fmt: skip
Name = Annotated[str, typer.Option("--name", help="Name of the model.")]
Work = Annotated[Path, typer.Option("--work", help="Folder for state, log and pictures.")]
DeviceName = Annotated[str, typer.Option("--device", help="Device: cpu or cuda.")]
Workers = Annotated[int, typer.Option(min=0, help="Processes that read the data; 0 reads in the main process.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of all random numbers.")]
Bands = Annotated[
    str | None, typer.Option("--bands", help="Bands of the images, such as B02,B03,B04; all 12 if not given.")
]


def multilabel(
    output: o.OutputFolder,
    bigearthnet: BigEarthNetFolder,
    name: Name = "bigearthnet-resnet18",
    work: Work = Path("runs"),
    bands: Bands = None,
    labels: Annotated[int, typer.Option(help="Number of labels (nomenclature): 19 or 43.")] = 19,
    depth: Annotated[int, typer.Option(help="Depth of the ResNet: 18 (as in the paper) or 50.")] = 18,
    width: Annotated[int, typer.Option(min=1, help="Channels of the first stage.")] = 64,
    steps: Annotated[int, typer.Option(help="Number of training steps.")] = 20000,
    batch: Annotated[int, typer.Option(help="Patches per batch.")] = 64,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate of the schedule.")] = 2e-3,
    single: Annotated[float, typer.Option(help="Probability that only one label of a patch is used.")] = 0.5,
    seed: Seed = 1,
    device: DeviceName = "cpu",
    workers: Workers = 0,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Train a multi-label land-cover classifier on the clear patches of BigEarthNet, with a softmax over the labels.

    The threshold is tuned on the validation split and stored in the card. The metrics are those of the test split.
    A stopped training resumes if the command is repeated with the same options.
    """
    with session("train multilabel", events=events, debug=debug) as reporter, keeping_work(saves=True):
        from sunbreak.training.unpaired.pipeline import (
            BigEarthNetRun,
            MultilabelOptions,
            checked_device,
            train_multilabel,
        )

        check_training(name, output, work)
        settings = MultilabelOptions(
            bands=o.band_names(bands), labels=labels, depth=depth, width=width, steps=steps, batch=batch,
            learning_rate=learning_rate, single=single, seed=seed,
        )  # fmt: skip
        run = BigEarthNetRun(bigearthnet, name, output, work / name, checked_device(device), workers)
        files = train_multilabel(run, settings, reporter)
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
        str, typer.Option("--conditioning", help="Bands that penetrate clouds: VV,VH or B11,B12, or none.")
    ] = "VV,VH",
    judge_conditioning: Annotated[
        bool,
        typer.Option(
            help="Give these bands to the discriminators too. Use it only with radar, which clouds do not affect."
        ),
    ] = False,
    side: Annotated[int, typer.Option(help="Side of the training patches in pixels.")] = 120,
    epochs: Annotated[int, typer.Option(help="Number of epochs: passes over the cloudy patches.")] = 100,
    batch: Annotated[int, typer.Option(help="Pairs per batch.")] = 8,
    width: Annotated[int, typer.Option(min=1, help="Channels after the first convolution of the generators.")] = 32,
    latent: Annotated[int, typer.Option(min=0, help="Length of the latent vectors.")] = 16,
    learning_rate: Annotated[
        float, typer.Option(help="Learning rate of generators and encoders in the first half.")
    ] = 2e-4,
    cycle: Annotated[float, typer.Option(help="Weight of the cycle loss of clear images.")] = 1.0,
    cycle_cloudy: Annotated[
        float,
        typer.Option(
            help="Weight of the cycle loss of cloudy images. If it is high, the network hides the clouds in the output."
        ),
    ] = 1.0,
    average: Annotated[float, typer.Option(help="Decay of the moving average of the generators.")] = 0.999,
    centred: Annotated[
        bool,
        typer.Option(help="Start with the mean colour of the target images; saves some thousand steps."),
    ] = False,
    samples: Annotated[int, typer.Option(min=2, help="Number of latent vectors that `sunbreak clean` draws.")] = 8,
    seed: Seed = 1,
    device: DeviceName = "cpu",
    workers: Workers = 0,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Train an Augmented CycleGAN on unpaired cloudy and clear patches of BigEarthNet.

    After every epoch it writes a picture of samples and, with --classifier, the Frechet distance of the cleared
    validation patches. A stopped training resumes if the command is repeated with the same options.
    """
    with session("train aug-cyclegan", events=events, debug=debug) as reporter, keeping_work(saves=True):
        from sunbreak.training.unpaired.pipeline import (
            BigEarthNetRun,
            TranslationOptions,
            checked_device,
            train_translation,
        )

        check_training(name, output, work, classifier)
        settings = TranslationOptions(
            bands=o.band_names(bands), conditioning=conditioning_names(conditioning),
            judge_conditioning=judge_conditioning, side=side, epochs=epochs, batch=batch, width=width, latent=latent,
            learning_rate=learning_rate, cycle=cycle, cycle_cloudy=cycle_cloudy, average=average,
            centred=centred, samples=samples, seed=seed,
        )  # fmt: skip
        run = BigEarthNetRun(bigearthnet, name, output, work / name, checked_device(device), workers)
        files, last = train_translation(run, settings, reporter, classifier=classifier)
        reporter.result({"model": files.path}, last)


def conditioning_names(text: str) -> tuple[str, ...]:
    """The band names in the value of `--conditioning`."""
    return () if text.strip() == "none" else tuple(o.band_names(text) or ())
