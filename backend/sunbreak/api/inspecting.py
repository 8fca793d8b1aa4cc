"""The function of the Python interface that says what is found in a scene."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sunbreak.api.arrays import Array, Paths, Reading
from sunbreak.api.opening import opened_series
from sunbreak.defaults import CLOUD_DETECTOR
from sunbreak.diagnostics.inspection import Inspection, inspect_scene
from sunbreak.errors import InputError
from sunbreak.scene import Scene

if TYPE_CHECKING:
    from typing_extensions import Unpack


def inspect(
    s2: Paths | Array | Scene,
    s1: Paths | Array | None = None,
    *,
    mask: str | Path | Array | None = None,
    detector: str = CLOUD_DETECTOR,
    **reading: Unpack[Reading],
) -> Inspection:
    """Say what is found in a scene and what a job will assume about it, without doing one.

    Args:
        s2: Sentinel-2, as for `open_scene`, or an opened scene.
        s1: Sentinel-1 of the same place.
        mask: Cloud mask.
        detector: What would detect the clouds, as for `clean`.
        reading: How the scene is read; see `sunbreak.api.arrays.Reading`.

    Returns:
        The inspection: `sentinel2`, `sentinel1` and `mask` with the source of each assumption, `fits` (which jobs are
        possible by default), `notes` and `warnings`; `to_dict` makes plain values of it.

    Raises:
        InputError: The files cannot be understood; the code says why.

    Example:
        >>> found = sunbreak.inspect("S2_L1C.tif", "S1.tif")
        >>> found.sentinel2.offset, found.sentinel2.offset_why
        (-1000.0, 'S2 numbers are DN; offset -1000 from processing baseline 05.09.')
    """
    if isinstance(s2, Scene):
        if s1 is not None or mask is not None or reading:
            raise InputError(
                "The scene is opened already.", "Give Sentinel-1, the mask and the reading to open_scene.",
                code="bad-option",
            )  # fmt: skip
        return inspect_scene(s2, detector)
    with opened_series(s2, s1, mask, reading) as series:
        return inspect_scene(series, detector)
