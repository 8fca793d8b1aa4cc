"""Sentinel-2 products as the Copernicus services deliver them: a ``.SAFE`` folder with metadata and a granule.

It may lie in a zip archive: everything here is looked up by `sunbreak.sources`, which reads both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath

from sunbreak.errors import InputError
from sunbreak.scene.bands import S2_BANDS
from sunbreak.sources import is_file, is_folder, listed, on_disk, read_bytes
from sunbreak.sources.fingerprint import Fingerprint, fingerprint

# in files of a product these hold a few kilobytes to a megabyte
_MAX_METADATA = 8 * 2**20
_MAX_VALUES = 5000  # of one element; a product lists some 40 files for each granule
# the second is that of products before 2017
_METADATA = re.compile(r"(?:MTD_MSIL(?:1C|2A)|S2[A-D]_\w{4}_MTD_SAFL(?:1C|2A)\w{0,80})\.xml", re.IGNORECASE)
_RADAR_PRODUCT = re.compile(r"S1[A-D]_(?:IW|EW|SM|WV|S[1-6])_", re.IGNORECASE)
# no part reaches beyond the next "<", so every character is looked at a few times at most
_VALUE = re.compile(
    r"<(PRODUCT_URI|PRODUCT_TYPE|PROCESSING_BASELINE|PRODUCT_START_TIME|(?:BOA_)?QUANTIFICATION_VALUE|RADIO_ADD_OFFSET"
    r"|BOA_ADD_OFFSET|SPECIAL_VALUE_TEXT|SPECIAL_VALUE_INDEX|IMAGE_FILE"
    # Sen2Cor before 2.5
    r"|PRODUCT_URI_2A|L2A_BOA_QUANTIFICATION_VALUE|IMAGE_FILE_2A)\b([^<>]*)>\s*([^<>\s]+)\s*<"
)
_OLD_NAMES = {
    "PRODUCT_URI_2A": "PRODUCT_URI",
    "L2A_BOA_QUANTIFICATION_VALUE": "BOA_QUANTIFICATION_VALUE",
    "IMAGE_FILE_2A": "IMAGE_FILE",
}
_OFFSETS = ("BOA_ADD_OFFSET", "RADIO_ADD_OFFSET")
_BAND_ID = re.compile(r"\bband_?id\s*=\s*[\"'](\d{1,2})[\"']", re.IGNORECASE)
_IMAGE = re.compile(r"GRANULE/[^/\s]{1,200}/IMG_DATA/(?:R[126]0m/)?[\w.\-]{1,200}")
_ENDING = re.compile(r"\.(?:jp2|tiff?)\Z", re.IGNORECASE)  # most metadata lists files without it
_BAND_FILE = re.compile(r"_B(?:\d\d|8A)(?:_(?:10|20|60)m)?$")


def product_folder(given: Path) -> Path | None:
    """The product that a path names by its folder, archive, manifest or metadata file; None if it names something else.

    Raises:
        InputError: ``safe-product`` for an archive with several products, or one of Sentinel-1; an archive cannot be
            read.
    """
    if not is_folder(given):
        named = _METADATA.fullmatch(given.name) or (given.name.lower() == "manifest.safe" and _is_product(given.parent))
        return given.parent if named else None
    if given.is_file():
        return product_inside(given)
    return given if _is_product(given) else None


def product_inside(folder: Path) -> Path | None:
    """The one product that a folder or archive holds; None if it holds none.

    Raises:
        InputError: ``safe-product`` for several products; an archive cannot be read.
    """
    if metadata_file(folder):
        return folder
    found = [one for one in listed(folder) if is_folder(one)]
    if not any(_is_product(one) for one in found) and folder.is_file():
        found = [below for one in found for below in listed(one) if is_folder(below)]
    products = [one for one in found if _is_product(one)]
    if len(products) > 1:
        raise InputError(
            f"{folder} holds {len(products)} products, each of which is a scene of its own.",
            f"Give one of them, such as {products[0]}.",
            code="safe-product",
        )
    return products[0] if products else None


def _is_product(folder: Path) -> bool:
    return folder.suffix.upper() == ".SAFE" or ".SAFE" in folder.name.upper() or metadata_file(folder) is not None


def product_of(band: Path) -> Path | None:
    """The product whose granule contains a file."""
    images = next((folder for folder in band.parents if folder.name == "IMG_DATA"), None)
    return images.parents[2] if images is not None and images.parent.parent.name == "GRANULE" else None


def metadata_file(folder: Path) -> Path | None:
    """``MTD_MSIL1C.xml`` or ``MTD_MSIL2A.xml`` in a folder."""
    try:
        return next((file for file in listed(folder) if _METADATA.fullmatch(file.name)), None)
    except InputError:
        return None


def band_folder(product: Path) -> Path:
    """The folder that holds a product's band files.

    Raises:
        InputError: ``safe-product`` if it has no granule with bands, several of them, or is of Sentinel-1.
    """
    if _RADAR_PRODUCT.match(product.name):
        raise InputError(
            f"{product} is a Sentinel-1 product, not Sentinel-2.",
            "Terrain-correct it (SNAP, pyroSAR, ASF RTC), and give its VV and VH with --s1.",
            code="safe-product",
        )
    granules = listed(product / "GRANULE") if is_folder(product / "GRANULE") else []
    folders = [granule / "IMG_DATA" for granule in granules if is_folder(granule / "IMG_DATA")]
    if not folders:
        raise InputError(
            f"{product} has no bands: there is no folder GRANULE/<granule>/IMG_DATA in it.",
            "Give a whole Sentinel-2 product; if its download was interrupted, fetch it again.",
            code="safe-product",
        )
    if len(folders) > 1:
        raise InputError(
            f"{product} holds {len(folders)} granules, each of which is a scene of its own.",
            f"Give the folder of one of them, such as {folders[0].parent}.",
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
        state = fingerprint(on_disk(file))
    except OSError:
        return {}
    return _parsed(file, state)


@lru_cache(maxsize=8)
def _parsed(file: Path, _: Fingerprint) -> dict[str, tuple[str, ...]]:
    """The values by element; the offset of a band also by element and number, as in ``BOA_ADD_OFFSET[3]``.

    A product's file is asked for once for each of its bands.
    """
    text = read_bytes(file, "product metadata file", limit_bytes=_MAX_METADATA).decode("utf-8", errors="replace")
    found: dict[str, list[str]] = {}
    for match in _VALUE.finditer(text):
        element, attributes, value = match.groups()
        element = _OLD_NAMES.get(element, element)
        values = found.setdefault(element, [])
        values.append(value)
        if element in _OFFSETS and (of_band := _BAND_ID.search(attributes)):
            found.setdefault(f"{element}[{int(of_band[1])}]", []).append(value)
        if len(values) > _MAX_VALUES:
            raise InputError(
                f"{file} is not the metadata of a product: it holds {element} more than {_MAX_VALUES} times.",
                "Give a Sentinel-2 product as it was delivered.",
                code="safe-product",
            )
    return {element: tuple(values) for element, values in found.items()}


def offset_of(values: Mapping[str, Sequence[str]], band: str | None) -> tuple[str, ...]:
    """What a product's metadata says is the offset: of one band, or the different offsets of its bands.

    Args:
        values: What `metadata_values` gives.
        band: The canonical name of a band, if it is known.
    """
    for element in _OFFSETS:
        own = values.get(f"{element}[{S2_BANDS.index(band)}]", ()) if band else ()
        found = own or values.get(element, ())
        if found:
            return tuple(dict.fromkeys(found))
    return ()


def special_value(values: Mapping[str, Sequence[str]], name: str) -> str | None:
    """The stored number that a product's metadata sets aside, ``NODATA`` or ``SATURATED``, as it is written there."""
    names, numbers = values.get("SPECIAL_VALUE_TEXT", ()), values.get("SPECIAL_VALUE_INDEX", ())
    return dict(zip(names, numbers, strict=False)).get(name) if len(names) == len(numbers) else None


def quality_mask(band: Path) -> Path | None:
    """A cloud mask among the quality data of the product that holds a band; None if there is none that is a raster."""
    images = next((folder for folder in band.parents if folder.name == "IMG_DATA"), None)
    if images is None or product_of(band) is None:
        return None
    places = [images.parent / "QI_DATA" / f"{name}.jp2" for name in ("MSK_CLDPRB_20m", "MSK_CLASSI_B00")]
    return next((place for place in places if is_file(place)), None)


def missing_bands(product: Path) -> list[str]:
    """Band files, without their ending, that a product's metadata lists and that are not there.

    What the metadata names outside the product's own folders of bands is not looked for.
    """
    names = (_ENDING.sub("", image) for image in metadata_values(product).get("IMAGE_FILE", ()))
    listed = [
        PurePosixPath(image)
        for image in names
        if _IMAGE.fullmatch(image) and ".." not in image.split("/") and _BAND_FILE.search(image)
    ]
    there = {parent: _stems(product / parent) for parent in {band.parent for band in listed}}
    return [band.name for band in listed if band.name not in there[band.parent]]


def _stems(folder: Path) -> set[str]:
    try:
        return {file.stem for file in listed(folder)}
    except (InputError, ValueError):  # no folder can have the name
        return set()
