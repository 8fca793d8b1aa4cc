"""`sunbreak simulate`: write a simulated scene whose truth is known."""

from __future__ import annotations

from typing import Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.session import session


def simulate(
    output: o.OutputFolder,
    size: Annotated[int, typer.Option(help="Side of the scene in pixels of 10 m.", min=16, max=4096)] = 768,
    seed: Annotated[int, typer.Option(help="Another number gives another scene.", min=0)] = 1,
    cover: Annotated[
        float | None, typer.Option(help="About this share is cloudy, 0 to 1; drawn if not given.", min=0, max=1)
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Write the demo scene that travels with Sunbreak.")] = False,
    overwrite: o.Overwrite = False,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Write a simulated scene: radar, clear and cloudy Sentinel-2, land cover, and where the clouds are."""
    with session("simulate", events=events, debug=debug) as reporter:
        from sunbreak.datasets.simulation import simulate_scene, write_demo, write_scene

        if demo:
            paths = write_demo(output, overwrite=overwrite)
        else:
            paths = write_scene(output, simulate_scene(size, seed, cover=cover), overwrite=overwrite)
        for role, path in paths.items():
            reporter.layer(role, path)
        reporter.result(paths, {})
