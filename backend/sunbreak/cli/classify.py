"""`sunbreak classify`: the land cover of a scene."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.session import session


def classify(
    s2: o.S2,
    output: o.OutputFolder,
    s1: o.S1 = None,
    model: o.Classifier = None,
    stride: o.Stride = None,
    reconstructed: Annotated[
        Path | None,
        typer.Option(
            "--reconstructed",
            help="Layer <scene>_reconstructed.tif of a cleaned scene; found by itself beside <scene>_cleaned.tif.",
            rich_help_panel=o.SCENE,
        ),
    ] = None,
    window: o.Window = None,
    bbox: o.Bbox = None,
    s2_unit: o.S2UnitOption = o.S2Unit.auto,
    s2_offset: o.S2Offset = "auto",
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

    Writes <scene>_landcover.tif, its confidence, entropy and probabilities, and what they rest on.
    """
    with session("classify", events=events, debug=debug) as reporter:
        from sunbreak.jobs.single import ClassifyOptions
        from sunbreak.jobs.single import classify as run
        from sunbreak.landcover.reconstructed import ShareRaster, beside
        from sunbreak.models.registry import DEFAULT_CLASSIFIER, find_model
        from sunbreak.scene import Scene

        files = find_model(model or DEFAULT_CLASSIFIER, "land-cover")
        scene = Scene.open(
            o.one_or_many(s2),
            o.one_or_many(s1) if s1 else None,
            window=window,
            bbox=bbox,
            s2_unit=s2_unit.value,
            s2_offset=o.offset(s2_offset),
            s1_unit=s1_unit.value,
            s2_bands=o.band_names(s2_bands),
        )
        layer = reconstructed or (beside(s2[0]) if len(s2) == 1 else None)
        if layer is not None:
            reporter.message(f"What was reconstructed is read from {layer}.")
        share = ShareRaster(layer, scene) if layer is not None else None
        chosen = ClassifyOptions(stride, device.value, runtime.value)
        run(scene, output, files, chosen, reporter, share=share, overwrite=overwrite, resume=resume)
