"""`sunbreak evaluate`: measure results against what is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from sunbreak.cli import options as o
from sunbreak.cli.session import session

app = typer.Typer(help="Measure results against what is known.", no_args_is_help=True)

_COLUMNS = {
    "psnr": ("PSNR dB", ".2f"),
    "ssim": ("SSIM", ".3f"),
    "sam": ("SAM deg", ".2f"),
    "mae": ("MAE", ".4f"),
    "detail": ("detail", ".2f"),
    "psnr_cloud": ("PSNR in cloud", ".2f"),
    "psnr_clear": ("PSNR in clear", ".2f"),
}


@app.callback()
def _top() -> None:
    pass


@app.command()
def removal(
    pred: Annotated[Path, typer.Option("--pred", help="The cleaned scene.")],
    target: Annotated[Path, typer.Option("--target", help="The clear scene on the same grid.")],
    cloudy: Annotated[Path | None, typer.Option("--cloudy", help="The scene before cleaning, for comparison.")] = None,
    mask: o.Mask = None,
    sigma: Annotated[Path | None, typer.Option("--sigma", help="The uncertainty layer.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For another program.")] = False,
    debug: o.Debug = False,
) -> None:
    """Compare a cleaned scene with the known clear one: means over patches of 256 px."""
    with session("evaluate removal", events=False, debug=debug):
        from sunbreak.tasks.evaluation import compare

        rows = compare(pred, target, cloudy=cloudy, mask=mask, sigma=sigma)
        if as_json:
            typer.echo(json.dumps(rows, indent=2))
            return
        coverage = rows.pop("coverage in clouds", None)
        shown = [key for key in _COLUMNS if any(key in figures for figures in rows.values())]
        table = Table("", *(_COLUMNS[key][0] for key in shown), box=None, pad_edge=False, header_style="bold")
        for name, figures in rows.items():
            table.add_row(name, *(format(figures[key], _COLUMNS[key][1]) if key in figures else "-" for key in shown))
        Console(highlight=False, width=120).print(table)
        if coverage:
            typer.echo(
                f"inside clouds {coverage['68 %']:.0%} of the values lie within 1 sigma, {coverage['95 %']:.0%} within 1.96"
            )
