"""Classifying each pixel of a scene: no seams, and layers and areas that follow from the network's probabilities."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
import torch

from sunbreak.engine import make_runtime, run_task
from sunbreak.errors import InputError, ModelError
from sunbreak.events import Silent
from sunbreak.jobs.single import ClassifyOptions, classify
from sunbreak.landcover.classification import PairRuntime
from sunbreak.landcover.pixel_classification import PixelLandCover
from sunbreak.landcover.reconstructed import ShareRaster
from sunbreak.landcover.sliding_window import CleanedRows
from sunbreak.landcover.trust import TrustThresholds
from sunbreak.models.architectures import load_segmentation
from sunbreak.models.card_landcover import RADIUS, slug
from sunbreak.models.legends import DYNAMIC_WORLD
from sunbreak.scene import S2_BANDS, Scene

ROLES = {"landcover", "landcover_confidence", "landcover_entropy", "landcover_evidence"}


def read(path) -> np.ndarray:
    with rasterio.open(path) as source:
        return source.read()


def whole(files, dn: np.ndarray) -> np.ndarray:
    """Probabilities (class, row, column) of one run over the whole scene, padded with zeros."""
    card = files.card
    picked = dn[[S2_BANDS.index(band) for band in card.bands]].astype(np.float32)
    standard = card.standardisation
    mean, deviation = (np.array(part, np.float32)[:, None, None] for part in (standard.mean, standard.deviation))
    x = np.where((dn != 0).any(axis=0), (picked - mean) / deviation, 0).astype(np.float32)
    rows, columns = dn.shape[1:]
    x = np.pad(x, ((0, 0), *((RADIUS, RADIUS + -side % 16) for side in (rows, columns))))
    with torch.inference_mode():
        p = torch.softmax(load_segmentation(files)(torch.from_numpy(x)[None]), 1)[0].numpy()
    return p[:, RADIUS : RADIUS + rows, RADIUS : RADIUS + columns]


def composed(task, scene, runtime) -> dict[str, np.ndarray]:
    """The layers of a task before they are stored."""
    rows: dict[str, list[np.ndarray]] = {}
    run_task(task, scene, runtime, lambda role, _, values: rows.setdefault(role, []).append(values), Silent())
    return {role: np.concatenate(parts, axis=1) for role, parts in rows.items()}


@pytest.fixture
def holed(write_raster, land_dn):
    """DN of a scene of 100 x 331 pixels with a hole and a corner without data, and the scene."""
    dn = land_dn(100, 331)
    dn[:, 40:60, 100:130] = 0
    dn[:, :70, 220:] = 0
    return dn, Scene.open(write_raster("odd.tif", dn, bands=S2_BANDS, nodata=0))


@pytest.mark.parametrize("runtime", ["torch", "openvino"])
@pytest.mark.parametrize("shape", [(16, 16), (7, 50), (33, 100)])
def test_the_mosaic_equals_one_run_over_the_whole_padded_scene(write_raster, land_dn, small_pixels, shape, runtime):
    dn = land_dn(*shape)
    scene = Scene.open(write_raster("a.tif", dn, bands=S2_BANDS))
    task = PixelLandCover(scene, small_pixels.card, probabilities=True)
    found = composed(task, scene, make_runtime(small_pixels, "cpu", runtime))["landcover_probabilities"]
    assert found.shape == (9, *shape)
    assert np.abs(found - whole(small_pixels, dn)).max() < 1e-5


def test_holes_and_several_rows_of_tiles_change_nothing(holed, small_pixels):
    dn, scene = holed
    task = PixelLandCover(scene, small_pixels.card, probabilities=True)
    found = composed(task, scene, make_runtime(small_pixels, "cpu", "openvino"))
    valid, expected = (dn != 0).any(axis=0), whole(small_pixels, dn)
    p = found["landcover_probabilities"]
    assert np.isnan(p[:, ~valid]).all()
    assert np.abs(p - expected)[:, valid].max() < 1e-5
    # the classes differ from place to place, or nothing would be compared
    assert len(np.unique(found["landcover"][0][valid])) > 2
    best, second = np.sort(expected, axis=0)[[-1, -2]]
    sure = valid & (best - second > 1e-4)
    np.testing.assert_array_equal(found["landcover"][0][sure], expected.argmax(axis=0)[sure] + 1)
    np.testing.assert_array_equal(found["landcover"][0] == 0, ~valid)


def test_the_layers_are_those_of_patches_with_cells_of_one_pixel(holed, small_pixels, tmp_path):
    dn, scene = holed
    valid, expected = (dn != 0).any(axis=0), whole(small_pixels, dn)
    result = classify(scene, tmp_path, small_pixels, ClassifyOptions(), Silent())
    assert set(result.layers) == ROLES
    stored = {role: read(path) for role, path in result.layers.items()}
    np.testing.assert_allclose(stored["landcover_confidence"][0][valid] / 1e4, expected.max(axis=0)[valid], atol=1e-4)
    entropy = -(expected * np.log(expected)).sum(axis=0) / np.log(9)
    np.testing.assert_allclose(stored["landcover_entropy"][0][valid] / 1e4, entropy[valid], atol=2e-4)
    np.testing.assert_array_equal(stored["landcover_evidence"], np.where(valid, 10000, 65535)[None])
    with rasterio.open(result.layers["landcover"]) as layer:
        assert (layer.transform.a, layer.shape, layer.nodata) == (10, (100, 331), 0)
        assert layer.tags(1)["CLASS_7"] == "Built"
        assert layer.colormap(1)[1][:3] == (0x41, 0x9B, 0xDF)
    hectares = {kind.name: result.numbers.get(f"hectares_{slug(kind.name)}", 0) for kind in DYNAMIC_WORLD}
    counts = np.bincount(stored["landcover"][0].ravel(), minlength=10)[1:]
    assert list(hectares.values()) == pytest.approx(list(counts * 0.01))
    assert result.numbers["mean_confidence"] == pytest.approx(expected.max(axis=0)[valid].mean(), abs=1e-4)
    assert result.numbers["tiles"] == 4 * 11


def test_probabilities_are_written_on_request(write_raster, land_dn, small_pixels, tmp_path):
    dn = land_dn(20, 30)
    scene = Scene.open(write_raster("a.tif", dn, bands=S2_BANDS))
    layers = classify(scene, tmp_path, small_pixels, ClassifyOptions(probabilities=True), Silent()).layers
    assert set(layers) == {*ROLES, "landcover_probabilities"}
    np.testing.assert_allclose(read(layers["landcover_probabilities"]) / 1e4, whole(small_pixels, dn), atol=1e-4)
    with rasterio.open(layers["landcover_probabilities"]) as layer:
        assert layer.descriptions == tuple(kind.name for kind in DYNAMIC_WORLD)


def test_a_pixel_rests_on_its_own_reconstructed_fraction(write_raster, land_dn, small_pixels, tmp_path):
    s2 = write_raster("place_cleaned.tif", land_dn(48, 60), bands=S2_BANDS)
    share = np.random.default_rng(0).integers(0, 10001, (1, 48, 60)).astype(np.uint16)
    other = write_raster("place_reconstructed.tif", share, nodata=65535)
    with rasterio.open(other, "r+") as file:
        file.scales = (1e-4,)
    scene = Scene.open(s2)
    reader = ShareRaster(other, scene)
    result = classify(scene, tmp_path / "out", small_pixels, ClassifyOptions(), Silent(), share=reader)
    evidence = read(result.layers["landcover_evidence"])
    np.testing.assert_array_equal(evidence[0], 10000)
    np.testing.assert_allclose(evidence[1], share[0], atol=1)
    assert result.numbers["reconstructed_evidence"] == pytest.approx(share.mean() / 1e4, abs=1e-4)


def test_both_versions_are_classified_and_trust_and_areas_follow(write_raster, land_dn, small_pixels):
    cloudy, clear = land_dn(40, 70), land_dn(40, 70)
    cloudy[:, 10:30, 20:60] = 6000
    fraction = np.zeros((40, 70), np.float32)
    fraction[10:30, 20:60] = 1
    scene = Scene.open(write_raster("a.tif", cloudy, bands=S2_BANDS))
    cleaned = CleanedRows(lambda a, b: clear[:, a:b], lambda a, b: fraction[a:b])
    task = PixelLandCover(scene, small_pixels.card, cleaned=cleaned, compare=True, thresholds=TrustThresholds(0.3, 0.1))
    found = composed(task, scene, PairRuntime(make_runtime(small_pixels, "cpu", "torch")))
    after, before = whole(small_pixels, clear), whole(small_pixels, cloudy)
    cover, changed = found["landcover"][0], found["landcover_cloudy_vs_cleaned"][0]
    sure = np.minimum(*(np.sort(p, axis=0)[-1] - np.sort(p, axis=0)[-2] for p in (after, before))) > 1e-4
    np.testing.assert_array_equal(cover[sure], after.argmax(axis=0)[sure] + 1)
    differ = after.argmax(axis=0) != before.argmax(axis=0)
    assert differ.any() and not differ.all()
    np.testing.assert_array_equal(changed[sure], 1 + differ[sure])
    confidence = found["landcover_confidence"][0]
    np.testing.assert_array_equal(found["trust"][0], 1 + 2 * (fraction > 0.1) + (confidence < 0.3))
    numbers = task.numbers()
    assert numbers["changed_share"] == pytest.approx((changed == 2).mean())
    assert numbers["trust_reconstructed_unsure"] == pytest.approx((found["trust"] == 4).mean())
    for area in task.areas():
        here = cover == [kind.name for kind in DYNAMIC_WORLD].index(area.name) + 1
        assert area.hectares == pytest.approx(here.sum() * 0.01)
        assert area.reconstructed == pytest.approx(fraction[here].mean())
        assert area.confidence == pytest.approx(confidence[here].mean(), rel=1e-5)


def test_a_stride_is_refused_in_one_line(write_raster, land_dn, small_pixels, tmp_path):
    scene = Scene.open(write_raster("a.tif", land_dn(20, 30), bands=S2_BANDS))
    with pytest.raises(InputError, match="a class for each pixel") as refused:
        classify(scene, tmp_path / "out", small_pixels, ClassifyOptions(stride=16), Silent())
    assert refused.value.code == "bad-option"
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_probabilities_that_are_not_finite_are_reported(write_raster, land_dn, small_pixels, tmp_path):
    class Broken:
        label, batch, pending, room = "broken", 1, 0, True

        def submit(self, inputs):
            pass

        def collect(self):
            p = np.full((1, 9, 320, 320), 1 / 9, np.float32)
            p[0, 3, 150, 150] = np.nan
            return (p,)

    scene = Scene.open(write_raster("a.tif", land_dn(20, 30), bands=S2_BANDS))
    with pytest.raises(ModelError, match="small-pixels gave probabilities that are not finite"):
        classify(scene, tmp_path / "out", small_pixels, ClassifyOptions(), Silent(), runtime=Broken())
    assert not (tmp_path / "out").exists()
