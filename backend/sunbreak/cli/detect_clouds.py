"""`sunbreak detect-clouds`: detect the clouds of a scene."""

from __future__ import annotations

from sunbreak.cli import options as o
from sunbreak.cli.inputs import job_inputs, with_fetched
from sunbreak.cli.session import session


def detect_clouds(
    s2: o.S2,
    output: o.OutputFolder,
    detector: o.Detector = o.DETECTOR,
    exact: o.ExactClouds = False,
    threshold: o.Threshold = o.THRESHOLD,
    window: o.Window = None,
    bbox: o.Bbox = None,
    s2_unit: o.S2UnitOption = o.S2Unit.auto,
    s2_offset: o.S2Offset = "auto",
    s2_nodata: o.S2Nodata = "auto",
    s2_scale: o.S2Scale = None,
    s2_bands: o.S2Bands = None,
    overwrite: o.Overwrite = False,
    resume: o.Resume = False,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Detect clouds and their shadows: writes <scene>_cloud_probability.tif and <scene>_cloud_mask.tif.

    The mask holds 0 clear, 1 thick cloud, 2 thin cloud, 3 shadow, 255 no data.
    """
    with session("detect-clouds", events=events, debug=debug) as reporter:
        from sunbreak.jobs.execute import run
        from sunbreak.jobs.options import task_options
        from sunbreak.jobs.spec import make_spec

        chosen = task_options("detect", detector=detector, threshold=threshold, exact_clouds=exact)
        inputs = job_inputs(
            s2, None, s2_unit, s2_offset, s2_nodata, s2_scale, o.S1Unit.auto, s2_bands, window=window, bbox=bbox
        )
        inputs = with_fetched(inputs, "detect", reporter.message)
        run(make_spec("detect", inputs, output, chosen, overwrite=overwrite, resume=resume), reporter)
