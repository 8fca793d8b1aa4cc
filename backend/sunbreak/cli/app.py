"""The `sunbreak` command and its sub-commands."""

from __future__ import annotations

from typing import Annotated, ClassVar

import typer

from sunbreak import __version__
from sunbreak.cli.lazy import Entry, LazyGroup

_COMMANDS = {
    "run": "Remove the clouds of a scene, classify its land cover, explain it, and map how far to trust it.",
    "clean": "Remove clouds from a Sentinel-2 scene with the help of Sentinel-1.",
    "classify": "Classify the land cover of a Sentinel-2 scene.",
    "explain": "Show where in a scene the evidence for a class lies, and which bands contributed.",
    "adapt": "Fine-tune cloud removal on the clear parts of your own scenes, and measure the gain.",
    "batch": "Run one task on many scenes, one after the other or on several workers.",
    "series": "Clean every date of a place with the other dates.",
    "worker": "Run workers for a dask scheduler, until interrupted.",
    "compare": "Compare a raster with a reference: PSNR, SSIM, SAM, MAE, RMSE and preserved detail.",
    "detect-clouds": "Detect clouds and their shadows: writes <scene>_cloud_probability.tif and "
    "<scene>_cloud_mask.tif.",
    "find": "Find the Sentinel-2 scene of a place and a date in a catalogue, the other dates and the radar that go "
    "with it.",
    "get": "Fetch the area of a scene from a catalogue, with its radar and other dates, ready for clean.",
    "inspect": "Say what is found in a scene and what a run will assume: level, bands, offset, no data, units, grid, "
    "clouds.",
    "doctor": "Check packages, GDAL, PROJ, device, models, a self-test, disk and proxy. Exit status 1 if a check "
    "fails.",
    "simulate": "Write a simulated scene: radar, clear and cloudy Sentinel-2, land cover, and where the clouds are.",
    "serve": "Run commands for another program in one process, which keeps the networks loaded.",
}
_GROUPS = {
    "models": "The models on this machine.",
    "evaluate": "Measure the quality of results.",
    "train": "Train the networks.",
    "study": "Repeat the studies that Sunbreak is based on.",
}
_FOR_PROGRAMS = {"serve"}


def _module(name: str) -> str:
    return name.replace("-", "_")


class _Commands(LazyGroup):
    table: ClassVar = {
        **{
            name: Entry(f"sunbreak.cli.{_module(name)}:{_module(name)}", line, hidden=name in _FOR_PROGRAMS)
            for name, line in _COMMANDS.items()
        },
        **{name: Entry(f"sunbreak.cli.{name}:app", line) for name, line in _GROUPS.items()},
    }


app = typer.Typer(
    cls=_Commands,
    help="Removes clouds from Sentinel-2 scenes and reports how far each pixel can be trusted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
