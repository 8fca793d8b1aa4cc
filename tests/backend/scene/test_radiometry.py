from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS, Radiometry, Scene
from sunbreak.scene.product import ProductFacts
from sunbreak.scene.radiometry import decide, offset_evidence

WITHOUT_B10 = [name for name in S2_BANDS if name != "B10"]
NEW = "S2B_MSIL1C_20220301T101010_N0400_R022_T32TQM_20220301T120000.tif"
OLD = "S2B_MSIL1C_20200301T101010_N0209_R022_T32TQM_20200301T120000.tif"


@given(
    raw=st.lists(st.integers(0, 65535), min_size=1, max_size=30),
    offset=st.sampled_from([0.0, -1000.0]),
    nodata=st.sampled_from([None, 0, 65535]),
)
def test_stored_numbers_survive_the_way_to_reflectance_and_back(raw, offset, nodata) -> None:
    radiometry = Radiometry("dn", offset, 10000.0)
    stored = np.array(raw, "uint16")
    back = radiometry.to_raw(radiometry.to_reflectance(stored), "uint16", nodata)
    usable = stored != nodata if nodata is not None else np.ones(stored.shape, bool)
    assert np.array_equal(back[usable], stored[usable])
    if nodata is not None:
        assert (back != nodata).all()
        assert (np.abs(back[~usable].astype(int) - nodata) == 1).all()


def test_to_raw_rounds_and_clips_and_keeps_nan_as_nodata() -> None:
    radiometry = Radiometry("dn", -1000.0, 10000.0)
    values = np.array([0.12344, 0.12346, 9.0, -0.2, np.nan, -0.1])
    assert radiometry.to_raw(values, "uint16", 0).tolist() == [2234, 2235, 65535, 1, 0, 1]
    assert radiometry.to_raw(values, "int16", None).tolist() == [2234, 2235, 32767, -1000, 0, 0]


def test_to_raw_of_floats_moves_off_the_nodata_value_by_the_smallest_step() -> None:
    radiometry = Radiometry("reflectance", 0.0, 1.0)
    found = radiometry.to_raw(np.array([0.0, 0.25, np.nan]), "float32", 0.0)
    assert found[0] == np.nextafter(np.float32(0), np.float32(np.inf))
    assert found[1] == 0.25
    assert found[2] == 0
    kept = radiometry.to_raw(np.array([0.0, np.nan]), "float32", float("nan"))
    assert kept[0] == 0
    assert np.isnan(kept[1])


def test_reflectance_is_float32_of_the_same_shape_with_the_offset_taken_out() -> None:
    found = Radiometry("dn", -1000.0, 10000.0).to_reflectance(np.array([[[1000, 2000], [900, 11000]]], "uint16"))
    assert found.dtype == np.float32
    assert found.tolist() == [[[0.0, pytest.approx(0.1)], [pytest.approx(-0.01), 1.0]]]


def test_without_metadata_the_cirrus_band_shows_that_the_offset_is_still_in(write, make_surface) -> None:
    scene = Scene.open(write("a.tif", make_surface() + np.uint16(1000)))
    assert scene.radiometry == Radiometry("dn", -1000.0, 10000.0)
    assert any("-1000" in note and "B10" in note for note in scene.notes)
    assert Scene.open(write("b.tif", make_surface())).radiometry.offset == 0


def test_without_cirrus_band_the_floor_at_1000_shows_the_offset(write, make_surface) -> None:
    dark = make_surface(12)
    dark[:, :20] //= 6
    assert Scene.open(write("in.tif", dark + np.uint16(1000))).radiometry.offset == -1000
    assert Scene.open(write("out.tif", dark)).radiometry.offset == 0


def test_a_bright_scene_without_cirrus_band_cannot_tell_and_says_so(write) -> None:
    bright = np.random.default_rng(0).integers(5000, 9000, (12, 40, 50)).astype("uint16")
    scene = Scene.open(write("a.tif", bright, names=WITHOUT_B10))
    assert scene.radiometry.offset == 0
    assert any("--s2-offset" in text for text in scene.warnings)


def test_zeros_in_the_cirrus_band_are_no_evidence() -> None:
    sample = np.full((2, 100), 5000, np.float32)
    sample[1] = 0
    assert offset_evidence(sample, ["B02", "B10"]).offset_in is None


@pytest.mark.parametrize(("name", "shift", "offset"), [(NEW, 1000, -1000), (OLD, 0, 0)])
def test_the_baseline_in_the_name_and_the_data_agree(write, make_surface, name, shift, offset) -> None:
    scene = Scene.open(write(name, make_surface() + np.uint16(shift)))
    assert scene.radiometry.offset == offset
    assert scene.level == "L1C"


@pytest.mark.parametrize(("name", "shift"), [(NEW, 0), (OLD, 1000)])
def test_data_that_contradicts_the_baseline_is_refused_until_the_user_sets_it(write, make_surface, name, shift) -> None:
    path = write(name, make_surface() + np.uint16(shift))
    with pytest.raises(InputError, match="--s2-offset") as caught:
        Scene.open(path)
    assert caught.value.code == "offset-contradiction"
    for given_offset in (-1000.0, 0.0):
        assert Scene.open(path, s2_offset=given_offset).radiometry.offset == given_offset


def test_an_offset_given_against_the_data_is_used_with_a_warning(write, make_surface) -> None:
    scene = Scene.open(write("a.tif", make_surface()), s2_offset=-1000)
    assert scene.radiometry.offset == -1000
    assert any("although" in text for text in scene.warnings)


def test_a_harmonised_export_has_no_offset_whatever_its_baseline(write, make_surface) -> None:
    name = "S2_HARMONIZED_20230101T101010_N0509.tif"
    assert Scene.open(write(name, make_surface())).radiometry.offset == 0


def test_the_baseline_in_a_stac_item_counts(write, make_surface, tmp_path) -> None:
    path = write("a.tif", make_surface() + np.uint16(1000))
    item = {"properties": {"s2:processing_baseline": "05.09", "datetime": "2023-05-06T10:11:12Z"}}
    (tmp_path / "a.stac.json").write_text(json.dumps(item))
    scene = Scene.open(path)
    assert scene.radiometry.offset == -1000
    assert scene.acquired is not None
    assert scene.acquired.isoformat() == "2023-05-06T10:11:12+00:00"
    assert any("05.09" in note for note in scene.notes)
    assert tmp_path / "a.stac.json" in scene.inputs


def test_scale_and_offset_in_the_file_count(write, make_surface) -> None:
    values = make_surface() + np.uint16(1000)
    scene = Scene.open(write("a.tif", values, scales=[1e-4] * 13, offsets=[-0.1] * 13))
    assert scene.radiometry == Radiometry("dn", -1000.0, 10000.0)
    halves = Scene.open(write("b.tif", make_surface() // 2, scales=[2e-4] * 13, offsets=[0.0] * 13))
    assert halves.radiometry == Radiometry("dn", 0.0, 5000.0)


def test_floats_up_to_one_are_reflectance_and_large_ones_dn(write, make_surface) -> None:
    reflectance = make_surface().astype("float32") / 10000
    assert Scene.open(write("a.tif", reflectance)).radiometry == Radiometry("reflectance", 0.0, 1.0)
    assert Scene.open(write("b.tif", reflectance * 10000)).radiometry == Radiometry("dn", 0.0, 10000.0)


def test_reflectance_with_the_offset_left_in_is_noticed(write, make_surface) -> None:
    scene = Scene.open(write("a.tif", (make_surface().astype("float32") + 1000) / 10000))
    assert scene.radiometry == Radiometry("reflectance", -0.1, 1.0)


def test_floats_that_are_neither_are_refused_until_the_user_says_what_they_are(write, make_surface) -> None:
    path = write("percent.tif", make_surface().astype("float32") / 100)
    with pytest.raises(InputError, match="--s2-unit") as caught:
        Scene.open(path)
    assert caught.value.code == "s2-units"
    assert Scene.open(path, s2_unit="reflectance").radiometry.unit == "reflectance"


def test_signed_dn_work(write, make_surface) -> None:
    scene = Scene.open(write("a.tif", make_surface().astype("int16")))
    assert (scene.dtype, scene.nodata, scene.radiometry.unit) == ("int16", 0.0, "dn")


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize("key", ["earthsearch:boa_offset_applied", "sentinel:boa_offset_applied"])
def test_an_item_that_says_the_offset_was_applied_wins_over_the_baseline(
    write, make_surface, tmp_path, dark, key
) -> None:
    values = make_surface(12) + np.uint16(0 if dark else 1600)
    item = {"properties": {"s2:processing_baseline": "05.09", key: True}}
    (tmp_path / "a.stac.json").write_text(json.dumps(item))
    scene = Scene.open(write("a.tif", values if dark else values.clip(4000), names=WITHOUT_B10))
    assert scene.radiometry == Radiometry("dn", 0.0, 10000.0)
    assert any("offset applied" in note for note in scene.notes)


def test_an_item_that_says_the_offset_was_not_applied_leaves_it_to_the_baseline(write, make_surface, tmp_path) -> None:
    item = {"properties": {"s2:processing_baseline": "05.09", "earthsearch:boa_offset_applied": False}}
    (tmp_path / "a.stac.json").write_text(json.dumps(item))
    assert Scene.open(write("a.tif", make_surface() + np.uint16(1000))).radiometry.offset == -1000


def test_an_item_that_the_data_contradicts_is_refused_with_the_option(write, make_surface, tmp_path) -> None:
    item = {"properties": {"earthsearch:boa_offset_applied": True}}
    (tmp_path / "a.stac.json").write_text(json.dumps(item))
    with pytest.raises(InputError, match=r"the STAC item .* --s2-offset"):
        Scene.open(write("a.tif", make_surface() + np.uint16(1000)))


@pytest.mark.parametrize(("applied", "shift", "offset"), [(None, 1000, -1000), (False, 1000, -1000), (True, 0, 0)])
def test_scale_and_offset_of_the_bands_in_an_item_count(write, make_surface, tmp_path, applied, shift, offset) -> None:
    properties = {} if applied is None else {"earthsearch:boa_offset_applied": applied}
    bands = [{"scale": 0.0001, "offset": -0.1}] * 13
    asset = {"href": "a.tif", "eo:bands": [{"name": name} for name in S2_BANDS], "raster:bands": bands}
    item = {"properties": properties, "assets": {"data": asset}}
    (tmp_path / "a.stac.json").write_text(json.dumps(item))
    scene = Scene.open(write("a.tif", make_surface() + np.uint16(shift)))
    assert scene.radiometry == Radiometry("dn", offset, 10000.0)
    assert scene.bands == S2_BANDS


def test_the_metadata_of_a_product_wins_over_dark_pixels(make_surface) -> None:
    sample = make_surface(12).reshape(12, -1).astype("float32") + 1000
    sample[:, :200] = 500

    def decided(of_product: bool):
        facts = ProductFacts(level="L2A", offset=-1000.0, of_product=of_product)
        return decide("a", np.dtype("uint16"), WITHOUT_B10, sample, facts, None, "auto", "auto")

    radiometry, _, warnings = decided(of_product=True)
    assert radiometry.offset == -1000
    assert any("metadata is used although" in text for text in warnings)
    with pytest.raises(InputError, match="--s2-offset"):
        decided(of_product=False)


@pytest.mark.parametrize(
    ("factor", "dtype", "kind"),
    [
        (6.5, "uint16", "16 bits"),
        (0.015, "uint16", "8 bits"),
        (0.01, "float32", "percent"),
        (0.004, "float64", "neither"),
    ],
)
def test_numbers_that_are_no_reflectance_on_earth_are_refused(write, make_surface, factor, dtype, kind) -> None:
    bright = make_surface(4).astype("float64") * 6
    path = write("a.tif", (bright * factor).clip(0, 65535).astype(dtype), names=["B02", "B03", "B04", "B08"])
    with pytest.raises(InputError, match=kind) as caught:
        Scene.open(path)
    assert caught.value.code == "s2-units"


def test_the_scale_option_says_what_a_stored_number_is(write, make_surface) -> None:
    values = make_surface(4)
    names = ["B02", "B03", "B04", "B08"]
    percent = Scene.open(write("p.tif", (values / 100).astype("float32"), names=names), s2_scale=0.01)
    assert percent.radiometry == Radiometry("dn", 0.0, 100.0)
    stretched = Scene.open(
        write("s.tif", (values * 6.5).astype("uint16"), names=names), s2_scale=1e-4 / 6.5, s2_offset=0
    )
    assert stretched.radiometry.quantification == pytest.approx(65000)
    with pytest.raises(InputError, match="--s2-scale is 0"):
        Scene.open(write("z.tif", values, names=names), s2_scale=0)
