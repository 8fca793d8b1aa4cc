"""Each assumption about a scene has a source, and each is said when the scene is opened."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio

from sunbreak.scene import S2_BANDS, Scene


@pytest.fixture
def plain(write_raster, cloudy_dn) -> Path:
    """A scene of which the file states nothing but the names of its bands."""
    return write_raster("place.tif", cloudy_dn(70, 90), bands=S2_BANDS)


def test_what_no_file_states_is_said(plain):
    notes = Scene.open(plain).notes
    assert "Its date is not known." in notes
    assert "Reflectance is number / 10000: usual for Sentinel-2, no file says otherwise." in notes
    assert "No data: pixels that are 0 in any band but B10, since no raster declares it." in notes


def test_of_four_bands_the_level_is_not_known_and_what_that_means_is_said(write_raster, cloudy_dn):
    path = write_raster("four.tif", cloudy_dn(70, 90)[[1, 2, 3, 7]], bands=("B02", "B03", "B04", "B08"))
    scene = Scene.open(path)
    assert scene.level is None
    assert "The processing level is not known: without B10, clouds are detected as at Level-2A." in scene.notes


def test_the_first_source_that_states_something_is_named(plain):
    item = {
        "properties": {"datetime": "2021-06-05T10:20:31Z", "processing:level": "L1C", "s2:processing_baseline": "2.09"}
    }
    with rasterio.open(plain, "r+") as file:
        file.update_tags(DATETIME="2020-01-01", QUANTIFICATION_VALUE="10000")
    plain.with_suffix(".stac.json").write_text(json.dumps(item))
    scene = Scene.open(plain)
    assert scene.reasons.level == scene.reasons.acquired == "the STAC item beside the file"
    assert scene.reasons.quantification == "tags in the file"
    assert "Acquired on 2021-06-05, by the STAC item beside the file." in scene.notes


@pytest.mark.parametrize(
    ("end", "acquired"), [("2026-11-29T08:15:00Z", None), ("2015-06-30T00:00:00Z", "2015-06-23"), (None, "2015-06-23")]
)
def test_a_long_time_from_start_to_end_is_no_date(plain, end, acquired):
    # a scene of unknown date that Sunbreak has cleaned is said to be from the first light of Sentinel-2 until now
    properties = {"datetime": None, "start_datetime": "2015-06-23T00:00:00Z", "end_datetime": end}
    plain.with_suffix(".stac.json").write_text(json.dumps({"properties": properties}))
    scene = Scene.open(plain)
    assert (scene.acquired and f"{scene.acquired:%Y-%m-%d}") == acquired
    assert ("Its date is not known." in scene.notes) == (acquired is None)


def test_a_date_may_come_from_the_name_of_the_folder(write_raster, cloudy_dn, tmp_path):
    dn = cloudy_dn(70, 90)
    for place, band in enumerate(S2_BANDS):
        write_raster(f"scene 2021-06-05/{band}.tif", dn[place : place + 1])
    scene = Scene.open(tmp_path / "scene 2021-06-05")
    assert scene.reasons.acquired == "the name of the folder"
    assert set(scene.reasons.bands.values()) == {"the name of the file"}
    assert "Bands are known from the names of their files." in scene.notes


@pytest.mark.parametrize(
    ("options", "field", "why"),
    [
        ({"s2_scale": 0.0001}, "quantification", "as given (--s2-scale)"),
        ({"s2_unit": "dn"}, "unit", "as given (--s2-unit)"),
        ({"s2_nodata": -1.0}, "nodata", "pixels where a band other than B10 is -1, as given (--s2-nodata)"),
        ({"s2_nodata": "none"}, "nodata", "none, as given (--s2-nodata)"),
        ({"s2_offset": 0}, "offset", "S2 numbers are DN; offset 0 as given."),
    ],
)
def test_what_the_user_says_is_named_as_such(write_raster, cloudy_dn, options, field, why):
    path = write_raster("place.tif", cloudy_dn(70, 90).astype(np.int16), bands=S2_BANDS)
    assert getattr(Scene.open(path, **options).reasons, field) == why


def test_names_that_the_user_gives_are_named_as_such(plain):
    assert set(Scene.open(plain, s2_bands=S2_BANDS).reasons.bands.values()) == {"as given (--s2-bands)"}


def test_a_nodata_value_that_the_dtype_lacks_is_said_to_be_unused(write_raster, cloudy_dn):
    path = write_raster("place.tif", cloudy_dn(70, 90), bands=S2_BANDS, nodata=65535)
    # rasterio does not write it, other programs do
    path.write_bytes(path.read_bytes().replace(b"65535\0", b"100.5\0"))
    notes = Scene.open(path).notes
    assert "place.tif: the declared nodata value 100.5 is no uint16 number and is not used." in notes
    assert "No data: pixels that are 0 in any band but B10, since no raster declares it." in notes


def test_a_scale_beside_reflectance_is_said_to_be_unused(write_raster, cloudy_dn):
    path = write_raster("place.tif", cloudy_dn(70, 90).astype(np.float32) / 10000, bands=S2_BANDS)
    with rasterio.open(path, "r+") as file:
        file.scales = [0.0001] * 13
    assert (
        "The scale and offset in the file are not used: its numbers are reflectance already." in Scene.open(path).notes
    )


def test_a_classification_that_is_not_used_is_named(write_raster, cloudy_dn, tmp_path):
    dn = cloudy_dn(70, 90)
    for place, band in enumerate(S2_BANDS):
        write_raster(f"scene/{band}.tif", dn[place : place + 1])
    write_raster("scene/place_SCL.tif", np.full((1, 70, 90), 4, np.uint8))
    notes = Scene.open(tmp_path / "scene").notes
    assert "place_SCL.tif is not used: it is for scenes without B10." in notes


def test_what_is_assumed_about_radar_is_said(plain, write_raster, radar_db):
    values = np.concatenate([radar_db(70, 90), np.full((1, 70, 90), 39.0, np.float32)])
    s1 = write_raster("radar.tif", values, bands=("VV", "VH", "angle"))
    notes = Scene.open(plain, s1).reasons.radar
    assert "S1: VV and VH are known by their names." in notes
    assert "S1: 1 other band is not used." in notes
    assert "S1: pixels that are 0 in both polarisations hold no data." in notes
    assert "The date of S1 is not known: it is taken to show the ground of the scene." in notes
    power = write_raster("power_2021-06-05.tif", 10 ** (values[:2] / 10), bands=("VV", "VH"))
    notes = Scene.open(plain, power).reasons.radar
    assert "S1: numbers of 0 and less hold no data." in notes
    assert "S1 was acquired on 2021-06-05, by the name of the file." in notes


def test_two_polarisations_of_different_dates_are_doubted(plain, write_raster, radar_db):
    values = radar_db(70, 90)
    pair = [
        write_raster(f"S1_{name}_2021060{day}.tif", values[at : at + 1])
        for at, (name, day) in enumerate((("VV", 4), ("VH", 5)))
    ]
    assert (
        "VV and VH of Sentinel-1 are of different dates: 2021-06-04 and 2021-06-05." in Scene.open(plain, pair).warnings
    )


def test_bands_of_several_dtypes_are_said(write_raster, cloudy_dn, tmp_path):
    dn = cloudy_dn(70, 90)
    for place, band in enumerate(S2_BANDS):
        write_raster(f"scene/{band}.tif", dn[place : place + 1].astype(np.int16 if band == "B10" else np.uint16))
    scene = Scene.open(tmp_path / "scene")
    assert f"The bands are stored as int16 and uint16 and are read as {scene.dtype}." in scene.notes


def test_a_scale_of_radar_is_said(plain, write_raster, radar_db):
    s1 = write_raster("radar.tif", (radar_db(70, 90) * 100).astype(np.int16), bands=("VV", "VH"))
    with rasterio.open(s1, "r+") as file:
        file.scales = [0.01, 0.01]
    assert "S1: the scale 0.01 and offset 0 in radar.tif are applied." in Scene.open(plain, s1).notes


def test_scale_grid_and_nodata_of_a_mask_are_said(plain, write_raster):
    from rasterio.transform import from_origin

    values = np.full((1, 35, 45), 20, np.uint8)
    values[:, :, :5], values[:, 20:] = 250, 80
    mask = write_raster("cldprb.tif", values, transform=from_origin(500000, 5300000, 20, 20), nodata=250)
    with rasterio.open(mask, "r+") as file:
        file.scales = [0.01]
    notes = Scene.open(plain, mask=mask).reasons.mask
    assert "cldprb.tif: its scale 0.01 and offset 0 are applied." in notes
    assert "cldprb.tif: its declared nodata value 250 marks no cloud." in notes
    assert "cldprb.tif lies on another grid: each pixel of the scene takes the nearest value of the mask." in notes


def test_reasons_travel_with_the_scene(plain):
    import pickle

    scene = Scene.open(plain)
    assert pickle.loads(pickle.dumps(scene)).reasons == scene.reasons != type(scene.reasons)()
