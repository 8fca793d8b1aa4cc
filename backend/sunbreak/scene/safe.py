"""Sentinel-2 products as the Copernicus services deliver them: a ``.SAFE`` folder with metadata and a granule."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path, PurePosixPath

from sunbreak.errors import InputError
from sunbreak.regular_files import read_regular
from sunbreak.sources.fingerprint import Fingerprint, fingerprint

# in files of a product these hold a few kilobytes to a megabyte
_MAX_METADATA = 8 * 2**20
_MAX_VALUES = 1000  # of one element; a product lists some 40 files
_METADATA = re.compile(r"MTD_MSIL(?:1C|2A)\.xml", re.IGNORECASE)
# no part reaches beyond the next "<", so every character is looked at a few times at most
_VALUE = re.compile(
    r"<(PRODUCT_URI|PROCESSING_BASELINE|PRODUCT_START_TIME|(?:BOA_)?QUANTIFICATION_VALUE|RADIO_ADD_OFFSET|BOA_ADD_OFFSET"
    r"|IMAGE_FILE)\b[^<>]*>\s*([^<>\s]+)\s*<"
)
_IMAGE = re.compile(r"GRANULE/[^/\s]{1,200}/IMG_DATA/(?:R[126]0m/)?[\w.\-]{1,200}")
_BAND_FILE = re.compile(r"_B(?:\d\d|8A)(?:_(?:10|20|60)m)?$")


def product_folder(given: Path) -> Path | None:
    """The product that a path names by its folder or its metadata file; None if it names something else."""
    if given.is_dir():
        return given if ".SAFE" in given.name.upper() or metadata_file(given) else None
    return given.parent if _METADATA.fullmatch(given.name) else None


def product_of(band: Path) -> Path | None:
    """The product whose granule contains a file."""
    images = next((folder for folder in band.parents if folder.name == "IMG_DATA"), None)
    return images.parents[2] if images is not None and images.parent.parent.name == "GRANULE" else None


def metadata_file(folder: Path) -> Path | None:
    """``MTD_MSIL1C.xml`` or ``MTD_MSIL2A.xml`` in a folder."""
    try:
        return next((file for file in sorted(folder.glob("MTD_MSIL*.xml")) if _METADATA.fullmatch(file.name)), None)
    except OSError:
        return None


def band_folder(product: Path) -> Path:
    """The folder that holds a product's band files.

    Raises:
        InputError: ``safe-product`` if it has no granule with bands, or several of them.
    """
    folders = sorted(folder for folder in product.glob("GRANULE/*/IMG_DATA") if folder.is_dir())
    if not folders:
        raise InputError(
            f"{product} has no bands: there is no folder GRANULE/<granule>/IMG_DATA in it.",
            "Give a whole Sentinel-2 product; if its download was interrupted, fetch it again.",
            code="safe-product",
        )
    if len(folders) > 1:
        raise InputError(
            f"{product} holds {len(folders)} granules, each of which is a scene of its own.",
            f"Give the folder of one of them, such as {folders[0].relative_to(product)}.",
            code="safe-product",
        )
    return folders[0]


def metadata_values(folder: Path) -> dict[str, tuple[str, ...]]:
    """The values in a product's metadata file by element; empty if there is no such file.

    Elements are matched in the text. No XML parser runs, so no entity and no reference is resolved.

    Raises:
        InputError: The file is no regular file or cannot be read, or it is larger or lists more than those of products
            (``too-large``, ``safe-product``).
    """
    file = metadata_file(folder)
    if file is None:
        return {}
    try:
        state = fingerprint(file)
    except OSError:
        return {}
    return _parsed(file, state)


@lru_cache(maxsize=8)
def _parsed(file: Path, _: Fingerprint) -> dict[str, tuple[str, ...]]:
    """The values by element. A product's file is asked for once for each of its bands."""
    text = read_regular(file, "product metadata file", limit_bytes=_MAX_METADATA).decode("utf-8", errors="replace")
    found: dict[str, list[str]] = {}
    for match in _VALUE.finditer(text):
        values = found.setdefault(match[1], [])
        values.append(match[2])
        if len(values) > _MAX_VALUES:
            raise InputError(
                f"{file} is not the metadata of a product: it holds {match[1]} more than {_MAX_VALUES} times.",
                "Give a Sentinel-2 product as it was delivered.",
                code="safe-product",
            )
    return {element: tuple(values) for element, values in found.items()}


def missing_bands(product: Path) -> list[str]:
    """Band files, without their ending, that a product's metadata lists and that are not there.

    What the metadata names outside the product's own folders of bands is not looked for.
    """
    listed = [
        PurePosixPath(image)
        for image in metadata_values(product).get("IMAGE_FILE", ())
        if _IMAGE.fullmatch(image) and ".." not in image.split("/") and _BAND_FILE.search(image)
    ]
    there = {parent: _stems(product / parent) for parent in {band.parent for band in listed}}
    return [band.name for band in listed if band.name not in there[band.parent]]


def _stems(folder: Path) -> set[str]:
    try:
        return {file.stem for file in folder.iterdir()}
    except (OSError, ValueError):  # no folder can have the name
        return set()
