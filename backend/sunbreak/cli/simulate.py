"""`sunbreak simulate`: write a simulated scene or data set with known truth."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.session import session
from sunbreak.extras import require


class SimulatedLayout(str, Enum):
    """Layout of the simulated data on disk."""

    scene = "scene"
    sen12ms = "sen12ms"


def simulate(
    output: o.OutputFolder,
    size: Annotated[
        int | None,
        typer.Option(
            help="Side of the scene in pixels of 10 m; of each patch with --layout sen12ms. 768, and 256 for patches.",
            min=16,
            max=4096,
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed; another number gives another scene.", min=0)] = 1,
    cover: Annotated[
        float | None, typer.Option(help="Approximate cloudy fraction, 0 to 1; random if not given.", min=0, max=1)
    ] = None,
    dates: Annotated[
        int,
        typer.Option(
            help="Number of other dates of the place to write as well, before and after the scene in turn: other "
            "seasons, clouds of their own (0 to 50 %), and some fields of another use.",
            min=0,
            max=8,
        ),
    ] = 0,
    demo: Annotated[
        bool, typer.Option("--demo", help="Write the demo scene of Sunbreak, which has two other dates.")
    ] = False,
    layout: Annotated[
        SimulatedLayout,
        typer.Option(help="One scene, or many patches in the layouts of SEN12MS and SEN12MS-CR with land cover."),
    ] = SimulatedLayout.scene,
    patches: Annotated[int, typer.Option(help="Number of patches that --layout sen12ms writes.", min=2)] = 240,
    overwrite: o.Overwrite = False,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Write a simulated scene: radar, clear and cloudy Sentinel-2, land cover, and where the clouds are."""
    with session("simulate", events=events, debug=debug) as reporter:
        require("scipy", "evaluation", "Simulating")
        from sunbreak.datasets.simulation import (
            acquired_in,
            check_scene,
            draw_dates,
            simulate_dates,
            simulate_scene,
            write_demo,
            write_scene,
        )
        from sunbreak.datasets.simulation.sen12ms import SIDE, Sen12msSimulation, write_sen12ms
        from sunbreak.errors import InputError

        if layout is SimulatedLayout.sen12ms:
            if demo or dates or cover is not None:
                raise InputError(
                    "--demo, --dates and --cover are for a single scene.",
                    "Leave them out: the patches of --layout sen12ms have cloud covers of all kinds.",
                    code="bad-option",
                )

            def checkpoint(done: int) -> None:
                reporter.checkpoint()
                reporter.progress(done, patches, "patches")

            wanted = Sen12msSimulation(patches, size or SIDE, seed)
            folders = write_sen12ms(output, wanted, overwrite=overwrite, checkpoint=checkpoint)
            reporter.result(folders, {"patches": patches})
            return
        if demo and dates:
            raise InputError(
                "--demo and --dates do not go together.",
                "Leave out --dates: the demo scene has one date before and one after it.",
                code="bad-option",
            )
        check_scene(output, "demo" if demo else "scene", overwrite=overwrite)
        if demo:
            paths = write_demo(output, overwrite=overwrite)
        else:
            scene, acquired, others = simulate_scene(size or 768, seed, cover=cover), None, {}
            if dates:
                acquired = acquired_in(scene.season, seed)
                drawn = draw_dates(acquired, seed, dates)
                names = [f"{date.acquired:%Y%m%d}" for date in drawn]
                check_scene(output, overwrite=overwrite, dates=names)
                simulated = simulate_dates(size or 768, seed, acquired, drawn)
                others = {date.acquired: other for date, other in zip(drawn, simulated, strict=True)}
            paths = write_scene(output, scene, overwrite=overwrite, acquired=acquired, others=others)
        for role, path in paths.items():
            reporter.layer(role, path)
        reporter.result(paths, {})
