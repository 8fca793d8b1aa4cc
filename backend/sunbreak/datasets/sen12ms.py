"""Finds the patches of SEN12MS, SEN12MS-CR and SEN12MS-CR-TS on disk, and their splits.

Files are joined by (seed, season, scene, patch). Scenes are compared as numbers. The official code compares them as
text, so that scene 1 also matches scene 106.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from sunbreak.errors import InputError

Kind = Literal["s1", "s2", "s2_cloudy", "lc"]
Split = Literal["train", "validation", "test"]
Splits = Literal["official", "glf-cr"]

_PATCH = re.compile(r"ROIs(\d+)_(spring|summer|fall|winter)_(s1|s2_cloudy|s2|lc)_(\d+)_p(\d+)\.tif")
_SERIES = re.compile(r"(s1|s2)_ROIs(\d+)_(\d+)_ImgNo_(\d+)_(\d{4}-\d{2}-\d{2})_patch_(\d+)\.tif")

SEASONS: Mapping[int, str] = {1158: "spring", 1868: "summer", 1970: "fall", 2017: "winter"}
# the test scenes of published comparisons
TEST_SCENES: Mapping[int, frozenset[int]] = {
    1158: frozenset({31, 44, 106, 123, 140}),
    1868: frozenset({73, 119}),
    1970: frozenset({139}),
    2017: frozenset({63, 108}),
}
VALIDATION_SCENES: Mapping[int, frozenset[int]] = {1158: frozenset({1, 132, 134})}
# validation scenes of the authors of the data sets (UnCRtainTS, data/dataLoader.py); the test scenes are the same
OFFICIAL_VALIDATION: Mapping[int, frozenset[int]] = {
    1158: frozenset({17}),
    1868: frozenset({17, 19, 80, 127}),
    1970: frozenset({65}),
    2017: frozenset({22, 84, 107, 130}),
}
# SEN12MS-CR-TS has more test scenes, one of which (1868, 100) is a training scene of SEN12MS-CR
SERIES_TEST: Mapping[int, frozenset[int]] = {
    1158: frozenset({106}),
    1868: frozenset({73, 100, 119, 142}),
    1970: frozenset({20, 132, 139}),
    2017: frozenset({32, 63, 103, 108, 140}),
}
SERIES_VALIDATION: Mapping[int, frozenset[int]] = {
    1868: frozenset({17, 127}),
    1970: frozenset({65}),
    2017: frozenset({22, 117}),
}


@dataclass(frozen=True, order=True)
class Place:
    """The place of a patch.

    Attributes:
        seed: Random seed of the region of interest, which identifies the season.
        scene: Number of the scene.
        patch: Number of the patch in the scene.
    """

    seed: int
    scene: int
    patch: int

    @property
    def season(self) -> str:
        """Season of the acquisition."""
        return SEASONS[self.seed]

    @property
    def name(self) -> str:
        """Name such as ``1970_fall_139_p839``."""
        return f"{self.seed}_{self.season}_{self.scene}_p{self.patch}"

    @property
    def split(self) -> Split:
        """Split of the scene in the list of GLF-CR, which publications use."""
        if self.scene in TEST_SCENES.get(self.seed, ()):
            return "test"
        return "validation" if self.scene in VALIDATION_SCENES.get(self.seed, ()) else "train"

    def split_of(self, splits: Splits) -> Split:
        """Split of the scene: ``glf-cr`` as in `split`, or ``official`` of the authors of the data set."""
        if splits == "glf-cr" or self.split == "test":
            return self.split
        return "validation" if self.scene in OFFICIAL_VALIDATION.get(self.seed, ()) else "train"


# damaged patches of the published archives: S1 all NaN, and files that cannot be decoded
BROKEN = frozenset({Place(1868, 146, 202), Place(1158, 31, 684)})


@dataclass(frozen=True)
class Patch:
    """The files of one place, by kind."""

    place: Place
    files: Mapping[Kind, Path]


@dataclass(frozen=True)
class PatchIndex:
    """The patches of a folder.

    Attributes:
        patches: Complete patches in the order of their places.
        missing: Incomplete places with the missing kinds.
        broken: Known damaged places, which are excluded.
    """

    patches: tuple[Patch, ...]
    missing: Mapping[Place, tuple[Kind, ...]]
    broken: tuple[Place, ...]

    def split(self, wanted: Split) -> tuple[Patch, ...]:
        """The patches of one split."""
        return tuple(patch for patch in self.patches if patch.place.split == wanted)


@dataclass(frozen=True, order=True)
class Acquisition:
    """One date of a SEN12MS-CR-TS sequence.

    Attributes:
        day: Date.
        number: Number of the image in the sequence.
        path: The file.
    """

    day: date
    number: int
    path: Path


def parse_name(name: str) -> tuple[Place, Kind] | None:
    """Place and kind of a file name of SEN12MS or SEN12MS-CR, or None for other names."""
    found = _PATCH.fullmatch(name)
    if found is None or SEASONS.get(int(found[1])) != found[2]:
        return None
    kind: Kind = found[3]  # type: ignore[assignment]
    return Place(int(found[1]), int(found[4]), int(found[5])), kind


def find_patches(folders: Path | Sequence[Path], need: Iterable[Kind] = ("s1", "s2", "s2_cloudy")) -> PatchIndex:
    """Join the files below one or several folders, in any layout.

    Args:
        folders: One folder or several; SEN12MS and SEN12MS-CR can be in different folders.
        need: Kinds that a complete patch must have.

    Raises:
        InputError: A folder does not exist, or no file has such a name.
    """
    wanted = tuple(need)
    found: dict[Place, dict[Kind, Path]] = {}
    for folder in [folders] if isinstance(folders, Path) else folders:
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder.", "Give the folder of the data set.", code="missing-folder")
        for path in sorted(folder.rglob("ROIs*.tif")):
            named = parse_name(path.name)
            if named is not None:
                found.setdefault(named[0], {}).setdefault(named[1], path)
    if not found:
        raise InputError(
            f"{folders}: no patches of SEN12MS or SEN12MS-CR.",
            "Their file names look like ROIs1158_spring_s2_1_p30.tif.",
            code="no-patches",
        )
    broken = tuple(sorted(BROKEN & set(found)))
    lacking = {
        place: tuple(kind for kind in wanted if kind not in files)
        for place, files in sorted(found.items())
        if place not in BROKEN
    }
    return PatchIndex(
        tuple(Patch(place, found[place]) for place, kinds in lacking.items() if not kinds),
        {place: kinds for place, kinds in lacking.items() if kinds},
        broken,
    )


def series_split(seed: int, scene: int) -> Split:
    """Split of a scene of SEN12MS-CR-TS, by its authors."""
    if scene in SERIES_TEST.get(seed, ()):
        return "test"
    return "validation" if scene in SERIES_VALIDATION.get(seed, ()) else "train"


def find_series(folder: Path) -> dict[tuple[int, int, int], dict[Literal["s1", "s2"], tuple[Acquisition, ...]]]:
    """Sequences of SEN12MS-CR-TS: the acquisitions of each sensor in order of time, by (seed, scene, patch).

    Raises:
        InputError: The folder has no file with such a name.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder.", "Give the folder of the data set.", code="missing-folder")
    found: dict[tuple[int, int, int], dict[Literal["s1", "s2"], list[Acquisition]]] = {}
    for path in folder.rglob("*_ImgNo_*.tif"):
        named = _SERIES.fullmatch(path.name)
        if named is not None:
            sensor: Literal["s1", "s2"] = "s1" if named[1] == "s1" else "s2"
            key = int(named[2]), int(named[3]), int(named[6])
            shot = Acquisition(date.fromisoformat(named[5]), int(named[4]), path)
            found.setdefault(key, {}).setdefault(sensor, []).append(shot)
    if not found:
        raise InputError(
            f"{folder}: no sequences of SEN12MS-CR-TS.",
            "Their file names look like s2_ROIs1868_73_ImgNo_14_2018-06-21_patch_66.tif.",
            code="no-patches",
        )
    return {
        key: {sensor: tuple(sorted(shots)) for sensor, shots in series.items()} for key, series in sorted(found.items())
    }
