from __future__ import annotations

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from affine import Affine
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS, Scene
from sunbreak.scene.nodata import usable_nodata

WITHOUT_B10 = tuple(name for name in S2_BANDS if name != "B10")
EUROSAT = (*S2_BANDS[:8], "B09", "B10", "B11", "B12", "B8A")


def code_of(*args, **kwargs) -> str:
    with pytest.raises(InputError) as caught:
        Scene.open(*args, **kwargs)
    assert caught.value.hint
    return caught.value.code


def test_thirteen_unnamed_bands_are_taken_in_native_order_with_a_note(write, make_surface) -> None:
    scene = Scene.open(write("scene one.tif", make_surface()))
    assert scene.bands == S2_BANDS
    assert scene.level == "L1C"
    assert (scene.stem, scene.grid.shape, scene.nodata, scene.dtype) == ("scene one", (40, 50), 0.0, "uint16")
    assert any("native order" in note for note in scene.notes)
    assert not scene.has_s1
    assert not scene.has_mask


def test_twelve_unnamed_bands_are_taken_for_l2a(write, make_surface) -> None:
    scene = Scene.open(write("a.tif", make_surface(12)))
    assert (scene.bands, scene.level) == (WITHOUT_B10, "L2A")


def test_blocks_are_exactly_as_stored(write, make_surface) -> None:
    values = make_surface()
    scene = Scene.open(write("a.tif", values, compress="deflate", interleave="pixel"))
    with scene.reader() as reader:
        block = reader.s2(Window(7, 11, 20, 13))
        assert np.array_equal(block.raw, values[:, 11:24, 7:27])
        assert block.raw.dtype == np.uint16
        picked = reader.s2(Window(0, 0, 50, 40), ["B8A", "B02"])
        assert np.array_equal(picked.raw, values[[8, 1]])
        assert np.allclose(picked.reflectance(), values[[8, 1]] / 1e4, atol=1e-7)


def test_descriptions_decide_over_position_and_other_bands_are_left_out(write, make_surface) -> None:
    values = make_surface(12)
    names = ["QA60", "B8A", "B2", "B3", "SCL", "B4", "B8", "B11", "B12", "AOT", "B5", None]
    scene = Scene.open(write("a.tif", values, names=names))
    assert scene.bands == ("B02", "B03", "B04", "B05", "B08", "B8A", "B11", "B12")
    assert any("QA60" in note for note in scene.notes)
    with scene.reader() as reader:
        assert np.array_equal(reader.s2(scene.grid.window).raw, values[[2, 3, 5, 10, 6, 1, 7, 8]])


def test_a_stac_item_decides_over_descriptions(write, make_surface, tmp_path) -> None:
    path = write("a.tif", make_surface(2), names=["B02", "B03"])
    item = {"assets": {"data": {"href": "./a.tif", "bands": [{"name": "B12"}, {"eo:common_name": "nir08"}]}}}
    (tmp_path / "a.tif.stac.json").write_text(json.dumps(item))
    assert Scene.open(path).bands == ("B8A", "B12")


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"assets": 3, "properties": []}', "[" * 100_000])
def test_a_broken_stac_item_is_ignored(write, make_surface, tmp_path, text) -> None:
    path = write("a.tif", make_surface(1), names=["B03"])
    (tmp_path / "a.stac.json").write_text(text)
    assert Scene.open(path).bands == ("B03",)


def test_band_tags_name_bands(write, make_surface) -> None:
    tags = {1: {"WAVELENGTH": "665", "WAVELENGTH_UNIT": "nm"}, 2: {"BANDNAME": "B8A"}}
    assert Scene.open(write("a.tif", make_surface(2), band_tags=tags)).bands == ("B04", "B8A")


def test_an_order_given_by_the_user_decides_over_everything(write, make_surface) -> None:
    values = make_surface()[[*range(8), 9, 10, 11, 12, 8]]
    scene = Scene.open(write("a.tif", values), s2_bands=EUROSAT)
    assert scene.bands == S2_BANDS
    with scene.reader() as reader:
        assert np.array_equal(reader.s2(scene.grid.window, ["B8A"]).raw[0], values[12])


def test_wrong_orders_given_by_the_user_are_refused(write, make_surface) -> None:
    path = write("a.tif", make_surface())
    assert code_of(path, s2_bands=EUROSAT[:-1]) == "bands-unknown"
    assert code_of(path, s2_bands=[*EUROSAT[:-1], "B99"]) == "bands-unknown"
    assert code_of(path, s2_bands=[*EUROSAT[:-1], "B01"]) == "duplicate-bands"


@pytest.mark.parametrize("count", [1, 3, 4, 11, 14])
def test_unnamed_bands_of_any_other_number_are_refused(write, count) -> None:
    assert code_of(write("a.tif", np.full((count, 9, 9), 1000, "uint16"))) == "bands-unknown"


@pytest.mark.parametrize(("count", "names"), [(3, ()), (4, ()), (3, ("red", "green", "blue")), (13, S2_BANDS)])
def test_eight_bit_pictures_are_refused(write, count, names) -> None:
    assert code_of(write("TCI.tif", np.ones((count, 9, 9), "uint8"), names=names)) == "rgb-image"


def test_duplicate_band_names_are_refused(write, make_surface) -> None:
    assert code_of(write("a.tif", make_surface(3), names=["B02", "blue", "B04"])) == "duplicate-bands"


def test_nan_infinity_and_declared_nodata_are_invalid(write, make_surface) -> None:
    values = make_surface().astype("float32") / 10000
    values[3, 0, 0] = np.nan
    values[4, 0, 1] = -np.inf
    values[5, 0, 2] = -9999
    scene = Scene.open(write("a.tif", values, nodata=-9999))
    assert scene.nodata == -9999
    with scene.reader() as reader:
        block = reader.s2(Window(0, 0, 4, 1))
        assert block.valid.tolist() == [[False, False, False, True]]
        assert np.isnan(block.reflectance()[:, 0, :3]).all()
        assert np.isfinite(block.reflectance()[:, 0, 3]).all()


def test_a_zero_in_b10_is_a_measurement_even_where_zero_is_declared_nodata(write, make_surface) -> None:
    values = make_surface()
    values[10] = 0
    values[2, 0, 1] = 0
    scene = Scene.open(write("a.tif", values, nodata=0))
    with scene.reader() as reader:
        assert reader.s2(Window(0, 0, 3, 1)).valid.tolist() == [[True, False, True]]


def test_a_nodata_value_outside_the_dtype_is_ignored(write, make_surface) -> None:
    values = make_surface().astype("float32") / 10000
    scene = Scene.open(write("nan.tif", values, nodata=float("nan")))
    assert np.isnan(scene.nodata)
    assert [usable_nodata(-9999, "uint16"), usable_nodata(0.5, "int16"), usable_nodata(65535, "uint16")] == [
        None,
        None,
        65535,
    ]


@pytest.mark.parametrize("nodata", [None, 0])
def test_a_scene_of_nothing_but_nodata_is_refused(write, nodata) -> None:
    assert code_of(write("a.tif", np.zeros((13, 30, 30), "uint16"), nodata=nodata)) == "all-nodata"


def test_one_valid_pixel_between_the_sampled_windows_is_found(write, make_surface) -> None:
    values = np.zeros((13, 1100, 1100), "uint16")
    values[:, 7, 3] = make_surface(13, 1, 1)[:, 0, 0]
    assert Scene.open(write("a.tif", values, compress="deflate")).radiometry.offset == 0


def test_a_part_without_data_is_refused_although_the_scene_has_some(write, make_surface) -> None:
    values = make_surface()
    values[:, :, :25] = 0
    path = write("a.tif", values)
    assert code_of(path, window=(0, 0, 20, 20)) == "all-nodata"
    assert Scene.open(path, window=(20, 0, 20, 20)).grid.width == 20


def test_a_window_crops_grid_and_reads(write, make_surface) -> None:
    values = make_surface()
    scene = Scene.open(write("a.tif", values), window=(5, 8, 20, 10))
    assert scene.grid.shape == (10, 20)
    assert (scene.grid.transform.c, scene.grid.transform.f) == (600_050, 5_199_920)
    with scene.reader() as reader:
        assert np.array_equal(reader.s2(Window(1, 2, 3, 4)).raw, values[:, 10:14, 6:9])
        with pytest.raises(ValueError, match="does not lie"):
            reader.s2(Window(18, 0, 5, 5))


@pytest.mark.parametrize("south_up", [False, True])
def test_a_bounding_box_takes_every_pixel_that_it_touches(write, make_surface, south_up) -> None:
    transform = Affine(10, 0, 600_000, 0, 10, 5_199_600) if south_up else Affine(10, 0, 600_000, 0, -10, 5_200_000)
    path = write("a.tif", make_surface(), transform=transform)
    scene = Scene.open(path, bbox=(600_100, 5_199_805, 600_200, 5_199_900))
    assert scene.grid.bounds == (600_100, 5_199_800, 600_200, 5_199_900)
    cut = Scene.open(path, bbox=(599_000, 5_199_805, 600_200, 5_199_900))
    assert cut.grid.bounds[0] == 600_000
    assert any("beyond" in note for note in cut.notes)


@pytest.mark.parametrize("window", [(-1, 0, 5, 5), (0, 0, 51, 5), (0, 38, 5, 3), (60, 0, 5, 5), (0, 0, 0, 5)])
def test_windows_outside_the_scene_are_refused(write, make_surface, window) -> None:
    assert code_of(write("a.tif", make_surface()), window=window) == "window-outside"


def test_boxes_outside_or_upside_down_are_refused(write, make_surface) -> None:
    path = write("a.tif", make_surface())
    assert code_of(path, bbox=(7.1, 46.1, 7.2, 46.2)) == "window-outside"
    assert code_of(path, bbox=(600_200, 5_199_800, 600_100, 5_199_900)) == "bad-window"
    assert code_of(path, bbox=(600_100, float("nan"), 600_200, 5_199_900)) == "bad-window"
    assert code_of(path, bbox=(600_100, 5_199_805, 600_200, 5_199_900), window=(0, 0, 5, 5)) == "bad-window"


@pytest.mark.parametrize("window", [(0, 0, 1, 1), (0, 0, 1, 10)])
def test_an_output_of_one_pixel_is_refused(write, make_surface, window) -> None:
    assert code_of(write("a.tif", make_surface()), window=window) == "too-small"


def bands_at(write, make_surface, name: str, size: int, bands, seed: int = 0, **options) -> list:
    scale = 120 // size
    transform = Affine(10 * scale, 0, 600_000, 0, -10 * scale, 5_200_000)
    source = make_surface(13, size, size, seed)
    return [
        write(name.format(band), source[S2_BANDS.index(band)][None], transform=transform, **options) for band in bands
    ]


@pytest.fixture
def product(write, make_surface):
    """A folder of single bands at 10, 20 and 60 m, as L2A has them."""
    name = "IMG/T32TQM_20200101T101010_{}"
    return [
        *bands_at(write, make_surface, name + "_10m.tif", 120, ("B02", "B03", "B04", "B08")),
        *bands_at(write, make_surface, name + "_20m.tif", 60, ("B05", "B06", "B07", "B8A", "B11", "B12", "B02")),
        *bands_at(write, make_surface, name + "_60m.tif", 20, ("B01", "B09")),
    ]


@pytest.mark.parametrize("folder", [True, False])
def test_single_bands_of_mixed_resolution_meet_on_the_10_m_grid(product, folder) -> None:
    scene = Scene.open(product[0].parent if folder else product)
    assert scene.bands == WITHOUT_B10
    assert scene.grid.shape == (120, 120)
    assert scene.grid.pixel_size == (10, 10)
    assert (scene.level, scene.acquired.date().isoformat()) == ("L2A", "2020-01-01")
    assert scene.stem == ("IMG" if folder else "T32TQM_20200101T101010")
    assert any("B02 is available at several resolutions" in note for note in scene.notes)
    with scene.reader() as reader:
        block = reader.s2(scene.grid.window)
        assert block.valid.all()
        with rasterio.open(product[0]) as blue:
            assert np.array_equal(block.raw[WITHOUT_B10.index("B02")], blue.read(1))


def test_coarse_bands_are_interpolated_between_pixel_centres(write, make_surface) -> None:
    ramp = np.tile(np.arange(1000, 1000 + 60 * 20, 20, dtype="uint16"), (60, 1))[None]
    fine = bands_at(write, make_surface, "T_{}.tif", 120, ("B02",))
    coarse = write("T_B05.tif", ramp, transform=Affine(20, 0, 600_000, 0, -20, 5_200_000))
    scene = Scene.open([*fine, coarse], s2_offset=0)
    with scene.reader() as reader:
        row = reader.s2(scene.grid.window, ["B05"]).raw[0, 60].astype(int)
    # a 10 m pixel's centre lies a quarter of a 20 m pixel off the 20 m centre: 20 per pixel makes 5
    assert row[:6].tolist() == [1000, 1005, 1015, 1025, 1035, 1045]


def test_windows_of_resampled_bands_equal_the_whole(product) -> None:
    scene = Scene.open(product)
    with scene.reader() as reader:
        whole = reader.s2(scene.grid.window).raw
        for window in (Window(0, 0, 120, 7), Window(33, 7, 50, 64), Window(119, 119, 1, 1), Window(3, 100, 117, 20)):
            column, row, width, height = (int(value) for value in window.flatten())
            assert np.array_equal(reader.s2(window).raw, whole[:, row : row + height, column : column + width])


def test_nodata_at_the_edge_does_not_bleed_into_resampled_bands(write, make_surface) -> None:
    fine = bands_at(write, make_surface, "T_{}.tif", 120, ("B02",))
    half = np.full((1, 60, 60), 2000, "uint16")
    half[:, :, :30] = 0
    coarse = write("T_B05.tif", half, transform=Affine(20, 0, 600_000, 0, -20, 5_200_000))
    scene = Scene.open([*fine, coarse], s2_offset=0)
    with scene.reader() as reader:
        assert set(np.unique(reader.s2(scene.grid.window, ["B05"]).raw)) == {0, 2000}


def test_pictures_and_other_maps_in_a_folder_are_left_out(product, write, make_surface) -> None:
    write("IMG/T32TQM_20200101T101010_TCI_10m.tif", np.ones((3, 120, 120), "uint8"))
    write("IMG/T32TQM_20200101T101010_AOT_20m.tif", np.ones((1, 60, 60), "uint16"))
    scene = Scene.open(product[0].parent)
    assert scene.bands == WITHOUT_B10
    assert sum("left out" in note for note in scene.notes) == 2
    assert len(scene.inputs) == len(product)


def test_resolution_folders_of_a_granule_are_searched(write, make_surface) -> None:
    base = "S2A_MSIL2A_20200101T101010_N0214_R022_T32TQM_20200101T120000.SAFE/GRANULE/x/IMG_DATA"
    first = bands_at(write, make_surface, base + "/R10m/T32TQM_20200101T101010_{}_10m.tif", 120, ("B02", "B08"))
    bands_at(write, make_surface, base + "/R20m/T32TQM_20200101T101010_{}_20m.tif", 60, ("B05", "B8A"))
    scene = Scene.open(first[0].parents[1])
    assert scene.bands == ("B02", "B05", "B08", "B8A")
    assert (scene.level, scene.stem) == ("L2A", "T32TQM_20200101T101010")
    assert any("02.14" in note for note in scene.notes)


def test_only_a_band_file_that_names_its_resolution_is_known_as_l2a(write, make_surface) -> None:
    values = make_surface(1)
    assert Scene.open(write("T32TQM_20200101T101010_B02_10m.tif", values)).level == "L2A"
    assert Scene.open(write("T32TQM_20200101T101010_B02.tif", values)).level is None


def test_jpeg_2000_bands_read_as_stored(write, make_surface, tmp_path) -> None:
    values = make_surface(2, 64, 64)
    for index, name in enumerate(("B02", "B03")):
        with rasterio.open(write(f"{name}.tif", values[index : index + 1])) as source:
            target = tmp_path / "jp2" / f"T32TQM_20200101T101010_{name}.jp2"
            target.parent.mkdir(exist_ok=True)
            rasterio.shutil.copy(source, target, driver="JP2OpenJPEG", quality=100, reversible="YES")
    scene = Scene.open(tmp_path / "jp2")
    with scene.reader() as reader:
        assert np.array_equal(reader.s2(scene.grid.window).raw, values)


def test_files_of_different_levels_dates_places_and_units_are_refused(write, make_surface) -> None:
    one = make_surface(1)
    l1c = write("S2A_MSIL1C_20200101T101010_N0208_R022_T32TQM_20200101T120000_B02.tif", one)
    l2a = write("S2A_MSIL2A_20200101T101010_N0214_R022_T32TQM_20200101T120000_B03.tif", one)
    later = write("S2A_MSIL1C_20200111T101010_N0208_R022_T32TQM_20200111T120000_B03.tif", one)
    zone = write("zone_B03.tif", one, crs="EPSG:32633")
    elsewhere = write("far_B03.tif", one, transform=Affine(10, 0, 605_000, 0, -10, 5_200_000))
    floats = write("float_B03.tif", one.astype("float32"))
    assert code_of([l1c, l2a]) == "mixed-levels"
    assert code_of([l1c, later]) == "mixed-dates"
    assert code_of([l1c, zone]) == "mixed-grids"
    assert code_of([l1c, elsewhere]) == "mixed-grids"
    assert code_of([l1c, floats]) == "mixed-units"
    assert code_of([l1c, l1c]) == "duplicate-bands"
    assert code_of([write("x_B02.tif", one), write("y_B02.tif", one)]) == "duplicate-bands"


def test_files_without_names_take_the_users_order(write, make_surface) -> None:
    values = make_surface(2)
    paths = [write("one.tif", values[:1]), write("two.tif", values[1:])]
    assert code_of(paths) == "bands-unknown"
    scene = Scene.open(paths, s2_bands=["B11", "B04"])
    assert scene.bands == ("B04", "B11")
    assert code_of(paths, s2_bands=["B11"]) == "bands-unknown"


def test_no_files_and_folders_without_rasters_are_refused(tmp_path) -> None:
    assert code_of([]) == "missing-file"
    assert code_of(tmp_path) == "missing-file"


def test_a_missing_band_is_named_when_it_is_asked_for(write, make_surface) -> None:
    scene = Scene.open(write("a.tif", make_surface(12)))
    with scene.reader() as reader, pytest.raises(InputError, match="B10") as caught:
        reader.s2(scene.grid.window, ["B10"])
    assert caught.value.code == "band-missing"


def test_l2a_with_a_cirrus_band_is_warned_about(write, make_surface) -> None:
    assert any("B10" in text for text in Scene.open(write("x_L2A_y.tif", make_surface())).warnings)


def test_a_scene_travels_to_another_process(write, make_surface) -> None:
    scene = pickle.loads(pickle.dumps(Scene.open(write("a.tif", make_surface()))))
    with scene.reader() as reader:
        assert np.array_equal(reader.s2(scene.grid.window).raw, make_surface())


def test_opening_and_reading_change_nothing_on_disk(write, make_surface, make_backscatter, tmp_path) -> None:
    s2, s1 = write("s2.tif", make_surface()), write("s1.tif", make_backscatter())
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in tmp_path.iterdir()}
    scene = Scene.open(s2, s1)
    with scene.reader() as reader:
        reader.s2(scene.grid.window).reflectance()
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in tmp_path.iterdir()} == before


def test_importing_the_package_does_not_import_torch() -> None:
    code = "import sys, sunbreak.scene; print('torch' in sys.modules, 'sklearn' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]
