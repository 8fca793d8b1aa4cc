"""What a TIFF or JPEG 2000 file claims to hold, from its header, against what is stored; GDAL has not seen it yet.

A file of some kilobytes can claim a raster of terabytes, or blocks that take minutes to decode for one pixel. Decoding
is bounded here by limits that data of satellites stay far below.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from sunbreak.errors import InputError
from sunbreak.sources.places import open_bytes
from sunbreak.sources.structure import (
    BrokenStructureError,
    codestream,
    count_directories,
    first_directory,
    numbers,
    size_of,
    text,
)

MAX_SIDE = 300_000
MAX_BANDS = 2_000
#: Decoded bytes that one read of a pixel may cost, with all bands that are decoded with it.
MAX_BLOCK_BYTES = 192 * 2**20
# decoded bytes for each stored one, and the size from which on that counts: an S2 tile with data on 1 % of it has 150
_MAX_RATIO, _RATIO_FROM = 1_000, 2**30
# with blocks of more bytes, which cost much time for one pixel, less will do: a product of 13 bands has 13 of them
_HOLLOW_BLOCK_RATIO, _HOLLOW_BLOCK = 300, 4 * 2**20
# where one pixel of all bands costs more than this, empty or constant blocks are no good reason any more
_MAX_BLOCK_RATIO, _BLOCK_RATIO_FROM = 100, 128 * 2**20
#: Of a TIFF: the image, its overviews and masks.
MAX_DIRECTORIES = 200
_MAX_ITEMS = 10_000  # GDAL compares the names of all
_MAX_TAG_BYTES = 4 * 2**20
# of JPEG 2000; every read goes through the headers of all tiles
_MAX_CODE_BLOCKS, _MAX_LAYERS, _MAX_TILES = 2**21, 1_000, 2_048

_LEAST_TILE_BYTES = 14  # of JPEG 2000: the markers around its data

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _STRIP_ROWS, _PLANAR = 256, 257, 258, 259, 277, 278, 284
_TILE_WIDTH, _TILE_HEIGHT = 322, 323
_JP2_MAGIC = (b"\0\0\0\x0c", b"\xff\x4f\xff\x51")
_GDAL_METADATA = 42112
_TEXTS = (34737, _GDAL_METADATA, 42113)  # names of the CRS, GDAL's metadata with the bands' names, nodata
_BLOCK_TABLES = {273, 279, 324, 325}
_ITEM_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_CUT = "Cut a part out of it first: gdal_translate -projwin ... -of COG in.tif out.tif."
_BARE = "Write it again without its metadata: gdal_translate -nomd -of COG in.tif out.tif."
_TILED = "Write it again in small blocks: gdal_translate -of COG in.tif out.tif."


@dataclass(frozen=True)
class Claims:
    """What the header of a file says.

    Attributes:
        stored: Size of the file in bytes.
        width: In pixels.
        height: In pixels.
        bands: Number of bands.
        pixel_bytes: Bytes of one pixel in one band when decoded.
        block: Width and height of a block in pixels.
        together: How many bands are decoded with one.
        partly: A part of a block can be decoded without the rest of it.
    """

    stored: int
    width: int
    height: int
    bands: int
    pixel_bytes: int
    block: tuple[int, int]
    together: int
    partly: bool = False

    @property
    def decoded(self) -> int:
        """Bytes of the whole raster when decoded."""
        return self.width * self.height * self.bands * self.pixel_bytes


def tiff_claims(path: Path) -> Claims:
    """What the first image directory of a TIFF claims.

    Raises:
        InputError: ``too-large`` for more images or metadata than rasters have, ``not-utf8`` for texts that GDAL hands
            on undecoded.
        BrokenStructureError: The directory lies outside the file or does not say how large the image is.
        OSError: The file cannot be read.
    """
    with open_bytes(path, "raster") as file:
        return tiff_claims_of(file, path)


def tiff_claims_of(file: BinaryIO, name: Path | str) -> Claims:
    """What `tiff_claims` says, for a TIFF that is open.

    Args:
        file: Read at a few places only.
        name: How messages name it.

    Raises:
        InputError: As `tiff_claims` says.
        BrokenStructureError: As `tiff_claims` says.
        OSError: The file cannot be read.
    """
    directory = first_directory(file)
    for tag, (kind, count, _) in directory.entries.items():
        if tag not in _BLOCK_TABLES and count * _ITEM_BYTES.get(kind, 1) > _MAX_TAG_BYTES:
            raise InputError(
                f"{name} holds {count * _ITEM_BYTES.get(kind, 1) / 2**20:.0f} MiB of metadata in tag {tag}.",
                _BARE,
                code="too-large",
            )
    if count_directories(file, directory, MAX_DIRECTORIES + 1) > MAX_DIRECTORIES:
        raise InputError(f"{name} holds more than {MAX_DIRECTORIES} images.", _TILED, code="too-large")
    if text(file, directory, _GDAL_METADATA).count(b"<Item") > _MAX_ITEMS:
        raise InputError(f"{name} holds more than {_MAX_ITEMS} items of metadata.", _BARE, code="too-large")
    for tag in _TEXTS:
        try:
            text(file, directory, tag).decode("utf-8")
        except UnicodeDecodeError:
            raise not_utf8(name) from None

    def number(tag: int, otherwise: int | None = None) -> int:
        if tag not in directory.entries and otherwise is not None:
            return otherwise
        found = numbers(file, directory, tag)
        if not found.size:
            raise BrokenStructureError("the image directory is not valid")
        return int(found[0])

    width, height, bands = number(_WIDTH), number(_HEIGHT), number(_SAMPLES, 1)
    rows = min(number(_STRIP_ROWS, height) or height, height)
    block = number(_TILE_WIDTH, width), number(_TILE_HEIGHT, rows)
    together = bands if number(_PLANAR, 1) == 1 else 1
    pixel_bytes = -(-number(_BITS, 1) // 8)
    plain = number(_COMPRESSION, 1) == 1
    claims = Claims(directory.size, width, height, bands, pixel_bytes, block, together)
    # GDAL reads a part of an uncompressed strip, if it is stored at all
    return replace(claims, partly=plain and claims.decoded <= 2 * claims.stored)


def not_utf8(path: Path | str) -> InputError:
    """The error for texts in a raster that cannot be decoded."""
    return InputError(
        f"{path}: its band descriptions or tags are not text in UTF-8.",
        "Write the file again with texts in UTF-8, or with none.",
        code="not-utf8",
    )


def jp2_claims(path: Path) -> Claims:
    """What the headers of a JPEG 2000 file's codestream claim.

    Raises:
        InputError: ``too-large`` for a coding that takes gigabytes of memory to set up.
        BrokenStructureError: The headers are not valid.
        OSError: The file cannot be read.
    """
    with open_bytes(path, "raster") as file:
        stored = size_of(file)
        file.seek(codestream(file)[0])
        head = file.read(4096 + 3 * 16384)
    try:
        x1, y1, x0, y0, tile_width, tile_height, _, _, components = struct.unpack(">8IH", head[8:42])
        depth = (head[42] & 0x7F) + 1
        width, height = x1 - x0, y1 - y0
        if head[:4] != b"\xff\x4f\xff\x51" or min(width, height, tile_width, tile_height, components) < 1:
            raise BrokenStructureError("its header is not valid")
        tile = min(tile_width, width), min(tile_height, height)
        layers, code_block = _coding(head)
    except (struct.error, IndexError):
        raise BrokenStructureError("its header is cut off") from None
    code_blocks = components * (-(-tile[0] // code_block[0])) * (-(-tile[1] // code_block[1]))
    tiles = (-(-width // tile[0])) * (-(-height // tile[1]))
    if tiles * _LEAST_TILE_BYTES > stored:
        raise BrokenStructureError(f"it claims {tiles} tiles, for which it is too short")
    if code_blocks > _MAX_CODE_BLOCKS or layers > _MAX_LAYERS or tiles > _MAX_TILES:
        raise InputError(
            f"{path} claims {width} x {height} pixels in {tiles} tiles of {code_blocks} code blocks and {layers} "
            "layers: too large to read.",
            _TILED,
            code="too-large",
        )
    return Claims(stored, width, height, components, -(-depth // 8), tile, 1, partly=True)


def _coding(head: bytes) -> tuple[int, tuple[int, int]]:
    """Number of layers, and width and height of a code block, from the COD segment."""
    place = 2
    while head[place : place + 2] != b"\xff\x52":
        if head[place] != 0xFF or head[place : place + 2] == b"\xff\x90":
            raise BrokenStructureError("its header is not valid")
        place += 2 + struct.unpack(">H", head[place + 2 : place + 4])[0]
    layers = struct.unpack(">H", head[place + 6 : place + 8])[0]
    return layers, (1 << ((head[place + 10] & 15) + 2), 1 << ((head[place + 11] & 15) + 2))


def check_claims(path: Path) -> None:
    """Refuse a file that claims too much, see `check_blocks` and `check_ratio`; anything else is GDAL's to judge.

    Raises:
        InputError: ``too-large``.
    """
    try:
        with open_bytes(path, "raster") as file:
            head = file.read(4)
        claims = jp2_claims(path) if head in _JP2_MAGIC else tiff_claims(path)
        check_blocks(claims, path)
        check_ratio(claims, path, of_blocks=False)
    except (BrokenStructureError, OSError):
        return
    except InputError as error:
        if error.code == "too-large":
            raise


def check_blocks(claims: Claims, path: Path | str) -> None:
    """Refuse what a read of a few pixels could not finish in a second.

    Raises:
        InputError: ``too-large``.
    """
    width, height = claims.block
    if claims.bands > MAX_BANDS:
        raise InputError(
            f"{path} claims {claims.bands} bands.", f"Give a file of at most {MAX_BANDS}.", code="too-large"
        )
    one = width * height * claims.pixel_bytes
    of_all = one * claims.bands
    hollow = of_all > _BLOCK_RATIO_FROM and claims.decoded > _MAX_BLOCK_RATIO * claims.stored
    heavy = not claims.partly and (one * claims.together > MAX_BLOCK_BYTES or hollow)
    if max(claims.width, claims.height) > MAX_SIDE or heavy:
        raise InputError(
            f"{path} claims {claims.width} x {claims.height} pixels in blocks of {width} x {height}: too large to "
            "read.",
            _TILED if heavy else _CUT,
            code="too-large",
        )


def check_ratio(claims: Claims, path: Path | str, *, of_blocks: bool = True) -> None:
    """Refuse a raster of which next to nothing is stored. Not for masks, which may be clear all over.

    Args:
        claims: What its header says.
        path: The file, or how messages name it.
        of_blocks: Be stricter with large blocks, which are decoded again and again for small windows.

    Raises:
        InputError: ``too-large``.
    """
    width, height = claims.block
    heavy = of_blocks and width * height * claims.pixel_bytes > _HOLLOW_BLOCK
    ratio, least = (_HOLLOW_BLOCK_RATIO, _HOLLOW_BLOCK) if heavy else (_MAX_RATIO, _RATIO_FROM)
    if claims.decoded > least and claims.decoded > ratio * claims.stored:
        raise InputError(
            f"{path} claims {claims.width} x {claims.height} pixels ({claims.decoded / 2**20:,.0f} MiB), but stores "
            f"{claims.stored / 2**20:.3g} MiB: there is next to nothing in it.",
            "Cut out the part that holds data: gdal_translate -projwin ... -of COG in.tif out.tif.",
            code="too-large",
        )
