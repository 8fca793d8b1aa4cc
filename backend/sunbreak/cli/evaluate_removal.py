"""`sunbreak evaluate removal`: measure cleaned images against clear reference images."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.session import keeping_work, session
from sunbreak.cli.showing import add_row, plain_table, say, say_json

if TYPE_CHECKING:
    from sunbreak.events import Reporter

_RASTERS, _WHOLE = "Rasters, or folders of them", "A model on a whole data set"
_COLUMNS = {
    "psnr": ("PSNR dB", ".2f"),
    "ssim": ("SSIM", ".3f"),
    "sam": ("SAM deg", ".2f"),
    "rmse": ("RMSE", ".4f"),
    "mae": ("MAE", ".4f"),
    "detail": ("detail", ".2f"),
    "correlation": ("luminance", ".2f"),
}
_REGIONS = {"": "everywhere", "_cloud": "inside clouds", "_clear": "outside clouds"}


class SplitPart(str, Enum):
    """Which scenes of a data set are evaluated."""

    test = "test"
    validation = "validation"
    train = "train"
    all = "all"


def removal(
    pred: Annotated[
        Path | None,
        typer.Option("--pred", help="The cleaned scene, or a folder of cleaned scenes.", rich_help_panel=_RASTERS),
    ] = None,
    target: Annotated[
        Path | None,
        typer.Option(
            "--target",
            help="The clear scene on the same grid, or a folder; files are paired by name.",
            rich_help_panel=_RASTERS,
        ),
    ] = None,
    cloudy: Annotated[
        Path | None,
        typer.Option("--cloudy", help="The scene before cleaning, for comparison.", rich_help_panel=_RASTERS),
    ] = None,
    mask: o.Mask = None,
    mask_coding: o.MaskCodingOption = o.MaskCoding.auto,
    sigma: Annotated[
        Path | None, typer.Option("--sigma", help="The uncertainty layer.", rich_help_panel=_RASTERS)
    ] = None,
    reference: o.Reference = None,
    references: o.References = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            help="Folder of SEN12MS-CR in either layout, or of <id>_s1.tif, <id>_s2_cloudy.tif, <id>_s2.tif.",
            rich_help_panel=_WHOLE,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", help="Name of the model, or path of its card.", rich_help_panel=_WHOLE),
    ] = None,
    split: Annotated[
        SplitPart, typer.Option("--split", help="Scenes of SEN12MS-CR to evaluate.", rich_help_panel=_WHOLE)
    ] = SplitPart.test,
    replace_all: Annotated[
        bool, typer.Option("--replace-all", help="Replace clear pixels as well.", rich_help_panel=_WHOLE)
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder for the table of all patches and the summary.", rich_help_panel=o.OUTPUT
        ),
    ] = None,
    device: o.DeviceOption = o.Device.auto,
    runtime: o.RuntimeOption = o.RuntimeChoice.auto,
    overwrite: o.Overwrite = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write JSON for another program.", rich_help_panel=o.OUTPUT)
    ] = False,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Measure cleaned images against clear reference images.

    Either rasters (--pred and --target): means over patches of 256 px; folders are paired by the files' names. With
    other dates, --cloudy and --mask, simple fills from these dates are measured too (two rasters only). Or a
    model on a whole data set (--data and --model): each patch is cleaned with the default settings of `sunbreak clean`
    and compared with baselines that need no network. A stopped run resumes with the same -o.
    """
    with session("evaluate removal", events=events, debug=debug) as reporter:
        from sunbreak.errors import InputError
        from sunbreak.outputs import check_folder

        if output is not None:
            check_folder(output)
        if data is not None and (pred or target or cloudy or mask or sigma):
            raise InputError(
                "--data cannot be combined with --pred and --target.", "Give one of them.", code="bad-option"
            )
        whole_folders = data is not None or any(path is not None and path.is_dir() for path in (pred, target))
        if (reference or references) and whole_folders:
            raise InputError(
                "--reference and --references are for two rasters.",
                "Evaluate the rasters of a folder one by one, each with its own other dates.",
                code="bad-option",
            )
        if data is None and (pred is None or target is None):
            raise InputError(
                "There is nothing to measure.", "Give --pred and --target, or --data and --model.", code="bad-option"
            )
        if data is not None:
            figures, files, count = _whole(
                data, model, split, output, reporter, device.value, runtime.value, replace_all, overwrite
            )
        elif pred is not None and target is not None and (pred.is_dir() or target.is_dir()):
            if mask or sigma:
                raise InputError(
                    "--mask and --sigma are for two rasters.",
                    "For folders they are read from beside the cleaned rasters (_cloud_mask.tif, _uncertainty.tif).",
                    code="bad-option",
                )
            if output is not None:
                from sunbreak.outputs import check_files

                check_files([output / "patches.csv"], overwrite=overwrite)
            figures, files, count = _folders(pred, target, cloudy, output, reporter)
        else:
            from sunbreak.cli.inputs import given_dates
            from sunbreak.evaluation.rasters import compare

            figures = compare(
                pred,  # type: ignore[arg-type]
                target,  # type: ignore[arg-type]
                cloudy=cloudy,
                mask=mask,
                mask_coding=mask_coding.value,
                sigma=sigma,
                dates=given_dates([pred, target, cloudy, mask, sigma], reference, references),
                reporter=reporter,
            )
            files, count = {}, 1
            if output is not None:
                reporter.message(f"Nothing is written to {output}: two rasters make no table.", "warning")
        numbers: dict[str, float | str] = {
            f"{name}: {key}": value
            for name, own in figures.items()
            for key, value in own.items()
            if math.isfinite(value)
        }
        if events:
            reporter.result(files, numbers)
        elif as_json:
            say_json(figures)
        else:
            _show(figures, count)
            for path in files.values():
                say(f"written: {path}")


def _whole(
    data: Path,
    model: str | None,
    split: SplitPart,
    output: Path | None,
    reporter: Reporter,
    device: str,
    runtime: str,
    replace_all: bool,
    overwrite: bool,
) -> tuple[Mapping[str, Mapping[str, float]], dict[str, Path], int]:

    from sunbreak.drafts import scratch_folder
    from sunbreak.evaluation.data_set_items import find_items
    from sunbreak.evaluation.data_sets import evaluate_dataset
    from sunbreak.models.registry import DEFAULT_REMOVAL, find_model

    files = find_model(model or DEFAULT_REMOVAL, "cloud-removal")
    items = find_items(data, None if split is SplitPart.all else split.value, reporter)
    reporter.message(f"{len(items)} patches of {data}, cleaned by {files.card.name}.")
    with scratch_folder() as scratch, keeping_work():
        found = evaluate_dataset(
            items, files, output or scratch, reporter, device=device, runtime=runtime,  # type: ignore[arg-type]
            replace_all=replace_all, overwrite=overwrite,
        )  # fmt: skip
    written = {"patches": found.table, "summary": found.summary} if output is not None else {}
    return found.figures, written, found.patches


def _folders(
    pred: Path, target: Path, cloudy: Path | None, output: Path | None, reporter: Reporter
) -> tuple[Mapping[str, Mapping[str, float]], dict[str, Path], int]:
    from sunbreak.evaluation.folders import compare_folders, match, write_table

    pairs, alone = match(pred, target, cloudy)
    if alone:
        reporter.message(f"Skipped for lack of a clear raster: {len(alone)}, such as {alone[0]}.", "warning")

    def checkpoint(done: int, total: int) -> None:
        reporter.checkpoint()
        reporter.progress(done, total, "pairs")

    figures, single = compare_folders(pairs, checkpoint)
    written = {"patches": write_table(output / "patches.csv", single)} if output is not None else {}
    return figures, written, len(single)


def _show(figures: Mapping[str, Mapping[str, float]], count: int) -> None:
    from rich.console import Console

    console = Console(highlight=False, width=120)
    coverage = figures.get("coverage in clouds", {})
    rows = {name: own for name, own in figures.items() if name != "coverage in clouds"}
    if count > 1:
        say(f"means over {count} images")
    for region, title in _REGIONS.items():
        shown = [
            key for key in _COLUMNS if any(math.isfinite(own.get(key + region, math.nan)) for own in rows.values())
        ]
        if not shown:
            continue
        table = plain_table(title, *(_COLUMNS[key][0] for key in shown))
        for name, own in rows.items():
            cells = [format(own[key + region], _COLUMNS[key][1]) if key + region in own else "-" for key in shown]
            add_row(table, name, *cells)
        console.print(table)
    for own in rows.values():
        if "coverage_68" in own:
            coverage = {"68 %": own["coverage_68"], "95 %": own["coverage_95"]}
            kept = ", ".join(f"{own[f'rmse_{share}']:.4f} ({share} %)" for share in (100, 75, 50, 25))
            say(f"error inside clouds of the most certain pixels: {kept}; area {own['sparsification']:.3f}")
    if coverage:
        say(
            f"inside clouds {coverage['68 %']:.1%} of the values lie within 1 sigma, {coverage['95 %']:.1%} within 1.96"
        )
