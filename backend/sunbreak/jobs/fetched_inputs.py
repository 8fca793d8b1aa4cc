"""Puts the files of a folder of `sunbreak get` in place of the folder, so that a job description names files only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sunbreak.jobs.options import TaskName
from sunbreak.jobs.spec import JobInputs
from sunbreak.scene.fetched_folder import fetched_folder

_WITHOUT_RADAR = ("detect",)
_WITHOUT_DATES = ("detect", "classify", "explain")


def with_fetched(inputs: JobInputs, task: TaskName = "run") -> tuple[JobInputs, tuple[str, ...]]:
    """The inputs with the files of the folder of `sunbreak get` that is given as Sentinel-2.

    What is given explicitly wins: Sentinel-1 replaces the radar of the folder, other dates replace its other dates and
    their radar, and Sentinel-1 of other dates replaces their radar alone. Other dates of the folder count as found by
    a search: one that cannot be used is left out.

    Args:
        inputs: The inputs; those without such a folder are given back as they are.
        task: What is done: other dates are taken for ``clean`` and ``run``, the radar for all but ``detect``.

    Returns:
        The inputs, and sentences for the user.

    Raises:
        InputError: See `sunbreak.scene.fetched_folder.fetched_folder`.
    """
    fetched = fetched_folder(inputs.s2[0]) if len(inputs.s2) == 1 else None
    if fetched is None:
        return inputs, ()
    radar = fetched.radar if not inputs.s1 and task not in _WITHOUT_RADAR else ()
    dated = not (inputs.references or inputs.found_references) and task not in _WITHOUT_DATES
    references = fetched.references if dated else ()
    radar_of_others = fetched.reference_radar if references and not inputs.reference_s1 else ()
    taken = replace(
        inputs,
        s2=(fetched.scene,),
        s1=inputs.s1 or radar,
        found_references=references or inputs.found_references,
        found_s1=radar_of_others or inputs.found_s1,
    )
    return taken, (f"Taken from the folder: {_listed(fetched.scene, radar, len(references))}.",)


def _listed(scene: Path, radar: Sequence[Path], dates: int) -> str:
    parts = [f"radar {' and '.join(path.stem for path in radar)}"] if radar else []
    parts += [f"{dates} other date{'s' if dates > 1 else ''}"] if dates else []
    return ", ".join(parts) or f"the scene {scene.stem}"
