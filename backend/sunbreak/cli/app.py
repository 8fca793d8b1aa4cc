"""The `sunbreak` command and its sub-commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from sunbreak import __version__
from sunbreak.cli import (
    adapt,
    batch,
    classify,
    clean,
    compare,
    detect_clouds,
    doctor,
    evaluate,
    explain,
    find,
    get,
    inspect,
    models,
    run,
    series,
    simulate,
    study,
    train,
    worker,
)
from sunbreak.texts import visible


class _Commands(TyperGroup):
    """The commands; what an error in the call quotes of it acts no more."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the call names."""
        with _visible_errors():
            return super().invoke(ctx)

    def make_context(self, *arguments: Any, **named: Any) -> Any:
        """Parse the options before the command's name."""
        with _visible_errors():
            return super().make_context(*arguments, **named)


@contextmanager
def _visible_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # errors of click, which typer holds a copy of
        if hasattr(error, "format_message") and isinstance(getattr(error, "message", None), str):
            error.message = visible(error.message, keep="\n")  # type: ignore[attr-defined]
        raise


app = typer.Typer(
    cls=_Commands,
    help="Removes clouds from Sentinel-2 scenes and reports how far each pixel can be trusted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("clean")(clean.clean)
app.command("classify")(classify.classify)
app.command("explain")(explain.explain)
app.command("adapt")(adapt.adapt)
app.command("batch")(batch.batch)
app.command("series")(series.series)
app.command("worker")(worker.worker)
app.command("compare")(compare.compare)
app.command("detect-clouds")(detect_clouds.detect_clouds)
app.add_typer(models.app, name="models")
app.command("find")(find.find)
app.command("get")(get.get)
app.command("inspect")(inspect.inspect)
app.command("doctor")(doctor.doctor)
app.command("simulate")(simulate.simulate)
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(train.app, name="train")
app.add_typer(study.app, name="study")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sunbreak {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and stop.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    pass
