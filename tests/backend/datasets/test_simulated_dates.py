"""Other dates of a simulated place: the same ground in another season, under other clouds."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
import rasterio

from sunbreak.datasets.simulation import OtherDate, acquired_in, draw_dates, simulate_dates, simulate_scene, write_scene
from sunbreak.datasets.simulation.landscape import CROPLANDS, FOREST, GRASSLAND, URBAN, WATER, make_landscape
from sunbreak.datasets.simulation.phenology import on_day
from sunbreak.datasets.simulation.scene import draw_place
from sunbreak.scene import Scene

SIZE, SEED = 192, 48
JUNE = datetime(2021, 6, 5, 10, 20, 31, tzinfo=timezone.utc)
MAY = OtherDate(JUNE - timedelta(35), 0.3, 0)
JULY = OtherDate(JUNE + timedelta(50), 0.3, 1)
RED, NIR = 3, 7


@pytest.fixture(scope="module")
def target():
    return simulate_scene(SIZE, SEED, cover=0.3, season="summer")


@pytest.fixture(scope="module")
def others():
    return simulate_dates(SIZE, SEED, JUNE, [MAY, JULY], season="summer")


@pytest.fixture(scope="module")
def ground():
    """The landscape of the scene, with fields, meadows, woods, water and a town."""
    found = draw_place(np.random.default_rng([SEED, SIZE, SIZE]), (SIZE, SIZE), "summer", None).ground
    assert {FOREST, GRASSLAND, CROPLANDS, URBAN, WATER} <= set(np.unique(found.landcover))
    return found


def grown(ground, day, today=156):
    return on_day(np.random.default_rng(5), ground, today, day)


def greenness(dn):
    red, near = dn[RED].astype(float), dn[NIR].astype(float)
    return (near - red) / (near + red)


def by_parcel(values, parcels, here):
    count = np.bincount(parcels[here])
    return (np.bincount(parcels[here], values[here]) / np.maximum(count, 1))[count >= 40]


def test_a_date_is_the_same_whatever_other_dates_are_asked_for(others):
    (alone,) = simulate_dates(SIZE, SEED, JUNE, [JULY], season="summer")
    np.testing.assert_array_equal(alone.cloudy, others[1].cloudy)
    np.testing.assert_array_equal(alone.s1, others[1].s1)


def test_another_number_gives_other_clouds_on_the_same_day(others):
    (again,) = simulate_dates(SIZE, SEED, JUNE, [OtherDate(JULY.acquired, JULY.cover, 2)], season="summer")
    assert (again.cloud != others[1].cloud).mean() > 0.2


def test_other_dates_leave_the_scene_itself_unchanged(target, others, tmp_path):
    paths = write_scene(tmp_path, target, acquired=JUNE, others={MAY.acquired: others[0]})
    with rasterio.open(paths["s2_cloudy"]) as written:
        np.testing.assert_array_equal(written.read(), simulate_scene(SIZE, SEED, cover=0.3, season="summer").cloudy)


def test_every_date_has_clouds_of_its_own_over_parts_of_those_of_the_others(target, others):
    for first, second in ((target, others[0]), (target, others[1]), (others[0], others[1])):
        both, either = (first.cloud & second.cloud).sum(), (first.cloud | second.cloud).sum()
        assert 0 < both < 0.5 * either


def test_the_ground_is_the_same_place(target, others):
    # edges of fields, shores and streets lie where they lay
    for other in others:
        first, second = (np.abs(np.gradient(one.clear[NIR].astype(float))).sum(axis=0) for one in (target, other))
        assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.6


def test_fields_change_each_in_its_own_way(target, others, ground):
    here = ground.landcover == CROPLANDS
    for other in others:
        change = by_parcel(greenness(other.clear) - greenness(target.clear), ground.parcels, here)
        assert change.size > 20
        assert change.std() > 0.1
        assert change.min() < -0.1
        assert change.max() > 0.1


def test_one_gain_for_all_does_not_explain_the_fields(target, others, ground):
    here = ground.landcover == CROPLANDS
    now, then = (by_parcel(one.clear[NIR].astype(float), ground.parcels, here) for one in (target, others[1]))
    left = then - np.polyval(np.polyfit(now, then, 1), now)
    assert left.std() > 0.3 * then.std()


def test_water_and_towns_change_by_haze_and_illumination_only(target, others):
    for other in others:
        for kind, haze, left in ((WATER, 0.03, 0.004), (URBAN, 0.03, 0.015)):
            here = (target.landcover == kind) & (other.landcover == kind)
            change = (other.clear.astype(float) - target.clear)[:, here] / 1e4
            common = np.median(change, axis=1, keepdims=True)
            assert np.abs(common).max() < haze
            # coarser bands hold a part of the banks and gardens beside
            assert np.median(np.abs(change - common), axis=1)[[1, 2, RED, NIR]].max() < left


def test_meadows_are_green_in_may_and_dry_in_late_july(ground):
    here = ground.landcover == GRASSLAND
    may, july = (np.median(grown(ground, day).green[here]) for day in (121, 206))
    assert may > np.median(ground.green[here]) + 0.05
    assert july < np.median(ground.green[here]) - 0.2


def test_broad_leaved_trees_are_bare_in_winter_and_in_leaf_in_summer(ground):
    woods = ground.landcover == FOREST
    share = {day: grown(ground, day).materials["broadleaf"][woods].mean() for day in (20, 121, 200)}
    assert share[20] < 0.3 * share[200]
    assert share[20] < share[121] < share[200]
    needles = grown(ground, 20).materials["needleleaf"][woods & (grown(ground, 20).landcover == FOREST)]
    assert needles.mean() == pytest.approx(ground.materials["needleleaf"][woods].mean(), rel=0.1)


def test_fractions_of_materials_add_up_to_one_on_every_day(ground):
    for day in (1, 60, 121, 206, 300):
        parts = grown(ground, day).materials
        np.testing.assert_allclose(np.sum(list(parts.values()), axis=0), 1, atol=0.02)
        assert min(plane.min() for plane in parts.values()) >= 0


def test_on_the_same_day_fields_look_nearly_the_same(ground):
    again = grown(ground, 156)
    here = (ground.landcover == again.landcover) & (ground.landcover == CROPLANDS)
    assert np.abs(again.green - ground.green)[here].mean() < 0.02
    np.testing.assert_array_equal(again.landcover, ground.landcover)


def test_some_fields_have_another_use_as_a_whole_and_the_land_cover_says_so(target, ground, others):
    for other in others:
        changed = other.landcover != target.landcover
        assert 0.005 < changed.mean() < 0.1
        assert not (changed & np.isin(target.landcover, (WATER, URBAN))).any()
        for kind in (CROPLANDS, GRASSLAND):
            here = target.landcover == kind
            share = by_parcel(changed.astype(float), ground.parcels, here)
            assert set(np.unique(share.round(1))) <= {0.0, 0.9, 1.0}


def test_snow_of_winter_is_gone_in_summer():
    snowy = make_landscape(np.random.default_rng(0), (64, 64), "winter", prevailing=8)
    later = on_day(np.random.default_rng(1), snowy, 20, 200)
    assert (snowy.landcover == 8).mean() > 0.3
    assert not (later.landcover == 8).any()


def test_a_lower_sun_gives_darker_ground_and_longer_shadows():
    winter = OtherDate(datetime(2021, 12, 20, 10, 20, 31, tzinfo=timezone.utc), 0.3, 3)
    (found,) = simulate_dates(SIZE, SEED, JUNE, [winter], season="summer")
    summer = simulate_scene(SIZE, SEED, cover=0.3, season="summer")
    assert summer.sun.elevation - found.sun.elevation == pytest.approx(45, abs=3)
    assert found.season == "winter"
    roofs = summer.landcover == URBAN
    assert found.clear[RED][roofs].mean() < 0.95 * summer.clear[RED][roofs].mean()


def test_dates_lie_before_and_after_in_turn_and_within_the_season():
    for seed in range(20):
        acquired = acquired_in("summer", seed)
        assert 6 <= acquired.month <= 8
        dates = draw_dates(acquired, seed, 4)
        days = [(date.acquired - acquired).days for date in dates]
        assert days[2] < days[0] <= -25
        assert days[3] > days[1] >= 25
        assert all(0 <= date.cover <= 0.5 for date in dates)
        assert draw_dates(acquired, seed, 2) == dates[:2]


def test_written_dates_open_as_scenes_with_their_dates(target, others, tmp_path):
    paths = write_scene(tmp_path, target, acquired=JUNE, others={MAY.acquired: others[0], JULY.acquired: others[1]})
    assert paths["20210501_s2_cloudy"].name == "scene_20210501_s2_cloudy.tif"
    for role, date in (
        ("s2_cloudy", JUNE),
        ("20210501_s2_cloudy", MAY.acquired),
        ("20210725_s2_cloudy", JULY.acquired),
    ):
        assert Scene.open(paths[role]).acquired == date
    grids = {Scene.open(path).grid for role, path in paths.items() if role.endswith("s2_cloudy")}
    assert len(grids) == 1


def test_without_other_dates_the_files_have_no_date(target, tmp_path):
    assert Scene.open(write_scene(tmp_path, target)["s2_cloudy"]).acquired is None
