"""Finds the acquisitions in a folder that may serve as other dates of a scene, and the Sentinel-1 among them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from rasterio.io import DatasetReader

from sunbreak.errors import InputError
from sunbreak.scene.bands import band_in_file_name, canonical_band
from sunbreak.scene.fetched_folder import fetched_folder
from sunbreak.scene.product import PRODUCT_NAME
from sunbreak.scene.radar_files import polarisations, unzipped
from sunbreak.scene.safe import product_folder
from sunbreak.scene.virtual import without_doubled
from sunbreak.sources import local_path, raster_at

_SUFFIXES = (".tif", ".tiff", ".jp2", ".j2k", ".btf", ".vrt")
_NOT_YET = (".part", ".tmp", ".crdownload")
_RADAR = re.compile(r"(?<![A-Za-z0-9])(?:S1[A-D]?|SENTINEL-?1[A-D]?|VV|VH)(?![A-Za-z0-9])", re.IGNORECASE)
_ROLE_TAG = "SUNBREAK_ROLE"
_RESOLUTIONS = ("R10m", "R20m", "R60m")


def find_references(folder: Path | str, target_paths: Iterable[Path] = ()) -> list[Path]:
    """The acquisitions in a folder: products, multi-band rasters and folders of single bands, by name.

    Args:
        folder: The folder; its subfolders count only as products or folders of single bands.
        target_paths: Files and folders of the scene itself, which are left out.

    Returns:
        Paths as `sunbreak.scene.Scene.open` takes them. Radar, masks, pictures, layers of Sunbreak, hidden and
        temporary files are left out. Whether the others can be used is found out when they are opened.

    Raises:
        InputError: The folder is missing, cannot be read (``missing-file``, ``not-a-folder``, ``unreadable``) or holds
            no acquisition (``no-reference``).
    """
    return search_folder(folder, target_paths)[0]


def search_folder(folder: Path | str, target_paths: Iterable[Path] = ()) -> tuple[list[Path], list[Path]]:
    """The acquisitions in a folder, as `find_references` gives them, and the Sentinel-1 files beside them.

    A folder of `sunbreak get` gives its scene, its other dates and the radar of all of them.

    Raises:
        InputError: As `find_references` and `sunbreak.scene.fetched_folder.fetched_folder`.
    """
    place = local_path(folder, "folder")
    if not place.is_dir():
        raise InputError(
            f"{place} is not a folder.", "Give the folder that holds the other dates.", code="not-a-folder"
        )
    if is_acquisition(place):
        return [place], []
    own = {Path(path).expanduser().absolute().resolve() for path in target_paths}
    references, radar = _fetched(place, own) or _searched(place, own)
    if not references:
        raise InputError(
            f"{place} holds no other acquisition: no product, multi-band raster or folder of single bands.",
            "Give a folder with other dates of the place.",
            code="no-reference",
        )
    return references, radar


def _fetched(place: Path, own: set[Path]) -> tuple[list[Path], list[Path]] | None:
    fetched = fetched_folder(place)
    if fetched is None:
        return None
    dates = [path for path in (fetched.scene, *fetched.references) if not _within(path, own)]
    return dates, [*fetched.radar, *fetched.reference_radar]


def _searched(place: Path, own: set[Path]) -> tuple[list[Path], list[Path]]:
    references: list[Path] = []
    radar: list[Path] = []
    listed = _listed(place)
    usable = [path for path in listed if _is_raster(path) or is_acquisition(path)]
    doubles = {*usable} - {*without_doubled(usable, [])}
    for path in listed:
        if path.name.startswith((".", "~", "_")) or path.name.endswith("~") or _within(path, own) or path in doubles:
            continue
        kind = _kind(path)
        if kind == "reference":
            references.append(path)
        elif kind == "radar":
            radar.append(path)
    return references, radar


def is_acquisition(folder: Path) -> bool:
    """Whether a folder is one acquisition: a product, or a folder of single bands in which every band occurs once."""
    if not folder.is_dir():
        return False
    if product_folder(folder) is not None:
        return True
    places = [folder, *(folder / name for name in _RESOLUTIONS if (folder / name).is_dir())]
    rasters = ([path for path in _listed(place) if _is_raster(path)] for place in places)
    return any(_is_one_set(without_doubled(found, [])) for found in rasters)


def _is_one_set(rasters: Sequence[Path]) -> bool:
    bands = [band for path in rasters if (band := band_in_file_name(path.stem))]
    return len(bands) > 1 and len(bands) == len(set(bands)) and 2 * len(bands) > len(rasters)


def _within(path: Path, own: set[Path]) -> bool:
    """Whether a path is one of the scene's, or holds one of them."""
    resolved = path.resolve()
    return resolved in own or (path.is_dir() and any(resolved in one.parents for one in own))


def _kind(path: Path) -> str:
    """``reference``, ``radar``, or nothing."""
    if path.is_dir():
        return "reference" if is_acquisition(path) else ""
    if path.suffix.lower() == ".zip":
        return "reference" if _is_zipped_product(path) else "radar" if _is_zipped_radar(path) else ""
    if not _is_raster(path):
        return ""
    try:
        with raster_at(path).open() as dataset:
            return _kind_of(dataset, path)
    except InputError:
        return "" if _RADAR.search(path.stem.replace("_", " ")) else "reference"  # opening it again says what is wrong


def _is_zipped_product(path: Path) -> bool:
    """Whether a zip archive holds a product of Sentinel-2, or is called after one: opening it says what is wrong."""
    if PRODUCT_NAME.match(path.name):
        return True
    try:
        product = product_folder(path)
    except InputError:
        return ".SAFE" in path.name.upper()
    return product is not None and not _RADAR.search(product.name.replace("_", " "))


def _is_zipped_radar(path: Path) -> bool:
    """Whether a zip archive holds one VV and one VH."""
    try:
        return bool(_RADAR.search(path.stem.replace("_", " "))) and len(unzipped([path])) == 2
    except InputError:
        return False


def _kind_of(dataset: DatasetReader, path: Path) -> str:
    if _ROLE_TAG in dataset.tags() or {*dataset.dtypes} <= {"uint8", "int8"}:
        return ""
    if any(canonical_band(text) for text in dataset.descriptions) and dataset.count > 1:
        return "reference"
    named = any(polarisations(dataset, path, alone=False))
    if named or (dataset.count <= 2 and _RADAR.search(path.stem.replace("_", " "))):
        return "radar"
    return "reference" if dataset.count > 1 else ""


def _is_raster(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES and not path.stem.lower().endswith(_NOT_YET) and path.is_file()


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise InputError(
            f"{folder} cannot be read: {error.strerror}.", "Check its permissions.", code="unreadable"
        ) from error
