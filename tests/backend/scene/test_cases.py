"""Imitations of what other tools write, each read right or refused with a way out (see `../shared/cases`)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rasterio.windows import Window

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


@pytest.mark.parametrize("name", ["S2B_32UPU_20230610_0_L2A.tif", "dark_L2A.tif"])
def test_11_an_item_says_that_the_offset_was_applied(case, name) -> None:
    scene = Scene.open(case("11") / name)
    assert scene.radiometry.offset == 0
    assert any("STAC item" in note for note in scene.notes)


def test_12_the_metadata_of_a_product_wins_over_dark_pixels(case) -> None:
    (product,) = case("12").glob("*.SAFE")
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
