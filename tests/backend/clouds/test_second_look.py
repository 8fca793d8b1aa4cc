"""The second look: rims of clouds and shadows, remains over water, and shadows that hide nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sunbreak.clouds.classes import CLEAR, NO_DATA, SHADOW, THICK_CLOUD, THIN_CLOUD
from sunbreak.clouds.second_look import REACH, View, look_again

SHAPE = (40, 60)
LAND = {"blue": 0.10, "red": 0.09, "nir": 0.30, "swir": 0.20}
WATER = {"blue": 0.08, "red": 0.05, "nir": 0.04, "swir": 0.02}
CLOUD = {"blue": 0.40, "red": 0.40, "nir": 0.50, "swir": 0.35}
SNOW = {**CLOUD, "swir": 0.05}
SHADE = {"blue": 0.08, "red": 0.06, "nir": 0.10, "swir": 0.08}


def scene(ground: dict[str, float], *places: tuple[dict[str, float], tuple[slice, slice]]) -> View:
    """A view of ground with something else in some places."""
    planes = {}
    for band, value in ground.items():
        planes[band] = np.full(SHAPE, value, np.float32)
        for other, where in places:
            planes[band][where] = other[band]
    behind = tuple(np.full(SHAPE, value, np.float32) for value in ground.values())
    return View(**planes, ground=behind, known=np.ones(SHAPE, bool), near_clouds=np.ones(SHAPE, bool), pixel=10.0)


def mask(*places: tuple[int, tuple[slice, slice]]) -> np.ndarray:
    classes = np.zeros(SHAPE, np.uint8)
    for code, where in places:
        classes[where] = code
    return classes


EVERYWHERE = (slice(None), slice(None))
LEFT = (slice(None), slice(0, 20))
RIM = (slice(None), slice(20, 24))


def test_a_bright_rim_becomes_thin_cloud_and_the_rest_stays():
    view = scene(LAND, (CLOUD, LEFT), (CLOUD, RIM))
    found = look_again(mask((THICK_CLOUD, LEFT)), view)
    np.testing.assert_array_equal(found, mask((THICK_CLOUD, LEFT), (THIN_CLOUD, RIM)))


@pytest.mark.parametrize(
    ("code", "looks", "becomes"),
    [(THICK_CLOUD, CLOUD, THIN_CLOUD), (THIN_CLOUD, CLOUD, THIN_CLOUD), (SHADOW, SHADE, SHADOW)],
)
def test_the_mask_reaches_as_far_as_said_and_no_farther(code, looks, becomes):
    found = look_again(mask((code, LEFT)), scene(LAND, (looks, EVERYWHERE)))
    np.testing.assert_array_equal(
        found, mask((code, LEFT), (becomes, (slice(None), slice(20, 20 + round(REACH / 10)))))
    )


def test_a_gap_of_one_pixel_is_bridged_and_one_of_two_is_not():
    for gap, grows in ((1, True), (2, False)):
        apart = (slice(None), slice(20 + gap, 24 + gap))
        found = look_again(mask((THICK_CLOUD, LEFT)), scene(LAND, (CLOUD, LEFT), (CLOUD, apart)))
        assert (found[apart] == THIN_CLOUD).all() == grows
        assert (found[:, 20 : 20 + gap] == CLEAR).all()


def test_snow_beside_a_cloud_is_not_cloud_unless_there_is_no_swir_to_tell():
    view = scene(LAND, (CLOUD, LEFT), (SNOW, RIM))
    classes = mask((THICK_CLOUD, LEFT))
    np.testing.assert_array_equal(look_again(classes, view), classes)
    blind = replace(view, swir=None, ground=(*view.ground[:3], None))
    assert (look_again(classes, blind)[RIM] == THIN_CLOUD).all()


def test_specks_over_water_are_cloud_where_clouds_are_near():
    speck = (slice(30, 32), slice(50, 52))
    view = scene(WATER, (CLOUD, speck))
    np.testing.assert_array_equal(look_again(mask(), view), mask((THIN_CLOUD, speck)))
    assert not look_again(mask(), replace(view, near_clouds=np.zeros(SHAPE, bool))).any()
    # over land a bright speck may be a roof
    assert not look_again(mask(), scene(LAND, (CLOUD, speck))).any()


def test_dark_water_beside_a_shadow_is_no_shadow():
    darker = {band: value / 2 for band, value in WATER.items()}
    view = scene(WATER, (darker, LEFT), (darker, RIM))
    found = look_again(mask((SHADOW, LEFT)), view)
    np.testing.assert_array_equal(found, mask((SHADOW, LEFT)))


def test_a_shadow_that_is_as_light_as_the_ground_is_dropped():
    light, dark = (slice(0, 20), slice(0, 30)), (slice(20, 40), slice(0, 30))
    classes = mask((SHADOW, light), (SHADOW, dark))
    found = look_again(classes, scene(LAND, (SHADE, dark)))
    # what most pixels around are decides, so that the border is not sharp
    assert (found[:14, :24] == CLEAR).all()
    assert (found[26:, :30] == SHADOW).all()


def test_without_ground_to_compare_with_only_dark_shadows_stay():
    nowhere = np.zeros(SHAPE, bool)
    classes = mask((SHADOW, EVERYWHERE))
    dim = {**LAND, "nir": 0.2}
    assert (look_again(classes, scene(LAND, (dim, EVERYWHERE))) == SHADOW).all()
    assert (look_again(classes, replace(scene(LAND, (dim, EVERYWHERE)), known=nowhere)) == CLEAR).all()
    assert (look_again(classes, replace(scene(LAND, (SHADE, EVERYWHERE)), known=nowhere)) == SHADOW).all()


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.uint8, (12, 12), elements=st.sampled_from([CLEAR, THICK_CLOUD, THIN_CLOUD, SHADOW, NO_DATA])),
    arrays(np.float32, (8, 12, 12), elements=st.floats(0, 1, width=32)),
    arrays(bool, (2, 12, 12)),
    st.booleans(),
)
def test_clouds_and_pixels_without_data_stay_and_only_near_pixels_change(classes, planes, flags, with_swir):
    planes = planes if with_swir else [*planes[:3], None, *planes[4:7], None]
    before = classes.copy()
    found = look_again(classes, View(*planes[:4], tuple(planes[4:]), *flags, 10.0))
    np.testing.assert_array_equal(classes, before)
    fixed = np.isin(classes, [THICK_CLOUD, THIN_CLOUD, NO_DATA])
    np.testing.assert_array_equal(found[fixed], classes[fixed])
    assert np.isin(found[classes == CLEAR], [CLEAR, THIN_CLOUD, SHADOW]).all()
    assert np.isin(found[classes == SHADOW], [CLEAR, SHADOW]).all()
    # no cloud appears out of nothing over land
    if not np.isin(classes, [THICK_CLOUD, THIN_CLOUD]).any() and not flags[1].any():
        assert not (found == THIN_CLOUD).any()
    if not (classes == SHADOW).any():
        assert not (found == SHADOW).any()
