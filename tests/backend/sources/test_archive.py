"""Zip archives are read only if every program would see the same plain files in them."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from sunbreak.errors import InputError
from sunbreak.scene import Scene
from sunbreak.sources import LocalRaster, local_path
from sunbreak.sources.archive import MAX_ENTRIES, read_archive
from sunbreak.sources.places import gdal_name, is_file, is_folder, listed, on_disk, open_bytes, path_of, read_bytes

END = b"PK\x05\x06"


def refused(path: Path, code: str) -> InputError:
    with pytest.raises(InputError) as caught:
        read_archive(path)
    error = caught.value
    assert error.code == code and path.name in error.message and error.hint and "\n" not in str(error)
    return error


def archive(path: Path, *entries: zipfile.ZipInfo | str, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for entry in entries:
            file.writestr(entry, b"content " * 20, method)
    return path


def edited(path: Path, change) -> Path:
    """The archive with its bytes changed."""
    content = bytearray(path.read_bytes())
    path.write_bytes(bytes(change(content) or content))
    return path


def central(content: bytearray) -> int:
    return content.index(b"PK\x01\x02")


def info(name: str, *, mode: int = 0o100644, system: int = 3) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.create_system, made.external_attr = system, mode << 16
    return made


@pytest.mark.parametrize(
    "name", ["../x.tif", "a/../../x.tif", "/etc/x.tif", "C:/x.tif", "a\\..\\x.tif", "a//x.tif", "./x.tif", "a\nb.tif"]
)
def test_a_path_that_leads_out_is_refused(tmp_path, name):
    made = info("placeholder")
    made.filename = made.orig_filename = name
    assert "leads out" in refused(archive(tmp_path / "a.zip", made), "bad-archive").message


@pytest.mark.parametrize("mode", [0o120777, 0o010644, 0o020644, 0o140644])
def test_a_link_a_pipe_a_device_and_a_socket_are_refused(tmp_path, mode):
    assert "link" in refused(archive(tmp_path / "a.zip", info("x.tif", mode=mode)), "bad-archive").message


def test_files_and_folders_of_unix_and_windows_are_read(tmp_path):
    made = [info("f/", mode=0o040755), info("f/x.tif", mode=0o100644), info("f/y.tif", mode=0, system=0)]
    path = archive(tmp_path / "a.zip", *made[1:])
    assert read_archive(path).folders == {"": ("f",), "f": ("x.tif", "y.tif")}
    with zipfile.ZipFile(path, "a") as more:
        more.writestr(made[0], b"")
    assert set(read_archive(path).entries) == {"f/x.tif", "f/y.tif"}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("x.tif", "x.tif"), ("A.tif", "a.TIF"), ("x", "x/y"), ("x/y", "x")])
def test_two_files_in_one_place_are_refused(tmp_path, names):
    refused(archive(tmp_path / "a.zip", *names), "bad-archive")


def test_encryption_and_codings_that_are_not_read_are_refused(tmp_path):
    def encrypted(content: bytearray) -> None:
        content[central(content) + 8] |= 1

    assert "encrypted" in refused(edited(archive(tmp_path / "a.zip", "x"), encrypted), "bad-archive").message
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        assert "method" in refused(archive(tmp_path / "b.zip", "x", method=method), "bad-archive").message


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x.tif", bytes(100 * 2**20))
    assert "next to nothing" in refused(tmp_path / "a.zip", "too-large").message


@pytest.mark.parametrize(("size", "packed"), [(5 * 2**30, 2**30), (2**40, 2**36)])
def test_a_file_that_takes_minutes_to_unpack_is_refused(tmp_path, size, packed):
    def lie(content: bytearray) -> bytes:
        """The list of a 64-bit archive claims a size that is not there."""
        first, end = central(content), content.index(END)
        content[first + 20 : first + 28] = b"\xff" * 8
        extra = struct.pack("<2H2Q", 1, 16, size, packed)
        content[first + 30 : first + 32] = struct.pack("<H", len(extra))
        (length,) = struct.unpack("<L", content[end + 12 : end + 16])
        name_end = first + 46 + struct.unpack("<H", content[first + 28 : first + 30])[0]
        last = content[end:]
        last[12:16] = struct.pack("<L", length + len(extra))
        return bytes(content[:name_end]) + extra + bytes(content[name_end:end]) + bytes(last)

    assert "too large to read in place" in refused(edited(archive(tmp_path / "a.zip", "x"), lie), "too-large").message


def test_files_that_share_their_bytes_are_refused(tmp_path):
    path = archive(tmp_path / "a.zip", "x", "y")

    def shared(content: bytearray) -> None:
        second = content.index(b"PK\x01\x02", central(content) + 4)
        content[second + 42 : second + 46] = struct.pack("<L", 0)

    assert "something else lies" in refused(edited(path, shared), "bad-archive").message


def test_more_files_than_products_have_are_refused_before_they_are_listed(tmp_path):
    def many(content: bytearray) -> None:
        end = content.index(END)
        content[end + 8 : end + 12] = struct.pack("<2H", MAX_ENTRIES + 1, MAX_ENTRIES + 1)

    refused(edited(archive(tmp_path / "a.zip", "x"), many), "too-large")


@pytest.mark.parametrize(("field", "value"), [(12, 1), (12, 10**6), (16, 1), (16, 2**31), (10, 0), (10, 9)], ids=str)
def test_a_list_that_is_not_where_it_says_or_not_as_long_is_refused(tmp_path, field, value):
    def lie(content: bytearray) -> None:
        end = content.index(END)
        size = 2 if field == 10 else 4
        places = (8, 10) if field == 10 else (field,)
        for place in places:
            content[end + place : end + place + size] = value.to_bytes(size, "little")

    path = edited(archive(tmp_path / "a.zip", "x", "y"), lie)
    with pytest.raises(InputError) as caught:
        read_archive(path)
    assert caught.value.code in ("bad-archive", "truncated")


def test_something_before_or_behind_the_archive_is_refused(tmp_path):
    path = archive(tmp_path / "a.zip", "x")
    whole = path.read_bytes()
    path.write_bytes(b"PK\x03\x04junk" + whole)
    refused(path, "bad-archive")
    path.write_bytes(whole + b"junk")
    refused(path, "truncated")
    path.write_bytes(whole[:-5])
    refused(path, "truncated")
    path.write_bytes(whole[:-22])
    refused(path, "truncated")


def test_a_comment_is_read_over_unless_it_holds_a_second_end(tmp_path):
    for comment, fine in ((b"made by a service", True), (END + bytes(18), False)):
        with zipfile.ZipFile(archive(tmp_path / "a.zip", "x"), "a") as file:
            file.comment = comment
        if fine:
            assert set(read_archive(tmp_path / "a.zip").entries) == {"x"}
        else:
            with pytest.raises(InputError):
                read_archive(tmp_path / "a.zip")


def test_archives_with_large_fields_are_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file, file.open("f/x.bin", "w", force_zip64=True) as inside:
        inside.write(b"content")
    assert read_bytes(tmp_path / "a.zip" / "f" / "x.bin", limit_bytes=10) == b"content"

    def large(content: bytearray) -> bytes:
        """The same archive with the end of 64-bit archives."""
        end = content.index(END)
        _, _, _, _, count, length, start, _ = struct.unpack("<4s4H2LH", content[end : end + 22])
        record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, length, start)
        locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
        last = struct.pack("<4s4H2LH", END, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
        return bytes(content[:end]) + record + locator + last

    path = edited(tmp_path / "a.zip", large)
    assert read_bytes(path / "f" / "x.bin", limit_bytes=10) == b"content"
    with zipfile.ZipFile(path) as same:
        assert same.namelist() == ["f/x.bin"]


def test_archives_that_were_written_while_they_were_sent_are_read(tmp_path):
    class Sent:
        """A stream without a place, as that of a server: sizes follow the content."""

        def __init__(self) -> None:
            self.content = b""

        def write(self, part: bytes) -> int:
            self.content += part
            return len(part)

        def flush(self) -> None:
            pass

    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        sent = Sent()
        with zipfile.ZipFile(sent, "w", method) as file:
            file.writestr("f/x.bin", b"content" * 99)
            file.writestr("f/y.bin", b"other")
        path = tmp_path / f"{method}.zip"
        path.write_bytes(sent.content)
        assert sent.content[6] & 8
        assert read_bytes(path / "f" / "x.bin", limit_bytes=1000) == b"content" * 99


def test_two_ends_that_differ_are_refused(tmp_path):
    def two(content: bytearray) -> bytes:
        end = content.index(END)
        length, start = struct.unpack("<2L", content[end + 12 : end + 20])
        record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 2, 2, length, start)
        return bytes(content[:end]) + record + struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1) + bytes(content[end:])

    assert "differ" in refused(edited(archive(tmp_path / "a.zip", "x"), two), "bad-archive").message


def test_a_file_that_is_called_otherwise_in_its_place_is_refused(tmp_path):
    path = archive(tmp_path / "a.zip", "x.tif", "y.tif")

    def other(content: bytearray) -> None:
        content[30] = ord("z")

    edited(path, other)
    assert read_bytes(path / "y.tif", limit_bytes=1000)
    with pytest.raises(InputError, match="another in its place"):
        open_bytes(path / "x.tif")


@pytest.mark.parametrize("claimed", [20, 400])
def test_a_file_that_unpacks_to_another_size_is_damaged(tmp_path, claimed):
    def lie(content: bytearray) -> None:
        content[22:26] = content[central(content) + 24 : central(content) + 28] = struct.pack("<L", claimed)

    path = edited(archive(tmp_path / "a.zip", "x"), lie)
    with pytest.raises(InputError) as caught:
        read_bytes(path / "x", limit_bytes=1000)
    assert caught.value.code == "damaged"


def test_the_checksum_of_a_stored_and_of_a_deflated_file_counts(tmp_path):
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        wrong = struct.pack("<L", zlib.crc32(b"other"))

        def lie(content: bytearray, wrong: bytes = wrong) -> None:
            content[14:18] = content[central(content) + 16 : central(content) + 20] = wrong

        path = edited(archive(tmp_path / "a.zip", "x", method=method), lie)
        with pytest.raises(InputError, match="damaged"):
            read_bytes(path / "x", limit_bytes=1000)
        os.utime(path, ns=(0, 1))


def test_files_and_folders_in_an_archive_are_found_by_their_paths(tmp_path):
    path = archive(tmp_path / "a.zip", "f/x.tif", "f/g/y.tif", "__MACOSX/f/._x.tif", "f/._x.tif")
    assert is_folder(path) and is_folder(path / "f" / "g") and not is_folder(path / "f" / "x.tif")
    assert is_file(path / "f" / "x.tif") and not is_file(path / "f") and not is_file(path / "h")
    assert listed(path) == [path / "f"]
    assert listed(path / "f") == [path / "f" / "g", path / "f" / "x.tif"]
    assert on_disk(path / "f" / "x.tif") == path and on_disk(tmp_path / "none") == tmp_path / "none"
    assert local_path(f"{path}/f/x.tif") == path / "f" / "x.tif"
    for gone in ("f/z.tif", "f/../f/x.tif", "../a.zip/f/x.tif/y"):
        with pytest.raises(InputError) as caught:
            local_path(f"{path}/{gone}")
        assert caught.value.code == "missing-file"


def test_gdal_is_told_of_plain_names_only(tmp_path):
    path = archive(tmp_path / "a.zip", "f/x.tif", "f/{x}.tif", "f/\u202ex.tif")
    assert gdal_name(path / "f" / "x.tif") == f"/vsizip/{{{path}}}/f/x.tif"
    assert path_of(f"/vsizip/{{{path}}}/f/x.tif") == path / "f" / "x.tif"
    assert path_of(str(tmp_path / "{a}" / "x.tif")) == tmp_path / "{a}" / "x.tif"
    odd = archive(tmp_path / "}{a.zip", "x.tif")
    for name in (path / "f" / "{x}.tif", path / "f" / "\u202ex.tif", odd / "x.tif"):
        with pytest.raises(InputError) as caught:
            gdal_name(name)
        assert caught.value.code == "bad-archive"
    assert gdal_name(tmp_path / "{a}.tif") == tmp_path / "{a}.tif"


@pytest.mark.parametrize("name", ["Wölkchen über Köln.zip", "a b!c.zip", "日本.zip", "zip+a#b?c.zip", "a.bin"])
def test_archives_of_odd_names_are_read(write, make_surface, tmp_path, name):
    values = make_surface(1)
    with zipfile.ZipFile(tmp_path / name, "w") as file:
        file.write(write("B02.tif", values), "söme 日 folder/B02 (Raw).tif")
    with LocalRaster(tmp_path / name / "söme 日 folder" / "B02 (Raw).tif").open() as dataset:
        assert np.array_equal(dataset.read(), values)
    assert Scene.open(tmp_path / name).bands == ("B02",)


def test_files_beside_a_raster_in_an_archive_are_not_opened(write, make_surface, tmp_path):
    path = write("B02.tif", make_surface(1))
    vrt = '<VRTDataset rasterXSize="1" rasterYSize="1"><VRTRasterBand dataType="UInt16" band="1"/></VRTDataset>'
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.write(path, "B02.tif")
        for ending in (".ovr", ".msk", ".aux.xml"):
            file.writestr(f"B02.tif{ending}", vrt)
        file.writestr("B03.tif", vrt)
    with LocalRaster(tmp_path / "a.zip" / "B02.tif").open() as dataset:
        assert dataset.files == [f"/vsizip/{{{tmp_path / 'a.zip'}}}/B02.tif"]
        assert np.array_equal(dataset.read(), make_surface(1))
    with pytest.raises(InputError, match="virtual raster"):
        LocalRaster(tmp_path / "a.zip" / "B03.tif").open()


def test_an_archive_that_changes_is_listed_again(tmp_path):
    path = archive(tmp_path / "a.zip", "x")
    assert set(read_archive(path).entries) == {"x"}
    archive(path, "x", "yy")
    assert set(read_archive(path).entries) == {"x", "yy"}


def test_an_archive_in_an_archive_is_no_folder(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.write(archive(tmp_path / "inner.zip", "x.tif"), "inner.zip")
    assert not is_file(tmp_path / "a.zip" / "inner.zip" / "x.tif")
    with pytest.raises(InputError):
        Scene.open(tmp_path / "a.zip")
