"""Sentinel-2 files that are no whole raster, lie nowhere, claim too much, or point to other files and addresses."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from bad_input_files import HERE, patch_tag, read_raster, replace_bytes, rewrite, sparse_claim, vrt_text, write_raster
from bad_input_frame import Place, Row
from rasterio.control import GroundControlPoint

OFFSETS, COUNTS, GEOKEYS, WIDTH, HEIGHT, SAMPLES = 273, 279, 34735, 256, 257, 277


def missing(place: Place) -> list:
    return place.clean(s2=place.folder / "none.tif")


def content(data: bytes):
    def make(place: Place) -> list:
        place.s2.write_bytes(data)
        return place.clean()

    return make


def profile(**options):
    """The good scene written with another profile."""

    def make(place: Place) -> list:
        rewrite(place.s2, **options)
        return place.clean()

    return make


def cut(part: float, **options):
    def make(place: Place) -> list:
        rewrite(place.s2, **options)
        whole = place.s2.read_bytes()
        place.s2.write_bytes(whole[: int(len(whole) * part)])
        return place.clean()

    return make


def flipped(place: Place) -> list:
    rewrite(place.s2, compress="deflate")
    data = bytearray(place.s2.read_bytes())
    for position in range(len(data) // 2, len(data) // 2 + 200):
        data[position] ^= 0x55
    place.s2.write_bytes(data)
    return place.clean()


def half_written(place: Place) -> list:
    """A writer that was killed leaves a header and no blocks."""
    rewrite(place.s2, lambda values: np.zeros_like(values), tiled=True, blockxsize=16, blockysize=16, SPARSE_OK=True)
    sparse_claim(place.s2, 512, 13, "uint16", blockxsize=512, blockysize=512)
    patch_tag(place.s2, 324 if b"\x44\x01" in place.s2.read_bytes()[:1000] else OFFSETS, value=2**31)
    return place.clean()


def bomb(side: int, count: int = 13, dtype: str = "uint16"):
    def make(place: Place) -> list:
        sparse_claim(place.s2, side, count, dtype, blockxsize=1024, blockysize=1024)
        return ["detect-clouds", place.s2, "--detector", "s2cloudless", "--window", 0, 0, 64, 64, "-o", place.out]

    return make


def dimensions(place: Place) -> list:
    """A directory that claims two thousand million rows."""
    patch_tag(place.s2, HEIGHT, kind=4, value=2**31 - 1)
    return place.clean()


def zip_bomb(place: Place) -> list:
    """Zeros that unpack to a hundred gigabytes."""
    sparse_claim(place.s2, 60_000, 1, "uint16", blockxsize=8192, blockysize=8192, ZLEVEL=9)
    return ["detect-clouds", place.s2, "--s2-bands", "B02", "--window", 0, 0, 64, 64, "-o", place.out]


def virtual(source: str):
    def make(place: Place) -> list:
        place.s2.write_text(vrt_text(source.format(url=place.url)))
        return place.clean()

    return make


def address(text: str):
    def make(place: Place) -> list:
        return place.clean(s2=text.format(url=place.url, port=place.port))

    return make


def overview_file(place: Place) -> list:
    """GDAL takes the overviews from where this item of the metadata points."""
    rewrite(place.s2)
    metadata = f'<GDALMetadata><Item name="OVERVIEW_FILE" domain="OVERVIEWS">/vsicurl/{place.url}</Item></GDALMetadata>'
    put_text(place.s2, 42112, metadata)
    return place.clean()


def put_text(path: Path, tag: int, text: str) -> None:
    """Set a text tag, in place of the description of the bands."""
    data = path.read_bytes()
    path.write_bytes(data + text.encode() + b"\0")
    patch_tag(path, tag, kind=2, count=len(text) + 1, value=len(data))


def beside(suffix: str, text: str):
    """A file beside the scene that GDAL would take for a part of it."""

    def make(place: Place) -> list:
        filled = text.format(url=place.url, vrt=vrt_text(f"/vsicurl/{place.url}", 1))
        place.s2.with_name(place.s2.name + suffix).write_text(filled)
        return place.clean()

    return make


def broken_crs(place: Place) -> list:
    """A coordinate system that exists by name and transforms nothing."""
    from rasterio.crs import CRS

    text = CRS.from_epsg(32632).to_wkt().replace("Transverse_Mercator", "Transverse_Nonsense")
    text = text.replace('AUTHORITY["EPSG","32632"]', "").replace(",]", "]")
    rewrite(place.s2, crs=CRS.from_wkt(text))
    return place.clean()


def broken_geokeys(place: Place) -> list:
    patch_tag(place.s2, GEOKEYS, count=4)
    return place.clean()


def fifo(place: Place) -> list:
    place.s2.unlink()
    os.mkfifo(place.s2)
    return place.clean()


def device(place: Place) -> list:
    return place.clean(s2="/dev/zero")


def fifo_beside(place: Place) -> list:
    os.mkfifo(place.folder / "s2.tif.stac.json")
    return place.clean()


def loop(place: Place) -> list:
    place.s2.unlink()
    place.s2.symlink_to(place.s2)
    return place.clean()


def control_points(place: Place) -> list:
    values, bands = read_raster(place.s2)
    points = [GroundControlPoint(r, c, 10 + c / 1e4, 50 - r / 1e4) for r in (0, 64) for c in (0, 64)]
    write_raster(place.s2, values, bands, crs="EPSG:4326", transform=None, gcps=points)
    return place.clean()


def degrees(place: Place) -> list:
    turned = Affine(1e-4, 0, 10, 0, -1e-4, 60)
    rewrite(place.s2, crs="EPSG:4326", transform=turned)
    rewrite(place.s1, crs="EPSG:4326", transform=turned)
    return place.clean()


def south_up(place: Place) -> list:
    turned = Affine(10, 0, 500000, 0, 10, 5299360)
    rewrite(place.s2, lambda values: values[:, ::-1], transform=turned)
    return place.clean()


def sides(rows: int, columns: int):
    def make(place: Place) -> list:
        for path in (place.s2, place.s1):
            rewrite(path, lambda values: np.tile(values, (1, 2, 2))[:, :rows, :columns])
        return place.clean()

    return make


def huge_pixels(place: Place) -> list:
    rewrite(place.s2, transform=Affine(1e300, 0, 500000, 0, -1e300, 5300000))
    return place.clean()


def tiny_pixels(place: Place) -> list:
    rewrite(place.s2, transform=Affine(1e-307, 0, 500000, 0, -1e-307, 5300000))
    return place.clean()


def renamed(name: str):
    """The good scene under another name, which is fine."""

    def make(place: Place) -> list:
        target = place.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(place.s2, target)
        return place.clean(s2=target)

    return make


def long_name(place: Place) -> list:
    target = place.folder / ("x" * 240 + ".tif")
    shutil.move(place.s2, target)
    return place.clean(s2=target)


def too_long(place: Place) -> list:
    return place.clean(s2="y" * 300 + ".tif")


def changed_name(place: Place) -> list:
    """Band descriptions in another encoding."""
    replace_bytes(rewrite(place.s2, bands=("B01zz", *read_raster(place.s2)[1][1:])), b"B01zz", b"B01\xff\xfe")
    return place.clean()


AGAIN = r"(again|cut off|[Dd]ownload|[Ee]xport)"
REFUSED = (
    Row("a missing file", missing, ("none.tif", "no such", "path"), kinds=(1,)),
    Row("a file of zero bytes", content(b""), ("s2.tif", "empty", AGAIN), kinds=(2,)),
    Row("a text that is called tif", content(b"this is a text\n" * 40), ("s2.tif", "not a raster", AGAIN), kinds=(3,)),
    Row("a TIFF that was cut off", cut(0.5), ("s2.tif", "truncated", AGAIN), kinds=(4,)),
    Row("a header alone", cut(0.0001), ("s2.tif", r"(truncated|not a raster|cut off)", AGAIN), kinds=(4,)),
    Row("a COG that was cut off", cut(0.7, driver="COG"), ("s2.tif", "truncated", AGAIN), kinds=(5,)),
    Row("flipped bytes in a block", flipped, ("s2.tif", "damaged", AGAIN), kinds=(6,)),
    Row("a file whose writer was killed", half_written, ("s2.tif", r"(truncated|unfinished)", AGAIN), kinds=(7,)),
    Row("metres that are called degrees", profile(crs="EPSG:4326"), ("s2.tif", "nowhere on Earth", "Assign"), kinds=(8,)),
    Row("no coordinate system", profile(crs=None), ("s2.tif", "coordinate reference", r"\w+"), kinds=(8,)),
    Row("no geotransform", profile(transform=None), ("s2.tif", r"georeference|geotransform|place", r"\w+"), kinds=(9,)),
    Row("a rotated grid", profile(transform=HERE * Affine.rotation(20)), ("s2.tif", "rotated", r"\w+"), kinds=(11,)),
    Row("a sheared grid", profile(transform=HERE * Affine.shear(10)), ("s2.tif", r"(sheared|rotated)", r"\w+"), kinds=(11,)),
    Row("control points alone", control_points, ("s2.tif", r"(control points|georeference)", r"\w+"), kinds=(13,)),
    Row("a coordinate system that transforms nothing", broken_crs, ("s2.tif", r"coordinate", r"\w+")),
    Row("geokeys that are cut off", broken_geokeys, ("s2.tif", r"coordinate", r"\w+")),
    Row("pixels of 1e-307 metres", tiny_pixels, ("s2.tif", "size 0", r"\w+")),
    Row("pixels of 1e300 metres", huge_pixels, ("s2.tif", r"\w+", r"\w+")),
    Row("one pixel wide", sides(64, 1), ("s2.tif", r"(pixel|wide|small)", r"\w+"), kinds=(19,)),
    Row("a directory of two thousand million rows", dimensions, ("s2.tif", r"(too large|truncated|cannot|incomplete)", r"\w+"), kinds=(36,)),
    Row("290000 pixels on a side in few bytes", bomb(290_000), (), None, kinds=(36, 37)),
    Row("packed zeros", zip_bomb, (), None, kinds=(37,)),
    Row("a VRT called tif", virtual("/vsicurl/{url}"), ("s2.tif", "virtual", "gdal_translate"), kinds=(39, 40)),
    Row("a VRT over a file", virtual("/etc/passwd"), ("s2.tif", "virtual", "gdal_translate"), kinds=(39,)),
    Row("an address", address("{url}"), ("127.0.0.1", "not a local", "[Dd]ownload"), kinds=(40,)),
    Row("an address for GDAL", address("/vsicurl/{url}"), ("vsicurl", "not a local", "[Dd]ownload"), kinds=(40,)),
    Row("a bucket", address("s3://bucket/x.tif"), ("s3:/", "not a local", "[Dd]ownload"), kinds=(40,)),
    Row("a bucket for GDAL", address("/vsis3/bucket/x.tif"), ("vsis3", "not a local", "[Dd]ownload"), kinds=(40,)),
    Row("a connection string", address("NETCDF:http://127.0.0.1:{port}/x.nc:b"), ("NETCDF", "not a local", r"\w+"), kinds=(40,)),
    Row("memory as a file", address("MEM:::DATAPOINTER=1,PIXELS=8,LINES=8"), ("MEM:", "not a local", r"\w+"), kinds=(42,)),
    Row("memory as a file of GDAL", address("/vsimem/x.tif"), ("vsimem", "not a local", r"\w+"), kinds=(42,)),
    Row("overviews in another format", beside(".ovr", "{vrt}"), ("s2.tif.ovr", r"not a TIFF", r"[Rr]emove"), kinds=(40,)),
    Row("a named pipe", fifo, ("s2.tif", r"(not a (regular )?file|pipe|not a regular)", r"\w+")),
    Row("a device", device, ("/dev/zero", r"(not a (regular )?file|device|not a raster|not a regular)", r"\w+")),
    Row("a link to itself", loop, ("s2.tif", r"\w+", r"\w+")),
    Row("a path that no system holds", too_long, ("yyy.tif", r"(no such|too long)", r"\w+"), kinds=(56,)),
)  # fmt: skip
HANDLED = (
    Row("degrees at sixty north", degrees, ("Pixels are",), 0, kinds=(10,)),
    Row("south up", south_up, ("% cloud",), 0, kinds=(12,)),
    Row("smaller than a tile", sides(40, 30), ("% cloud",), 0, kinds=(18,)),
    Row("sides that are no multiple of the stride", sides(71, 93), ("% cloud",), 0, kinds=(20,)),
    Row("an address for overviews in the metadata", overview_file, (), None, kinds=(40,)),
    Row("an address for overviews beside it", beside(".aux.xml", '<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">/vsicurl/{url}</MDI></Metadata></PAMDataset>'), ("% cloud",), 0, kinds=(40,)),
    Row("overviews by an upper-case name", beside(".OVR", "{vrt}"), (), None, kinds=(40,)),
    Row("a mask beside it in another format", beside(".msk.aux.xml", "{vrt}"), ("% cloud",), 0, kinds=(40,)),
    Row("letters beyond ASCII and spaces in a name", renamed("Zürich  北 scene.tif"), ("% cloud",), 0, kinds=(56,)),
    Row("a pipe where a description may be", fifo_beside, ("% cloud",), 0),
)  # fmt: skip
EITHER = (
    Row("band descriptions that are not UTF-8", changed_name, ("s2.tif", r"\w+", r"\w+")),
    Row("a name that leaves no room for a suffix", long_name, ("xxx", "(long|possible)", r"\w+"), kinds=(56,)),
)


@pytest.mark.parametrize("row", [*REFUSED, *HANDLED, *EITHER], ids=str)
def test_a_raster_that_cannot_be_used_gets_one_line(row, judged):
    judged(row)
