"""Scenes whose first row is the southernmost one are worked on with the north at the top, and stored as they were."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.windows import Window

import sunbreak
from sunbreak.clouds.given_masks import given_classes
from sunbreak.scene import S2_BANDS, Scene
from sunbreak.scene.orientation import north_up

SOUTH_UP = Affine(10, 0, 500000, 0, 10, 5300000 - 70 * 10)


@pytest.fixture
def files(write_raster, cloudy_dn, radar_db):
    """Sentinel-2 as stored from north to south, and from south to north; radar and mask of the same place."""
    dn = cloudy_dn(70, 90, (slice(5, 30), slice(30, 70)))
    mask = np.zeros((1, 70, 90), np.uint8)
    mask[:, 5:30, 30:70] = 1
    return (
        write_raster("north/place.tif", dn, bands=S2_BANDS),
        write_raster("south/place.tif", dn[:, ::-1], bands=S2_BANDS, transform=SOUTH_UP),
        write_raster("radar.tif", radar_db(70, 90), bands=("VV", "VH")),
        write_raster("mask.tif", mask),
    )


def test_a_scene_that_is_north_up_stays_itself(files) -> None:
    scene = Scene.open(files[0])
    assert north_up(scene) is scene


def test_all_that_is_read_has_the_north_at_the_top(files) -> None:
    north, south, radar, mask = files
    one, other = Scene.open(north, radar, mask=mask), north_up(Scene.open(south, radar, mask=mask))
    assert other.grid == one.grid
    window = Window(20, 3, 60, 40)
    with one.reader() as first, other.reader() as second:
        np.testing.assert_array_equal(second.s2(window).raw, first.s2(window).raw)
        np.testing.assert_array_equal(second.s1(window), first.s1(window))
        np.testing.assert_array_equal(given_classes(second, window), given_classes(first, window))


def test_a_part_of_the_files_stays_the_same_part(files) -> None:
    part = (10, 5, 40, 20)  # rows from the south
    stored, turned = (Scene.open(files[1], window=part), north_up(Scene.open(files[1], window=part)))
    assert turned.grid.bounds == stored.grid.bounds
    with stored.reader() as first, turned.reader() as second:
        all_of_it = Window(0, 0, 40, 20)
        np.testing.assert_array_equal(second.s2(all_of_it).raw[:, ::-1], first.s2(all_of_it).raw)


def test_layers_are_stored_as_the_scene_is_and_hold_the_same(files, tmp_path) -> None:
    north, south, radar, mask = files
    one = sunbreak.clean(north, radar, tmp_path / "one", mask=mask)
    other = sunbreak.clean(south, radar, tmp_path / "other", mask=mask)
    for role in one.layers:
        with one.open(role) as first, other.open(role) as second:
            assert second.transform == SOUTH_UP
            np.testing.assert_array_equal(second.read()[:, ::-1], first.read())
    with rasterio.open(south) as scene, other.open("cleaned") as cleaned, other.open("reconstructed") as share:
        clear = share.read(1) == 0
        assert clear.mean() > 0.5
        np.testing.assert_array_equal(cleaned.read()[:, clear], scene.read()[:, clear])
    assert (tmp_path / "one/place_quicklook.png").read_bytes() == (tmp_path / "other/place_quicklook.png").read_bytes()


def test_the_reconstructed_part_of_a_cleaned_scene_is_found_where_it_is(files, tmp_path) -> None:
    north, south, radar, mask = files
    hectares = []
    for name, s2 in (("one", north), ("other", south)):
        cleaned = sunbreak.clean(s2, radar, tmp_path / name, mask=mask).path("cleaned")
        found = sunbreak.classify(cleaned, output=tmp_path / f"{name} classes")
        with found.open("landcover_evidence") as raster:
            rows = raster.read()
        hectares.append(rows[:, ::-1] if name == "other" else rows)
    np.testing.assert_array_equal(hectares[0], hectares[1])
    assert len(np.unique(hectares[0])) > 1
