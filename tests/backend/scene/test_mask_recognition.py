"""What a mask file is taken for: by its names and all of its values, by the user's word, or not at all."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from affine import Affine

from sunbreak.clouds.given_masks import given_classes
from sunbreak.errors import InputError
from sunbreak.scene import Scene

CLEAR, THICK, THIN, SHADOW, NO_DATA = 0, 1, 2, 3, 255
CLOUD = np.zeros((40, 50), bool)
CLOUD[5:20, 10:35] = True


@pytest.fixture
def s2(write, make_surface):
    return write("s2.tif", make_surface())


def classes(s2, mask, coding="auto") -> np.ndarray:
    scene = Scene.open(s2, mask=mask, mask_coding=coding)
    with scene.reader() as reader:
        return given_classes(reader, scene.grid.window)


def refused(s2, mask, coding="auto") -> InputError:
    with pytest.raises(InputError) as caught:
        Scene.open(s2, mask=mask, mask_coding=coding)
    assert mask.name in str(caught.value)
    assert "\n" not in str(caught.value) + caught.value.hint
    return caught.value


def two(cloud, clear, dtype="uint8") -> np.ndarray:
    return np.where(CLOUD, cloud, clear).astype(dtype)[None]


def cycle(*values, dtype="uint8") -> np.ndarray:
    return np.resize(np.array(values, dtype), (1, 40, 50))


def test_the_classes_of_omnicloudmask_are_not_those_of_an_scl(s2, write):
    found = classes(s2, write("s2_OCM.tif", cycle(0, 1, 2, 3)))
    np.testing.assert_array_equal(found, cycle(CLEAR, THICK, THIN, SHADOW)[0])


@pytest.mark.parametrize("values", [(0, 1, 2, 3), (0, 2), (1, 3), (1, 2), (0, 1, 2), (0, 1, 2, 3, 255)])
def test_few_classes_without_a_name_stop_with_the_candidates_and_the_option(s2, write, values):
    error = refused(s2, write("mask.tif", cycle(*values)))
    assert error.code == "mask-values"
    assert "omnicloudmask" in str(error) and "fmask4" in str(error)
    assert "--mask-coding" in error.hint


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "uint32", "float32", "float64"])
def test_an_scl_of_any_type_is_recognised_by_its_name_or_its_cloud_classes(s2, write, dtype):
    by_values = write("a.tif", cycle(4, 5, 8, 9, 10, 3, dtype=dtype))
    np.testing.assert_array_equal(classes(s2, by_values), cycle(0, 0, THICK, THICK, THIN, SHADOW)[0])
    by_name = write("b.tif", two(9, 4, dtype), names=("SCL",))
    np.testing.assert_array_equal(classes(s2, by_name), CLOUD * THICK)
    assert "scl or percent" in str(refused(s2, write("c.tif", two(9, 4, dtype))))


def test_a_tile_called_scl_is_no_scene_classification(s2, write):
    np.testing.assert_array_equal(classes(s2, write("T33SCL_mask.tif", two(1, 0))), CLOUD * THICK)


def test_an_scl_keeps_its_classes_where_its_file_declares_the_scale_of_reflectance(s2, write):
    mask = write("SCL.tif", two(9, 4, "uint16"), scales=[1e-4], offsets=[-0.1])
    np.testing.assert_array_equal(classes(s2, mask), CLOUD * THICK)


@pytest.mark.parametrize(
    ("name", "values", "options"),
    [
        ("MSK_CLDPRB_20m.tif", two(95, 3), {}),
        ("MSK_CLDPRB_20m.tif", two(95, 3), {"nodata": 0}),
        ("cldprb.tif", two(95.5, 0.3, "float32"), {}),
        ("cloud_mask_percent.tif", two(100, 0), {}),
        ("x.tif", two(95, 3), {"names": ("MSK_CLDPRB",)}),
        ("x.tif", two(95, 3, "float32"), {"names": ("probability",)}),
        ("x.tif", np.where(CLOUD, 60 + np.arange(50) % 40, np.arange(50) % 40).astype("uint8")[None], {}),
        ("x.tif", two(95.5, 12.5, "float32"), {}),
        ("cldprb.tif", two(9500, 300, "uint16"), {"scales": [0.01], "offsets": [0.0]}),
        ("cldprb.tif", two(95, 3), {"scales": [0.01], "offsets": [0.0]}),
        ("probability.tif", two(0.95, 0.3, "float32"), {}),
        ("x.tif", two(9500, 300, "uint16"), {"names": ("cloud_probability",), "scales": [1e-4], "offsets": [0.0], "nodata": 65535}),
        ("x.tif", two(0.1, 0.95, "float32"), {"names": ("cs_cdf",)}),
        ("clear_prob.tif", two(0.1, 0.95, "float32"), {"names": ("cs",)}),
        ("cs_cdf.tif", two(1000, 9500, "uint16"), {"scales": [1e-4], "offsets": [0.0]}),
        ("QA60.tif", two(1024, 0, "uint16"), {}),
        ("x.tif", two(1024, 0, "float32"), {}),
        ("x.tif", two(1024, 0, "uint32"), {"nodata": 0}),
        ("x.tif", two(1, 0, "float32"), {}),
        ("x.tif", two(1, 0, "int32"), {}),
        ("x.tif", two(255, 0, "int16"), {}),
        ("s2cloudless_mask.tif", two(255, 0), {}),
        ("x_fmask.tif", two(2, 1), {}),
        ("x_fmask.tif", two(2, 5), {"nodata": 0}),
        ("LC_Fmask4.tif", two(4, 0), {"nodata": 255}),
        ("HLS.S30.T32TPT.2021161T102031.v2.0.Fmask.tif", two(64 + 2, 64), {"nodata": 255}),
        ("HLS.S30.T32TPT.2021161T102031.v2.0.Fmask.tif", two(2, 4), {}),
        ("response_CLP.tif", two(230, 12), {}),
        ("CLP.tif", two(0.9, 0.05, "float32"), {}),
        ("CLM.tif", two(1, 0), {}),
        ("MSK_CLASSI_B00.tif", two(1, 0), {}),
        ("MSK_CLASSI_B00.tif", two(255, 0), {}),
        ("MSK_CLASSI_B00.tif", np.concatenate([two(1, 0), two(0, 0), two(0, 1)]), {}),
        ("MSK_CLASSI_B00.tif", np.concatenate([two(255, 0), two(255, 0), two(0, 255)]), {}),
        ("MSK_CLASSI_B00.tif", np.concatenate([two(1, 0), two(0, 0), two(0, 255)]), {"nodata": 255}),
    ],
)  # fmt: skip
def test_masks_that_come_with_sentinel_2_are_read(s2, write, name, values, options):
    np.testing.assert_array_equal(classes(s2, write(name, values, **options)), CLOUD * THICK)


def test_bits_of_qa60_without_a_name_are_recognised(s2, write):
    found = classes(s2, write("x.tif", cycle(0, 1024, 2048, 3072, dtype="uint16")))
    np.testing.assert_array_equal(found, cycle(CLEAR, THICK, THIN, THICK)[0])


@pytest.mark.parametrize(("name", "value", "code"), [
    ("MSK_CLDPRB_20m", 1, CLEAR), ("MSK_CLDPRB_20m", 100, THICK), ("probability", 0, CLEAR), ("QA60", 0, CLEAR),
    ("SCL", 4, CLEAR), ("SCL", 9, THICK), ("s2_OCM", 0, CLEAR), ("s2_OCM", 2, THIN), ("x_fmask", 1, CLEAR),
    ("mask", 0, CLEAR), ("mask", 1, THICK), ("mask", 255, THICK), ("MSK_CLASSI_B00", 0, CLEAR),
])  # fmt: skip
def test_masks_of_one_value_are_read_by_their_name(s2, write, name, value, code):
    assert (classes(s2, write(f"{name}.tif", two(value, value))) == code).all()


def test_a_plane_of_cirrus_alone_is_thin_cloud_and_one_of_snow_is_refused(s2, write):
    cirrus = write("a.tif", two(1, 0), names=("MSK_CLASSI_CIRRUS",))
    np.testing.assert_array_equal(classes(s2, cirrus), CLOUD * THIN)
    assert "snow" in str(refused(s2, write("MSK_CLASSI_SNOW_ICE.tif", two(1, 0))))


def test_cldprb_on_another_grid_is_laid_under_every_pixel(s2, write):
    values = np.random.default_rng(0).choice([3, 40, 95], (1, 20, 25)).astype("uint8")
    mask = write("MSK_CLDPRB_20m.tif", values, transform=Affine(20, 0, 600_000, 0, -20, 5_200_000))
    np.testing.assert_array_equal(classes(s2, mask), np.kron(values[0] == 95, np.ones((2, 2), int)) * THICK)


# ---- bands that are found by their name


def test_of_cloud_score_plus_its_authors_prefer_cs_cdf(s2, write):
    both = np.concatenate([two(0.9, 0.1, "float32"), two(0.1, 0.9, "float32")])
    np.testing.assert_array_equal(classes(s2, write("x.tif", both, names=("cs", "cs_cdf"))), CLOUD * THICK)


@pytest.fixture
def export(write, make_surface):
    """Earth Engine's S2_SR with its masks, which differ from each other."""
    masks = {"MSK_CLDPRB": two(95, 3), "MSK_SNWPRB": two(0, 0), "QA60": two(2048, 0, "uint16"), "SCL": two(9, 4)}
    masks |= {"MSK_CLASSI_OPAQUE": two(0, 1), "MSK_CLASSI_CIRRUS": two(1, 0), "MSK_CLASSI_SNOW_ICE": two(1, 0)}
    names = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B9", "B11", "B12")
    surface = make_surface()[[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12]]
    values = np.concatenate([surface, *(band.astype(surface.dtype) for band in masks.values())])
    return write("20200610T101559_SR.tif", values, names=(*names, *masks))


@pytest.mark.parametrize(
    ("coding", "expected", "band"),
    [
        ("auto", CLOUD * THICK, "SCL"),
        ("scl", CLOUD * THICK, "SCL"),
        ("qa60", CLOUD * THIN, "QA60"),
        ("percent", CLOUD * THICK, "MSK_CLDPRB"),
        ("msk-classi", np.where(CLOUD, THIN, THICK), "MSK_CLASSI_OPAQUE, MSK_CLASSI_CIRRUS"),
    ],
)
def test_the_mask_in_an_export_is_found_by_the_name_of_its_band(s2, export, coding, expected, band):
    np.testing.assert_array_equal(classes(s2, export, coding), expected)
    assert any(band in note for note in Scene.open(s2, mask=export, mask_coding=coding).notes)


def test_a_coding_that_no_band_is_called_after_is_refused(s2, export):
    error = refused(s2, export, "fmask")
    assert (error.code, "16" not in error.hint, "fmask" in str(error)) == ("mask-bands", True, True)


def test_the_scl_in_the_scene_s_own_file_is_its_own_classification(export):
    scene = Scene.open(export)
    assert scene.cloud_mask is not None and scene.cloud_mask.of_product
    assert any("own scene classification" in note and "SCL" in note for note in scene.notes)
    assert not any("SCL" in note and "left out" in note for note in scene.notes)
    with scene.reader() as reader:
        np.testing.assert_array_equal(given_classes(reader, scene.grid.window), CLOUD * THICK)
    part = Scene.open(export, window=(8, 3, 20, 10))
    with part.reader() as reader:
        np.testing.assert_array_equal(given_classes(reader, part.grid.window), (CLOUD * THICK)[3:13, 8:28])


def test_an_scl_among_the_files_of_the_bands_is_their_own_classification(write, make_surface):
    files = [write(f"T32_{name}_10m.tif", make_surface()[:1]) for name in ("B02", "B03", "B04")]
    for given in ([*files, write("T32_SCL_20m.tif", two(9, 4))], files[0].parent):
        scene = Scene.open(given)
        assert scene.cloud_mask.of_product
        with scene.reader() as reader:
            np.testing.assert_array_equal(given_classes(reader, scene.grid.window), CLOUD * THICK)


def test_a_given_mask_counts_more_than_the_scl_in_the_scene_s_file(export, write):
    scene = Scene.open(export, mask=write("mask.tif", two(0, 1)))
    assert not scene.cloud_mask.of_product
    assert any("band SCL is not a Sentinel-2 band" in note for note in scene.notes)


def test_a_scene_with_b10_does_not_need_the_scl_in_its_file(write, make_surface):
    values = np.concatenate([make_surface(), two(9, 4, "uint16")])
    names = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B9", "B10", "B11", "B12", "SCL")
    scene = Scene.open(write("x.tif", values, names=names))
    assert not scene.has_mask
    assert any("band SCL is not a Sentinel-2 band" in note for note in scene.notes)


def test_a_band_called_scl_that_holds_something_else_is_left_out_with_a_warning(write, make_surface):
    surface = make_surface()[[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12]]
    names = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B9", "B11", "B12", "SCL")
    scene = Scene.open(write("x.tif", np.concatenate([surface, surface[:1]]), names=names))
    assert not scene.has_mask
    assert any("SCL" in text for text in scene.warnings)


# ---- our own layers


def test_our_own_mask_is_read_in_its_new_and_its_older_form(s2, write):
    new = write("a_cloud_mask.tif", cycle(0, 1, 2, 3, 255), names=("cloud_mask",), nodata=255)
    np.testing.assert_array_equal(classes(s2, new), cycle(CLEAR, THICK, THIN, SHADOW, NO_DATA)[0])
    assert any("Sunbreak" in note for note in Scene.open(s2, mask=new).notes)
    old = write("b_cloud_mask.tif", two(1, 0), names=("cloud_mask",), nodata=255)
    np.testing.assert_array_equal(classes(s2, old), CLOUD * THICK)


@pytest.mark.parametrize("name", ["CLOUD_MASK.tif", "my mask.tif"])
def test_our_own_mask_is_known_by_its_tag_under_any_name(s2, write, name):
    # QGIS calls a temporary output after its parameter
    path = write(name, cycle(0, 1, 2, 3), names=("cloud_mask",), nodata=255)
    assert "omnicloudmask" in str(refused(s2, path))
    with rasterio.open(path, "r+") as file:
        file.update_tags(SUNBREAK_ROLE="cloud_mask")
    np.testing.assert_array_equal(classes(s2, path), cycle(CLEAR, THICK, THIN, SHADOW)[0])


def test_another_layer_of_ours_is_not_taken_for_the_mask(s2, write):
    path = write("trust.tif", cycle(0, 1, 2, 3), names=("trust",), nodata=255)
    with rasterio.open(path, "r+") as file:
        file.update_tags(SUNBREAK_ROLE="trust")
    assert "omnicloudmask" in str(refused(s2, path))


def test_another_mask_that_is_only_called_alike_is_not_taken_for_ours(s2, write):
    assert "fmask" in str(refused(s2, write("x_cloud_mask.tif", two(2, 1))))


# ---- names and values that contradict each other, and what the user says


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("SCL", two(17, 4), ("scl", "17")),
        ("QA60", two(7, 0), ("qa60", "7")),
        ("x_fmask", cycle(0, 1, 4, 255), ("fmask", "255", "fmask4")),
        ("MSK_CLDPRB", two(200, 3), ("percent", "200")),
        ("MSK_CLASSI_B00", two(7, 0), ("msk-classi", "7")),
        ("cs_cdf", two(10, 95), ("cloudscore", "95")),
        ("s2_OCM", two(5, 0), ("omnicloudmask", "5")),
    ],
)
def test_a_name_that_the_values_contradict_stops_with_both(s2, write, name, values, said):
    error = refused(s2, write(f"{name}.tif", values))
    assert error.code == "mask-values"
    for word in said:
        assert word in f"{error} {error.hint}"


def test_the_fmask_of_hls_has_bits_of_cloud_and_shadow(s2, write):
    mask = write("HLS.S30.T32TPT.2021161T102031.v2.0.Fmask.tif", cycle(0, 2, 4, 8, 32 + 64, 255))
    np.testing.assert_array_equal(classes(s2, mask), cycle(0, THICK, 0, SHADOW, 0, NO_DATA)[0])


def test_in_clm_of_sentinel_hub_255_is_no_data(s2, write):
    np.testing.assert_array_equal(classes(s2, write("CLM.tif", cycle(0, 1, 255))), cycle(0, THICK, NO_DATA)[0])


def test_a_probability_up_to_255_is_not_guessed_without_its_name(s2, write):
    error = refused(s2, write("x.tif", two(230, 12)))
    assert "probability-255" in error.hint
    np.testing.assert_array_equal(classes(s2, write("x.tif", two(230, 12)), "probability-255"), CLOUD * THICK)


@pytest.mark.parametrize("values", [two(4, 0), cycle(0, 1, 2, 3, 4)])
def test_an_fmask_with_undeclared_zeros_may_be_of_version_3_or_4(s2, write, values):
    assert "may be fmask or fmask4" in str(refused(s2, write("x_fmask.tif", values)))


def test_fmask_with_a_declared_nodata_of_255_is_fmask_4(s2, write):
    error = refused(s2, write("x_fmask.tif", two(4, 0), nodata=255))
    assert "fmask4" in f"{error} {error.hint}"


@pytest.mark.parametrize(
    "values",
    [two(0.8, 0.2, "float32"), two(8000, 2000, "uint16")],
)
def test_fractions_without_a_name_are_probability_or_its_opposite(s2, write, values):
    scales = [1e-4] if values.dtype == "uint16" else [1.0]
    error = refused(s2, write("x.tif", values, scales=scales, offsets=[0.0]))
    assert "cloudscore or probability" in str(error)


@pytest.mark.parametrize(
    ("name", "values"), [("cldprb", two(1, 0, "float32")), ("s2cloudless", two(1, 0)), ("cloud_20_percent", two(1, 0))]
)
def test_zeros_and_ones_called_probability_stop_where_percent_would_mean_something_else(s2, write, name, values):
    assert "percent" in str(refused(s2, write(f"{name}.tif", values)))


@pytest.mark.parametrize(
    ("coding", "values", "expected"),
    [
        ("fmask", cycle(0, 1, 2, 3, 4, 5), (NO_DATA, 0, THICK, SHADOW, 0, 0)),
        ("fmask4", cycle(0, 1, 2, 3, 4, 255), (0, 0, SHADOW, 0, THICK, NO_DATA)),
        ("omnicloudmask", cycle(0, 1, 2, 3, dtype="float32"), (0, THICK, THIN, SHADOW)),
        ("percent", cycle(0, 49, 50, 100), (0, 0, THICK, THICK)),
        ("probability", cycle(0, 0.25, 0.75, 1, dtype="float64"), (0, 0, THICK, THICK)),
        ("probability", cycle(0, 1), (0, THICK)),
        ("cloudscore", cycle(0, 0.5, 0.75, 1, dtype="float32"), (THICK, THICK, 0, 0)),
        ("binary", cycle(0, 255, dtype="int32"), (0, THICK)),
        ("scl", cycle(1, 3), (0, SHADOW)),
        ("qa60", cycle(0, 2048, dtype="uint32"), (0, THIN)),
        ("msk-classi", cycle(0, 255), (0, THICK)),
    ],
)
def test_what_the_user_says_counts_more_than_any_name(s2, write, coding, values, expected):
    found = classes(s2, write("SCL.tif", values), coding)
    np.testing.assert_array_equal(found, cycle(*expected)[0])


@pytest.mark.parametrize(
    ("coding", "values", "named"),
    [
        ("fmask", cycle(0, 1, 4, 255), "fmask4"),
        ("binary", cycle(0, 1, 255), "fmask4"),
        ("binary", cycle(1, 2), "fmask"),
        ("probability", cycle(0, 80, 90, 95), "percent"),
        ("percent", cycle(0, 80, 200), "200"),
        ("scl", cycle(4, 12), "12"),
        ("qa60", cycle(0, 1), "binary"),
        ("omnicloudmask", cycle(0.5, 1, dtype="float32"), "0.5"),
        ("cloudscore", cycle(0, 80, 90, 95), "nodata"),
        ("msk-classi", cycle(0, 1, 2), "2"),
    ],
)
def test_values_beyond_what_the_user_says_are_refused(s2, write, coding, values, named):
    error = refused(s2, write("x.tif", values), coding)
    assert error.code == "mask-values"
    assert coding in str(error)
    assert named in f"{error} {error.hint}"


def test_percent_that_a_scale_makes_a_probability_is_not_all_clear(s2, write):
    refused(s2, write("x.tif", two(95, 3), scales=[0.01], offsets=[0.0]), "percent")
    np.testing.assert_array_equal(
        classes(s2, write("x.tif", two(95, 3), scales=[0.01], offsets=[0.0]), "probability"), CLOUD * THICK
    )


def test_an_unknown_coding_is_refused_with_a_list(s2, write):
    with pytest.raises(InputError, match="sen2cor") as caught:
        Scene.open(s2, mask=write("x.tif", two(1, 0)), mask_coding="sen2cor")
    assert (caught.value.code, "msk-classi" in caught.value.hint) == ("bad-option", True)


def test_a_few_values_that_only_percent_has_are_not_certain(s2, write):
    assert "percent" in str(refused(s2, write("x.tif", two(77, 0))))


def test_a_coding_without_a_mask_is_not_used_and_that_is_said(s2):
    scene = Scene.open(s2, mask_coding="fmask")
    assert scene.cloud_mask is None
    assert "The mask coding fmask is not used: no mask is given." in scene.warnings
    assert not any("mask coding" in text for text in Scene.open(s2).warnings)
