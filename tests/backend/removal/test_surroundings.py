"""What is clear around each place of a scene, so that the guides of neighbouring tiles agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sunbreak.models.prior_layout import RADAR_FEATURES
from sunbreak.removal.guide import Prior, guide
from sunbreak.removal.surroundings import CELL, Surroundings

LAND = np.array([0.17, 0.14, 0.14, 0.13, 0.15, 0.23, 0.26, 0.27, 0.29, 0.11, 0.002, 0.21, 0.14])
WATER = np.array([0.13, 0.10, 0.08, 0.05, 0.05, 0.03, 0.03, 0.03, 0.03, 0.01, 0.001, 0.014, 0.009])
WORLD = Prior(LAND, 4096.0, water=WATER)


def painted(spectrum, rows, columns):
    return np.broadcast_to(np.asarray(spectrum, np.float32)[:, None, None], (13, rows, columns)).copy()


def looked_at(image, clear, prior=WORLD, radar=None, step=8 * CELL):
    around = Surroundings(*clear.shape, prior, radar=radar is not None)
    for first in range(0, len(clear), step):
        part = slice(first, first + step)
        around.add(first, image[:, part], clear[part], None if radar is None else radar[:, part])
    around.settle()
    return around


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 150), st.integers(1, 150), st.booleans(), st.integers(0, 2**31))
def test_scenes_of_any_shape_have_fields_between_what_is_there_and_what_is_known(rows, columns, with_radar, seed):
    rng = np.random.default_rng(seed)
    image = rng.uniform(0.2, 0.4, (13, rows, columns)).astype(np.float32)
    radar = rng.uniform(-20, -8, (2, rows, columns)).astype(np.float32) if with_radar else None
    around = looked_at(image, rng.random((rows, columns)) < 0.5, Prior(np.full(13, 0.3)), radar, step=CELL)
    fields = around.at(0, 0, (rows, columns))
    assert fields.shape == (13 + RADAR_FEATURES * with_radar, -(-rows // 4), -(-columns // 4))
    assert np.isfinite(fields).all()
    assert 0.2 - 1e-4 <= fields[:13].min() <= fields[:13].max() <= 0.4 + 1e-4


def test_a_scene_without_a_clear_pixel_looks_like_the_worlds_land():
    around = looked_at(painted(WATER, 300, 300), np.zeros((300, 300), bool))
    np.testing.assert_allclose(around.at(128, 64, (64, 64)), painted(LAND, 16, 16), atol=1e-5)


def test_near_ground_outweighs_far_ground_and_much_ground_outweighs_the_world():
    image = painted(0.5 * LAND, 512, 2048)
    image[:, :, 1024:] = painted(1.5 * LAND, 512, 1024)
    clear = np.ones((512, 2048), bool)
    clear[:, 256:-256] = False
    nir = looked_at(image, clear).at(0, 0, (512, 2048))[7, 64] / LAND[7]
    assert (np.diff(nir) > -2e-4).all()
    assert nir[0] < 0.6
    assert nir[-1] > 1.4
    # in the middle the two are equally far, and it is what they and the world have in common
    assert abs(nir[256] - 1) < 0.05


def test_under_a_cloud_at_sea_water_is_expected_and_not_the_mean_of_sea_and_land():
    image = painted(1.2 * LAND, 1024, 1024)
    image[:, :, :512] = painted(WATER, 1024, 512)
    clear = np.ones((1024, 1024), bool)
    clear[300:700, 100:300] = clear[300:700, 700:900] = False
    around = looked_at(image, clear)
    sea, land = around.at(400, 100, (128, 128)).mean(axis=(1, 2)), around.at(400, 800, (128, 128)).mean(axis=(1, 2))
    assert abs(sea[7] - WATER[7]) < 0.25 * abs(sea[7] - 1.2 * LAND[7])
    assert abs(land[7] - 1.2 * LAND[7]) < 0.25 * abs(land[7] - WATER[7])


def test_the_guides_of_two_tiles_under_one_cloud_agree_where_the_tiles_meet():
    rng = np.random.default_rng(1)
    image = painted(LAND, 256, 512) * (1 + 0.02 * rng.normal(size=(256, 512)).astype(np.float32))
    # the left tile sees something dark at its far edge, the right one something bright at its own
    image[:, :, :40] *= 0.4
    image[:, :, -40:] *= 1.6
    clear = np.zeros((256, 512), bool)
    clear[:, :40] = clear[:, -40:] = True
    around = looked_at(image, clear)

    def step(fields):
        left, right = (
            guide(image[:, :, start : start + 256], clear[:, start : start + 256], WORLD.numbers(), None, there)
            for start, there in zip((0, 256), fields, strict=True)
        )
        return float(np.abs(left[7, :, -1] - right[7, :, 0]).mean())

    alone = step((None, None))
    together = step([around.at(0, start, (256, 256)) for start in (0, 256)])
    assert alone > 0.05
    assert together < 0.1 * alone


def test_the_fields_do_not_depend_on_how_many_rows_come_at_once():
    rng = np.random.default_rng(2)
    image = rng.uniform(0.1, 0.3, (13, 200, 90)).astype(np.float32)
    clear = rng.random((200, 90)) < 0.3
    some, all_at_once = (looked_at(image, clear, step=step).at(0, 0, (200, 90)) for step in (CELL, 10 * CELL))
    np.testing.assert_allclose(some, all_at_once, atol=1e-6)


def test_fields_that_were_not_made_cannot_be_asked():
    with pytest.raises(ValueError, match="settle"):
        Surroundings(64, 64, WORLD, radar=False).at(0, 0, (64, 64))
