from __future__ import annotations

import numpy as np
import pytest
import rasterio
import rasterio.warp
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio.control import GroundControlPoint
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.scene import Scene


@pytest.fixture
def s2(write, make_surface):
    return write("s2.tif", make_surface())


def radar_of(s2, s1, **options) -> np.ndarray:
    scene = Scene.open(s2, s1, **options)
    with scene.reader() as reader:
        return reader.s1(scene.grid.window)


def code_of(s2, s1, **options) -> str:
    with pytest.raises(InputError) as caught:
        Scene.open(s2, s1, **options)
    assert caught.value.hint
    assert "\n" not in str(caught.value)
    return caught.value.code


def test_decibels_on_the_same_grid_are_read_bit_for_bit(s2, write, make_backscatter) -> None:
    stored = make_backscatter()
    scene = Scene.open(s2, write("s1.tif", stored))
    assert scene.has_s1
    assert any("dB" in note for note in scene.notes)
    assert any("VV, VH in this order" in note for note in scene.notes)
    with scene.reader() as reader:
        assert np.array_equal(reader.s1(Window(3, 4, 20, 30)), stored[:, 4:34, 3:23])


def test_linear_power_becomes_decibels_and_zeros_become_nan(s2, write, make_backscatter) -> None:
    decibels = make_backscatter()
    power = (10 ** (decibels / 10)).astype("float32")
    power[:, 0, 0] = 0
    power[1, 0, 1] = -0.001
    found = radar_of(s2, write("s1.tif", power))
    assert np.isnan(found[:, 0, 0]).all()
    assert np.isnan(found[1, 0, 1])
    assert np.isfinite(found[0, 0, 1])
    assert np.allclose(found[:, 1:], decibels[:, 1:], atol=1e-4)


def test_an_aligned_superset_is_read_without_resampling(s2, write, make_backscatter) -> None:
    stored = make_backscatter(60, 80)
    s1 = write("s1.tif", stored, transform=Affine(10, 0, 600_000 - 70, 0, -10, 5_200_000 + 50))
    scene = Scene.open(s2, s1)
    assert not any("resampled" in note for note in scene.notes)
    assert np.array_equal(radar_of(s2, s1), stored[:, 5:45, 7:57])


def test_an_aligned_part_is_read_where_it_is_and_warned_about(s2, write, make_backscatter) -> None:
    stored = make_backscatter(40, 20)
    s1 = write("s1.tif", stored, transform=Affine(10, 0, 600_000 - 50, 0, -10, 5_200_000))
    scene = Scene.open(s2, s1)
    assert any("30%" in text for text in scene.warnings)
    found = radar_of(s2, s1)
    assert np.array_equal(found[:, :, :15], stored[:, :, 5:])
    assert np.isnan(found[:, :, 15:]).all()


def test_a_south_up_radar_image_is_turned(s2, write, make_backscatter) -> None:
    stored = make_backscatter()
    s1 = write("s1.tif", stored[:, ::-1], transform=Affine(10, 0, 600_000, 0, 10, 5_199_600))
    assert np.allclose(radar_of(s2, s1), stored, atol=1e-4)


def test_a_half_pixel_shift_is_averaged_in_power_not_in_decibels(s2, write) -> None:
    stored = np.empty((2, 40, 60), "float32")
    stored[:, :, 0::2], stored[:, :, 1::2] = -5, -20
    s1 = write("s1.tif", stored, names=("VV", "VH"), transform=Affine(10, 0, 600_000 - 5, 0, -10, 5_200_000))
    expected = 10 * np.log10((10**-0.5 + 10**-2) / 2)
    assert np.allclose(radar_of(s2, s1), expected, atol=1e-3)


def test_a_coarser_radar_image_is_interpolated_between_its_centres(s2, write) -> None:
    power = np.tile(np.linspace(0.1, 0.4, 31, dtype="float32"), (2, 26, 1))
    s1 = write("s1.tif", power, names=("VV", "VH"), transform=Affine(20, 0, 600_000 - 60, 0, -20, 5_200_000 + 60))
    found = 10 ** (radar_of(s2, s1) / 10)
    # the 10 m pixel c has its centre at 5 + 10 c metres, the 20 m pixel k at -50 + 20 k metres
    places = (5 + 10 * np.arange(50) + 50) / 20
    assert np.allclose(found[0, 20], 0.1 + places * 0.01, atol=1e-5)


def test_a_finer_radar_image_is_averaged_over_the_pixel(s2, write) -> None:
    power = np.full((2, 240, 300), 0.1, "float32")
    power[:, ::6] = 0.7  # one of the 6 fine rows in 10 m is bright
    s1 = write("s1.tif", power, names=("VV", "VH"), transform=Affine(10 / 6, 0, 600_000, 0, -10 / 6, 5_200_000))
    assert np.allclose(10 ** (radar_of(s2, s1)[:, 2:-2] / 10), 0.2, atol=0.002)


def test_missing_pixels_are_left_out_of_the_average(s2, write) -> None:
    power = np.full((2, 60, 60), 0.2, "float32")
    power[:, :, 20:] = 0
    power[:, 10, 10] = np.nan
    s1 = write("s1.tif", power, names=("VV", "VH"), transform=Affine(10, 0, 599_997, 0, -10, 5_200_003))
    found = radar_of(s2, s1)
    assert np.allclose(found[np.isfinite(found)], 10 * np.log10(0.2), atol=1e-4)
    assert np.isnan(found[:, :, 21:]).all()
    assert np.isfinite(found[:, :9, :19]).all()


def test_a_pixel_with_less_than_half_of_its_weight_on_data_is_missing(s2, write) -> None:
    power = np.full((2, 60, 60), 0.2, "float32")
    power[:, :, 20:] = 0
    # 7 m further west: pixel c lies at c + 0.7, so pixel 19 has 0.3 of its weight on data
    found = radar_of(
        s2, write("s1.tif", power, names=("VV", "VH"), transform=Affine(10, 0, 599_993, 0, -10, 5_200_000))
    )
    assert np.isfinite(found[:, :, :19]).all()
    assert np.isnan(found[:, :, 19:]).all()


def test_radar_that_is_empty_in_half_of_its_outline_is_warned_about(s2, write, make_backscatter) -> None:
    stored = make_backscatter()
    stored[1, :20] = np.nan
    assert any("only about 50%" in text for text in Scene.open(s2, write("s1.tif", stored)).warnings)


def test_another_utm_zone_agrees_with_the_exact_transform(s2, write) -> None:
    # power is a plane over the map coordinates of zone 33, so that every bilinear value is known
    left, bottom, right, top = rasterio.warp.transform_bounds(
        "EPSG:32632", "EPSG:32633", 600_000, 5_199_600, 600_500, 5_200_000
    )
    transform = Affine(10, 0, left - 50, 0, -10, top + 50)
    rows, columns = int((top - bottom + 100) / 10), int((right - left + 100) / 10)
    y, x = np.mgrid[0:rows, 0:columns]
    power = (0.05 + 0.002 * x + 0.001 * y).astype("float32")
    s1 = write("s1.tif", np.stack([power, power / 4]), crs="EPSG:32633", transform=transform)
    found = 10 ** (radar_of(s2, s1) / 10)
    row, column = np.mgrid[0:40, 0:50]
    xs, ys = rasterio.warp.transform(
        "EPSG:32632", "EPSG:32633", (600_005 + 10 * column).ravel(), (5_199_995 - 10 * row).ravel()
    )
    expected = (
        0.05 + 0.002 * ((np.array(xs) - transform.c) / 10 - 0.5) + 0.001 * ((transform.f - np.array(ys)) / 10 - 0.5)
    )
    assert np.allclose(found[0], expected.reshape(40, 50), rtol=2e-5)
    assert np.allclose(found[1], expected.reshape(40, 50) / 4, rtol=2e-5)


def test_across_the_antimeridian_degrees_are_followed(write, make_surface) -> None:
    corner = rasterio.warp.transform("EPSG:4326", "EPSG:32601", [180.0], [72.0])
    left, top = corner[0][0] - 250, corner[1][0] + 200
    lon, _ = rasterio.warp.transform("EPSG:32601", "EPSG:4326", [left, left + 500], [top, top - 400])
    assert lon[0] > 179
    assert lon[1] < -179
    s2 = write("s2.tif", make_surface(), crs="EPSG:32601", transform=Affine(10, 0, left, 0, -10, top))
    # power grows eastwards without a jump, over degrees that go on beyond 180
    power = np.tile(np.linspace(0.1, 0.5, 401, dtype="float32"), (2, 400, 1))
    step = 0.0002
    east = Affine(step, 0, 180 - 200.5 * step, 0, -step, 72 + 200 * step)
    s1 = write("s1.tif", power, names=("VV", "VH"), crs="EPSG:4326", transform=east)
    found = 10 ** (radar_of(s2, s1)[0, 20] / 10)
    assert np.isfinite(found).all()
    assert (np.diff(found) > 0).all()
    assert found[25] == pytest.approx(0.3, abs=0.002)


def windows_of(height: int, width: int):
    return st.tuples(st.integers(0, width - 1), st.integers(0, height - 1)).flatmap(
        lambda at: st.tuples(
            st.just(at[0]), st.just(at[1]), st.integers(1, width - at[0]), st.integers(1, height - at[1])
        )
    )


@pytest.fixture(scope="module")
def warped(tmp_path_factory):
    """A scene with holes in its S1 from the next UTM zone, opened, and the whole S1 image on the scene's grid."""
    folder = tmp_path_factory.mktemp("warped")
    rng = np.random.default_rng(5)
    profile = {"driver": "GTiff", "height": 90, "width": 130}
    with rasterio.open(
        folder / "s2.tif", "w", count=13, dtype="uint16", crs="EPSG:32632",
        transform=Affine(10, 0, 600_000, 0, -10, 5_200_000), **profile,
    ) as dataset:  # fmt: skip
        dataset.write(rng.integers(1, 800, (13, 90, 130)).astype("uint16"))
        dataset.descriptions = [f"B{index:02d}" for index in range(1, 9)] + ["B8A", "B09", "B10", "B11", "B12"]
    left, _, _, top = rasterio.warp.transform_bounds("EPSG:32632", "EPSG:32633", 600_000, 5_199_100, 601_300, 5_200_000)
    values = rng.normal(-14, 4, (2, 120, 130)).astype("float32")
    values[:, rng.random((120, 130)) < 0.1] = np.nan
    with rasterio.open(
        folder / "s1.tif", "w", count=2, dtype="float32", crs="EPSG:32633", driver="GTiff", height=120, width=130,
        transform=Affine(12, 0, left + 100, 0, -12, top + 30),
    ) as dataset:  # fmt: skip
        dataset.write(values)
        dataset.descriptions = ("VV", "VH")
    scene = Scene.open(folder / "s2.tif", folder / "s1.tif", s2_offset=0)
    with scene.reader() as reader:
        yield scene, reader, reader.s1(scene.grid.window)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(window=windows_of(90, 130))
def test_a_window_equals_the_same_part_of_the_whole_image(warped, window) -> None:
    _, reader, whole = warped
    column, row, width, height = window
    found = reader.s1(Window(*window))
    assert np.array_equal(found, whole[:, row : row + height, column : column + width], equal_nan=True)


def test_the_whole_warped_image_has_holes_and_data(warped) -> None:
    scene, _, whole = warped
    assert 0.05 < np.isnan(whole).mean() < 0.5
    assert any("covers only about" in text for text in scene.warnings)


def test_a_cropped_scene_reads_the_same_radar_numbers(warped) -> None:
    scene, _, whole = warped
    with Scene.open(scene.inputs[0], scene.inputs[1], window=(21, 13, 60, 50), s2_offset=0).reader() as reader:
        assert np.array_equal(reader.s1(Window(0, 0, 60, 50)), whole[:, 13:63, 21:81], equal_nan=True)


@pytest.mark.parametrize(
    ("names", "files"),
    [
        ((("VH", "VV"),), ("s1.tif",)),
        ((("Sigma0_VH", "Sigma0_VV"),), ("s1.tif",)),
        ((("VH", "angle", "VV"),), ("s1.tif",)),
        (((None,), (None,)), ("S1A_IW_20200101_vh.tif", "S1A_IW_20200101_vv.tif")),
        ((("VH",), ("VV",)), ("a.tif", "b.tif")),
    ],
)
def test_polarisations_are_found_by_name(s2, write, make_backscatter, names, files) -> None:
    vv, vh = make_backscatter()
    bands = {"VV": vv, "VH": vh}
    paths = []
    for inside, file in zip(names, files, strict=True):
        stack = [bands[(name or file[-6:-4]).upper()[-2:]] if name != "angle" else vv * 0 + 35 for name in inside]
        paths.append(write(file, np.stack(stack), names=inside))
    found = radar_of(s2, paths if len(paths) > 1 else paths[0])
    assert np.array_equal(found, np.stack([vv, vh]))


def test_two_unnamed_files_are_told_apart_by_their_strength(s2, write, make_backscatter) -> None:
    stored = make_backscatter()
    paths = [write("one.tif", stored[:1]), write("two.tif", stored[1:])]
    scene = Scene.open(s2, paths)
    assert any("taken as VV, VH in this order" in note for note in scene.notes)
    assert set(paths) <= set(scene.inputs)
    assert np.array_equal(radar_of(s2, paths[::-1]), stored)


def test_one_unnamed_file_with_vh_first_is_read_in_the_right_order(s2, write, make_backscatter) -> None:
    stored = make_backscatter()
    path = write("s1.tif", stored[::-1])
    assert np.array_equal(radar_of(s2, path), stored)
    assert any("VH, VV in this order, since VH is the weaker one (7" in note for note in Scene.open(s2, path).notes)
    power = write("power.tif", 10 ** (stored[::-1] / 10))
    assert np.allclose(radar_of(s2, power), stored, atol=1e-4)


def test_unnamed_polarisations_that_are_alike_are_refused(s2, write, make_backscatter) -> None:
    stored = make_backscatter()
    stored[1] += 6
    path = write("s1.tif", stored)
    with pytest.raises(InputError, match="cannot be told apart"):
        Scene.open(s2, path)
    assert code_of(s2, path) == "s1-bands"


def test_names_that_seem_swapped_are_kept_with_a_warning(s2, write, make_backscatter) -> None:
    stored = make_backscatter()
    path = write("s1.tif", stored, names=["VH", "VV"])
    assert np.array_equal(radar_of(s2, path), stored[::-1])
    assert any("are the names swapped" in text for text in Scene.open(s2, path).warnings)


@pytest.mark.parametrize("fill", [-9999, -32768, -99, 65535, 1e20])
@pytest.mark.parametrize("columns", [25, 8])
def test_a_fill_that_nobody_declared_is_no_backscatter(s2, write, make_backscatter, fill, columns) -> None:
    stored = make_backscatter()
    stored[:, :, :columns] = fill
    path = write("s1.tif", stored)
    found = radar_of(s2, path)
    assert np.isnan(found[:, :, :columns]).all()
    assert np.array_equal(found[:, :, columns:], stored[:, :, columns:])
    scene = Scene.open(s2, path)
    assert any(f"covers only about {1 - columns / 50:.0%}" in text for text in scene.warnings)
    assert sum("is taken as no data" in note for note in scene.notes) == 2


def test_zeros_at_the_edge_of_decibels_in_two_files_are_no_data(s2, write, make_backscatter) -> None:
    stored = make_backscatter()
    stored[:, :, 40:] = 0
    paths = [write("vv.tif", stored[:1]), write("vh.tif", stored[1:])]
    found = radar_of(s2, paths)
    assert np.isnan(found[:, :, 40:]).all()
    assert np.array_equal(found[:, :, :40], stored[:, :, :40])


def test_amplitude_is_squared_where_the_name_or_the_user_says_so(s2, write, make_backscatter) -> None:
    stored = make_backscatter()
    amplitude = 10 ** (stored / 20)
    named = write("S1A_IW_20200610T053000_DVP_RTC10_G_gaunem_1A2B.tif", amplitude)
    assert np.allclose(radar_of(s2, named), stored, atol=1e-4)
    power = write("S1A_IW_20200610T053000_DVP_RTC10_G_gpunem_1A2B.tif", 10 ** (stored / 10))
    assert np.allclose(radar_of(s2, power), stored, atol=1e-4)
    assert np.allclose(radar_of(s2, write("a.tif", amplitude), s1_unit="amplitude"), stored, atol=1e-4)


@pytest.mark.parametrize("unit", ["linear", "db", "amplitude"])
def test_a_unit_does_not_make_backscatter_of_uncalibrated_integers(s2, write, make_backscatter, unit) -> None:
    digital = (10 ** (make_backscatter() / 20) * 30000).astype("uint16")
    path = write("s1.tif", digital, names=["VV", "VH"])
    with pytest.raises(InputError, match="uncalibrated") as caught:
        Scene.open(s2, path, s1_unit=unit)
    assert caught.value.code == "s1-units"


@pytest.mark.parametrize("count", [1, 3, 4])
def test_unnamed_bands_of_any_other_number_are_refused(s2, write, count) -> None:
    assert code_of(s2, write("s1.tif", np.full((count, 40, 50), -12, "float32"))) == "s1-bands"


def test_one_polarisation_alone_is_refused(s2, write, make_backscatter) -> None:
    assert code_of(s2, write("s1.tif", make_backscatter(), names=["VV", "HH"])) == "s1-bands"


@pytest.mark.parametrize(("number", "dtype"), [(120, "uint16"), (-12, "int16"), (130, "float32"), (-300, "float32")])
def test_uncalibrated_or_implausible_numbers_are_refused(s2, write, number, dtype) -> None:
    values = np.random.default_rng(0).normal(number, 2, (2, 40, 50)).astype(dtype)
    assert code_of(s2, write("s1.tif", values)) == "s1-units"


def test_the_user_may_say_the_unit(s2, write) -> None:
    whole_decibels = np.full((2, 40, 50), -12, "int16")
    assert np.array_equal(
        radar_of(s2, write("s1.tif", whole_decibels, names=("VV", "VH")), s1_unit="db"),
        whole_decibels.astype("float32"),
    )
    bright = np.full((2, 40, 50), 10, "float32")
    assert np.allclose(radar_of(s2, write("b.tif", bright, names=("VV", "VH")), s1_unit="linear"), 10)


def test_power_that_looks_like_amplitude_is_doubted(s2, write, make_backscatter) -> None:
    power = 10 ** (make_backscatter() / 10)

    def doubted(values: np.ndarray, **options: str) -> bool:
        scene = Scene.open(s2, write("s1.tif", values.astype("float32"), names=("VV", "VH")), **options)
        return any("--s1-unit amplitude" in text for text in scene.warnings)

    assert doubted(np.sqrt(power))
    assert not doubted(power)
    assert not doubted(np.sqrt(power), s1_unit="amplitude")


def test_the_way_out_for_scaled_integers_works(s2, write, make_backscatter) -> None:
    decibel = make_backscatter()
    integers = np.rint(decibel * 100).astype("int16")
    for unit in ("auto", "db"):
        with pytest.raises(InputError) as caught:
            Scene.open(s2, write("s1.tif", integers, names=("VV", "VH")), s1_unit=unit)
        assert "-a_scale 0.01" in caught.value.hint
    scaled = write("scaled.tif", integers, names=("VV", "VH"), scales=[0.01, 0.01], offsets=[0.0, 0.0])
    np.testing.assert_allclose(radar_of(s2, scaled), decibel, atol=0.006)


def test_scaled_integers_are_brought_to_decibels(s2, write) -> None:
    stored = np.full((2, 40, 50), -125_000, "int32")
    stored[:, 0, 0] = -999
    s1 = write("s1.tif", stored, names=("VV", "VH"), scales=[1e-4, 1e-4], offsets=[0.0, 0.0], nodata=-999)
    found = radar_of(s2, s1)
    assert np.isnan(found[:, 0, 0]).all()
    assert np.allclose(found[:, 1:], -12.5)


def test_zero_decibels_in_both_polarisations_are_no_measurement(s2, write, make_backscatter) -> None:
    stored = make_backscatter()
    stored[:, :, 40:] = 0
    stored[0, 0, 0] = 0
    found = radar_of(s2, write("s1.tif", stored))
    assert np.isnan(found[:, :, 40:]).all()
    assert found[0, 0, 0] == 0


def test_radar_in_radar_geometry_is_refused_with_the_advice_to_correct_it(s2, tmp_path, make_backscatter) -> None:
    points = [GroundControlPoint(r, c, 10 + c / 1e4, 47 - r / 1e4) for r in (0, 40) for c in (0, 50)]
    path = tmp_path / "grd.tif"
    with rasterio.open(path, "w", driver="GTiff", count=2, height=40, width=50, dtype="float32") as dataset:
        dataset.write(make_backscatter())
        dataset.gcps = (points, rasterio.crs.CRS.from_epsg(4326))
    assert code_of(s2, path) == "s1-not-projected"
    (tmp_path / "S1A.SAFE").mkdir()
    assert code_of(s2, tmp_path / "S1A.SAFE") == "s1-not-projected"


def test_complex_radar_is_refused(s2, write) -> None:
    assert code_of(s2, write("slc.tif", np.ones((2, 40, 50), "complex64"))) == "complex"


def test_radar_elsewhere_is_refused_with_both_bounds(s2, write, make_backscatter) -> None:
    s1 = write("s1.tif", make_backscatter(), transform=Affine(10, 0, 700_000, 0, -10, 5_200_000))
    with pytest.raises(InputError, match=r"700000.*600000") as caught:
        Scene.open(s2, s1)
    assert caught.value.code == "no-overlap"


def test_radar_beside_the_chosen_part_is_refused(s2, write, make_backscatter) -> None:
    s1 = write("s1.tif", make_backscatter(40, 20))
    assert code_of(s2, s1, window=(30, 0, 10, 10)) == "no-overlap"
    assert Scene.open(s2, s1, window=(0, 0, 10, 10)).warnings == ()


def test_radar_without_any_data_is_refused(s2, write) -> None:
    assert code_of(s2, write("s1.tif", np.full((2, 40, 50), np.nan, "float32"))) == "all-nodata"


def test_radar_without_crs_is_refused(s2, write, make_backscatter) -> None:
    assert code_of(s2, write("s1.tif", make_backscatter(), crs=None)) == "no-crs"


@pytest.mark.parametrize(("day", "warned"), [("20200104", False), ("20200105", True), ("20191220", True)])
def test_dates_more_than_three_days_apart_are_warned_about(write, make_surface, make_backscatter, day, warned) -> None:
    s2 = write("S2A_MSIL1C_20200101T101010_N0208_R022_T32TQM_20200101T120000.tif", make_surface())
    s1 = write(f"S1A_IW_GRDH_1SDV_{day}T053000_vv_vh.tif", make_backscatter())
    assert any("days apart" in text for text in Scene.open(s2, s1).warnings) is warned


def linear(make_backscatter) -> np.ndarray:
    return (10 ** (make_backscatter() / 10)).astype("float32")


def test_the_wrong_unit_is_warned_about_or_refused(s2, write, make_backscatter) -> None:
    power, decibels = (
        write("power.tif", linear(make_backscatter), names=("VV", "VH")),
        write("db.tif", make_backscatter()),
    )
    (warning,) = Scene.open(s2, power, s1_unit="db").warnings
    assert f"{power} is taken as dB, as given, but looks like linear power" in warning
    with pytest.raises(InputError, match=r"are negative .* which no linear power is"):
        Scene.open(s2, decibels, s1_unit="linear")
    assert not Scene.open(s2, power, s1_unit="linear").warnings
    assert not Scene.open(s2, decibels, s1_unit="db").warnings


def test_some_power_below_zero_is_noise_and_counts_as_missing(s2, write, make_backscatter) -> None:
    power = linear(make_backscatter)
    power[:, :8] = -0.0005
    scene = Scene.open(s2, write("s1.tif", power, names=("VV", "VH")))
    assert scene.radar is not None and scene.radar.unit == "linear"
    assert any("20% of its numbers are slightly negative" in text for text in scene.warnings)


def test_radar_that_is_mostly_slightly_negative_is_refused_with_that_reason(s2, write, make_backscatter) -> None:
    power = linear(make_backscatter)
    power[:, :30] = -0.0005
    power[:, 30:36] = 0
    with pytest.raises(InputError, match=r"slightly negative .* negative power has no dB"):
        Scene.open(s2, write("s1.tif", power, names=("VV", "VH")))


@pytest.mark.parametrize("empty", [0, 1])
def test_a_polarisation_of_zeros_is_named(s2, write, make_backscatter, empty) -> None:
    power = linear(make_backscatter)
    power[empty] = 0
    with pytest.raises(InputError, match=f"holds no valid pixel of {('VV', 'VH')[empty]} under the scene"):
        Scene.open(s2, write("s1.tif", power, names=("VV", "VH")))


def test_radar_of_integer_zeros_is_called_empty_and_not_uncalibrated(s2, write) -> None:
    assert code_of(s2, write("s1.tif", np.zeros((2, 40, 50), "int16"))) == "all-nodata"
