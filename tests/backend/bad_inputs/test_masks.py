"""Cloud masks that say nothing, are no mask, or claim more than they hold; and the layer of reconstructed fractions."""

from __future__ import annotations

import os

import numpy as np
import pytest
from bad_input_files import moved, read_raster, rewrite, sparse_claim, vrt_text, write_raster
from bad_input_frame import Place, Row


def masked(change=lambda values: values, *more: object, **options):
    """The good scene with a changed mask."""

    def make(place: Place) -> list:
        rewrite(place.mask, change, **options)
        return with_mask(place, *more)

    return make


def with_mask(place: Place, *more: object) -> list:
    return place.clean("--detector", "auto", "--mask", place.mask, *more)


def filled(value: float, dtype: str = "uint8"):
    return lambda values: np.full_like(values, value, dtype=dtype)


def numbers(values: np.ndarray) -> np.ndarray:
    return (np.arange(values.size) % 97).reshape(values.shape).astype("float32") * 3.7


def text(place: Place) -> list:
    place.mask.write_text("no mask")
    return with_mask(place)


def virtual(place: Place) -> list:
    place.mask.write_text(vrt_text(f"/vsicurl/{place.url}", 1, "Byte"))
    return with_mask(place)


def claim(place: Place) -> list:
    """81 kB that claim 89 thousand million pixels."""
    sparse_claim(place.mask, 299_000)
    return with_mask(place)


def packed(place: Place) -> list:
    """Every block is written and unpacks to 16 MB of zeros."""
    values = np.zeros((1, 4096, 4096), "uint8")
    write_raster(place.mask, values, tiled=True, blockxsize=4096, blockysize=4096, compress="deflate", ZLEVEL=9)
    content = place.mask.read_bytes()
    import struct

    # a table in which all blocks are the same one
    side = 40
    directory = struct.unpack_from("<I", content, 4)[0]
    entries = struct.unpack_from("<H", content, directory)[0]
    data = bytearray(content)
    block: dict[int, int] = {}
    for entry in range(directory + 2, directory + 2 + 12 * entries, 12):
        tag, _, _, value = struct.unpack_from("<HHII", data, entry)
        if tag in (256, 257):
            struct.pack_into("<HHII", data, entry, tag, 4, 1, 4096 * side)
        if tag in (324, 325):
            block[tag] = value
            struct.pack_into("<HHII", data, entry, tag, 4, side * side, len(data))
            data += struct.pack(f"<{side * side}I", *[value] * (side * side))
    place.mask.write_bytes(data)
    return with_mask(place)


def fraction(write):
    """A cleaned scene with something under the name of its layer `reconstructed`."""

    def make(place: Place) -> list:
        cleaned = place.folder / "x_cleaned.tif"
        place.s2.rename(cleaned)
        write(place, place.folder / "x_reconstructed.tif")
        return place.classify(s2=cleaned)

    return make


def given_fraction(text: str):
    def make(place: Place) -> list:
        return place.classify("--reconstructed", text.format(url=place.url))

    return make


def virtual_fraction(source: str):
    def write(place: Place, path) -> None:
        secret = write_raster(place.folder / "secret.tif", np.full((1, 64, 64), 7777, "uint16"))
        path.write_text(vrt_text(source.format(url=place.url, file=secret), 1))

    return fraction(write)


def raster_fraction(**options):
    def write(place: Place, path) -> None:
        write_raster(path, np.full((1, 64, 64), 5000, "uint16"), **options)

    return fraction(write)


def cut_fraction(place: Place, path) -> None:
    write_raster(path, np.full((1, 64, 64), 5000, "uint16"))
    path.write_bytes(path.read_bytes()[:4000])


def text_fraction(place: Place, path) -> None:
    path.write_text("no layer")


def pipe_fraction(place: Place, path) -> None:
    os.mkfifo(path)


ROWS = (
    Row("a mask that is all nodata", masked(filled(255), nodata=255), ("mask.tif", "nodata", r"\w*"), None, kinds=(21,)),
    Row("a mask of nothing", masked(filled(0)), (r"\w+",), 0),
    Row("a mask of numbers that mean nothing", masked(numbers), ("mask.tif", r"\w+", "(mask|Give)")),
    Row("a mask of NaN", masked(filled(np.nan, "float32")), (), None, kinds=(23,)),
    Row("a mask elsewhere", masked(transform=moved(500)), ("mask.tif", "does not overlap", "same place"), kinds=(14,)),
    Row("a mask of half of the scene", masked(transform=moved(32)), ("covers 50% of the scene",), 0, kinds=(15,)),
    Row("a mask without a coordinate system", masked(crs=None), ("mask.tif", "coordinate", r"\w+"), kinds=(8,)),
    Row("no raster as a mask", text, ("mask.tif", "not a raster", r"\w+"), kinds=(3,)),
    Row("a VRT as a mask", virtual, ("mask.tif", "virtual", r"\w+"), kinds=(39,)),
    Row("a small mask that claims 299000 pixels on a side", claim, ("mask.tif", r"(claim|unfinished|written|large)", r"\w+"), kinds=(37,)),
    Row("a mask whose blocks unpack to gigabytes", packed, ("mask.tif", r"(claim|stored|large)", r"\w+"), kinds=(37,)),
    Row("a VRT as the reconstructed layer", virtual_fraction("/vsicurl/{url}"), ("x_reconstructed.tif", "virtual", r"\w+"), kinds=(39, 40)),
    Row("a VRT to another file as the reconstructed layer", virtual_fraction("{file}"), ("x_reconstructed.tif", "virtual", r"\w+"), kinds=(39,)),
    Row("an address as the reconstructed layer", given_fraction("/vsicurl/{url}"), ("vsicurl", r"\w+", r"\w+"), kinds=(40,)),
    Row("no address of GDAL as the reconstructed layer", given_fraction("{url}"), ("127.0.0.1", r"\w+", r"\w+"), kinds=(40,)),
    Row("a reconstructed layer on another grid", raster_fraction(transform=moved(5)), ("x_reconstructed.tif", "grid", r"\w+"), kinds=(16,)),
    Row("a reconstructed layer in another zone", raster_fraction(crs="EPSG:32633"), ("x_reconstructed.tif", r"(grid|EPSG)", r"\w+"), kinds=(16,)),
    Row("a reconstructed layer that was cut off", fraction(cut_fraction), ("x_reconstructed.tif", r"(truncated|damaged|read)", r"\w+"), kinds=(4,)),
    Row("no raster as the reconstructed layer", fraction(text_fraction), ("x_reconstructed.tif", r"(raster|read)", r"\w+"), kinds=(3,)),
    Row("a pipe as the reconstructed layer", fraction(pipe_fraction), (), None),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_layer_of_the_scene_that_says_nothing_is_refused_or_flagged(row, judged):
    judged(row)


def test_a_mask_that_is_all_nodata_warns_or_is_refused(place, warm, capfd):
    from bad_input_frame import run_here

    rewrite(place.mask, filled(255), nodata=255)
    assert read_raster(place.mask)[0].min() == 255
    run_here(with_mask(place))
    said = capfd.readouterr().err
    assert any("nodata" in line or "no data" in line for line in said.splitlines()), said
