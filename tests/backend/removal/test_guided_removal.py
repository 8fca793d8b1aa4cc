"""Cleaning with a guided network: its guide is filled from clear pixels only, never from clouds."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import rasterio
import torch
from rasterio.windows import Window

from sunbreak.engine import TilePlace
from sunbreak.errors import InputError
from sunbreak.events import Reporter, Silent
from sunbreak.jobs.single import CleanOptions, clean
from sunbreak.models.importing import save_uncrtaints
from sunbreak.models.uncrtaints import UnCRtainTS, UnCRtainTSConfig
from sunbreak.removal.fit import fit_warnings
from sunbreak.removal.guide import guide
from sunbreak.removal.network_input import NetworkInput
from sunbreak.scene import S2_BANDS, Scene
from sunbreak.training.removal.loop import scale_residual

PRIOR = tuple(0.1 + 0.01 * band for band in range(13))


def read(path) -> np.ndarray:
    with rasterio.open(path) as source:
        return source.read()


def save(module, folder):
    return save_uncrtaints(
        module.eval(), "guided", folder, title="t", description="d", licence="CC0-1.0", tile=64, overlap=16
    )


@pytest.fixture
def untrained(tmp_path):
    """A guided network whose residual is still zero."""
    torch.manual_seed(0)
    return save(UnCRtainTS(UnCRtainTSConfig(width=16, depth=1, guided=True, prior=PRIOR)), tmp_path / "model")


@pytest.fixture
def masked(write_raster, cloudy_dn, radar_db):
    cloud = (slice(20, 50), slice(10, 40))
    s2 = write_raster("place.tif", cloudy_dn(64, 64, cloud), bands=S2_BANDS)
    s1 = write_raster("radar.tif", radar_db(64, 64), bands=("VV", "VH"))
    mask = np.zeros((1, 64, 64), np.uint8)
    mask[0, cloud[0], cloud[1]] = 1
    return Scene.open(s2, s1, mask=write_raster("mask.tif", mask)), read(s2), mask[0] == 1


def test_a_network_with_zero_residual_returns_the_guide(masked, untrained, tmp_path):
    scene, dn, cloud = masked
    after = read(clean(scene, tmp_path / "out", untrained, CleanOptions(feather=0), Silent()).layers["cleaned"])
    with scene.reader() as reader:
        radar = reader.s1(Window(0, 0, 64, 64))
    expected = guide(dn.astype(np.float32) / 1e4, ~cloud, PRIOR, radar) * 1e4
    np.testing.assert_allclose(after[:, cloud], expected[:, cloud], atol=0.51)
    np.testing.assert_array_equal(after[:, ~cloud], dn[:, ~cloud])
    # the bright cloud has no effect on the fill
    assert after[3, cloud].max() < 1000


@pytest.mark.parametrize("hides", [True, False])
def test_the_brightness_of_an_opaque_cloud_has_no_effect_on_a_network_that_hides_it(
    write_raster, cloudy_dn, radar_db, tmp_path, hides
):
    cloud = (slice(20, 50), slice(10, 40))
    s1 = write_raster("radar.tif", radar_db(64, 64), bands=("VV", "VH"))
    mask = np.zeros((1, 64, 64), np.uint8)
    mask[0, cloud[0], cloud[1]] = 1
    torch.manual_seed(1)
    module = UnCRtainTS(UnCRtainTSConfig(width=16, depth=1, guided=True, hides_opaque=hides, prior=PRIOR))
    with torch.no_grad():
        module.network.out_conv.conv.conv[0].weight[:13].normal_(0, 0.02)
    model = save(module, tmp_path / "model")
    results = []
    for factor in (0.5, 1, 2):
        dn = cloudy_dn(64, 64, cloud)
        dn[:, mask[0] == 1] = np.clip(dn[:, mask[0] == 1] * factor, 1, 20000).astype(dn.dtype)
        s2 = write_raster(f"place{factor}.tif", dn, bands=S2_BANDS)
        scene = Scene.open(s2, s1, mask=write_raster("mask.tif", mask), s2_offset=0.0)
        done = clean(scene, tmp_path / f"out{factor}", model, CleanOptions(feather=0), Silent())
        results.append(read(done.layers["cleaned"]).astype(int))
    apart = max(int(np.abs(result - results[1]).max()) for result in results)
    assert apart == 0 if hides else apart > 20


def test_thin_cloud_and_shadow_keep_their_bands(write_raster, cloudy_dn, tmp_path):
    card = save(
        UnCRtainTS(UnCRtainTSConfig(width=16, depth=1, guided=True, hides_opaque=True, prior=PRIOR)), tmp_path / "model"
    ).card
    scene = Scene.open(write_raster("place.tif", cloudy_dn(64, 64), bands=S2_BANDS))
    found = np.repeat(np.array([0, 1, 2, 3], np.uint8), 16)[None].repeat(64, axis=0)
    planes = {
        "raw": np.full((13, 64, 64), 5000, np.uint16), "valid": np.ones((64, 64), bool), "found": found,
        "cloudy": found > 0,
    }  # fmt: skip
    x = NetworkInput(scene, card).tile(planes, TilePlace(slice(0, 64), slice(0, 64)), PRIOR, None)
    bands, filled = x[2:15], x[15:28]
    np.testing.assert_array_equal(bands[:, found == 1], filled[:, found == 1])
    np.testing.assert_allclose(bands[:, found != 1], 0.5)
    assert np.abs(filled[:, found > 1] - 0.5).max() > 1e-3


def test_with_replace_all_the_mask_still_selects_the_clear_pixels_of_the_guide(masked, untrained, tmp_path):
    scene, dn, cloud = masked
    layers = clean(scene, tmp_path / "out", untrained, CleanOptions(replace_all=True), Silent()).layers
    assert (read(layers["reconstructed"]) == 10000).all()
    after = read(layers["cleaned"])
    np.testing.assert_allclose(after[:, ~cloud].astype(int), dn[:, ~cloud], atol=1)
    assert after[3, cloud].max() < 1000


def test_nodata_pixels_are_not_used_for_the_guide(write_raster, cloudy_dn, radar_db, untrained, tmp_path):
    dn = cloudy_dn(64, 64)
    dn[:, :, :20] = 0
    mask = np.zeros((1, 64, 64), np.uint8)
    mask[0, :, 20:40] = 1
    s2 = write_raster("place.tif", dn, bands=S2_BANDS)
    s1 = write_raster("radar.tif", radar_db(64, 64), bands=("VV", "VH"))
    scene = Scene.open(s2, s1, mask=write_raster("mask.tif", mask))
    after = read(clean(scene, tmp_path / "out", untrained, CleanOptions(), Silent()).layers["cleaned"])
    assert (after[:, :, :20] == 0).all()
    assert after[7, :, 20:40].min() > 1500


def test_scaling_the_residual_interpolates_between_guide_and_network(tmp_path):
    torch.manual_seed(1)
    module = UnCRtainTS(UnCRtainTSConfig(width=16, depth=1, guided=True, prior=PRIOR)).eval()
    with torch.no_grad():
        module.network.out_conv.conv.conv[0].weight[:13].normal_(0, 0.02)
        module.network.out_conv.conv.conv[0].bias[:13].fill_(0.1)
    x = 0.3 + 0.2 * torch.rand(1, 1, 29, 32, 32)
    start = x[:, 0, 15:28]
    whole, variance = (part.detach() for part in module(x))
    scale_residual(module, 0.3)
    scaled, same = (part.detach() for part in module(x))
    torch.testing.assert_close(scaled, start + 0.3 * (whole - start), atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(same, variance)


def test_a_model_trained_with_radar_dropout_cleans_a_scene_without_radar(write_raster, cloudy_dn, tmp_path):
    cloud = (slice(20, 50), slice(10, 40))
    s2 = write_raster("place.tif", cloudy_dn(64, 64, cloud), bands=S2_BANDS)
    mask = np.zeros((1, 64, 64), np.uint8)
    mask[0, cloud[0], cloud[1]] = 1
    scene = Scene.open(s2, mask=write_raster("mask.tif", mask))
    torch.manual_seed(0)
    module = UnCRtainTS(UnCRtainTSConfig(width=16, depth=1, guided=True, prior=PRIOR)).eval()
    common = {"title": "t", "description": "d", "licence": "CC0-1.0", "tile": 64, "overlap": 16}
    strict = save_uncrtaints(module, "strict", tmp_path / "model", **common)
    with pytest.raises(InputError, match="needs Sentinel-1"):
        clean(scene, tmp_path / "out", strict, CleanOptions(), Silent())
    lenient = save_uncrtaints(module, "lenient", tmp_path / "model", training={"recipe": {"no_radar": 0.1}}, **common)
    after = read(clean(scene, tmp_path / "out", lenient, CleanOptions(feather=0), Silent()).layers["cleaned"])
    expected = guide(read(s2).astype(np.float32) / 1e4, mask[0] == 0, PRIOR) * 1e4
    np.testing.assert_allclose(after[:, mask[0] == 1], expected[:, mask[0] == 1], atol=0.51)
    assert any("no Sentinel-1" in text for text in fit_warnings(scene, lenient.card))


def test_an_overcast_tile_uses_the_means_and_the_regression_of_the_whole_scene(write_raster, untrained, tmp_path):
    rng = np.random.default_rng(5)
    # fields of 8 px whose backscatter is high where their reflectance is low, and a cloud over the right half
    fields = np.kron(rng.normal(0, 1, (16, 32)), np.ones((8, 8))).astype(np.float32)
    ground = np.broadcast_to(3000 - 400 * fields, (13, 128, 256)).astype(np.uint16)
    db = np.stack([-11 + 2 * fields, -18 + 2 * fields])
    dn, mask = ground.copy(), np.zeros((1, 128, 256), np.uint8)
    dn[:, :, 128:], mask[:, :, 128:] = 9000, 1
    s2, s1 = write_raster("place.tif", dn, bands=S2_BANDS), write_raster("radar.tif", db, bands=("VV", "VH"))
    scene = Scene.open(s2, s1, mask=write_raster("mask.tif", mask))
    result = clean(scene, tmp_path / "out", untrained, CleanOptions(feather=0), Silent())
    # so far from the clear pixels that a tile of 64 px contains none
    after, truth = read(result.layers["cleaned"])[:, :, 200:].astype(float), ground[:, :, 200:].astype(float)
    assert abs(after.mean() - 3000) < 60
    assert np.abs(after - truth).mean() < 0.5 * np.abs(truth - truth.mean()).mean()
    without = Scene.open(s2, mask=write_raster("mask.tif", mask))
    lenient = save_uncrtaints(
        UnCRtainTS(UnCRtainTSConfig(width=16, depth=1, guided=True, prior=PRIOR)).eval(), "lenient", tmp_path / "model",
        title="t", description="d", licence="CC0-1.0", tile=64, overlap=16, training={"recipe": {"no_radar": 0.1}},
    )  # fmt: skip
    blind = read(clean(without, tmp_path / "blind", lenient, CleanOptions(feather=0), Silent()).layers["cleaned"])
    np.testing.assert_allclose(blind[:, :, 200:], ground[:, :, :128].mean(), atol=30)


def test_the_fill_of_a_scene_with_few_clear_pixels_shrinks_towards_the_world_prior(
    write_raster, cloudy_dn, radar_db, tmp_path
):
    class Listening(Reporter):
        said: ClassVar[list[str]] = []

        def message(self, text, level="info"):
            self.said.append(text)

    reporter = Listening()
    torch.manual_seed(0)
    world = UnCRtainTSConfig(width=16, depth=1, guided=True, prior=(*PRIOR, 80000.0))
    dn = cloudy_dn(128, 128)
    mask = np.ones((1, 128, 128), np.uint8)
    mask[:, :16] = 0
    s2 = write_raster("place.tif", dn, bands=S2_BANDS)
    s1 = write_raster("radar.tif", radar_db(128, 128), bands=("VV", "VH"))
    scene = Scene.open(s2, s1, mask=write_raster("mask.tif", mask))
    files = save(UnCRtainTS(world), tmp_path / "model")
    after = read(clean(scene, tmp_path / "out", files, CleanOptions(feather=0), reporter).layers["cleaned"])
    known, seen = np.array(PRIOR) * 1e4, dn[:, :16].mean(axis=(1, 2))
    far = after[:, 100:].mean(axis=(1, 2))
    share = ((far - known) / (seen - known)).mean()
    np.testing.assert_allclose(far, known + share * (seen - known), atol=15)
    assert 0.05 < share < 0.25
    assert "The cloud-filled guide uses 2,048 clear pixels of the scene." in reporter.said


def test_there_is_no_step_at_the_edge_of_tiles_under_a_cloud(write_raster, untrained, tmp_path):
    dn = np.full((13, 64, 256), 2000, np.uint16)
    mask = np.zeros((1, 64, 256), np.uint8)
    # every tile of 64 px has some clear pixels, with a different reflectance in each
    for start, value in ((0, 1000), (64, 3000), (128, 1200), (192, 2800)):
        dn[:, :6, start : start + 64] = value
    mask[:, 6:] = 1
    scene = Scene.open(
        write_raster("place.tif", dn, bands=S2_BANDS),
        write_raster("radar.tif", np.full((2, 64, 256), -12, np.float32), bands=("VV", "VH")),
        mask=write_raster("mask.tif", mask),
    )
    after = read(clean(scene, tmp_path / "out", untrained, CleanOptions(feather=0), Silent()).layers["cleaned"])
    # far below the clear rows the reflectance has no steps at the edges of tiles
    row = after[7, 40:].astype(float).mean(axis=0)
    assert np.abs(np.diff(row)).max() < 40
