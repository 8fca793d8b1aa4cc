"""What is found in a scene, which source it has, and which jobs can be done with it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.transform import from_origin

from sunbreak.diagnostics.inspection import Inspection, inspect_scene
from sunbreak.diagnostics.inspection_picture import LARGEST, check_picture, panels_of, write_picture
from sunbreak.diagnostics.inspection_text import Row, rows_of
from sunbreak.errors import InputError, OutputError
from sunbreak.scene import S2_BANDS, Scene
from sunbreak.scene.series_opening import open_series


def row(inspection: Inspection, key: str) -> Row:
    (found,) = (row for row in rows_of(inspection) if row.key == key)
    return found


def fit(inspection: Inspection, job: str):
    (found,) = (fit for fit in inspection.fits if fit.job == job)
    return found


@pytest.fixture
def scene_with_gap(write_raster, cloudy_dn) -> Path:
    """A named L1C scene of 70 x 90 pixels, a tenth of which is 0."""
    dn = cloudy_dn(70, 90, (slice(20, 50), slice(30, 70)))
    dn[:, :7] = 0
    return write_raster("S2A_MSIL1C_20200610T101559_N0209_R022_T32UPU_20200610T123456.tif", dn, bands=S2_BANDS)


def test_level_date_and_offset_have_their_sources(scene_with_gap):
    found = inspect_scene(Scene.open(scene_with_gap)).sentinel2
    assert (found.level, found.level_why) == ("L1C", "the name of the file")
    assert (found.acquired, found.acquired_why) == ("2020-06-10T10:15:59+00:00", "the name of the file")
    assert found.offset == 0
    assert found.offset_why == (
        "S2 numbers are DN; offset 0 from processing baseline 02.09, which the name of the file states."
    )
    assert (found.quantification, found.unit, found.dtype) == (10000, "dn", "uint16")
    assert found.quantification_why == "usual for Sentinel-2, no file says otherwise"


def test_a_date_without_a_time_is_shown_without_one(scene_with_gap, write_raster, cloudy_dn):
    assert row(inspect_scene(Scene.open(scene_with_gap)), "acquired").found == "2020-06-10 10:15 UTC"
    path = write_raster("place_2020-06-10.tif", cloudy_dn(70, 90), bands=S2_BANDS)
    assert row(inspect_scene(Scene.open(path)), "acquired").found == "2020-06-10"


def test_each_band_has_its_file_its_index_and_what_named_it(scene_with_gap):
    bands = inspect_scene(Scene.open(scene_with_gap)).sentinel2.bands
    assert [(band.name, band.index) for band in bands] == list(zip(S2_BANDS, range(1, 14), strict=True))
    assert {(band.file, band.why, band.resampled) for band in bands} == {
        (str(scene_with_gap), "the band descriptions", False)
    }


def test_pixels_without_data_are_counted_by_a_named_rule(scene_with_gap, write_raster, cloudy_dn):
    found = inspect_scene(Scene.open(scene_with_gap)).sentinel2
    assert (found.nodata_share, found.sampled_pixels, found.sampled_all) == (0.1, 6300, True)
    assert found.nodata_why == "pixels that are 0 in any band but B10, since no raster declares it"
    declared = write_raster("declared.tif", cloudy_dn(70, 90), bands=S2_BANDS, nodata=0)
    assert (
        inspect_scene(Scene.open(declared)).sentinel2.nodata_why
        == "pixels where a band other than B10 has the declared value 0"
    )
    told = inspect_scene(Scene.open(declared, s2_nodata="none")).sentinel2
    assert (told.nodata_why, told.nodata_share) == ("none, as given (--s2-nodata)", 0)


def test_of_a_large_scene_only_a_sample_is_read(write_raster):
    values = np.full((3, 1200, 1200), 700, np.uint16)
    values[:, :, 600:] = 0
    path = write_raster("large.tif", values, bands=("B02", "B03", "B04"))
    found = inspect_scene(Scene.open(path, s2_offset=0)).sentinel2
    assert (found.sampled_pixels, found.sampled_all) == (25 * 64 * 64, False)
    assert found.nodata_share == pytest.approx(0.5, abs=0.02)
    assert "a sample of 102,400" in row(inspect_scene(Scene.open(path, s2_offset=0)), "nodata").found


def test_the_grid_is_told_with_its_orientation_and_the_chosen_part(write_raster, cloudy_dn):
    upright = from_origin(500000, 5300000, 10, 10)
    south_up = upright * upright.translation(0, 70) * upright.scale(1, -1)
    path = write_raster("south_up.tif", cloudy_dn(70, 90), bands=S2_BANDS, transform=south_up)
    grid = inspect_scene(Scene.open(path, window=(10, 20, 30, 40))).sentinel2.grid
    assert (grid.crs, grid.width, grid.height, grid.south_up) == ("EPSG:32632", 30, 40, True)
    assert grid.part == (10, 20, 30, 40)
    assert grid.bounds == (500100, 5299500, 500400, 5299900)
    assert grid.pixel_metres == (10, 10)
    assert inspect_scene(Scene.open(path)).sentinel2.grid.part is None


def test_radar_has_its_unit_its_order_its_coverage_and_the_days_between(scene_with_gap, write_raster, radar_db):
    values = radar_db(70, 90)[::-1].copy()
    values[:, :, :45] = -9999
    radar = write_raster("S1A_IW_GRDH_1SDV_20200612T053000.tif", values)
    found = inspect_scene(Scene.open(scene_with_gap, radar)).sentinel1
    assert (found.unit, found.vv, found.vh) == ("db", (str(radar), 2), (str(radar), 1))
    assert (found.acquired, found.days_apart) == ("2020-06-12T05:30:00+00:00", 2)
    assert found.coverage == 0.5
    assert not found.resampled
    said = " ".join(found.why)
    assert "-9999" in said
    assert "VH is the weaker one" in said
    assert "S1 was acquired on 2020-06-12, by the name of the file." in said


def test_a_mask_is_told_with_its_coding_and_what_it_marks(scene_with_gap, write_raster):
    mask = np.zeros((1, 70, 90), np.uint8)
    mask[:, :35] = 255
    given = write_raster("mask.tif", mask)
    found = inspect_scene(Scene.open(scene_with_gap, mask=given)).mask
    assert (found.coding, found.of_product, found.shares["cloud_share"]) == ("binary", False, 0.5)
    assert found.why == ("mask.tif is taken as a binary mask: 255 is cloud.",)
    assert fit(inspect_scene(Scene.open(scene_with_gap, mask=given)), "detect-clouds").how.startswith("taken from the")


def test_what_cannot_be_done_is_said_with_what_is_missing(write_raster, cloudy_dn):
    four = ("B02", "B03", "B04", "B08")
    path = write_raster("four.tif", cloudy_dn(70, 90)[[1, 2, 3, 7]], bands=four)
    found = inspect_scene(Scene.open(path))
    clean, classify = fit(found, "clean"), fit(found, "classify")
    assert not clean.possible
    assert "uncrtaints-guided needs the bands B01, B05" in clean.missing
    assert "--s2-bands" in clean.hint
    assert not classify.possible
    assert row(found, "clean").found == "not possible as it is"
    assert not row(found, "clean").well


def test_other_dates_make_cleaning_possible_and_are_told_with_what_is_assumed(write_raster, cloudy_dn):
    four, picked = ("B02", "B03", "B04", "B08"), [1, 2, 3, 7]
    path = write_raster("place_2020-06-10.tif", cloudy_dn(70, 90)[picked], bands=four)
    other = write_raster("place_2020-07-10.tif", cloudy_dn(70, 90, None, 5)[picked] + 500, bands=four)
    found = inspect_scene(open_series(Scene.open(path), [other]))
    (date,) = found.dates
    assert (date.name, date.acquired, date.offset) == ("place_2020-07-10.tif", "2020-07-10T00:00:00+00:00", -1000)
    assert any(text.startswith("place_2020-07-10.tif: S2 numbers are DN; offset -1000") for text in found.notes)
    assert fit(found, "clean").possible
    assert not fit(found, "classify").possible


def test_the_reconstructed_fraction_that_classifying_reads_is_named(write_raster, cloudy_dn):
    path = write_raster("place_cleaned.tif", cloudy_dn(70, 90), bands=S2_BANDS)
    assert fit(inspect_scene(Scene.open(path)), "classify").warnings == ()
    write_raster("place_reconstructed.tif", np.zeros((1, 70, 90), np.uint8))
    (said,) = fit(inspect_scene(Scene.open(path)), "classify").warnings
    assert said == "The reconstructed fraction is read from place_reconstructed.tif."


def test_without_a_detector_and_a_mask_nothing_would_be_replaced(scene_with_gap):
    found = inspect_scene(Scene.open(scene_with_gap), "none")
    assert not fit(found, "clean").possible
    assert fit(found, "clean").hint == "Give a cloud mask with --mask, or choose a detector."


def test_an_inspection_is_json(scene_with_gap):
    found = inspect_scene(Scene.open(scene_with_gap))
    again = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (again["version"], again["sentinel2"]["bands"][0]["name"]) == (1, "B01")
    assert set(again) == {
        "version", "sunbreak", "sentinel2", "sentinel1", "mask", "dates", "fits", "notes", "warnings",
    }  # fmt: skip


def test_a_scene_of_floats_has_no_nodata_number_in_json(write_raster, cloudy_dn):
    path = write_raster("floats.tif", cloudy_dn(70, 90).astype(np.float32) / 10000, bands=S2_BANDS)
    found = inspect_scene(Scene.open(path)).sentinel2
    assert (found.nodata, found.unit, found.unit_why) == (None, "reflectance", "the size of the numbers")
    assert found.nodata_why == "pixels where a band is not finite"


def test_a_part_of_the_picture_without_data_is_hatched_and_clouds_are_outlined(scene_with_gap, write_raster):
    mask = np.zeros((1, 70, 90), np.uint8)
    mask[:, 30:50, 40:60] = 1
    scene = Scene.open(scene_with_gap, mask=write_raster("mask.tif", mask))
    ((title, picture, legend),) = panels_of(scene)
    assert title == "Sentinel-2, true colour"
    times = picture.shape[0] // 70
    assert picture.shape == (70 * times, 90 * times, 3)
    assert {tuple(colour) for colour in picture[: 7 * times].reshape(-1, 3)} == {(110,) * 3, (170,) * 3}
    outlined = (picture == (235, 0, 150)).all(axis=2)
    assert outlined[30 * times, 40 * times : 60 * times].all()
    assert outlined.sum() == 4 * (20 * times - 1)
    assert [category.name for category in legend] == ["no data", "cloud in the mask"]


def test_a_south_up_scene_is_drawn_north_up(write_raster, cloudy_dn):
    dn = cloudy_dn(70, 90)
    dn[:, :35] = 9000  # the southern half
    upright = from_origin(500000, 5300000, 10, 10)
    south_up = upright * upright.translation(0, 70) * upright.scale(1, -1)
    ((_, picture, _),) = panels_of(
        Scene.open(write_raster("up.tif", dn, bands=S2_BANDS, transform=south_up), s2_offset=0)
    )
    half = len(picture) // 2
    assert picture[half:].mean() > 250 > 150 > picture[:half].mean()


def test_the_picture_of_a_large_scene_with_radar_stays_small(write_raster, tmp_path):
    rng = np.random.default_rng(0)
    s2 = write_raster("large.tif", rng.normal(900, 90, (3, 1500, 2500)).astype(np.uint16), bands=("B02", "B03", "B04"))
    radar = rng.normal([[[-11.0]], [[-17.0]]], 1.5, (2, 1500, 2500)).astype(np.float32)
    s1 = write_raster("s1.tif", radar, bands=("VV", "VH"))
    path = tmp_path / "new folder" / "picture.png"
    write_picture(path, Scene.open(s2, s1, s2_offset=0))
    with Image.open(path) as picture:
        assert 700 < picture.width <= LARGEST
        assert picture.height <= LARGEST
    assert list(path.parent.iterdir()) == [path]


def test_a_single_band_is_drawn_in_grey(write_raster, cloudy_dn):
    path = write_raster("S2_B08.tif", cloudy_dn(70, 90)[[7]], bands=("B08",))
    ((title, picture, _),) = panels_of(Scene.open(path, s2_offset=0))
    assert title == "Sentinel-2, B08"
    assert (picture[..., 0] == picture[..., 2]).all()


def test_a_picture_replaces_neither_files_nor_inputs(tmp_path):
    there = tmp_path / "there.png"
    there.write_bytes(b"x")
    with pytest.raises(OutputError, match="exists already"):
        check_picture(there, (), overwrite=False)
    check_picture(there, (), overwrite=True)
    with pytest.raises(OutputError, match="would replace an input"):
        check_picture(there, (there,), overwrite=True)
    with pytest.raises(OutputError, match=r"does not end in \.png"):
        check_picture(tmp_path / "scene.tif", (), overwrite=True)


def test_too_few_pixels_to_tell_the_order_are_said(write_raster, cloudy_dn):
    path = write_raster("few.tif", cloudy_dn(10, 10))
    (why,) = {band.why for band in inspect_scene(Scene.open(path, s2_offset=0)).sentinel2.bands}
    assert why == "their number; too few pixels to tell more"


def test_what_a_file_declares_in_vain_is_said(write_raster, cloudy_dn):
    path = write_raster("odd.tif", cloudy_dn(70, 90), bands=S2_BANDS)
    with rasterio.open(path, "r+") as file:
        file.offsets = [-1000.0] * 13
    scene = Scene.open(path)
    assert any("an offset of -1000 without a scale, which is not used" in text for text in scene.warnings)


def test_a_scene_that_cannot_be_opened_is_not_inspected(write_raster):
    with pytest.raises(InputError, match="cannot be told"):
        inspect_scene(Scene.open(write_raster("two.tif", np.ones((2, 70, 90), np.uint16))))
