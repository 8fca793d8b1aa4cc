"""`sunbreak classify`: the land cover of a scene."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.inputs import job_inputs, with_fetched
from sunbreak.cli.session import session


def classify(
    s2: o.S2,
    output: o.OutputFolder,
    s1: o.S1 = None,
    model: o.Classifier = None,
    stride: o.Stride = None,
    probabilities: o.Probabilities = False,
    reconstructed: Annotated[
        Path | None,
        typer.Option(
            "--reconstructed",
            help="Layer <scene>_reconstructed.tif of a cleaned scene; by default the one beside <scene>_cleaned.tif.",
            rich_help_panel=o.SCENE,
        ),
    ] = None,
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
    overwrite: o.Overwrite = False,
    resume: o.Resume = False,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Classify the land cover of a Sentinel-2 scene.

    Writes <scene>_landcover.tif and its confidence, entropy, probabilities and evidence (observed or reconstructed).
    Classifiers of pixels write the probabilities with --probabilities only.
    """
    with session("classify", events=events, debug=debug) as reporter:
        from sunbreak.jobs.execute import run
        from sunbreak.jobs.options import task_options
        from sunbreak.jobs.runtimes import runtimes_of_commands
        from sunbreak.jobs.spec import make_spec

        chosen = task_options(
            "classify", stride=stride, probabilities=probabilities, device=device.value, runtime=runtime.value
        )
        inputs = job_inputs(
            s2,
            s1,
            s2_unit,
            s2_offset,
            s2_nodata,
            s2_scale,
            s1_unit,
            s2_bands,
            window=window,
            bbox=bbox,
            reconstructed=reconstructed,
        )
        inputs = with_fetched(inputs, "classify", reporter.message)
        spec = make_spec("classify", inputs, output, chosen, classifier=model, overwrite=overwrite, resume=resume)
        run(spec, reporter, runtimes=runtimes_of_commands())
