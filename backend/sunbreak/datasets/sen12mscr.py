"""Finds the usable pairs of SEN12MS-CR (cloudy and clear image), and the reasons against the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sunbreak.datasets.reading import raster_shape
from sunbreak.datasets.sen12ms import Kind, Patch, PatchIndex, find_patches
from sunbreak.errors import InputError

BANDS: Mapping[Kind, int] = {"s1": 2, "s2": 13, "s2_cloudy": 13}
_READERS = 8
_CHUNK = 256


@dataclass(frozen=True)
class PairIndex:
    """The usable pairs of a folder.

    Attributes:
        patches: Patches in the order of their places.
        remarks: One line per kind of problem, with a count and an example.
    """

    patches: tuple[Patch, ...]
    remarks: tuple[str, ...]


def find_pairs(
    folder: Path,
    exclude: Sequence[str] = (),
    *,
    least: int = 0,
    checkpoint: Callable[[int, int], None] = lambda done, total: None,
) -> PairIndex:
    """The pairs of a folder, in either layout, with valid headers.

    Args:
        folder: Folder of the data set.
        exclude: Places to leave out, such as ``1970_fall_139_p839``.
        least: Smallest allowed side of an image in pixels.
        checkpoint: Called with the number of finished patches and of all patches; may raise to stop.

    Raises:
        InputError: The folder is missing or has no usable pair. The message names what is missing.
    """
    index = find_patches(folder, need=("s2", "s2_cloudy"))
    wanted = [patch for patch in index.patches if patch.place.name not in exclude]
    trouble: dict[int, str] = {}
    with ThreadPoolExecutor(_READERS) as pool:
        for first in range(0, len(wanted), _CHUNK):
            checkpoint(first, len(wanted))
            chunk = wanted[first : first + _CHUNK]
            found = enumerate(pool.map(lambda patch: _trouble(patch, least), chunk), first)
            trouble |= {number: said for number, said in found if said}
    checkpoint(len(wanted), len(wanted))
    usable = tuple(patch for number, patch in enumerate(wanted) if number not in trouble)
    if not usable:
        raise _nothing(folder, index, list(trouble.values()), len(wanted))
    return PairIndex(usable, tuple(_remarks(index, usable, list(trouble.values()))))


def _trouble(patch: Patch, least: int) -> str:
    """The problem with the files of a pair; empty without a problem."""
    shapes = {}
    try:
        for kind, bands in BANDS.items():
            if kind in patch.files:
                shapes[kind] = raster_shape(patch.files[kind], bands)
    except InputError as error:
        return error.message
    if len(set(shapes.values())) > 1:
        sizes = ", ".join(f"{kind} {columns} x {rows}" for kind, (rows, columns) in shapes.items())
        return f"{patch.files['s2']}: the files of the place differ in size ({sizes})."
    rows, columns = shapes["s2"]
    if min(rows, columns) < least:
        return f"{patch.files['s2']}: has {columns} x {rows} pixels, fewer than a tile of {least}."
    return ""


def _remarks(index: PatchIndex, usable: Sequence[Patch], trouble: Sequence[str]) -> list[str]:
    remarks = []
    if index.broken:
        remarks.append(
            f"Left out, damaged in the published archives: {len(index.broken)}, such as {index.broken[0].name}."
        )
    for kind in ("s2", "s2_cloudy"):
        lacking = [place.name for place, kinds in index.missing.items() if kind in kinds]
        if lacking:
            remarks.append(f"Left out without {kind}: {len(lacking)} places, such as {lacking[0]}.")
    if trouble:
        remarks.append(f"Left out, unusable: {len(trouble)} pairs, such as {trouble[0]}")
    no_radar = [patch.place.name for patch in usable if "s1" not in patch.files]
    if no_radar:
        remarks.append(f"Without radar (s1): {len(no_radar)} of {len(usable)} pairs, such as {no_radar[0]}.")
    return remarks


def _nothing(folder: Path, index: PatchIndex, trouble: Sequence[str], wanted: int) -> InputError:
    if trouble:
        return InputError(
            f"{folder}: none of {len(trouble)} pairs can be used: {trouble[0]}", "Fetch the data set again.",
            code="no-samples",
        )  # fmt: skip
    if not index.patches and index.missing:
        place, kinds = next(iter(index.missing.items()))
        return InputError(
            f"{folder}: no cloudy and clear pairs of SEN12MS-CR; {place.name} lacks {', '.join(kinds)}.",
            "Unpack the archives s2 and s2_cloudy of the same seasons there.",
            code="no-samples",
        )
    said = "all were left out" if index.patches else "there are none"
    return InputError(
        f"{folder}: no cloudy and clear pairs of SEN12MS-CR ({said}).", "Give another folder.", code="no-samples"
    )
