"""`sunbreak train`: train the networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.session import session

if TYPE_CHECKING:
    from sunbreak.training.removal import RemovalTraining

app = typer.Typer(help="Train the networks.", no_args_is_help=True)

_HELD_OUT_SEED = 900_000


@app.callback()
def _top() -> None:
    pass


@app.command()
def removal(
    output: o.OutputFolder,
    name: Annotated[str, typer.Option("--name", help="Name of the model.")],
    work: Annotated[Path, typer.Option("--work", help="Folder for simulated scenes, state and log.")] = Path("runs"),
    scenes: Annotated[int, typer.Option(help="Simulated scenes to train on.")] = 300,
    held_out: Annotated[int, typer.Option(help="Simulated scenes to calibrate and measure on.")] = 16,
    steps: Annotated[int, typer.Option(help="Batches.")] = 2400,
    batch: Annotated[int, typer.Option(help="Patches per batch.")] = 8,
    patch: Annotated[int, typer.Option(help="Side of a patch in pixels.")] = 96,
    width: Annotated[int, typer.Option(help="Channels of the network.")] = 128,
    depth: Annotated[int, typer.Option(help="Blocks of the network.")] = 5,
    tile: Annotated[int, typer.Option(help="Side of the tiles it will be used on.")] = 256,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 1,
    real: Annotated[
        list[Path] | None, typer.Option("--real", help="Folder in the layout of SEN12MS-CR to train on as well.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", help="Place to leave out, such as 1970_fall_139_p839.")
    ] = None,
    clear_s2: Annotated[
        list[Path] | None,
        typer.Option("--clear-s2", help="Clear scene to lay simulated clouds over; needs its --clear-s1."),
    ] = None,
    clear_s1: Annotated[
        list[Path] | None, typer.Option("--clear-s1", help="Radar of each --clear-s2, in order.")
    ] = None,
    check: Annotated[
        list[Path] | None,
        typer.Option(
            "--check", help="Folder of <id>_s1.tif, <id>_s2_cloudy.tif, <id>_s2.tif: measured on, never trained on."
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="Where to train: cpu or cuda.")] = "cpu",
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Train cloud removal with uncertainty on simulated and real scenes, calibrate it, and write a model with its card.

    Stopped and started again with the same options, it goes on where it was.
    """
    with session("train removal", events=events, debug=debug) as reporter:
        import time

        from sunbreak.training.removal import RemovalTraining, finish, train
        from sunbreak.training.samples import clouded_samples, real_samples, simulated_samples

        start = time.monotonic()
        recipe = RemovalTraining(steps=steps, batch=batch, patch=patch, width=width, depth=depth, tile=tile, seed=seed)
        reporter.message(f"Simulating {scenes + held_out} scenes into {work}, as far as they are not there.")
        simulated = simulated_samples(scenes, tile, 1, work / "scenes")
        kept_back = simulated_samples(held_out, tile, _HELD_OUT_SEED, work / "scenes")
        pairs = [sample for folder in real or [] for sample in real_samples(folder, exclude or [])]
        grounds = list(zip(clear_s2 or [], clear_s1 or [], strict=True))
        clouded = [sample for s2, s1 in grounds for sample in clouded_samples(s2, s1, 10, tile, seed)]
        reporter.message(
            f"Training on {len(simulated)} simulated scenes, {len(pairs)} real pairs and {len(clouded)} real places under "
            "simulated clouds."
        )
        module = train(recipe, simulated, pairs, clouded, work / name, reporter, device=device)
        facts: dict[str, object] = {
            "command": _command(
                name, recipe, scenes, held_out, bool(pairs), exclude or [], len(grounds), len(check or [])
            ),
            "simulated_scenes": f"{scenes} of {tile} x {tile} px, seeds 1 to {scenes}",
            "real_pairs": [sample.name for sample in pairs],
            "clouded_scenes": [path.stem for path, _ in grounds],
            "left_out": exclude or [],
            "minutes": round((time.monotonic() - start) / 60, 1),
            "device": device,
        }
        from sunbreak.training.evaluation import triplets

        checks = [(f"{folder.name}, never trained on", triplets(folder)) for folder in check or []]
        files = finish(module, recipe, kept_back, checks, name, output, facts)
        reporter.result({"model": files.path}, {"minutes": (time.monotonic() - start) / 60})


def _command(
    name: str,
    recipe: RemovalTraining,
    scenes: int,
    held_out: int,
    real: bool,
    exclude: list[str],
    grounds: int,
    checks: int,
) -> str:
    """The command that repeats a training, with placeholders for the folders of this machine."""
    parts = [f"sunbreak train removal -o models --name {name} --scenes {scenes} --held-out {held_out}"]
    parts += [f"--steps {recipe.steps} --batch {recipe.batch} --patch {recipe.patch} --width {recipe.width}"]
    parts += [f"--depth {recipe.depth} --tile {recipe.tile} --seed {recipe.seed}"]
    parts += ["--real SEN12MSCR"] if real else []
    parts += [f"--exclude {place}" for place in exclude]
    parts += ["--clear-s2 S2 --clear-s1 S1"] * grounds + ["--check TRIPLETS"] * checks
    return " ".join(parts)
