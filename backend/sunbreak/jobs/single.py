"""The jobs of one step on a scene that is opened already: detect clouds, clean, classify, explain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from sunbreak.clouds import CloudSettings
from sunbreak.clouds.choice import choose
from sunbreak.defaults import CLOUD_DETECTOR
from sunbreak.engine import Runtime
from sunbreak.events import Reporter
from sunbreak.jobs.clean_step import CleanStep
from sunbreak.jobs.detect_step import DetectStep
from sunbreak.jobs.options import ClassifyOptions, CleanOptions, ExplainOptions
from sunbreak.jobs.plan import Plan, carry_out, model_facts
from sunbreak.jobs.result import Result
from sunbreak.jobs.runtimes import SceneMemory
from sunbreak.jobs.sharing import Sharing
from sunbreak.models.card_landcover import is_per_pixel, slug
from sunbreak.models.registry import ModelFiles
from sunbreak.scene import Scene, SceneSeries

if TYPE_CHECKING:
    from sunbreak.jobs.explain_step import ExplainStep
    from sunbreak.jobs.pixel_explain_step import PixelExplainStep
    from sunbreak.landcover.sliding_window import RowSource

# what only some of the jobs need is imported by them: a preview that cleans starts sooner
__all__ = ["ClassifyOptions", "CleanOptions", "ExplainOptions", "classify", "clean", "detect_clouds", "explain"]


def detect_clouds(
    scene: Scene,
    directory: Path,
    settings: CloudSettings,
    reporter: Reporter,
    *,
    detector: str = CLOUD_DETECTOR,
    overwrite: bool = False,
    resume: bool = False,
) -> Result:
    """Detect the clouds of a scene and write `cloud_probability` and `cloud_mask`.

    Args:
        scene: The scene.
        directory: Where the layers go.
        settings: How.
        reporter: Receives all events.
        detector: Name of the detector, see `sunbreak.clouds.choice`.
        overwrite: Replace existing layers.
        resume: Resume an earlier run on the same output that was killed.

    Raises:
        SunbreakError: Reading, computing or writing failed; nothing is left behind.
    """

    def plan() -> Plan:
        step = DetectStep(scene, choose(detector, settings, scene))
        return Plan(scene, "cloud-detection", [step], {"model": step.detector.name}, step.parameters)

    return carry_out(plan, scene, directory, reporter, overwrite=overwrite, resume=resume)


def clean(
    scene: Scene | SceneSeries,
    directory: Path,
    files: ModelFiles,
    options: CleanOptions,
    reporter: Reporter,
    *,
    overwrite: bool = False,
    resume: bool = False,
    runtime: Runtime | None = None,
    memory: SceneMemory | None = None,
    sharing: Sharing | None = None,
) -> Result:
    """Remove the clouds of a scene and write `cleaned`, `uncertainty`, `reconstructed` and the cloud layers.

    Args:
        scene: What to clean, alone or with other dates; with a given mask, no clouds are detected.
        directory: Where the layers go.
        files: The model.
        options: How.
        reporter: Receives all events.
        overwrite: Replace existing layers.
        resume: Resume an earlier run on the same output that was killed.
        runtime: Where the network runs, if not chosen by `options`.
        memory: Clouds and samples of scenes that other jobs read too.
        sharing: Processes that share the work.

    Raises:
        SunbreakError: Reading, computing or writing failed; nothing is left behind.
    """

    def plan() -> Plan:
        step = CleanStep(scene, files, options, runtime, memory=memory, sharing=sharing)
        return Plan(
            step.series, files.card.task, [step], model_facts(files.card), step.parameters,
            cards=(files.card,), before=lambda: step.task.before.rgb, numbers=lambda _: {"model": files.card.name},
            begin=sharing.begin if sharing is not None else lambda _: None, shared=sharing is not None,
        )  # fmt: skip

    return carry_out(plan, scene, directory, reporter, overwrite=overwrite, resume=resume)


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
) -> Result:
    """Classify a scene's land cover and write `landcover` with its confidence, entropy, probabilities and evidence.

    Args:
        scene: What to classify.
        directory: Where the layers go.
        files: The classifier.
        options: How.
        reporter: Receives all events.
        share: The reconstructed fraction of rows, when the scene is a cleaned one.
        overwrite: Replace existing layers.
        resume: Resume an earlier run on the same output that was killed.
        runtime: Where the network runs, if not chosen by `options`.

    Raises:
        SunbreakError: Reading, computing or writing failed; nothing is left behind.
    """
    from sunbreak.jobs.classify_step import ClassifyStep

    def plan() -> Plan:
        step = ClassifyStep(scene, files, options, share=share, runtime=runtime)
        return Plan(
            scene, files.card.task, [step], model_facts(files.card), step.parameters,
            cards=(files.card,), numbers=lambda _: {"classifier": files.card.name},
        )  # fmt: skip

    return carry_out(plan, scene, directory, reporter, overwrite=overwrite, resume=resume)


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
) -> Result:
    """Map where in a scene the evidence for a class lies: `saliency_<class>`, and a table of the bands.

    Args:
        scene: What to explain.
        directory: Where the layers go.
        files: The classifier.
        options: What is explained, and how.
        reporter: Receives all events.
        point: (x, y) in the scene's CRS: explain the patch around it, or its pixel if the classifier has a class for
            each, and nothing else.
        polygons: GeoJSON file: explain what lies inside its polygons, or the class's logits summed there.
        overwrite: Replace existing layers.
        resume: Resume an earlier run on the same output that was killed.
        runtime: Where the network runs, if not chosen by `options`.

    Raises:
        SunbreakError: The place or the class is not there, or reading, computing or writing failed; nothing is left
            behind.
    """
    from sunbreak.landcover.explanation import write_bands
    from sunbreak.scene.points_and_polygons import burn

    def plan() -> Plan:
        inside = burn(polygons, scene.grid) if polygons is not None and point is None else None
        make = _explain_pixels if is_per_pixel(files.card) else _explain_patches
        part, step = make(scene, files, options, point, inside, runtime)
        table = step.bands_table
        return Plan(
            part,
            files.card.task,
            [step],
            model_facts(files.card),
            {**step.parameters, "point": point, "polygons": polygons.name if polygons else None},
            inputs=(polygons,) if polygons else (),
            cards=(files.card,),
            beside=(table,) if table else (),
            write_beside=lambda layers, folder, *_: (
                write_bands(folder / f"{part.stem}_{table}", step.task.bands()) if table else None
            ),
            numbers=lambda _: {
                "classifier": files.card.name, **(_probabilities(step) if point is not None else {})
            },
        )  # fmt: skip

    return carry_out(plan, scene, directory, reporter, overwrite=overwrite, resume=resume)


def _explain_patches(
    scene: Scene,
    files: ModelFiles,
    options: ExplainOptions,
    point: tuple[float, float] | None,
    inside: NDArray[np.bool_] | None,
    runtime: Runtime | None,
) -> tuple[Scene, ExplainStep]:
    """The step, and the part of the scene that it writes."""
    from sunbreak.jobs.explain_step import ExplainStep
    from sunbreak.scene.points_and_polygons import window_around

    part = scene if point is None else scene.cropped(window_around(scene.grid, *point, files.card.tile))
    return part, ExplainStep(part, files, options, inside=inside, per_pixel=point is not None, runtime=runtime)


def _explain_pixels(
    scene: Scene,
    files: ModelFiles,
    options: ExplainOptions,
    point: tuple[float, float] | None,
    inside: NDArray[np.bool_] | None,
    _: Runtime | None,
) -> tuple[Scene, PixelExplainStep]:
    """The step, and the part of the scene that it writes."""
    from sunbreak.jobs.pixel_explain_step import PixelExplainStep
    from sunbreak.landcover.pixel_explanation import around
    from sunbreak.scene.points_and_polygons import window_around

    if point is None:
        return scene, PixelExplainStep(scene, files, options, inside=inside)
    pixel = window_around(scene.grid, *point, 1)
    needed, shown = around(scene.grid, pixel)
    around_it = scene.cropped(needed)
    the_pixel = np.zeros(around_it.grid.shape, bool)
    the_pixel[int(pixel.row_off - needed.row_off), int(pixel.col_off - needed.col_off)] = True
    place = Window(shown.col_off - needed.col_off, shown.row_off - needed.row_off, shown.width, shown.height)
    return scene.cropped(shown), PixelExplainStep(around_it, files, options, inside=the_pixel, shown=place)


def _probabilities(step: ExplainStep | PixelExplainStep) -> dict[str, float | str]:
    """Of the one patch or pixel at a point."""
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
