"""Real scenes with the bundled model: all layers, same georeference, no seams. Skipped without the real data."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio

from sunbreak.datasets.simulation.clouds import Sun, cover_with, draw_clouds
from sunbreak.events import Silent
from sunbreak.jobs.single import CleanOptions, clean
from sunbreak.models.registry import DEFAULT_REMOVAL, find_model
from sunbreak.scene import S2_BANDS, Scene

ROLES = {"cleaned", "uncertainty", "reconstructed", "cloud_mask", "cloud_probability"}


def assert_same_georeference(layers, source_path) -> None:
    with rasterio.open(source_path) as source:
        expected = source.crs, source.transform, source.shape
    for path in layers.values():
        with rasterio.open(path) as layer:
            assert (layer.crs, layer.transform, layer.shape) == expected


def test_layers_of_a_real_cloudy_triplet_keep_its_georeference(shared, tmp_path):
    folder = shared / "data" / "sen12mscr"
    name = "139/ROIs1970_fall_{}_139_p839.tif"
    s2 = folder / "ROIs1970_fall_s2_cloudy" / ("s2_cloudy_" + name.format("s2_cloudy"))
    s1 = folder / "ROIs1970_fall_s1" / ("s1_" + name.format("s1"))
    layers = clean(Scene.open(s2, s1), tmp_path, find_model(DEFAULT_REMOVAL), CleanOptions(), Silent()).layers
    assert set(layers) == ROLES
    assert_same_georeference(layers, s2)
    with (
        rasterio.open(s2) as before,
        rasterio.open(layers["cleaned"]) as after,
        rasterio.open(layers["cloud_mask"]) as mask,
    ):
        clear = mask.read(1) == 0
        np.testing.assert_array_equal(after.read()[:, clear], before.read()[:, clear])


def test_a_real_scene_in_degrees_with_simulated_clouds_is_cleaned(shared, tmp_path):
    folder = shared / "data" / "scene_spain"
    with rasterio.open(folder / "S2_L1C_DN.tif") as source:
        profile, clear = source.profile, source.read()
    rng = np.random.default_rng(1)
    layers = draw_clouds(rng, clear.shape[1:], 0.4)
    cloudy, thickness, _ = cover_with(clear.astype(np.float32) / 1e4, layers, Sun(45, 150))
    path = tmp_path / "spain.tif"
    with rasterio.open(path, "w", **profile) as target:
        target.write(np.clip(np.rint(cloudy * 1e4), 1, 32767).astype(profile["dtype"]))
    scene = Scene.open(path, folder / "S1_VV_VH_dB.tif")
    result = clean(scene, tmp_path / "out", find_model(DEFAULT_REMOVAL), CleanOptions(), Silent())
    assert set(result.layers) == ROLES
    assert_same_georeference(result.layers, path)
    with rasterio.open(result.layers["cleaned"]) as layer:
        after = layer.read()
        assert layer.dtypes[0] == "int16"
    thick = thickness > 2
    before_error = np.abs(cloudy[:, thick] - clear[:, thick] / 1e4).mean()
    after_error = np.abs(after[:, thick] - clear[:, thick]).mean() / 1e4
    assert after_error < 0.5 * before_error


def test_tiles_leave_no_seams_in_a_real_scene(shared, tmp_path, write_raster):
    s2 = shared / "data" / "scenes" / "1970_fall_136_s2_cloudy.tif"
    with rasterio.open(s2) as source:
        shape, place = source.shape, {"crs": source.crs, "transform": source.transform}
    # the scene has no radar: use speckle around typical backscatter instead
    rng = np.random.default_rng(0)
    power = 10 ** (np.array([-11.0, -17.0])[:, None, None] / 10) * rng.gamma(4.5, 1 / 4.5, (2, *shape))
    s1 = write_raster("s1.tif", (10 * np.log10(power)).astype(np.float32), **place)
    files = find_model(DEFAULT_REMOVAL)
    moved = 60

    def cleaned(first: int) -> np.ndarray:
        scene = Scene.open(s2, s1, window=(first, first, shape[1] - first, shape[0] - first))
        options = CleanOptions(replace_all=True)
        layers = clean(scene, tmp_path / str(first), files, options, Silent()).layers
        with rasterio.open(layers["cleaned"]) as layer:
            return layer.read().astype(np.float64)

    image, other = cleaned(0), cleaned(moved)
    for axis, length in ((1, shape[0]), (2, shape[1])):
        step = files.card.tile - files.card.overlap
        edges = list(range(step, length - files.card.tile + step, step))
        starts = [min(start, length - files.card.tile) for start in edges]
        # a seam would lie where a tile begins or the tile before it ends
        lines = sorted(
            {*starts, *(start - step + files.card.tile for start in edges if start - step + files.card.tile < length)}
        )
        # the same ground with shifted tiles has no edge of a tile there
        same = np.take(image, range(moved, image.shape[3 - axis]), axis=3 - axis)
        with_seams = np.abs(np.diff(same, axis=axis)).mean(axis=tuple({0, 1, 2} - {axis}))
        without = np.abs(np.diff(other, axis=axis)).mean(axis=tuple({0, 1, 2} - {axis}))
        at = [line - 1 for line in lines if line > moved]
        # the shifted crop has less context, which changes its gradients everywhere by some percent
        everywhere = np.median(with_seams[moved:] / without[: len(with_seams) - moved])
        there = with_seams[at].mean() / without[[place - moved for place in at]].mean()
        assert there / everywhere == pytest.approx(1, abs=0.05)
    assert len(S2_BANDS) == image.shape[0]
