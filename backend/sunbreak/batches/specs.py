"""Job descriptions of the scenes of a batch, and the parameters that determine their results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sunbreak.batches.manifest import BatchScene
from sunbreak.jobs.options import ChainOptions, ExplainOptions, Options, TaskName
from sunbreak.jobs.spec import JobInputs, JobSpec, make_spec
from sunbreak.models.registry import ModelFiles


def specs_of(
    scenes: Sequence[BatchScene],
    directory: Path,
    task: TaskName,
    reading: JobInputs,
    options: Options,
    *,
    removal: str | None = None,
    classifier: str | None = None,
) -> list[JobSpec]:
    """Describe the same job for every scene, each into ``directory/<name>``.

    Args:
        scenes: The scenes; their names are unique.
        directory: Target folder of the batch.
        task: What is done.
        reading: How the scenes are read; its files do not count.
        options: How it is done.
        removal: The model that removes clouds, as for `make_spec`.
        classifier: The classifier, likewise.

    Raises:
        InputError: The parts do not fit each other.
        ModelError: There is no such model, or it is for another task.
    """
    # the models are found once for all scenes
    first = make_spec(task, reading, directory, options, removal=removal, classifier=classifier)
    return [
        replace(
            first,
            inputs=replace(
                reading,
                s2=scene.s2,
                s1=scene.s1,
                mask=scene.mask,
                mask_coding=scene.mask_coding or reading.mask_coding,
                bbox=scene.bbox or reading.bbox,
                **(_other_dates(scene) if task in ("clean", "run") else {}),
            ),
            output=Path(directory).absolute() / scene.name,
        )
        for scene in scenes
    ]


def _other_dates(scene: BatchScene) -> dict[str, Any]:
    return {name: getattr(scene, name) for name in ("references", "reference_s1", "found_references", "found_s1")}


def parameters_of(spec: JobSpec) -> dict[str, object]:
    """The parameters that, with the files, determine a result. A scene finished with the same ones is skipped.

    Where the networks run does not count. The names are those of the markers of finished scenes: do not change them.
    """

    def plain(values: dict[str, Any]) -> dict[str, Any]:
        return {
            key: plain(value) if isinstance(value, dict) else value
            for key, value in values.items()
            # without what markers of earlier versions lack
            if key not in ("device", "runtime")
            and (key, value) not in (("probabilities", False), ("precision", "exact"))
        }

    inputs = spec.inputs
    models = spec.find_models()
    named = {f"model_{i}": _model(files) for i, files in enumerate(models)}
    return {
        **named,
        **plain(asdict(_settled(spec.options, models))),
        "s2_unit": inputs.s2_unit,
        "s2_offset": inputs.s2_offset,
        "s2_bands": None if inputs.s2_bands is None else list(inputs.s2_bands),
        "s1_unit": inputs.s1_unit,
        # goes without saying as in markers of earlier versions
        **({} if inputs.s2_scale is None else {"s2_scale": inputs.s2_scale}),
        **({} if inputs.s2_nodata == "auto" else {"s2_nodata": inputs.s2_nodata}),
        **({} if inputs.mask_coding == "auto" else {"mask_coding": inputs.mask_coding}),
        **({} if inputs.bbox is None else {"bbox": list(inputs.bbox)}),
    }


def _settled(options: Options, models: Sequence[ModelFiles]) -> Options:
    """The options with the method of explanation that ``auto`` stands for, as in markers of earlier versions."""
    if isinstance(options, ChainOptions) and options.explain is not None:
        return replace(options, explain=options.explain.settled(models[-1].card))
    return options.settled(models[-1].card) if isinstance(options, ExplainOptions) else options


def _model(files: ModelFiles) -> list[str]:
    """What determines the results of a model. A bundled one changes with its weights only, as in earlier markers."""
    card = files.card
    return [card.name, card.sha256] if files.bundled else [card.name, card.sha256, card.digest]
