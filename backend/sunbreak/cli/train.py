"""`sunbreak train`: train the networks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli import train_bigearthnet, train_removal
from sunbreak.cli.session import session

app = typer.Typer(help="Train the networks.", no_args_is_help=True)

_HELD_OUT_SEED = 900_000
_PER_CLASS = 30


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
    scenes: Annotated[int, typer.Option(help="Simulated scenes to train on.")] = 500,
    held_out: Annotated[int, typer.Option(help="Simulated scenes to calibrate and measure on.")] = 500,
    eurosat: Annotated[
        Path | None,
        typer.Option(
            "--eurosat", help="Folder of EuroSAT: two thirds of its patches are trained on, the rest is measured on."
        ),
    ] = None,
    depth: Annotated[int, typer.Option(help="18 or 50.")] = 18,
    width: Annotated[int, typer.Option(help="Channels of the first stage.")] = 20,
    steps: Annotated[int, typer.Option(help="Batches.")] = 1800,
    batch: Annotated[int, typer.Option(help="Patches per batch.")] = 48,
    real_share: Annotated[float, typer.Option(help="Share of real patches, where there are any.")] = 0.5,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 1,
    device: Annotated[str, typer.Option(help="Where to train: cpu or cuda.")] = "cpu",
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Train a land-cover classifier of the ten simplified IGBP classes, calibrate it, and write a model with its card.

    Stopped and started again with the same options, it goes on where it was.
    """
    with session("train classifier", events=events, debug=debug) as reporter:
        import time

        from sunbreak.models import legends
        from sunbreak.training.classifier.labelled_patches import (
            LEAST_SHARE,
            balanced,
            eurosat_patches,
            simulated_patches,
        )
        from sunbreak.training.classifier.loop import ClassifierTraining, finish, train
        from sunbreak.training.removal.progress import minutes_of

        start = time.monotonic()
        standard = legends.SEN12MS_10
        recipe = ClassifierTraining(
            legends.TEN_BANDS, standard.mean, standard.deviation,
            depth=depth, width=width, steps=steps, batch=batch, real_share=real_share, seed=seed,
        )  # fmt: skip
        reporter.message(f"Simulating {scenes + held_out} scenes into {work}, as far as they are not there.")
        simulated = simulated_patches(scenes, recipe.patch, 1, work / "landcover")
        kept_back = simulated_patches(held_out, recipe.patch, _HELD_OUT_SEED, work / "landcover", least_share=0.5)
        real, real_held = eurosat_patches(eurosat) if eurosat is not None else ([], [])
        reporter.message(f"Training on {len(simulated)} simulated and {len(real)} real patches.")
        module = train(recipe, simulated, real, len(legends.SIMPLIFIED_IGBP), work / name, reporter, device=device)
        half = len(kept_back) // 2
        held = balanced(kept_back[half:], _PER_CLASS)
        checks = [
            (f"held-out simulated scenes, at most {_PER_CLASS} patches per class, each at least half of it", held)
        ]
        if real_held:
            checks.append(("held-out patches of EuroSAT, five mapped classes", real_held))
        facts: dict[str, object] = {
            "command": f"sunbreak train classifier -o models --name {name} --scenes {scenes} --held-out {held_out}"
            f" --depth {depth} --width {width} --steps {steps} --batch {batch} --real-share {real_share:g} --seed "
            f"{seed}" + (" --eurosat EUROSAT" if eurosat is not None else ""),
            "simulated_patches": (
                f"{len(simulated)} of {scenes} scenes, seeds 1 to {scenes}, {LEAST_SHARE:.0%} of one class"
            ),
            "real_patches": f"{len(real)} of EuroSAT" if real else "none",
            "minutes": round(minutes_of(work / name / "log.csv"), 1),
            "device": device,
            "description": (
                "A first classifier so that everything runs out of the box, trained by `sunbreak train classifier` on "
                "simulated landscapes and a few real patches; see the figures before you rely on it. Shrubland, "
                "Savanna, Wetlands, Snow/Ice and Barren were never seen on real images."
            ),
        }
        files = finish(module, recipe, legends.SIMPLIFIED_IGBP, kept_back[:half], checks, name, output, facts)
        reporter.result({"model": files.path}, {"minutes": (time.monotonic() - start) / 60})
