"""The one place where a job writes: a plan describes the work on a scene, `carry_out` does it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sunbreak.engine.threads import one_blas_thread
from sunbreak.events import Reporter
from sunbreak.jobs.relay import OneBar, Relay
from sunbreak.jobs.result import Result, origins, provenance_of, report, say, say_resumed
from sunbreak.jobs.step import Step
from sunbreak.layers.output import LayerSet
from sunbreak.models.card import ModelCard
from sunbreak.scene import Scene, SceneSeries

Numbers = dict[str, "float | str"]


@dataclass(frozen=True)
class Plan:
    """The work of a job on one scene.

    Attributes:
        scene: The scene, cropped if only a part is worked on; alone or with the other dates that are read.
        task: Name of the job in the provenance of its layers.
        steps: The steps in their order; all write into one set of layers.
        facts: What the provenance says about the models.
        parameters: What the layers depend on beside the files and models; JSON types.
        inputs: Files that are read beside those of the scene.
        cards: The models. A killed run is resumed with the same cards only.
        beside: Names of the further files that `write_beside` writes.
        begin: Receives the set of layers before it is written.
        before: Gives the picture of the scene before the job, for the quicklook; see `LayerSet.finish`.
        write_beside: Writes the further files into a folder, from the set of layers, the layers' files by role and the
            figures of the steps.
        numbers: Gives the figures of the job that no step knows.
        shared: Other processes share the work. A run that was killed is resumed the same way only.
    """

    scene: Scene | SceneSeries
    task: str
    steps: Sequence[Step]
    facts: Mapping[str, str]
    parameters: Mapping[str, object]
    inputs: tuple[Path, ...] = ()
    cards: tuple[ModelCard, ...] = ()
    beside: tuple[str, ...] = ()
    begin: Callable[[LayerSet], None] = lambda layers: None
    before: Callable[[], NDArray[np.float32] | None] = lambda: None
    write_beside: Callable[[LayerSet, Path, Mapping[str, Path], Numbers], None] = lambda *_: None
    numbers: Callable[[LayerSet], Numbers] = lambda layers: {}
    shared: bool = False


def carry_out(
    make: Callable[[], Plan],
    scene: Scene | SceneSeries,
    directory: Path,
    reporter: Reporter,
    *,
    overwrite: bool = False,
    resume: bool = False,
) -> Result:
    """Do what a plan says: write all its layers, or nothing.

    Args:
        make: Makes the plan, after the notes and warnings of the scene were reported.
        scene: The scene, alone or with other dates.
        directory: Where the layers go.
        reporter: Receives all events.
        overwrite: Replace existing layers.
        resume: Resume an earlier run on the same output that was killed.

    Raises:
        SunbreakError: Reading, computing or writing failed; nothing is left behind.
    """
    with one_blas_thread():
        return _carry_out(make, scene, directory, Relay(reporter), overwrite=overwrite, resume=resume)


def _carry_out(
    make: Callable[[], Plan],
    scene: Scene | SceneSeries,
    directory: Path,
    relay: Relay,
    *,
    overwrite: bool,
    resume: bool,
) -> Result:
    start = time.monotonic()
    say(SceneSeries.of(scene), relay)
    plan = make()
    series = SceneSeries.of(plan.scene)
    scene = series.target
    with LayerSet(
        directory,
        scene.stem,
        scene.grid,
        [spec for step in plan.steps for spec in step.specs],
        provenance=provenance_of(series, plan.task, plan.facts, plan.parameters),
        inputs=[*series.inputs, *plan.inputs],
        overwrite=overwrite,
        acquired=scene.acquired,
        beside=plan.beside,
        resume=resume,
        derived_from=origins(series),
        identity={
            **{f"card of {card.name}": card.digest for card in plan.cards},
            **({"in parts": "yes"} if plan.shared else {}),
        },
        made_with=[step.files.path for step in plan.steps if hasattr(step, "files")],
        south_up=scene.stack.turned,
        in_parts=plan.shared,
    ) as layers:
        if layers.done:
            relay.message("An earlier run wrote all layers: nothing is left to do.")
            done: Numbers = {"seconds": time.monotonic() - start}
            return report({spec.role: layers.path(spec.role) for spec in layers.specs}, done, relay, relay.warnings)
        say_resumed(layers, resume, relay)
        plan.begin(layers)
        _run(plan.steps, layers, relay)
        numbers = {key: value for step in plan.steps for key, value in step.numbers().items()}
        paths = layers.finish(
            plan.before(),
            beside=lambda folder, files: plan.write_beside(layers, folder, files, numbers),
            checkpoint=relay.checkpoint,
            numbers=numbers,
        )
    numbers |= {**plan.numbers(layers), "seconds": time.monotonic() - start}
    return report(paths, numbers, relay, relay.warnings)


def _run(steps: Sequence[Step], layers: LayerSet, reporter: Reporter) -> None:
    if len(steps) == 1:
        steps[0].run(layers, reporter)
        return
    bar = OneBar(reporter, sum(step.weight for step in steps))
    for step in steps:
        bar.begin(step.weight, step.phases, getattr(step, "first_phase", 0.1))
        step.run(layers, bar)


def model_facts(card: ModelCard, prefix: str = "") -> dict[str, str]:
    """What provenance says about a model."""
    facts = {
        "model": card.name,
        "weights_sha256": card.sha256,
        "architecture": card.architecture,
        "licence": card.licence,
    }
    return {prefix + key: value for key, value in facts.items()}
