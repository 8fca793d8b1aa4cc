"""Virtual rasters (VRT) that lead elsewhere, claim too much, or are no VRT that is read; and one that is."""

from __future__ import annotations

import os

import numpy as np
import pytest
import rasterio
from bad_input_files import read_raster, sparse_claim, write_raster
from bad_input_frame import Place, Row, run_here
from vrt_files import band, document, source, stacked

SIZE = (64, 64)


def virtual(text: str):
    """A VRT in place of the scene; `text` may hold {url}."""

    def make(place: Place) -> list:
        place.folder.joinpath("v.vrt").write_text(text.replace("{url}", place.url))
        return place.clean(s2=place.folder / "v.vrt")

    return make


def over(*sources: str, bands: int = 13, **options):
    """A VRT whose bands are all made of these sources."""
    return virtual(placed(document([band(*sources)] * bands, options.pop("size", SIZE), **options)))


def placed(text: str) -> str:
    return text.replace("600000, 10, 0, 5200000, 0, -10", "500000, 10, 0, 5300000, 0, -10")


def beside(name: str, **options) -> str:
    """A source by a name relative to the VRT."""
    return source(name, **options).replace('relativeToVRT="0"', 'relativeToVRT="1"')


def made(before, *sources: str):
    """`before` puts something into the folder, then a VRT over it."""

    def make(place: Place) -> list:
        before(place)
        return over(*sources)(place)

    return make


def pipe(place: Place) -> None:
    os.mkfifo(place.folder / "x.tif")


def linked(place: Place) -> None:
    outside = place.folder.parent / "outside"
    outside.mkdir()
    (outside / "s2.tif").write_bytes(place.s2.read_bytes())
    (place.folder / "x.tif").symlink_to(outside / "s2.tif")


def inner(name: str):
    def put(place: Place) -> None:
        text = document([band(source(f"/vsicurl/{place.url}"))] * 13, SIZE)
        (place.folder / name).write_text(placed(text))

    return put


def bomb(place: Place) -> None:
    sparse_claim(place.folder / "x.tif", 290_000, 13, "uint16", blockxsize=1024, blockysize=1024)


def cut(place: Place) -> None:
    content = place.s2.read_bytes()
    (place.folder / "x.tif").write_bytes(content[: len(content) // 2])


def addressed(place: Place) -> None:
    """Files beside a good file that name an address."""
    write_raster(place.folder / "x.tif", read_raster(place.s2)[0])
    domain = f'<Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">/vsicurl/{place.url}</MDI></Metadata>'
    (place.folder / "x.tif.aux.xml").write_text(f"<PAMDataset>{domain}</PAMDataset>")
    (place.folder / "v.vrt.aux.xml").write_text(f"<PAMDataset>{domain}</PAMDataset>")
    write_raster(place.folder / "y.tif", np.zeros((13, 64, 64), "uint16")).rename(place.folder / "x.tif.ovr")


def pipe_itself(place: Place) -> list:
    os.mkfifo(place.folder / "v.vrt")
    return place.clean(s2=place.folder / "v.vrt")


def laughing(place: Place) -> list:
    entities = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(12))
    text = f'<!DOCTYPE x [<!ENTITY l0 "ha">{entities}]><VRTDataset rasterXSize="64" rasterYSize="64">&l12;</VRTDataset>'
    return virtual(text)(place)


def as_radar(place: Place) -> list:
    (place.folder / "v.vrt").write_text(placed(document([band(source(f"/vsicurl/{place.url}"))] * 2, SIZE)))
    return place.clean(s1=place.folder / "v.vrt")


def as_mask(place: Place) -> list:
    (place.folder / "v.vrt").write_text(placed(document([band(source("/etc/hostname"), dtype="Byte")], SIZE)))
    return place.clean("--detector", "auto", "--mask", place.folder / "v.vrt")


def good(place: Place) -> list:
    """Scene, radar and mask as VRTs of their files."""
    values, names = read_raster(place.s2)
    files = [write_raster(place.folder / f"x_{name}.tif", one[None]) for name, one in zip(names, values, strict=True)]
    stacked(place.folder / "v.vrt", files)
    pairs = read_raster(place.s1)
    radar = [
        write_raster(place.folder / f"{name}.tif", one[None]) for name, one in zip(pairs[1], pairs[0], strict=True)
    ]
    stacked(place.folder / "radar.vrt", radar)
    stacked(place.folder / "m.vrt", [place.mask])
    mask = ("--detector", "auto", "--mask", place.folder / "m.vrt")
    return place.clean(*mask, s2=place.folder / "v.vrt", s1=place.folder / "radar.vrt")


OUTSIDE = ("v.vrt", "virtual", "outside", "Move the VRT")
NOT_LOCAL = ("v.vrt", "virtual", "not a local file", "gdal_translate")
BROKEN = ("v.vrt", "not a valid virtual raster", "again")
REFUSED = (
    Row("a VRT over an address", over(source("/vsicurl/{url}")), NOT_LOCAL, kinds=(40,)),
    Row("a VRT over an address for itself", over(source("{url}")), NOT_LOCAL, kinds=(40,)),
    Row("a VRT over an address for a VRT", over(source("vrt://{url}?if=GTiff")), NOT_LOCAL, kinds=(40,)),
    Row("a VRT over memory", over(source("MEM:::DATAPOINTER=1,PIXELS=8,LINES=8")), NOT_LOCAL, kinds=(42,)),
    Row("a VRT over a VRT in its own text", over(source("&lt;VRTDataset/&gt;")), NOT_LOCAL),
    Row("a VRT over a file of the system", over(source("/etc/passwd")), OUTSIDE, kinds=(39,)),
    Row("a VRT over a file two folders up", over(beside("../../etc/passwd")), OUTSIDE, kinds=(39,)),
    Row("a VRT over a link out of its folder", made(linked, beside("x.tif")), OUTSIDE, kinds=(38,)),
    Row("a VRT over itself", over(beside("v.vrt")), ("v.vrt", "virtual", "gdal_translate")),
    Row("a VRT over a VRT", made(inner("x.vrt"), beside("x.vrt")), ("x.vrt", "virtual", "gdal_translate"), kinds=(39, 40)),
    Row("a VRT over a VRT called tif", made(inner("x.tif"), beside("x.tif")), ("x.tif", "virtual", "gdal_translate"), kinds=(39, 40)),
    Row("a VRT over a named pipe", made(pipe, beside("x.tif")), ("v.vrt", "x.tif is a named pipe", r"\w+")),
    Row("a VRT over a file that claims too much", made(bomb, beside("x.tif")), ("x.tif", r"(claims|large)", r"\w+"), kinds=(36, 37)),
    Row("a VRT over a file that was cut off", made(cut, beside("x.tif")), ("x.tif", "truncated", "again"), kinds=(4,)),
    Row("a VRT over no file", over(beside("none.tif")), ("v.vrt", "none.tif", "no such file", r"\w+"), kinds=(1,)),
    Row("a VRT that is a named pipe", pipe_itself, ("v.vrt", "pipe", r"\w+")),
    Row("entities in entities in a VRT", laughing, (*BROKEN[:2], "document type", BROKEN[2]), kinds=(41,)),
    Row("a VRT nested a million deep", virtual("<VRTDataset>" + "<a>" * 1_000_000), BROKEN, kinds=(41,)),
    Row("a VRT of a million sources", over(*[beside("s2.tif")] * 1_000_000, bands=1), ("v.vrt", r"(larger|more than)", r"\w+"), kinds=(36,)),
    Row("a VRT of four million elements", virtual("<VRTDataset>" + "<a/>" * 4_000_000 + "</VRTDataset>"), BROKEN),
    Row("a VRT of an attribute of 20 MB", virtual(f'<VRTDataset rasterXSize="{"9" * 20_000_000}"/>'), BROKEN),
    Row("a VRT of half a pixel", over(beside("s2.tif"), size=("64.5", 64)), BROKEN),
    Row("a VRT of minus 64 pixels", over(beside("s2.tif"), size=(-64, 64)), BROKEN),
    Row("a VRT of two thousand million rows", over(beside("s2.tif"), size=(64, 2_147_483_647)), (r"v\.vrt", r"(too large|whole number)", r"\w+"), kinds=(36,)),
    Row("a large VRT of a small file", over(beside("s2.tif", placed=(0, 0, 64, 64)), size=(290_000, 290_000)), ("v.vrt", "next to nothing", r"\w+"), kinds=(36, 37)),
    Row("a VRT that stretches a small file", over(beside("s2.tif"), size=(290_000, 290_000)), ("v.vrt", "too large", r"\w+"), kinds=(36, 37)),
    Row("a VRT that is NaN metres wide", over(beside("s2.tif"), transform="nan, 10, 0, 5300000, 0, -10"), BROKEN),
    Row("a VRT of code", over("<PixelFunctionLanguage>Python</PixelFunctionLanguage>"), ("v.vrt", "virtual", "PixelFunctionLanguage", "gdal_translate"), kinds=(43,)),
    Row("a VRT of raw bytes", virtual(document([band(attributes=' subClass="VRTRawRasterBand"', more="<SourceFilename>/etc/passwd</SourceFilename>")], SIZE)), ("v.vrt", "virtual", "VRTRawRasterBand", "gdal_translate"), kinds=(39,)),
    Row("a warped VRT", virtual(document([], SIZE, attributes=' subClass="VRTWarpedDataset"')), ("v.vrt", "virtual", "VRTWarpedDataset", "gdal_translate")),
    Row("a coordinate system at an address", over(beside("s2.tif"), crs="{url}"), ("v.vrt", "coordinate", r"\w+"), kinds=(40,)),
    Row("a coordinate system that is cut off", over(beside("s2.tif"), crs='PROJCS["WGS 84 / UTM zone 32N",GEOGCS["WGS'), ("v.vrt", "coordinate", r"\w+")),
    Row("a VRT over an address as radar", as_radar, NOT_LOCAL, kinds=(40,)),
    Row("a VRT over a file of the system as a mask", as_mask, OUTSIDE, kinds=(39,)),
)  # fmt: skip
HANDLED = (
    Row("scene, radar and mask as VRTs", good, ("VRT",), 0),
    Row("addresses beside the file of a VRT", made(addressed, beside("x.tif")), (), None, kinds=(40,)),
)


@pytest.mark.parametrize("row", [*REFUSED, *HANDLED], ids=str)
def test_a_virtual_raster_that_cannot_be_used_gets_one_line(row, judged):
    judged(row)


def test_a_scene_and_its_radar_as_vrts_are_cleaned_to_the_same_pixels(place, warm):
    assert run_here(place.clean()) == 0
    with rasterio.open(place.out / "s2_cleaned.tif") as dataset:
        expected = dataset.read()
    arguments = good(place)
    assert run_here([*arguments[:2], *place.clean(s1=place.folder / "radar.vrt")[2:]]) == 0
    with rasterio.open(place.out / "v_cleaned.tif") as dataset:
        assert np.array_equal(dataset.read(), expected)
        assert dataset.descriptions == read_raster(place.s2)[1]
