"""A virtual raster (VRT) over local files is read as one raster; it leads to no other file, driver or address."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from affine import Affine
from rasterio.vrt import WarpedVRT
from vrt_files import band, document, source, stacked

from sunbreak.errors import InputError
from sunbreak.sources import LocalRaster, VirtualRaster, raster_source
from sunbreak.sources.gdal import environment

URL = "http://127.0.0.1:9/x.tif"


def values_of(path: Path) -> np.ndarray:
    raster = raster_source(path)
    raster.check()
    with raster.open() as dataset, raster.reading():
        return dataset.read()


def refused(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        values_of(path)
    assert caught.value.exit_status == 2
    assert "\n" not in str(caught.value) and caught.value.hint
    assert path.name in caught.value.message
    return caught.value


def write_text(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def tile(write, make_surface) -> Path:
    """A file of two bands."""
    return write("tile.tif", make_surface(2))


def single(tmp_path: Path, *sources: str, **options) -> Path:
    return write_text(tmp_path / "v.vrt", document([band(*sources)], **options))


# what is read


def test_a_stack_of_files_reads_as_the_files_do(write, make_surface, tmp_path: Path) -> None:
    values = make_surface(3)
    files = [write(f"{number}.tif", one[None]) for number, one in enumerate(values)]
    path = stacked(tmp_path / "stack.vrt", files)
    assert isinstance(raster_source(path), VirtualRaster)
    assert np.array_equal(values_of(path), values)
    with raster_source(path).open() as dataset, rasterio.open(files[0]) as first:
        assert (dataset.crs, dataset.transform, dataset.shape) == (first.crs, first.transform, first.shape)
        assert dataset.dtypes == ("uint16",) * 3


def test_files_of_jpeg_2000_are_read_too(write, make_surface, tmp_path: Path) -> None:
    values = make_surface(1, 64, 64)
    with rasterio.open(write("plain.tif", values)) as plain:
        rasterio.shutil.copy(plain, tmp_path / "b02.jp2", driver="JP2OpenJPEG", quality=100, reversible="YES")
    assert np.array_equal(values_of(stacked(tmp_path / "v.vrt", [tmp_path / "b02.jp2"])), values)


def test_a_mosaic_holds_nodata_between_its_tiles(write, make_surface, tmp_path: Path) -> None:
    values = make_surface(1, 20, 30)
    left = write("tiles/left.tif", values, nodata=0)
    right = write("tiles/right.tif", values + 1, nodata=0, transform=Affine(10, 0, 600_400, 0, -10, 5_200_000))
    whole = (0, 0, 30, 20)
    parts = [source(left, taken=whole, placed=whole, below=tmp_path)]
    parts.append(source(right, taken=whole, placed=(40, 0, 30, 20), below=tmp_path))
    path = write_text(tmp_path / "mosaic.vrt", document([band(*parts)], (70, 20)))
    found = values_of(path)[0]
    assert np.array_equal(found[:, :30], values[0])
    assert np.array_equal(found[:, 40:], values[0] + 1)
    assert (found[:, 30:40] == 0).all()
    with raster_source(path).open() as dataset:
        assert dataset.nodata == 0
    assert "the nodata value is taken from its files" in " ".join(raster_source(path).remarks()[0])


def test_a_window_and_a_choice_of_bands_are_as_gdal_translate_cuts_them(tile, tmp_path: Path) -> None:
    cut = source(tile, 2, taken=(7, 3, 20, 10), placed=(0, 0, 20, 10), below=tmp_path)
    with rasterio.open(tile) as dataset:
        expected = dataset.read(2)[3:13, 7:27]
    assert np.array_equal(values_of(single(tmp_path, cut, size=(20, 10)))[0], expected)


def test_numbers_are_scaled_as_the_vrt_says(tile, tmp_path: Path) -> None:
    scaled = source(
        tile, below=tmp_path, kind="ComplexSource", more="<ScaleOffset>5</ScaleOffset><ScaleRatio>2</ScaleRatio>"
    )
    with rasterio.open(tile) as dataset:
        assert np.array_equal(values_of(single(tmp_path, scaled))[0], dataset.read(1) * 2 + 5)


def test_what_the_vrt_leaves_out_comes_from_the_files(write, make_surface, tmp_path: Path) -> None:
    write("named.tif", make_surface(1), names=["B04"], nodata=7, scales=(1e-4,), offsets=(-0.1,))
    path = single(tmp_path, source("named.tif", below=None).replace('ToVRT="0"', 'ToVRT="1"'))
    with raster_source(path).open() as dataset:
        assert (dataset.descriptions, dataset.nodata, dataset.scales, dataset.offsets) == (
            ("B04",),
            7,
            (1e-4,),
            (-0.1,),
        )
    said = " ".join(raster_source(path).remarks()[0])
    assert "the nodata value is" in said and "the scale and offset are" in said and "the names are" in said
    own = band(
        source(tmp_path / "named.tif"), more="<Description>x</Description><NoDataValue>3</NoDataValue><Scale>2</Scale>"
    )
    path = write_text(tmp_path / "own.vrt", document([own]))
    with raster_source(path).open() as dataset:
        assert (dataset.descriptions, dataset.nodata, dataset.scales, dataset.offsets) == (("x",), 3, (2,), (0,))


def test_a_nodata_value_of_one_file_is_nodata_in_the_mosaic_too(write, make_surface, tmp_path: Path) -> None:
    values = make_surface(1).astype("int16")
    values[0, :5] = -9999
    write("one.tif", values, nodata=-9999)
    mixed = band(source("one.tif", below=None).replace('ToVRT="0"', 'ToVRT="1"'), dtype="Int16")
    mixed = mixed.replace('"Int16">', '"Int16"><NoDataValue>-1</NoDataValue>')
    found = values_of(write_text(tmp_path / "v.vrt", document([mixed])))[0]
    assert (found[:5] == -1).all() and np.array_equal(found[5:], values[0, 5:])


def test_a_hidden_nodata_value_is_one_and_said(tile, tmp_path: Path) -> None:
    hidden = band(source(tile), more="<NoDataValue>7</NoDataValue><HideNoDataValue>1</HideNoDataValue>")
    path = write_text(tmp_path / "v.vrt", document([hidden]))
    with raster_source(path).open() as dataset:
        assert dataset.nodata == 7
    assert "HideNoDataValue" in " ".join(raster_source(path).remarks()[0])


def test_bands_of_another_pixel_size_are_said_to_be_resampled(write, make_surface, tmp_path: Path) -> None:
    coarse = write("coarse.tif", make_surface(1, 20, 25), transform=Affine(20, 0, 600_000, 0, -20, 5_200_000))
    path = stacked(tmp_path / "v.vrt", [write("fine.tif", make_surface(1)), coarse])
    assert np.array_equal(values_of(path)[1], np.kron(make_surface(1, 20, 25)[0], np.ones((2, 2), "uint16")))
    (said,) = (note for note in raster_source(path).remarks()[0] if "nearest" in note)
    assert "pixels of band 2 differ in size or place" in said


def test_masks_and_wider_numbers_that_a_vrt_does_not_keep_are_warned_of(write, make_surface, tmp_path: Path) -> None:
    path = write("masked.tif", make_surface(1).astype("float32"))
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as dataset:
        dataset.write_mask(np.arange(2000).reshape(40, 50) > 99)
    warned = " ".join(raster_source(single(tmp_path, source(path))).remarks()[1])
    assert "masks inside masked.tif" in warned
    assert "the type of band 1 is narrower" in warned


def test_a_mask_of_the_files_is_the_mask_of_a_vrt_that_says_so(write, make_surface, tmp_path: Path) -> None:
    path, shown = write("masked.tif", make_surface(1)), np.arange(2000).reshape(40, 50) > 99
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as dataset:
        dataset.write_mask(shown)
    part = {"taken": (5, 0, 20, 10), "placed": (0, 0, 20, 10)}
    used = source(path, kind="ComplexSource", more="<UseMaskBand>true</UseMaskBand>", **part)
    mask = f"<MaskBand>{band(source(path, **part).replace('>1</SourceBand', '>mask,1</SourceBand'), dtype='Byte')}</MaskBand>"
    raster = raster_source(single(tmp_path, used, size=(20, 10), more=mask))
    with raster.open() as dataset, raster.reading():
        assert np.array_equal(dataset.dataset_mask() > 0, shown[:10, 5:25])
        assert np.array_equal(dataset.read(1), np.where(shown, make_surface(1)[0], 0)[:10, 5:25])
    assert raster.remarks()[1] == []


def test_a_link_to_a_vrt_counts_its_paths_from_the_vrt(tile, tmp_path: Path) -> None:
    path = single(tmp_path, source(tile, below=tmp_path))
    link = tmp_path / "links" / "l.vrt"
    link.parent.mkdir()
    link.symlink_to(path)
    assert values_of(link).shape == (1, 40, 50)


def test_a_virtual_raster_travels_between_processes_and_can_be_warped(tile, tmp_path: Path) -> None:
    raster = raster_source(single(tmp_path, source(tile)))
    assert pickle.loads(pickle.dumps(raster)) == raster
    with raster.open() as dataset, raster.reading():
        shrunk = {"transform": dataset.transform @ Affine.scale(2), "width": 25, "height": 20}
        with WarpedVRT(dataset, crs=dataset.crs, **shrunk) as warped:
            assert warped.read(1).any()


@pytest.mark.parametrize("name", ["Wölkchen über Köln.tif", "日本 2018.tif", "a&b<c>.tif", "a'b\"c.tif", "a%20=b.tif"])
def test_odd_file_names_are_read(write, make_surface, tmp_path: Path, name: str) -> None:
    write(name, make_surface(1))
    written = name.replace("&", "&amp;").replace("<", "&lt;")
    assert np.array_equal(values_of(single(tmp_path, source(written).replace('"0"', '"1"', 1))), make_surface(1))


# identity


def test_the_fingerprint_covers_the_vrt_and_its_files(tile, tmp_path: Path) -> None:
    path = single(tmp_path, source(tile))
    raster = raster_source(path)
    assert raster.files == (path, tile)
    first = raster.fingerprint()
    assert first.size == path.stat().st_size + tile.stat().st_size
    assert raster.fingerprint() == first
    os.utime(tile, ns=(0, tile.stat().st_mtime_ns - 10**9))
    second = raster.fingerprint()
    assert second != first
    os.utime(path, ns=(0, path.stat().st_mtime_ns - 10**9))
    assert raster.fingerprint() not in (first, second)


def test_a_file_that_changes_is_looked_at_again(tile, write, make_surface, tmp_path: Path) -> None:
    path = single(tmp_path, source(tile))
    values_of(path)
    write("tile.tif", make_surface(1, seed=9))
    os.utime(tile, ns=(0, 1))
    assert np.array_equal(values_of(path), make_surface(1, seed=9))
    tile.write_text(document([band(source(URL))]))
    assert "virtual raster" in refused(path).message


# what is not read


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (document([], attributes=' subClass="VRTWarpedDataset"'), "VRTWarpedDataset"),
        (document([], attributes=' subClass="VRTPansharpenedDataset"'), "VRTPansharpenedDataset"),
        (document([band()], more="<GDALWarpOptions/>"), "GDALWarpOptions"),
        (document([band()], more="<Group name='/'/>"), "Group"),
        (document([band(attributes=' subClass="VRTDerivedRasterBand"', more="<PixelFunctionType>sum</PixelFunctionType>")]), "VRTDerivedRasterBand"),
        (document([band(attributes=' subClass="VRTRawRasterBand"')]), "VRTRawRasterBand"),
        (document([band(more="<PixelFunctionCode>import os</PixelFunctionCode>")]), "PixelFunctionCode"),
        (document([band(source("a.tif", kind="KernelFilteredSource"))]), "KernelFilteredSource"),
        (document([band(source("a.tif", kind="AveragedSource"))]), "AveragedSource"),
        (document([band(source("a.tif", more="<OpenOptions><OOI key='X'>1</OOI></OpenOptions>"))]), "OpenOptions"),
        (document([band(source("a.tif", kind="ComplexSource", more="<LUT>0:0,1:1</LUT>"))]), "LUT"),
        (document([band(source("a.tif").replace(">1</SourceBand", ">mask,1</SourceBand"))]), "the mask of a file"),
    ],
)  # fmt: skip
def test_other_kinds_of_virtual_rasters_are_refused_by_name(tmp_path: Path, text: str, says: str) -> None:
    error = refused(write_text(tmp_path / "v.vrt", text))
    assert (error.code, says in error.message) == ("unsupported-vrt", True)
    assert "gdal_translate -of COG in.vrt out.tif" in error.hint


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<VRTDataset", "not well-formed"),
        (document([]), "no bands"),
        (document([band(source("a.tif"))], more="<MaskBand/>"), "more or less than one mask"),
        (document([band()]), "made of nothing"),
        (document([band()], ("64.5", 40)), "rasterXSize"),
        (document([band()], (-5, 40)), "rasterXSize"),
        (document([band()], (0, 40)), "rasterXSize"),
        (document([band()], transform="600000, nan, 0, 5200000, 0, -10"), "geotransform"),
        (document([band()], transform="600000, 1e999, 0, 5200000, 0, -10"), "geotransform"),
        (document([band()], transform="600000, 10, 0, 5200000, 0"), "geotransform"),
        (document([band(dtype="UInt17")]), "UInt17"),
        (document([band(more="<NoDataValue>none</NoDataValue>")]), "NoDataValue"),
        (document([band(more="<Scale>inf</Scale>")]), "Scale"),
        (document([band(source("a.tif", taken=(0, 0, -5, 5)))]), "SrcRect"),
        (document([band(source("a.tif", placed=(0, 0, float("nan"), 5)))]), "DstRect"),
        (document([band(source("a.tif", placed=(1e300, 0, 5, 5)))]), "DstRect"),
        (document([band("<SimpleSource><SourceBand>1</SourceBand></SimpleSource>")]), "names no file"),
        (document([band(source("a.tif", 0))]), "SourceBand"),
        ("<VRTDataset>" + "<a>" * 10_000 + "</a>" * 10_000 + "</VRTDataset>", "nested"),
        ("<VRTDataset>" + "<a/>" * 600_000 + "</VRTDataset>", "500,000 elements"),
        ('<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><VRTDataset>&b;</VRTDataset>', "document type"),
        ('<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><VRTDataset/>', "document type"),
        ('<?xml version="1.0" encoding="x-nothing"?><VRTDataset/>', "encoding"),
        ("<other><VRTDataset/></other>", "XML text other"),
    ],
)  # fmt: skip
def test_texts_that_are_not_valid_are_refused(tmp_path: Path, text: str, says: str) -> None:
    error = refused(write_text(tmp_path / "v.vrt", text))
    assert (error.code, says in error.message) == ("bad-vrt", True), error.message


def test_absurd_sizes_are_refused(write, make_surface, tile, tmp_path: Path) -> None:
    assert refused(single(tmp_path, size=(400_000, 40))).code == "too-large"
    many = document([band(*[source(tile)] * 20_001)])
    assert "20001 sources" in refused(write_text(tmp_path / "many.vrt", many)).message
    part = source(tile, taken=(0, 0, 50, 40), placed=(0, 0, 50, 40))
    assert "next to nothing" in refused(single(tmp_path, part, size=(290_000, 290_000))).message
    assert "too large a difference" in refused(single(tmp_path, source(tile), size=(290_000, 290_000))).message
    assert "lays more than 32 files" in refused(single(tmp_path, *[source(tile)] * 33)).message


def test_files_that_do_not_fit_the_vrt_are_refused(write, make_surface, tile, tmp_path: Path) -> None:
    assert "takes band 3 of tile.tif, which has 2" in refused(single(tmp_path, source(tile, 3))).message
    properties = '<SourceProperties RasterXSize="51" RasterYSize="40"/>'
    assert "made for another tile.tif" in refused(single(tmp_path, source(tile, more=properties))).message
    cubic = source(tile, attributes=' resampling="cubic"', taken=(0, 0, 25, 20), placed=(0, 0, 50, 40))
    assert "resamples band 1 (cubic)" in refused(single(tmp_path, cubic)).message
    assert values_of(single(tmp_path, source(tile, attributes=' resampling="cubic"'))).any()
    other = write("other.tif", make_surface(1), scales=(1e-4,), offsets=(-0.1,))
    assert refused(single(tmp_path, source(tile), source(other))).code == "mixed-units"


@pytest.mark.parametrize(
    "name", ["/vsicurl/{}", "{}", "vrt://{}", "WMS:{}", "&lt;VRTDataset&gt;", "/vsizip/a.zip/a.tif", "GTIFF_DIR:1:tile.tif"]
)  # fmt: skip
@pytest.mark.parametrize("below", [True, False])
def test_addresses_and_connection_strings_are_refused(tile, tmp_path: Path, listener: str, name: str, below) -> None:
    one = source(name.format(f"{listener}/x.tif"))
    error = refused(single(tmp_path, one.replace('ToVRT="0"', 'ToVRT="1"') if below else one))
    assert (error.code, "not a local file" in error.message) == ("vrt-source", True), error.message


def test_files_outside_of_the_folder_are_refused(write, make_surface, tmp_path: Path) -> None:
    outside = write("outside.tif", make_surface(1))
    folder = tmp_path / "folder"
    for one in (
        source(outside),
        source(outside, below=folder),
        source("/etc/hostname"),
        source("../folder/../outside.tif"),
    ):
        path = write_text(folder / "v.vrt", document([band(one)]))
        assert refused(path).code == "vrt-source"
    (folder / "link.tif").symlink_to(outside)
    path = write_text(folder / "v.vrt", document([band(source(folder / "link.tif"))]))
    assert "outside the VRT's own folder" in refused(path).message


def test_files_that_are_no_rasters_are_refused_by_name(tile, tmp_path: Path) -> None:
    assert "there is no such file" in refused(single(tmp_path, source(tmp_path / "none.tif"))).message
    (tmp_path / "text.tif").write_text("no raster")
    assert "text.tif is not a raster" in refused(single(tmp_path, source(tmp_path / "text.tif"))).message
    os.mkfifo(tmp_path / "pipe.tif")
    assert "pipe.tif is a named pipe" in refused(single(tmp_path, source(tmp_path / "pipe.tif"))).message
    assert "is a folder" in refused(single(tmp_path, source(tmp_path))).message
    (tmp_path / "loop.tif").symlink_to(tmp_path / "loop.tif")
    refused(single(tmp_path, source(tmp_path / "loop.tif")))
    tile.write_bytes(tile.read_bytes()[:3000])
    assert "tile.tif is truncated" in refused(single(tmp_path, source(tile))).message


def test_a_vrt_over_a_vrt_is_refused_whatever_it_is_called(tile, tmp_path: Path, listener: str) -> None:
    inner = document([band(source(f"/vsicurl/{listener}/x.tif"))])
    for name in ("inner.vrt", "inner.tif", "v.vrt"):
        write_text(tmp_path / name, inner)
        assert "virtual raster" in refused(single(tmp_path, source(tmp_path / name))).message


def test_files_beside_the_files_are_not_read(tile, write, make_surface, tmp_path: Path, listener: str) -> None:
    pam = (
        f'<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">/vsicurl/{listener}/x.tif</MDI></Metadata>'
    )
    tile.with_name("tile.tif.aux.xml").write_text(f"{pam}</PAMDataset>")
    for suffix in (".ovr", ".msk"):
        write("zeros.tif", np.zeros_like(make_surface(2))).rename(tile.with_name(f"tile.tif{suffix}"))
    path = single(tmp_path, source(tile))
    path.with_name("v.vrt.aux.xml").write_text(f"{pam}</PAMDataset>")
    path.with_name("v.vrt.ovr").write_text(document([band(source(f"/vsicurl/{listener}/x.tif"))]))
    raster = raster_source(path)
    with raster.open() as dataset, raster.reading():
        assert dataset.overviews(1) == []
        assert dataset.read(1, out_shape=(5, 5)).any()
        assert dataset.dataset_mask().all()
        with environment():
            assert dataset.read(1).any()


def test_a_file_whose_tags_name_other_overviews_is_refused(tile, tmp_path: Path, listener: str) -> None:
    with rasterio.open(tile, "r+") as dataset:
        dataset.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=f"/vsicurl/{listener}/x.tif")
    assert "name another file for its overviews" in refused(single(tmp_path, source(tile))).message


def test_gdal_opens_a_file_with_the_driver_that_was_checked_and_no_other(tile, tmp_path: Path, listener: str) -> None:
    raster = raster_source(single(tmp_path, source(tile)))
    with raster.open() as dataset:
        tile.write_text(document([band(source(f"/vsicurl/{listener}/x.tif"))]))  # exchanged behind its back
        with pytest.raises(InputError) as caught, raster.reading():
            dataset.read(1)
    assert caught.value.code == "damaged"


@pytest.mark.parametrize(
    "crs", ["{}/crs", "/etc/hostname", "+proj=utm +zone=32 +nadgrids=/etc/hostname", "+init={}/crs:1", "EPSG:1"]
)
def test_a_coordinate_system_that_is_no_code_and_no_wkt_is_refused(tile, tmp_path: Path, listener: str, crs) -> None:
    assert refused(single(tmp_path, source(tile), crs=crs.format(listener))).code == "bad-crs"


def test_coordinate_systems_that_name_grids_are_refused_and_web_mercator_is_not(tile, tmp_path: Path) -> None:
    web = rasterio.crs.CRS.from_epsg(3857).to_wkt().replace("<", "&lt;")
    assert values_of(single(tmp_path, source(tile), crs=web)).any()
    hidden = web.replace("@null", "/etc/hostname")  # GDAL knows it by its name and parameters
    with raster_source(single(tmp_path, source(tile), crs=hidden)).open() as dataset:
        assert "hostname" not in dataset.crs.to_wkt()
    tilted = rasterio.crs.CRS.from_proj4("+proj=tmerc +lon_0=9.1 +nadgrids=/etc/hostname").to_wkt()
    assert "hostname" in tilted
    assert refused(single(tmp_path, source(tile), crs=tilted)).code == "bad-crs"


def test_a_damaged_block_is_reported_with_the_name_of_its_file(write, make_surface, tmp_path: Path) -> None:
    values = make_surface(1, 200, 200)
    path = write("bad.tif", values, compress="zstd", tiled=True, blockxsize=64, blockysize=64)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4000] = bytes(4000)
    path.write_bytes(bytes(data))
    error = refused(stacked(tmp_path / "v.vrt", [write("good.tif", values), path]))
    assert error.code == "damaged"
    assert "bad.tif, a file of v.vrt, is damaged" in error.message


def test_only_a_file_that_is_called_a_vrt_is_read_as_one(tile, tmp_path: Path) -> None:
    path = single(tmp_path, source(tile)).rename(tmp_path / "v.tif")
    assert isinstance(raster_source(path), LocalRaster)
    assert refused(path).code == "unsupported-driver"
    named = tile.rename(tmp_path / "tile.vrt")
    assert isinstance(raster_source(named), LocalRaster)
    assert values_of(named).shape == (2, 40, 50)
