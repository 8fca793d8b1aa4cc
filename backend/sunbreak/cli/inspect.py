"""`sunbreak inspect`: what is found in a scene, and what a run will assume."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.inputs import job_inputs, other_dates, with_fetched
from sunbreak.cli.session import session
from sunbreak.cli.showing import add_row, plain_table, say, say_json

if TYPE_CHECKING:
    from sunbreak.diagnostics.inspection import Inspection


def inspect(
    s2: o.S2,
    s1: o.S1 = None,
    reference: o.Reference = None,
    references: o.References = None,
    reference_s1: o.ReferenceS1 = None,
    mask: o.Mask = None,
    mask_coding: o.MaskCodingOption = o.MaskCoding.auto,
    detector: o.Detector = o.DETECTOR,
    window: o.Window = None,
    bbox: o.Bbox = None,
    s2_unit: o.S2UnitOption = o.S2Unit.auto,
    s2_offset: o.S2Offset = "auto",
    s2_nodata: o.S2Nodata = "auto",
    s2_scale: o.S2Scale = None,
    s2_bands: o.S2Bands = None,
    s1_unit: o.S1UnitOption = o.S1Unit.auto,
    picture: Annotated[
        Path | None,
        typer.Option(
            "--picture",
            help="Write a picture: true colour, no data hatched, the cloud mask outlined, and radar (FILE.png).",
            rich_help_panel=o.OUTPUT,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing picture.", rich_help_panel=o.OUTPUT)
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write JSON for another program.", rich_help_panel=o.OUTPUT)
    ] = False,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Say what is found in a scene and what a run will assume: level, bands, offset, no data, units, grid, clouds.

    Nothing is processed, and nothing is written but the picture. What a run would refuse is refused here too.
    """
    start = time.monotonic()
    with session("inspect", events=events, debug=debug) as reporter:
        from sunbreak.diagnostics.inspection import inspect_scene
        from sunbreak.diagnostics.inspection_picture import check_picture, write_picture
        from sunbreak.diagnostics.inspection_text import rows_of

        own = [*s2, *(s1 or ()), *([mask] if mask else [])]
        others = other_dates(own, reference, references, reference_s1)
        inputs = job_inputs(
            s2, s1, s2_unit, s2_offset, s2_nodata, s2_scale, s1_unit, s2_bands, mask=mask,
            mask_coding=mask_coding.value, window=window, bbox=bbox, **others,
        )  # fmt: skip
        taken: list[str] = []
        inputs = with_fetched(inputs, "run", taken.append)
        if picture is not None:
            check_picture(picture, (), overwrite=overwrite)
        series = inputs.open_series()
        series = replace(series, notes=(*taken, *series.notes))
        if picture is not None:
            check_picture(picture, series.inputs, overwrite=overwrite)
        found = inspect_scene(series, detector)
        if picture is not None:
            reporter.checkpoint()
            write_picture(picture, series.target)
        content = found.to_dict() | {
            "table": [asdict(row) for row in rows_of(found)],
            "picture": None if picture is None else str(picture),
        }
        if events:
            for text in found.notes:
                reporter.message(text)
            for text in found.warnings:
                reporter.message(text, "warning")
            written = {} if picture is None else {"picture": picture}
            reporter.result(written, {"inspection": json.dumps(content), "seconds": time.monotonic() - start})
            return
        reporter.close()
        if as_json:
            say_json(content)
        else:
            _show(found)
            if picture is not None:
                say(f"picture: {picture}")


def _show(found: Inspection) -> None:
    from rich.console import Console

    from sunbreak.diagnostics.inspection_text import rows_of

    console = Console(highlight=False)
    table = plain_table("", "found", "why")
    for row in rows_of(found):
        add_row(table, row.title, row.found, row.why, fold=True)
    console.print(table)
    console.print()
    say("What a run says:")
    for text in found.notes:
        say(f"  {text}")
    for text in found.warnings:
        say(f"! {text}")
