"""`sunbreak adapt`: fine-tunes the bundled network on your own place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.model_outputs import check_model, check_training
from sunbreak.cli.session import session
from sunbreak.cli.showing import say
from sunbreak.errors import InputError


def adapt(
    s2: Annotated[
        list[Path], typer.Argument(help="Sentinel-2 scenes of the place; each is one multi-band file or folder.")
    ],
    name: Annotated[str, typer.Option("--name", help="Name of the new model.")],
    s1: Annotated[
        list[Path] | None,
        typer.Option("--s1", help="Sentinel-1: one file for each scene, or one for all.", rich_help_panel=o.SCENE),
    ] = None,
    mask: Annotated[
        list[Path] | None,
        typer.Option("--mask", help="Cloud mask of each scene, in order.", rich_help_panel=o.CLOUDS),
    ] = None,
    mask_coding: o.MaskCodingOption = o.MaskCoding.auto,
    model: o.Removal = None,
    minutes: Annotated[
        float, typer.Option(help="Approximate duration of the whole adaptation in minutes.", rich_help_panel=o.RUN)
    ] = 8.0,
    steps: Annotated[
        int | None,
        typer.Option(
            help="Number of training steps, instead of a duration; the result is then repeatable.",
            rich_help_panel=o.RUN,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of all random numbers.", rich_help_panel=o.RUN)] = 1,
    device: Annotated[str, typer.Option(help="Device: cpu or cuda.", rich_help_panel=o.RUN)] = "cpu",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder for the model; your model folder if not given.", rich_help_panel=o.OUTPUT
        ),
    ] = None,
    work: Annotated[Path, typer.Option("--work", help="Folder for state and log.", rich_help_panel=o.OUTPUT)] = Path(
        "runs"
    ),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing model of that name.")] = False,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Fine-tune cloud removal on the clear parts of your own scenes, and measure the gain.

    A quarter of the place is held out for the measurement. Use the result with `sunbreak clean --model NAME`.
    """
    with session("adapt", events=events, debug=debug) as reporter:
        from sunbreak.errors import ModelError
        from sunbreak.models.registry import DEFAULT_REMOVAL, find_model, user_folder
        from sunbreak.scene import Scene
        from sunbreak.training.removal.adaptation import Adaptation
        from sunbreak.training.removal.adaptation import adapt as run

        folder = output or user_folder()
        check_training(name, folder, work, model)
        if (folder / f"{name}.json").exists() and not overwrite:
            raise ModelError(
                f"A model {name!r} exists already.", "Choose another name or pass --overwrite.", code="name-taken"
            )
        check_model(name, folder, overwrite=overwrite)
        files = find_model(model or DEFAULT_REMOVAL, "cloud-removal")
        check_model(name, folder, [files.path, files.weights])
        radars, masks = _one_each(s1, len(s2), "--s1"), _one_each(mask, len(s2), "--mask")
        scenes = [
            Scene.open(path, radar, mask=cover, mask_coding=mask_coding.value)
            for path, radar, cover in zip(s2, radars, masks, strict=True)
        ]
        order = Adaptation(name, folder, work, minutes, steps, device, seed)
        made, gain = run(scenes, files, order, reporter)
        numbers = {
            "psnr_before": gain.before,
            "psnr_guide": gain.guide,
            "psnr_after": gain.after,
            "gain": gain.after - gain.before,
            "psnr_mean_colour": gain.mean_colour,
        }
        reporter.result({"model": made.path}, numbers)
        if not events:
            say(
                f"PSNR inside clouds on {gain.images} held-out images: {gain.before:.2f} dB before, {gain.guide:.2f} "
                f"dB with the prior of the place, {gain.after:.2f} dB after fine-tuning "
                f"({gain.after - gain.before:+.2f}); baseline (mean colour) {gain.mean_colour:.2f} dB"
            )


def _one_each(paths: list[Path] | None, scenes: int, option: str) -> list[Path | None]:
    """One path for each scene.

    Raises:
        InputError: The number of paths is not 0, 1 or the number of scenes.
    """
    if not paths:
        return [None] * scenes
    if len(paths) == 1:
        return [paths[0]] * scenes
    if len(paths) != scenes:
        raise InputError(
            f"{option} is given {len(paths)} times, but there are {scenes} scenes.",
            "Give one for each scene, in order, or one for all.",
            code="bad-option",
        )
    return [*paths]
