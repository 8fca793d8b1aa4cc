"""Masks that are given: one truth, written in every known coding, comes back as the same classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sunbreak.clouds.classes import CLEAR, CODES, NO_DATA, SHADOW, THICK_CLOUD, THIN_CLOUD, replaced
from sunbreak.clouds.given_masks import decode, given_classes
from sunbreak.scene import Scene
from sunbreak.scene.mask import CloudMask
from sunbreak.scene.mask_codings import BINARY, BINARY_255, CODINGS, PROBABILITY, SCL

SHAPE = st.tuples(st.integers(1, 7), st.integers(1, 7))
TRUTH = arrays(bool, SHAPE)


def mask(coding, nodata=None, scale=1.0, offset=0.0) -> CloudMask:
    """A mask of a coding; decoding needs neither its file nor its place."""
    return CloudMask(None, coding, nodata, scale, offset, None)


def written(truth: np.ndarray, coding, draw) -> np.ndarray:
    """The truth as a file of this coding would hold it."""
    if coding is PROBABILITY:
        high = draw(arrays(np.float32, truth.shape, elements=st.floats(0.5, 1, width=32)))
        low = draw(arrays(np.float32, truth.shape, elements=st.floats(0, 0.4375, width=32)))
        return np.where(truth, high, low)
    cloudy = [value for value, meaning in coding.values if meaning != "no data"]
    clear = [4, 5, 6, 7, 11] if coding is SCL else [0]
    picks = draw(arrays(np.uint8, truth.shape, elements=st.integers(0, 59)))
    return np.where(truth, np.take(cloudy, picks % len(cloudy)), np.take(clear, picks % len(clear))).astype(np.uint8)


@pytest.mark.parametrize("coding", CODINGS, ids=[coding.name for coding in CODINGS])
@given(data=st.data())
def test_every_coding_gives_the_same_mask_from_the_same_truth(coding, data):
    truth = data.draw(TRUTH)
    codes = decode(mask(coding), written(truth, coding, data.draw))
    assert codes.dtype == np.uint8
    np.testing.assert_array_equal(replaced(codes), truth)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
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


def test_declared_nodata_is_no_data_unless_it_is_zero():
    values = np.array([0, 1, 255], np.uint8)
    np.testing.assert_array_equal(decode(mask(BINARY, 255.0), values), [CLEAR, THICK_CLOUD, NO_DATA])
    np.testing.assert_array_equal(decode(mask(BINARY, 0.0), values), [CLEAR, THICK_CLOUD, CLEAR])
    np.testing.assert_array_equal(decode(mask(BINARY, float("nan")), values), [CLEAR, THICK_CLOUD, CLEAR])


def test_every_word_of_the_codings_is_a_class():
    words = {meaning for coding in CODINGS for _, meaning in coding.values}
    assert words <= set(CODES)
    assert len({coding.name for coding in CODINGS}) == len(CODINGS)


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
