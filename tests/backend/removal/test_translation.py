"""Cleaning with the generator of an Augmented CycleGAN: mean and standard deviation of its samples, and the CLI."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import rasterio
import torch
from program import sunbreak

from sunbreak.datasets.simulation import simulate_scene
from sunbreak.engine.openvino_runtime import OpenVinoRuntime
from sunbreak.engine.runtime import TorchRuntime
from sunbreak.errors import InputError
from sunbreak.events import Reporter, Silent
from sunbreak.jobs.single import CleanOptions, clean
from sunbreak.models.architectures import AUGCYCLEGAN, load_network
from sunbreak.models.augcyclegan import Direction, DirectionConfig
from sunbreak.models.importing_augcyclegan import save_augcyclegan
from sunbreak.models.registry import ModelFiles
from sunbreak.models.sampling import draw_latents
from sunbreak.scene import S2_BANDS, Scene

L2A = tuple(band for band in S2_BANDS if band != "B10")
IN_L1C = [S2_BANDS.index(band) for band in L2A]


class Remembering(Reporter):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[str, str]] = []

    def message(self, text, level="info"):
        self.said.append((level, text))


def translation(
    folder, name="aug-tiny", *, conditioning=("B11", "B12", "VV", "VH"), bands=L2A, **options
) -> ModelFiles:
    torch.manual_seed(4)
    config = DirectionConfig(
        len(bands), len(bands), len(conditioning), 3, generator_width=4, discriminator_width=4, encoder_width=4
    )
    made = Direction(config).eval()
    with torch.no_grad():
        for parameter in made.generator.parameters():
            parameter.add_(0.15 * torch.randn_like(parameter))
    options = {"samples": 3, "tile": 64, "overlap": 32, "level": "L1C"} | options
    return save_augcyclegan(
        made.generator, name, folder, title="Random weights", description="For tests.", licence="CC0-1.0",
        bands=bands, conditioning=conditioning, **options,
    )  # fmt: skip


@pytest.fixture
def model(tmp_path) -> ModelFiles:
    return translation(tmp_path / "models")


@pytest.fixture
def mask_file(write_raster):
    mask = np.zeros((1, 70, 90), np.uint8)
    mask[0, 20:50, 30:70] = 1
    return write_raster("mask.tif", mask)


def read(path) -> np.ndarray:
    with rasterio.open(path) as source:
        return source.read()


def test_on_one_tile_mean_and_sigma_are_those_of_the_generators_samples(scene_files, model, tmp_path):
    s2, s1 = scene_files
    part = Scene.open(s2, s1, window=(10, 3, 64, 64))
    layers = clean(part, tmp_path / "out", model, CleanOptions(replace_all=True, runtime="torch"), Silent()).layers
    dn, db = read(s2)[IN_L1C, 3:67, 10:74].astype(np.float32), read(s1)[:, 3:67, 10:74]
    image = torch.from_numpy(np.clip(dn / 5000, 0, 2) - 1)[None]
    radar = torch.from_numpy((np.clip(db, -25, 0) + 12.5) / 12.5)[None]
    conditioning = torch.cat((image[:, 10:], radar), dim=1)
    generator = AUGCYCLEGAN.load(model)
    with torch.inference_mode():
        images = [
            generator(image, conditioning, z[None])[0] / 2 + 0.5 for z in torch.from_numpy(draw_latents(model.card))
        ]
    stack = torch.stack(images).numpy()
    np.testing.assert_allclose(read(layers["cleaned"])[IN_L1C], stack.mean(0) * 1e4, atol=1.01)
    np.testing.assert_allclose(read(layers["uncertainty"])[IN_L1C] * 1e-4, stack.std(0, ddof=1), atol=2e-4)
    assert stack.std(0, ddof=1).mean() > 0.005


def test_clear_pixels_and_bands_outside_the_model_are_kept_bit_for_bit(scene_files, mask_file, model, tmp_path):
    s2, s1 = scene_files
    reporter = Remembering()
    scene = Scene.open(s2, s1, mask=mask_file)
    layers = clean(scene, tmp_path / "out", model, CleanOptions(), reporter).layers
    before, after, mask = read(s2), read(layers["cleaned"]), read(mask_file)[0]
    np.testing.assert_array_equal(after[:, mask == 0], before[:, mask == 0])
    np.testing.assert_array_equal(after[S2_BANDS.index("B10")], before[S2_BANDS.index("B10")])
    share, sigma = read(layers["reconstructed"])[0], read(layers["uncertainty"])
    assert (after[IN_L1C][:, share == 10000] != before[IN_L1C][:, share == 10000]).mean() > 0.9
    assert (sigma[IN_L1C][:, share > 0] > 0).mean() > 0.9
    assert (sigma[S2_BANDS.index("B10")] == 0).all()
    said = "The model aug-tiny does not give B10: under clouds it stays as it is in the scene."
    assert ("warning", said) in reporter.said


def test_the_layers_record_the_number_of_samples_and_the_seed(scene_files, mask_file, model, tmp_path):
    s2, s1 = scene_files
    layers = clean(Scene.open(s2, s1, mask=mask_file), tmp_path / "out", model, CleanOptions(), Silent()).layers
    with rasterio.open(layers["uncertainty"]) as layer:
        tags = layer.tags()
    parameters = json.loads(tags["SUNBREAK_PARAMETERS"])
    assert (parameters["samples"], parameters["seed"]) == (3, 1)
    assert (tags["SUNBREAK_MODEL"], tags["SUNBREAK_ARCHITECTURE"]) == ("aug-tiny", "AugCycleGAN")
    item = json.loads(layers["cleaned"].with_name(layers["cleaned"].stem + ".stac.json").read_text())
    assert "AugCycleGAN" in json.dumps(item)


@pytest.mark.parametrize("runtime", ["torch", "openvino"])
def test_a_repeated_run_gives_the_same_bytes(scene_files, mask_file, model, tmp_path, runtime):
    s2, s1 = scene_files
    options = CleanOptions(runtime=runtime, device="cpu")
    scene = Scene.open(s2, s1, mask=mask_file)
    first, second = (clean(scene, tmp_path / name, model, options, Silent()).layers for name in "ab")
    for role, path in first.items():
        assert path.read_bytes() == second[role].read_bytes(), role


def test_openvino_gives_the_moments_that_torch_gives(model):
    network = load_network(model)
    x = np.random.default_rng(1).random((3, 14, 64, 64), dtype=np.float32)
    runtimes = [TorchRuntime(network, torch.device("cpu"), 64), OpenVinoRuntime.for_model(model)]
    results = []
    for runtime in runtimes:
        collected = []
        for tile in x:
            while not runtime.room:
                collected.extend(runtime.collect()[0].copy())
            runtime.submit({"x": tile[None]})
        while runtime.pending:
            collected.extend(runtime.collect()[0].copy())
        results.append(np.stack(collected))
    assert results[0].shape == (3, 24, 64, 64)
    assert np.abs(results[0] - results[1]).mean() < 1e-5
    np.testing.assert_allclose(*results, atol=2e-3)
    # once more from the cache, with latent vectors drawn without torch
    again = OpenVinoRuntime.for_model(model)
    again.submit({"x": x[2:]})
    np.testing.assert_array_equal(again.collect()[0][0], results[1][2])


def test_a_scene_of_level_2a_without_b10_is_cleaned(write_raster, cloudy_dn, radar_db, mask_file, tmp_path):
    model = translation(tmp_path / "models", level="L2A", conditioning=())
    dn = cloudy_dn(70, 90, (slice(20, 50), slice(30, 70)))[IN_L1C]
    scene = Scene.open(write_raster("l2a.tif", dn, bands=L2A), mask=mask_file)
    reporter = Remembering()
    layers = clean(scene, tmp_path / "out", model, CleanOptions(), reporter).layers
    after = read(layers["cleaned"])
    assert after.shape == (12, 70, 90)
    assert (after[:, 30:40, 40:60] != dn[:, 30:40, 40:60]).mean() > 0.9
    assert [text for level, text in reporter.said if level == "warning"] == [
        "The uncertainty of the model aug-tiny was not calibrated."
    ]


def test_conditioning_bands_are_read_and_not_changed(scene_files, mask_file, tmp_path):
    model = translation(tmp_path / "models", bands=("B02", "B03", "B04", "B08"), conditioning=("B12", "VH"))
    assert model.card.bands == ("B02", "B03", "B04", "B08", "B12")
    s2, s1 = scene_files
    layers = clean(Scene.open(s2, s1, mask=mask_file), tmp_path / "out", model, CleanOptions(), Silent()).layers
    before, after = read(s2), read(layers["cleaned"])
    changed = [band for index, band in enumerate(S2_BANDS) if (before[index] != after[index]).any()]
    assert changed == ["B02", "B03", "B04", "B08"]


def test_a_gap_in_the_data_does_not_darken_the_tile(write_raster, cloudy_dn, radar_db, mask_file, tmp_path):
    model = translation(tmp_path / "models", conditioning=())
    whole = cloudy_dn(70, 90, (slice(20, 50), slice(30, 70)))
    holed = whole.copy()
    holed[:, :, :8] = 0
    cleaned = []
    for name, dn in {"whole": whole, "holed": holed}.items():
        scene = Scene.open(write_raster(f"{name}.tif", dn, bands=S2_BANDS, nodata=0), mask=mask_file)
        cleaned.append(read(clean(scene, tmp_path / name, model, CleanOptions(), Silent()).layers["cleaned"]))
    np.testing.assert_array_equal(cleaned[1][:, :, :8], 0)
    apart = np.abs(cleaned[0][:, 20:50, 30:70].astype(float) - cleaned[1][:, 20:50, 30:70])
    darker = np.abs(cleaned[0][:, 20:50, 30:70].astype(float) - whole[:, 20:50, 30:70])
    assert apart.mean() < 0.1 * darker.mean()


def test_missing_radar_and_missing_bands_are_refused_by_name(scene_files, write_raster, cloudy_dn, model, tmp_path):
    s2, s1 = scene_files
    with pytest.raises(InputError, match="aug-tiny needs Sentinel-1"):
        clean(Scene.open(s2), tmp_path / "out", model, CleanOptions(), Silent())
    few = write_raster("few.tif", cloudy_dn(70, 90)[:4], bands=S2_BANDS[:4])
    with pytest.raises(InputError, match=r"needs the bands B05, B06, .*B12, which are not there"):
        clean(Scene.open(few, s1), tmp_path / "out", model, CleanOptions(replace_all=True), Silent())


def test_the_cli_lists_shows_verifies_and_runs_the_model(scene_files, mask_file, tmp_path, monkeypatch):
    translation(tmp_path / "models")
    monkeypatch.setenv("SUNBREAK_MODELS", str(tmp_path / "models"))
    rows = json.loads(sunbreak("models", "list", "--json").stdout)
    (row,) = [row for row in rows if row["name"] == "aug-tiny"]
    assert (row["task"], row["uses_s1"], row["uncertainty"]) == ("cloud-removal", True, True)
    shown = sunbreak("models", "show", "aug-tiny").stdout
    assert "conditioned   on B11, B12, VV, VH" in shown
    assert "sampling      3 latent vectors by seed 1" in shown
    assert "weights loaded" in sunbreak("models", "verify", "aug-tiny").stdout
    s2, s1 = scene_files
    call = ("clean", s2, "--mask", mask_file, "--model", "aug-tiny", "-o", tmp_path / "out")
    refused = sunbreak(*call)
    assert refused.returncode == 2
    assert "needs Sentinel-1" in refused.stderr
    done = sunbreak(*call, "--s1", s1)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "place_uncertainty.tif").is_file()
    calibrated = sunbreak("models", "calibrate", "aug-tiny", "--pairs", tmp_path)
    assert calibrated.returncode == 2
    assert "only uncrtaints" in calibrated.stderr


def test_tiles_leave_no_seams(write_raster, tmp_path):
    made = simulate_scene(300, 8, cover=0.3)
    s2, s1 = write_raster("a.tif", made.cloudy, bands=S2_BANDS), write_raster("r.tif", made.s1)
    model = translation(tmp_path / "models")
    moved = 18  # even, because the generator halves its resolution: odd steps would shift its grid

    def ratio(overlap: int) -> float:
        """Differences across the edges of tiles, relative to the same ground with shifted tiles."""
        files = ModelFiles(replace(model.card, overlap=overlap), model.path, bundled=False)

        def cleaned(first: int) -> np.ndarray:
            scene = Scene.open(s2, s1, window=(first, first, 300 - first, 300 - first))
            out = tmp_path / f"{overlap}-{first}"
            return read(clean(scene, out, files, CleanOptions(replace_all=True), Silent()).layers["cleaned"])

        image, other = (part[IN_L1C].astype(float) for part in (cleaned(0)[:, moved:, moved:], cleaned(moved)))
        starts = range(64 - overlap, 300 - 64, 64 - overlap)
        lines = [line - moved - 1 for start in starts for line in (start, start + overlap)]
        with_seams, without = (
            [np.abs(np.diff(part, axis=axis)).mean(axis=(0, 3 - axis))[lines].mean() for axis in (1, 2)]
            for part in (image, other)
        )
        return sum(with_seams) / sum(without)

    assert ratio(32) == pytest.approx(1, abs=0.03)
    assert ratio(0) > 1.1
