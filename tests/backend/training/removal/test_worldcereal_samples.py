"""Training samples from WorldCereal: pairs of dates, estimated bands without weight, small images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rasterio.crs import CRS

from sunbreak.datasets.simulation.spectra import PATH
from sunbreak.errors import InputError, SunbreakError
from sunbreak.events import Cancellation, Reporter, Silent
from sunbreak.models.card import ModelCard
from sunbreak.scene import S2_BANDS
from sunbreak.training.removal.data_folders import gather_cereal
from sunbreak.training.removal.l2a_to_l1c import CLEAR_B10, Completion, top_of_atmosphere
from sunbreak.training.removal.loop import TrainingSamples, train
from sunbreak.training.removal.losses import absolute_error, detail_error, gaussian_nll, weighted_mean
from sunbreak.training.removal.network_batches import Batch, Draws
from sunbreak.training.removal.pipeline import TrainingData, TrainingOrder, command, train_removal
from sunbreak.training.removal.priors import world_prior
from sunbreak.training.removal.recipe import RemovalTraining
from sunbreak.training.removal.samples import Sample, simulated_samples, with_masks
from sunbreak.training.removal.worldcereal_samples import worldcereal_samples

h5py = pytest.importorskip("h5py")

SIDE = 32
FINE = {"B02": 500, "B03": 700, "B04": 600, "B08": 3000}
COARSE = {"B05": 1100, "B06": 2400, "B07": 2800, "B8A": 3100, "B11": 2000, "B12": 1300}
TEN = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
DAYS = (0, 5, 8, 40, 60)  # clear, cloudy on the left, clear, cloudy and far from anything clear, clear
S1_DAYS = (1, 6, 39)
ESTIMATED = [S2_BANDS.index(band) for band in ("B01", "B09", "B10")]
TRUE = np.array([band in TEN for band in S2_BANDS])


class MadeSite:
    """A site with editable dates: the fine bands have 10 m pixels, the others 20 m pixels."""

    def __init__(self, covered: tuple[int, ...] = (1, 3)) -> None:
        rng = np.random.default_rng(5)
        ground = rng.uniform(0.8, 1.2, (SIDE // 2, SIDE // 2))
        dates, half = len(DAYS), SIDE // 2
        fine = ground.repeat(2, axis=0).repeat(2, axis=1)
        self.fine = {band: np.tile(value * fine, (dates, 1, 1)) for band, value in FINE.items()}
        self.coarse = {band: np.tile(value * ground, (dates, 1, 1)) for band, value in COARSE.items()}
        self.scl = np.full((dates, half, half), 4, np.uint8)
        for date in covered:
            self.change(date, slice(0, half // 2), 0.1, 5000)
            self.scl[date, :, : half // 2] = 9

    def change(self, date: int, columns: slice, factor: float = 1, offset: float = 0, bands=TEN) -> None:
        """Change the values of a date in some columns of 20 m."""
        for band in bands:
            source, step = (self.fine, 2) if band in self.fine else (self.coarse, 1)
            wide = slice(columns.start * step, columns.stop * step)
            source[band][date, :, wide] = source[band][date, :, wide] * factor + offset

    def write(self, folder: Path) -> Path:
        tail = "ABC_32631_2018-03-01_2018-06-01.nc"
        radar = {
            name: np.tile((np.array([first, first - 1, first - 2]) * 1e4)[:, None, None], (SIDE // 2, SIDE // 2))
            for name, first in (("VV", -10), ("VH", -17))
        }
        _write(folder / f"S2_L2A_10m_{tail}", 10, DAYS, {k: v.astype(np.uint16) for k, v in self.fine.items()})
        coarse = {k: v.astype(np.uint16) for k, v in self.coarse.items()} | {"SCL": self.scl}
        _write(folder / f"S2_L2A_20m_{tail}", 20, DAYS, coarse)
        _write(folder / f"S1_GRD-ASCENDING_20m_{tail}", 20, S1_DAYS, {k: v.astype(np.int32) for k, v in radar.items()})
        return folder


def _write(path: Path, step: float, days, variables: dict[str, np.ndarray]) -> None:
    count = round(SIDE * 10 / step)
    with h5py.File(path, "w") as file:
        file["x"] = 500000 + step * (np.arange(count) + 0.5)
        file["y"] = 5600000 - step * (np.arange(count) + 0.5)
        file["timestamp"] = np.array(days, np.int64) * 86400
        file["timestamp"].attrs["units"] = "seconds since 2018-03-01 10:50:00"
        file["spatial_ref"] = 0
        file["spatial_ref"].attrs["crs_wkt"] = CRS.from_epsg(32631).to_wkt()
        for name, values in variables.items():
            assert values.shape == (len(days), count, count)
            file[name] = values
            file[name].attrs["_FillValue"] = values.dtype.type(0)
            if name in ("VV", "VH"):
                file[name].attrs["scale_factor"] = 1e-4


@pytest.fixture(scope="module")
def reference(tmp_path_factory) -> list[Sample]:
    return with_masks(simulated_samples(6, 48, 1, tmp_path_factory.mktemp("cache"), workers=1), workers=1)


def world_of(samples):
    return world_prior(sample.clear / np.float32(10000) for sample in samples).numbers()


@pytest.fixture
def found(tmp_path, reference):
    def find(site: MadeSite, per_date: int = 0):
        return worldcereal_samples(site.write(tmp_path), 1, reference, per_date=per_date, masked=False)

    return find


def test_a_cloudy_date_gets_the_nearest_clear_date_and_radar(found):
    (pair,) = found(MadeSite()).pairs  # the date of day 40 has no clear one within ten days
    assert pair.name == "worldcereal ABC 2018-03-06 to 2018-03-09"
    np.testing.assert_allclose(pair.s1[0], -11, atol=1e-4)
    np.testing.assert_allclose(pair.s1[1], -18, atol=1e-4)
    assert pair.clear.shape == pair.cloudy.shape == (13, SIDE, SIDE)
    np.testing.assert_array_equal(pair.bands, TRUE)
    right = np.s_[:, :, SIDE // 2 + 4 :]
    np.testing.assert_array_equal(pair.cloudy[TRUE][right], pair.clear[TRUE][right])


def test_the_mask_is_the_cloud_dilated_as_in_cleaning(found):
    (pair,) = found(MadeSite()).pairs
    edge = SIDE // 2  # the difference is smoothed over 5 px, the mask then dilated by 4
    assert pair.hidden[:, : edge + 4].all()
    assert not pair.hidden[:, edge + 8 :].any()
    assert pair.known.all()


def test_a_shadow_missed_by_the_scene_classification_is_masked(found):
    site = MadeSite()
    site.change(1, slice(12, 16), 0.4)
    (pair,) = found(site).pairs
    assert pair.hidden[:, 25:].all()


def test_a_harvest_is_not_masked_as_a_shadow(found):
    site = MadeSite()
    site.change(1, slice(12, 16), 0.6, bands=("B06", "B07", "B08", "B8A"))
    (pair,) = found(site).pairs
    assert not pair.hidden[:, 24:].any()


def test_classified_clouds_that_look_like_the_ground_are_dropped(found):
    site = MadeSite(covered=(3,))
    site.scl[1, :, :8] = 9
    samples = found(site)
    assert samples.pairs == []
    assert samples.dropped == {"the classified clouds look like the ground": 1}


def test_dried_ground_is_not_masked_as_a_cloud(found):
    site = MadeSite(covered=(3,))
    site.change(1, slice(0, 8), 1, 350, bands=("B02", "B03", "B04"))
    site.scl[1, :2, :8] = 9  # more than a clear date may have
    samples = found(site)
    assert samples.pairs == []
    assert samples.dropped == {"the ground itself may have changed": 1}


def test_pixels_missing_on_either_date_have_no_truth(found):
    site = MadeSite()
    site.fine["B03"][1, 3, 30] = 0
    site.fine["B08"][1, 7, 2] = 0
    (pair,) = found(site).pairs
    assert not pair.known[3, 30] and not pair.known[7, 2] and pair.known.sum() == SIDE * SIDE - 2
    assert pair.hidden[3, 30]


def test_each_clear_date_gets_simulated_clouds_and_keeps_its_truth(found):
    samples = found(MadeSite(), per_date=3).clouded
    assert len(samples) == 3 * 3
    assert {sample.name[:26] for sample in samples} == {
        f"worldcereal ABC {day}" for day in ("2018-03-01", "2018-03-09", "2018-04-30")
    }
    assert any((sample.cloudy != sample.clear).any() for sample in samples)
    assert not np.array_equal(samples[0].cloudy, samples[1].cloudy)
    assert [sample.s1 is None for sample in samples] == [False] * 6 + [True] * 3  # no radar within 12 days of April 30
    assert all((sample.bands == TRUE).all() for sample in samples)


def test_transplanted_clouds_leave_the_measured_bands_of_a_clear_date(tmp_path, reference):
    samples = worldcereal_samples(MadeSite().write(tmp_path), 1, reference, per_date=2)
    assert samples.transplanted and len(samples.transplanted) <= 3 * 2
    for sample in samples.transplanted:
        np.testing.assert_array_equal(sample.bands, TRUE)
        assert sample.hidden is not None and sample.known is not None
        assert (sample.cloudy != sample.clear).any()
    assert [share for share, _ in samples.groups(0.3)] == pytest.approx([0.1] * 3)
    assert str(samples).startswith("1 real pairs, 6 clear dates under simulated clouds and ")


def test_black_ground_at_the_top_of_atmosphere_is_path_radiance():
    black = top_of_atmosphere(np.zeros((10, 1, 1), np.float32), TEN)[:, 0, 0]
    np.testing.assert_allclose(black, PATH[TRUE])
    crop = np.array([0.05, 0.07, 0.06, 0.11, 0.24, 0.28, 0.3, 0.31, 0.2, 0.13], np.float32)[:, None, None]
    gained = (top_of_atmosphere(crop, TEN) - crop)[:, 0, 0]
    assert gained.argmax() == 0 and 0.05 < gained[0] < 0.08
    assert -0.04 < gained[6] < 0
    assert (np.diff(top_of_atmosphere(np.linspace(0, 1, 9, dtype=np.float32)[None, None].repeat(10, 0), TEN)) > 0).all()


def test_missing_bands_follow_the_fit_to_complete_images():
    rng = np.random.default_rng(0)
    dn = rng.integers(500, 4500, (13, 40, 40)).astype(np.uint16)
    dn[S2_BANDS.index("B01")] = 2 * dn[S2_BANDS.index("B02")] + 300
    dn[S2_BANDS.index("B09")] = dn[S2_BANDS.index("B8A")] // 2
    complete = Completion.fit([Sample("whole", None, dn, dn)], TEN, 1)
    image = rng.uniform(0.05, 0.4, (10, 4, 4)).astype(np.float32)
    full = complete(image)
    np.testing.assert_allclose(full[0], 2 * image[0] + 0.03, atol=1e-3)
    np.testing.assert_allclose(full[9], image[7] / 2, atol=1e-3)
    np.testing.assert_array_equal(full[TRUE], image)
    np.testing.assert_allclose(full[10], CLEAR_B10)
    assert complete(image, np.ones((4, 4), np.float32))[10, 0, 0] == pytest.approx(0.006)
    np.testing.assert_array_equal(complete.true, TRUE)


def test_a_band_without_truth_does_not_affect_the_loss():
    torch.manual_seed(0)
    mean, target, variance = (torch.rand(2, 13, 6, 6) + 0.1 for _ in range(3))
    pixels = torch.rand(2, 1, 6, 6)
    weight = pixels * torch.from_numpy(TRUE)[:, None, None]
    spoiled = torch.where(weight > 0, target, torch.tensor(1e6))
    mean.requires_grad_()
    for loss in (absolute_error, detail_error, lambda m, t, w: gaussian_nll(m, variance, t, w)):
        whole = loss(mean, spoiled, weight)
        (gradient,) = torch.autograd.grad(whole, mean)
        assert (gradient[:, ESTIMATED] == 0).all() and (gradient[:, TRUE] != 0).any()
    torch.testing.assert_close(
        absolute_error(mean, spoiled, weight), absolute_error(mean[:, TRUE], target[:, TRUE], pixels)
    )
    torch.testing.assert_close(
        detail_error(mean, spoiled, weight), detail_error(mean[:, TRUE], target[:, TRUE], pixels)
    )


def test_weights_per_pixel_give_the_same_loss_bit_for_bit():
    torch.manual_seed(1)
    terms, weight = torch.rand(3, 13, 9, 9), torch.rand(3, 1, 9, 9)
    before = (terms * weight).sum() / (weight.sum() * terms.shape[1]).clamp(min=1e-12)
    assert torch.equal(weighted_mean(terms, weight), before)
    torch.testing.assert_close(weighted_mean(terms, weight.expand(3, 13, 9, 9)), before)


@pytest.mark.parametrize("guided", [True, False])
def test_a_mixed_batch_has_weights_per_band(found, reference, guided):
    pair = found(MadeSite()).pairs[0]
    prior = world_of(reference) if guided else ()
    mixed: Batch = Draws([(1.0, reference)], 1, prior=prior, small=[(0.5, [pair])]).batch(0, 16, 24)
    assert mixed.weight.shape == (16, 13, 24, 24)
    partly = (mixed.weight[:, ESTIMATED] == 0).all(axis=(1, 2, 3))
    assert 2 <= partly.sum() <= 14
    assert (mixed.weight[~partly][:, :1] == mixed.weight[~partly]).all() and (mixed.weight[partly][:, TRUE] > 0).all()
    plain = Draws([(1.0, reference)], 1, prior=prior).batch(0, 16, 24)
    assert plain.weight.shape == (16, 1, 24, 24)


def test_patches_too_large_for_small_samples_come_from_large_ones(found, reference):
    pair = found(MadeSite()).pairs[0]
    alone, beside = (Draws([(1.0, reference)], 1, small=small).batch(3, 8, 48) for small in ([], [(0.9, [pair])]))
    np.testing.assert_array_equal(alone.x, beside.x)
    np.testing.assert_array_equal(alone.weight, beside.weight)


def test_small_samples_are_drawn_with_their_probability(found, reference):
    pair = found(MadeSite()).pairs[0]
    draws = Draws([(0.3, reference[:3]), (0.5, reference[3:])], 1, small=[(0.25, [pair])])
    batch = draws.batch(0, 400, 8)
    assert 0.19 < (batch.weight[:, 0] == 0).all(axis=(1, 2)).mean() < 0.31


def test_a_training_with_small_samples_uses_whole_tiles_and_resumes(found, reference, tmp_path):
    samples = found(MadeSite(), per_date=1)
    recipe = RemovalTraining(
        steps=4, batch=6, patch=24, width=16, depth=1, tile=48, seed=2, tile_steps=0.25, detail=0.1,
        prior=world_of(reference), worldcereal_share=0.5,
    )  # fmt: skip
    groups = [(0.5, [replace(pair, name="again") for pair in samples.pairs])]

    def go(folder: str, reporter: Reporter) -> torch.Tensor:
        module = train(recipe, TrainingSamples(reference, small=groups), tmp_path / folder, reporter)
        return torch.cat([parameter.detach().ravel() for parameter in module.parameters()])

    class StopAtTwo(Reporter):
        def progress(self, done, total, unit="steps"):
            if done == 2:
                self.cancellation.request()

    whole = go("whole", Silent())
    with pytest.raises(SunbreakError):
        go("parts", StopAtTwo(Cancellation()))
    torch.testing.assert_close(go("parts", Silent()), whole, atol=0, rtol=0)


def test_patches_larger_than_the_images_are_refused(tmp_path, reference):
    folder = MadeSite().write(tmp_path)
    with pytest.raises(InputError, match="32 pixels wide, so patches of 40 do not fit") as caught:
        gather_cereal(folder, RemovalTraining(patch=40), reference, Silent())
    assert "--patch 32" in caught.value.hint
    with pytest.raises(InputError, match="no samples with thirteen bands"):
        worldcereal_samples(folder, 1, [])


def test_the_command_in_the_card_has_the_worldcereal_fraction(tmp_path):
    recipe = RemovalTraining(worldcereal_share=0.15)
    order = TrainingOrder(recipe, TrainingData(worldcereal=tmp_path), "mine", tmp_path, tmp_path)
    assert "--worldcereal WORLDCEREAL --worldcereal-share 0.15" in command(order, recipe)
    other = TrainingOrder(RemovalTraining(), TrainingData(), "mine", tmp_path, tmp_path)
    assert "worldcereal" not in command(other, other.recipe)


def test_the_card_describes_the_worldcereal_samples(tmp_path, reference):
    recipe = RemovalTraining(
        steps=2, batch=4, patch=16, width=16, depth=1, tile=32, validate_every=1, worldcereal_share=0.5
    )
    data = TrainingData(scenes=2, held_out=2, transplants=0, worldcereal=MadeSite().write(tmp_path))
    order = TrainingOrder(recipe, data, "m", tmp_path / "models", tmp_path / "work")
    files = train_removal(order, Silent())
    training = ModelCard.read(files.path).training
    assert training["worldcereal"].startswith("1 real pairs, 12 clear dates under simulated clouds and ")
    assert training["recipe"]["worldcereal_share"] == 0.5
    assert "B01, B09 and B10 only fill the input" in training["worldcereal_bands"]


def test_the_real_sites_give_clear_truth_that_looks_like_l1c(shared, reference):
    samples = worldcereal_samples(shared / "data/worldcereal", 1, reference, per_date=0, masked=False)
    names = [sample.name.split(" ", 1)[1] for sample in samples.pairs]
    assert len(names) == 18
    assert "0000280849BAC91C 2019-04-26 to 2019-04-21" in names  # cumulus and its shadows
    assert "00002806639B424A 2018-11-02 to 2018-10-28" in names  # one large shadow
    assert not any("2019-11-17" in name for name in names)  # 74 % cloud by the classification, none to be seen
    assert not any("2018-10-18" in name for name in names)  # fields that dried within five days
    spectrum = np.mean([sample.clear.mean(axis=(1, 2)) for sample in samples.pairs], axis=0) / 10000
    # the croplands of SEN12MS-CR have .110, .097 and .084 in B02, B03 and B04; as L2A these have .047, .074 and .066
    np.testing.assert_allclose(spectrum[1:4], [0.109, 0.101, 0.079], atol=0.001)
    assert all(sample.s1 is not None and np.isfinite(sample.s1).all() for sample in samples.pairs)


@pytest.mark.parametrize("name", ["38D_378R_2_3", "282D_485L_3_3"])
def test_converted_l2a_is_closer_to_the_l1c_of_the_same_scene(shared, name):
    """Scenes with both levels; no parameter was fitted to them."""
    import rasterio

    images = {}
    for level in ("S2L1C", "S2L2A"):
        with rasterio.open(shared / f"data/terramesh/{level}/{name}.tif") as source:
            stored = source.read().astype(np.float32)
        if level == "S2L2A":
            stored = np.insert(stored, S2_BANDS.index("B10"), 0, axis=0)
        elif name.startswith("282D"):
            stored = stored - 1000  # this L1C carries the offset of its baseline
        images[level] = stored[TRUE] / np.float32(10000)
    l1c, l2a = images["S2L1C"], images["S2L2A"]
    before = np.abs(l2a - l1c).mean(axis=(1, 2))
    after = np.abs(top_of_atmosphere(l2a, TEN) - l1c).mean(axis=(1, 2))
    assert after[0] < 0.25 * before[0]  # B02
    assert after.max() < 0.016
    assert after.mean() < 0.5 * before.mean()
