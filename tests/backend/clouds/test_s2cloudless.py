"""The s2cloudless detector: equal to the original at 10 m, close to it on coarser blocks, the same in tiles as whole."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio

from sunbreak.clouds import CloudSettings
from sunbreak.clouds.classes import CLEAR, NO_DATA, THICK_CLOUD
from sunbreak.clouds.detection import CloudDetection
from sunbreak.clouds.s2cloudless import S2Cloudless
from sunbreak.events import Silent
from sunbreak.jobs.single import detect_clouds
from sunbreak.scene import S2_BANDS, Scene

PICK = [S2_BANDS.index(band) for band in S2Cloudless.bands]


def test_probability_and_mask_equal_the_reference(shared):
    expected = np.load(shared / "reference" / "s2cloudless" / "s2cloudless.npz")
    detector = S2Cloudless(CloudSettings(factor=1))
    for index in range(4):
        image = np.ascontiguousarray(expected["x_hwc13"][index].transpose(2, 0, 1)[PICK])
        probability = detector.probability(image)
        np.testing.assert_allclose(probability, expected["prob"][index], atol=1e-6)
        np.testing.assert_array_equal(detector.mask(probability), expected["mask_avg4_dil2_t04"][index] == 1)


@pytest.mark.parametrize(("average", "dilation", "threshold"), [(4, 2, 0.4), (1, 7, 0.2), (9, 0, 0.6)])
def test_probability_and_mask_equal_the_package_to_the_bit(cloudy_dn, average, dilation, threshold):
    original = pytest.importorskip("s2cloudless").S2PixelCloudDetector(
        threshold=threshold, average_over=average, dilation_size=dilation
    )
    image = cloudy_dn(130, 140, (slice(10, 70), slice(20, 90)))[PICK].astype(np.float32) / 1e4
    # twilight between land and cloud, where trees disagree
    image *= np.random.default_rng(3).uniform(0.2, 3, image.shape[1:]).astype(np.float32)
    detector = S2Cloudless(CloudSettings(factor=1, average=average, dilation=dilation, threshold=threshold))
    probability = detector.probability(image)
    expected = original.get_cloud_probability_maps(image.transpose(1, 2, 0)[None])
    assert 0.2 < (expected > threshold).mean() < 0.8
    np.testing.assert_array_equal(probability, expected[0])
    np.testing.assert_array_equal(detector.mask(probability), original.get_mask_from_prob(expected)[0] == 1)


def test_blocks_agree_with_ten_metres_on_real_clouds(shared):
    agreement = []
    for path in sorted((shared / "data" / "scenes").glob("*cloudy.tif")):
        with rasterio.open(path) as source:
            image = source.read([band + 1 for band in PICK]).astype(np.float32) / 1e4
        masks = []
        for settings in (CloudSettings(factor=1), CloudSettings()):
            detector = S2Cloudless(settings)
            masks.append(detector.mask(detector.probability(image)))
        agreement.append((masks[0] == masks[1]).mean())
    assert np.mean(agreement) >= 0.98


@pytest.mark.parametrize("factor", [1, 3])
def test_tiles_give_what_the_whole_image_gives(write_raster, cloudy_dn, tmp_path, monkeypatch, factor):
    monkeypatch.setattr("sunbreak.clouds.s2cloudless._CORE_BLOCKS", 24 // factor)
    dn = cloudy_dn(65, 83, (slice(10, 40), slice(20, 70)))
    scene = Scene.open(write_raster("a.tif", dn, bands=S2_BANDS))
    settings = CloudSettings(factor=factor)
    task = CloudDetection(scene, S2Cloudless(settings))
    assert task.layout.count > 4
    result = detect_clouds(scene, tmp_path / "out", settings, Silent(), detector="s2cloudless")
    whole = S2Cloudless(settings)
    probability = whole.probability(dn[PICK].astype(np.float32) / 1e4)
    with rasterio.open(result.layers["cloud_probability"]) as source:
        np.testing.assert_allclose(source.read(1) * 1e-4, probability, atol=1e-4)
    with rasterio.open(result.layers["cloud_mask"]) as source:
        np.testing.assert_array_equal(source.read(1) == 1, whole.mask(probability))
    assert result.numbers["cloud_share"] == pytest.approx(whole.mask(probability).mean(), abs=1e-9)
    assert 0.1 < result.numbers["cloud_share"] < 0.5


def test_a_hole_in_the_data_does_not_eat_into_a_cloud():
    detector = S2Cloudless(CloudSettings(factor=1))
    probability = np.full((30, 30), 0.6, np.float32)
    probability[10:20, 10:20] = np.nan
    assert detector.mask(probability).all()


def test_the_prediction_is_the_mask_as_classes_with_no_data_where_there_is_none(cloudy_dn):
    image = cloudy_dn(30, 40, (slice(5, 20), slice(5, 20)))[PICK].astype(np.float32) / 1e4
    image[:, :, 35:] = np.nan
    detector = S2Cloudless(CloudSettings())
    found = detector.predict(image)
    np.testing.assert_array_equal(found.probability, detector.probability(image))
    assert (found.classes[:, 35:] == NO_DATA).all()
    assert np.isnan(found.probability[:, 35:]).all()
    expected = np.where(detector.mask(found.probability), THICK_CLOUD, CLEAR)
    np.testing.assert_array_equal(found.classes[:, :35], expected[:, :35])
    assert found.classes[10, 10] == THICK_CLOUD
