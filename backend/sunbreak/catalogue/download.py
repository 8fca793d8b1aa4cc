"""Fetches what was chosen: the area of each overpass, band by band, several at once, and continues where it stopped."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from rasterio.errors import RasterioError

from sunbreak.catalogue.connection import Catalogues
from sunbreak.catalogue.fetched_band import read_band, trying, wanted_bands
from sunbreak.catalogue.fetched_files import (
    OTHER_DATES,
    Fetched,
    write_collection,
    write_item,
    write_raster,
)
from sunbreak.catalogue.fetched_grid import grid_of_place
from sunbreak.catalogue.items import CatalogueItem
from sunbreak.catalogue.overpasses import Overpass
from sunbreak.catalogue.place import Place
from sunbreak.drafts import draft, read_stored_text
from sunbreak.errors import InputError, OutputError
from sunbreak.events import Cancellation, Reporter
from sunbreak.layers.lock import OutputLock
from sunbreak.layers.target import TargetFolder
from sunbreak.scene.fetched_folder import COLLECTION, RADAR, REFERENCE, REFERENCE_RADAR, SCENE, UNFINISHED
from sunbreak.scene.grid import Grid

_THREADS = 6
_WRITERS = 2


@dataclass(frozen=True)
class Selection:
    """What is fetched.

    Attributes:
        scene: Sentinel-2 of the date.
        radar: Its Sentinel-1.
        references: Other dates.
        reference_radar: Sentinel-1 of other dates, each with the position of its date in `references`.
    """

    scene: Overpass
    radar: Overpass | None = None
    references: tuple[Overpass, ...] = ()
    reference_radar: tuple[tuple[Overpass, int], ...] = ()

    def files(self) -> list[Fetched]:
        """The files to be written, the scene first."""
        scene = _fetched(self.scene, SCENE)
        others = [_fetched(one, REFERENCE) for one in self.references]
        radar = [_fetched(self.radar, RADAR, scene.name)] if self.radar else []
        theirs = [_fetched(one, REFERENCE_RADAR, others[place].name) for one, place in self.reference_radar]
        return [scene, *radar, *others, *theirs]


@dataclass(frozen=True)
class Folder:
    """What was fetched.

    Attributes:
        path: The folder.
        files: The rasters, the scene first.
        uses: What each is, by its path.
        moved_bytes: Bytes received.
    """

    path: Path
    files: tuple[Path, ...]
    uses: dict[Path, str]
    moved_bytes: int


def download(
    selection: Selection,
    place: Place,
    folder: Path,
    catalogues: Catalogues,
    reporter: Reporter,
    *,
    overwrite: bool = False,
) -> Folder:
    """Fetch the area of each chosen overpass into a folder, all on one grid.

    Bands that are finished are kept when it is stopped. The same call continues.

    Args:
        selection: What is fetched.
        place: The area.
        folder: Made if it is missing.
        catalogues: Open catalogues.
        reporter: Receives the progress in bands, and can cancel.
        overwrite: Replace what an earlier call with another selection or place fetched.

    Raises:
        InputError: A file cannot be used, or lies elsewhere (``no-overlap``).
        OutputError: The folder holds something else, cannot be written, or is being written.
        RunError: A server fails, or the disk is full.
    """
    files = selection.files()
    first = selection.scene.first
    grid = trying(lambda: _grid(catalogues, first, place), reporter)
    target = TargetFolder(folder)
    target.check()
    digests = {one.place: _digest(one, grid) for one in files}
    _refuse_others(folder, files, digests, overwrite)
    needed = sum(2 * grid.width * grid.height * one.dtype.itemsize * len(one.bands) for one in files)
    target.check_space(needed, 0)
    target.make()
    lock = OutputLock(folder / ".sunbreak-get.lock")
    try:
        lock.acquire()
        with target.full_disk_is_named("what is fetched", lambda: needed):
            _fetch_all(files, grid, folder, digests, catalogues, reporter)
            write_collection(folder, files, grid)
        shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
    except (OSError, RasterioError) as error:
        raise target.failure(error, "what is fetched") from error
    finally:
        lock.release()
        target.remove_if_empty()
    paths = tuple(folder / f"{one.place}.tif" for one in files)
    moved = sum(catalogue.client.moved_bytes for catalogue in catalogues.open())
    return Folder(folder, paths, dict(zip(paths, (one.use for one in files), strict=True)), moved)


def _grid(catalogues: Catalogues, item: CatalogueItem, place: Place) -> Grid:
    with catalogues.of(item.profile).raster(item.assets["B04"]).open() as dataset:
        return grid_of_place(dataset, place)


def _fetch_all(
    files: Sequence[Fetched],
    grid: Grid,
    folder: Path,
    digests: dict[str, str],
    catalogues: Catalogues,
    reporter: Reporter,
) -> None:
    waiting = [one for one in files if _digest_of(folder, one) != digests[one.place]]
    total = sum(len(one.bands) for one in waiting)
    done, counting = 0, threading.Lock()
    stop = Cancellation()

    def fetch(one: Fetched, band: str) -> None:
        nonlocal done
        if stop.requested:
            return
        _fetch_band(one, band, grid, folder / UNFINISHED / digests[one.place][:16], catalogues, reporter)
        with counting:
            done += 1
            reporter.progress(done, total, "bands")

    reporter.progress(0, total, "bands")
    if waiting:
        (folder / COLLECTION).unlink(missing_ok=True)  # what it lists is not whole until the end
    with ThreadPoolExecutor(_THREADS, "sunbreak-fetch") as pool:
        jobs = {one.place: [pool.submit(fetch, one, band) for band in one.bands] for one in waiting}
        try:
            for one in waiting:
                _wait_for(jobs[one.place])
                reporter.checkpoint()
                _assemble(one, grid, folder, digests[one.place])
                reporter.layer(one.use, folder / f"{one.place}.tif")
        except BaseException:
            stop.request()
            pool.shutdown(cancel_futures=True)
            raise


def _wait_for(jobs: Sequence[Future[None]]) -> None:
    finished, _ = wait(jobs, return_when=FIRST_EXCEPTION)
    for job in finished:
        job.result()


def _fetch_band(one: Fetched, band: str, grid: Grid, parts: Path, catalogues: Catalogues, reporter: Reporter) -> None:
    path = parts / f"{band}.npy"
    if path.is_file():
        return
    parts.mkdir(parents=True, exist_ok=True)
    with draft(path) as place:
        array = open_memmap(  # type: ignore[no-untyped-call]
            place, mode="w+", dtype=one.dtype, shape=grid.shape
        )
        if one.is_radar:
            array[:] = np.nan
        read_band(catalogues.of(one.overpass.first.profile), one.overpass, band, grid, array, reporter)
        array.flush()
        del array


def _assemble(one: Fetched, grid: Grid, folder: Path, digest: str) -> None:
    parts = folder / UNFINISHED / digest[:16]
    bands: dict[str, NDArray[np.generic]] = {
        band: np.load(parts / f"{band}.npy", mmap_mode="r", allow_pickle=False) for band in one.bands
    }
    found = bands["VV" if one.is_radar else "B04"]
    if not (np.isfinite(found) & (found != 0)).any():
        raise InputError(
            f"{one.overpass.id} has no data at the place.",
            "Choose another one: sunbreak find lists them.",
            code="no-overlap",
        )
    (folder / one.place).parent.mkdir(parents=True, exist_ok=True)
    (folder / f"{one.place}.stac.json").unlink(missing_ok=True)
    write_raster(folder / f"{one.place}.tif", one, grid, bands, parts, _WRITERS)
    write_item(folder, one, grid, digest)
    bands.clear()
    del found
    shutil.rmtree(parts, ignore_errors=True)


def _fetched(overpass: Overpass, use: str, partner: str = "") -> Fetched:
    return Fetched(overpass, tuple(wanted_bands(overpass)), use, partner)


def _digest(one: Fetched, grid: Grid) -> str:
    """What a file is made of: the same request has the same digest."""
    items = [
        [item.id, [[item.assets[band].href, item.assets[band].checksum] for band in one.bands]]
        for item in one.overpass.items
    ]
    content = [
        one.use,
        one.partner,
        items,
        one.overpass.first.offset,
        str(grid.crs),
        list(grid.transform)[:6],
        grid.shape,
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _digest_of(folder: Path, one: Fetched) -> str:
    """The digest of a file that is there and whole; empty if it is not."""
    try:
        item = json.loads(read_stored_text(folder / f"{one.place}.stac.json"))
        size = item["assets"]["data"]["file:size"]
        whole = (folder / f"{one.place}.tif").stat().st_size == size
        return str(item["properties"]["sunbreak:request"]) if whole else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _refuse_others(folder: Path, files: Sequence[Fetched], digests: dict[str, str], overwrite: bool) -> None:
    """Refuse a folder that holds something else.

    Raises:
        OutputError: ``output-exists``.
    """
    ours = {f"{one.place}{ending}" for one in files for ending in (".tif", ".stac.json")} | {COLLECTION}
    held = [path for place in (folder, folder / OTHER_DATES) if place.is_dir() for path in place.iterdir()]
    foreign = [
        path for path in held
        if path.suffix in (".tif", ".json") and path.relative_to(folder).as_posix() not in ours
    ]  # fmt: skip
    other = [
        folder / f"{one.place}.tif" for one in files
        if (folder / f"{one.place}.tif").exists() and _digest_of(folder, one) != digests[one.place]
    ]  # fmt: skip
    if overwrite:
        for path in foreign:
            _remove_fetched(path)
        return
    for path in (*foreign, *other):
        raise OutputError(
            f"{path} is there already, and is not part of what is fetched now.",
            "Give another folder, or --overwrite to replace an earlier selection.",
            code="output-exists",
        )


def _remove_fetched(path: Path) -> None:
    """Remove a file of an earlier selection; what was not fetched stays."""
    item = path if path.name.endswith(".stac.json") else path.with_suffix(".stac.json")
    try:
        ours = "sunbreak:request" in json.loads(read_stored_text(item))["properties"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if ours:
        path.with_suffix("").with_suffix(".tif").unlink(missing_ok=True) if path == item else path.unlink()
        item.unlink(missing_ok=True)
