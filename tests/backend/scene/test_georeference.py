from __future__ import annotations

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.control import GroundControlPoint

from sunbreak.errors import InputError
from sunbreak.scene import Scene


def code_of(path) -> str:
    with pytest.raises(InputError) as caught:
        Scene.open(path)
    assert path.name in caught.value.message
    return caught.value.code


def test_a_scene_without_crs_is_refused_by_name(write, make_surface) -> None:
    assert code_of(write("a.tif", make_surface(), crs=None)) == "no-crs"


def test_a_scene_without_geotransform_is_refused_by_name(write, make_surface) -> None:
    assert code_of(write("a.tif", make_surface(), transform=None)) == "no-transform"


@pytest.mark.parametrize("turn", [(9.96, 0.87, 0.87, -9.96), (10, 0.5, 0, -10), (10, 0, 0.001, -10), (0, 10, 10, 0)])
def test_rotated_and_sheared_scenes_are_refused(write, make_surface, turn) -> None:
    a, b, d, e = turn
    assert code_of(write("a.tif", make_surface(), transform=Affine(a, b, 600_000, d, e, 5_200_000))) == "rotated"


def test_a_scene_with_nothing_but_control_points_is_refused(tmp_path, make_surface) -> None:
    points = [GroundControlPoint(r, c, 600_000 + c, 5_200_000 - r) for r in (0, 40) for c in (0, 50)]
    with rasterio.open(
        tmp_path / "a.tif", "w", driver="GTiff", count=13, height=40, width=50, dtype="uint16"
    ) as dataset:
        dataset.write(make_surface())
        dataset.gcps = (points, rasterio.crs.CRS.from_epsg(32632))
    assert code_of(tmp_path / "a.tif") == "not-projected"


def test_a_south_up_scene_is_legal_and_reads_as_stored(write, make_surface) -> None:
    values = make_surface()
    scene = Scene.open(write("a.tif", values, transform=Affine(10, 0, 600_000, 0, 10, 5_199_600)))
    assert scene.grid.transform.e == 10
    assert scene.grid.bounds == (600_000, 5_199_600, 600_500, 5_200_000)
    with scene.reader() as reader:
        assert np.array_equal(reader.s2(scene.grid.window).raw, values)


def test_ten_metres_in_degrees_warn_at_sixty_north_but_not_at_the_equator(write, make_surface) -> None:
    step = 10 / 111_320
    at_equator = write("equator.tif", make_surface(), crs="EPSG:4326", transform=Affine(step, 0, 20, 0, -step, 0.01))
    in_north = write("north.tif", make_surface(), crs="EPSG:4326", transform=Affine(step, 0, 20, 0, -step, 60))
    assert Scene.open(at_equator).warnings == ()
    assert any("5 m x 10 m" in text for text in Scene.open(in_north).warnings)


def test_feet_are_turned_into_metres(write, make_surface) -> None:
    feet = write("feet.tif", make_surface(), crs="EPSG:2263", transform=Affine(32.8084, 0, 1e6, 0, -32.8084, 2e5))
    assert Scene.open(feet).warnings == ()


def test_a_coarse_scene_is_warned_about(write, make_surface) -> None:
    warnings = Scene.open(write("a.tif", make_surface(), transform=Affine(60, 0, 600_000, 0, -60, 5_200_000))).warnings
    assert any("60 m x 60 m" in text for text in warnings)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (40, 1)])
def test_a_scene_one_pixel_wide_is_refused(write, make_surface, shape) -> None:
    assert code_of(write("a.tif", make_surface(13, *shape))) == "too-small"
