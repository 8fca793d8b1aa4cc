"""Files that claim more than they hold, are no files, or state nonsense are refused at once, in one line."""

from __future__ import annotations

import json
import os
import socket
import struct
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from affine import Affine
from rasterio.crs import CRS
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS, Scene
from sunbreak.scene.safe import metadata_values, missing_bands
from sunbreak.sources import LocalRaster

PLACE = Affine(10, 0, 600_000, 0, -10, 5_200_000)


@pytest.fixture
def s2(write, make_surface) -> Path:
    return write("s2.tif", make_surface())


def refused(*given: object, within: float = 2.0, **options: object) -> InputError:
    start = time.monotonic()
    with pytest.raises(InputError) as caught:
        Scene.open(*given, **options)
    assert time.monotonic() - start < within
    assert caught.value.hint and "\n" not in str(caught.value) and len(str(caught.value)) < 1000
    return caught.value


def hollow(path: Path, side: int, block: int, count: int = 1, dtype: str = "uint8", **options: object) -> Path:
    """A raster that claims `side` x `side` pixels and stores one block."""
    profile = {"driver": "GTiff", "count": count, "height": side, "width": side, "dtype": dtype, "crs": "EPSG:32632"}
    layout = {"tiled": True, "blockxsize": block, "blockysize": block, "compress": "deflate", "SPARSE_OK": True}
    with rasterio.open(path, "w", transform=PLACE, BIGTIFF="YES", **profile, **layout, **options) as dataset:
        dataset.write(np.ones((count, 16, 16), dtype), window=Window(0, 0, 16, 16))
    return path


@pytest.mark.parametrize(("side", "block"), [(299_000, 4096), (299_000, 8192), (60_000, 512), (60_000, 4096)])
def test_a_mask_far_larger_than_the_scene_that_stores_nothing_is_refused(s2, tmp_path, side, block):
    mask = hollow(tmp_path / "mask.tif", side, block)
    error = refused(s2, mask=mask)
    assert error.code == "too-large"
    assert f"{mask} claims {side} x {side} pixels" in error.message


def test_a_mask_that_is_clear_all_over_may_be_stored_in_next_to_nothing(write, make_surface, tmp_path):
    s2 = write("s2.tif", make_surface())
    assert Scene.open(s2, mask=hollow(tmp_path / "mask.tif", 16_000, 512)).has_mask


def test_blocks_that_a_single_pixel_would_decode_whole_are_refused(s2, tmp_path):
    mask = hollow(tmp_path / "mask.tif", 16_384, 16_384)
    assert mask.stat().st_size < 300_000
    assert "in blocks of 16384 x 16384" in refused(s2, mask=mask).message
    for interleave in ("pixel", "band"):
        scene = hollow(tmp_path / f"{interleave}.tif", 2816, 2816, 13, "uint16", interleave=interleave)
        assert refused(scene).code == "too-large"
    assert refused(s2, hollow(tmp_path / "s1.tif", 8192, 8192, 2, "float32")).code == "too-large"


@pytest.mark.parametrize(("count", "dtype"), [(13, "uint16"), (2, "float32")])
def test_a_scene_or_radar_that_stores_next_to_nothing_is_refused(s2, tmp_path, count, dtype):
    path = hollow(tmp_path / "x.tif", 60_000, 512, count, dtype)
    error = refused(path) if count == 13 else refused(s2, path)
    assert error.code == "too-large" and "there is next to nothing in it" in error.message


def test_pixels_far_finer_than_those_of_the_scene_are_refused(s2, write):
    fine = Affine(0.25, 0, 600_000, 0, -0.25, 5_200_000)
    values = np.ones((1, 64, 64), "uint8")
    assert "40 x 40 pixels to one" in refused(s2, mask=write("m.tif", values, transform=fine)).message
    radar = write("s1.tif", np.full((2, 64, 64), -12, "float32"), transform=fine)
    assert refused(s2, radar).code == "too-large"


def jp2(path: Path, write, side: int = 64) -> Path:
    plain = write("plain.tif", np.full((1, side, side), 700, "uint16"), names=["B02"])
    with rasterio.open(plain) as source:
        rasterio.shutil.copy(source, path, driver="JP2OpenJPEG", quality=100, reversible="YES")
    return path


@pytest.mark.parametrize(
    ("marker", "at", "fmt", "values", "code"),
    [
        (b"\xff\x51", 6, ">2I", (299_000, 299_000), "truncated"),  # a larger image in the same tiles
        (b"\xff\x51", 6, ">2I", (2**31, 2**31), "truncated"),
        (b"\xff\x51", 6, ">2I", (0, 0), "truncated"),
        (b"\xff\x51", 22, ">2I", (0, 0), "truncated"),
        (b"\xff\x51", 22, ">2I", (1, 1), "truncated"),
        (b"\xff\x51", 38, ">H", (16_384,), "too-large"),
        (b"\xff\x52", 6, ">H", (65_535,), "too-large"),
        (b"\xff\x52", 2, ">H", (65_535,), "truncated"),
    ],
)
def test_a_jpeg_2000_header_that_claims_nonsense_is_refused(tmp_path, write, marker, at, fmt, values, code):
    path = jp2(tmp_path / "T32TQM_B02.jp2", write)
    content = bytearray(path.read_bytes())
    place = content.index(marker, content.index(b"\xff\x4f\xff\x51"))
    content[place + at : place + at + struct.calcsize(fmt)] = struct.pack(fmt, *values)
    path.write_bytes(bytes(content))
    error = refused(path)
    assert error.code in (code, "not-a-raster", "damaged") and str(path) in error.message


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "socket"])
def test_only_regular_files_are_read(s2, tmp_path, kind):
    path = tmp_path / "x.tif"
    server = socket.socket(socket.AF_UNIX)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        server.bind(str(path))
    with server:
        for given, options in (((s2, path), {}), ((s2,), {"mask": path}), (([s2, path],), {})):
            error = refused(*given, **options)
            assert error.code in ("not-a-file", "not-a-raster", "s1-not-projected", "safe-product", "unreadable")
            assert str(path) in error.message
        if kind != "folder":
            assert refused(path).code == "not-a-file"


def test_a_pipe_as_metadata_of_a_product_or_beside_a_raster_blocks_nothing(s2, tmp_path, write, make_surface):
    os.mkfifo(tmp_path / "s2.tif.stac.json")
    os.mkfifo(tmp_path / "s2.tif.ovr")
    os.mkfifo(tmp_path / "s2.tif.aux.xml")
    assert len(Scene.open(s2).bands) == 13
    images = tmp_path / "x.SAFE" / "GRANULE" / "L1C" / "IMG_DATA"
    images.mkdir(parents=True)
    jp2(images / "T32TQM_20200101T101010_B02.jp2", write)
    os.mkfifo(tmp_path / "x.SAFE" / "MTD_MSIL1C.xml")
    os.mkfifo(images / "T32TQM_20200101T101010_B03.jp2")
    assert refused(tmp_path / "x.SAFE").code == "not-a-file"


def test_texts_that_are_not_utf_8_are_refused(write, make_surface):
    path = write("a.tif", make_surface(1), names=["B02xyz"])
    path.write_bytes(path.read_bytes().replace(b"B02xyz", b"B02\xff\xfe\xfd"))
    error = refused(path)
    assert error.code == "not-utf8" and f"{path}: its band descriptions or tags" in error.message
    s2 = write("s2.tif", make_surface())
    assert refused(s2, path).code == "not-utf8"
    assert refused(s2, mask=path).code == "not-utf8"


BROKEN = (
    'LOCAL_CS["x",UNIT["metre",1]]',
    'VERT_CS["v",VERT_DATUM["x",2005],UNIT["metre",1]]',
    'PROJCS["b",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],'
    'UNIT["degree",0.0174532925199433]],PROJECTION["Nonsense"],UNIT["metre",1]]',
)


@pytest.mark.parametrize("wkt", BROKEN)
def test_a_crs_that_leads_nowhere_is_refused_in_every_input(s2, write, make_surface, make_backscatter, wkt):
    crs = CRS.from_wkt(wkt)
    radar, mask = make_backscatter(), np.tile(np.uint8([[0, 1]]), (1, 40, 25))
    for error in (
        refused(write("a.tif", make_surface(), crs=crs)),
        refused(s2, write("b.tif", radar, crs=crs)),
        refused(s2, mask=write("c.tif", mask, crs=crs)),
    ):
        assert error.code in ("bad-crs", "no-crs")


@pytest.mark.parametrize("x", [1e30, float("inf"), float("nan")])
def test_coordinates_that_are_nowhere_are_refused(write, make_surface, x):
    path = write("a.tif", make_surface(), transform=Affine(10, 0, x, 0, -10, 5_200_000))
    assert refused(path).code in ("bad-crs", "no-transform")


@pytest.mark.parametrize("offset", [float("nan"), float("inf"), float("-inf"), 1e300])
def test_an_offset_that_is_no_number_is_refused(s2, offset):
    error = refused(s2, s2_offset=offset)
    assert error.code == "bad-option" and "--s2-offset" in error.message


@pytest.mark.parametrize(("scale", "offset"), [(np.nan, 0), (np.inf, 0), (1e-300, 0), (-1e-4, 0), (1e-4, np.inf)])
def test_a_declared_scale_that_is_no_number_is_refused(write, make_surface, scale, offset):
    path = write("a.tif", make_surface())
    with rasterio.open(path, "r+") as dataset:
        dataset.scales, dataset.offsets = [scale] * 13, [offset] * 13
    assert refused(path).code == "bad-scale"


@pytest.mark.parametrize(
    "band",
    [
        {"eo:center_wavelength": [0.49]},
        {"eo:center_wavelength": {"a": 1}},
        {"eo:center_wavelength": 10**90},
        {"eo:center_wavelength": float("nan")},
        {"name": [1], "eo:common_name": {}},
    ],
)
def test_nonsense_in_a_stac_item_names_no_band(s2, band):
    item = {"properties": {"boa_add_offset": 1e308, "quantification_value": 0, "bands": [band] * 13}}
    s2.with_name("s2.tif.stac.json").write_text(json.dumps(item))
    scene = Scene.open(s2)
    assert scene.bands == S2_BANDS and scene.radiometry.quantification == 10_000


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": 1' + "0" * 400 + "}", '{"properties": "\udcff"}', "{"])
def test_a_stac_item_that_is_no_json_is_left_out_with_a_warning(s2, text):
    s2.with_name("s2.tif.stac.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    (warning,) = Scene.open(s2).warnings
    assert warning.startswith("The STAC item beside s2.tif is left out: ") and "s2.tif.stac.json" in warning


@pytest.mark.parametrize("piece", ["<IMAGE_FILE ", "<IMAGE_FILE>", "<IMAGE_FILE> \n ", "<", "a", "<IMAGE_FILE>a>"])
def test_metadata_is_read_in_time_that_grows_with_its_size(tmp_path, piece):
    (tmp_path / "MTD_MSIL1C.xml").write_text(piece * (4_000_000 // len(piece)))
    start = time.monotonic()
    assert metadata_values(tmp_path) == {}
    assert time.monotonic() - start < 2


def test_metadata_that_lists_more_than_a_product_holds_is_refused(tmp_path):
    file = tmp_path / "MTD_MSIL1C.xml"
    entry = "<IMAGE_FILE>GRANULE/x/IMG_DATA/T32TQM_B02</IMAGE_FILE>\n"
    file.write_text(entry * 100_000)
    start = time.monotonic()
    with pytest.raises(InputError, match="more than 5000 times"):
        missing_bands(tmp_path)
    file.write_text(entry * 200_000)
    with pytest.raises(InputError, match="is larger than 8 MiB"):
        missing_bands(tmp_path)
    assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    "name", ["x" * 5000 + "_B02", "../../../other/_B02", "/etc/_B02", "GRANULE/../../IMG_DATA/_B02", "//server/a/_B02"]
)
def test_metadata_that_names_files_elsewhere_is_not_followed(tmp_path, name):
    (tmp_path / "MTD_MSIL1C.xml").write_text(f"<IMAGE_FILE>{name}</IMAGE_FILE>")
    assert missing_bands(tmp_path) == []


def test_a_folder_whose_name_is_impossible_holds_nothing(tmp_path):
    (tmp_path / "MTD_MSIL1C.xml").write_text("<IMAGE_FILE>GRANULE/x\0y/IMG_DATA/T32TQM_B02</IMAGE_FILE>")
    assert missing_bands(tmp_path) == ["T32TQM_B02"]


@pytest.mark.parametrize(("value", "nodata"), [(255, 255), (0, None)])
def test_a_mask_without_any_data_is_warned_about(s2, write, value, nodata):
    name = "mask.tif" if nodata else "SCL.tif"  # 0 is no data in a scene classification
    scene = Scene.open(s2, mask=write(name, np.full((1, 40, 50), value, "uint8"), nodata=nodata), mask_coding="auto")
    assert any(f"{name} holds no data in the scene" in text for text in scene.warnings)


def test_a_mask_with_data_beside_the_chosen_part_only_is_warned_about(s2, write):
    values = np.full((1, 40, 50), 255, "uint8")
    values[:, :, 25:] = [[0] * 20 + [1] * 5]
    mask = write("mask.tif", values, nodata=255)
    assert not any("holds no data" in text for text in Scene.open(s2, mask=mask).warnings)
    warned = Scene.open(s2, mask=mask, window=(0, 0, 20, 20)).warnings
    assert any("holds no data" in text for text in warned)


def test_a_missing_file_of_a_product_is_not_looked_for_in_another_one(tmp_path, write, make_surface):
    folder = tmp_path / "bands"
    folder.mkdir()
    for band in ("B01", "B03"):
        write(f"T32TQM_20200101T101010_{band}.tif", make_surface(1)).rename(
            folder / f"T32TQM_20200101T101010_{band}.tif"
        )
    scene = Scene.open(folder)
    with scene.reader() as reader, pytest.raises(InputError) as caught:
        reader.s2(scene.grid.window, ["B01", "B02"])
    assert caught.value.message == f"{folder} has no band B02 (no file T32TQM_20200101T101010_B02.tif)."


def test_a_raster_with_too_many_bands_or_tags_is_refused_before_gdal_opens_it(write):
    many = write("many.tif", np.ones((3000, 2, 2), "uint8"))
    with pytest.raises(InputError, match="claims 3000 bands"):
        LocalRaster(many).open()
    tags = write("tags.tif", np.ones((1, 2, 2), "uint8"))
    with rasterio.open(tags, "r+") as dataset:
        dataset.update_tags(LONG="x" * 5_000_000)
    with pytest.raises(InputError, match="MiB of metadata"):
        LocalRaster(tags).open()


def test_a_product_whose_bands_are_hollow_blocks_is_refused(tmp_path):
    for band in S2_BANDS:
        hollow(tmp_path / f"T32TQM_20200101T101010_{band}.tif", 2048, 2048, 1, "uint16")
    assert "there is next to nothing in it" in refused(tmp_path).message


def test_a_file_of_many_images_or_items_of_metadata_is_refused_before_gdal_opens_it(write):
    path = write("T_B02.tif", np.ones((1, 2, 2), "uint16"))
    content = path.read_bytes()
    first = struct.unpack("<I", content[4:8])[0]
    link = first + 2 + 12 * struct.unpack("<H", content[first : first + 2])[0]
    content += bytes(len(content) % 2)
    start, empty = len(content), struct.pack("<HHHII", 1, 254, 4, 1, 1)
    size = len(empty) + 4
    chain = b"".join(empty + struct.pack("<I", start + (index + 1) * size) for index in range(100_000))
    path.write_bytes(content[:link] + struct.pack("<I", start) + content[link + 4 :] + chain)
    assert "holds more than 200 images" in refused(path).message
    many = write("many.tif", np.ones((1, 2, 2), "uint16"), names=["B02"])
    with rasterio.open(many, "r+") as dataset:
        dataset.update_tags(**{f"a{index}": "1" for index in range(11_000)})
    assert "items of metadata" in refused(many).message
