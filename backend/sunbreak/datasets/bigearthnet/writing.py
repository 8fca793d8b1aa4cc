"""Writes simulated patches in the layouts of BigEarthNet v1 and v2, for tests and for the demo of the study."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.transform import from_origin

from sunbreak import unfinished
from sunbreak.datasets.bigearthnet.bands import BANDS, RADAR_BANDS
from sunbreak.datasets.bigearthnet.labels import merged
from sunbreak.datasets.bigearthnet.lists import CLOUDY_LIST, SNOWY_LIST, SPLIT_LISTS
from sunbreak.datasets.bigearthnet.names import SPLITS
from sunbreak.datasets.bigearthnet.simulated import EPSG, EXTENT, TILE, Entry, SimulatedPatch, simulated_patches
from sunbreak.datasets.bigearthnet.version2 import (
    MAP_FOLDER,
    OTHER_TABLE,
    TABLE,
    parquet,
    s1_folder,
    s2_folder,
)
from sunbreak.errors import InputError, OutputError
from sunbreak.outputs import check_folder

TRUTH_FOLDER = "truth"
S2_ROOT_1, S1_ROOT_1, SPLIT_ROOT_1 = "BigEarthNet-v1.0", "BigEarthNet-S1-v1.0", "splits"


def write_bigearthnet(
    folder: Path,
    patches: int,
    seed: int,
    version: Literal[1, 2] = 1,
    s1: bool = True,
    *,
    cloudy_share: float = 0.5,
    snowy: int = 0,
    truth: bool = False,
    cover: tuple[float, float] = (0.2, 1.0),
    tick: Callable[[int], None] = lambda done: None,
) -> Path:
    """Write a small data set of simulated patches.

    Cloudy and clear patches show different places, as in the data set. Pixels are simulated top-of-atmosphere
    reflectance minus path radiance, an approximation of Level-2A. The same arguments give the same pixels.

    Args:
        folder: Folder of the data set; must not exist or must be empty.
        patches: Number of cloudy and clear patches together.
        seed: Seed of all random numbers.
        version: Version of the layout.
        s1: Whether to write the Sentinel-1 pairs.
        cloudy_share: Fraction of cloudy patches.
        snowy: Number of additional patches with snow.
        truth: Whether to write the truth of the cloudy validation patches into `truth`: per patch the DN at the top of
            the atmosphere in 13 bands with and without clouds, the radar, and the mask of clouds and shadows.
        cover: Range of the requested cloud cover of cloudy patches; thin clouds and shadows are extra.
        tick: Called after each patch with the number of finished patches; may raise to stop, which removes all files.

    Returns:
        The folder.

    Raises:
        InputError: ``bad-number`` for fewer than one patch or a fraction outside 0..1; ``missing-extra`` for version 2
            without pyarrow.
        OutputError: The folder is not empty or cannot be written.
    """
    if patches < 1 or snowy < 0 or not 0 <= cloudy_share <= 1:
        raise InputError(
            f"{patches} patches, {snowy} snowy, with a cloudy fraction of {cloudy_share:g} are no valid data set.",
            "Give at least one patch and a fraction from 0 to 1.",
            code="bad-number",
        )
    if not 0 <= cover[0] <= cover[1] <= 1:
        raise InputError(
            f"The range of cloud cover, {cover[0]:g} to {cover[1]:g}, is invalid.",
            "Give two fractions from 0 to 1.",
            code="bad-number",
        )
    if version == 2:
        parquet()
    folder = folder.resolve()
    draft = folder.with_name(f".sunbreak-{folder.name}")
    try:
        check_folder(folder)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise OutputError(f"{folder} exists already and is not an empty folder.", "Choose another folder.")
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir(parents=True)
        unfinished.add(draft)
        cloudy = round(patches * cloudy_share)
        made = simulated_patches(cloudy, patches - cloudy, snowy, seed, cover)
        made = _counted(made, tick)
        if truth:
            made = _with_truth(made, draft / TRUTH_FOLDER, version)
        (_write_version1 if version == 1 else _write_version2)(draft, made, s1)
        draft.replace(folder)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written: {error.strerror or error}.", "Choose another folder."
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        unfinished.drop(draft)
    return folder


def _counted(patches: Iterable[SimulatedPatch], tick: Callable[[int], None]) -> Iterator[SimulatedPatch]:
    for number, patch in enumerate(patches, 1):
        yield patch
        tick(number)


def _with_truth(patches: Iterable[SimulatedPatch], folder: Path, version: Literal[1, 2]) -> Iterator[SimulatedPatch]:
    """Yield the patches, and write the truth of the cloudy validation patches."""
    for patch in patches:
        entry, scene = patch.entry, patch.scene
        if (entry.pile, entry.split) == ("cloudy", "validation"):
            stem = entry.name1 if version == 1 else entry.name2
            hidden = (scene.cloud | scene.shadow).astype(np.uint8)[None]
            for what, values in (
                ("s2_cloudy", scene.cloudy),
                ("s2", scene.clear),
                ("s1", scene.s1),
                ("hidden", hidden),
            ):
                _write_planes(folder / f"{stem}_{what}.tif", values, entry.corner)
        yield patch


def _write_version1(folder: Path, patches: Iterable[SimulatedPatch], s1: bool) -> None:
    entries = []
    for patch in patches:
        entry = patch.entry
        here = folder / S2_ROOT_1 / entry.name1
        _write_bands(here, patch)
        _write_json(here, entry, radar=False)
        if s1:
            there = folder / S1_ROOT_1 / entry.s1_name
            _write_radar(there, patch)
            _write_json(there, entry, radar=True)
        entries.append(entry)
    for name, pile in ((CLOUDY_LIST, "cloudy"), (SNOWY_LIST, "snowy")):
        members = [entry.name1 for entry in entries if entry.pile == pile]
        # without a header, an empty list counts as a failed download
        (folder / name).write_text("\n".join(members or ["patch"]) + "\n")
    (folder / SPLIT_ROOT_1).mkdir()
    for split in SPLITS:
        pairs = [f"{one.name1},{one.s1_name}" for one in entries if (one.pile, one.split) == ("clear", split)]
        if pairs:
            (folder / SPLIT_ROOT_1 / SPLIT_LISTS[split][0]).write_text("\n".join(pairs) + "\n")


def _write_version2(folder: Path, patches: Iterable[SimulatedPatch], s1: bool) -> None:
    entries = []
    for patch in patches:
        entry = patch.entry
        _write_bands(s2_folder(folder, entry.name2), patch)
        reference = s2_folder(folder, entry.name2, MAP_FOLDER)
        _write_plane(reference / f"{entry.name2}_reference_map.tif", patch.codes, entry.corner)
        if s1:
            _write_radar(s1_folder(folder, entry.s1_name), patch)
        entries.append(entry)
    _write_table(folder / TABLE, [entry for entry in entries if entry.pile == "clear"])
    _write_table(folder / OTHER_TABLE, [entry for entry in entries if entry.pile != "clear"])


def _write_table(path: Path, entries: Sequence[Entry]) -> None:
    import pyarrow

    fields = {
        "patch_id": pyarrow.string(),
        "labels": pyarrow.list_(pyarrow.string()),
        "split": pyarrow.string(),
        "country": pyarrow.string(),
        "s1_name": pyarrow.string(),
        "s2v1_name": pyarrow.string(),
        "contains_seasonal_snow": pyarrow.bool_(),
        "contains_cloud_or_shadow": pyarrow.bool_(),
    }
    rows = [
        {
            "patch_id": entry.name2,
            "labels": list(merged(entry.labels)),
            "split": entry.split,
            "country": "Austria",
            "s1_name": entry.s1_name,
            "s2v1_name": entry.name1,
            "contains_seasonal_snow": entry.pile == "snowy",
            "contains_cloud_or_shadow": entry.pile == "cloudy",
        }
        for entry in entries
    ]
    parquet().write_table(pyarrow.Table.from_pylist(rows, pyarrow.schema(list(fields.items()))), path)


def _write_bands(folder: Path, patch: SimulatedPatch) -> None:
    for band in BANDS:
        _write_plane(folder / f"{folder.name}_{band}.tif", patch.band(band), patch.entry.corner)


def _write_radar(folder: Path, patch: SimulatedPatch) -> None:
    for index, band in enumerate(RADAR_BANDS):
        _write_plane(folder / f"{folder.name}_{band}.tif", patch.scene.s1[index], patch.entry.corner)


def _write_plane(path: Path, values: NDArray[Any], corner: tuple[int, int]) -> None:
    _write_planes(path, values[None], corner)


def _write_planes(path: Path, values: NDArray[Any], corner: tuple[int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    step = EXTENT / values.shape[1]
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=len(values),
        height=values.shape[1],
        width=values.shape[2],
        dtype=values.dtype,
        crs=f"EPSG:{EPSG}",
        transform=from_origin(*corner, step, step),
    ) as target:
        target.write(np.ascontiguousarray(values))


def _write_json(folder: Path, entry: Entry, *, radar: bool) -> None:
    left, top = entry.corner
    content: dict[str, Any] = {
        "labels": list(entry.labels),
        "coordinates": {
            "ulx": left,
            "uly": top,
            "lrx": left + EXTENT,
            "lly" if radar else "lry": top - EXTENT,
        },
        "projection": CRS.from_epsg(EPSG).to_wkt(),
    }
    if radar:
        content["corresponding_s2_patch"] = entry.name1
        content["scene_source"] = f"{entry.s1_name.rsplit('_', 3)[0]}_simulated"
        content["acquisition_time"] = entry.radar_acquired.isoformat()
    else:
        content["tile_source"] = f"S2A_MSIL1C_{entry.acquired:%Y%m%dT%H%M%S}_N0205_R022_T{TILE}_simulated.SAFE"
        content["acquisition_date"] = f"{entry.acquired:%Y-%m-%d %H:%M:%S}"
    (folder / f"{folder.name}_labels_metadata.json").write_text(json.dumps(content))
