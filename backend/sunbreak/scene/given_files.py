"""The files that a user means by what was given: a raster, a product, a folder, or a list of files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sunbreak.errors import InputError
from sunbreak.scene.product import PRODUCT_NAME
from sunbreak.scene.safe import band_folder, product_folder
from sunbreak.sources import local_path

RESOLUTION_FOLDERS = ("R10m", "R20m", "R60m")
_SUFFIXES = (".tif", ".tiff", ".jp2", ".j2k", ".btf", ".vrt")


def given_files(given: Path | str | Sequence[Path | str]) -> tuple[list[Path], bool, Path | None]:
    """The files that were named, whether they are all that a folder holds, and the product that it belongs to.

    Raises:
        InputError: ``missing-file``, ``unreadable``, ``safe-product`` for a product that is zipped or one of several,
            ``duplicate-bands``.
    """
    many = [given] if isinstance(given, (str, Path)) else list(given)
    if not many:
        raise InputError(
            "No Sentinel-2 file was given.",
            "Give a GeoTIFF, JPEG 2000 bands, or a folder of them.",
            code="missing-file",
        )
    paths = [local_path(one, "file or folder") for one in many]
    for path in paths:
        zipped = path.suffix.lower() == ".zip" and (".SAFE" in path.name.upper() or PRODUCT_NAME.match(path.name))
        if zipped or (len(paths) > 1 and product_folder(path)):
            raise InputError(
                f"{path} is a zipped product." if zipped else f"{path} is a whole product, given with other files.",
                "Unzip it and give its .SAFE folder." if zipped else "Give one product.",
                code="safe-product",
            )
    product = product_folder(paths[0])
    if product or (len(paths) == 1 and paths[0].is_dir()):
        folder = band_folder(product) if product else paths[0]
        places = [folder, *(folder / name for name in RESOLUTION_FOLDERS if (folder / name).is_dir())]
        inside = [
            file for place in places for file in _listed(place) if file.suffix.lower() in _SUFFIXES and file.is_file()
        ]
        if not inside:
            raise InputError(
                f"{folder} holds no GeoTIFF or JPEG 2000 files.",
                "Give the folder that holds the band files.",
                code="missing-file",
            )
        return inside, True, product
    doubled = [path for path in set(paths) if paths.count(path) > 1]
    if doubled:
        raise InputError(f"{doubled[0]} is given twice.", "Give every file once.", code="duplicate-bands")
    return paths, False, None


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise InputError(
            f"{folder} cannot be read: {error.strerror}.", "Check its permissions.", code="unreadable"
        ) from error
