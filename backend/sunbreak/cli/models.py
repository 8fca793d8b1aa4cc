"""`sunbreak models`: list, show, import and verify models."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from sunbreak.cli import options as o
from sunbreak.cli.model_outputs import check_model
from sunbreak.cli.session import session
from sunbreak.cli.showing import add_row, plain_table, say, say_json
from sunbreak.events import Level, Reporter
from sunbreak.models.card import ModelCard
from sunbreak.models.card_landcover import is_per_pixel
from sunbreak.models.registry import DEFAULT_CLASSIFIER, DEFAULT_REMOVAL


class Task(str, Enum):
    """The task of a network."""

    auto = "auto"
    cloud_removal = "cloud-removal"
    land_cover = "land-cover"


app = typer.Typer(help="The models on this machine.", no_args_is_help=True, add_completion=False)

_IMPORT_STEPS = 2  # read, check and write
_DEFAULTS = (DEFAULT_REMOVAL, DEFAULT_CLASSIFIER)

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON for another program.")]
Name = Annotated[str, typer.Argument(help="Name of a model, or path of a card.")]


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the usable models, and the errors of the others."""
    from sunbreak.models import registry

    with session("models list", events=False):
        found, broken = registry.list_models()
        if as_json:
            rows = [
                {
                    "name": files.card.name,
                    "title": files.card.title,
                    "task": files.card.task,
                    "uses_s1": files.card.uses_radar,
                    "uncertainty": files.card.has_variance,
                    "default": files.card.name in _DEFAULTS,
                    "classes": [kind.name for kind in files.card.classes],
                    "per_pixel": is_per_pixel(files.card),
                    "licence": files.card.licence,
                    "own": not files.bundled,
                    "description": files.card.description,
                    "measured": list(files.card.metrics),
                    "card": describe(files.card),
                }
                for files in found
            ]
            say_json(rows)
            return
        table = plain_table("name", "task", "sigma", "S1", "what it is")
        for files in found:
            card = files.card
            mark = " *" if card.name in _DEFAULTS else ""
            add_row(
                table,
                card.name + mark,
                card.task,
                "yes" if card.has_variance else "no",
                "yes" if card.uses_radar else "no",
                card.title,
            )
        from rich.console import Console

        Console(highlight=False).print(table)
        say("* used unless --model names another")
        for error in broken:
            say(f"! {error}", err=True)


@app.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Show a model's card: training data, metrics and licence."""
    from sunbreak.models.registry import find_model

    with session("models show", events=False):
        files = find_model(name)
        if as_json:
            say_json(files.card.to_item(), ensure_ascii=False)
            return
        for line in describe(files.card):
            say(line)


@app.command()
def verify(name: Name, debug: o.Debug = False) -> None:
    """Check a model: card valid, checksum correct, all weights loaded, values finite."""
    from sunbreak.models.architectures import load_network
    from sunbreak.models.card_common import LAYOUT
    from sunbreak.models.registry import check_converted, find_model

    with session("models verify", events=False, debug=debug):
        files = find_model(name)
        load_network(files)
        check_converted(files)
        layout = "" if files.card.layout == LAYOUT else f" (older layout {files.card.layout})"
        say(f"{files.card.name}: card valid{layout}, checksum correct, {files.card.parameters:,} weights loaded.")


@app.command()
def convert(name: Name, debug: o.Debug = False) -> None:
    """Convert a model for OpenVINO, beside its card: it then runs on the CPU without torch."""
    from sunbreak.models.registry import find_model
    from sunbreak.outputs import check_files

    with session("models convert", events=False, debug=debug):
        files = find_model(name)
        check_files([files.path], overwrite=True)
        from sunbreak.engine.conversion import convert_model

        converted, error = convert_model(files)
        say(f"{converted.card.name}: converted, largest difference from torch {error:.1e} on a random tile.")


@app.command()
def delete(name: Name, events: o.Events = False, debug: o.Debug = False) -> None:
    """Delete an imported, trained or adapted model (card and weights). Bundled models cannot be deleted."""
    from sunbreak.models.registry import delete_model, find_model

    with session("models delete", events=events, debug=debug) as reporter:
        files = find_model(name)
        delete_model(files)
        _tell(reporter, f"Deleted {files.card.name}.", events=events)
        reporter.result({}, {"model": files.card.name})


@app.command("import")
def import_model(
    file: Annotated[
        Path, typer.Argument(help="Checkpoint of an UnCRtainTS, an Augmented CycleGAN or a ResNet, or safetensors.")
    ],
    name: Annotated[str, typer.Option("--name", help="Name of the new model.")],
    task: Annotated[
        Task, typer.Option("--task", help="Task of the network; detected from the checkpoint if not given.")
    ] = Task.auto,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            help="conf.json of an UnCRtainTS training; for a classifier JSON with bands, classes, mean, std, tile, "
            "level, multi_label, where they differ from those of SEN12MS; for an Augmented CycleGAN JSON with "
            "bands, conditioning, reflectance, radar, level, tile, overlap, samples, seed.",
        ),
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="Title of the model, one line.")] = None,
    licence: Annotated[str | None, typer.Option("--licence", help="Licence of the weights.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model of that name.")] = False,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Import a foreign checkpoint. It must load completely, or nothing is imported."""
    from sunbreak.models.registry import user_folder

    with session("models import", events=events, debug=debug) as reporter:
        from sunbreak.models.architectures import importer_for
        from sunbreak.models.weights import read_state_dict

        check_model(name, user_folder(), [file, *([config] if config else [])])
        if not (user_folder() / f"{name}.json").exists():  # the importers say so in their own words
            check_model(name, user_folder(), overwrite=overwrite)
        reporter.progress(0, _IMPORT_STEPS, "steps")
        state = read_state_dict(file)
        reporter.checkpoint()
        reporter.progress(1, _IMPORT_STEPS, "steps")
        how = importer_for(state, None if task is Task.auto else task.value)
        files = how(file, name, config=config, title=title, licence=licence, overwrite=overwrite)
        reporter.progress(_IMPORT_STEPS, _IMPORT_STEPS, "steps")
        _tell(reporter, f"Imported {files.card.name} ({files.card.parameters:,} weights): {files.path}", events=events)
        for text in files.card.training.get("assumed", ()):
            _tell(reporter, text, events=events, level="warning")
        reporter.result({}, {"model": files.card.name, "weights": files.card.parameters})


@app.command()
def calibrate(
    name: Annotated[str, typer.Argument(help="Name of your own cloud removal model, or path of its card.")],
    pairs: Annotated[
        Path,
        typer.Option("--pairs", help="Cloudy and clear pairs in the layout of SEN12MS-CR, not used in its training."),
    ],
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", help="Place to leave out, such as 1970_fall_139_p839.")
    ] = None,
    device: o.DeviceOption = o.Device.auto,
    debug: o.Debug = False,
) -> None:
    """Fit a factor on each band's sigma to real pairs, and write it into the model's card."""
    with session("models calibrate", events=False, debug=debug) as reporter:
        from dataclasses import replace

        from sunbreak.engine.runtime import TorchRuntime, choose_device
        from sunbreak.errors import ModelError
        from sunbreak.models.architectures import load_model
        from sunbreak.models.networks import RemovalNetwork
        from sunbreak.models.registry import find_model
        from sunbreak.outputs import check_files
        from sunbreak.training.removal import validation
        from sunbreak.training.removal.samples import with_masks
        from sunbreak.training.removal.sen12mscr_pairs import real_samples

        files = find_model(name, "cloud-removal")
        card = files.card
        if files.bundled or not card.has_variance:
            why = "it is bundled" if files.bundled else "it predicts no variance"
            raise ModelError(
                f"The model {card.name} cannot be calibrated: {why}.", "Import or adapt one.", code="bad-model"
            )
        check_files([files.path], overwrite=True)
        module = load_model(files)
        samples = with_masks(real_samples(pairs, exclude or []), opaque=card.hides_opaque)
        runtime = TorchRuntime(RemovalNetwork(module), choose_device(device.value), card.tile)
        predictions = validation.predict(runtime, samples, module.config.prior)
        reporter.checkpoint()
        factor = validation.temperature(samples, predictions)
        said = f"{len(samples)} real pairs of {pairs.name}"
        replace(card, temperature=tuple(round(float(v), 4) for v in factor), calibrated_on=said).write(
            files.path.parent
        )
        values = ", ".join(f"{band} {value:.2f}" for band, value in zip(card.bands, factor, strict=True))
        say(f"{card.name}: sigma is multiplied by {values}; fitted on {said}.")


def _tell(reporter: Reporter, text: str, *, events: bool, level: Level = "info") -> None:
    """Report the outcome: an event for another program, a line on standard output for a person."""
    if events:
        reporter.message(text, level)
    else:
        say(f"! {text}" if level == "warning" else text)


def describe(card: ModelCard) -> list[str]:
    """A card as lines of text."""
    from sunbreak.models.card_common import LAYOUT

    lines = [
        f"{card.name}: {card.title}",
        card.description,
        "",
        f"task          {card.task} ({card.architecture}, {card.parameters:,} weights)",
        f"input         {', '.join(card.inputs)}; level {card.level}; {card.dates} date(s)",
        f"tiles         {card.tile} px, {card.overlap} px overlap",
        f"uncertainty   {card.variance or 'none'}",
        f"calibrated on {card.calibrated_on or 'nothing'}",
        f"licence       {card.licence}",
        f"weights       sha256 {card.sha256}",
        f"converted     {'for OpenVINO' if card.converted else 'no'}",
    ]
    if card.layout != LAYOUT:
        lines.append(f"card          older layout {card.layout}; this version writes layout {LAYOUT}")
    if card.outputs != card.bands:
        lines.insert(5, f"output        {', '.join(card.outputs)}")
    if "samples" in card.arguments:
        conditioning = ", ".join(card.arguments["conditioning"]) or "nothing"
        lines.append(f"conditioned   on {conditioning}")
        lines.append(f"sampling      {card.arguments['samples']} latent vectors by seed {card.arguments['seed']}")
    if card.classes:
        kind = "several per patch" if card.multi_label or card.threshold else "one per patch"
        kind = "one per pixel" if is_per_pixel(card) else kind
        lines.append(f"classes       {', '.join(item.name for item in card.classes)} ({kind})")
    if card.threshold:
        of = "the largest probability" if card.threshold["rule"] == "relative" else "1"
        lines.append(f"threshold     {card.threshold['value']:g} of {of}")
    lines += ["", "training"] + [f"  {key}: {_value(value)}" for key, value in card.training.items()]
    for group in card.metrics:
        lines += ["", f"measured on {group['data']}"]
        lines += [f"  {key}: {_value(value)}" for key, value in group["figures"].items()]
    return lines


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_value(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(_value(inner) for inner in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
