"""Writes simulated patches in the layouts of SEN12MS and SEN12MS-CR, to run their readers without the data sets.

Scenes have the official numbers of each split. Every patch is a separate landscape and does not depend on the others.
Interrupted writing resumes.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

from sunbreak.datasets.sen12ms import TEST_SCENES, VALIDATION_SCENES, Kind, Place
from sunbreak.datasets.simulation import landscape as land
from sunbreak.datasets.simulation.scene import SimulatedScene, simulate_scene
from sunbreak.drafts import draft, read_stored_text, write_text
from sunbreak.errors import OutputError
from sunbreak.outputs import check_folder

SEED = 1158  # the spring regions, which the first study uses
SIDE = 256
# some training scenes of spring in the list of GLF-CR
TRAIN_SCENES = (6, 8, 9, 15, 17, 21, 39, 40, 45, 58, 63, 66, 75, 77, 97, 100)
# no overlap with the seeds of the data of the bundled models
_FIRST_SEED = 5_000_000
_TEST_SHARE, _VALIDATION_SHARE = 1 / 2, 1 / 8
_FACTS = "simulation.json"
# classes that rarely cover most of a patch, and the percentage of patches in which they are made to
_PREVAILING: Mapping[int, int] = {land.SAVANNA: 14, land.SHRUBLAND: 9, land.WETLANDS: 7, land.BARREN: 7, land.SNOW: 6}

# by simplified class: IGBP, and the three LCCS layers of MCD12Q1 (land cover, land use, surface hydrology). If several
# IGBP classes are merged, each patch has a random one of them
_IGBP: Mapping[int, tuple[int, ...]] = {
    land.FOREST: (1, 4, 5), land.SHRUBLAND: (6, 7), land.SAVANNA: (8, 9), land.GRASSLAND: (10,), land.WETLANDS: (11,),
    land.CROPLANDS: (12, 14), land.URBAN: (13,), land.SNOW: (15,), land.BARREN: (16,), land.WATER: (17,),
}  # fmt: skip
_LCCS: Mapping[int, tuple[int, int, int]] = {
    land.FOREST: (16, 10, 10), land.SHRUBLAND: (43, 40, 40), land.SAVANNA: (22, 20, 20), land.GRASSLAND: (31, 30, 30),
    land.WETLANDS: (31, 30, 50), land.CROPLANDS: (31, 36, 30), land.URBAN: (1, 9, 1), land.SNOW: (2, 2, 2),
    land.BARREN: (1, 1, 1), land.WATER: (3, 3, 3),
}  # fmt: skip


@dataclass(frozen=True)
class Sen12msSimulation:
    """Settings of the simulated data set.

    Attributes:
        patches: Number of patches: half are test patches, an eighth validation patches, the rest training patches.
        size: Side of a patch in pixels; 256 in the real data sets.
        seed: Seed of all random numbers.
    """

    patches: int
    size: int = SIDE
    seed: int = 1


def write_sen12ms(
    directory: Path,
    wanted: Sen12msSimulation,
    *,
    overwrite: bool = False,
    checkpoint: Callable[[int], None] = lambda done: None,
) -> dict[str, Path]:
    """Write `SEN12MS` (S1, S2, land cover) and `SEN12MS-CR` (S1, S2, cloudy S2) into a folder.

    Args:
        directory: Folder of both data sets; created if missing.
        wanted: Settings of the simulated data set.
        overwrite: Whether other simulated patches in the folder may be replaced.
        checkpoint: Called with the number of finished patches; may raise to stop.

    Returns:
        The folders by the names of their options: sen12ms, sen12mscr.

    Raises:
        OutputError: The folder has other patches, or cannot be written.
    """
    folders = {"sen12ms": directory / "SEN12MS", "sen12mscr": directory / "SEN12MS-CR"}
    try:
        _claim(directory, list(folders.values()), wanted, overwrite)
        for number, place in enumerate(places(wanted.patches)):
            checkpoint(number)
            files = _files(folders, place)
            if not all(path.is_file() for paths in files.values() for path in paths):
                _write_place(files, place, _scene_of(place, wanted), wanted)
        checkpoint(wanted.patches)
    except OSError as error:
        raise OutputError(
            f"{directory} cannot be written ({error.strerror or error}).", "Choose another folder."
        ) from error
    return folders


def places(count: int) -> list[Place]:
    """Places of `count` patches: scenes of each split in turn; patch numbers start at 30 as in the real data."""
    test = max(1, round(count * _TEST_SHARE))
    validation = max(1, round(count * _VALIDATION_SHARE))
    parts = (
        (sorted(TEST_SCENES[SEED]), test),
        (sorted(VALIDATION_SCENES[SEED]), validation),
        (TRAIN_SCENES, max(0, count - test - validation)),
    )
    found = [
        Place(SEED, scenes[index % len(scenes)], 30 + index // len(scenes))
        for scenes, number in parts
        for index in range(number)
    ]
    return sorted(found)


def _claim(directory: Path, folders: list[Path], wanted: Sen12msSimulation, overwrite: bool) -> None:
    """Check that the folder is empty or has the same simulation."""
    check_folder(directory)
    facts = directory / _FACTS
    mine = json.dumps({"simulated": "nothing here was measured", **asdict(wanted)}, indent=1)
    try:
        there = read_stored_text(facts)
    except (OSError, UnicodeDecodeError):
        there = None
    if there == mine:
        return
    standing = next((folder for folder in (facts, *folders) if folder.exists()), None)
    if standing is not None:
        if not overwrite or there is None:
            # without the facts it may be the real data set, which must not be overwritten
            raise OutputError(
                f"The output {standing} exists already.",
                "Choose another folder."
                if there is None
                else "Choose another folder, or allow overwriting (--overwrite).",
            )
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
    directory.mkdir(parents=True, exist_ok=True)
    write_text(facts, mine)


def _files(folders: Mapping[str, Path], place: Place) -> dict[Kind, tuple[Path, ...]]:
    """Paths of a place by kind, in each data set with this kind."""
    season = f"ROIs{place.seed}_{place.season}"

    def path(root: Path, kind: Kind) -> Path:
        name = f"{season}_{kind}_{place.scene}_p{place.patch}.tif"
        if root == folders["sen12ms"]:
            return root / season / f"{kind}_{place.scene}" / name
        return root / f"{season}_{kind}" / f"{kind}_{place.scene}" / name

    plain, cloudy = folders["sen12ms"], folders["sen12mscr"]
    return {
        "s1": (path(plain, "s1"), path(cloudy, "s1")),
        "s2": (path(plain, "s2"), path(cloudy, "s2")),
        "lc": (path(plain, "lc"),),
        "s2_cloudy": (path(cloudy, "s2_cloudy"),),
    }


def _scene_of(place: Place, wanted: Sen12msSimulation) -> SimulatedScene:
    seed = _FIRST_SEED + 100_000_000 * wanted.seed + 1000 * place.scene + place.patch
    rng = np.random.default_rng(seed)
    # approximately uniform; overcast is most frequent, and some patches have no cloud
    cover = float(np.clip(rng.uniform(-0.04, 1.2), 0, 1))
    draw, prevailing = rng.uniform(0, 100), None
    for kind, share in _PREVAILING.items():
        if draw < share:
            prevailing = kind
            break
        draw -= share
    return simulate_scene(wanted.size, seed, cover=cover, season="spring", prevailing=prevailing)


def _write_place(
    files: Mapping[Kind, tuple[Path, ...]], place: Place, scene: SimulatedScene, wanted: Sen12msSimulation
) -> None:
    arrays: dict[Kind, NDArray[Any]] = {
        "s1": scene.s1,
        "s2": scene.clear,
        "s2_cloudy": scene.cloudy,
        "lc": _land_cover(scene, np.random.default_rng([wanted.seed, place.scene, place.patch])),
    }
    # scenes are apart from each other; their patches form rows of twenty
    east = 300_000 + 10 * wanted.size * ((place.patch - 30) % 20)
    north = 5_000_000 + 100_000 * (place.scene % 10) - 10 * wanted.size * ((place.patch - 30) // 20)
    zone = 32601 + place.scene % 60
    for kind, paths in files.items():
        first, *copies = paths
        _write(first, arrays[kind], f"EPSG:{zone}", (east, north))
        for copy in copies:
            _same(first, copy)


def _land_cover(scene: SimulatedScene, rng: np.random.Generator) -> NDArray[np.uint16]:
    """(4, row, column): IGBP and the three LCCS layers."""
    codes = np.zeros((4, 11), np.uint16)
    for kind, igbp in _IGBP.items():
        codes[:, kind] = (int(rng.choice(igbp)), *_LCCS[kind])
    layers: NDArray[np.uint16] = codes[:, scene.landcover]
    return layers


def _write(path: Path, values: NDArray[Any], crs: str, corner: tuple[float, float]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    count, rows, columns = values.shape
    with draft(path) as place, rasterio.open(
        place, "w", driver="GTiff", count=count, height=rows, width=columns, dtype=values.dtype, crs=crs,
        transform=from_origin(*corner, 10, 10), compress="deflate", zlevel=1,
        predictor=3 if values.dtype.kind == "f" else 2,
    ) as target:  # fmt: skip
        target.write(values)


def _same(first: Path, copy: Path) -> None:
    """The same content under a second name, as a hard link if the file system allows it."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    with draft(copy) as place:
        try:
            os.link(first, place)
        except OSError:
            shutil.copyfile(first, place)
        # renaming onto another link of the same file does nothing and leaves the draft
        copy.unlink(missing_ok=True)
