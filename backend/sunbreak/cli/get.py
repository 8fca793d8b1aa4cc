"""`sunbreak get`: fetches a scene of a place and a date from a catalogue, with its radar and other dates."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sunbreak.cli import catalogue_options as c
from sunbreak.cli import options as o
from sunbreak.cli.session import keeping_work, session

if TYPE_CHECKING:
    from sunbreak.catalogue.download import Folder, Selection
    from sunbreak.catalogue.finding import Wish
    from sunbreak.events import Reporter

_CHOICE = "Choice"


def get(
    date: c.Day,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the scenes; created if missing.")],
    bbox: c.BboxDegrees = None,
    place: c.PlaceFile = None,
    days: c.Days = 30,
    max_cloud: c.MaxCloud = 100.0,
    profile: c.ProfileOption = c.DEFAULT_PROFILE,
    level: c.LevelOption = c.LevelChoice.any,
    other_dates: c.ReferenceCount = 2,
    limit: c.Limit = 400,
    scene: Annotated[
        str | None,
        typer.Option("--scene", help="Id of the scene, as find lists it.", rich_help_panel=_CHOICE),
    ] = None,
    radar: Annotated[
        str | None,
        typer.Option("--radar", help="Id of its radar; needs --scene.", rich_help_panel=_CHOICE),
    ] = None,
    reference: Annotated[
        list[str] | None,
        typer.Option("--reference", help="Id of another date; repeatable, needs --scene.", rich_help_panel=_CHOICE),
    ] = None,
    reference_radar: Annotated[
        list[str] | None,
        typer.Option("--reference-radar", help="Id of the radar of another date; repeatable.", rich_help_panel=_CHOICE),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace an earlier selection in the folder.", rich_help_panel=o.OUTPUT),
    ] = False,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Fetch the area of a scene from a catalogue, with its radar and other dates, ready for clean.

    Without --scene, what find proposes is fetched. Everything lies on one grid of 10 m. A stopped command continues
    if it is repeated.
    """
    start = time.monotonic()
    with session("get", events=events, debug=debug) as reporter, keeping_work():
        from sunbreak.outputs import check_folder

        check_folder(output)
        wish = c.wish_of(
            bbox, place, date, days=days, max_cloud=max_cloud, profile=profile, level=level,
            references=other_dates, limit=limit,
        )  # fmt: skip
        found = fetch(
            wish, output, reporter, scene=scene, radar=radar, reference=reference, reference_radar=reference_radar,
            overwrite=overwrite,
        )  # fmt: skip
        layers = {path.stem: path for path in found.files}
        numbers = {"moved_megabytes": round(found.moved_bytes / 1e6, 3), "seconds": time.monotonic() - start}
        reporter.result(layers, numbers)


def fetch(
    wish: Wish,
    output: Path,
    reporter: Reporter,
    *,
    scene: str | None = None,
    radar: str | None = None,
    reference: list[str] | None = None,
    reference_radar: list[str] | None = None,
    overwrite: bool = False,
) -> Folder:
    """Fetch what is named, or what a search proposes.

    Raises:
        SunbreakError: See `sunbreak.catalogue.finding.find` and `sunbreak.catalogue.download.download`.
    """
    from sunbreak.catalogue.connection import Catalogues
    from sunbreak.catalogue.download import download
    from sunbreak.catalogue.finding import find
    from sunbreak.catalogue.selecting import Named, named, proposed
    from sunbreak.errors import InputError

    catalogues = Catalogues(reporter)
    selection: Selection
    if scene is not None:
        names = Named(scene, radar or "", tuple(reference or ()), tuple(reference_radar or ()))
        selection = named(wish, names, catalogues, reporter)
    elif radar or reference or reference_radar:
        raise InputError(
            "--radar and --reference need --scene.", "Give the id of the scene too, or none of them.", code="bad-option"
        )
    else:
        found = find(wish, reporter, catalogues=catalogues)
        selection = proposed(found)
        for text in found.notes:
            reporter.message(text)
        for text in found.warnings:
            reporter.message(text, "warning")
        for name, use in found.uses.items():
            reporter.message(f"{c.role_in_words(use.role)}: {name} ({use.why})")
    return download(selection, wish.place, output.absolute(), catalogues, reporter, overwrite=overwrite)
