"""Rasters on a server: only GeoTIFFs, only the parts that are needed, only through Python."""

from __future__ import annotations

import struct
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio
from faulty_server import FaultyServer, Handler, half, hang_up, stall, status, unless_signed
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from sunbreak.errors import Cancelled, SunbreakError
from sunbreak.events import Reporter
from sunbreak.sources.remote import RemoteRaster

SIDE = 2048


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    """(2, row, column) uint16 that compresses by about half."""
    rng = np.random.default_rng(0)
    ground = np.kron(rng.integers(500, 4000, (2, SIDE // 32, SIDE // 32)), np.ones((32, 32), int))
    return (ground + rng.integers(0, 60, ground.shape)).astype("uint16")


@pytest.fixture(scope="module")
def cog(values: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return tiff(
        tmp_path_factory.mktemp("cog") / "a.tif",
        values,
        driver="COG",
        compress="deflate",
        blocksize=256,
        overview_resampling="average",
    )


def tiff(path: Path, values: np.ndarray, **options) -> bytes:
    profile = {"driver": "GTiff", "crs": "EPSG:32632", "transform": rasterio.Affine(10, 0, 5e5, 0, -10, 5e6), **options}
    with rasterio.open(
        path, "w", count=len(values), height=values.shape[1], width=values.shape[2], dtype=values.dtype, **profile
    ) as dataset:
        dataset.write(values)
    return path.read_bytes()


def patch(data: bytes, tag: int, value: int) -> bytes:
    """A little-endian classic TIFF with another number in a tag of its first directory."""
    place = struct.unpack("<I", data[4:8])[0]
    for entry in range(struct.unpack("<H", data[place : place + 2])[0]):
        start = place + 2 + 12 * entry
        if struct.unpack("<H", data[start : start + 2])[0] == tag:
            return data[: start + 2] + struct.pack("<HII", 4, 1, value) + data[start + 12 :]
    raise AssertionError(f"no tag {tag}")


def fails(call, code: str) -> SunbreakError:
    with pytest.raises(SunbreakError) as caught:
        call()
    error = caught.value
    assert error.code == code and error.hint
    assert "\n" not in str(error) and "sig=" not in str(error) and "/vsi" not in str(error)
    return error


@pytest.fixture
def raster(server: FaultyServer, cog: bytes, connect) -> RemoteRaster:
    server.files["/a.tif"] = cog
    return RemoteRaster(connect(), server.url("/a.tif"), name="B04 of an item")


def test_a_window_is_what_it_is_in_the_file(raster: RemoteRaster, values: np.ndarray) -> None:
    window = Window(300, 777, 512, 400)
    assert np.array_equal(raster.read(window), values[0, 777:1177, 300:812])
    assert np.array_equal(raster.read(window, band=(2, 1)), values[::-1, 777:1177, 300:812])
    with raster.open() as dataset:
        assert dataset.crs.to_epsg() == 32632 and dataset.transform.e == -10 and dataset.overviews(1) == [2, 4, 8]


def test_only_the_header_and_the_blocks_of_the_window_are_asked_for(
    server: FaultyServer, raster: RemoteRaster, tmp_path: Path, cog: bytes
) -> None:
    raster.read(Window(300, 300, 512, 512))
    (tmp_path / "a.tif").write_bytes(cog)
    with rasterio.open(tmp_path / "a.tif") as dataset:
        names = [f"BLOCK_SIZE_{column}_{row}" for row in (1, 2, 3) for column in (1, 2, 3)]
        blocks = sum(int(dataset.get_tag_item(name, "TIFF", bidx=1)) for name in names)
    assert blocks < server.sent - 65_536 < blocks + 3 * 64
    assert len(server.asked) == 1 + 3


def test_small_shapes_come_from_the_overviews(server: FaultyServer, raster: RemoteRaster, values, cog: bytes) -> None:
    small = raster.read(out_shape=(SIDE // 8, SIDE // 8), resampling=Resampling.average)
    truth = values[0].reshape(SIDE // 8, 8, SIDE // 8, 8).mean((1, 3))
    assert np.abs(small - truth).max() < 3
    assert server.sent < len(cog) / 20 + 65_536
    assert raster.read(out_shape=(64, 64), band=[1, 2]).shape == (2, 64, 64)


def test_reading_again_needs_no_request(server: FaultyServer, raster: RemoteRaster) -> None:
    first = raster.read(Window(0, 0, 100, 100))
    asked = len(server.asked)
    assert np.array_equal(raster.read(Window(0, 0, 100, 100)), first)
    assert len(server.asked) == asked


def test_nothing_beside_the_raster_is_asked_for(server: FaultyServer, raster: RemoteRaster) -> None:
    for suffix in (".ovr", ".msk", ".aux.xml"):
        server.files["/a.tif" + suffix] = b"<VRTDataset/>"
    with raster.open() as dataset:
        dataset.read(1, out_shape=(100, 100))
        dataset.dataset_mask(out_shape=(50, 50))
        assert dataset.stats(indexes=[1], approx=True)
        with WarpedVRT(dataset, crs="EPSG:32633") as warped:
            warped.read(1, window=Window(500, 500, 10, 10))
        assert len(dataset.files) == 1
    assert {path for _, path, _ in server.asked} == {"/a.tif"}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"tiled": True, "blockxsize": 256, "blockysize": 256}, ""),
        ({"compress": "lzw", "BIGTIFF": "YES"}, ""),
        ({"interleave": "pixel", "compress": "deflate", "predictor": 2}, ""),
        ({"ENDIANNESS": "BIG"}, ""),
    ],
)
def test_geotiffs_that_are_no_cogs_are_read_too(server, connect, values, tmp_path, options: dict, code: str) -> None:
    server.files["/a.tif"] = tiff(tmp_path / "a.tif", values, **options)
    raster = RemoteRaster(connect(), server.url("/a.tif"))
    assert np.array_equal(raster.read(Window(1000, 1000, 50, 50), band=[1, 2]), values[:, 1000:1050, 1000:1050])
    assert server.sent < len(server.files["/a.tif"]) / 4


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<VRTDataset rasterXSize='1' rasterYSize='1'></VRTDataset>", "not-a-raster"),
        (b"<html>sign in</html>", "not-a-raster"),
        (b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(500), "not-a-raster"),
        (b"II*\0", "truncated"),
        (b"II*\0\x08\0\0\0", "truncated"),
        (b"II*\0" + b"\xff" * 200, "truncated"),
        (b"", "not-a-raster"),
    ],
)
def test_whatever_is_no_geotiff_is_refused_before_gdal_sees_it(server, connect, monkeypatch, content, code) -> None:
    monkeypatch.setattr("sunbreak.sources.remote.raster.open_container", lambda *_: pytest.fail("GDAL saw it"))
    server.files["/a.tif"] = content
    raster = RemoteRaster(connect(), server.url("/a.tif?sig=1"))
    fails(raster.read, code)
    assert "/a.tif" in fails(raster.read, code).message
    assert ("JPEG 2000" in fails(raster.read, code).message) == (b"jP" in content)


@pytest.mark.parametrize(
    ("tag", "value", "code"),
    [
        (256, 4_000_000, "too-large"),  # width
        (257, 4_000_000_000, "too-large"),  # height
        (322, 65_536, "too-large"),  # width of a block
        (277, 5_000, "too-large"),  # bands
        (324, 2**31, "truncated"),  # place of the one block
    ],
)
def test_headers_that_claim_too_much_are_refused(server, connect, tmp_path, tag: int, value: int, code: str) -> None:
    data = tiff(tmp_path / "a.tif", np.ones((1, 256, 256), "uint16"), tiled=True, blockxsize=256, blockysize=256)
    data = patch(data, tag, value)
    if tag == 322:
        data = patch(data, 323, value)
    server.files["/a.tif"] = data
    fails(RemoteRaster(connect(), server.url("/a.tif"), name="B04").read, code)
    assert server.sent < 200_000


def test_a_block_table_without_end_is_not_read(server, connect, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("sunbreak.sources.remote.raster._MOST_BLOCKS", 3)
    server.files["/a.tif"] = tiff(
        tmp_path / "a.tif", np.ones((1, 64, 64), "uint16"), tiled=True, blockxsize=16, blockysize=16
    )
    assert "blocks" in fails(RemoteRaster(connect(), server.url("/a.tif")).read, "truncated").message


def test_a_raster_that_is_cut_off_on_the_server_is_refused(server, connect, cog: bytes) -> None:
    server.files["/a.tif"] = cog[: len(cog) // 2]
    assert "beyond the end" in fails(RemoteRaster(connect(), server.url("/a.tif")).read, "truncated").message


def test_complex_radar_and_tags_that_name_a_file_are_refused(server, connect, tmp_path, listener) -> None:
    server.files["/c.tif"] = tiff(tmp_path / "c.tif", np.ones((1, 32, 32), "complex64"))
    fails(RemoteRaster(connect(), server.url("/c.tif")).read, "complex")
    tiff(tmp_path / "o.tif", np.ones((1, 32, 32), "uint8"))
    with rasterio.open(tmp_path / "o.tif", "r+") as dataset:
        dataset.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=f"/vsicurl/{listener}/x.tif")
    server.files["/o.tif"] = (tmp_path / "o.tif").read_bytes()
    assert "another file" in fails(RemoteRaster(connect(), server.url("/o.tif")).read, "not-a-raster").message


def test_damaged_blocks_are_said_to_be_damaged(server: FaultyServer, raster: RemoteRaster, cog: bytes) -> None:
    server.files["/a.tif"] = cog[:-600_000] + bytes(600_000)
    error = fails(lambda: raster.read(Window(0, SIDE - 256, SIDE, 256), band=2), "damaged")
    assert "B04 of an item" in error.message


@pytest.mark.parametrize(
    ("fault", "code"), [(status(500), "server-error"), (half, "cut-off"), (hang_up, "cut-off"), (stall(0.8), "slow")]
)
@pytest.mark.parametrize("read_before", [0, 1])
def test_errors_of_the_connection_come_out_as_they_are(
    server: FaultyServer, cog, connect, values, fault, code: str, read_before: int
) -> None:
    server.files["/a.tif"] = cog
    raster = RemoteRaster(
        connect(attempts=2, read_s=0.4 if code == "slow" else 3),
        server.url("/a.tif"),
        lambda href, again: href + "?sig=1",
    )
    if read_before:  # the header is there: the error is met within GDAL
        raster.read(Window(0, 0, 10, 10))
    server.faults = [fault, fault]
    fails(lambda: raster.read(Window(1000, 1000, 300, 300)), code)
    server.faults = [fault]
    assert np.array_equal(raster.read(Window(1000, 1000, 300, 300)), values[0, 1000:1300, 1000:1300])


@pytest.mark.parametrize("compress", ["none", "deflate"])
def test_no_read_succeeds_with_zeros_in_place_of_what_failed(server, connect, values, tmp_path, compress) -> None:
    server.files["/a.tif"] = tiff(tmp_path / "a.tif", values, driver="COG", compress=compress, blocksize=256)
    raster = RemoteRaster(connect(attempts=1), server.url("/a.tif"))
    got = []

    def use() -> None:
        with raster.open() as dataset:
            server.faults = [status(404)] * 3
            got.append(dataset.read(1, window=Window(700, 700, 256, 256)))

    fails(use, "not-found")
    server.faults = []
    assert np.array_equal(raster.read(Window(700, 700, 256, 256)), values[0, 700:956, 700:956])


def test_a_signature_that_expires_between_two_reads_is_renewed(server, connect, cog: bytes, values) -> None:
    server.files["/a.tif"] = cog
    now = ["1"]
    server.always = unless_signed(lambda: now[0])
    held = ["1"]

    def sign(href: str, again: bool) -> str:
        if again:
            held[0] = now[0]
        return f"{href}?sig={held[0]}"

    raster = RemoteRaster(connect(), server.url("/a.tif"), sign)
    raster.read(Window(0, 0, 10, 10))
    now[0] = "2"
    assert np.array_equal(raster.read(Window(1500, 1500, 20, 20)), values[0, 1500:1520, 1500:1520])
    now[0] = "3"
    forever = RemoteRaster(connect(), server.url("/a.tif"), lambda href, again: f"{href}?sig=1")
    fails(forever.read, "forbidden")


def test_a_file_that_changes_between_two_reads_is_refused_and_read_afresh(server, connect, cog, raster) -> None:
    raster.read(Window(0, 0, 10, 10))
    server.tag = '"2"'
    fails(lambda: raster.read(Window(1500, 1500, 20, 20)), "changed")
    assert RemoteRaster(connect(), server.url("/a.tif")).read(Window(1500, 1500, 20, 20)).all()


def test_a_read_can_be_cancelled(server: FaultyServer, cog: bytes, connect) -> None:
    server.files["/a.tif"] = cog
    reporter = Reporter()
    raster = RemoteRaster(connect(reporter), server.url("/a.tif"))
    raster.read(Window(0, 0, 10, 10))
    server.faults = [status(503, Retry_After="20")]
    threading.Timer(0.2, reporter.cancellation.request).start()
    start = time.monotonic()
    with pytest.raises(Cancelled):
        raster.read(Window(1000, 1000, 300, 300))
    assert time.monotonic() - start < 10


def test_several_threads_read_one_raster(server: FaultyServer, raster: RemoteRaster, values: np.ndarray) -> None:
    right: list[bool] = []
    server.faults = [half, status(500), hang_up]

    def read(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for row, column in rng.integers(0, SIDE - 300, (6, 2)).tolist():
            found = raster.read(Window(column, row, 300, 300), band=[1, 2])
            right.append(np.array_equal(found, values[:, row : row + 300, column : column + 300]))

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert right == [True] * 24


def test_an_error_in_one_thread_leaves_another_alone(server: FaultyServer, raster: RemoteRaster, cog, values) -> None:
    def missing_below(handler: Handler) -> bool:
        start = int(handler.headers["Range"].split("=")[1].split("-")[0])
        return start > 0.8 * len(cog) and status(404)(handler)

    server.always = missing_below
    codes: list[str] = []

    def failing() -> None:
        try:
            raster.read(Window(0, SIDE - 300, SIDE, 300))
        except SunbreakError as error:
            codes.append(error.code)

    with raster.open() as dataset:
        thread = threading.Thread(target=failing)
        thread.start()
        thread.join(30)
        assert np.array_equal(dataset.read(1, window=Window(500, 500, 9, 9)), values[0, 500:509, 500:509])
    assert codes == ["not-found"]


def test_an_error_of_the_caller_is_raised_as_it_is(raster: RemoteRaster) -> None:
    with pytest.raises(KeyError), raster.open():
        raise KeyError("mine")


def test_nothing_is_left_behind(raster: RemoteRaster) -> None:
    from rasterio._vsiopener import _OPEN_FILE_EXIT_STACKS

    before = len(_OPEN_FILE_EXIT_STACKS.get({}))
    for _ in range(5):
        raster.read(Window(0, 0, 10, 10))
    assert len(_OPEN_FILE_EXIT_STACKS.get({})) == before
