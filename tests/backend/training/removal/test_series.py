"""Several dates: sequences in the layout of SEN12MS-CR-TS, choice of dates, and training."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
import torch

from sunbreak.datasets.simulation.clouds import Sun, cover_with, draw_clouds
from sunbreak.datasets.simulation.scene import simulate_scene
from sunbreak.errors import InputError, ModelError
from sunbreak.events import Silent
from sunbreak.models.architectures import load_model
from sunbreak.models.registry import find_model
from sunbreak.removal.fit import check_fit
from sunbreak.scene import Scene
from sunbreak.training.removal.data_folders import gather_series
from sunbreak.training.removal.loop import TrainingSamples, train
from sunbreak.training.removal.recipe import RemovalTraining
from sunbreak.training.removal.series import (
    Series,
    SeriesDraws,
    Shot,
    StoredSeries,
    find_places,
    fixed_dates,
    plain_example,
    random_dates,
)  # fmt: skip
from sunbreak.training.removal.series_finishing import finish_series

FIRST = date(2018, 1, 3)
RECIPE = RemovalTraining(
    steps=30, batch=2, patch=16, width=16, depth=1, tile=32, seed=3, dates=3, real_share=1.0, clouded_share=0.0,
    tile_steps=0.1, validate_every=10, learning_rate=3e-3,
)  # fmt: skip


@pytest.fixture
def write_series(tmp_path, write_raster):
    """Write a simulated time series of one place: the ground is the same, the clouds differ, the second date is clear."""

    def write(seed, scene, patch, *, count=6, radar=True, flat=False, side=32):
        place = simulate_scene(side, 1000 * scene + patch, season="summer")
        clear = place.clear.astype(np.float32) / 10000
        rng = np.random.default_rng([seed, scene, patch])
        for number in range(count):
            day = FIRST + timedelta(days=10 * number)
            cover = 0.0 if number == 1 else float(rng.uniform(0.4, 0.8))
            cloudy = clear if number == 1 else cover_with(clear, draw_clouds(rng, (side, side), cover), Sun(40, 150))[0]
            images = {"s2": np.clip(np.rint(cloudy * 10000), 0, 65535).astype(np.uint16)}
            if radar:
                images["s1"] = place.s1 + rng.normal(0, 0.3, place.s1.shape).astype(np.float32)
            for kind, values in images.items():
                own = day - timedelta(days=2) if kind == "s1" else day
                folder = "ts" if flat else f"ts/ROIs{seed}/{scene}/{kind.upper()}/{number}"
                write_raster(f"{folder}/{kind}_ROIs{seed}_{scene}_ImgNo_{number}_{own}_patch_{patch}.tif", values)
        return tmp_path / "ts"

    return write


def series(covers, hidden=None) -> Series:
    shots = tuple(Shot(None, None, float(number)) for number in range(len(covers)))
    return Series("made up", (4, 4), shots, np.array(covers), hidden)


def test_places_are_read_with_the_mean_day_of_both_sensors(write_series, tmp_path):
    folder = write_series(1868, 36, 66)
    (place,) = find_places(folder, 3).places
    assert place[0] == "1868_summer_36_p66"
    assert [shot.s2.parent.name for shot in place[1]] == list("012345")
    # the radar is two days earlier; days count from 3 April 2014
    assert place[1][0].day == (FIRST - date(2014, 4, 3)).days - 1
    write_series(2017, 8, 1, count=3, flat=True)
    found = find_places(folder, 3)
    assert len(found.places) == 1
    assert found.remarks == ("Left out with 3 dates or fewer: 1 places, such as 2017_winter_8_p1.",)
    write_series(2017, 8, 2, radar=False)
    blind = find_places(folder, 3)
    assert "Dates without radar (s1): in 1 places, such as 2017_winter_8_p2." in blind.remarks
    assert all(shot.s1 is None and shot.day == int(shot.day) for shot in blind.places[-1][1])
    with pytest.raises(InputError, match="more than 6 dates"):
        find_places(folder, 6)


def test_measurements_use_the_least_cloudy_date_as_target():
    place = series([0.9, 0.5, 0.02, 0.0005, 0.7])
    assert fixed_dates(place, 3).target == 3
    assert fixed_dates(place, 3).inputs == (0, 1, 2)
    assert fixed_dates(series([0.0, 0.5, 0.3, 0.3]), 3).inputs == (1, 2, 3)


def test_training_uses_a_clear_date_as_target_and_its_neighbours():
    place = series([0.9, 0.0, 0.8, 0.7, 0.0, 0.6, 0.5])
    rng = np.random.default_rng(1)
    drawn = [random_dates(place, 3, rng) for _ in range(40)]
    assert {dates.target for dates in drawn} == {1, 4}
    assert {dates.inputs for dates in drawn if dates.target == 4} == {(2, 3, 5)}
    for dates in drawn:
        assert dates.target not in dates.inputs
        assert sorted({*dates.inputs, dates.target}) == list(
            range(min(*dates.inputs, dates.target), 1 + max(*dates.inputs, dates.target))
        )
    # no date is clear: the target is the least cloudy date
    assert random_dates(series([0.9, 0.4, 0.8, 0.3]), 3, rng).target == 3


def test_an_example_matches_the_content_of_the_files(write_series, tmp_path):
    folder = write_series(1868, 36, 66)
    stored = StoredSeries(find_places(folder, 3).places, 3, tmp_path / "masks")
    place = stored[0]
    assert place.covers[1] < 1e-3
    assert place.covers[[0, 2, 3, 4, 5]].min() > 0.05
    dates = fixed_dates(place, 3)
    assert dates.target == 1 and dates.inputs == (0, 2, 3)
    example = plain_example(place, dates, 32)
    assert example.x.shape == (3, 15, 32, 32) and example.target.shape == (13, 32, 32)
    with Scene.open(place.shots[2].s2).reader() as reader:
        np.testing.assert_allclose(
            example.x[1, 2:], reader.s2(Scene.open(place.shots[2].s2).grid.window).reflectance().clip(0, 1), atol=1e-6
        )
    assert example.weight.mean() == 1
    np.testing.assert_array_equal(example.days, [place.shots[number].day for number in dates.inputs])
    # a crop of the example equals the crop of the files
    np.testing.assert_array_equal(plain_example(place, dates, 16).target, example.target[:, 8:24, 8:24])


def test_cloudy_pixels_of_the_target_have_no_weight(write_series, tmp_path):
    folder = write_series(1868, 36, 66)
    place = StoredSeries(find_places(folder, 3).places, 3, tmp_path / "masks")[0]
    hidden = place.hidden.copy()
    hidden[1, :10] = True
    example = plain_example(replace(place, hidden=hidden), fixed_dates(place, 3), 32)
    assert example.weight[0, :10].max() == 0 and example.weight[0, 10:].min() == 1


def test_an_unreadable_date_is_named_and_left_out(write_series, tmp_path):
    folder = write_series(1868, 36, 66)
    broken = next((folder / "ROIs1868/36/S2/3").iterdir())
    broken.write_bytes(broken.read_bytes()[:1500])
    said = []
    place = StoredSeries(find_places(folder, 3).places, 3, tmp_path / "masks", said.append)[0]
    assert len(place.shots) == 5 and broken not in [shot.s2 for shot in place.shots]
    assert len(said) == 1 and str(broken) in said[0]
    for number in (0, 2):
        next((folder / f"ROIs1868/36/S2/{number}").iterdir()).write_text("no picture")
    with pytest.raises(InputError, match="only 3 of its 6 dates"):
        StoredSeries(find_places(folder, 3).places, 3, tmp_path / "masks")[0]


def test_a_batch_depends_only_on_its_number(write_series, tmp_path):
    folder = write_series(1868, 36, 66)
    stored = StoredSeries(find_places(folder, 3).places, 3, tmp_path / "masks")
    draws = SeriesDraws([(1.0, stored)], 1, 3)
    first = draws.batch(5, 2, 16)
    draws.batch(6, 2, 16)
    again = SeriesDraws([(1.0, stored)], 1, 3).batch(5, 2, 16, own=[1])
    np.testing.assert_array_equal(first.x[1:], again.x)
    np.testing.assert_array_equal(first.days[1:], again.days)
    assert first.x.shape == (2, 3, 15, 16, 16) and first.days.shape == (2, 3)


def test_a_multi_temporal_network_learns_and_its_card_has_metrics(write_series, tmp_path):
    for scene, patch in ((36, 1), (36, 2), (56, 1), (17, 1), (127, 1), (73, 1)):
        folder = write_series(1868, scene, patch)
    found = gather_series([folder], 3, tmp_path / "work", Silent(), splits="official", least=32)
    assert {name for name, _ in found.learnt.places} == {
        "1868_summer_36_p1", "1868_summer_36_p2", "1868_summer_56_p1",
    }  # fmt: skip
    assert len(found.held_out) == 2
    module = train(RECIPE, TrainingSamples(real=found.learnt, held_out=found.held_out), tmp_path / "state", Silent())
    with (tmp_path / "state/log.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    looks = [float(row["held_out_loss"]) for row in rows if row["held_out_loss"]]
    assert len(looks) == 3 and looks[-1] < looks[0]
    files = finish_series(module, RECIPE, found.held_out, "several", tmp_path / "models", {"command": "test"})
    card = find_model(str(files.path)).card
    assert card.dates == 3 and card.arguments["multi_temporal"] is True
    (group,) = card.metrics
    assert group["data"] == "held-out sequences, not used for calibration (1 places)"
    assert set(group["figures"]) == {"network", "least cloudy input", "mean of the clear inputs", "coverage"}
    # the metrics of the card are those of the stored weights
    place = found.held_out[1]
    example = plain_example(place, fixed_dates(place, 3), 32)
    with torch.no_grad():
        mean, _ = load_model(files)(torch.from_numpy(example.x)[None], torch.from_numpy(example.days)[None])
    error = float(np.sqrt(np.mean((mean[0].numpy() - example.target) ** 2)))
    assert group["figures"]["network"]["psnr"] == pytest.approx(-20 * np.log10(error), abs=1e-3)
    with pytest.raises(ModelError, match="takes 3 dates at once"):
        check_fit(Scene.open(place.shots[0].s2), card)


def test_without_a_split_every_fifth_place_is_held_out(write_series, tmp_path):
    for patch in range(1, 7):
        folder = write_series(1868, 36, patch, count=4)
    found = gather_series([folder], 3, tmp_path / "work", Silent())
    assert [name for name, _ in found.held_out.places] == ["1868_summer_36_p5"]
    assert len(found.learnt) == 5
    with pytest.raises(InputError, match="glf-cr"):
        gather_series([folder], 3, tmp_path / "work", Silent(), splits="glf-cr")
    with pytest.raises(InputError, match="--real"):
        gather_series([], 3, tmp_path / "work", Silent())
    with pytest.raises(InputError, match="at least two held-out sequences"):
        finish_series(load_small(), RECIPE, found.held_out, "x", tmp_path / "m", {})


def load_small():
    from sunbreak.models.uncrtaints import UnCRtainTS, UnCRtainTSConfig

    return UnCRtainTS(UnCRtainTSConfig(width=16, depth=1, multi_temporal=True))


def test_the_real_time_series_is_read(shared, tmp_path):
    found = find_places(shared / "data" / "timeseries", 3)
    ((name, shots),) = found.places
    assert name == "2017_winter_146_p0" and len(shots) == 16
    assert found.remarks == ("Dates without radar (s1): in 1 places, such as 2017_winter_146_p0.",)
    place = StoredSeries(found.places, 3, tmp_path)[0]
    assert place.shape == (256, 256)
    assert place.covers.min() < 0.01 and place.covers.max() > 0.9
    batch = SeriesDraws([(1.0, [place])], 1, 3).batch(0, 2, 64)
    assert batch.x.shape == (2, 3, 15, 64, 64)
    assert batch.x[:, :, :2].max() == 0 and 0 < batch.x[:, :, 2:].mean() < 1
