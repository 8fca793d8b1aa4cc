"""`sunbreak adapt`: make the bundled network good on your own place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.session import session
from sunbreak.errors import InputError


def adapt(
    s2: Annotated[
        list[Path], typer.Argument(help="Sentinel-2 scenes of the place, one multi-band file or folder each.")
    ],
    name: Annotated[str, typer.Option("--name", help="Name of the new model.")],
    s1: Annotated[
        list[Path] | None,
        typer.Option("--s1", help="Sentinel-1: one for each scene, or one for all.", rich_help_panel=o.SCENE),
    ] = None,
    mask: Annotated[
        list[Path] | None,
        typer.Option("--mask", help="Cloud mask of each scene, in order.", rich_help_panel=o.CLOUDS),
    ] = None,
    model: o.Removal = None,
    minutes: Annotated[float, typer.Option(help="About how long all of it takes.", rich_help_panel=o.RUN)] = 8.0,
    steps: Annotated[
        int | None, typer.Option(help="Batches, instead of a time: repeatable.", rich_help_panel=o.RUN)
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.", rich_help_panel=o.RUN)] = 1,
    device: Annotated[str, typer.Option(help="Where to train: cpu or cuda.", rich_help_panel=o.RUN)] = "cpu",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder for the model; your models if not given.", rich_help_panel=o.OUTPUT
        ),
    ] = None,
    work: Annotated[Path, typer.Option("--work", help="Folder for state and log.", rich_help_panel=o.OUTPUT)] = Path(
        "runs"
    ),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model of that name.")] = False,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Fine-tune cloud removal on the clear parts of your own scenes, and say what that gained.

    A quarter of the place is held out and measured on. Use the result with `sunbreak clean --model NAME`.
    """
    with session("adapt", events=events, debug=debug) as reporter:
        from sunbreak.errors import ModelError
        from sunbreak.models.registry import DEFAULT_REMOVAL, check_name, find_model, user_folder
        from sunbreak.scene import Scene
        from sunbreak.training.removal.adaptation import adapt as run

        check_name(name)
        folder = output or user_folder()
        if (folder / f"{name}.json").exists() and not overwrite:
            raise ModelError(
                f"There is a model {name!r} already.", "Choose another name or pass --overwrite.", code="name-taken"
            )
        files = find_model(model or DEFAULT_REMOVAL, "cloud-removal")
        radars, masks = _one_each(s1, len(s2), "--s1"), _one_each(mask, len(s2), "--mask")
        scenes = [Scene.open(path, radar, mask=cover) for path, radar, cover in zip(s2, radars, masks, strict=True)]
        made, gain = run(
            scenes, files, name, folder, work, reporter, minutes=minutes, steps=steps, device=device, seed=seed
        )
        numbers = {
            "psnr_before": gain.before,
            "psnr_guide": gain.guide,
            "psnr_after": gain.after,
            "gain": gain.after - gain.before,
            "psnr_mean_colour": gain.mean_colour,
        }
        reporter.result({"model": made.path}, numbers)
        if not events:
            typer.echo(
                f"inside clouds, on {gain.images} held-out images: {gain.before:.2f} dB before, {gain.guide:.2f} dB "
                f"with a guide that knows the place, {gain.after:.2f} dB with the network fine-tuned "
                f"({gain.after - gain.before:+.2f}); a fill with the mean colour {gain.mean_colour:.2f} dB"
            )


def _one_each(paths: list[Path] | None, scenes: int, option: str) -> list[Path | None]:
    """A path for each scene.

    Raises:
        InputError: There are neither none, one, nor as many as scenes.
    """
    if not paths:
        return [None] * scenes
    if len(paths) == 1:
        return [paths[0]] * scenes
    if len(paths) != scenes:
        raise InputError(
            f"{option} is given {len(paths)} times for {scenes} scenes.",
            "Give one for each scene, in order, or one for all.",
            code="bad-option",
        )
    return [*paths]
