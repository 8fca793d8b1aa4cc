"""`sunbreak find`: scenes of a place and a date in a catalogue, with their radar and other dates."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sunbreak.cli import catalogue_options as c
from sunbreak.cli import options as o
from sunbreak.cli.session import session
from sunbreak.cli.showing import add_row, plain_table, say, say_json

if TYPE_CHECKING:
    from sunbreak.catalogue.found import Found


def find(
    date: c.Day,
    bbox: c.BboxDegrees = None,
    place: c.PlaceFile = None,
    days: c.Days = 30,
    max_cloud: c.MaxCloud = 100.0,
    profile: c.ProfileOption = c.DEFAULT_PROFILE,
    level: c.LevelOption = c.LevelChoice.any,
    other_dates: c.ReferenceCount = 2,
    limit: c.Limit = 400,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write JSON for another program.", rich_help_panel=o.OUTPUT)
    ] = False,
    geojson: Annotated[
        Path | None,
        typer.Option("--geojson", help="Write the footprints (FILE.geojson).", rich_help_panel=o.OUTPUT),
    ] = None,
    thumbnails: Annotated[
        Path | None,
        typer.Option("--thumbnails", help="Folder for a picture of the area on each date.", rich_help_panel=o.OUTPUT),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing GeoJSON file.", rich_help_panel=o.OUTPUT)
    ] = False,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Find the Sentinel-2 scene of a place and a date in a catalogue, the other dates and the radar that go with it.

    The cloud cover is that of the area. Nothing is downloaded but overviews; sunbreak get fetches what is proposed.
    """
    start = time.monotonic()
    with session("find", events=events, debug=debug) as reporter:
        from sunbreak.catalogue import finding
        from sunbreak.drafts import write_json
        from sunbreak.outputs import check_names, refuse_existing

        wish = c.wish_of(
            bbox, place, date, days=days, max_cloud=max_cloud, profile=profile, level=level,
            references=other_dates, limit=limit,
        )  # fmt: skip
        if geojson is not None:
            check_names([geojson])
            if not overwrite:
                refuse_existing([geojson], hint="Choose another file, or use --overwrite.")
        found = finding.find(wish, reporter, thumbnails=None if thumbnails is None else thumbnails.absolute())
        if geojson is not None:
            geojson.parent.mkdir(parents=True, exist_ok=True)
            write_json(geojson, found.to_geojson())
        content = found.to_dict()
        if events:
            for text in found.notes:
                reporter.message(text)
            for text in found.warnings:
                reporter.message(text, "warning")
            written = {} if geojson is None else {"footprints": geojson}
            reporter.result(written, {"found": json.dumps(content), "seconds": time.monotonic() - start})
            return
        reporter.close()
        if as_json:
            say_json(content)
        else:
            _show(found, content)
            if geojson is not None:
                say(f"footprints: {geojson}")


def _show(found: Found, content: dict[str, Any]) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    table = plain_table("Sentinel-2", "days", "tile", "cloud", "shadow", "covers", "proposed as")
    for one in content["scenes"]:
        cloud = _share(one["area_cloud"], one["tile_cloud"])
        add_row(
            table, _when(one), f"{one['days']:+d}", " ".join(one["tiles"]), cloud, _percent(one["area_shadow"]),
            _percent(one["covers"]), _proposed(one), fold=True,
        )  # fmt: skip
    console.print(table)
    if content["radar"]:
        console.print()
        table = plain_table("Sentinel-1", "days", "orbit", "covers", "proposed as")
        for one in content["radar"]:
            orbit = f"{one['orbit']} {'' if one['relative_orbit'] is None else one['relative_orbit']}".strip()
            add_row(table, _when(one), f"{one['days']:+d}", orbit, _percent(one["covers"]), _proposed(one), fold=True)
        console.print(table)
    console.print()
    say("Ids, for sunbreak get --scene, --radar, --reference and --reference-radar:")
    for one in (*content["scenes"], *content["radar"]):
        say(f"  {one['datetime'][:10]}  {one['id']}")
    console.print()
    for text in found.notes:
        say(text)
    for text in found.warnings:
        say(f"! {text}")
    for licence in content["licence"]:
        say(f"{licence['collection']}: {licence['licence']}. {licence['attribution']}.")


def _proposed(one: dict[str, Any]) -> str:
    return f"{c.role_in_words(one['use'])}: {one['why']}" if one["use"] else ""


def _when(one: dict[str, Any]) -> str:
    return f"{str(one['datetime'])[:16].replace('T', ' ')} {one['platform'].replace('sentinel-', 'S').upper()}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _share(area: float | None, tile: float | None) -> str:
    """Cloud over the area; of the whole tile where only that is known."""
    return _percent(area) if area is not None else "-" if tile is None else f"({tile:.0f}%)"
