"""The files that a user means by what was given: a raster, a product, a folder, an archive, or a list of files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from sunbreak.errors import InputError
from sunbreak.scene.fetched_folder import fetched_folder
from sunbreak.scene.safe import band_folder, product_folder, product_inside
from sunbreak.sources import is_file, is_folder, listed, local_path

RESOLUTION_FOLDERS = ("R10m", "R20m", "R60m")
_SUFFIXES = (".tif", ".tiff", ".jp2", ".j2k", ".btf", ".vrt")
# row and column of its first pixel
_PART_OF_EXPORT = re.compile(r"(.*)-\d{10}-\d{10}")


def given_files(given: Path | str | Sequence[Path | str]) -> tuple[list[Path], bool, Path | None]:
    """The files that were named, whether they are all that a folder holds, and the product that it belongs to.

    A zip archive counts as a folder, and is read in place. A folder of `sunbreak get` stands for its scene.

    Raises:
        InputError: ``missing-file``, ``unreadable``, ``safe-product`` for a product that is one of several,
            ``duplicate-bands``, ``split-export``; an archive cannot be read; what `fetched_folder` says.
    """
    many = [given] if isinstance(given, (str, Path)) else list(given)
    if not many:
        raise InputError(
            "No Sentinel-2 file was given.",
            "Give a GeoTIFF, JPEG 2000 bands, or a folder of them.",
            code="missing-file",
        )
    paths = [local_path(one, "file or folder") for one in many]
    fetched = fetched_folder(paths[0]) if len(paths) == 1 else None
    if fetched is not None:
        return [fetched.scene], False, None
    if len(paths) == 1 and (is_folder(paths[0]) or product_folder(paths[0])):
        files, product = _all_of(paths[0])
        _refuse_parts(files, paths[0])
        one_file = len(files) == 1 and paths[0].is_file()  # an archive around one raster
        return files, product is not None or not one_file, product
    for path in paths:
        if product_folder(path):
            raise InputError(
                f"{path} is a whole product, given with other files.", "Give one product.", code="safe-product"
            )
    doubled = [path for path in set(paths) if paths.count(path) > 1]
    if doubled:
        raise InputError(f"{doubled[0]} is given twice.", "Give every file once.", code="duplicate-bands")
    _refuse_parts(paths, paths[0].parent)
    return paths, False, None


def rasters_in(folder: Path) -> list[Path]:
    """The rasters in a folder and in its folders of one resolution, by the endings of their names.

    Raises:
        InputError: ``unreadable``.
    """
    places = [folder, *(folder / name for name in RESOLUTION_FOLDERS if is_folder(folder / name))]
    return [
        file
        for place in places
        for file in listed(place)
        if file.suffix.lower() in _SUFFIXES and not file.name.startswith(".") and is_file(file)
    ]


def _all_of(given: Path) -> tuple[list[Path], Path | None]:
    """The rasters of a product, folder or archive, and the product that it is or holds."""
    product = product_folder(given)
    folder = band_folder(product) if product else given
    files = rasters_in(folder)
    if not files and not product:
        if is_folder(given / "IMG_DATA"):  # of a granule
            files = rasters_in(given / "IMG_DATA")
        elif (product := product_inside(given)) is not None:
            folder = band_folder(product)
            files = rasters_in(folder)
        elif given.is_file():
            files = rasters_of_archive(given)
    if not files:
        inside = listed(folder)
        if folder.is_file():
            inside += [below for one in inside if is_folder(one) for below in listed(one)]
        zipped = next((one for one in inside if one.suffix.lower() == ".zip"), None)
        hint = "Give the folder that holds the band files."
        if zipped is not None:
            hint = f"Extract it and give {zipped.name}." if folder.is_file() else f"Give {zipped}."
        raise InputError(f"{folder} holds no GeoTIFF or JPEG 2000 files.", hint, code="missing-file")
    return files, product


def rasters_of_archive(archive: Path) -> list[Path]:
    """The rasters of an archive that keeps them in one of its folders, or in none.

    Raises:
        InputError: ``several-folders``: it keeps them in several.
    """
    if files := rasters_in(archive):
        return files
    below = [one for one in listed(archive) if is_folder(one)]
    below += [one for folder in below for one in listed(folder) if is_folder(one)]
    found = {
        folder: files for folder in below if folder.name not in RESOLUTION_FOLDERS and (files := rasters_in(folder))
    }
    if len(found) > 1:
        raise InputError(
            f"{archive} holds rasters in {len(found)} folders.",
            f"Give one of them, such as {next(iter(found))}.",
            code="several-folders",
        )
    return next(iter(found.values()), [])


def _refuse_parts(files: Sequence[Path], where: Path) -> None:
    """Refuse an export that Earth Engine split into several files."""
    names = [found[1] for file in files if (found := _PART_OF_EXPORT.fullmatch(file.stem))]
    name = next((one for one in names if names.count(one) > 1), None)
    if name is not None:
        raise InputError(
            f"{where} holds {names.count(name)} parts of one export, {name}-<row>-<column>.",
            f"Join them as a virtual raster first: gdalbuildvrt {name}.vrt {name}-*.tif.",
            code="split-export",
        )
