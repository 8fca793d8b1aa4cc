"""The detector `auto`: what s2cloudless and the product find counts near clouds that the networks see."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from sunbreak.clouds import CloudSettings
from sunbreak.clouds.blocks import block_mean
from sunbreak.clouds.classes import CLEAR, NO_DATA, SHADOW, THICK_CLOUD, THIN_CLOUD
from sunbreak.clouds.decision import network_odds
from sunbreak.clouds.detector import Imagery, JoinsGiven, detect_in
from sunbreak.clouds.registry import detector
from sunbreak.clouds.ukis_networks import BANDS, UkisNetworks
from sunbreak.scene import S2_BANDS

GROUND = np.array([1200, 900, 850, 600, 900, 1900, 2300, 2200, 2500, 700, 12, 1500, 800]) / 1e4
OPAQUE = np.array([5000, 5200, 5100, 5300, 5400, 5600, 5700, 5600, 5800, 3500, 60, 3500, 2500]) / 1e4
# as bright, but not white enough for an opaque cloud
WHITE = np.where(np.arange(13) == 3, 0.43, OPAQUE)
# white squares of 400 m, in which the networks see no cloud
NEAR, FAR, CIRRUS = ((slice(a, a + 40), slice(b, b + 40)) for a, b in ((300, 800), (300, 1300), (500, 1300)))
WITHOUT_B10 = tuple(band for band in S2_BANDS if band != "B10")
OF_LEVEL_2A = Imagery("L2A", WITHOUT_B10)


def cloudy(classes: np.ndarray) -> np.ndarray:
    return (classes == THICK_CLOUD) | (classes == THIN_CLOUD)


@pytest.fixture(scope="module")
def wide(demo_image) -> SimpleNamespace:
    """The demo scene beside as much clear land with three white squares, what is near its clouds, and the result."""
    rng = np.random.default_rng(0)
    land = (GROUND[:, None, None] * rng.normal(1, 0.05, demo_image.shape)).astype(np.float32)
    image = np.concatenate([demo_image, land], axis=2)
    for square in (NEAR, FAR, CIRRUS):
        image[(slice(None), *square)] = WHITE[:, None, None]
    image[(10, *CIRRUS)] = 0.06
    cells = block_mean(image[[1, 2, 3, 7, 11, 12]], 3)
    cloud, _ = network_odds(UkisNetworks("L1C", BANDS).evidence(cells), cells)
    # at least 5 % of the cells within 33 cells are cloud
    near = uniform_filter((cloud >= 1).astype(float), 67, mode="reflect") >= 0.05
    found = detect_in(detector("auto"), image)
    return SimpleNamespace(image=image, near=near.repeat(3, 0).repeat(3, 1), found=found)


def picked(image: np.ndarray, bands: tuple[str, ...]) -> np.ndarray:
    return np.ascontiguousarray(image[[S2_BANDS.index(band) for band in bands]])


def test_what_s2cloudless_finds_counts_near_clouds_of_the_networks_and_under_bright_cirrus_only(wide):
    alone = detect_in(detector("s2cloudless"), wide.image).classes == THICK_CLOUD
    assert all(alone[square].mean() > 0.2 for square in (NEAR, FAR, CIRRUS))
    assert wide.near[NEAR].any() and not wide.near[FAR].any() and not wide.near[CIRRUS].any()
    found = cloudy(wide.found.classes)
    # it is not asked where the networks are sure of shadow, or of clear ground that is no hazier than around
    assert (wide.found.classes > 0)[alone & wide.near].mean() > 0.98
    assert not found[FAR].any()
    assert found[CIRRUS].all()
    assert (wide.found.probability[FAR] < 0.5).all() and (wide.found.probability[CIRRUS] > 0.5).any()


def test_what_is_as_bright_and_white_as_an_opaque_cloud_is_cloud_whatever_the_networks_say(wide):
    image = wide.image.copy()
    roof, field = (slice(700, 706), slice(1000, 1030)), (slice(560, 620), slice(1000, 1060))
    for place in (roof, field):
        image[(slice(None), *place)] = OPAQUE[:, None, None]
    snow = (slice(200, 260), slice(1200, 1260))
    image[(slice(None), *snow)] = OPAQUE[:, None, None]
    image[(11, *snow)] = 0.1
    found = cloudy(detect_in(detector("ukis"), image).classes)
    assert not found[field].any()
    found = cloudy(detect_in(detector("auto"), image).classes)
    assert found[field].all() and not found[snow].any()
    assert not found[roof].any(), "narrower than 90 m"


def test_all_classes_are_found_where_clouds_are(wide):
    shares = np.bincount(wide.found.classes[:, :768].ravel(), minlength=4) / 768**2
    assert (shares[[CLEAR, THICK_CLOUD, THIN_CLOUD]] > 0.15).all() and shares[SHADOW] > 0.03
    assert (wide.found.classes[:, 1100:][:, :150] == CLEAR).mean() > 0.999


def test_the_mask_of_a_level_2a_product_is_joined_near_clouds_only(wide):
    joint = detector("auto", None, OF_LEVEL_2A)
    assert isinstance(joint, JoinsGiven)
    assert joint.bands == BANDS and "s2cloudless" not in joint.label and "threshold" not in joint.settings
    reflectance = picked(wide.image, joint.bands)
    before = joint.predict(reflectance).classes
    assert not cloudy(before[NEAR]).any()
    given = np.zeros(before.shape, np.uint8)
    for square in (NEAR, FAR, CIRRUS):
        given[square] = THICK_CLOUD
    after = joint.predict_with(reflectance, given).classes
    near = np.zeros(before.shape, bool)
    near[NEAR] = True
    assert cloudy(after[NEAR]).mean() > 0.9
    assert not cloudy(after[FAR]).any() and not cloudy(after[CIRRUS]).any()
    # the networks are not overruled
    np.testing.assert_array_equal(after[~near][cloudy(before)[~near]] != CLEAR, True)


def test_without_b10_s2cloudless_does_not_take_part(demo_image):
    joint = detector("auto", None, Imagery("L1C", WITHOUT_B10))
    assert joint.bands == BANDS
    assert joint.label == "ukis-csmask (L1C, 6 and 4 bands) on blocks of 3 x 3 pixels"
    assert detector("auto").label == joint.label + " and s2cloudless on blocks of 3 x 3 pixels"
    assert cloudy(detect_in(joint, demo_image).classes).mean() > 0.1


def test_four_bands_are_enough(demo_image):
    joint = detector("auto", None, Imagery("L2A", ("B02", "B03", "B04", "B08")))
    assert joint.bands == ("B02", "B03", "B04", "B08")
    found = detect_in(joint, demo_image)
    assert set(np.unique(found.classes)) == {CLEAR, THICK_CLOUD, THIN_CLOUD, SHADOW}


def test_pixels_without_data_stay_without_and_the_others_hardly_change(wide):
    image = wide.image.copy()
    image[:, 100:200, 100:300] = np.nan
    found = detect_in(detector("auto"), image)
    hole = np.isnan(image[0])
    np.testing.assert_array_equal(found.classes == NO_DATA, hole)
    np.testing.assert_array_equal(np.isnan(found.probability), hole)
    assert (found.classes != wide.found.classes)[~hole].mean() < 0.05


@pytest.mark.parametrize("imagery", [Imagery(), OF_LEVEL_2A, Imagery("L1C", ("B02", "B03", "B04", "B08"))])
@pytest.mark.parametrize("shape", [(1, 1), (5, 2), (4, 400)])
def test_images_of_any_size_are_classified(imagery, shape):
    joint = detector("auto", None, imagery)
    image = np.full((len(joint.bands), *shape), 0.2, np.float32)
    found = joint.predict(image)
    assert found.classes.shape == found.probability.shape == shape
    assert (found.classes != NO_DATA).all() and np.isfinite(found.probability).all()
    nothing = joint.predict(np.full_like(image, np.nan))
    assert (nothing.classes == NO_DATA).all() and np.isnan(nothing.probability).all()


def test_a_tile_with_its_halo_gives_what_the_whole_image_gives(wide):
    joint = detector("auto")
    stop = joint.core + joint.halo
    assert stop < wide.image.shape[2]
    tile = joint.predict(picked(wide.image[:, :, :stop], joint.bands))
    # the networks' tiles lie elsewhere, so that a few pixels differ
    differing = (tile.classes != wide.found.classes[:, :stop])[:, : joint.core]
    assert differing.mean() < 0.01
    assert np.abs(tile.probability - wide.found.probability[:, :stop])[:, : joint.core].mean() < 0.01


def test_pixels_of_20_m_are_joined_to_blocks_of_40_m(wide):
    joint = detector("auto", None, Imagery(pixel=20.0))
    assert (joint.resolution, joint.core, joint.halo) == (40.0, 768, 64)
    found = detect_in(joint, block_mean(wide.image[:, :, :768], 2)).classes
    same = (found > 0) == (wide.found.classes[::2, :768:2] > 0)
    assert same.mean() > 0.85


def test_s2cloudless_at_10_m_is_kept_when_it_was_asked_for():
    joint = detector("auto", CloudSettings(threshold=0.7, factor=1))
    assert joint.label.endswith("and s2cloudless on blocks of 1 x 1 pixels")
    assert (joint.settings["threshold"], joint.settings["factor"], joint.resolution) == (0.7, 1, 30.0)
    # on pixels of 20 m, s2cloudless works on the networks' blocks
    assert detector("auto", CloudSettings(), Imagery(pixel=20.0)).settings["factor"] == 2
