"""`sunbreak explain`: where the evidence for a class lies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.inputs import job_inputs, with_fetched
from sunbreak.cli.session import session
from sunbreak.errors import InputError


def explain(
    s2: o.S2,
    output: o.OutputFolder,
    s1: o.S1 = None,
    model: o.Classifier = None,
    wanted: o.ExplainedClass = "predicted",
    method: o.MethodOption = o.Method.auto,
    block: o.Block = "layer4",
    stride: o.SaliencyStride = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            help="Explain only the patch around this point, or the class of its pixel if the classifier gives one to "
            "each: X,Y in the scene's CRS.",
            metavar="X,Y",
            rich_help_panel=o.SCENE,
        ),
    ] = None,
    mask: Annotated[
        Path | None,
        typer.Option(
            "--mask",
            help="Explain only what lies inside the polygons of this GeoJSON file, or the sum of the class's logits "
            "there if the classifier gives a class to each pixel.",
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
    overwrite: o.Overwrite = False,
    resume: o.Resume = False,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Show where in a scene the evidence for a class lies, and which bands contributed.

    Writes <scene>_saliency_<class>.tif and <scene>_saliency_<class>_bands.csv. With --at, also reports the
    probabilities of the patch or pixel.
    """
    with session("explain", events=events, debug=debug) as reporter:
        from sunbreak.jobs.execute import run
        from sunbreak.jobs.options import task_options
        from sunbreak.jobs.spec import make_spec
        from sunbreak.scene.points_and_polygons import parse_point

        if at is not None and mask is not None:
            raise InputError("Both --at and --mask are given.", "Give one of them.", code="bad-option")
        point = parse_point(at) if at is not None else None
        chosen = task_options(
            "explain", explained=wanted, method=method.value, block=block, stride=stride, device=device.value
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
            point=point,
            polygons=mask,
        )
        inputs = with_fetched(inputs, "explain", reporter.message)
        spec = make_spec("explain", inputs, output, chosen, classifier=model, overwrite=overwrite, resume=resume)
        run(spec, reporter)
