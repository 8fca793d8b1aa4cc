"""`sunbreak evaluate`: measure the quality of results."""

from __future__ import annotations

from typing import Annotated

import typer

from sunbreak.cli import evaluate_clouds, evaluate_frechet, evaluate_removal
from sunbreak.cli import options as o
from sunbreak.cli.inputs import job_inputs
from sunbreak.cli.session import session
from sunbreak.cli.showing import add_row, plain_table, say, say_json
from sunbreak.extras import require

app = typer.Typer(help="Measure the quality of results.", no_args_is_help=True, add_completion=False)

app.command("clouds")(evaluate_clouds.clouds)
app.command("removal")(evaluate_removal.removal)
app.command("frechet")(evaluate_frechet.frechet)


@app.callback()
def _top() -> None:
    pass


@app.command()
def saliency(
    s2: o.S2,
    s1: o.S1 = None,
    model: o.Classifier = None,
    method: o.MethodOption = o.Method.auto,
    block: o.Block = "layer4",
    patches: Annotated[int, typer.Option(help="Number of patches, spread over the scene.")] = 16,
    steps: Annotated[int, typer.Option(help="Steps of the curves.")] = 16,
    seed: Annotated[int, typer.Option(help="Seed of the random weights.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON for another program.")] = False,
    debug: o.Debug = False,
) -> None:
    """Check a classifier's saliency maps on a scene.

    Sanity check: maps of randomised weights must differ (rank correlation near 0). Deletion and insertion: the pixels
    that the map marks must change the prediction more than random pixels do.
    """
    from dataclasses import asdict

    with session("evaluate saliency", events=False, debug=debug) as reporter:
        require("torch", "torch", "Checking saliency maps")
        from sunbreak.landcover.faithfulness import measure
        from sunbreak.models.registry import DEFAULT_CLASSIFIER, find_model
        from sunbreak.models.saliency_methods import INTEGRATED, method_for

        files = find_model(model or DEFAULT_CLASSIFIER, "land-cover")
        scene = job_inputs(s2, s1, o.S2Unit.auto, "auto", "auto", None, o.S1Unit.auto, None).open()
        found = measure(
            scene, files, reporter, method=method.value, block=block, patches=patches, steps=steps, seed=seed
        )
        if as_json:
            say_json(asdict(found))
            return
        table = plain_table("random from the head down to", "Spearman")
        for part, value in found.spearman.items():
            add_row(table, part, f"{value:+.3f}")
        from rich.console import Console

        console = Console(highlight=False)
        console.print(table)
        say(f"deletion  {found.deletion:.3f} (by chance {found.deletion_random:.3f}; lower is better)")
        say(f"insertion {found.insertion:.3f} (by chance {found.insertion_random:.3f}; higher is better)")
        if found.deletion_area is not None and found.insertion_area is not None:
            say(
                f"with the class's pixels first, in random order: deletion {found.deletion_area:.3f}, "
                f"insertion {found.insertion_area:.3f}"
            )
        used = method_for(files.card, method.value)
        say(f"means over {found.patches} patches, {used if used == INTEGRATED else f'{used} at {block}'}")
