"""Makes the inputs of a job from command-line options."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sunbreak.cli import options as o

if TYPE_CHECKING:
    from sunbreak.jobs.spec import JobInputs


def job_inputs(
    s2: Sequence[Path],
    s1: Sequence[Path] | None,
    s2_unit: o.S2Unit,
    s2_offset: str,
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
        s1_unit=s1_unit.value,
        s2_bands=None if names is None else tuple(names),
        **more,
    )
