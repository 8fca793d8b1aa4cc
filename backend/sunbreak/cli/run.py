"""`sunbreak run`: clean, classify and explain a scene in one go."""

from __future__ import annotations

from sunbreak.cli import options as o
from sunbreak.cli.session import session


def run(
    s2: o.S2,
    output: o.OutputFolder,
    s1: o.S1 = None,
    model: o.Removal = None,
    classifier: o.ClassifierOfChain = None,
    mask: o.Mask = None,
    exact_clouds: o.ExactCloudsOfClean = False,
    threshold: o.Threshold = 0.4,
    feather: o.Feather = None,
    buffer: o.Buffer = None,
    stride: o.Stride = None,
    explained: o.ExplainedOfChain = "predicted",
    method: o.MethodOption = o.Method.gradcam,
    block: o.Block = "layer4",
    confident: o.Confident = 0.6,
    reconstructed: o.ReconstructedAbove = 0.1,
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
    """Remove the clouds of a scene, classify its land cover, show why, and say what to trust.

    Writes the layers of clean, classify and explain, <scene>_trust.tif, <scene>_landcover_cloudy_vs_cleaned.tif and
    <scene>_report.html.
    """
    with session("run", events=events, debug=debug) as reporter:
        from sunbreak.clouds.detection import CloudSettings
        from sunbreak.jobs.chain import ChainOptions, run_chain
        from sunbreak.jobs.single import ClassifyOptions, CleanOptions, ExplainOptions
        from sunbreak.landcover.trust import TrustThresholds
        from sunbreak.models.registry import DEFAULT_CLASSIFIER, DEFAULT_REMOVAL, find_model
        from sunbreak.scene import Scene

        factor = {"factor": 1} if exact_clouds else {}
        clouds = CloudSettings(threshold=threshold, **factor)
        explaining = None
        if explained.lower() != "none":
            explaining = ExplainOptions(explained, method.value, block, stride, device.value)
        chosen = ChainOptions(
            CleanOptions(clouds, False, feather, buffer, device.value, runtime.value),
            ClassifyOptions(stride, device.value, runtime.value),
            explaining,
            TrustThresholds(confident, reconstructed),
        )
        removal_model = find_model(model or DEFAULT_REMOVAL, "cloud-removal")
        classifier_files = find_model(classifier or DEFAULT_CLASSIFIER, "land-cover")
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
        run_chain(scene, output, removal_model, classifier_files, chosen, reporter, overwrite=overwrite, resume=resume)
