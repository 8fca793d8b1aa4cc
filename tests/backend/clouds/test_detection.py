"""Cloud detection: equal to s2cloudless at 10 m, close to it on coarser blocks, the same in strips as in one piece."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio

from sunbreak.clouds.detection import DETECTION_BANDS, CloudDetection, CloudRuntime, CloudSettings, MaskRows, block_mean
from sunbreak.errors import InputError
from sunbreak.events import Silent
from sunbreak.jobs.single import detect_clouds
from sunbreak.scene import S2_BANDS, Scene

PICK = [S2_BANDS.index(band) for band in DETECTION_BANDS]


def test_probability_and_mask_equal_the_reference(shared):
    expected = np.load(shared / "reference" / "s2cloudless" / "s2cloudless.npz")
    runtime = CloudRuntime(CloudSettings(factor=1))
    for index in range(4):
        image = np.ascontiguousarray(expected["x_hwc13"][index].transpose(2, 0, 1)[PICK])
        probability = runtime.probability(image)
        np.testing.assert_allclose(probability, expected["prob"][index], atol=1e-6)
        np.testing.assert_array_equal(runtime.mask(probability), expected["mask_avg4_dil2_t04"][index] == 1)


def test_blocks_agree_with_ten_metres_on_real_clouds(shared):
    agreement = []
    for path in sorted((shared / "data" / "scenes").glob("*cloudy.tif")):
        with rasterio.open(path) as source:
            image = source.read([band + 1 for band in PICK]).astype(np.float32) / 1e4
        masks = []
        for settings in (CloudSettings(factor=1), CloudSettings()):
            runtime = CloudRuntime(settings)
            masks.append(runtime.mask(runtime.probability(image)))
        agreement.append((masks[0] == masks[1]).mean())
    assert np.mean(agreement) >= 0.98


@pytest.mark.parametrize("factor", [1, 3])
def test_tiles_give_what_the_whole_image_gives(write_raster, cloudy_dn, tmp_path, monkeypatch, factor):
    monkeypatch.setattr("sunbreak.clouds.detection._CORE_BLOCKS", 24 // factor)
    dn = cloudy_dn(65, 83, (slice(10, 40), slice(20, 70)))
    scene = Scene.open(write_raster("a.tif", dn, bands=S2_BANDS))
    settings = CloudSettings(factor=factor)
    task = CloudDetection(scene, settings)
    assert task.layout.count > 4
    result = detect_clouds(scene, tmp_path / "out", settings, Silent())
    whole = CloudRuntime(settings)
    probability = whole.probability(dn[PICK].astype(np.float32) / 1e4)
    with rasterio.open(result.layers["cloud_probability"]) as source:
        np.testing.assert_allclose(source.read(1) * 1e-4, probability, atol=1e-4)
    with rasterio.open(result.layers["cloud_mask"]) as source:
        np.testing.assert_array_equal(source.read(1) == 1, whole.mask(probability))
    assert result.numbers["cloud_share"] == pytest.approx(whole.mask(probability).mean(), abs=1e-9)
    assert 0.1 < result.numbers["cloud_share"] < 0.5


def test_pixels_without_data_stay_without(write_raster, cloudy_dn, tmp_path):
    dn = cloudy_dn(40, 40, (slice(10, 30), slice(10, 30)))
    dn[:, :, :7] = 0
    scene = Scene.open(write_raster("a.tif", dn, bands=S2_BANDS, nodata=0))
    layers = detect_clouds(scene, tmp_path / "out", CloudSettings(), Silent()).layers
    with rasterio.open(layers["cloud_mask"]) as mask, rasterio.open(layers["cloud_probability"]) as probability:
        assert (mask.read(1)[:, :7] == mask.nodata).all()
        assert (probability.read(1)[:, :7] == probability.nodata).all()
        assert (mask.read(1)[:, 7:] != mask.nodata).all()


def test_a_hole_in_the_data_does_not_eat_into_a_cloud():
    runtime = CloudRuntime(CloudSettings(factor=1))
    probability = np.full((30, 30), 0.6, np.float32)
    probability[10:20, 10:20] = np.nan
    assert runtime.mask(probability).all()


def test_a_scene_without_b10_is_refused_with_the_advice_to_give_a_mask(write_raster, cloudy_dn):
    bands = tuple(band for band in S2_BANDS if band != "B10")
    dn = np.delete(cloudy_dn(20, 20), S2_BANDS.index("B10"), axis=0)
    scene = Scene.open(write_raster("l2a.tif", dn, bands=bands), s2_offset=0.0)
    with pytest.raises(InputError, match="--mask") as caught:
        CloudDetection(scene, CloudSettings())
    assert caught.value.code == "no-cloud-bands"
    assert "B10" in caught.value.message


def test_a_threshold_outside_zero_and_one_is_refused():
    with pytest.raises(InputError, match="threshold"):
        CloudSettings(threshold=1.2)


def test_block_means_leave_out_what_is_unknown_and_cut_blocks_at_the_edge():
    image = np.arange(20, dtype=np.float32).reshape(1, 4, 5)
    image[0, 0, 0] = np.nan
    means = block_mean(image, 2)
    assert means.shape == (1, 2, 3)
    assert means[0, 0, 0] == pytest.approx(np.mean([1, 5, 6]))
    assert means[0, 1, 2] == pytest.approx(np.mean([14, 19]))
    image[0, :2, :2] = np.nan
    assert np.isnan(block_mean(image, 2)[0, 0, 0])


def test_mask_rows_give_back_what_was_put_in():
    mask = np.random.default_rng(0).random((20, 13)) > 0.5
    rows = MaskRows(20, 13)
    rows.put(0, mask[:7])
    rows.put(7, mask[7:])
    np.testing.assert_array_equal(rows.get(5, 12), mask[5:12])
