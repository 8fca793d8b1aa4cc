"""Jobs that are given other dates: what they say, record and refuse. Without other dates nothing changes."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pystac
import pytest
import rasterio

from sunbreak.errors import InputError, OutputError
from sunbreak.events import Reporter, Silent
from sunbreak.jobs.chain import run_chain
from sunbreak.jobs.clean_step import CleanStep
from sunbreak.jobs.execute import run
from sunbreak.jobs.options import ChainOptions, CleanOptions
from sunbreak.jobs.single import clean
from sunbreak.jobs.spec import JobInputs, JobSpec, make_spec
from sunbreak.layers.resume import run_identity
from sunbreak.removal.other_dates import date_names
from sunbreak.scene import S2_BANDS, Scene, SceneSeries

OPTIONS = CleanOptions(detector="s2cloudless", runtime="torch", device="cpu")


class Told(Reporter):
    def __init__(self):
        super().__init__()
        self.said = []

    def message(self, text, level="info"):
        self.said.append((level, text))


@pytest.fixture
def place(write_raster, cloudy_dn) -> dict[str, Path]:
    """One place on three dates; that of June is cloudy."""
    cloud = (slice(20, 50), slice(30, 70))
    days = {"2020-06-10": cloud, "2020-06-01": None, "2020-07-01": None}
    return {
        day: write_raster(f"place_{day}.tif", cloudy_dn(70, 90, window, seed), bands=S2_BANDS)
        for seed, (day, window) in enumerate(days.items())
    }


@pytest.fixture
def s1(write_raster, radar_db) -> Path:
    return write_raster("radar.tif", radar_db(70, 90), bands=("VV", "VH"))


@pytest.fixture
def scene(place, s1) -> Scene:
    return Scene.open(place["2020-06-10"], s1)


@pytest.fixture
def spec(place, s1, small_model, tmp_path):
    """A job that cleans June with the references it is given."""

    def make(*references: Path, **more) -> JobSpec:
        inputs = JobInputs((place["2020-06-10"],), (s1,), references=references, **more)
        return make_spec("clean", inputs, tmp_path / "out", OPTIONS, removal=str(small_model.path))

    return make


def tags(path: Path) -> dict[str, str]:
    with rasterio.open(path) as file:
        return file.tags()


def test_a_job_says_which_other_dates_it_has_and_what_is_unusual(spec, place, write_raster, cloudy_dn):
    undated = write_raster("someday.tif", cloudy_dn(70, 90, None, 9), bands=S2_BANDS)
    told = Told()
    run(spec(place["2020-07-01"], undated), told)
    assert ("info", "Other date 2020-07-01 (21 days after): place_2020-07-01.tif.") in told.said
    assert ("warning", "someday.tif: its date is not known; it counts as the farthest of the dates.") in told.said


def test_other_dates_are_in_the_provenance_and_the_item_links_to_them(spec, place):
    result = run(spec(place["2020-07-01"], place["2020-06-01"]), Silent())
    written = tags(result.layers["cleaned"])
    assert written["SUNBREAK_INPUTS"] == "place_2020-06-10.tif, radar.tif"
    assert written["SUNBREAK_REFERENCES"] == "place_2020-07-01.tif (2020-07-01), place_2020-06-01.tif (2020-06-01)"
    item = pystac.Item.from_file(str(result.layers["cleaned"].with_suffix(".stac.json")))
    links = [link for link in item.links if link.rel == "derived_from"]
    assert [link.title for link in links] == [
        "place_2020-06-10.tif, 2020-06-10", "place_2020-07-01.tif, 2020-07-01", "place_2020-06-01.tif, 2020-06-01",
    ]  # fmt: skip
    names = ["place_2020-06-10.tif", "radar.tif", "place_2020-07-01.tif", "place_2020-06-01.tif"]
    assert item.properties["sunbreak:inputs"] == names


def test_without_other_dates_no_layer_mentions_any(spec, scene, small_model, tmp_path):
    result = run(spec(), Silent())
    assert "SUNBREAK_REFERENCES" not in tags(result.layers["cleaned"])
    item = json.loads(result.layers["cleaned"].with_suffix(".stac.json").read_text())
    assert item["links"] == []
    plain = clean(scene, tmp_path / "plain", small_model, OPTIONS, Silent())
    for role, path in result.layers.items():
        assert path.read_bytes() == plain.layers[role].read_bytes(), role


def test_an_opened_scene_or_series_is_used_as_it_is(spec, place, scene):
    given = SceneSeries(scene, (Scene.open(place["2020-06-01"]),))
    result = run(spec(), Silent(), scene=given)
    assert tags(result.layers["cleaned"])["SUNBREAK_REFERENCES"] == "place_2020-06-01.tif (2020-06-01)"
    for path in Path(result.layers["cleaned"]).parent.iterdir():
        path.unlink()
    again = run(spec(place["2020-07-01"]), Silent(), scene=scene)
    assert tags(again.layers["cleaned"])["SUNBREAK_REFERENCES"] == "place_2020-07-01.tif (2020-07-01)"


def test_a_step_and_the_chain_take_a_scene_or_a_series(place, scene, small_model, small_classifier, tmp_path):
    series = SceneSeries(scene, (Scene.open(place["2020-06-01"]),))
    assert CleanStep(scene, small_model, OPTIONS).series == SceneSeries(scene)
    step = CleanStep(series, small_model, OPTIONS)
    assert (step.series, step.scene) == (series, scene)
    options = ChainOptions(OPTIONS, explain=None)
    result = run_chain(series, tmp_path / "chain", small_model, small_classifier, options, Silent())
    assert tags(result.layers["landcover"])["SUNBREAK_REFERENCES"] == "place_2020-06-01.tif (2020-06-01)"


def report_of(directory: Path) -> str:
    return next(directory.glob("*_report.html")).read_text(encoding="utf-8")


def test_the_report_names_the_dates_what_they_fill_and_what_they_cannot_show(
    place, scene, small_model, small_classifier, tmp_path
):
    others = tuple(Scene.open(place[day]) for day in ("2020-06-01", "2020-07-01"))
    options = ChainOptions(OPTIONS, explain=None)

    def chain(given: Scene | SceneSeries, name: str):
        result = run_chain(given, tmp_path / name, small_model, small_classifier, options, Silent())
        return report_of(tmp_path / name), result.numbers

    dated, numbers = chain(SceneSeries(scene, others), "dated")
    alone, _ = chain(scene, "alone")
    assert numbers["other_dates_share"] == pytest.approx(numbers["reconstructed_share"], abs=0.01)
    assert "2020-06-01 (9 days before), 2020-07-01 (21 days after)" in dated
    assert f"{numbers['other_dates_share']:.1%} of the valid pixels" in dated
    assert "predicted from what other dates show there" in dated
    assert "is only seen if radar shows it" in dated
    assert "are not recovered unless another date shows them too" in dated
    assert dated.count("data:image/png;base64,") == alone.count("data:image/png;base64,") + 2
    assert re.search(r'class="legend">.*#1b263b.*observed', dated)
    assert "other date" not in alone.lower() and "are not recovered: what stands" in alone


def test_the_report_says_that_no_date_shows_what_is_hidden_and_that_there_is_no_radar(
    place, write_raster, cloudy_dn, small_model, small_classifier, tmp_path
):
    options = ChainOptions(OPTIONS, explain=None)
    same_cloud = write_raster("b_2020-06-20.tif", cloudy_dn(70, 90, (slice(3, 67), slice(8, 82)), 7), bands=S2_BANDS)
    target = Scene.open(place["2020-06-10"])
    lenient = replace(small_model.card, training={"recipe": {"no_radar": 0.1}})
    for name, other in (("hidden", same_cloud), ("shown", place["2020-07-01"])):
        series = SceneSeries(target, (Scene.open(other),))
        run_chain(series, tmp_path / name, replace(small_model, card=lenient), small_classifier, options, Silent())
    hidden, shown = report_of(tmp_path / "hidden"), report_of(tmp_path / "shown")
    assert "1 given; none shows what the clouds hide" in hidden and "are not recovered: what stands" in hidden
    assert "is not seen, since the scene has no radar" in shown


def test_a_date_a_day_apart_is_named_in_the_singular(place, write_raster, cloudy_dn, scene):
    other = write_raster("c_2020-06-11.tif", cloudy_dn(70, 90, None, 8), bands=S2_BANDS)
    series = SceneSeries(scene, (Scene.open(other), Scene.open(place["2020-06-01"])))
    assert date_names(series) == [(10, "2020-06-11 (1 day after)"), (11, "2020-06-01 (9 days before)")]


def test_a_reference_is_never_overwritten(s1, small_model, tmp_path, write_raster, cloudy_dn):
    target = write_raster("plain.tif", cloudy_dn(70, 90, (slice(20, 50), slice(30, 70))), bands=S2_BANDS)
    other = write_raster("out/plain_cleaned.tif", cloudy_dn(70, 90, None, 9), bands=S2_BANDS)
    before = other.read_bytes()
    inputs = JobInputs((target,), (s1,), references=(other,))
    model = str(small_model.path)
    with pytest.raises(OutputError) as caught:
        run(make_spec("clean", inputs, tmp_path / "out", OPTIONS, removal=model, overwrite=True), Silent())
    assert caught.value.code == "output-is-input"
    assert other.read_bytes() == before


def test_a_reference_that_changes_makes_another_run(spec, place):
    inputs = spec(place["2020-07-01"]).inputs
    series = inputs.open_series()

    def identity() -> dict[str, str]:
        return run_identity({}, series.inputs, [], series.grid)

    before = identity()
    assert identity() == before
    os.utime(place["2020-07-01"], ns=(1, 1))
    assert identity()["input files"] != before["input files"]


def test_a_reference_that_cannot_be_used_stops_the_run_before_anything_is_written(spec, place, tmp_path):
    place["2020-07-01"].write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"place_2020-07-01\.tif"):
        run(spec(place["2020-07-01"]), Silent())
    assert not (tmp_path / "out").exists()
    told = Told()
    result = run(spec(found_references=(place["2020-07-01"], place["2020-06-01"])), told)
    assert tags(result.layers["cleaned"])["SUNBREAK_REFERENCES"] == "place_2020-06-01.tif (2020-06-01)"
    assert any(level == "warning" and "place_2020-07-01.tif" in text for level, text in told.said)
