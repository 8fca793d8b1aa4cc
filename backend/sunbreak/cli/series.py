"""`sunbreak series`: every date of a place, cleaned with the others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli import parallel_options as p
from sunbreak.cli.batch import executor_of, tell
from sunbreak.cli.inputs import job_inputs
from sunbreak.cli.session import kept, session


def series(
    dates: Annotated[
        list[Path],
        typer.Argument(
            help="A folder that holds the acquisitions of one place, or the acquisitions: GeoTIFFs, .SAFE folders or "
            "their zips, folders of bands.",
            metavar="INPUT...",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the results; each date gets a subfolder YYYY-MM-DD.")
    ],
    s1: Annotated[
        list[Path] | None,
        typer.Option(
            "--s1", help="Sentinel-1 of one of the dates, matched by date; repeatable.", rich_help_panel=o.SCENE
        ),
    ] = None,
    count: Annotated[
        int,
        typer.Option(
            "--dates", help="Other dates that each date is cleaned with: the nearest ones.", rich_help_panel=o.DATES
        ),
    ] = 8,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", help="Clean this date only: YYYY-MM-DD or its file; repeatable.", rich_help_panel=o.DATES
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Skip dates that were finished with the same files and options; process the others.",
            rich_help_panel=o.OUTPUT,
        ),
    ] = False,
    model: o.Removal = None,
    detector: o.Detector = o.DETECTOR,
    replace: o.Replace = o.REPLACE,
    exact_clouds: o.ExactCloudsOfClean = False,
    threshold: o.Threshold = o.THRESHOLD,
    replace_all: Annotated[
        bool, typer.Option("--replace-all", help="Replace clear pixels too.", rich_help_panel=o.OUTPUT)
    ] = False,
    feather: o.Feather = None,
    buffer: o.Buffer = None,
    buffer_thin: o.BufferThin = None,
    buffer_shadow: o.BufferShadow = None,
    window: o.Window = None,
    bbox: o.Bbox = None,
    s2_unit: o.S2UnitOption = o.S2Unit.auto,
    s2_offset: o.S2Offset = "auto",
    s2_nodata: o.S2Nodata = "auto",
    s2_scale: o.S2Scale = None,
    s2_bands: o.S2Bands = None,
    s1_unit: o.S1UnitOption = o.S1Unit.auto,
    device: o.DeviceOption = o.Device.auto,
    runtime: o.RuntimeOption = o.RuntimeChoice.auto,
    precision: o.PrecisionOption = o.Precision.exact,
    overwrite: o.Overwrite = False,
    executor: p.ExecutorOption = p.ExecutorChoice.local,
    scheduler: p.Scheduler = None,
    workers: p.Workers = None,
    threads_per_worker: p.ThreadsPerWorker = None,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Clean every date of a place with the other dates.

    Each date gets its own folder. A date that fails does not stop the others; failed dates are listed at the end.
    --window and --bbox count on the first date; the same place is cleaned on all dates. <output>/summary.csv lists all
    dates. Exit status: 0 all done, 1 some failed, 2 wrong input or options.
    """
    with session("series", events=events, debug=debug) as reporter:
        from sunbreak.batches.runner import run_batch
        from sunbreak.batches.series import find_series
        from sunbreak.batches.specs import specs_of
        from sunbreak.jobs.options import task_options
        from sunbreak.outputs import check_folder

        connect = p.connect_with(executor, scheduler, workers, threads_per_worker)
        check_folder(output)
        chosen = task_options(
            "clean", detector=detector, replace=o.words(replace), threshold=threshold, exact_clouds=exact_clouds,
            replace_all=replace_all, feather=feather, buffer=buffer, buffer_thin=buffer_thin,
            buffer_shadow=buffer_shadow, device=device.value, runtime=runtime.value,
            precision=precision.value,
        )  # fmt: skip
        names = o.band_names(s2_bands)
        found = find_series(dates, s1 or (), count=count, s2_bands=names, window=window, bbox=bbox)
        found.tell(reporter)
        wanted = found.only(only or None)
        reading = job_inputs(found.scenes[0].s2, None, s2_unit, s2_offset, s2_nodata, s2_scale, s1_unit, s2_bands)
        specs = specs_of(found.scenes, output, "clean", reading, chosen, removal=model)
        doing = executor_of(specs[0], connect, resume=resume, debug=debug)
        kept("Run the same command with --resume to process the others.")
        result = run_batch(
            specs, output, doing, reporter, overwrite=overwrite, resume=resume,
            only=wanted,
        )  # fmt: skip
        if not events:
            tell(result)
        if result.having("failed"):
            raise typer.Exit(1)
