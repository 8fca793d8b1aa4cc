"""The jobs that a user starts: detect clouds, clean, classify, explain. Each goes from a scene to finished layers."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from sunbreak.clouds import CloudSettings
from sunbreak.clouds.detection import CloudDetection, DetectorRuntime
from sunbreak.clouds.registry import detector as make_detector
from sunbreak.defaults import CLOUD_DETECTOR
from sunbreak.engine import Runtime, run_task
from sunbreak.events import Reporter
from sunbreak.jobs.result import JobResult, provenance_of, report, say, say_resumed
from sunbreak.jobs.steps import (
    ClassifyingStep,
    ClassifyOptions,
    CleaningStep,
    CleanOptions,
    ExplainingStep,
    ExplainOptions,
)
from sunbreak.landcover.classification import slug
from sunbreak.landcover.explanation import write_bands
from sunbreak.landcover.sliding_window import RowSource
from sunbreak.layers import roles
from sunbreak.layers.output import LayerSet
from sunbreak.models.card import ModelCard
from sunbreak.models.registry import ModelFiles
from sunbreak.scene import Scene
from sunbreak.scene.points_and_polygons import burn, window_around

__all__ = [
    "ClassifyOptions",
    "CleanOptions",
    "ExplainOptions",
    "JobResult",
    "classify",
    "clean",
    "detect_clouds",
    "explain",
]


def detect_clouds(
    scene: Scene,
    directory: Path,
    settings: CloudSettings,
    reporter: Reporter,
    *,
    detector: str = CLOUD_DETECTOR,
    overwrite: bool = False,
) -> JobResult:
    """Write `cloud_probability` and `cloud_mask` of a scene.

    Args:
        scene: Where to detect clouds.
        directory: Where the layers go.
        settings: How.
        reporter: Told about everything.
        detector: Name of the detector, see `sunbreak.clouds.registry`.
        overwrite: Replace existing layers.

    Raises:
        SunbreakError: Reading, computing or writing failed; nothing is left behind.
    """
    start = time.monotonic()
    say(scene, reporter)
    chosen = make_detector(detector, settings)
    task, runtime = CloudDetection(scene, chosen), DetectorRuntime(chosen)
    reporter.message(f"Clouds: {runtime.label}.")
    with LayerSet(
        directory,
        scene.stem,
        scene.grid,
        [roles.cloud_probability(), roles.cloud_mask()],
        provenance=provenance_of(scene, "cloud-detection", {"model": chosen.name}, dict(chosen.settings)),
        inputs=scene.inputs,
        overwrite=overwrite,
        acquired=scene.acquired,
    ) as layers:
        run_task(task, scene, runtime, layers.write, reporter)
        paths = layers.finish(checkpoint=reporter.checkpoint)
    numbers: dict[str, float | str] = {
        "cloud_share": task.cloudy / max(task.valid, 1),
        "seconds": time.monotonic() - start,
    }
    return report(paths, numbers, reporter)


def clean(
    scene: Scene,
    directory: Path,
    files: ModelFiles,
    options: CleanOptions,
    reporter: Reporter,
    *,
    overwrite: bool = False,
    resume: bool = False,
    runtime: Runtime | None = None,
) -> JobResult:
    """Remove the clouds of a scene and write `cleaned`, `uncertainty`, `reconstructed` and the cloud layers.

    Args:
        scene: What to clean; with a mask, no clouds are looked for.
        directory: Where the layers go.
        files: The model.
        options: How.
        reporter: Told about everything.
        overwrite: Replace existing layers.
        resume: Go on where an earlier run on the same output was killed.
        runtime: Where the network runs, if not chosen by `options`.

    Raises:
        SunbreakError: Reading, computing or writing failed; nothing is left behind.
    """
    start = time.monotonic()
    say(scene, reporter)
    step = CleaningStep(scene, files, options, runtime)
    with LayerSet(
        directory,
        scene.stem,
        scene.grid,
        step.specs,
        provenance=provenance_of(scene, files.card.task, model_facts(files.card), step.parameters),
        inputs=scene.inputs,
        overwrite=overwrite,
        acquired=scene.acquired,
        resume=resume,
    ) as layers:
        say_resumed(layers, resume, reporter)
        step.run(layers, reporter)
        paths = layers.finish(step.task.before.rgb, checkpoint=reporter.checkpoint)
    numbers = {**step.numbers(), "model": files.card.name, "seconds": time.monotonic() - start}
    return report(paths, numbers, reporter)


def classify(
    scene: Scene,
    directory: Path,
    files: ModelFiles,
    options: ClassifyOptions,
    reporter: Reporter,
    *,
    share: RowSource | None = None,
    overwrite: bool = False,
    resume: bool = False,
    runtime: Runtime | None = None,
) -> JobResult:
    """Classify a scene's land cover and write `landcover` with its confidence, entropy, probabilities and evidence.

    Args:
        scene: What to classify.
        directory: Where the layers go.
        files: The classifier.
        options: How.
        reporter: Told about everything.
        share: The synthesised share of rows, when the scene is a cleaned one.
        overwrite: Replace existing layers.
        resume: Go on where an earlier run on the same output was killed.
        runtime: Where the network runs, if not chosen by `options`.

    Raises:
        SunbreakError: Reading, computing or writing failed; nothing is left behind.
    """
    start = time.monotonic()
    say(scene, reporter)
    step = ClassifyingStep(scene, files, options, share=share, runtime=runtime)
    with LayerSet(
        directory,
        scene.stem,
        scene.grid,
        step.specs,
        provenance=provenance_of(scene, files.card.task, model_facts(files.card), step.parameters),
        inputs=scene.inputs,
        overwrite=overwrite,
        acquired=scene.acquired,
        resume=resume,
    ) as layers:
        say_resumed(layers, resume, reporter)
        step.run(layers, reporter)
        paths = layers.finish(checkpoint=reporter.checkpoint)
    numbers = {**step.numbers(), "classifier": files.card.name, "seconds": time.monotonic() - start}
    return report(paths, numbers, reporter)


def explain(
    scene: Scene,
    directory: Path,
    files: ModelFiles,
    options: ExplainOptions,
    reporter: Reporter,
    *,
    point: tuple[float, float] | None = None,
    polygons: Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    runtime: Runtime | None = None,
) -> JobResult:
    """Show where in a scene the evidence for a class lies: `saliency_<class>`, and a table of the bands.

    Args:
        scene: What to look at.
        directory: Where the layers go.
        files: The classifier.
        options: What is explained, and how.
        reporter: Told about everything.
        point: (x, y) in the scene's CRS: explain the patch around it, pixel by pixel, and nothing else.
        polygons: GeoJSON file: explain what lies inside its polygons.
        overwrite: Replace existing layers.
        resume: Go on where an earlier run on the same output was killed.
        runtime: Where the network runs, if not chosen by `options`.

    Raises:
        SunbreakError: The place or the class is not there, or reading, computing or writing failed; nothing is left
            behind.
    """
    start = time.monotonic()
    say(scene, reporter)
    inside = None
    if point is not None:
        scene = scene.cropped(window_around(scene.grid, *point, files.card.tile))
    elif polygons is not None:
        inside = burn(polygons, scene.grid)
    step = ExplainingStep(scene, files, options, inside=inside, per_pixel=point is not None, runtime=runtime)
    parameters = {**step.parameters, "point": point, "polygons": polygons.name if polygons else None}
    table = f"{step.role}_bands.csv"
    with LayerSet(
        directory,
        scene.stem,
        scene.grid,
        step.specs,
        provenance=provenance_of(scene, files.card.task, model_facts(files.card), parameters),
        inputs=[*scene.inputs, *([polygons] if polygons else [])],
        overwrite=overwrite,
        acquired=scene.acquired,
        beside=[table],
        resume=resume,
    ) as layers:
        say_resumed(layers, resume, reporter)
        step.run(layers, reporter)
        paths = layers.finish(
            beside=lambda folder, _: write_bands(folder / f"{scene.stem}_{table}", step.task.bands()),
            checkpoint=reporter.checkpoint,
        )
    numbers: dict[str, float | str] = {**step.numbers(), "classifier": files.card.name}
    if point is not None:
        numbers |= _probabilities(step)
    numbers["seconds"] = time.monotonic() - start
    return report(paths, numbers, reporter)


def _probabilities(step: ExplainingStep) -> dict[str, float | str]:
    """Of the one patch at a point."""
    card = step.files.card
    logits = step.task.logits().astype(np.float64)
    if card.multi_label:
        values = 1 / (1 + np.exp(-logits))
    else:
        values = np.exp(logits - logits.max())
        values /= values.sum()
    best = card.classes[int(values.argmax())].name
    named = {f"probability_{slug(kind.name)}": float(p) for kind, p in zip(card.classes, values, strict=True)}
    return {"predicted_class": best, **named}


def model_facts(card: ModelCard, prefix: str = "") -> dict[str, str]:
    """What provenance says about a model."""
    facts = {
        "model": card.name,
        "weights_sha256": card.sha256,
        "architecture": card.architecture,
        "licence": card.licence,
    }
    return {prefix + key: value for key, value in facts.items()}
