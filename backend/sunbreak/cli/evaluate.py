"""`sunbreak evaluate`: measure results against what is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from sunbreak.cli import evaluate_frechet
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


app.command("frechet")(evaluate_frechet.frechet)


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
                f"inside clouds {coverage['68 %']:.0%} of the values lie within 1 sigma, {coverage['95 %']:.0%} "
                "within 1.96"
            )


@app.command()
def saliency(
    s2: o.S2,
    s1: o.S1 = None,
    model: o.Classifier = None,
    method: o.MethodOption = o.Method.gradcam,
    block: o.Block = "layer4",
    patches: Annotated[int, typer.Option(help="Patches to look at, spread over the scene.")] = 16,
    steps: Annotated[int, typer.Option(help="Steps of the curves.")] = 16,
    seed: Annotated[int, typer.Option(help="Seed of the random weights.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="For another program.")] = False,
    debug: o.Debug = False,
) -> None:
    """Check a classifier's saliency maps on a scene.

    Sanity check: maps of randomised weights must be others (rank correlation near 0). Deletion and insertion: the
    pixels that the map names must matter to the answer more than pixels drawn by chance.
    """
    from dataclasses import asdict

    with session("evaluate saliency", events=False, debug=debug) as reporter:
        from sunbreak.models.registry import DEFAULT_CLASSIFIER, find_model
        from sunbreak.scene import Scene
        from sunbreak.tasks.faithfulness import measure

        files = find_model(model or DEFAULT_CLASSIFIER, "land-cover")
        scene = Scene.open(o.one_or_many(s2), o.one_or_many(s1) if s1 else None)
        found = measure(
            scene, files, reporter, method=method.value, block=block, patches=patches, steps=steps, seed=seed
        )
        if as_json:
            typer.echo(json.dumps(asdict(found), indent=2))
            return
        table = Table("random from the head down to", "Spearman", box=None, pad_edge=False, header_style="bold")
        for part, value in found.spearman.items():
            table.add_row(part, f"{value:+.3f}")
        console = Console(highlight=False)
        console.print(table)
        console.print(f"deletion  {found.deletion:.3f} (by chance {found.deletion_random:.3f}; lower is better)")
        console.print(f"insertion {found.insertion:.3f} (by chance {found.insertion_random:.3f}; higher is better)")
        console.print(f"means over {found.patches} patches, {method.value} at {block}")
