"""A virtual raster (VRT) is a scene as its files are: same pixels, bands, dates, offsets and units."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from affine import Affine
from vrt_files import band, document, source, stacked

from sunbreak.errors import InputError
from sunbreak.jobs.result import provenance_of
from sunbreak.jobs.spec import DetectOptions, JobInputs, JobSpec
from sunbreak.jobs.travel import inputs_of
from sunbreak.layers.resume import run_identity
from sunbreak.scene import S2_BANDS, Scene
from sunbreak.scene.radiometry import Radiometry
from sunbreak.scene.reference_files import is_acquisition, search_folder
from sunbreak.scene.series_opening import open_series

PRODUCT = "S2B_MSIL2A_20200530T105629_N0500_R094_T30TVK_20230504T123456.SAFE"
GRANULE = "GRANULE/L2A_T30TVK_A016880_20200530T105629/IMG_DATA/R10m"
TEN_METRES = ("B02", "B03", "B04", "B08")


def pixels(scene: Scene) -> np.ndarray:
    with scene.reader() as reader:
        return reader.s2(scene.grid.window).raw


def said(scene: Scene) -> str:
    return " ".join((*scene.notes, *scene.warnings))


@pytest.fixture
def singles(write, make_surface, tmp_path: Path) -> list[Path]:
    """Thirteen files of one band, named as the bands of a product."""
    values = make_surface()
    return [
        write(f"bands/T32TQM_20220930T101649_{name}.tif", one[None]) for name, one in zip(S2_BANDS, values, strict=True)
    ]


def test_a_stack_is_the_scene_of_its_files(singles, write, make_surface, tmp_path: Path) -> None:
    whole = Scene.open(write("T32TQM_20220930T101649.tif", make_surface(), names=S2_BANDS))
    scene = Scene.open(stacked(tmp_path / "stack.vrt", singles))
    assert (scene.bands, scene.grid, scene.dtype, scene.nodata) == (whole.bands, whole.grid, whole.dtype, whole.nodata)
    assert (scene.level, scene.acquired, scene.radiometry) == (whole.level, whole.acquired, whole.radiometry)
    assert np.array_equal(pixels(scene), pixels(whole))
    assert scene.inputs == (tmp_path / "stack.vrt", *singles)
    assert "stack.vrt is a virtual raster (VRT) over 13 files in its folder." in scene.notes
    assert "known from its band descriptions or the names of its files" in said(scene)


def test_bands_in_any_order_are_known_by_their_files(singles, tmp_path: Path) -> None:
    scene = Scene.open(stacked(tmp_path / "stack.vrt", singles[::-1]))
    assert scene.bands == S2_BANDS
    assert np.array_equal(pixels(scene), pixels(Scene.open(singles)))


def test_one_multi_band_file_keeps_its_names(write, make_surface, tmp_path: Path) -> None:
    path = write("all.tif", make_surface(), names=S2_BANDS[::-1])
    bands = [band(source(path, number)) for number in range(1, 14)]
    (tmp_path / "qgis.vrt").write_text(document(bands))
    assert np.array_equal(pixels(Scene.open(tmp_path / "qgis.vrt")), pixels(Scene.open(path)))


def test_descriptions_of_the_vrt_come_before_the_names_of_its_files(singles, tmp_path: Path) -> None:
    named = band(source(singles[0]), more="<Description>B8A</Description>")
    (tmp_path / "named.vrt").write_text(document([named, band(source(singles[2]))]))
    assert Scene.open(tmp_path / "named.vrt").bands == ("B03", "B8A")


@pytest.fixture
def product(write, make_surface, tmp_path: Path) -> Path:
    """The 10 m bands of an L2A product with an offset that only its metadata states, and its SCL."""
    images = tmp_path / PRODUCT / GRANULE
    images.mkdir(parents=True)
    values = {name: make_surface(13, 60, 60)[S2_BANDS.index(name)] + 900 for name in TEN_METRES}
    scl = np.full((60, 60), 4, "uint8")
    scl[10:30, 10:30] = 9
    for name, one in {**values, "SCL": scl}.items():
        plain = write("plain.tif", one[None])
        with rasterio.open(plain) as opened:
            target = images / f"T30TVK_20200530T105629_{name}_10m.jp2"
            rasterio.shutil.copy(opened, target, driver="JP2OpenJPEG", quality=100, reversible="YES")
        plain.unlink()
    for left in tmp_path.rglob("*.aux.xml"):
        left.unlink()
    (tmp_path / PRODUCT / "MTD_MSIL2A.xml").write_text(
        "<x><BOA_QUANTIFICATION_VALUE>10000</BOA_QUANTIFICATION_VALUE>"
        + "".join(f'<BOA_ADD_OFFSET band_id="{i}">-900</BOA_ADD_OFFSET>' for i in range(13))
        + "<PROCESSING_BASELINE>05.00</PROCESSING_BASELINE></x>"
    )
    return images


def test_files_of_a_product_bring_its_level_date_and_offset(product: Path, tmp_path: Path) -> None:
    files = [product / f"T30TVK_20200530T105629_{name}_10m.jp2" for name in TEN_METRES]
    scene = Scene.open(stacked(tmp_path / "stack.vrt", files))
    assert (scene.bands, scene.level, scene.radiometry) == (TEN_METRES, "L2A", Radiometry("dn", -900.0, 10000.0))
    assert f"{scene.acquired:%Y-%m-%d %H:%M}" == "2020-05-30 10:56"


def test_a_classification_among_the_bands_and_as_a_mask_is_known_by_its_file(product: Path, tmp_path: Path) -> None:
    files = sorted(product.glob("*.jp2"))
    scene = Scene.open(stacked(tmp_path / "stack.vrt", files))
    assert scene.cloud_mask is not None and scene.cloud_mask.coding.name == "scl"
    mask = stacked(tmp_path / "mask.vrt", [path for path in files if "SCL" in path.name])
    scene = Scene.open(files[0], mask=mask)
    assert scene.cloud_mask is not None and scene.cloud_mask.coding.name == "scl"
    assert {mask, *files[:1]} <= set(scene.inputs) and any("SCL" in path.name for path in scene.inputs)
    assert "mask.vrt is a virtual raster" in said(scene)


def test_a_vrt_in_a_folder_of_its_files_is_left_out_and_said(singles, tmp_path: Path) -> None:
    before = Scene.open(tmp_path / "bands")
    stacked(tmp_path / "bands" / "stack.vrt", singles)
    (tmp_path / "bands" / "warped.vrt").write_text(document([], attributes=' subClass="VRTWarpedDataset"'))
    scene = Scene.open(tmp_path / "bands")
    assert np.array_equal(pixels(scene), pixels(before))
    assert scene.inputs == before.inputs
    assert "stack.vrt in the folder is left out: its files are in the folder too" in said(scene)
    assert "warped.vrt in the folder is left out" in said(scene)
    stacked(tmp_path / "bands" / "T32TQM_20220930T101649_B04.vrt", singles[3:4])
    assert is_acquisition(tmp_path / "bands")


def test_a_folder_of_vrts_is_a_scene(singles, tmp_path: Path) -> None:
    folder = tmp_path / "virtual"
    (folder / "files").mkdir(parents=True)
    for name, path in zip(S2_BANDS, singles, strict=True):
        path.rename(folder / "files" / path.name)
        stacked(folder / f"{name}.vrt", [folder / "files" / path.name])
    scene = Scene.open(folder)
    assert scene.bands == S2_BANDS
    assert scene.grid.shape == (40, 50)


def tiles(write, make_surface, left: str, right: str) -> list[str]:
    values = make_surface(2, 40, 25)
    shift = Affine(10, 0, 600_250, 0, -10, 5_200_000)
    bands = []
    for number, name in enumerate(("B03", "B04")):
        parts = [write(f"{left}_{name}.tif", values[number : number + 1])]
        parts.append(write(f"{right}_{name}.tif", values[number : number + 1], transform=shift))
        whole = (0, 0, 25, 40)
        bands.append(band(*(source(p, taken=whole, placed=(25 * i, 0, 25, 40)) for i, p in enumerate(parts))))
    return bands


def test_a_mosaic_of_two_tiles_of_one_day_is_a_scene(write, make_surface, tmp_path: Path) -> None:
    bands = tiles(write, make_surface, "T32TQM_20220930T101649", "T32TRM_20220930T101649")
    (tmp_path / "m.vrt").write_text(document(bands))
    scene = Scene.open(tmp_path / "m.vrt")
    assert scene.bands == ("B03", "B04")
    assert f"{scene.acquired:%Y-%m-%d}" == "2022-09-30"
    assert np.array_equal(pixels(scene), np.tile(make_surface(2, 40, 25), (1, 1, 2)))


def test_a_mosaic_of_two_days_has_no_date_and_says_so(write, make_surface, tmp_path: Path) -> None:
    (tmp_path / "m.vrt").write_text(document(tiles(write, make_surface, "T32TQM_20220930", "T32TRM_20220902")))
    scene = Scene.open(tmp_path / "m.vrt")
    assert scene.acquired is None
    assert "files of 2 dates (2022-09-02 to 2022-09-30)" in said(scene)


@pytest.mark.parametrize(
    ("left", "right", "code"),
    [
        (
            "S2B_MSIL1C_20220930T101649_N0400_R065_T32TQM_20220930T124210",
            "S2B_MSIL1C_20220930T101649_N0301_R065_T32TRM_20220930T124210",
            "mixed-units",
        ),
        ("T32TQM_20220930_L1C", "T32TRM_20220930_L2A", "mixed-levels"),
    ],
)
def test_a_mosaic_of_files_that_are_read_differently_is_refused(
    write, make_surface, tmp_path: Path, left: str, right: str, code: str
) -> None:
    (tmp_path / "m.vrt").write_text(document(tiles(write, make_surface, left, right)))
    with pytest.raises(InputError, match=r"m\.vrt mixes files") as caught:
        Scene.open(tmp_path / "m.vrt")
    assert caught.value.code == code


def test_a_stack_of_bands_of_two_days_is_refused(write, make_surface, tmp_path: Path) -> None:
    files = [
        write(f"T32TQM_{day}_{name}.tif", make_surface(1)) for day, name in (("20220930", "B03"), ("20220902", "B04"))
    ]
    with pytest.raises(InputError, match="bands of different dates or tiles") as caught:
        Scene.open(stacked(tmp_path / "m.vrt", files))
    assert caught.value.code == "mixed-dates"


def test_radar_in_a_vrt_is_known_by_its_files(write, make_surface, make_backscatter, tmp_path: Path) -> None:
    s2 = write("s2.tif", make_surface(), names=S2_BANDS)
    decibel = make_backscatter()
    files = [
        write(f"S1A_20220930_{name}.tif", one[None]) for name, one in zip(("VH", "VV"), decibel[::-1], strict=True)
    ]
    path = stacked(tmp_path / "radar.vrt", files)
    scene = Scene.open(s2, path)
    assert scene.radar is not None and scene.radar.unit == "db"
    assert f"{scene.radar.acquired:%Y-%m-%d}" == "2022-09-30"
    assert scene.inputs[1:] == (path, *files)
    with scene.reader() as reader, Scene.open(s2, files).reader() as other:
        assert np.array_equal(reader.s1(scene.grid.window), other.s1(scene.grid.window))
    amplitude = np.sqrt(10 ** (decibel / 10))
    name = "S1A_IW_20220930T054211_DVP_RTC10_G_gaufem_1234_{}.tif"
    files = [write(name.format(band), one[None]) for band, one in zip(("VV", "VH"), amplitude, strict=True)]
    scene = Scene.open(s2, stacked(tmp_path / "radar.vrt", files))
    assert scene.radar is not None and scene.radar.unit == "amplitude"


def test_a_vrt_is_another_date_unless_its_files_are_there_too(singles, write, make_surface, tmp_path: Path) -> None:
    folder = tmp_path / "dates"
    (folder / "files" / "bands").mkdir(parents=True)
    target = write("T32TQM_20221015.tif", make_surface(), names=S2_BANDS)
    moved = [path.rename(folder / "files" / "bands" / path.name) for path in singles]
    stack = stacked(folder / "T32TQM_20220930.vrt", moved)
    double = write("dates/T32TQM_20220902.tif", make_surface(seed=2), names=S2_BANDS)
    (folder / "double.vrt").write_text(document([band(source(double, number)) for number in range(1, 14)]))
    found, _ = search_folder(folder, [target])
    assert found == [double, stack]
    series = open_series(Scene.open(target), found)
    assert [f"{scene.acquired:%Y-%m-%d}" for scene in series.others] == ["2022-09-02", "2022-09-30"]
    (folder / "files" / "bands").rename(folder / "bands")
    stacked(stack, sorted((folder / "bands").iterdir()))
    assert search_folder(folder, [target])[0] == [double, folder / "bands"]


def test_a_file_of_the_scene_is_no_other_date_of_it(write, make_surface, tmp_path: Path) -> None:
    path = write("all.tif", make_surface(), names=S2_BANDS)
    (tmp_path / "cut.vrt").write_text(document([band(source(path, number)) for number in range(1, 14)]))
    for target, other in ((tmp_path / "cut.vrt", path), (path, tmp_path / "cut.vrt")):
        with pytest.raises(InputError) as caught:
            open_series(Scene.open(target), [other])
        assert caught.value.code == "reference-is-scene"


def test_a_run_is_another_one_when_a_file_of_the_vrt_has_changed(singles, tmp_path: Path) -> None:
    path = stacked(tmp_path / "stack.vrt", singles)
    scene = Scene.open(path)
    spec = JobSpec("detect", JobInputs((path,)), tmp_path / "out", DetectOptions())
    before = run_identity({}, scene.inputs, [], scene.grid), inputs_of(spec)
    os.utime(singles[4], ns=(0, 1))
    after = run_identity({}, scene.inputs, [], scene.grid), inputs_of(spec)
    assert before[0]["input files"] != after[0]["input files"]
    assert before[1] != after[1]


def test_an_export_that_earth_engine_has_split_is_joined_as_a_vrt(write, make_surface, tmp_path: Path) -> None:
    values, names = make_surface(), [name.replace("B0", "B") for name in S2_BANDS]
    shift = Affine(10, 0, 600_250, 0, -10, 5_200_000)
    left = write("20220930-0000000000-0000000000.tif", values[:, :, :25], names=names)
    right = write("20220930-0000000000-0000000025.tif", values[:, :, 25:], names=names, transform=shift)
    for given in ([left, right], tmp_path):
        with pytest.raises(InputError) as caught:
            Scene.open(given)
        assert caught.value.code == "split-export"
        assert "gdalbuildvrt 20220930.vrt 20220930-*.tif" in caught.value.hint
    whole = (0, 0, 25, 40)
    bands = [
        band(
            source(left, number, taken=whole, placed=whole), source(right, number, taken=whole, placed=(25, 0, 25, 40))
        )
        for number in range(1, 14)
    ]
    (tmp_path / "20220930.vrt").write_text(document(bands))
    scene = Scene.open(tmp_path / "20220930.vrt")
    assert scene.bands == S2_BANDS
    assert np.array_equal(pixels(scene), values)
    assert f"{scene.acquired:%Y-%m-%d}" == "2022-09-30"


def test_bands_and_polarisations_of_several_types_are_read(
    write, make_surface, make_backscatter, tmp_path: Path
) -> None:
    values, decibel = make_surface(4), make_backscatter()
    types = ("uint16", "int32", "uint16", "uint16")
    names = ("T32TQM_20220930_B01", "T32TQM_20220930_B02", "T32TQM_20220930_B03", "T32TQM_20220930_B04")
    files = [write(f"{name}.tif", one[None].astype(kind)) for name, one, kind in zip(names, values, types, strict=True)]
    radar = [write("VV.tif", decibel[:1]), write("VH.tif", np.rint(decibel[1:]).astype("int16"))]
    scene = Scene.open(stacked(tmp_path / "s2.vrt", files), stacked(tmp_path / "s1.vrt", radar), s1_unit="db")
    assert np.array_equal(pixels(scene), values)
    with scene.reader() as reader:
        found = reader.s1(scene.grid.window)
    assert np.array_equal(found[0], decibel[0])
    assert np.array_equal(found[1], np.rint(decibel[1]))


def test_a_scale_that_no_mask_has_is_reported_with_the_name_of_the_vrt(write, make_surface, tmp_path: Path) -> None:
    mask = write("mask.tif", np.ones((1, 40, 50), "uint8"))
    (tmp_path / "m.vrt").write_text(document([band(source(mask), dtype="Byte", more="<Scale>1e30</Scale>")]))
    with pytest.raises(InputError, match=r"m\.vrt declares a scale of 1e\+30") as caught:
        Scene.open(write("s2.tif", make_surface(), names=S2_BANDS), mask=tmp_path / "m.vrt")
    assert "<VRTDataset" not in caught.value.message


def test_a_layer_names_the_first_two_hundred_of_many_files(write, make_surface, tmp_path: Path) -> None:
    scene = Scene.open(write("s2.tif", make_surface(), names=S2_BANDS))
    assert provenance_of(scene, "x", {}, {})["inputs"] == "s2.tif"
    scene = replace(scene, inputs=tuple(tmp_path / f"{number}.tif" for number in range(203)))
    assert provenance_of(scene, "x", {}, {})["inputs"].endswith(", 198.tif, 199.tif and 3 more")
