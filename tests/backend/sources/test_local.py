"""Local rasters are opened if they are whole GeoTIFF or JPEG 2000 files; everything else is refused with a hint."""

from __future__ import annotations

import os
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
import rasterio.windows
from affine import Affine

from sunbreak.errors import InputError
from sunbreak.scene import Scene
from sunbreak.sources import LocalRaster, RasterSource, local_path, raster_source
from sunbreak.sources.fingerprint import Fingerprint

VRT = '<VRTDataset rasterXSize="1" rasterYSize="1"><VRTRasterBand dataType="Byte" band="1"/></VRTDataset>'


def refused(path: Path | str, code: str) -> InputError:
    with pytest.raises(InputError) as caught:
        Scene.open(path)
    error = caught.value
    assert error.code == code
    assert error.exit_status == 2
    assert "\n" not in str(error)
    assert error.hint
    return error


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "nowhere.tif" in refused(tmp_path / "nowhere.tif", "missing-file").message


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tif").touch()
    refused(tmp_path / "a.tif", "empty-file")


def test_text_named_tif_is_no_raster(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_text("Not Found")
    refused(tmp_path / "a.tif", "not-a-raster")


def test_a_vrt_named_tif_is_refused_before_gdal_sees_it(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_text(VRT)
    assert "VRT" in refused(tmp_path / "a.tif", "unsupported-driver").message


def test_a_vrt_hidden_in_an_overview_file_is_refused(write, make_surface) -> None:
    path = write("a.tif", make_surface())
    path.with_name("a.tif.ovr").write_text(VRT)
    refused(path, "unsupported-driver")


@pytest.mark.parametrize(
    "path",
    [
        "/vsicurl/http://example.org/a.tif",
        "https://example.org/a.tif",
        "s3://bucket/a.tif",
        "MEM:::DATAPOINTER=1234",
        'NETCDF:"a.nc":x',
    ],
)
def test_anything_but_a_local_path_is_refused(path: str) -> None:
    refused(path, "not-local")


def test_a_zip_is_no_raster_and_the_advice_is_to_extract_it_or_to_name_a_file_in_it(
    tmp_path: Path, write, make_surface
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(write("a.tif", make_surface()), "a.tif")
    with pytest.raises(InputError, match="is a zip archive") as caught:
        LocalRaster(tmp_path / "a.zip").open()
    assert "Extract" in caught.value.hint and "archive.zip/folder/file" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "head", "said"),
    [
        ("a.tar.gz", b"\x1f\x8b\x08", "gzip archive"),
        ("a.tar", bytes(257) + b"ustar\x0000", "tar archive"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c", "7z archive"),
        ("a.rar", b"Rar!\x1a\x07", "RAR archive"),
        ("a.tar.bz2", b"BZh91AY", "bzip2 archive"),
        ("a.tar.xz", b"\xfd7zXZ\0", "xz archive"),
        ("a.gpkg", b"SQLite format 3\0", "GeoPackage"),
        ("empty.zip", b"PK\x05\x06" + bytes(18), "holds no GeoTIFF"),
    ],
)
def test_other_archives_are_called_by_their_name(tmp_path: Path, name: str, head: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(head + (b"" if name == "empty.zip" else bytes(400)))
    code = "missing-file" if name == "empty.zip" else "unsupported-driver"
    assert said in refused(tmp_path / name, code).message


@pytest.mark.parametrize("head", [b"\x89HDF\r\n\x1a\n", b"CDF\x01", b"\x89PNG\r\n\x1a\n"])
def test_other_formats_are_called_by_their_name(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "a.nc").write_bytes(head + bytes(100))
    refused(tmp_path / "a.nc", "unsupported-driver")


@pytest.mark.parametrize("options", [{}, {"tiled": True, "blockxsize": 16, "blockysize": 16, "compress": "deflate"}])
@pytest.mark.parametrize("bigtiff", ["NO", "YES"])
@pytest.mark.parametrize("keep", [0.3, 0.6, 0.98])
def test_a_truncated_tiff_is_refused_before_it_is_read(write, make_surface, options, bigtiff: str, keep: float) -> None:
    path = write("a.tif", make_surface(), BIGTIFF=bigtiff, **options)
    assert LocalRaster(path).check() == 0
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    refused(path, "truncated")


def test_a_truncated_cog_is_refused(write, make_surface, tmp_path: Path) -> None:
    whole = write("a.tif", np.tile(make_surface(), (1, 20, 20)))
    with rasterio.open(whole) as source:
        rasterio.shutil.copy(source, tmp_path / "cog.tif", driver="COG", compress="deflate")
    cog = tmp_path / "cog.tif"
    assert Scene.open(cog).grid.shape == (800, 1000)
    cog.write_bytes(cog.read_bytes()[: int(cog.stat().st_size * 0.7)])
    refused(cog, "truncated")


@pytest.mark.parametrize("keep", [0.5, 0.97])
def test_a_truncated_jpeg_2000_is_refused(write, make_surface, tmp_path: Path, keep: float) -> None:
    path = jp2(write, make_surface, tmp_path / "T32TQM_20200101T101010_B02.jp2")
    assert LocalRaster(path).check() == 0
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    refused(path, "truncated")


def jp2(write, make_surface, path: Path) -> Path:
    with rasterio.open(write("source.tif", make_surface(1, 64, 64))) as source:
        rasterio.shutil.copy(source, path, driver="JP2OpenJPEG", quality=100, reversible="YES")
    return path


def test_a_jpeg_2000_is_opened_by_its_own_driver_only(write, make_surface, tmp_path: Path) -> None:
    path = jp2(write, make_surface, tmp_path / "b02.jp2")
    assert LocalRaster(path).driver() == "JP2OpenJPEG"
    with LocalRaster(path).open() as dataset:
        assert dataset.driver == "JP2OpenJPEG"


def test_a_file_whose_writer_was_killed_is_refused(tmp_path: Path) -> None:
    profile = {"count": 13, "height": 64, "width": 64, "dtype": "uint16", "crs": "EPSG:32632", "SPARSE_OK": True}
    transform = Affine(10, 0, 600_000, 0, -10, 5_200_000)
    with rasterio.open(tmp_path / "a.tif", "w", driver="GTiff", transform=transform, **profile):
        pass
    assert "unfinished" in refused(tmp_path / "a.tif", "truncated").message


def test_a_half_written_file_opens_with_a_warning(tmp_path: Path, make_surface) -> None:
    path = tmp_path / "a.tif"
    profile = {"count": 13, "height": 64, "width": 50, "dtype": "uint16", "crs": "EPSG:32632", "SPARSE_OK": True}
    transform = Affine(10, 0, 600_000, 0, -10, 5_200_000)
    with rasterio.open(path, "w", driver="GTiff", transform=transform, blockysize=16, **profile) as dataset:
        dataset.write(make_surface(13, 32, 50), window=rasterio.windows.Window(0, 0, 50, 32))
    assert any("50% of its blocks" in text for text in Scene.open(path).warnings)


def test_damaged_blocks_are_reported_when_they_are_read(write, make_surface) -> None:
    path = write("a.tif", make_surface(13, 200, 200), compress="zstd", tiled=True, blockxsize=64, blockysize=64)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(4000)
    path.write_bytes(bytes(data))
    assert "damaged" in refused(path, "damaged").message


def test_a_block_offset_near_the_end_of_the_number_range_does_not_wrap_around(write, make_surface) -> None:
    path = write("a.tif", make_surface(1, 8, 8), BIGTIFF="YES", names=["B02"])
    data = bytearray(path.read_bytes())
    directory = struct.unpack("<Q", data[8:16])[0]
    for entry in range(struct.unpack("<Q", data[directory : directory + 8])[0]):
        start = directory + 8 + 20 * entry
        if struct.unpack("<H", data[start : start + 2])[0] == 273:
            data[start + 2 : start + 20] = struct.pack("<HQQ", 16, 1, 2**64 - 4)
    path.write_bytes(bytes(data))
    refused(path, "truncated")


def test_complex_radar_is_refused(write) -> None:
    refused(write("slc.tif", np.ones((1, 8, 8), "complex64")), "complex")


def test_a_raster_that_claims_absurd_sizes_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "B02.tif"
    profile = {
        "count": 1,
        "height": 400_000,
        "width": 400_000,
        "dtype": "uint8",
        "crs": "EPSG:32632",
        "SPARSE_OK": True,
    }
    layout = {"tiled": True, "blockxsize": 1024, "blockysize": 1024, "compress": "zstd"}
    with rasterio.open(
        path, "w", driver="GTiff", transform=Affine(10, 0, 600_000, 0, -10, 5_200_000), **profile, **layout
    ) as dataset:
        dataset.write(np.ones((1, 16, 16), "uint8"), window=rasterio.windows.Window(0, 0, 16, 16))
    assert path.stat().st_size < 2**23
    refused(path, "too-large")


def test_blocks_too_large_for_memory_are_refused(write, make_surface, monkeypatch: pytest.MonkeyPatch) -> None:
    by_band = write("bands.tif", make_surface(), blockysize=40, interleave="band")
    by_pixel = write("pixels.tif", make_surface(), blockysize=40, interleave="pixel")
    monkeypatch.setattr("sunbreak.sources.local._MAX_BLOCK_BYTES", 40 * 50 * 2)
    assert Scene.open(by_band).grid.shape == (40, 50)
    refused(by_pixel, "too-large")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions bind nobody here")
def test_an_unreadable_file_is_refused(write, make_surface) -> None:
    path = write("a.tif", make_surface())
    path.chmod(0)
    refused(path, "unreadable")


@pytest.mark.parametrize("name", ["Wölkchen über Köln.tif", "a!b.tif", "日本 2018.tif", "zip+a.tif", "a#b?c.tif"])
def test_odd_file_names_open(write, make_surface, name: str) -> None:
    scene = Scene.open(write(name, make_surface()))
    assert scene.stem == name[:-4]
    with scene.reader() as reader:
        assert np.array_equal(reader.s2(scene.grid.window).raw, make_surface())


def test_a_relative_path_that_looks_like_an_address_is_a_file_if_it_exists(
    write, make_surface, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("http:a.tif", make_surface())
    monkeypatch.chdir(tmp_path)
    assert local_path("http:a.tif") == tmp_path / "http:a.tif"
    assert Scene.open("http:a.tif").grid.width == 50


def test_a_source_is_the_file_that_was_named(
    write, make_surface, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("a.tif", make_surface())
    monkeypatch.chdir(tmp_path)
    source: RasterSource = raster_source("a.tif")
    assert source == LocalRaster(path) and source.identity == str(path)
    assert pickle.loads(pickle.dumps(source)) == source
    with source.open() as dataset, source.reading():
        assert np.array_equal(dataset.read(), make_surface())


def test_a_fingerprint_changes_with_size_and_time(write, make_surface) -> None:
    source = LocalRaster(write("a.tif", make_surface()))
    first = source.fingerprint()
    assert first == Fingerprint(source.path.stat().st_size, source.path.stat().st_mtime_ns)
    os.utime(source.path, ns=(0, first.modified + 1))
    assert source.fingerprint() == (first.size, first.modified + 1)
    source.path.unlink()
    with pytest.raises(FileNotFoundError):
        source.fingerprint()


def test_a_source_can_be_checked_without_opening_it(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        LocalRaster(tmp_path).check()
    assert caught.value.code == "not-a-raster"
