"""Sentinel-2 products as the Copernicus services deliver them: a ``.SAFE`` folder with metadata and a granule."""

from __future__ import annotations

import re
from glob import escape
from pathlib import Path

from sunbreak.errors import InputError

# in files of a product these hold a few kilobytes to a megabyte
_MAX_METADATA = 32 * 2**20
_METADATA = re.compile(r"MTD_MSIL(?:1C|2A)\.xml", re.IGNORECASE)
_VALUE = re.compile(
    r"<(PRODUCT_URI|PROCESSING_BASELINE|PRODUCT_START_TIME|(?:BOA_)?QUANTIFICATION_VALUE|RADIO_ADD_OFFSET|BOA_ADD_OFFSET"
    r"|IMAGE_FILE)\b[^>]*>\s*([^<>\s]+)\s*<"
)
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


def metadata_values(folder: Path) -> dict[str, list[str]]:
    """The values in a product's metadata file by element; empty if no file can be read.

    Elements are matched in the text. No XML parser runs, so no entity and no reference is resolved.
    """
    file = metadata_file(folder)
    try:
        if file is None or file.stat().st_size > _MAX_METADATA:
            return {}
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    found: dict[str, list[str]] = {}
    for element, value in _VALUE.findall(text):
        found.setdefault(element, []).append(value)
    return found


def missing_bands(product: Path) -> list[str]:
    """Band files, without their ending, that a product's metadata lists and that are not there."""
    listed = (product / image for image in metadata_values(product).get("IMAGE_FILE", []) if _BAND_FILE.search(image))
    return [band.name for band in listed if not any(band.parent.glob(f"{escape(band.name)}.*"))]
