"""`sunbreak compare`: compare two rasters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.inputs import given_dates, job_inputs
from sunbreak.cli.session import session
from sunbreak.cli.showing import add_row, plain_table, say

if TYPE_CHECKING:
    from sunbreak.evaluation.comparison import ComparisonResult
    from sunbreak.scene import Scene


def compare(
    predicted: Annotated[Path, typer.Argument(metavar="PRED", help="The raster to evaluate: a cleaned scene.")],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="The reference: a clear scene on the same grid.")],
    output: o.OutputFolder,
    mask: Annotated[
        Path | None,
        typer.Option("--mask", help="Cloud mask: metrics inside and outside it too.", rich_help_panel=o.SCENE),
    ] = None,
    mask_coding: o.MaskCodingOption = o.MaskCoding.auto,
    cloudy: Annotated[
        Path | None,
        typer.Option("--cloudy", help="The scene before cleaning: its metrics too.", rich_help_panel=o.SCENE),
    ] = None,
    reference: o.Reference = None,
    references: o.References = None,
    window: o.Window = None,
    bbox: o.Bbox = None,
    s2_unit: o.S2UnitOption = o.S2Unit.auto,
    s2_offset: o.S2Offset = "auto",
    s2_nodata: o.S2Nodata = "auto",
    s2_scale: o.S2Scale = None,
    s2_bands: o.S2Bands = None,
    overwrite: o.Overwrite = False,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Compare a raster with a reference: PSNR, SSIM, SAM, MAE, RMSE and preserved detail.

    Writes <PRED>_error.tif, <PRED>_spectral_angle.tif, <PRED>_comparison.html and <PRED>_comparison.csv. With other
    dates, --cloudy and --mask, simple fills from these dates are measured too.
    """
    with session("compare", events=events, debug=debug) as reporter:
        from sunbreak.evaluation.comparison import compare_rasters
        from sunbreak.outputs import check_folder

        check_folder(output)

        def opened(path: Path, mask: Path | None = None) -> Scene:
            inputs = job_inputs(
                [path], None, s2_unit, s2_offset, s2_nodata, s2_scale, o.S1Unit.auto, s2_bands, mask=mask,
                mask_coding=mask_coding.value,                window=window, bbox=bbox,
            )  # fmt: skip
            return inputs.open()

        result = compare_rasters(
            opened(predicted, mask),
            opened(target),
            output,
            reporter,
            cloudy=opened(cloudy) if cloudy else None,
            dates=given_dates(
                [predicted, target, cloudy, mask],
                reference,
                references,
                s2_unit=s2_unit.value,
                s2_offset=o.offset(s2_offset),
                s2_nodata=o.nodata(s2_nodata),
                s2_scale=s2_scale,
                s2_bands=o.band_names(s2_bands),
            ),
            overwrite=overwrite,
        )
        if not events:
            _print(result)


def _print(result: ComparisonResult) -> None:
    from rich.console import Console

    from sunbreak.evaluation.comparison_page import TITLES, shown, shown_rows, summary, title
    from sunbreak.metrics.blockwise import METRICS

    together = shown_rows(result.rows)
    bands = [row for row in result.rows if row.band and row.raster == "prediction" and row.region == "all"]
    console = Console(highlight=False, width=120)
    console.print()
    for rows, names in ((together, [title(row) for row in together]), (bands, [row.band for row in bands])):
        table = plain_table("", *(TITLES[name] for name in METRICS))
        for row, name in zip(rows, names, strict=True):
            add_row(table, name, *(shown(metric, row.figures) for metric in METRICS))
        console.print(table)
        console.print()
    say(summary(together))
