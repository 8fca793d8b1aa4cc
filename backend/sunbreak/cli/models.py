"""`sunbreak models`: list, show, import and verify models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from sunbreak.cli import options as o
from sunbreak.cli.session import session
from sunbreak.models.card import ModelCard

app = typer.Typer(help="The models on this machine.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="For another program.")]
Name = Annotated[str, typer.Argument(help="Name of a model, or path of a card.")]


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the models that can be used, and what is wrong with the others."""
    from sunbreak.models import registry

    with session("models list", events=False):
        found, broken = registry.list_models()
        if as_json:
            rows = [
                {
                    "name": files.card.name,
                    "title": files.card.title,
                    "task": files.card.task,
                    "uses_s1": files.card.radar is not None,
                    "uncertainty": files.card.has_variance,
                    "default": files.card.name == registry.DEFAULT_REMOVAL,
                    "licence": files.card.licence,
                }
                for files in found
            ]
            typer.echo(json.dumps(rows, indent=2))
            return
        table = Table("name", "task", "sigma", "S1", "what it is", box=None, pad_edge=False, header_style="bold")
        for files in found:
            card = files.card
            mark = " *" if card.name == registry.DEFAULT_REMOVAL else ""
            table.add_row(
                card.name + mark,
                card.task,
                "yes" if card.has_variance else "no",
                "yes" if card.radar else "no",
                card.title,
            )
        Console(highlight=False).print(table)
        typer.echo("* used unless --model names another")
        for error in broken:
            typer.echo(f"! {error}", err=True)


@app.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Show a model's card: what it was trained on, what was measured, its licence."""
    from sunbreak.models.registry import find_model

    with session("models show", events=False):
        files = find_model(name)
        if as_json:
            typer.echo(json.dumps(files.card.to_item(), indent=2, ensure_ascii=False))
            return
        for line in describe(files.card):
            typer.echo(line)


@app.command()
def verify(name: Name, debug: o.Debug = False) -> None:
    """Check a model: card valid, checksum right, every weight loaded."""
    from sunbreak.models.registry import find_model, load_model

    with session("models verify", events=False, debug=debug):
        files = find_model(name)
        load_model(files)
        typer.echo(f"{files.card.name}: card valid, checksum right, {files.card.parameters:,} weights loaded.")


@app.command("import")
def import_model(
    file: Annotated[Path, typer.Argument(help="Checkpoint: model.pth.tar of UnCRtainTS, or safetensors.")],
    name: Annotated[str, typer.Option("--name", help="Name to give it.")],
    config: Annotated[Path | None, typer.Option("--config", help="conf.json of its training.")] = None,
    title: Annotated[str | None, typer.Option("--title", help="One line that says what it is.")] = None,
    licence: Annotated[str | None, typer.Option("--licence", help="Licence of the weights.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model of that name.")] = False,
    debug: o.Debug = False,
) -> None:
    """Import a foreign checkpoint. It must load completely, or nothing is imported."""
    from sunbreak.models.importing import import_uncrtaints

    with session("models import", events=False, debug=debug):
        files = import_uncrtaints(file, name, config=config, title=title, licence=licence, overwrite=overwrite)
        typer.echo(f"Imported {files.card.name} ({files.card.parameters:,} weights): {files.path}")


def describe(card: ModelCard) -> list[str]:
    """A card as lines for people."""
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
    ]
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
