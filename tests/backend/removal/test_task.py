"""Cleaning a scene: clear pixels are unchanged, reconstructed pixels are marked."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import rasterio
import torch

from sunbreak.errors import InputError, ModelError, OutputError, SunbreakError
from sunbreak.events import Cancellation, Reporter, Silent
from sunbreak.jobs.clean_step import CleanStep
from sunbreak.jobs.single import CleanOptions, clean
from sunbreak.models.architectures import load_model
from sunbreak.models.importing import save_uncrtaints
from sunbreak.models.uncrtaints import UnCRtainTS, UnCRtainTSConfig
from sunbreak.removal.edges import feathered
from sunbreak.scene import S2_BANDS, Scene

# the networks of the default detector see no cloud in a white rectangle of 400 m
DETECTED = CleanOptions(detector="s2cloudless")


def read(path) -> np.ndarray:
    with rasterio.open(path) as source:
        return source.read()


@pytest.fixture
def mask_file(write_raster):
    mask = np.zeros((1, 70, 90), np.uint8)
    mask[0, 20:50, 30:70] = 1
    return write_raster("mask.tif", mask)


def test_clear_pixels_are_kept_bit_for_bit_and_cloudy_ones_replaced(scene_files, small_model, tmp_path):
    s2, s1 = scene_files
    layers = clean(Scene.open(s2, s1), tmp_path / "out", small_model, DETECTED, Silent()).layers
    before, after, mask = read(s2), read(layers["cleaned"]), read(layers["cloud_mask"])[0]
    share, sigma = read(layers["reconstructed"])[0], read(layers["uncertainty"])
    assert 0 < (mask == 1).mean() < 0.6
    np.testing.assert_array_equal(after[:, mask == 0], before[:, mask == 0])
    assert (share[mask == 0] == 0).all()
    assert (share[mask == 1] > 0).all()
    assert share.max() == 10000
    assert (sigma[:, mask == 0] == 0).all()
    assert (sigma[:, mask == 1] > 0).all()
    assert (after[:, share == 10000] != before[:, share == 10000]).mean() > 0.9


def test_the_layers_have_the_grid_of_the_input_and_describe_themselves(scene_files, small_model, tmp_path):
    s2, s1 = scene_files
    layers = clean(Scene.open(s2, s1), tmp_path / "out", small_model, DETECTED, Silent()).layers
    assert set(layers) == {"cleaned", "uncertainty", "reconstructed", "cloud_mask", "cloud_probability"}
    with rasterio.open(s2) as source:
        expected = source.transform, source.crs, source.shape
    for role, path in layers.items():
        assert path.name == f"place_{role}.tif"
        with rasterio.open(path) as layer:
            assert (layer.transform, layer.crs, layer.shape) == expected
            assert layer.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert layer.tags()["SUNBREAK_MODEL"] == "small"
            assert layer.tags()["SUNBREAK_WEIGHTS_SHA256"] == small_model.card.sha256
        assert path.with_suffix(".qml").is_file()
        item = json.loads(path.with_name(path.stem + ".stac.json").read_text())
        assert item["type"] == "Feature"
    with rasterio.open(layers["cleaned"]) as layer:
        assert layer.descriptions == S2_BANDS
        assert layer.dtypes[0] == "uint16"


def test_with_replace_all_the_result_is_the_output_of_the_network(scene_files, small_model, tmp_path):
    s2, s1 = scene_files
    part = Scene.open(s2, s1, window=(10, 3, 64, 64))
    layers = clean(part, tmp_path / "out", small_model, CleanOptions(replace_all=True), Silent()).layers
    assert "cloud_mask" not in layers
    s1_db, dn = read(s1)[:, 3:67, 10:74], read(s2)[:, 3:67, 10:74].astype(np.float32)
    x = np.concatenate([(np.clip(s1_db, -25, 0) + 25) / 25, np.clip(dn, 0, 10000) / 10000]).astype(np.float32)
    with torch.inference_mode():
        mean, variance = load_model(small_model)(torch.from_numpy(x)[None, None])
    assert variance is not None
    np.testing.assert_allclose(read(layers["cleaned"]), mean[0].numpy() * 10000, atol=0.51)
    # calibrated: sigma times the card's temperature of each band
    sigma = variance[0].sqrt().numpy() * np.array(small_model.card.temperature)[:, None, None]
    np.testing.assert_allclose(read(layers["uncertainty"]) * 1e-4, sigma, atol=6e-5)
    assert (read(layers["reconstructed"]) == 10000).all()


def test_in_the_feathered_edge_observation_and_prediction_are_blended(scene_files, mask_file, small_model, tmp_path):
    s2, s1 = scene_files
    scene = Scene.open(s2, s1, mask=mask_file)
    mixed = clean(scene, tmp_path / "a", small_model, CleanOptions(feather=4), Silent()).layers
    hard = clean(scene, tmp_path / "b", small_model, CleanOptions(feather=0), Silent()).layers
    share = read(mixed["reconstructed"])[0] * 1e-4
    observed, predicted = read(s2).astype(float), read(hard["cleaned"]).astype(float)
    np.testing.assert_allclose(share[20:26, 50], [0.2, 0.4, 0.6, 0.8, 1, 1], atol=1e-4)
    assert set(np.unique(read(hard["reconstructed"]))) == {0, 10000}
    expected = observed + share * (predicted - observed)
    np.testing.assert_allclose(read(mixed["cleaned"]), expected, atol=1.01)
    # the variance of the mixture of the two: share * sigma^2 + share * (1 - share) * difference^2
    sigma = read(hard["uncertainty"]) * 1e-4
    expected_sigma = np.sqrt(share * sigma**2 + share * (1 - share) * ((predicted - observed) * 1e-4) ** 2)
    edge = (share > 0) & (share < 1)
    np.testing.assert_allclose(read(mixed["uncertainty"])[:, edge] * 1e-4, expected_sigma[:, edge], atol=3e-4)


@pytest.mark.parametrize(("buffer", "edge"), [(None, [1, 1, 1]), (2, [1 / 3, 2 / 3, 1]), (6, [0.2, 0.4, 0.6, 0.8, 1])])
def test_a_given_mask_is_feathered_inwards_and_dilated_only_on_request(
    scene_files, mask_file, small_model, tmp_path, buffer, edge
):
    scene = Scene.open(*scene_files, mask=mask_file)
    layers = clean(scene, tmp_path / "a", small_model, CleanOptions(buffer=buffer), Silent()).layers
    share = read(layers["reconstructed"])[0, :, 50] * 1e-4
    first = 20 - (buffer or 0)
    assert share[first - 1] == 0
    np.testing.assert_allclose(share[first : first + len(edge)], edge, atol=1e-4)
    assert (share[first + len(edge) : 30] == 1).all()


def test_a_cloud_mask_of_the_product_is_dilated_like_a_detected_one(scene_files, mask_file, small_model, tmp_path):
    scene = Scene.open(*scene_files, mask=mask_file)
    own = replace(scene, cloud_mask=replace(scene.cloud_mask, of_product=True))
    options = CleanOptions(detector="scl")
    share = read(clean(own, tmp_path / "a", small_model, options, Silent()).layers["reconstructed"])[0, :, 50]
    np.testing.assert_allclose(share[15:21] * 1e-4, [0, 0.2, 0.4, 0.6, 0.8, 1], atol=1e-4)
    of_product, given = (CleanStep(own, small_model, options), CleanStep(scene, small_model, CleanOptions()))
    assert of_product.parameters["clouds"] == {"detector": "scl", "source": "the product's scene classification"}
    assert given.parameters["clouds"] == "given mask"


def test_sigma_and_reconstructed_are_nodata_where_the_input_is(
    write_raster, cloudy_dn, radar_db, mask_file, small_model, tmp_path
):
    dn = cloudy_dn(70, 90)
    dn[:, 30:40, 40:50] = 0
    s2, s1 = write_raster("a.tif", dn, bands=S2_BANDS, nodata=0), write_raster("r.tif", radar_db(70, 90))
    layers = clean(Scene.open(s2, s1, mask=mask_file), tmp_path / "out", small_model, CleanOptions(), Silent()).layers
    hole = (dn == 0).all(axis=0)
    for role in ("uncertainty", "reconstructed", "cloud_mask"):
        with rasterio.open(layers[role]) as layer:
            values = layer.read()
            assert (values[:, hole] == layer.nodata).all()
            assert (values[:, ~hole] != layer.nodata).all()
    np.testing.assert_array_equal(read(layers["cleaned"])[:, hole], dn[:, hole])
    # the cloud surrounds the gap, so the edge of the gap is not feathered
    share = read(layers["reconstructed"])[0]
    assert share[35, 39] == share[35, 50] == share[29, 45] == 10000


def test_only_tiles_with_cloud_go_through_the_network(write_raster, cloudy_dn, radar_db, small_model, tmp_path):
    s2 = write_raster("a.tif", cloudy_dn(300, 300, (slice(4, 40), slice(4, 40))), bands=S2_BANDS)
    s1 = write_raster("r.tif", radar_db(300, 300))
    numbers = clean(Scene.open(s2, s1), tmp_path / "a", small_model, DETECTED, Silent()).numbers
    assert (numbers["tiles"], numbers["tiles_computed"]) == (36, 1)
    everything = clean(
        Scene.open(s2, s1), tmp_path / "b", small_model, CleanOptions(replace_all=True), Silent()
    ).numbers
    assert everything["tiles_computed"] == 36


@pytest.mark.parametrize("shape", [(20, 31), (64, 64), (65, 200), (2, 90), (130, 3)])
def test_scenes_of_any_shape_are_cleaned(write_raster, cloudy_dn, radar_db, small_model, tmp_path, shape):
    s2, s1 = write_raster("a.tif", cloudy_dn(*shape), bands=S2_BANDS), write_raster("r.tif", radar_db(*shape))
    layers = clean(Scene.open(s2, s1), tmp_path / "out", small_model, CleanOptions(replace_all=True), Silent()).layers
    assert read(layers["cleaned"]).shape == (13, *shape)
    assert (read(layers["uncertainty"]) < 60000).all()


def test_reflectance_and_offset_lead_to_the_same_result_as_dn(
    write_raster, cloudy_dn, radar_db, mask_file, small_model, tmp_path
):
    dn = cloudy_dn(70, 90, (slice(20, 50), slice(30, 70)))
    s1 = write_raster("r.tif", radar_db(70, 90))
    results = []
    for name, values in {"dn": dn, "offset": dn + 1000, "reflectance": (dn / 1e4).astype(np.float32)}.items():
        scene = Scene.open(write_raster(f"{name}.tif", values.astype(values.dtype), bands=S2_BANDS), s1, mask=mask_file)
        layers = clean(scene, tmp_path / name, small_model, CleanOptions(), Silent()).layers
        with rasterio.open(layers["cleaned"]) as layer:
            assert layer.dtypes[0] == values.dtype
            results.append(layer.read() * layer.scales[0] + layer.offsets[0])
    np.testing.assert_allclose(results[1], results[0], atol=1.01e-4)
    np.testing.assert_allclose(results[2], results[0], atol=1.01e-4)


def test_two_runs_give_the_same_bytes(scene_files, small_model, tmp_path):
    contents = []
    for name in ("a", "b"):
        layers = clean(Scene.open(*scene_files), tmp_path / name, small_model, DETECTED, Silent()).layers
        contents.append([path.read_bytes() for path in layers.values()])
    assert contents[0] == contents[1]


def test_an_l2a_scene_with_a_mask_is_cleaned_with_a_warning_about_b10(
    write_raster, cloudy_dn, radar_db, mask_file, small_model, tmp_path
):
    bands = tuple(band for band in S2_BANDS if band != "B10")
    s2 = write_raster("l2a.tif", np.delete(cloudy_dn(70, 90), 10, axis=0), bands=bands)
    said: list[str] = []

    class Listener(Reporter):
        def message(self, text, level="info"):
            said.append(text)

    scene = Scene.open(s2, write_raster("r.tif", radar_db(70, 90)), mask=mask_file, s2_offset=0.0)
    layers = clean(scene, tmp_path / "out", small_model, CleanOptions(), Listener()).layers
    with rasterio.open(layers["cleaned"]) as layer:
        assert layer.descriptions == bands
    assert any("B10 is not in the scene" in text for text in said)
    assert any("trained on L1C" in text for text in said)


def test_a_network_without_variance_writes_no_uncertainty(scene_files, tmp_path):
    module = UnCRtainTS(UnCRtainTSConfig(width=16, depth=1, outputs=13)).eval()
    files = save_uncrtaints(
        module, "plain", tmp_path / "m", title="t", description="d", licence="CC0-1.0", tile=64, overlap=16
    )
    layers = clean(Scene.open(*scene_files), tmp_path / "out", files, DETECTED, Silent()).layers
    assert "uncertainty" not in layers
    assert "reconstructed" in layers


def test_nan_from_the_network_stops_the_run_and_leaves_no_files(scene_files, tmp_path):
    module = UnCRtainTS(UnCRtainTSConfig(width=16, depth=1)).eval()
    with torch.no_grad():
        module.network.out_conv.conv.conv[0].weight.fill_(float("nan"))
    files = save_uncrtaints(
        module, "sick", tmp_path / "m", title="t", description="d", licence="CC0-1.0", tile=64, overlap=16
    )
    with pytest.raises(ModelError, match="sick"):
        clean(
            Scene.open(*scene_files),
            tmp_path / "out",
            files,
            CleanOptions(detector="s2cloudless", runtime="torch"),
            Silent(),
        )
    assert not (tmp_path / "out").exists()


def test_a_model_that_needs_radar_refuses_a_scene_without_it(scene_files, small_model, tmp_path):
    with pytest.raises(InputError, match="--s1"):
        clean(Scene.open(scene_files[0]), tmp_path / "out", small_model, DETECTED, Silent())


def test_a_multi_temporal_model_is_refused(scene_files, tmp_path):
    files = save_uncrtaints(
        UnCRtainTS(UnCRtainTSConfig(width=16, depth=1, multi_temporal=True)),
        "many",
        tmp_path / "m",
        title="t",
        description="d",
        licence="CC0-1.0",
    )
    with pytest.raises(ModelError, match="3 dates"):
        clean(Scene.open(*scene_files), tmp_path / "out", files, DETECTED, Silent())


def test_existing_layers_are_kept_unless_overwrite_is_given(scene_files, small_model, tmp_path):
    scene, out = Scene.open(*scene_files), tmp_path / "out"
    path = clean(scene, out, small_model, DETECTED, Silent()).layers["cleaned"]
    before = path.stat().st_mtime_ns
    with pytest.raises(OutputError, match="--overwrite"):
        clean(scene, out, small_model, DETECTED, Silent())
    assert path.stat().st_mtime_ns == before
    clean(scene, out, small_model, DETECTED, Silent(), overwrite=True)
    assert path.stat().st_mtime_ns != before


class StopAfter(Reporter):
    """Asks to stop at the n-th checkpoint."""

    def __init__(self, checkpoints: int) -> None:
        super().__init__(Cancellation())
        self.left = checkpoints

    def checkpoint(self) -> None:
        self.left -= 1
        if self.left <= 0:
            self.cancellation.request()
        super().checkpoint()


@pytest.mark.parametrize("checkpoints", [1, 2, 3, 5, 8, 10, 12])
def test_cancelling_at_any_checkpoint_leaves_no_files_and_the_next_run_succeeds(
    scene_files, small_model, tmp_path, checkpoints
):
    scene, out = Scene.open(*scene_files), tmp_path / "out"
    with pytest.raises(SunbreakError) as caught:
        clean(scene, out, small_model, DETECTED, StopAfter(checkpoints))
    assert caught.value.exit_status == 130
    assert not out.exists()
    assert clean(scene, out, small_model, DETECTED, Silent()).layers["cleaned"].is_file()


def test_the_feathered_edge_depends_on_the_mask_and_not_on_the_window():
    mask = np.zeros((40, 40), bool)
    mask[5:35, 8:30] = True
    whole = feathered(mask, 4)
    np.testing.assert_array_equal(feathered(mask[10:30], 4)[6:-6], whole[16:24])
    assert whole[~mask].max() == 0
    assert whole[20, 20] == 1
    assert feathered(np.ones((3, 3), bool), 4).min() == 1
