"""Other dates of a scene are checked, cropped to what lies under it, and given their radar."""

from __future__ import annotations

import shutil
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from pyproj import Transformer
from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS, Scene, SceneSeries
from sunbreak.scene.series_opening import MARGIN, open_series, part_under


@pytest.fixture
def date(write, make_surface):
    """Write another date: its day is in the name, and it shares the target's grid unless told otherwise."""

    def make(name: str, *, bands=S2_BANDS, rows=40, columns=50, **options) -> Path:
        values = make_surface(13, rows, columns, seed=sum(map(ord, name)))
        values = values[[S2_BANDS.index(band) for band in bands]]
        return write(f"{name}.tif", values, names=bands, **options)

    return make


@pytest.fixture
def target(date) -> Scene:
    return Scene.open(date("place_2020-06-10"))


def refused(target: Scene, *given, **options) -> InputError:
    with pytest.raises(InputError) as caught:
        open_series(target, *given, **options)
    assert caught.value.hint and "\n" not in str(caught.value)
    return caught.value


def test_every_other_date_is_described_with_its_days_from_the_target(target, date):
    before, after = date("place_2020-06-01"), date("place_2020-07-01", bands=("B02", "B03", "B04", "B08"))
    series = open_series(target, [after, before])
    assert [other.stem for other in series.others] == ["place_2020-07-01", "place_2020-06-01"]
    assert series.days == (21, -9)
    assert series.notes == (
        "Other date 2020-07-01 (21 days after): place_2020-07-01.tif, 4 of the scene's 13 bands.",
        "Other date 2020-06-01 (9 days before): place_2020-06-01.tif.",
    )
    assert not series.warnings
    assert series.inputs == (*target.inputs, after, before)


def test_numbers_that_are_read_otherwise_than_those_of_the_scene_are_said(target, write, make_surface):
    newer = write("place_N0500_2022-07-01.tif", make_surface(13, 40, 50, seed=7) + 1000, names=S2_BANDS)
    series = open_series(target, [newer])
    assert series.others[0].radiometry.offset == -1000 != target.radiometry.offset
    assert series.notes[1] == (
        "place_N0500_2022-07-01.tif: S2 numbers are DN; offset -1000 from processing baseline 05.00, which the name of "
        "the file states."
    )


def test_what_was_found_comes_after_what_was_given_and_by_date(target, date):
    given = [date("a_2020-08-01")]
    found = [date("b_2020-07-01"), date("c"), date("d_2020-05-01")]
    series = open_series(target, given, found=found)
    assert [other.stem for other in series.others] == ["a_2020-08-01", "d_2020-05-01", "b_2020-07-01", "c"]


def test_a_large_reference_is_cropped_to_what_lies_under_the_target(target, date):
    corner = Affine(10, 0, 600_000 - 9000, 0, -10, 5_200_000 + 10_000)
    (other,) = open_series(target, [date("wide_2020-06-01", rows=1800, columns=1700, transform=corner)]).others
    # the lattice of the resampling adds less than 64 pixels
    assert 40 + 2 * MARGIN <= other.grid.height <= 40 + 2 * MARGIN + 64
    assert 50 + 2 * MARGIN <= other.grid.width <= 50 + 2 * MARGIN + 64
    left, bottom, right, top = target.grid.bounds
    assert other.grid.bounds[0] <= left - 10 * MARGIN and other.grid.bounds[2] >= right + 10 * MARGIN
    assert other.grid.bounds[1] <= bottom - 10 * MARGIN and other.grid.bounds[3] >= top + 10 * MARGIN


def test_of_a_part_of_the_scene_only_the_part_counts(date):
    path = date("wide_2020-06-10", rows=900, columns=900)
    target = Scene.open(path, window=(100, 700, 64, 64))
    (other,) = open_series(target, [date("other_2020-06-01", rows=900, columns=900)]).others
    assert other.origin[0] == 0 and 700 - MARGIN - 64 <= other.origin[1] <= 700 - MARGIN
    assert other.grid.width < 500


def test_a_reference_in_another_zone_with_other_pixels_keeps_what_lies_under_the_target(target, date):
    x, y = Transformer.from_crs("EPSG:32632", "EPSG:32633", always_xy=True).transform(600_000, 5_200_000)
    grid = {"crs": "EPSG:32633", "transform": Affine(20, 0, x - 20_000, 0, -20, y + 20_000)}
    series = open_series(target, [date("abroad_2020-06-01", rows=1500, columns=1500, **grid)])
    (other,) = series.others
    assert max(other.grid.shape) < 450
    assert series.mappings[0].coverage(Window(0, 0, 50, 40)) == 1
    with series.reader() as reader:
        _, there = reader.read(0, 40, lambda *_: np.zeros(1))
    assert there.optical.valid.all()


def test_a_reference_of_another_place_is_an_error_or_left_out_if_it_was_found(target, date):
    far = date("far_2020-06-01", transform=Affine(10, 0, 700_000, 0, -10, 5_200_000))
    error = refused(target, [far])
    assert error.code == "no-overlap" and "far_2020-06-01.tif does not overlap the scene" in str(error)
    series = open_series(target, [], found=[far])
    assert not series.others
    assert series.notes == ("far_2020-06-01.tif is left out of the other dates: it does not overlap the scene.",)
    assert series.warnings == ("None of the other dates can be used: the scene is cleaned alone.",)


def test_a_reference_beside_the_target_within_its_margin_is_of_another_place(target, date):
    beside = date("beside_2020-06-01", transform=Affine(10, 0, 600_000 + 600, 0, -10, 5_200_000))
    assert part_under(target, Scene.open(beside).grid) is not None
    assert refused(target, [beside]).code == "no-overlap"


@pytest.mark.parametrize("name", ["copy_2020-06-10", "elsewhere_20200610T101500"])
def test_the_scene_itself_is_no_other_date(target, date, name):
    copy = date(name)
    for itself in (target.inputs[0], copy):
        error = refused(target, [itself])
        assert error.code == "reference-is-scene" and str(itself) in str(error)
    other = date("place_2020-06-01")
    series = open_series(target, [], found=[copy, other, target.inputs[0]])
    assert [scene.stem for scene in series.others] == ["place_2020-06-01"]
    left_out = sorted(note for note in series.notes if "it is of the scene's own acquisition" in note)
    assert [note.split(" is left out of the other dates")[0] for note in left_out] == [
        copy.name,
        "place_2020-06-10.tif",
    ]


def test_two_overpasses_of_one_day_are_two_dates_where_their_times_are_known(date):
    target = Scene.open(date("a_20200610T101500"))
    assert open_series(target, [date("b_20200610T115500")]).days == (0,)
    assert refused(target, [date("c_20200610T101512")]).code == "reference-is-scene"


def test_the_same_reference_twice_is_used_once(target, date, tmp_path):
    other = date("place_2020-06-01")
    copy = tmp_path / "copies" / "again_2020-06-01.tif"
    copy.parent.mkdir()
    shutil.copy(other, copy)
    series = open_series(target, [other, str(other), copy])
    assert len(series.others) == 1
    assert [note for note in series.notes if "twice" in note] == [
        "place_2020-06-01.tif is among the other dates twice and is used once.",
        "again_2020-06-01.tif is among the other dates twice and is used once.",
    ]


def test_a_neighbouring_tile_of_the_same_date_is_another_reference(target, date):
    left, right = date("left_2020-06-01", columns=25), date(
        "right_2020-06-01", columns=25, transform=Affine(10, 0, 600_250, 0, -10, 5_200_000)
    )  # fmt: skip
    assert len(open_series(target, [left, right]).others) == 2


def test_another_level_is_used_with_a_warning(target, date):
    l2a = date("S2_L2A_2020-06-01", bands=tuple(band for band in S2_BANDS if band != "B10"))
    series = open_series(target, [l2a])
    assert series.others[0].level == "L2A"
    assert "S2_L2A_2020-06-01.tif is of Level-2A, the scene of Level-1C." in series.warnings


def test_of_one_acquisition_at_both_levels_a_search_keeps_that_of_the_scene(target, date):
    l2a = date("S2_L2A_2020-06-01", bands=tuple(band for band in S2_BANDS if band != "B10"))
    l1c = date("S2_L1C_2020-06-01")
    (other,) = open_series(target, [], found=[l2a, l1c]).others
    assert other.level == "L1C"
    assert len(open_series(target, [l2a, l1c]).others) == 2


def test_a_reference_without_any_of_the_bands_is_an_error(date):
    target = Scene.open(date("rgb_2020-06-10", bands=("B02", "B03", "B04")))
    infrared = date("nir_2020-06-01", bands=("B08", "B11"))
    error = refused(target, [infrared])
    assert error.code == "band-missing"
    assert "has none of the scene's bands: it has B08, B11, the scene B02, B03, B04" in str(error)
    assert "none of the scene's bands" in open_series(target, [], found=[infrared]).notes[0]


def test_a_reference_of_unknown_date_is_used_with_a_warning(target, date):
    series = open_series(target, [date("someday")])
    assert series.days == (None,)
    assert series.warnings == ("someday.tif: its date is not known; it counts as the farthest of the dates.",)
    assert series.notes == ("Other date of unknown date: someday.tif.",)


def test_a_scene_of_unknown_date_has_unknown_days_to_its_other_dates(date):
    series = open_series(Scene.open(date("someday")), [date("place_2020-06-01"), date("place_2020-07-01")])
    assert series.days == (None, None)
    assert series.warnings == ("The scene's own date is not known, nor are the days between it and the other dates.",)


def test_a_damaged_reference_is_named_and_left_out_if_it_was_found(target, date):
    other, damaged = date("place_2020-06-01"), date("broken_2020-05-01")
    damaged.write_bytes(damaged.read_bytes()[:2000])
    error = refused(target, [damaged])
    assert "broken_2020-05-01.tif" in str(error)
    series = open_series(target, [], found=[damaged, other])
    assert len(series.others) == 1
    assert series.warnings[0].startswith("Left out of the other dates: ")
    assert "broken_2020-05-01.tif is truncated" in series.warnings[0]


def test_a_reference_without_data_under_the_scene_says_so(target, write, make_surface):
    empty = make_surface(13, 600, 700)
    empty[:, :500, :500] = 0
    path = write("swath_2020-06-01.tif", empty, names=S2_BANDS)
    error = refused(target, [path])
    assert error.code == "all-nodata" and "swath_2020-06-01.tif holds no valid pixel under the scene" in str(error)


def test_band_names_given_for_the_scene_count_for_references_with_as_many_bands(write, make_surface, date):
    order = ("B04", "B03", "B02", "B08")
    target = Scene.open(write("rgbn_2020-06-10.tif", make_surface(4)), s2_bands=order)
    other = write("rgbn_2020-06-01.tif", make_surface(4, seed=3))
    series = open_series(target, [other, date("whole_2020-07-01")], s2_bands=order)
    assert [scene.bands for scene in series.others] == [("B02", "B03", "B04", "B08"), S2_BANDS]
    assert refused(target, [other]).code == "bands-unknown"


def test_units_that_are_given_count_for_the_references_too(target, date):
    series = open_series(target, [date("place_2020-06-01")], s2_offset=0.0, s2_unit="dn")
    assert series.others[0].radiometry.offset == 0


@pytest.fixture
def radar(write, make_backscatter):
    def make(name: str, bands=("VV", "VH"), **options) -> Path:
        both = make_backscatter(seed=sum(map(ord, name)))
        return write(f"{name}.tif", both[[("VV", "VH").index(band) for band in bands]], names=bands, **options)

    return make


def test_radar_belongs_to_the_nearest_date_within_three_days(target, date, radar):
    references = [date("place_2020-06-01"), date("place_2020-07-01"), date("place_2020-08-01")]
    images = [radar("s1_2020-07-03"), radar("s1_2020-05-31")]
    series = open_series(target, references, images)
    assert [scene.radar and scene.radar.acquired for scene in series.others] == [
        datetime(2020, 5, 31, tzinfo=timezone.utc), datetime(2020, 7, 3, tzinfo=timezone.utc), None,
    ]  # fmt: skip
    assert series.notes[0].endswith("place_2020-06-01.tif, with Sentinel-1.")
    assert set(images) < set(series.inputs)


def test_two_files_of_one_date_are_one_radar_image(target, date, radar):
    vh, vv = radar("vh_2020-06-01", ("VH",)), radar("vv_2020-06-01", ("VV",))
    (other,) = open_series(target, [date("place_2020-06-01")], [vh, vv]).others
    assert [band.file.path for band in other.radar.bands] == [vv, vh]
    assert refused(target, [date("place_2020-06-02")], [vh]).code == "s1-bands"


def test_radar_of_unknown_date_is_taken_in_the_given_order(target, date, radar):
    references, images = [date("place_2020-06-01"), date("place_2020-07-01")], [radar("first"), radar("second")]
    series = open_series(target, references, images)
    assert [scene.radar.files[0].path.stem for scene in series.others] == ["first", "second"]
    error = refused(target, references, images[:1])
    assert error.code == "s1-unmatched" and "first.tif: its date is not known" in str(error)
    assert "--reference" not in error.hint


def test_radar_far_from_every_date_is_an_error_or_left_out_if_it_was_found(target, date, radar):
    reference, far = date("place_2020-06-01"), radar("s1_2020-06-10")
    error = refused(target, [reference], [far])
    assert error.code == "s1-unmatched"
    assert "s1_2020-06-10.tif (2020-06-10) was not acquired within 3 days of a reference" in str(error)
    series = open_series(target, [reference], found_s1=[far, radar("undated"), radar("s1_2020-06-02")])
    assert series.others[0].radar.files[0].path.stem == "s1_2020-06-02"
    assert series.notes[0] == (
        "Sentinel-1 that was found and belongs to no other date is not used: s1_2020-06-10.tif, undated.tif."
    )


def test_of_two_radar_images_of_one_date_the_nearer_is_used(target, date, radar):
    nearer, farther = radar("s1_2020-06-01"), radar("s1_2020-06-03")
    series = open_series(target, [date("place_2020-06-01")], [farther, nearer])
    assert series.others[0].radar.files[0].path == nearer
    assert series.notes[0] == "s1_2020-06-03.tif is not used: another radar image is nearer to the same date."


def test_found_radar_that_cannot_be_used_costs_only_itself(target, date, radar, write):
    far = radar("s1_2020-06-01", transform=Affine(10, 0, 700_000, 0, -10, 5_200_000))
    damaged = radar("s1_2020-07-01")
    damaged.write_bytes(b"II*\0nothing")
    references = [date("place_2020-06-01"), date("place_2020-07-01")]
    series = open_series(target, references, found_s1=[far, damaged])
    assert len(series.others) == 2 and not any(scene.has_s1 for scene in series.others)
    assert any("s1_2020-06-01.tif does not overlap" in text for text in series.warnings)
    assert any("s1_2020-07-01.tif" in text for text in series.warnings)
    assert refused(target, references, [far]).code == "no-overlap"


def test_a_series_travels_between_processes(target, date):
    import pickle

    series = open_series(target, [date("place_2020-06-01")])
    again = pickle.loads(pickle.dumps(series))
    assert again == series and isinstance(again, SceneSeries) and again.days == (-9,)


def test_a_folder_of_several_acquisitions_is_not_one_reference(target, date, tmp_path):
    for name in ("a_2020-06-01", "b_2020-07-01"):
        date(f"dates/{name}")
    error = refused(target, [tmp_path / "dates"])
    assert f"{tmp_path / 'dates'} is not the folder of one acquisition." in str(error)
    assert "--references" in error.hint


@pytest.mark.parametrize("place", ["same pixels", "half a pixel off", "another zone"])
def test_the_crop_changes_no_value_under_the_target(target, date, place):
    x, y = Transformer.from_crs("EPSG:32632", "EPSG:32633", always_xy=True).transform(600_000, 5_200_000)
    grid = {
        "same pixels": {"transform": Affine(10, 0, 600_000 - 8000, 0, -10, 5_200_000 + 8000)},
        "half a pixel off": {"transform": Affine(10, 0, 600_000 - 8005, 0, -10, 5_200_000 + 8005)},
        "another zone": {"crs": "EPSG:32633", "transform": Affine(10, 0, x - 8000, 0, -10, y + 8000)},
    }[place]
    path = date("wide_2020-06-01", rows=1600, columns=1600, **grid)
    cropped, whole = open_series(target, [path]), SceneSeries(target, (Scene.open(path),))
    assert cropped.others[0].grid.width < 700
    with cropped.reader() as one, whole.reader() as other:
        found, expected = (reader.read(0, 40, lambda *_: np.zeros(1))[1].optical for reader in (one, other))
    np.testing.assert_array_equal(found.valid, expected.valid)
    np.testing.assert_allclose(found.reflectance(), expected.reflectance(), rtol=0, atol=1e-7)
