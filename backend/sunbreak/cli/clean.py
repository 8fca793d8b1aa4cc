"""`sunbreak clean`: remove the clouds of a scene."""

from __future__ import annotations

from typing import Annotated

import typer

from sunbreak.cli import catalogue_options as c
from sunbreak.cli import options as o
from sunbreak.cli import parallel_options as p
from sunbreak.cli.found_inputs import scene_or_fetched
from sunbreak.cli.inputs import job_inputs, other_dates, with_fetched
from sunbreak.cli.session import session, stops_workers


def clean(
    output: o.OutputFolder,
    s2: o.S2OrFind = None,
    s1: o.S1 = None,
    reference: o.Reference = None,
    references: o.References = None,
    reference_s1: o.ReferenceS1 = None,
    model: o.Removal = None,
    find: c.Find = None,
    profile: c.ProfileOfFind = c.DEFAULT_PROFILE,
    mask: o.Mask = None,
    mask_coding: o.MaskCodingOption = o.MaskCoding.auto,
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
    resume: o.Resume = False,
    executor: p.ExecutorOption = p.ExecutorChoice.local,
    scheduler: p.Scheduler = None,
    workers: p.Workers = None,
    threads_per_worker: p.ThreadsPerWorker = None,
    parts: p.Parts = None,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Remove clouds from a Sentinel-2 scene with the help of Sentinel-1.

    Clear pixels are kept bit for bit. Writes <scene>_cleaned.tif, <scene>_uncertainty.tif (sigma),
    <scene>_reconstructed.tif (fraction of each pixel that was reconstructed), the cloud layers and a quicklook.
    """
    with session("clean", events=events, debug=debug) as reporter:
        from sunbreak.jobs.execute import run
        from sunbreak.jobs.options import task_options
        from sunbreak.jobs.runtimes import runtimes_of_commands
        from sunbreak.jobs.spec import make_spec

        connect = p.connect_with(executor, scheduler, workers, threads_per_worker, parts)
        chosen = task_options(
            "clean", detector=detector, replace=o.words(replace), threshold=threshold, exact_clouds=exact_clouds,
            replace_all=replace_all, feather=feather, buffer=buffer, buffer_thin=buffer_thin,
            buffer_shadow=buffer_shadow, device=device.value, runtime=runtime.value,
            precision=precision.value,
        )  # fmt: skip
        s2 = scene_or_fetched(s2, find, profile, output, reporter)
        own = [*s2, *(s1 or ()), *([mask] if mask else [])]
        others = other_dates(own, reference, references, reference_s1)
        inputs = job_inputs(
            s2, s1, s2_unit, s2_offset, s2_nodata, s2_scale, s1_unit, s2_bands, mask=mask,
            mask_coding=mask_coding.value, window=window, bbox=bbox, **others,
        )  # fmt: skip
        inputs = with_fetched(inputs, "clean", reporter.message)
        spec = make_spec("clean", inputs, output, chosen, removal=model, overwrite=overwrite, resume=resume)
        if connect is None:
            run(spec, reporter, runtimes=runtimes_of_commands())
            return
        from sunbreak.jobs.parts.spread import Spread

        stops_workers()
        with Spread(connect, spec, reporter, parts) as spread:
            run(spec, reporter, sharing=spread)
