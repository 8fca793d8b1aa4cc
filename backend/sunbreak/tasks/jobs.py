"""The jobs that a user starts: detect clouds, clean a scene. Each goes from an opened scene to finished layers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sunbreak import __version__
from sunbreak.engine import Runtime, make_runtime, run_task
from sunbreak.engine.runtime import DeviceName, RuntimeName
from sunbreak.errors import InputError
from sunbreak.events import Reporter
from sunbreak.layers import roles
from sunbreak.layers.output import LayerSet
from sunbreak.models.registry import ModelFiles
from sunbreak.scene import Scene, SceneReader
from sunbreak.tasks.clouds import CloudDetection, CloudRuntime, CloudSettings
from sunbreak.tasks.removal import DEFAULT_BUFFER, CloudRemoval, MaskSource, fit_warnings

_MAX_MARGIN = 64


@dataclass(frozen=True)
class CleanOptions:
    """How a scene is cleaned.

    Attributes:
        clouds: How clouds are found when no mask was given.
        replace_all: Replace every pixel by the prediction, clear ones too.
        feather: Width of the mixed edge inside the mask, in pixels.
        buffer: Pixels by which the mask is grown first; None is 4 for clouds that were looked for, whose edges are bright, and
            0 for a mask that was given.
        device: Where the network runs.
        runtime: What runs it.
    """

    clouds: CloudSettings = field(default_factory=CloudSettings)
    replace_all: bool = False
    feather: int = 4
    buffer: int | None = None
    device: DeviceName = "auto"
    runtime: RuntimeName = "auto"

    def __post_init__(self) -> None:
        for name, width in (("feather", self.feather), ("buffer", self.buffer or 0)):
            if not 0 <= width <= _MAX_MARGIN:
                raise InputError(
                    f"The {name} is {width} pixels.", f"Give a number from 0 to {_MAX_MARGIN}.", code="bad-option"
                )


@dataclass(frozen=True)
class JobResult:
    """Layers by role and figures of one job."""

    layers: dict[str, Path]
    numbers: dict[str, float | str]


def detect_clouds(
    scene: Scene, directory: Path, settings: CloudSettings, reporter: Reporter, *, overwrite: bool = False
) -> JobResult:
    """Write `cloud_probability` and `cloud_mask` of a scene.

    Raises:
        SunbreakError: Reading, computing or writing failed; nothing is left behind.
    """
    start = time.monotonic()
    _say(scene, reporter)
    task, runtime = CloudDetection(scene, settings), CloudRuntime(settings)
    specs = [roles.cloud_probability(), roles.cloud_mask()]
    provenance = _provenance(scene, "cloud-detection", {"method": runtime.label}, asdict(settings))
    with LayerSet(
        directory,
        scene.stem,
        scene.grid,
        specs,
        provenance=provenance,
        inputs=scene.inputs,
        overwrite=overwrite,
        acquired=scene.acquired,
    ) as layers:
        reporter.message(f"Clouds: {runtime.label}.")
        run_task(task, scene, runtime, layers.write, reporter)
        paths = layers.finish(checkpoint=reporter.checkpoint)
    numbers: dict[str, float | str] = {
        "cloud_share": task.cloudy / max(task.valid, 1),
        "seconds": time.monotonic() - start,
    }
    return _report(paths, numbers, reporter)


def clean(
    scene: Scene,
    directory: Path,
    files: ModelFiles,
    options: CleanOptions,
    reporter: Reporter,
    *,
    overwrite: bool = False,
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
        runtime: Where the network runs, if not chosen by `options`.

    Raises:
        SunbreakError: Reading, computing or writing failed; nothing is left behind.
    """
    start = time.monotonic()
    _say(scene, reporter)
    card = files.card
    detection = None
    if not options.replace_all and not scene.has_mask:
        detection = CloudDetection(scene, options.clouds)
    buffer = options.buffer if options.buffer is not None else DEFAULT_BUFFER if detection else 0
    task = CloudRemoval(scene, card, _mask_source(options, detection), options.feather, buffer)
    for text in fit_warnings(scene, card):
        reporter.message(text, "warning")
    specs = [roles.cleaned(scene.bands, scene.dtype, scene.nodata, *_scale(scene)), roles.reconstructed()]
    specs += [roles.uncertainty(scene.bands)] if card.has_variance else []
    specs += [roles.cloud_mask()] if task.mask is not None else []
    specs += [roles.cloud_probability()] if detection else []
    facts = {"model": card.name, "weights_sha256": card.sha256, "architecture": card.architecture}
    parameters = {
        "replace_all": options.replace_all,
        "feather": options.feather,
        "buffer": buffer,
        "clouds": "given mask" if scene.has_mask else asdict(options.clouds),
        "temperature": list(card.temperature),
    }
    with LayerSet(
        directory,
        scene.stem,
        scene.grid,
        specs,
        provenance=_provenance(scene, card.task, facts, parameters),
        inputs=scene.inputs,
        overwrite=overwrite,
        acquired=scene.acquired,
    ) as layers:
        if detection:
            looking = CloudRuntime(options.clouds)
            reporter.message(f"Clouds: {looking.label}.")
            # the removal writes the mask; here only the probability is new
            run_task(detection, scene, looking, _only("cloud_probability", layers.write), reporter)
        runtime = runtime or make_runtime(files, options.device, options.runtime)
        reporter.message(f"Model {card.name} with {runtime.label}.")
        count = run_task(task, scene, runtime, layers.write, reporter)
        paths = layers.finish(task.before.rgb, checkpoint=reporter.checkpoint)
    numbers: dict[str, float | str] = {
        **task.numbers(),
        "tiles": count.tiles,
        "tiles_computed": count.computed,
        "model": card.name,
        "seconds": time.monotonic() - start,
    }
    return _report(paths, numbers, reporter)


def _mask_source(options: CleanOptions, detection: CloudDetection | None) -> MaskSource | None:
    if options.replace_all:
        return None
    if detection is not None:
        found = detection.mask
        return lambda reader, first, stop: found.get(first, stop)

    def given(reader: SceneReader, first: int, stop: int) -> NDArray[np.bool_]:
        from rasterio.windows import Window

        return reader.mask(Window(0, first, reader.scene.grid.width, stop - first))

    return given


def _only(
    role: str, write: Callable[[str, int, NDArray[np.float32]], None]
) -> Callable[[str, int, NDArray[np.float32]], None]:
    def chosen(name: str, row: int, values: NDArray[np.float32]) -> None:
        if name == role:
            write(name, row, values)

    return chosen


def _scale(scene: Scene) -> tuple[float, float]:
    """GDAL's scale and offset of the stored numbers."""
    radiometry = scene.radiometry
    return 1 / radiometry.quantification, radiometry.offset / radiometry.quantification


def _provenance(scene: Scene, task: str, facts: Mapping[str, str], parameters: Mapping[str, object]) -> dict[str, str]:
    return {
        "task": task,
        **facts,
        "parameters": json.dumps(parameters, sort_keys=True),
        "inputs": ", ".join(path.name for path in scene.inputs),
        "version": __version__,
    }


def _say(scene: Scene, reporter: Reporter) -> None:
    for text in scene.notes:
        reporter.message(text)
    for text in scene.warnings:
        reporter.message(text, "warning")


def _report(paths: dict[str, Path], numbers: dict[str, float | str], reporter: Reporter) -> JobResult:
    for role, path in paths.items():
        reporter.layer(role, path)
    reporter.result(paths, numbers)
    return JobResult(paths, numbers)
