"""Short training on tiny data: the loss falls, a stopped training resumes, the card has the measurements."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch

from sunbreak.datasets.simulation import write_scene
from sunbreak.datasets.simulation.scene import simulate_scene
from sunbreak.errors import InputError, RunError, SunbreakError
from sunbreak.events import Cancellation, Reporter, Silent
from sunbreak.metrics import fills
from sunbreak.models.architectures import load_model
from sunbreak.models.card import ModelCard
from sunbreak.scene import S2_BANDS
from sunbreak.training.removal import validation
from sunbreak.training.removal.l2a_to_l1c import FromL2A
from sunbreak.training.removal.loop import RemovalTraining, TrainingSamples, finish, train
from sunbreak.training.removal.losses import absolute_error, gaussian_nll
from sunbreak.training.removal.network_batches import Draws, network_input
from sunbreak.training.removal.samples import Sample, clouded_samples, simulated_samples, with_masks
from sunbreak.training.removal.sen12mscr_pairs import real_samples

RECIPE = RemovalTraining(steps=30, batch=4, patch=16, width=16, depth=1, tile=32, seed=3)


@pytest.fixture(scope="module")
def samples(tmp_path_factory) -> list[Sample]:
    return simulated_samples(8, 32, 1, tmp_path_factory.mktemp("cache"), workers=1)


def weights(module) -> torch.Tensor:
    return torch.cat([parameter.detach().ravel() for parameter in module.parameters()])


def test_the_loss_falls(samples, tmp_path):
    train(RECIPE, TrainingSamples(samples), tmp_path, Silent())
    with (tmp_path / "log.csv").open() as stream:
        errors = [float(row["mean_absolute_error"]) for row in csv.DictReader(stream)]
    assert len(errors) == 30
    assert np.mean(errors[-5:]) < 0.7 * np.mean(errors[:5])


def test_the_seed_fixes_the_weights_even_after_an_interruption(samples, tmp_path, monkeypatch):
    monkeypatch.setattr("sunbreak.training.removal.loop._SAVE_EVERY", 10)
    whole = weights(train(RECIPE, TrainingSamples(samples), tmp_path / "a", Silent()))

    class StopAt(Reporter):
        def progress(self, done, total, unit="steps"):
            if done >= 17:
                self.cancellation.request()

    with pytest.raises(SunbreakError) as caught:
        train(RECIPE, TrainingSamples(samples), tmp_path / "b", StopAt(Cancellation()))
    assert caught.value.exit_status == 130
    resumed = weights(train(RECIPE, TrainingSamples(samples), tmp_path / "b", Silent()))
    torch.testing.assert_close(resumed, whole, atol=0, rtol=0)
    other = RemovalTraining(**{**RECIPE.__dict__, "seed": 4})
    assert not torch.equal(weights(train(other, TrainingSamples(samples), tmp_path / "c", Silent())), whole)


def test_a_nan_loss_stops_and_the_last_valid_state_stays(samples, tmp_path, monkeypatch):
    monkeypatch.setattr("sunbreak.training.removal.loop._SAVE_EVERY", 5)
    spoiled = Sample("spoiled", np.full_like(samples[0].s1, 1e30), samples[0].clear, samples[0].cloudy)
    train(RemovalTraining(**{**RECIPE.__dict__, "steps": 5}), TrainingSamples(samples), tmp_path, Silent())
    before = torch.load(tmp_path / "state.pt", weights_only=True)["weights"]
    huge = RemovalTraining(**{**RECIPE.__dict__, "learning_rate": 1e25})
    with pytest.raises(RunError, match="not a number"):
        train(huge, TrainingSamples([spoiled]), tmp_path, Silent())
    after = torch.load(tmp_path / "state.pt", weights_only=True)["weights"]
    assert all(torch.isfinite(value).all() for value in after.values() if value.is_floating_point())
    assert before.keys() == after.keys()


def test_the_finished_model_is_calibrated_measured_and_usable(samples, tmp_path):
    module = train(RECIPE, TrainingSamples(samples), tmp_path / "work", Silent())
    checks = [("a second set", samples[:2])]
    files = finish(module, RECIPE, samples[4:], checks, "tiny", tmp_path / "models", {"command": "test"})
    card = ModelCard.read(files.path)
    assert len(card.temperature) == 13
    assert [group["data"] for group in card.metrics] == [
        "held-out simulated scenes, not used for calibration (2 images)",
        "a second set (2 images)",
    ]
    figures = card.metrics[0]["figures"]
    assert {"cloudy image", "mean of clear pixels", "network, clear pixels kept"} <= set(figures)
    assert card.training["recipe"]["steps"] == 30
    torch.testing.assert_close(weights(load_model(files)), weights(module))


def test_patches_of_one_scene_count_as_one_observation_of_sigma(samples):
    predictions = [(np.full(sample.clear.shape, 0.2, np.float32), np.ones(sample.clear.shape)) for sample in samples]
    names = ("sen12ms-cr 1970_fall_85_p492", "sen12ms-cr 1970_fall_85_p753", "sen12ms-cr 1970_fall_8_p753")
    of_two = [replace(sample, name=names[index % 3]) for index, sample in enumerate(samples)]
    of_one = [replace(sample, name=names[0]) for sample in samples]
    assert validation.scenes(of_two) == 2
    wider = validation.temperature(of_one, predictions) / validation.temperature(of_two, predictions)
    np.testing.assert_allclose(wider, np.sqrt(2 / 1.5), rtol=1e-5)


def test_the_temperature_scales_residuals_to_unit_variance(samples):
    rng = np.random.default_rng(0)
    predictions = []
    for sample in samples:
        target = np.clip(sample.clear, 0, 10000).astype(np.float32) / 10000
        sigma = np.full_like(target, 0.02)
        predictions.append((target + rng.normal(0, 0.06, target.shape).astype(np.float32), sigma**2))
    np.testing.assert_allclose(validation.temperature(samples, predictions), 3, rtol=0.1)


def test_evaluation_matches_a_perfect_prediction_and_the_fills(samples):
    predictions = []
    for sample in samples:
        target = np.clip(sample.clear, 0, 10000).astype(np.float32) / 10000
        predictions.append((target, np.full_like(target, 1e-4)))
    figures = validation.evaluate(samples, predictions, np.ones(13, np.float32))
    # the PSNR of a perfect image is infinite: it is excluded from the mean and counted
    assert "psnr" not in figures["network, every pixel"]
    assert figures["network, every pixel"]["psnr_images"] == 0
    assert figures["network, every pixel"]["sam"] == pytest.approx(0, abs=1e-3)
    assert figures["cloudy image"]["psnr"] < 40
    assert figures["coverage in cloud"] == {"68 %": 1.0, "95 %": 1.0}


def test_fills_use_the_mean_and_the_nearest_clear_pixel():
    image = np.array([[[1.0, 2.0, 9.0, 6.0]]], np.float32)
    mask = np.array([[False, False, True, False]])
    assert fills.mean_fill(image, mask)[0, 0, 2] == pytest.approx(3)
    assert fills.nearest_fill(image, mask)[0, 0, 2] in (2, 6)
    np.testing.assert_array_equal(fills.mean_fill(image, np.ones_like(mask)), image)


def test_the_likelihood_does_not_depend_on_the_batch_size():
    torch.manual_seed(0)
    mean, target, variance = torch.rand(1, 13, 4, 4), torch.rand(1, 13, 4, 4), torch.rand(1, 13, 4, 4) + 0.1
    one = torch.ones(1, 1, 4, 4)
    single = gaussian_nll(mean, variance, target, one)
    many = gaussian_nll(*(part.repeat(5, 1, 1, 1) for part in (mean, variance, target, one)))
    torch.testing.assert_close(single, many)
    expected = torch.distributions.Normal(mean, variance.sqrt()).log_prob(target).mean() + 0.5 * np.log(2 * np.pi)
    torch.testing.assert_close(single, -expected)


def test_pixels_without_weight_do_not_affect_the_loss():
    mean, target = torch.zeros(1, 13, 1, 2), torch.zeros(1, 13, 1, 2)
    target[..., 1] = 5
    assert absolute_error(mean, target, torch.tensor([[[[1.0, 0.0]]]])) == 0
    assert absolute_error(mean, target, torch.tensor([[[[1.0, 1.0]]]])) == pytest.approx(2.5)


def test_network_input_is_scaled_as_published():
    s1 = np.array([-30.0, -12.5, 5.0, np.nan], np.float32).reshape(1, 1, 4).repeat(2, axis=0)
    dn = np.array([0, 5000, 10000, 16000], np.uint16).reshape(1, 1, 4).repeat(13, axis=0)
    x = network_input(s1, dn)
    np.testing.assert_allclose(x[0, 0], [0, 0.5, 1, 0])
    np.testing.assert_allclose(x[2, 0], [0, 0.5, 1, 1])
    assert network_input(None, dn)[:2].max() == 0


def test_a_batch_depends_only_on_its_number(samples):
    draws = Draws([(1.0, samples)], seed=1)
    first = draws.batch(7, 3, 16)
    draws.batch(8, 3, 16)
    again = draws.batch(7, 3, 16)
    np.testing.assert_array_equal(first.x, again.x)
    assert first.x.shape == (3, 1, 15, 16, 16)
    assert set(np.unique(first.weight)) <= {np.float32(0.2), np.float32(1)}


def test_real_pairs_are_found_with_and_without_radar_and_excluded(tmp_path, write_raster, cloudy_dn, radar_db):
    for scene, radar in (("1", True), ("106", False)):
        base = "ROIs1158_spring"
        write_raster(f"{base}_s2/s2_{scene}/{base}_s2_{scene}_p30.tif", cloudy_dn(20, 20))
        write_raster(f"{base}_s2_cloudy/s2_cloudy_{scene}/{base}_s2_cloudy_{scene}_p30.tif", cloudy_dn(20, 20, seed=1))
        if radar:
            write_raster(f"{base}_s1/s1_{scene}/{base}_s1_{scene}_p30.tif", radar_db(20, 20))
    found = real_samples(tmp_path)
    assert [(sample.name, sample.s1 is not None) for sample in found] == [
        ("sen12ms-cr 1158_spring_1_p30", True),
        ("sen12ms-cr 1158_spring_106_p30", False),
    ]
    # scene 1 is not scene 106
    assert [sample.name[-5:] for sample in real_samples(tmp_path, ["1158_spring_1_p30"])] == ["6_p30"]
    with pytest.raises(InputError, match="no cloudy and clear pairs"):
        real_samples(tmp_path, [sample.name.removeprefix("sen12ms-cr ") for sample in found])


def test_clear_ground_gets_different_clouds_each_time(tmp_path):
    paths = write_scene(tmp_path, simulate_scene(48, 3, cover=0.5))
    clouded = clouded_samples(paths["s2_clear"], paths["s1"], per_place=3, size=24, seed=1)
    assert len(clouded) == 4 * 3
    np.testing.assert_array_equal(clouded[0].clear, clouded[1].clear)
    assert any((sample.cloudy != sample.clear).any() for sample in clouded)
    assert not np.array_equal(clouded[0].cloudy, clouded[1].cloudy)


def test_clear_ground_of_level_2a_is_converted_and_says_which_bands_are_true(tmp_path, write_raster, cloudy_dn):
    bands = tuple(band for band in S2_BANDS if band != "B10")
    dn = cloudy_dn(32, 32)
    level_2a = write_raster("l2a.tif", np.delete(dn, 10, axis=0), bands=bands)
    reference = [Sample("reference", None, dn, dn)]
    samples = clouded_samples(level_2a, None, 2, 32, 1, FromL2A(reference, 1))
    assert len(samples) == 2
    true = dict(zip(S2_BANDS, samples[0].bands, strict=True))
    assert [band for band in S2_BANDS if not true[band]] == ["B01", "B09", "B10"]
    # air is bright in the blue, and takes a little of the near infrared
    brighter = samples[0].clear.mean(axis=(1, 2)) / dn.mean(axis=(1, 2))
    assert brighter[1] > 1.3
    assert 0.8 < brighter[7] < 1.05
    with pytest.raises(InputError, match="no B10"):
        clouded_samples(level_2a, None, 2, 32, 1)


def test_masks_are_kept_by_the_content_of_the_image(samples, tmp_path, monkeypatch):
    first = with_masks(samples[:2], workers=1, opaque=True, cache=tmp_path)
    monkeypatch.setattr("sunbreak.training.removal.samples.hidden_and_opaque", lambda cloudy: 1 / 0)
    again = with_masks(samples[:2], workers=1, opaque=True, cache=tmp_path)
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.hidden, other.hidden)
        np.testing.assert_array_equal(one.opaque, other.opaque)
    with pytest.raises(ZeroDivisionError):
        with_masks(samples[2:3], workers=1, opaque=True, cache=tmp_path)


def test_validation_triplets_are_read_by_their_names(tmp_path, write_raster, cloudy_dn, radar_db):
    for suffix, values in (("s1", radar_db(9, 9)), ("s2", cloudy_dn(9, 9)), ("s2_cloudy", cloudy_dn(9, 9, seed=2))):
        write_raster(f"17_{suffix}.tif", values)
    (sample,) = validation.triplets(tmp_path)
    assert sample.name == "17"
    assert sample.s1.shape == (2, 9, 9)
    with pytest.raises(InputError, match="_s2"):
        validation.triplets(tmp_path / "nowhere")
