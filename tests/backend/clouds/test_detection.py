"""Any detector runs over a scene: it gets its bands as reflectance, and its classes come back as mask and probability."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from sunbreak.clouds import CloudSettings, registry
from sunbreak.clouds.classes import CLEAR, NO_DATA, SHADOW, THICK_CLOUD, THIN_CLOUD
from sunbreak.clouds.detection import CloudDetection, DetectorRuntime
from sunbreak.clouds.detector import Prediction
from sunbreak.clouds.registry import detector
from sunbreak.engine import run_task
from sunbreak.errors import InputError
from sunbreak.events import Silent
from sunbreak.jobs.single import CleanOptions, clean, detect_clouds
from sunbreak.scene import S2_BANDS, Scene


class Brightness:
    """Bright is cloud, thick or thin; dark is shadow. Needs no B10."""

    name = "brightness"
    bands = ("B04", "B02")
    levels = ("L1C", "L2A")
    classes = (CLEAR, THICK_CLOUD, THIN_CLOUD, SHADOW)
    resolution = 10.0
    core = 16
    halo = 2

    def __init__(self, settings: CloudSettings) -> None:
        self.settings = {"threshold": settings.threshold}
        self.label = "brightness of blue and red"

    def predict(self, reflectance: np.ndarray) -> Prediction:
        assert reflectance.dtype == np.float32 and len(reflectance) == 2
        mean = reflectance.mean(axis=0)
        classes = np.select([mean > 0.45, mean > 0.3, mean < 0.05], [THICK_CLOUD, THIN_CLOUD, SHADOW], CLEAR)
        classes = np.where(np.isnan(mean), NO_DATA, classes).astype(np.uint8)
        return Prediction(np.clip(mean, 0, 1).astype(np.float32), classes)


@pytest.fixture
def brightness():
    registry.register("brightness", Brightness)
    yield "brightness"
    registry.unregister("brightness")


@pytest.fixture
def level_2a(write_raster, cloudy_dn) -> Scene:
    """40 x 50 pixels without B10: a thick and a thin cloud, a shadow, and five columns without data."""
    dn = np.full((12, 40, 50), 1000, np.uint16)
    dn[:, 5:15, 5:15], dn[:, 20:30, 20:30], dn[:, 30:36, 2:8], dn[:, :, 45:] = 5000, 3500, 200, 0
    bands = tuple(band for band in S2_BANDS if band != "B10")
    return Scene.open(write_raster("l2a.tif", dn, bands=bands, nodata=0), s2_unit="dn", s2_offset=0.0)


def expected_classes() -> np.ndarray:
    classes = np.zeros((40, 50), np.uint8)
    classes[5:15, 5:15], classes[20:30, 20:30], classes[30:36, 2:8] = THICK_CLOUD, THIN_CLOUD, SHADOW
    return classes


def run(task: CloudDetection) -> dict[str, np.ndarray]:
    layers: dict[str, np.ndarray] = {}

    def write(role, row, values):
        layers.setdefault(role, np.zeros((1, *task.scene.grid.shape)))[:, row : row + values.shape[1]] = values

    run_task(task, task.scene, DetectorRuntime(task.detector), write, Silent())
    return layers


def test_a_registered_detector_detects_clouds_from_end_to_end(brightness, level_2a, tmp_path):
    result = detect_clouds(level_2a, tmp_path / "out", CloudSettings(), Silent(), detector=brightness)
    with rasterio.open(result.layers["cloud_mask"]) as layer:
        mask, tags = layer.read(1), layer.tags()
    np.testing.assert_array_equal(mask[:, :45], expected_classes()[:, :45])
    assert (mask[:, 45:] == 255).all()
    assert "brightness" in str(tags) and "s2cloudless" not in str(tags)
    shares = [result.numbers[name] * 40 * 45 for name in ("cloud_share", "thin_cloud_share", "shadow_share")]
    assert shares == pytest.approx([200, 100, 36])


def test_an_announced_detector_detects_clouds_from_end_to_end(monkeypatch, level_2a, tmp_path):
    # another package, as pip would install it: a copy of this module, and a file that announces the detector in it
    site = tmp_path / "site"
    (site / "theirs-1.0.dist-info").mkdir(parents=True)
    (site / "theirs-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (site / "theirs-1.0.dist-info" / "entry_points.txt").write_text(
        f"[{registry.GROUP}]\nannounced = their_clouds:Brightness\n"
    )
    (site / "their_clouds.py").write_text(Path(__file__).read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.syspath_prepend(site)
    assert "announced" in registry.detectors()
    result = detect_clouds(level_2a, tmp_path / "out", CloudSettings(), Silent(), detector="announced")
    with rasterio.open(result.layers["cloud_mask"]) as layer:
        np.testing.assert_array_equal(layer.read(1)[:, :45], expected_classes()[:, :45])


def test_cleaning_uses_the_detector_that_was_chosen(brightness, scene_files, small_model, tmp_path):
    s2, s1 = scene_files
    options = CleanOptions(detector=brightness, buffer=0, device="cpu", runtime="torch")
    result = clean(Scene.open(s2, s1), tmp_path / "out", small_model, options, Silent())
    with rasterio.open(s2) as scene, rasterio.open(result.layers["cloud_mask"]) as layer:
        blue, red = (scene.read(S2_BANDS.index(band) + 1) / 1e4 for band in ("B02", "B04"))
        mean = ((blue + red) / 2).astype(np.float32)
        np.testing.assert_array_equal(layer.read(1), np.select([mean > 0.45, mean > 0.3], [THICK_CLOUD, THIN_CLOUD]))
        assert "brightness" in str(layer.tags())


def test_the_classes_of_all_tiles_stand_in_the_mask_rows(level_2a):
    task = CloudDetection(level_2a, Brightness(CloudSettings()))
    assert task.layout.count > 4
    run(task)
    found = task.mask.get(0, 40)
    np.testing.assert_array_equal(found[:, :45], expected_classes()[:, :45])


def test_a_state_is_restored_whole(level_2a):
    task, other = (CloudDetection(level_2a, Brightness(CloudSettings())) for _ in range(2))
    run(task)
    other.restore(task.state())
    np.testing.assert_array_equal(other.mask.get(0, 40), task.mask.get(0, 40))
    assert other.counts.shares() == task.counts.shares()
    assert (other.counts.valid, other.counts.clear) == (40 * 45, 40 * 45 - 236)


def test_a_level_that_the_detector_does_not_know_is_refused(level_2a, monkeypatch):
    monkeypatch.setattr(Brightness, "levels", ("L1C",))
    with pytest.raises(InputError, match="L2A, only at L1C") as caught:
        CloudDetection(level_2a, Brightness(CloudSettings()))
    assert caught.value.code == "no-cloud-bands"
    assert "--mask" in caught.value.hint


def test_a_scene_without_b10_is_refused_with_the_advice_to_give_a_mask(write_raster, cloudy_dn):
    bands = tuple(band for band in S2_BANDS if band != "B10")
    dn = np.delete(cloudy_dn(20, 20), S2_BANDS.index("B10"), axis=0)
    scene = Scene.open(write_raster("l2a.tif", dn, bands=bands), s2_offset=0.0)
    with pytest.raises(InputError, match="--mask") as caught:
        CloudDetection(scene, detector("s2cloudless"))
    assert caught.value.code == "no-cloud-bands"
    assert "B10" in caught.value.message
    assert "the detector auto" in caught.value.hint


def test_pixels_without_data_stay_without(write_raster, cloudy_dn, tmp_path):
    dn = cloudy_dn(40, 40, (slice(10, 30), slice(10, 30)))
    dn[:, :, :7] = 0
    scene = Scene.open(write_raster("a.tif", dn, bands=S2_BANDS, nodata=0))
    layers = detect_clouds(scene, tmp_path / "out", CloudSettings(), Silent()).layers
    with rasterio.open(layers["cloud_mask"]) as mask, rasterio.open(layers["cloud_probability"]) as probability:
        assert (mask.read(1)[:, :7] == mask.nodata).all()
        assert (probability.read(1)[:, :7] == probability.nodata).all()
        assert (mask.read(1)[:, 7:] != mask.nodata).all()
