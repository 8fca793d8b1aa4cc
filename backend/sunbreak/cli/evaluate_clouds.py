"""`sunbreak evaluate clouds`: measure cloud masks against reference masks."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.session import session
from sunbreak.cli.showing import add_row, plain_table, say, say_json

if TYPE_CHECKING:
    from rich.console import Console

    from sunbreak.evaluation.clouds import CloudAgreement, Codings
    from sunbreak.events import Reporter

_COLUMNS = {
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "balanced_accuracy": "balanced accuracy",
    "iou": "IoU",
}
_NOTHING = "–"


def clouds(
    pred: Annotated[Path, typer.Option("--pred", help="The cloud mask to evaluate, or a folder of masks.")],
    reference: Annotated[
        Path,
        typer.Option("--reference", help="The reference mask of the same place, or a folder; files pair by name."),
    ],
    tolerance: Annotated[
        int,
        typer.Option(
            "--tolerance", min=0, help="Boundary tolerance in pixels of the reference: tolerant figures as well."
        ),
    ] = 0,
    pred_coding: Annotated[
        o.MaskCoding, typer.Option("--pred-coding", help="What the values of --pred stand for; auto recognises it.")
    ] = o.MaskCoding.auto,
    reference_coding: Annotated[
        o.MaskCoding, typer.Option("--reference-coding", help="What the values of --reference stand for.")
    ] = o.MaskCoding.auto,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for clouds.csv, the table of all masks.", rich_help_panel=o.OUTPUT),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing table.", rich_help_panel=o.OUTPUT)
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write JSON for another program.", rich_help_panel=o.OUTPUT)
    ] = False,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Measure cloud masks against reference masks: precision, recall, F1, balanced accuracy and IoU of each class.

    Both masks may have any coding that --mask takes. They are compared on the grid of the reference. Pixels without
    data in either are left out. The counts of several masks are added up. A class that a coding cannot express is not
    told.
    """
    with session("evaluate clouds", events=events, debug=debug) as reporter:
        from sunbreak.evaluation.cloud_folders import TABLE, check_cloud_table, write_cloud_table
        from sunbreak.evaluation.clouds import CloudAgreement, Codings, figures_of
        from sunbreak.outputs import refuse_inputs

        if output is not None:
            check_cloud_table(output / TABLE, overwrite)
            refuse_inputs([output / TABLE], [pred, reference])
        codings = Codings(pred_coding.value, reference_coding.value)
        single = _compare(pred, reference, tolerance, codings, reporter)
        total = sum(single.values(), CloudAgreement())
        for note in total.notes if len(single) == 1 else ():
            reporter.message(note)
        reporter.close()
        files = {}
        if output is not None:
            files["table"] = write_cloud_table(output / TABLE, total, single, tolerance)
        figures = figures_of(total, tolerance)
        pixels = {"compared_pixels": total.compared, "left_out_pixels": total.left_out}
        if events:
            numbers: dict[str, float | str] = {
                f"{name}: {key}": value
                for name, own in figures.items()
                for key, value in own.items()
                if math.isfinite(value)
            }
            reporter.result(files, numbers | pixels)
        elif as_json:
            masks = {name: _defined(figures_of(found, tolerance)) for name, found in single.items()}
            content = {"tolerance": tolerance, **pixels, "figures": _defined(figures), "masks": masks}
            say_json(content)
        else:
            _show(total, single, tolerance)
            for path in files.values():
                say(f"written: {path}")


def _compare(
    pred: Path, reference: Path, tolerance: int, codings: Codings, reporter: Reporter
) -> dict[str, CloudAgreement]:
    """The counts of each pair by name; two masks are one pair."""
    from sunbreak.evaluation.cloud_folders import compare_mask_folders, match_masks
    from sunbreak.evaluation.clouds import compare_masks

    def checkpoint(unit: str) -> Callable[[int, int], None]:
        def check(done: int, total: int) -> None:
            reporter.checkpoint()
            reporter.progress(done, total, unit)

        return check

    if not (pred.is_dir() or reference.is_dir()):
        return {
            pred.name: compare_masks(
                pred, reference, tolerance=tolerance, codings=codings, checkpoint=checkpoint("rows")
            )
        }
    pairs, alone = match_masks(pred, reference)
    if alone:
        reporter.message(f"Skipped for lack of a reference: {len(alone)}, such as {alone[0]}.", "warning")
    return compare_mask_folders(pairs, tolerance=tolerance, codings=codings, checkpoint=checkpoint("pairs"))


def _defined(figures: dict[str, dict[str, float]]) -> dict[str, dict[str, float | None]]:
    """The same figures, None where they are NaN, which JSON does not know."""
    return {
        name: {key: value if math.isfinite(value) else None for key, value in own.items()}
        for name, own in figures.items()
    }


def _show(total: CloudAgreement, single: dict[str, CloudAgreement], tolerance: int) -> None:
    from rich.console import Console

    from sunbreak.evaluation.clouds import TOLERANT, figures_of

    console = Console(highlight=False, width=120)
    figures = figures_of(total, tolerance)
    endings = {"": "exact", **({TOLERANT: f"tolerance {tolerance} px"} if tolerance else {})}
    for ending, title in endings.items():
        table = plain_table(title, *_COLUMNS.values())
        for name, own in figures.items():
            add_row(table, name, *(_cell(own[key + ending]) for key in _COLUMNS))
        console.print(table)
        if len(single) > 1:
            console.print()
            _show_each(console, single, tolerance, ending)
        console.print()
    if total.not_told:
        say(f"not told: {', '.join(total.not_told)}")
    say(f"{total.compared:,} pixels compared, {total.left_out:,} without data left out")


def _show_each(console: Console, single: dict[str, CloudAgreement], tolerance: int, ending: str) -> None:
    """One line for each mask: F1 of every class."""
    from sunbreak.evaluation.clouds import CLASSES, figures_of

    table = plain_table("F1 of each mask", *CLASSES)
    for name, found in single.items():
        own = figures_of(found, tolerance)
        add_row(table, name, *(_cell(own[title]["f1" + ending]) for title in CLASSES))
    console.print(table)


def _cell(value: float) -> str:
    return format(value, ".3f") if math.isfinite(value) else _NOTHING
