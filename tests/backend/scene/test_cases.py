"""Imitations of what other tools write, each read right or refused with a way out (see `../shared/cases`)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window

from sunbreak.clouds.given_masks import given_classes
from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS, Scene

ROOT = Path(__file__).resolve().parents[3]
CASES = ROOT / ".." / "shared" / "cases"

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here")


@pytest.fixture
def case(tmp_path: Path) -> Callable[[str], Path]:
    """Make the files of a case, whose folder begins with these letters."""

    def make(start: str) -> Path:
        (folder,) = CASES.glob(f"{start}*")
        environment = {**os.environ, "DEMO": str(ROOT / "resources" / "demo"), "OUT": str(tmp_path)}
        subprocess.run([sys.executable, folder / "make.py"], env=environment, check=True, capture_output=True)
        return tmp_path

    return make


def valid(scene: Scene) -> np.ndarray:
    with scene.reader() as reader:
        return reader.s2(Window(0, 0, scene.grid.width, scene.grid.height)).valid


def radar(scene: Scene) -> np.ndarray:
    with scene.reader() as reader:
        return reader.s1(Window(0, 0, scene.grid.width, scene.grid.height))


def classes(scene: Scene) -> np.ndarray:
    """Codes of the given mask: 0 clear, 1 thick cloud, 2 thin cloud, 3 shadow."""
    with scene.reader() as reader:
        return given_classes(reader, Window(0, 0, scene.grid.width, scene.grid.height))


def demo_cloud() -> np.ndarray:
    with rasterio.open(ROOT / "resources" / "demo" / "demo_cloud.tif") as file:
        return file.read(1, window=Window(0, 0, 256, 256)) == 1


def test_01_the_classes_of_omnicloudmask_are_read_as_they_are(case) -> None:
    folder = case("01")
    scene = Scene.open(folder / "s2.tif", folder / "s1.tif", mask=folder / "s2_OCM.tif")
    found = classes(scene)
    assert np.isin(found, (1, 2)).mean() == pytest.approx(demo_cloud().mean(), abs=0.003)
    assert (found[240:, 240:] == 3).all()


def test_04_unnamed_radar_with_vh_first_is_read_as_the_named_file(case) -> None:
    folder = case("04")
    unnamed = Scene.open(folder / "s2.tif", folder / "S1A_IW_GRDH_1SDV_20200610_Orb_NR_Cal_TC.tif")
    np.testing.assert_array_equal(radar(unnamed), radar(Scene.open(folder / "s2.tif", folder / "s1_named.tif")))
    assert any("since VH is the weaker one" in note for note in unnamed.notes)


def test_05_descriptions_that_only_count_are_no_names(case) -> None:
    folder = case("05")
    scene = Scene.open(folder / "scene.tif", folder / "s1.tif")
    assert scene.bands == S2_BANDS
    assert any("does not name its bands" in note for note in scene.notes)
    ten = Scene.open(folder / "scene10.tif")
    assert ten.bands == tuple(name for name in S2_BANDS if name not in ("B01", "B09", "B10"))


def test_06_bands_without_names_and_without_b8a_are_known_by_their_spectra(case) -> None:
    folder = case("06")
    scene = Scene.open(folder / "S2A1C_20200610_022_demo_TOA_10.tif", folder / "s1.tif", mask=folder / "mask.tif")
    assert scene.bands == tuple(name for name in S2_BANDS if name != "B8A")
    assert scene.level == "L1C"


def test_07_zeros_outside_the_footprint_of_floats_are_no_data(case) -> None:
    folder = case("07")
    floats, integers = Scene.open(folder / "s2_float.tif"), Scene.open(folder / "s2_uint16.tif")
    np.testing.assert_array_equal(valid(floats), valid(integers))
    assert any("0 in all bands of about 30.7% of the pixels" in note for note in floats.notes)


@pytest.mark.parametrize("name", ["response.tiff", "response_named.tiff"])
def test_09_the_data_mask_says_which_pixels_hold_data(case, name) -> None:
    scene = Scene.open(case("09") / name)
    rows, columns = np.mgrid[:256, :256]
    assert scene.bands == S2_BANDS
    np.testing.assert_array_equal(valid(scene), rows + columns >= 200)


def test_10_a_scene_classification_inside_the_file_is_its_mask(case) -> None:
    folder = case("10")
    scene = Scene.open(folder / "20200610T101559_T32UPU_SR.tif", folder / "s1.tif")
    assert scene.bands == tuple(name for name in S2_BANDS if name != "B10")
    assert scene.has_mask
    np.testing.assert_array_equal(classes(scene) > 0, demo_cloud())


@pytest.mark.parametrize("name", ["scl_int32", "scl_float32", "scl_uint8", "scl_uint8_nodata"])
def test_10_a_scene_classification_may_have_any_type(case, name) -> None:
    folder = case("10")
    scene = Scene.open(folder / "20200610T101559_T32UPU_SR.tif", mask=folder / f"{name}.tif")
    np.testing.assert_array_equal(classes(scene) > 0, demo_cloud())


@pytest.mark.parametrize("name", ["S2B_32UPU_20230610_0_L2A.tif", "dark_L2A.tif"])
def test_11_an_item_says_that_the_offset_was_applied(case, name) -> None:
    scene = Scene.open(case("11") / name)
    assert scene.radiometry.offset == 0
    assert any("STAC item" in note for note in scene.notes)


@pytest.mark.parametrize("given", ["*.SAFE", "*.SAFE.zip"])
def test_12_the_metadata_of_a_product_wins_over_dark_pixels(case, given) -> None:
    (product,) = case("12").glob(given)
    scene = Scene.open(product)
    assert scene.radiometry.offset == -1000
    assert scene.level == "L2A"


def test_13_zeros_at_the_edge_of_two_radar_files_are_no_data(case) -> None:
    folder = case("13")
    two = Scene.open(folder / "s2.tif", [folder / "Sigma0_VV_db.tif", folder / "Sigma0_VH_db.tif"])
    one = Scene.open(folder / "s2.tif", folder / "s1_both.tif")
    np.testing.assert_array_equal(radar(two), radar(one))
    assert any("covers only about 50%" in text for text in two.warnings)


@pytest.mark.parametrize("name", ["s1_9999", "s1_99", "s1_32768", "s1_narrow_99", "s1_narrow_9999"])
def test_14_undeclared_fill_of_radar_is_no_data(case, name) -> None:
    folder = case("14")
    scene = Scene.open(folder / "s2.tif", folder / f"{name}.tif")
    covered = 196 / 256 if "narrow" in name else 0.5
    assert np.isfinite(radar(scene)).all(axis=0).mean() == pytest.approx(covered, abs=1e-3)
    if "narrow" in name:
        np.testing.assert_array_equal(radar(scene), radar(Scene.open(folder / "s2.tif", folder / "s1_narrow_nan.tif")))


@pytest.mark.parametrize("name", ["s1_southup", "s1_4326", "s1_32633"])
def test_15_radar_on_another_grid_is_laid_under_the_scene(case, name) -> None:
    folder = case("15")
    wanted = radar(Scene.open(folder / "s2.tif", folder / "s1.tif"))
    found = radar(Scene.open(folder / "s2.tif", folder / f"{name}.tif"))
    both = np.isfinite(wanted) & np.isfinite(found)
    assert both.mean() > 0.97
    if name == "s1_southup":
        np.testing.assert_allclose(found, wanted, atol=1e-4)
    # nearest neighbours on the other grid, interpolated back: a pixel's noise, and no shift
    assert np.abs(found - wanted)[both].mean() < 2
    assert np.corrcoef(found[both], wanted[both])[0, 1] > 0.8


@pytest.mark.parametrize("name", ["s2_southup", "s2_4326", "s2_32633"])
def test_15_a_scene_on_another_grid_is_read_on_it(case, name) -> None:
    folder = case("15")
    scene = Scene.open(folder / f"{name}.tif", folder / "s1.tif")
    assert scene.bands == S2_BANDS
    assert np.isfinite(radar(scene)).all(axis=0)[valid(scene)].mean() > 0.97


@pytest.mark.parametrize("name", ["MSK_CLDPRB_20m", "MSK_CLASSI_B00", "QA60", "QA60_cirrus", "cs_clear_prob"])
def test_16_masks_that_come_with_the_data_are_read(case, name) -> None:
    folder = case("16")
    found = classes(Scene.open(folder / "s2.tif", mask=folder / f"{name}.tif"))
    np.testing.assert_array_equal(found > 0, demo_cloud())
    assert set(np.unique(found)) == {0, 2 if name == "QA60_cirrus" else 1}


def test_16_a_mask_whose_values_may_mean_several_things_is_refused_with_the_option(case) -> None:
    folder = case("16")
    with pytest.raises(InputError) as caught:
        Scene.open(folder / "s2.tif", mask=folder / "mask_1clear_2cloud.tif")
    assert "--mask-coding" in caught.value.hint
    # nothing above 9 percent is cloud, and that is what the name says that they are
    low = Scene.open(folder / "s2.tif", mask=folder / "MSK_CLDPRB_low.tif")
    assert not classes(low).any()


def test_17_radar_in_radar_geometry_is_refused_with_what_to_do(case) -> None:
    folder = case("17")
    with pytest.raises(InputError) as caught:
        Scene.open(folder / "s2.tif", sorted(folder.glob("s1a-iw-grd-*.tiff")))
    assert caught.value.code == "s1-not-projected"
    assert "terrain" in caught.value.hint.lower()


def test_18_a_pixel_is_no_data_where_the_bands_that_declare_it_say_so(case) -> None:
    folder = case("18")
    scene = Scene.open(folder / "T32UPU", folder / "s1.tif", mask=folder / "SCL.tif")
    rows, columns = np.mgrid[:256, :256]
    assert scene.radiometry.offset == -1000
    assert scene.level == "L2A"
    inside = rows + columns >= 212  # a coarse pixel at the edge reaches beyond it
    assert valid(scene)[inside].all()
    assert not valid(scene)[rows + columns < 200].any()


def test_19_other_orders_without_names_are_known_or_refused_with_a_proposal(case) -> None:
    folder = case("19")
    with pytest.raises(InputError, match="looks like 10 m bands first") as caught:
        Scene.open(folder / "stack.tif")
    assert "--s2-bands B02,B03,B04,B08,B05,B06,B07,B8A,B11,B12" in caught.value.hint
    last, native = Scene.open(folder / "l2a_8A_last.tif"), Scene.open(folder / "l2a_native.tif")
    window = Window(0, 0, 256, 256)
    with last.reader() as one, native.reader() as other:
        np.testing.assert_array_equal(one.s2(window).raw, other.s2(window).raw)
    named = Scene.open(folder / "stack_named.tif")
    assert {source.name: source.index for source in named.stack.sources}["B08"] == 4


def test_22_at_the_edge_of_the_swath_a_zero_in_some_bands_is_no_data(case) -> None:
    (path,) = case("22").glob("S2B*.tif")
    columns = valid(Scene.open(path)).all(axis=0)
    assert columns[:170].all()
    assert not columns[170:].any()


def test_24_ordinary_files_are_read_right(case) -> None:
    folder = case("24")
    rows, columns = np.mgrid[:256, :256]
    for name in ("c1.tif", "hls.tif", "gee_float64.tif"):
        np.testing.assert_array_equal(valid(Scene.open(folder / name)), rows + columns >= 200, name)
    assert Scene.open(folder / "c1.tif").radiometry.offset == -1000
    named = radar(Scene.open(folder / "s2.tif", folder / "gee_s1.tif"))
    np.testing.assert_array_equal(radar(Scene.open(folder / "s2.tif", folder / "snap_named.tif")), named)
    scaled = radar(Scene.open(folder / "s2.tif", folder / "db_int16_scaled.tif"))
    np.testing.assert_allclose(scaled, named, atol=0.011)


@pytest.mark.parametrize("unit", ["auto", "linear", "db", "amplitude"])
def test_24_integers_without_calibration_are_refused_whatever_unit_is_given(case, unit) -> None:
    folder = case("24")
    with pytest.raises(InputError, match=r"integers|uncalibrated") as caught:
        Scene.open(folder / "s2.tif", folder / "cdse_uint16.tif", s1_unit=unit)
    assert caught.value.code == "s1-units"
