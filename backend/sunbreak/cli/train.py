"""`sunbreak train`: train the networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli import train_bigearthnet
from sunbreak.cli.session import session

if TYPE_CHECKING:
    from sunbreak.training.removal import RemovalTraining

app = typer.Typer(help="Train the networks.", no_args_is_help=True)

_HELD_OUT_SEED = 900_000
_PER_CLASS = 30


app.command("multilabel")(train_bigearthnet.multilabel)
app.command("aug-cyclegan")(train_bigearthnet.aug_cyclegan)


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
    ground: Annotated[
        list[Path] | None,
        typer.Option("--ground", help="Clear scene without radar, or a folder of such, to lay simulated clouds over."),
    ] = None,
    hold_out: Annotated[
        list[str] | None,
        typer.Option("--hold-out", help="Place of --real to calibrate on instead, such as 1970_fall_85_p492."),
    ] = None,
    begin: Annotated[
        str | None, typer.Option("--start", help="Model of the same size to begin with instead of random weights.")
    ] = None,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 1.5e-3,
    transplants: Annotated[
        int, typer.Option(min=0, help="Real clouds of --real pairs laid over each real clear place.")
    ] = 8,
    guided: Annotated[
        bool, typer.Option(help="Show the network the image with its clouds filled from what is clear.")
    ] = True,
    no_radar: Annotated[float, typer.Option(help="Probability of leaving the radar out of a patch.")] = 0.15,
    detail: Annotated[float, typer.Option(help="Weight of the price on blur.")] = 0.1,
    device: Annotated[str, typer.Option(help="Where to train: cpu or cuda.")] = "cpu",
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Train cloud removal with uncertainty on simulated and real scenes, calibrate it, and write a model with its card.

    Stopped and started again with the same options, it goes on where it was.
    """
    with session("train removal", events=events, debug=debug) as reporter:
        import time

        from sunbreak.models.registry import find_model, load_model
        from sunbreak.training.evaluation import triplets
        from sunbreak.training.removal import RemovalTraining, finish, minutes_of, train
        from sunbreak.training.samples import (
            clouded_samples,
            mean_spectrum,
            real_samples,
            simulated_samples,
            with_masks,
        )
        from sunbreak.training.transplants import cloud_layers, transplanted_samples

        start = time.monotonic()
        reporter.message(f"Simulating {scenes + held_out} scenes into {work}, as far as they are not there.")
        simulated = simulated_samples(scenes, tile, 1, work / "scenes")
        kept_back = simulated_samples(held_out, tile, _HELD_OUT_SEED, work / "scenes")
        kept = set(hold_out or [])
        known = [sample for folder in real or [] for sample in real_samples(folder, exclude or [])]
        pairs = [sample for sample in known if sample.name.split()[-1] not in kept]
        calibration = [sample for sample in known if sample.name.split()[-1] in kept]
        grounds: list[tuple[Path, Path | None]] = [*zip(clear_s2 or [], clear_s1 or [], strict=True)]
        bare = [
            path for place in ground or [] for path in (sorted(place.rglob("*.tif")) if place.is_dir() else [place])
        ]
        bare = [path for path in bare if not any(name in path.stem for name in _disguised(kept | set(exclude or [])))]
        clouded = [sample for s2, s1 in grounds for sample in clouded_samples(s2, s1, 10, tile, seed)]
        clouded += [sample for path in bare for sample in clouded_samples(path, None, 4, tile, seed)]
        checks = [(f"{folder.name}, never trained on", triplets(folder)) for folder in check or []]
        if guided:
            checks = [(label, with_masks(samples)) for label, samples in checks]
            reporter.message("Looking for clouds, as `sunbreak clean` would.")
            simulated, pairs, clouded = with_masks(simulated), with_masks(pairs), with_masks(clouded)
            kept_back, calibration = with_masks(kept_back), with_masks(calibration)
        transplanted = []
        if guided and transplants:
            # every piece of ground once, whatever simulated clouds it got
            places = {sample.clear.tobytes(): sample for sample in [*clouded, *pairs]}
            transplanted = with_masks(
                transplanted_samples(list(places.values()), cloud_layers(pairs), transplants, seed)
            )
        prior = mean_spectrum([*simulated, *pairs]) if guided else ()
        recipe = RemovalTraining(
            steps=steps, batch=batch, patch=patch, width=width, depth=depth, tile=tile, seed=seed, prior=prior,
            no_radar=no_radar, detail=detail, transplanted_share=0.25 if transplanted else 0.0,
            clouded_share=0.25 if transplanted else 0.35, learning_rate=learning_rate,
        )  # fmt: skip
        reporter.message(
            f"Training on {len(simulated)} simulated scenes, {len(pairs)} real pairs and {len(clouded)} real places "
            f"under simulated clouds and {len(transplanted)} under real ones."
        )
        first = find_model(begin, "cloud-removal") if begin else None
        module = train(
            recipe, simulated, pairs, clouded, work / name, reporter,
            device=device, start=load_model(first) if first else None, transplanted=transplanted,
        )  # fmt: skip
        facts: dict[str, object] = {
            "command": _command(
                name, recipe, scenes, held_out, bool(pairs), len(grounds), len(ground or []), len(check or [])
            )
            + (f" --start {begin}" if begin else "")
            + f" --learning-rate {learning_rate:g} --transplants {transplants}"
            + "".join(f" --exclude {place}" for place in exclude or [])
            + "".join(f" --hold-out {place}" for place in sorted(kept)),
            "simulated_scenes": f"{scenes} of {tile} x {tile} px, seeds 1 to {scenes}",
            "real_pairs": [sample.name for sample in pairs],
            "clouded_scenes": [path.stem for path, _ in grounds],
            "clouded_scenes_without_radar": [path.stem for path in bare],
            "transplants": f"{len(transplanted)} places under real clouds of other places",
            **({"started_from": f"{first.card.name}, sha256 {first.card.sha256}"} if first else {}),
            "left_out": exclude or [],
            "minutes": round(minutes_of(work / name / "log.csv"), 1),
            "device": device,
        }
        files = finish(module, recipe, kept_back, checks, name, output, facts, real_calibration=calibration)
        reporter.result({"model": files.path}, {"minutes": (time.monotonic() - start) / 60})


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
        from sunbreak.training.classifier import ClassifierTraining, finish, train
        from sunbreak.training.patches import LEAST_SHARE, balanced, eurosat_patches, simulated_patches
        from sunbreak.training.removal import minutes_of

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


def _command(
    name: str,
    recipe: RemovalTraining,
    scenes: int,
    held_out: int,
    real: bool,
    grounds: int,
    bare: int,
    checks: int,
) -> str:
    """The command that repeats a training, with placeholders for the folders of this machine."""
    parts = [f"sunbreak train removal -o models --name {name} --scenes {scenes} --held-out {held_out}"]
    parts += [f"--steps {recipe.steps} --batch {recipe.batch} --patch {recipe.patch} --width {recipe.width}"]
    parts += [f"--depth {recipe.depth} --tile {recipe.tile} --seed {recipe.seed}"]
    parts += [
        f"--no-radar {recipe.no_radar:g} --detail {recipe.detail:g} {'--guided' if recipe.prior else '--no-guided'}"
    ]
    parts += ["--real SEN12MSCR"] if real else []
    parts += ["--clear-s2 S2 --clear-s1 S1"] * grounds + ["--ground S2"] * bare + ["--check TRIPLETS"] * checks
    return " ".join(parts)


def _disguised(places: set[str]) -> list[str]:
    """Places such as ``1970_fall_85_p492`` as they stand in file names: ``1970_fall_s2_85_p492``."""
    named = []
    for place in places:
        seed, season, scene, patch = place.split("_")
        named.append(f"{seed}_{season}_s2_{scene}_{patch}")
    return named
