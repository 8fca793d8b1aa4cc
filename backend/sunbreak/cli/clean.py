"""`sunbreak clean`: remove the clouds of a scene."""

from __future__ import annotations

from typing import Annotated

import typer

from sunbreak.cli import options as o
from sunbreak.cli.session import session


def clean(
    s2: o.S2,
    output: o.OutputFolder,
    s1: o.S1 = None,
    model: o.Removal = None,
    mask: o.Mask = None,
    exact_clouds: o.ExactCloudsOfClean = False,
    threshold: o.Threshold = o.THRESHOLD,
    replace_all: Annotated[
        bool, typer.Option("--replace-all", help="Replace clear pixels too.", rich_help_panel=o.OUTPUT)
    ] = False,
    feather: o.Feather = None,
    buffer: o.Buffer = None,
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
    """Remove clouds from a Sentinel-2 scene with the help of Sentinel-1.

    Clear pixels are kept bit for bit. Writes <scene>_cleaned.tif, <scene>_uncertainty.tif (sigma),
    <scene>_reconstructed.tif (share of each pixel that was synthesised), the cloud layers and a quicklook.
    """
    with session("clean", events=events, debug=debug) as reporter:
        from sunbreak.clouds import CloudSettings
        from sunbreak.jobs.single import CleanOptions
        from sunbreak.jobs.single import clean as run
        from sunbreak.models.registry import DEFAULT_REMOVAL, find_model
        from sunbreak.scene import Scene

        factor = {"factor": 1} if exact_clouds else {}
        chosen = CleanOptions(
            CloudSettings(threshold=threshold, **factor), replace_all, feather, buffer, device.value, runtime.value
        )
        files = find_model(model or DEFAULT_REMOVAL, "cloud-removal")
        scene = Scene.open(
            o.one_or_many(s2),
            o.one_or_many(s1) if s1 else None,
            mask=mask,
            window=window,
            bbox=bbox,
            s2_unit=s2_unit.value,
            s2_offset=o.offset(s2_offset),
            s1_unit=s1_unit.value,
            s2_bands=o.band_names(s2_bands),
        )
        run(scene, output, files, chosen, reporter, overwrite=overwrite, resume=resume)
