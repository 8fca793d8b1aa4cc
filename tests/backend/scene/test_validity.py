"""Pixels without data are found though no file declares them, and are the same as if one did."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.enums import ColorInterp
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS, Scene
from sunbreak.scene.fill import FillSearch, is_certain
from sunbreak.scene.sampling import border_windows

WITHOUT_B10 = [name for name in S2_BANDS if name != "B10"]


def valid(scene: Scene) -> np.ndarray:
    with scene.reader() as reader:
        return reader.s2(Window(0, 0, scene.grid.width, scene.grid.height)).valid


def corner(values: np.ndarray) -> np.ndarray:
    """The ground outside of a footprint: below a diagonal."""
    rows, columns = np.mgrid[: values.shape[1], : values.shape[2]]
    return rows + columns < 30


@pytest.fixture
def filled(write, make_surface) -> Callable[..., tuple[Scene, np.ndarray]]:
    """A scene with a fill outside of its footprint, and where it holds data."""

    def make(fill: float, dtype: str = "uint16", scale: float = 1, count: int = 13, **options):
        values = (make_surface(count) * scale).astype(dtype)
        outside = corner(values)
        values[:, outside] = fill
        names = S2_BANDS if count == 13 else WITHOUT_B10
        return Scene.open(write(f"fill{fill}.tif", values, names=names), **options), ~outside

    return make


@pytest.mark.parametrize(
    ("fill", "dtype", "scale"),
    [
        (0, "float32", 1e-4), (-9999, "float32", 1e-4), (-32768, "float64", 1e-4), (-0.1, "float32", 1e-4),
        (0, "float32", 1), (-99, "float32", 1), (65535, "uint16", 1), (1, "uint16", 1), (-9999, "int16", 1),
        (-32768, "int16", 1), (1e20, "float32", 1e-4), (0, "uint16", 1), (0, "int16", 1),
    ],
)  # fmt: skip
def test_a_number_that_fills_all_bands_outside_the_footprint_is_no_data(filled, fill, dtype, scale) -> None:
    scene, inside = filled(fill, dtype, scale)
    np.testing.assert_array_equal(valid(scene), inside)
    assert scene.nodata == np.dtype(dtype).type(fill)
    assert not scene.warnings
    if fill or dtype.startswith("float"):
        assert any(f"{np.dtype(dtype).type(fill):g} in all bands" in note for note in scene.notes), scene.notes


def test_the_units_are_those_of_the_data_whatever_fills_the_rest(filled) -> None:
    for fill in (0, -9999, 65535):
        scene, _ = filled(fill, "float32", 1e-4)
        assert scene.radiometry.unit == "reflectance"
        scene, _ = filled(fill, "float32")
        assert scene.radiometry.unit == "dn"


def test_a_number_that_ground_might_have_is_data_and_in_doubt(filled) -> None:
    scene, _ = filled(1.0, "float32", 1e-4)
    assert valid(scene).all()
    (warning,) = [text for text in scene.warnings if "in all bands" in text]
    assert "--s2-nodata 1" in warning
    assert "(465)" in warning  # pixels of the corner


def test_the_option_settles_what_is_no_data(filled) -> None:
    scene, inside = filled(1.0, "float32", 1e-4, s2_nodata=1.0)
    np.testing.assert_array_equal(valid(scene), inside)
    assert scene.nodata == 1
    scene, _ = filled(0, "float32", 1e-4, s2_nodata="none")
    assert valid(scene).all()
    scene, _ = filled(0, "uint16", s2_nodata="none", s2_offset=0)
    assert valid(scene).all()


def test_a_number_that_the_file_cannot_hold_is_refused(filled) -> None:
    with pytest.raises(InputError, match="uint16 numbers, of which -9999 is none") as caught:
        filled(0, s2_nodata=-9999)
    assert caught.value.code == "bad-option"


def test_scattered_pixels_with_one_number_in_all_bands_are_data(write, make_surface) -> None:
    values = make_surface().astype("float32") / 10000
    values[:, ::5, ::5] = 0
    scene = Scene.open(write("a.tif", values, names=S2_BANDS))
    assert valid(scene).all()


def test_in_l1c_a_zero_in_any_band_but_b10_is_no_data(write, make_surface) -> None:
    values = make_surface()
    values[:, 0, 0] = 0
    values[1:4, 0, 1] = 0
    values[12, 0, 2] = 0
    values[10, 0, 3] = 0
    scene = Scene.open(write("a.tif", values, names=S2_BANDS))
    assert valid(scene)[0, :5].tolist() == [False, False, False, True, True]


def test_in_l2a_dark_water_may_be_zero_in_the_infrared(write, make_surface) -> None:
    values = make_surface(12)
    values[:, 0, 0] = 0
    values[1:4, 0, 1] = 0
    values[6:, 0, 2] = 0
    scene = Scene.open(write("a.tif", values, names=WITHOUT_B10), s2_offset=0)
    assert valid(scene)[0, :4].tolist() == [False, False, True, True]


def test_signed_numbers_may_be_zero_in_any_band(write, make_surface) -> None:
    values = make_surface().astype("int16")
    values[:, 0, 0] = 0
    values[1:4, 0, 1] = 0
    scene = Scene.open(write("a.tif", values, names=S2_BANDS))
    assert valid(scene)[0, :3].tolist() == [False, True, True]


def test_the_mask_inside_a_file_counts(write, make_surface) -> None:
    values = make_surface()
    outside = corner(values)
    path = write("a.tif", values, names=S2_BANDS)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as file:
        file.write_mask(~outside)
    scene = Scene.open(path)
    np.testing.assert_array_equal(valid(scene), ~outside)
    assert any("the mask inside the file" in note for note in scene.notes)
    with scene.reader() as reader:
        # what the mask hides is no data in what is written too
        assert (reader.s2(Window(0, 0, 5, 5)).raw == scene.nodata).all()


@pytest.mark.parametrize("name", ["dataMask", "valid mask", None])
@pytest.mark.parametrize("count", [12, 13])
def test_a_band_that_says_where_data_is_counts(write, make_surface, name, count) -> None:
    values = make_surface(count)
    outside = corner(values)
    both = np.concatenate([values, (~outside)[None].astype("uint16")])
    bands = S2_BANDS if count == 13 else WITHOUT_B10
    path = write("a.tif", both, names=[*bands, name] if name else ())
    scene = Scene.open(path, s2_offset=0)
    assert scene.bands == tuple(bands)
    np.testing.assert_array_equal(valid(scene), ~outside)
    assert any("says which pixels hold data" in note for note in scene.notes)


def test_an_alpha_channel_is_no_band(write, make_surface) -> None:
    values = make_surface()
    outside = corner(values)
    alpha = np.where(outside, 0, 65535).astype("uint16")
    path = write("a.tif", np.concatenate([values, alpha[None]]))
    with rasterio.open(path, "r+") as file:
        file.colorinterp = [ColorInterp.gray, *[ColorInterp.undefined] * 12, ColorInterp.alpha]
    scene = Scene.open(path)
    assert scene.bands == S2_BANDS
    np.testing.assert_array_equal(valid(scene), ~outside)


def test_a_band_can_be_left_out_by_the_option(write, make_surface) -> None:
    values = np.concatenate([make_surface(), make_surface(1)])
    scene = Scene.open(write("a.tif", values), s2_bands=[*S2_BANDS, "-"], s2_offset=0)
    assert scene.bands == S2_BANDS
    with pytest.raises(InputError, match="leaves out every band"):
        Scene.open(write("b.tif", values), s2_bands=["-"] * 14)


@pytest.mark.parametrize("text", ["Band {}", "band_{}", "{}", "B{}"])
def test_names_that_only_count_are_no_names(write, make_surface, text) -> None:
    scene = Scene.open(write("a.tif", make_surface(), names=[text.format(number) for number in range(1, 14)]))
    assert scene.bands == S2_BANDS
    with scene.reader() as reader:
        cirrus = reader.s2(Window(0, 0, 9, 9), ["B10"]).reflectance()
    assert cirrus.max() < 0.01


def test_band_names_of_sentinel_2_are_names_though_they_count(write, make_surface) -> None:
    scene = Scene.open(write("a.tif", make_surface(4), names=["B1", "B2", "B3", "B4"]), s2_offset=0)
    assert scene.bands == ("B01", "B02", "B03", "B04")


def test_certain_is_what_no_ground_looks_like() -> None:
    assert [is_certain(value) for value in (-0.1, 0.0, 1e-4, 0.05, 0.5, 1.0, 6.5)] == [
        True, True, True, False, False, False, True,
    ]  # fmt: skip


def test_the_border_of_a_large_scene_is_searched() -> None:
    search = FillSearch()
    side = 3000
    for window in border_windows(Window(0, 0, side, side)):
        rows, columns = (
            np.arange(int(start), int(start + size))
            for start, size in ((window.row_off, window.height), (window.col_off, window.width))
        )
        outside = rows[:, None] + columns[None] < 40
        raw = np.random.default_rng(0).normal(0.2, 0.1, (4, *outside.shape)).astype("float32")
        raw[:, outside] = -5
        search.add(raw, np.ones(outside.shape, bool))
    assert search.found is not None
    assert search.found.value == -5


@pytest.mark.parametrize("as_list", [False, True])
def test_a_file_of_its_own_beside_the_bands_says_where_data_is(write, make_surface, tmp_path, as_list) -> None:
    values = make_surface()
    paths = [write(f"sh/{name}.tif", band[None]) for name, band in zip(S2_BANDS, values, strict=True)]
    holds = np.ones(values.shape[1:], np.uint8)
    holds[:7] = 0
    paths.append(write("sh/dataMask.tif", holds[None]))
    scene = Scene.open(paths if as_list else tmp_path / "sh")
    with scene.reader() as reader:
        np.testing.assert_array_equal(reader.s2(scene.grid.window).valid, holds == 1)
    assert "dataMask.tif says which pixels hold data (0: none)." in scene.notes
    assert paths[-1] in scene.inputs


def test_a_coarser_file_that_says_where_data_is_is_not_used_and_that_is_said(write, make_surface, tmp_path) -> None:
    values = make_surface()
    for name, band in zip(S2_BANDS, values, strict=True):
        write(f"sh/{name}.tif", band[None])
    write("sh/dataMask.tif", np.ones((1, 20, 25), np.uint8), transform=Affine(20, 0, 600_000, 0, -20, 5_200_000))
    assert any("coarser bands are not used" in note for note in Scene.open(tmp_path / "sh").notes)
