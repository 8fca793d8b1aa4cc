"""Masks that are given: one truth, written in every known coding, comes back as the same classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rasterio.crs import CRS
from rasterio.transform import from_origin
from rasterio.windows import Window

from sunbreak.clouds.classes import CLEAR, CODES, NO_DATA, SHADOW, THICK_CLOUD, THIN_CLOUD, replaced
from sunbreak.clouds.given_masks import decode, given_classes
from sunbreak.errors import InputError
from sunbreak.scene import Grid, Scene
from sunbreak.scene.mask import CloudMask, MaskReader, find_mask
from sunbreak.scene.mask_codings import (
    BINARY,
    BINARY_255,
    BINARY_NODATA,
    CLOUDSCORE,
    CODINGS,
    FMASK,
    FMASK4,
    HLS,
    LAYER,
    MSK_CLASSI,
    OMNICLOUDMASK,
    OPTIONS,
    PERCENT,
    PROBABILITY,
    PROBABILITY_255,
    QA60,
    SCL,
)

SHAPE = st.tuples(st.integers(2, 7), st.integers(2, 7))
TRUTH = arrays(np.uint8, SHAPE, elements=st.sampled_from([CLEAR, THICK_CLOUD, THIN_CLOUD, SHADOW]))
SMALL = ["uint8", "uint16", "int16", "int32", "uint32", "float32", "float64"]
LARGE = [name for name in SMALL if name != "uint8"]
# the names by which files of each coding are known; None is a name that says nothing
NAMES = {
    SCL: [("T32TQM_20220930T101649_SCL_20m", ""), ("a", "SCL"), ("scl", "")],
    OMNICLOUDMASK: [("s2_OCM_v1", ""), ("omnicloudmask", ""), ("a", "ocm")],
    LAYER: [("scene_cloud_mask", "cloud_mask")],
    FMASK: [("x_fmask", ""), ("a", "Fmask")],
    FMASK4: [("x_Fmask4", ""), ("a", "fmask_4")],
    CLOUDSCORE: [("a", "cs"), ("a_prob", "cs_cdf"), ("x_cs_cdf", "")],
    PERCENT: [("MSK_CLDPRB_20m", ""), ("a", "MSK_CLDPRB"), ("a", "probability")],
    PROBABILITY: [("cloud_probability", ""), ("x", "s2cloudless"), ("a", "cloud_prob")],
    BINARY: [("mask", "")],
    BINARY_255: [("mask", "")],
    BINARY_NODATA: [("CLM", ""), ("a", "CLM")],
    HLS: [("HLS.S30.T32TPT.2021161T102031.v2.0.Fmask", "")],
    PROBABILITY_255: [("CLP", ""), ("a", "CLP")],
    MSK_CLASSI: [("MSK_CLASSI_B00", "")],
    QA60: [("QA60", ""), ("a", "QA60"), ("a", "")],
}


def mask(coding, nodata=None, scale=1.0, offset=0.0) -> CloudMask:
    """A mask of a coding; decoding needs neither its file nor its place."""
    return CloudMask(None, coding, nodata, scale, offset, None)


def kept(coding) -> set[str]:
    """The classes that a coding distinguishes from clear."""
    return {"thick cloud"} if coding.largest else {word for _, word in coding.values} - {"clear", "no data"}


def written(truth: np.ndarray, coding, draw) -> np.ndarray:
    """The truth, (row, column) class codes, as a file of this coding holds it, (band, row, column)."""
    picks = draw(arrays(np.uint8, truth.shape, elements=st.integers(0, 59)))
    if coding.largest:
        # both sides stay away from 0.5 and 0.6, which belong to one side only, and a fraction is among them
        low, high = picks / 150, 0.65 + picks / 170
        values = np.where(truth > 0, low, high) if coding is CLOUDSCORE else np.where(truth > 0, high, low)
        values[0, 0] = values[0, 0] * 0.99 + 0.003
        whole = coding is PROBABILITY_255 or (coding is PERCENT and draw(st.booleans()))
        values = values * coding.largest
        return (values.round().astype(draw(st.sampled_from(SMALL))) if whole else values.astype(np.float32))[None]
    found = np.zeros(truth.shape, int)
    for code in np.unique(truth):
        word = next(name for name, number in CODES.items() if number == code)
        word = word if word == "clear" or word in kept(coding) else "thick cloud"
        values = [value for value, meaning in coding.values if meaning == word]
        found = np.where(truth == code, np.take(values, picks % len(values)), found)
    if coding.planes:
        top = draw(st.sampled_from([1, 255]))
        return np.stack([(found >> bit & 1) * top for bit in range(3)]).astype(np.uint8)
    return found.astype(draw(st.sampled_from(SMALL if found.max() < 256 else LARGE)))[None]


def write(folder, stem, values, band="", **options):
    path = folder / f"{stem}.tif"
    count, height, width = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", count=count, height=height, width=width, dtype=values.dtype, crs="EPSG:32632",
        transform=from_origin(500000, 5300000, 10, 10), **options,
    ) as file:  # fmt: skip
        file.write(values)
        if band:
            file.set_band_description(1, band)
    return path


def read(path, option="auto") -> np.ndarray:
    with rasterio.open(path) as file:
        grid = Grid(CRS.from_epsg(32632), file.transform, file.width, file.height)
    found, notes, _ = find_mask(path, grid, grid.window, option=option)
    assert any("is taken as" in note for note in notes)
    with MaskReader(found) as reader:
        return reader.read(Window(0, 0, grid.width, grid.height), decode)


def same_as(truth, coding) -> np.ndarray:
    """The truth as far as a coding keeps it: what it does not know is thick cloud."""
    names = {code: name for name, code in CODES.items()}
    known = np.vectorize(lambda code: code == CLEAR or names[code] in kept(coding))(truth)
    return np.where(known, truth, THICK_CLOUD)


@pytest.mark.parametrize("coding", CODINGS, ids=[coding.name for coding in CODINGS])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_every_coding_gives_the_same_mask_from_the_same_truth(tmp_path, coding, data):
    truth = data.draw(TRUTH)
    values = written(truth, coding, data.draw)
    stem, band = data.draw(st.sampled_from(NAMES[coding]))
    path = write(tmp_path, "x", values, "")
    named = read(path, coding.option)
    np.testing.assert_array_equal(replaced(named), truth > 0)
    np.testing.assert_array_equal(named, same_as(truth, coding))
    if coding is QA60 and stem == "a" and not truth.any():
        return
    if coding is PROBABILITY_255 and values.max() <= 1:
        return  # a probability up to 1
    np.testing.assert_array_equal(read(write(tmp_path, stem, values, band)), named)


@pytest.mark.parametrize(
    "coding", [SCL, OMNICLOUDMASK, FMASK, FMASK4, CLOUDSCORE, PROBABILITY], ids=lambda coding: coding.name
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_without_a_telling_name_a_coding_is_recognised_or_refused_but_never_mistaken(tmp_path, coding, data):
    truth = data.draw(TRUTH)
    values = written(truth, coding, data.draw)
    if coding in (FMASK, FMASK4, SCL, OMNICLOUDMASK) and set(np.unique(values)) <= {0, 1}:
        return  # a binary mask
    path = write(tmp_path, "x", values)
    try:
        found = read(path)
    except InputError:
        with pytest.raises(InputError, match=coding.option) as caught:
            read(path)
        assert caught.value.code == "mask-values"
        assert "--mask-coding" in caught.value.hint
    else:
        np.testing.assert_array_equal(found, same_as(truth, coding))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "int32", "float32"])
def test_the_classes_of_an_scl_are_distinguished(dtype):
    codes = decode(mask(SCL), np.arange(12, dtype=dtype))
    expected = [NO_DATA, 0, 0, SHADOW, 0, 0, 0, 0, THICK_CLOUD, THICK_CLOUD, THIN_CLOUD, 0]
    np.testing.assert_array_equal(codes, expected)


@given(arrays(np.uint8, SHAPE))
def test_values_that_stand_for_nothing_are_clear(values):
    for coding, cloud in ((BINARY, 1), (BINARY_255, 255)):
        np.testing.assert_array_equal(decode(mask(coding), values), np.where(values == cloud, THICK_CLOUD, CLEAR))


@given(arrays(np.uint16, SHAPE, elements=st.integers(0, 10000)), st.integers(10001, 65535))
def test_a_scaled_probability_is_cloud_from_one_half_on_and_its_nodata_is_no_data(values, nodata):
    values[0, 0] = nodata
    codes = decode(mask(PROBABILITY, nodata, 1e-4), values)
    assert codes[0, 0] == NO_DATA
    expected = values >= 5000
    expected[0, 0] = False
    np.testing.assert_array_equal(replaced(codes), expected)


@pytest.mark.parametrize(
    ("coding", "cloud", "clear"), [(PROBABILITY, 0.5, 0.4999), (PERCENT, 50, 49.99), (CLOUDSCORE, 0.5999, 0.6)]
)
def test_the_threshold_of_a_quantity_belongs_to_one_side(coding, cloud, clear):
    values = np.array([cloud, clear, np.nan, np.inf, -np.inf], np.float32)
    expected = [THICK_CLOUD, CLEAR, NO_DATA, NO_DATA, NO_DATA]
    np.testing.assert_array_equal(decode(mask(coding), values), expected)


def test_declared_nodata_is_no_data_unless_it_is_zero():
    values = np.array([0, 1, 255], np.uint8)
    np.testing.assert_array_equal(decode(mask(BINARY, 255.0), values), [CLEAR, THICK_CLOUD, NO_DATA])
    np.testing.assert_array_equal(decode(mask(BINARY, 0.0), values), [CLEAR, THICK_CLOUD, CLEAR])
    np.testing.assert_array_equal(decode(mask(BINARY, float("nan")), values), [CLEAR, THICK_CLOUD, CLEAR])
    percent = np.array([0, 80, 255], np.uint8)
    np.testing.assert_array_equal(decode(mask(PERCENT, 0.0), percent[:2]), [CLEAR, THICK_CLOUD])
    np.testing.assert_array_equal(decode(mask(PERCENT, 255.0), percent), [CLEAR, THICK_CLOUD, NO_DATA])
    floats = np.array([4, 9, np.nan, -9999], np.float32)
    np.testing.assert_array_equal(decode(mask(SCL, -9999.0), floats), [CLEAR, THICK_CLOUD, NO_DATA, NO_DATA])


def test_every_word_of_the_codings_is_a_class():
    words = {meaning for coding in CODINGS for _, meaning in coding.values}
    assert words <= set(CODES)
    assert len({coding.name for coding in CODINGS}) == len(CODINGS)


def test_every_option_is_a_coding_and_every_coding_has_an_option():
    assert {coding.option for coding in CODINGS} | {"auto"} == set(OPTIONS)


def test_classes_are_read_window_by_window_and_clear_where_the_mask_does_not_reach(write_raster, cloudy_dn):
    s2 = write_raster("s2.tif", cloudy_dn(20, 30))
    classes = np.full((1, 20, 10), 10, np.uint8)
    scene = Scene.open(s2, mask=write_raster("SCL.tif", classes))
    with scene.reader() as reader:
        found = given_classes(reader, scene.grid.window)
    assert (found[:, :10] == THIN_CLOUD).all() and (found[:, 10:] == CLEAR).all()
    own = replace(scene, cloud_mask=None)
    with own.reader() as reader, pytest.raises(ValueError, match="without a mask"):
        given_classes(reader, scene.grid.window)
