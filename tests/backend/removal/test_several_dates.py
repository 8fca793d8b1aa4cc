"""Multi-temporal UnCRtainTS on a scene and other dates of its place."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from rasterio.transform import from_origin

from sunbreak.clouds.margins import Margins
from sunbreak.engine import TilePlace
from sunbreak.engine.runtime import make_runtime
from sunbreak.errors import InputError, ModelError
from sunbreak.events import Reporter, Silent
from sunbreak.jobs.single import CleanOptions, clean
from sunbreak.models.architectures import load_model
from sunbreak.models.importing import import_uncrtaints, save_uncrtaints
from sunbreak.models.registry import ModelFiles
from sunbreak.models.uncrtaints import UnCRtainTS, UnCRtainTSConfig
from sunbreak.removal.several_dates import EPOCH, SeveralDatesRemoval, choose_dates, model_day
from sunbreak.scene import S2_BANDS, Scene, SceneSeries
from sunbreak.scene.series_opening import open_series

SIDE = 64
EVERYWHERE = CleanOptions(replace_all=True, runtime="torch", device="cpu")
DETECTED = CleanOptions(detector="s2cloudless", runtime="torch", device="cpu")


class Told(Reporter):
    def __init__(self):
        super().__init__()
        self.said = []

    def message(self, text, level="info"):
        self.said.append(text)


def read(path: Path) -> np.ndarray:
    with rasterio.open(path) as source:
        return source.read()


def scaled(dn: np.ndarray, db: np.ndarray) -> np.ndarray:
    """The input of one date, (15, row, column)."""
    optical = np.clip(dn.astype(np.float32), 0, 10000) / 10000
    return np.concatenate([(np.clip(db, -25, 0) + 25) / 25, optical]).astype(np.float32)


def predicted(model: ModelFiles, frames: list[np.ndarray], days: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sigma of the network called directly."""
    with torch.inference_mode():
        mean, variance = load_model(model)(torch.from_numpy(np.stack(frames))[None], torch.tensor([days]))
    assert variance is not None
    return mean[0].numpy(), variance[0].sqrt().numpy()


@pytest.fixture(scope="session")
def temporal_model(tmp_path_factory) -> ModelFiles:
    """A tiny multi-temporal UnCRtainTS of three dates with random weights."""
    torch.manual_seed(11)
    module = UnCRtainTS(UnCRtainTSConfig(width=16, depth=1, multi_temporal=True, model_width=64))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return save_uncrtaints(
        module.eval(), "temporal", tmp_path_factory.mktemp("temporal"), title="A tiny network for tests",
        description="Random weights.", licence="GPL-2.0-or-later", tile=SIDE, overlap=16, dates=3,
    )  # fmt: skip


@pytest.fixture
def place(write_raster, cloudy_dn, radar_db):
    """Write a date of the place with a cloud: its Sentinel-2, and Sentinel-1 of the day before if it is wanted."""

    def make(day: str, *, radar: bool = False, side: int = SIDE, dn: np.ndarray | None = None, **more):
        seed = int(day.replace("-", ""))
        cloud = (slice(10, 30), slice(seed % 20, seed % 20 + 25))
        values = cloudy_dn(side, side, cloud, seed) if dn is None else dn
        s2 = write_raster(f"place_{day}.tif", values, bands=S2_BANDS, **more)
        if not radar:
            return s2
        before = date.fromisoformat(day) - timedelta(days=1)
        return s2, write_raster(f"radar_{before}.tif", radar_db(side, side, seed), bands=("VV", "VH"))

    return make


@pytest.fixture
def target(place) -> Scene:
    return Scene.open(*place("2020-06-10", radar=True))


@pytest.fixture
def series(place, target) -> SceneSeries:
    """June with a date before it, which has radar of its own, and a date after it."""
    before, radar = place("2020-05-01", radar=True)
    return open_series(target, [place("2020-07-04"), before], [radar])


def test_the_result_is_that_of_the_network_on_all_dates_in_order_of_time(series, temporal_model, tmp_path):
    layers = clean(series, tmp_path / "out", temporal_model, EVERYWHERE, Silent()).layers
    own, borrowed = read(tmp_path / "radar_2020-04-30.tif"), read(tmp_path / "radar_2020-06-09.tif")
    frames = [
        scaled(read(tmp_path / f"place_{day}.tif"), db)
        for day, db in (("2020-05-01", own), ("2020-06-10", borrowed), ("2020-07-04", borrowed))
    ]
    day = (date(2020, 5, 1) - date(2014, 4, 3)).days
    mean, sigma = predicted(temporal_model, frames, [day - 0.5, day + 40 - 0.5, day + 64])
    np.testing.assert_allclose(read(layers["cleaned"]), mean * 10000, atol=0.55)  # rounding
    np.testing.assert_allclose(read(layers["uncertainty"]) * 1e-4, sigma, atol=6e-5)


def test_clear_pixels_are_kept_bit_for_bit_and_the_layers_are_those_of_a_model_of_one_date(
    series, target, temporal_model, small_model, tmp_path
):
    layers = clean(series, tmp_path / "out", temporal_model, DETECTED, Silent()).layers
    before, after, mask = read(target.inputs[0]), read(layers["cleaned"]), read(layers["cloud_mask"])[0]
    assert 0 < (mask == 1).mean() < 0.6
    np.testing.assert_array_equal(after[:, mask == 0], before[:, mask == 0])
    share = read(layers["reconstructed"])[0]
    assert (after[:, share == 10000] != before[:, share == 10000]).mean() > 0.9
    assert set(layers) == set(clean(target, tmp_path / "one", small_model, DETECTED, Silent()).layers)


def test_the_result_depends_on_the_other_dates_that_are_nearest_and_on_no_others(
    series, place, target, temporal_model, tmp_path
):
    def result(name: str, given: SceneSeries) -> np.ndarray:
        return read(clean(given, tmp_path / name, temporal_model, DETECTED, Silent()).layers["cleaned"])

    first = result("a", series)
    farther = Scene.open(place("2020-01-01"))
    np.testing.assert_array_equal(result("b", replace(series, others=(farther, *series.others))), first)
    nearer = Scene.open(place("2020-06-20"))
    with_nearer = result("c", replace(series, others=(*series.others, nearer)))
    touched = (with_nearer != first).any(axis=0)
    share = read(tmp_path / "a" / f"{target.stem}_reconstructed.tif")[0]
    assert touched[share == 10000].mean() > 0.9 and not touched[share == 0].any()


def test_which_dates_go_in_is_said_and_recorded(series, place, temporal_model, tmp_path):
    told = Told()
    given = replace(series, others=(*series.others, Scene.open(place("2020-06-20"))))
    layers = clean(given, tmp_path / "out", temporal_model, DETECTED, told).layers
    # 24 days after is nearer than 40 days before
    text = "The model temporal takes 3 dates: the scene and 2020-06-20, 2020-07-04, the nearest of 3."
    assert text in told.said
    assert "Without Sentinel-1 of their own, these dates get that of the scene: 2020-06-20, 2020-07-04." in told.said
    with rasterio.open(layers["cleaned"]) as file:
        tags = file.tags()
    assert "2020-07-04" in tags["SUNBREAK_REFERENCES"] and "2020-05-01" not in tags["SUNBREAK_REFERENCES"]
    day = (date(2020, 6, 10) - EPOCH).days
    assert json.loads(tags["SUNBREAK_PARAMETERS"])["days"] == [day - 0.5, day + 10, day + 24]


@pytest.mark.parametrize(("count", "said"), [(0, "none"), (1, "1")])
def test_too_few_other_dates_are_refused_in_one_line(series, temporal_model, tmp_path, count, said):
    given = replace(series, others=series.others[:count])
    with pytest.raises(ModelError, match=f"takes 3 dates at once: the scene and 2 other dates. It can use {said}") as e:
        clean(given, tmp_path / "out", temporal_model, DETECTED, Silent())
    assert e.value.code == "wrong-dates" and "--reference" in e.value.hint
    assert not (tmp_path / "out").exists()


def test_a_date_without_the_bands_or_a_known_day_is_not_given_to_the_model(
    series, write_raster, cloudy_dn, temporal_model
):
    undated = Scene.open(write_raster("someday.tif", cloudy_dn(SIDE, SIDE), bands=S2_BANDS))
    four = Scene.open(
        write_raster("four_2020-06-11.tif", cloudy_dn(SIDE, SIDE)[1:5], bands=S2_BANDS[1:5]), s2_bands=S2_BANDS[1:5]
    )
    chosen = choose_dates(replace(series, others=(undated, four, *series.others)), temporal_model.card)
    assert [other.stem for other in chosen.series.others] == ["place_2020-05-01", "place_2020-07-04"]
    assert chosen.notes[0] == "someday.tif is not given to the model temporal: its date is not known."
    assert chosen.notes[1].startswith("four_2020-06-11.tif is not given to the model temporal: it lacks B01, B06,")
    with pytest.raises(InputError, match="its date is not known, and the model temporal needs it") as caught:
        choose_dates(replace(series, target=replace(series.target, acquired=None)), temporal_model.card)
    assert caught.value.code == "no-date"


def test_a_date_on_another_grid_goes_in_resampled(place, target, temporal_model, tmp_path):
    ground = np.array([1200, 900, 850, 600, 900, 1900, 2300, 2200, 2500, 700, 12, 1500, 800], np.uint16)
    flat = np.broadcast_to(ground[:, None, None], (13, 60, 60)).copy()
    coarse = place("2020-06-20", dn=flat, transform=from_origin(499_905, 5_300_095, 20, 20))
    fine = place("2020-06-25")
    layers = clean(
        open_series(target, [coarse, fine]), tmp_path / "out", temporal_model, EVERYWHERE, Silent()
    ).layers  # fmt: skip
    db = read(tmp_path / "radar_2020-06-09.tif")
    dns = [read(tmp_path / "place_2020-06-10.tif"), flat[:, :1, :1].repeat(SIDE, 1).repeat(SIDE, 2), read(fine)]
    day = (date(2020, 6, 10) - EPOCH).days
    mean, _ = predicted(temporal_model, [scaled(dn, db) for dn in dns], [day - 0.5, day + 10, day + 15])
    np.testing.assert_allclose(read(layers["cleaned"]), mean * 10000, atol=0.6)


def test_a_tile_without_data_of_a_date_is_padding(place, target, cloudy_dn, temporal_model):
    half = cloudy_dn(SIDE, SIDE, None, 5)
    half[:, :, 20:] = 0
    given = open_series(target, [place("2020-06-20", dn=half), place("2020-06-25")])
    task = SeveralDatesRemoval(given, temporal_model.card, None, 0, Margins(), which=(1,), replace_all=True)
    with given.reader() as reader:
        planes = task.read(reader, 0, SIDE)
    places = [TilePlace(slice(0, SIDE), slice(first, first + 30)) for first in (0, 30)]
    (left, right), days = (task.encode(planes, places)[name] for name in ("x", "days"))
    assert left.shape == (45, SIDE, SIDE) and days.shape == (2, 3)
    dates = right.reshape(3, 15, SIDE, SIDE)
    assert [bool((frame == 0).all()) for frame in dates] == [False, True, False]
    partly = left.reshape(3, 15, SIDE, SIDE)[1]
    assert (partly[2:, :, :20] > 0).any() and (partly[2:, :, 20:30] == 0).all() and (partly[:2, :, 20:30] > 0).any()


def test_both_runtimes_give_the_same(temporal_model):
    pytest.importorskip("openvino")
    generator = np.random.default_rng(2)
    x = generator.random((1, 45, SIDE, SIDE), np.float32)
    inputs = {"x": x, "days": np.array([[2200, 2210.5, 2290]], np.float32)}
    found = []
    for name in ("torch", "openvino"):
        runtime = make_runtime(temporal_model, "cpu", name)
        runtime.submit(inputs)
        found.append(runtime.collect()[0].copy())
    np.testing.assert_allclose(found[0], found[1], atol=2e-5)
    runtime.submit({**inputs, "days": inputs["days"] + 40})
    assert np.abs(runtime.collect()[0] - found[1]).max() > 1e-5


def test_an_imported_official_network_cleans_a_series_as_the_official_code_does(shared, write_raster, tmp_path):
    folder = shared / "reference" / "uncrtaints" / "multi3_nll"
    if not folder.is_dir():
        pytest.skip("the reference outputs are not here")
    files = import_uncrtaints(folder / "model.pth.tar", "official", folder=tmp_path / "models")
    assert files.card.dates == 3
    card = replace(files.card, tile=64, overlap=16)
    files = ModelFiles(card, card.write(tmp_path / "models"), bundled=False)
    with np.load(folder / "io_64.npz") as known:
        kept = {name: known[name] for name in ("s1_db", "s2_dn", "s1_days", "s2_days", "mean", "var")}
    optical, radar = [], []
    for number in range(3):
        s2_day, s1_day = (EPOCH + timedelta(days=int(kept[name][0, number])) for name in ("s2_days", "s1_days"))
        optical.append(write_raster(f"s2_{s2_day}.tif", kept["s2_dn"][number], bands=S2_BANDS))
        radar.append(write_raster(f"s1_{s1_day}.tif", kept["s1_db"][number], bands=("VV", "VH")))
    target = Scene.open(optical[1], radar[1], s2_offset=0, s2_unit="dn", s2_nodata="none")
    given = open_series(
        target, [optical[2], optical[0]], [radar[0], radar[2]], s2_offset=0, s2_unit="dn", s2_nodata="none"
    )
    layers = clean(given, tmp_path / "out", files, EVERYWHERE, Silent()).layers
    np.testing.assert_allclose(read(layers["cleaned"]) * 1e-4, kept["mean"][0, 0], atol=5.2e-5)
    np.testing.assert_allclose(read(layers["uncertainty"]) * 1e-4, np.sqrt(kept["var"][0, 0]), atol=5.2e-5)


def test_an_import_reads_the_number_of_dates_from_the_configuration(temporal_model, tmp_path):
    weights = shutil.copy(temporal_model.weights, tmp_path / "weights.safetensors")
    conf = {
        "input_t": 5, "encoder_widths": [16], "decoder_widths": [16], "out_conv": [26], "n_head": 16, "d_model": 64,
        "d_k": 4, "encoder_norm": "group", "decoder_norm": "batch", "scale_by": 10.0, "covmode": "diag",
    }  # fmt: skip
    (tmp_path / "conf.json").write_text(json.dumps(conf), encoding="utf-8")
    assert import_uncrtaints(Path(weights), "five", folder=tmp_path / "models").card.dates == 5


def test_a_day_of_the_network_is_the_mean_of_radar_and_optical_days():
    assert model_day(date(2014, 4, 3)) == 0
    assert model_day(date(2014, 4, 13), date(2014, 4, 10)) == 8.5
