"""What every job does around its tasks: tell what was found, write down where things come from, report the end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sunbreak import __version__
from sunbreak.events import Reporter
from sunbreak.layers.output import LayerSet
from sunbreak.scene import Scene


@dataclass(frozen=True)
class JobResult:
    """Layers by role and figures of one job."""

    layers: dict[str, Path]
    numbers: dict[str, float | str]


def gdal_scale(scene: Scene) -> tuple[float, float]:
    """GDAL's scale and offset of the scene's stored numbers."""
    radiometry = scene.radiometry
    return 1 / radiometry.quantification, radiometry.offset / radiometry.quantification


def provenance_of(
    scene: Scene, task: str, facts: Mapping[str, str], parameters: Mapping[str, object]
) -> dict[str, str]:
    """What is written into every layer of a job."""
    return {
        "task": task,
        **facts,
        "parameters": json.dumps(parameters, sort_keys=True),
        "inputs": ", ".join(path.name for path in scene.inputs),
        "version": __version__,
    }


def say(scene: Scene, reporter: Reporter) -> None:
    """Tell what was found in the files and what is unusual."""
    for text in scene.notes:
        reporter.message(text)
    for text in scene.warnings:
        reporter.message(text, "warning")


def say_resumed(layers: LayerSet, wanted: bool, reporter: Reporter) -> None:
    """Tell whether there was an unfinished run to go on with."""
    if wanted:
        reporter.message(
            "Going on where the unfinished run stopped." if layers.resumed else "No unfinished run: starting anew."
        )


def report(paths: dict[str, Path], numbers: dict[str, float | str], reporter: Reporter) -> JobResult:
    """Tell about the finished layers and give the job's result."""
    for role, path in paths.items():
        reporter.layer(role, path)
    reporter.result(paths, numbers)
    return JobResult(paths, numbers)
