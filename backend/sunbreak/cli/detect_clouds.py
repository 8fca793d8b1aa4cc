"""`sunbreak detect-clouds`: find the clouds of a scene."""

from __future__ import annotations

from sunbreak.cli import options as o
from sunbreak.cli.session import session


def detect_clouds(
    s2: o.S2,
    output: o.OutputFolder,
    exact: o.ExactClouds = False,
    threshold: o.Threshold = o.THRESHOLD,
    window: o.Window = None,
    bbox: o.Bbox = None,
    s2_unit: o.S2UnitOption = o.S2Unit.auto,
    s2_offset: o.S2Offset = "auto",
    s2_bands: o.S2Bands = None,
    overwrite: o.Overwrite = False,
    events: o.Events = False,
    debug: o.Debug = False,
) -> None:
    """Find clouds with s2cloudless: writes <scene>_cloud_probability.tif and <scene>_cloud_mask.tif."""
    with session("detect-clouds", events=events, debug=debug) as reporter:
        from sunbreak.clouds import CloudSettings
        from sunbreak.jobs.single import detect_clouds as run
        from sunbreak.scene import Scene

        factor = {"factor": 1} if exact else {}
        scene = Scene.open(
            o.one_or_many(s2),
            window=window,
            bbox=bbox,
            s2_unit=s2_unit.value,
            s2_offset=o.offset(s2_offset),
            s2_bands=o.band_names(s2_bands),
        )
        run(scene, output, CloudSettings(threshold=threshold, **factor), reporter, overwrite=overwrite)
