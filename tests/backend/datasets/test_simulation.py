"""Simulated scenes: repeatable, physically plausible, readable as scenes."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio

from sunbreak.clouds import CloudSettings
from sunbreak.clouds.classes import replaced
from sunbreak.clouds.detector import detect_in
from sunbreak.clouds.registry import detector
from sunbreak.datasets.simulation import simulate_scene, write_demo, write_scene
from sunbreak.datasets.simulation.clouds import Cloud, Sun, cover_with, draw_clouds
from sunbreak.datasets.simulation.landscape import CLASSES, URBAN, WATER
from sunbreak.datasets.simulation.spectra import SPECTRA
from sunbreak.errors import OutputError
from sunbreak.scene import S2_BANDS, Scene


@pytest.fixture(scope="module")
def scenes():
    return [simulate_scene(256, seed) for seed in range(6)]


def test_the_seed_determines_the_scene(scenes):
    again = simulate_scene(256, 2)
    np.testing.assert_array_equal(again.cloudy, scenes[2].cloudy)
    np.testing.assert_array_equal(again.s1, scenes[2].s1)
    assert (scenes[1].clear != scenes[2].clear).mean() > 0.5


def test_arrays_have_the_shapes_and_types_of_sentinel_data():
    scene = simulate_scene((70, 45), 3)
    assert scene.clear.shape == scene.cloudy.shape == (13, 70, 45)
    assert scene.s1.shape == (2, 70, 45)
    assert (scene.clear.dtype, scene.s1.dtype, scene.landcover.dtype) == (np.uint16, np.float32, np.uint8)
    assert scene.clear.min() > 0
    assert -40 < scene.s1.min() < scene.s1.max() < 20


def test_without_clouds_the_cloudy_image_is_the_clear_one():
    scene = simulate_scene(96, 5, cover=0)
    np.testing.assert_array_equal(scene.cloudy, scene.clear)
    assert not scene.cloud.any()


@pytest.mark.parametrize("cover", [0.2, 0.5, 0.8])
def test_the_cloud_cover_is_close_to_the_requested_fraction(cover):
    found = np.mean([simulate_scene(192, seed, cover=cover).cloud.mean() for seed in range(8)])
    assert found == pytest.approx(cover, abs=0.2)


def test_only_penumbra_changes_pixels_outside_clouds_and_shadows(scenes):
    for scene in scenes:
        untouched = (scene.optical_thickness == 0) & ~scene.shadow
        clear, cloudy = (image[3][untouched].astype(float) for image in (scene.clear, scene.cloudy))
        # a shadow has less than 85 % of the light
        assert (cloudy <= clear).all()
        assert (cloudy >= 0.84 * clear).all()


def test_thick_cloud_hides_the_ground_and_thin_cloud_does_not():
    ground = np.stack([np.full((13, 40), level, np.float32) for level in (0.05, 0.3)], axis=1)
    for thickness, contrast in ((8.0, 0.001), (0.5, 0.15)):
        layer = Cloud(np.full((2, 40), thickness, np.float32), 1000.0, np.ones((2, 40), np.float32), False)
        image, _, _ = cover_with(ground, [layer], Sun(45, 150))
        seen = image[3, 1, 20] - image[3, 0, 20]
        assert seen < contrast
        assert (seen > 0.02) == (thickness < 1)


def test_shadows_are_opposite_to_the_sun_and_darker_in_infrared():
    thickness = np.zeros((81, 81), np.float32)
    thickness[36:45, 36:45] = 8
    ground = np.repeat(SPECTRA["grass"], 81 * 81).reshape(13, 81, 81)
    image, _, shadow = cover_with(ground, [Cloud(thickness, 200.0, np.ones((81, 81), np.float32), False)], Sun(45, 180))
    rows, columns = np.nonzero(shadow)
    # the sun is in the south, so the shadow is north of the cloud: 20 pixels away at smaller rows
    assert rows.mean() < 36
    assert columns.mean() == pytest.approx(40, abs=0.5)
    left = image[:, 20, 40] / ground[:, 20, 40]
    assert left[7] < left[1] < 1


def test_only_high_clouds_appear_in_the_cirrus_band():
    ground = np.repeat(SPECTRA["grass"], 30 * 30).reshape(13, 30, 30)
    for high in (True, False):
        layer = Cloud(np.full((30, 30), 1.0, np.float32), 1000.0, np.ones((30, 30), np.float32), high)
        image, _, _ = cover_with(ground, [layer], Sun(45, 150))
        assert (image[10].mean() > 0.05) == high


def test_bands_of_20_and_60_m_have_no_finer_detail(scenes):
    image = scenes[0].clear.astype(float)
    step = np.abs(np.diff(image, axis=2)).mean(axis=(1, 2)) / image.mean(axis=(1, 2))
    assert step[0] < step[4] < step[3]


def test_water_is_dark_to_the_radar_and_towns_are_bright():
    means = {}
    for seed in range(20):
        scene = simulate_scene(128, seed)
        for kind in (WATER, URBAN):
            if (scene.landcover == kind).sum() > 300:
                means.setdefault(kind, []).append(scene.s1[0][scene.landcover == kind].mean())
    assert np.mean(means[WATER]) < -15
    assert np.mean(means[URBAN]) > -10


def test_landscapes_are_varied():
    assert len(np.unique(simulate_scene(512, 1).landcover)) >= 4
    seen = set().union(*(np.unique(simulate_scene(128, seed).landcover) for seed in range(30)))
    assert seen == set(CLASSES)


def test_s2cloudless_detects_simulated_clouds_but_not_the_ground(scenes):
    s2cloudless = detector("s2cloudless", CloudSettings(factor=1))
    thick_found, ground_found = [], []
    middle = slice(48, 208), slice(48, 208)
    for scene in scenes:
        mask = replaced(detect_in(s2cloudless, scene.cloudy[(slice(None), *middle)].astype(np.float32) / 1e4).classes)
        thick, ground = scene.optical_thickness[middle] > 2, scene.optical_thickness[middle] == 0
        if thick.any():
            thick_found.append(mask[thick].mean())
        clear = replaced(detect_in(s2cloudless, scene.clear[(slice(None), *middle)].astype(np.float32) / 1e4).classes)
        ground_found.append(clear.mean() if ground.any() else 0)
    assert np.mean(thick_found) > 0.85
    assert np.mean(ground_found) < 0.1


def test_a_cover_of_zero_gives_no_clouds():
    assert draw_clouds(np.random.default_rng(0), (20, 20), 0) == []


def test_a_written_scene_opens_as_a_scene(tmp_path):
    scene = simulate_scene(64, 4)
    paths = write_scene(tmp_path, scene)
    opened = Scene.open(paths["s2_cloudy"], paths["s1"])
    assert opened.bands == S2_BANDS
    assert opened.radiometry.offset == 0
    assert not opened.warnings
    with opened.reader() as reader:
        np.testing.assert_array_equal(reader.s2(opened.grid.window).raw, scene.cloudy)
        np.testing.assert_allclose(reader.s1(opened.grid.window), scene.s1, atol=1e-5)
    with rasterio.open(paths["landcover"]) as layer:
        assert layer.colormap(1)[WATER][:3] == (28, 13, 255)
    with pytest.raises(OutputError, match="--overwrite"):
        write_scene(tmp_path, scene)


def test_the_demo_scene_is_the_bundled_one_and_small(tmp_path):
    from sunbreak.resources import resource_path

    paths = write_demo(tmp_path)
    sizes = {role: path.stat().st_size for role, path in paths.items()}
    assert sizes.pop("s2_before") + sizes.pop("s2_after") < 9.5e6
    assert sum(sizes.values()) < 12e6
    for role in ("s2_cloudy", "s2_before", "s2_after", "s2_clear", "s1"):
        with rasterio.open(paths[role]) as ours, rasterio.open(resource_path("demo", f"demo_{role}.tif")) as theirs:
            # another processor may round a value the other way
            assert (ours.read() != theirs.read()).mean() < 0.001
            assert ours.tags() == theirs.tags()


def test_the_other_dates_of_the_demo_show_most_of_what_its_clouds_hide():
    from sunbreak.resources import resource_path

    dates = {name: Scene.open(resource_path("demo", f"demo_s2_{name}.tif")) for name in ("before", "cloudy", "after")}
    assert {name: f"{scene.acquired:%Y-%m-%d}" for name, scene in dates.items()} == {
        "before": "2021-05-01",
        "cloudy": "2021-06-05",
        "after": "2021-07-25",
    }
    bright = {}
    for name in ("cloudy", "before", "after"):
        with rasterio.open(resource_path("demo", f"demo_s2_{name}.tif")) as layer:
            # nothing on the ground but a few roofs is as bright in B02
            bright[name] = layer.read(2) > 2400
    hidden = bright["cloudy"]
    seen = [1 - bright[name][hidden].mean() for name in ("before", "after")]
    assert 0.6 < min(seen) < max(seen) < 0.95
    assert (bright["before"] & bright["after"])[hidden].mean() < 0.1
