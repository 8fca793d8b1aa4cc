"""Makes the inputs of a job from command-line options."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sunbreak.cli import options as o
from sunbreak.errors import InputError

if TYPE_CHECKING:
    from sunbreak.evaluation.other_dates import GivenDates
    from sunbreak.jobs.options import TaskName
    from sunbreak.jobs.spec import JobInputs


def other_dates(
    own: Sequence[Path], reference: Sequence[Path] | None, references: Path | None, reference_s1: Sequence[Path] | None
) -> dict[str, tuple[Path, ...]]:
    """The fields of `JobInputs` that name other dates.

    Args:
        own: Files of the scene, which are left out of the folder.
        reference: Values of ``--reference``.
        references: Value of ``--references``: a folder, which is searched here.
        reference_s1: Values of ``--reference-s1``.

    Raises:
        InputError: The folder is missing or holds no acquisition.
    """
    from sunbreak.scene.reference_files import search_folder

    found, found_s1 = search_folder(references, own) if references is not None else ([], [])
    return {
        "references": tuple(reference or ()),
        "reference_s1": tuple(reference_s1 or ()),
        "found_references": tuple(found),
        "found_s1": tuple(path for path in found_s1 if path.resolve() not in _resolved(reference_s1)),
    }


def given_dates(
    own: Sequence[Path | None], reference: Sequence[Path] | None, references: Path | None, **reading: Any
) -> GivenDates:
    """The other dates of a comparison.

    Args:
        own: The compared files, which are left out of the folder.
        reference: Values of ``--reference``.
        references: Value of ``--references``: a folder, which is searched here.
        reading: Fields of `sunbreak.scene.series_opening.Reading`.

    Raises:
        InputError: The folder is missing or holds no acquisition.
    """
    from sunbreak.evaluation.other_dates import GivenDates
    from sunbreak.scene.series_opening import Reading

    found = other_dates([path for path in own if path is not None], reference, references, None)
    return GivenDates(found["references"], found["found_references"], Reading(**reading))


def _resolved(paths: Sequence[Path] | None) -> set[Path]:
    return {path.expanduser().resolve() for path in paths or ()}


def job_inputs(
    s2: Sequence[Path],
    s1: Sequence[Path] | None,
    s2_unit: o.S2Unit,
    s2_offset: str,
    s2_nodata: str,
    s2_scale: float | None,
    s1_unit: o.S1Unit,
    s2_bands: str | None,
    **more: Any,
) -> JobInputs:
    """The inputs of a job.

    Args:
        s2: Sentinel-2.
        s1: Sentinel-1.
        s2_unit: Value of ``--s2-unit``.
        s2_offset: Value of ``--s2-offset``.
        s2_nodata: Value of ``--s2-nodata``.
        s2_scale: Value of ``--s2-scale``.
        s1_unit: Value of ``--s1-unit``.
        s2_bands: Value of ``--s2-bands``.
        more: Further fields of `JobInputs`.

    Raises:
        InputError: A value is wrong.
    """
    from sunbreak.jobs.spec import JobInputs

    names = o.band_names(s2_bands)
    return JobInputs(
        tuple(s2),
        tuple(s1 or ()),
        s2_unit=s2_unit.value,
        s2_offset=o.offset(s2_offset),
        s2_nodata=o.nodata(s2_nodata),
        s2_scale=s2_scale,
        s1_unit=s1_unit.value,
        s2_bands=None if names is None else tuple(names),
        **more,
    )


def with_fetched(inputs: JobInputs, task: TaskName, tell: Callable[[str], None]) -> JobInputs:
    """The inputs of a job, with the files of a folder of `sunbreak get` in place of the folder.

    Args:
        inputs: As `job_inputs` makes them.
        task: What is done, see `sunbreak.jobs.fetched_inputs.with_fetched`.
        tell: Receives sentences that say what was taken.

    Raises:
        InputError: The folder cannot be used, or there is radar of other dates without any.
    """
    from sunbreak.jobs.fetched_inputs import with_fetched as taken

    inputs, notes = taken(inputs, task)
    for text in notes:
        tell(text)
    if inputs.reference_s1 and not (inputs.references or inputs.found_references):
        raise InputError(
            "--reference-s1 is given without another date.", "Give --reference or --references too.", code="bad-option"
        )
    return inputs
