"""Each scene of a batch is cleaned with the other dates of its place in the same table."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rasterio.transform import from_origin

import sunbreak
from sunbreak.batches.manifest import BatchScene, read_manifest
from sunbreak.batches.other_dates import AUTO, wanted_dates, with_other_dates
from sunbreak.batches.specs import specs_of
from sunbreak.errors import InputError
from sunbreak.jobs.options import task_options
from sunbreak.jobs.spec import JobInputs
from sunbreak.jobs.travel import inputs_of
from sunbreak.scene import S2_BANDS


@pytest.fixture
def scene(write_raster, cloudy_dn):
    def make(name: str, *, shift: int = 0, **more) -> BatchScene:
        place = from_origin(500_000 + 10 * shift, 5_300_000, 10, 10)
        path = write_raster(f"in/{name}.tif", cloudy_dn(20, 20, None, len(name)), bands=S2_BANDS, transform=place)
        return BatchScene(name, (path,), **more)

    return make


def found(scenes: list[BatchScene]) -> dict[str, list[str]]:
    return {scene.name: [path.stem for path in scene.found_references] for scene in scenes}


def test_the_nearest_dates_of_the_same_place_are_found(scene):
    days = ("2020-01-01", "2020-02-01", "2020-02-20", "2020-06-01")
    given, notes = with_other_dates([scene(f"a_{day}") for day in days], 2)
    assert found(given) == {
        "a_2020-01-01": ["a_2020-02-01", "a_2020-02-20"],
        "a_2020-02-01": ["a_2020-02-20", "a_2020-01-01"],
        "a_2020-02-20": ["a_2020-02-01", "a_2020-01-01"],
        "a_2020-06-01": ["a_2020-02-20", "a_2020-02-01"],
    }
    assert notes == ["Other dates from the table: 2 to 2 for each scene."]


def test_a_scene_that_lies_half_elsewhere_or_is_of_the_same_day_is_no_other_date(scene):
    near, far = scene("near_2020-02-01", shift=9), scene("far_2020-02-02", shift=11)
    given, _ = with_other_dates([scene("a_2020-01-01"), near, far, scene("b_2020-01-01")])
    assert found(given)["a_2020-01-01"] == ["near_2020-02-01"]
    assert found(given)["far_2020-02-02"] == ["near_2020-02-01"]


def test_radar_of_the_other_dates_comes_along(scene):
    radar = Path("radar.tif")
    given, _ = with_other_dates([scene("a_2020-01-01"), scene("b_2020-02-01", s1=(radar,))])
    assert [one.found_s1 for one in given] == [(radar,), ()]


def test_references_of_the_table_win(scene):
    own = (Path("own.tif"),)
    given, _ = with_other_dates([scene("a_2020-01-01", references=own), scene("b_2020-02-01")])
    assert (given[0].references, given[0].found_references) == (own, ())
    assert found(given)["b_2020-02-01"] == ["a_2020-01-01"]


def test_scenes_without_a_date_or_that_cannot_be_read_are_named(scene):
    broken = BatchScene("broken", (Path("nowhere_2020-01-01.tif"),))
    given, notes = with_other_dates([scene("a_2020-01-01"), scene("someday"), broken])
    assert found(given) == {"a_2020-01-01": [], "someday": [], "broken": []}
    assert notes[1] == "Without other dates, since their own date or place cannot be told: someday, broken."


def test_a_scene_of_several_files_is_a_reference_if_they_are_a_folder_of_bands(scene, write_raster, cloudy_dn):
    def bands(folder: str) -> tuple[Path, ...]:
        return tuple(
            write_raster(f"{folder}/T_20200301_{band}.tif", cloudy_dn(20, 20)[:1], bands=(band,))
            for band in ("B02", "B03")
        )

    apart = bands("one")[:1] + bands("two")[1:]
    given, notes = with_other_dates([scene("a_2020-01-01"), BatchScene("b", bands("three")), BatchScene("c", apart)])
    assert [path.name for path in given[0].found_references] == ["three"]
    assert notes[1] == "No references for other scenes, since their bands are given one by one: c."


@pytest.mark.parametrize(("text", "number"), [("auto", AUTO), ("3", 3), (1, 1)])
def test_auto_and_numbers_are_understood(text, number):
    assert wanted_dates(text) == number


@pytest.mark.parametrize("text", ["0", "-1", "many", ""])
def test_other_words_and_numbers_are_refused(text):
    with pytest.raises(InputError, match="The number of references is") as caught:
        wanted_dates(text)
    assert caught.value.code == "bad-option"


def test_a_table_names_the_references_of_a_scene(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("s2,references,reference_s1\na.tif,b.tif;c.SAFE,r.tif\nd.tif,,\n", encoding="utf-8")
    (one, other), notes = read_manifest(path)
    assert one.references == (tmp_path / "b.tif", tmp_path / "c.SAFE")
    assert one.reference_s1 == (tmp_path / "r.tif",)
    assert (other.references, other.reference_s1, notes) == ((), (), [])
    path.write_text("s2,reference_s1\na.tif,r.tif\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2 has reference_s1 without references"):
        read_manifest(path)


def test_references_are_inputs_of_clean_and_no_other_task_needs_them(small_model, small_classifier):
    scenes = [BatchScene("a", (Path("a"),), references=(Path("b"),), found_references=(Path("c"),))]
    models = {"removal": str(small_model.path), "classifier": str(small_classifier.path)}
    (spec,) = specs_of(scenes, Path("out"), "clean", JobInputs((Path("a"),)), task_options("clean"), **models)
    assert (spec.inputs.references, spec.inputs.found_references) == ((Path("b"),), (Path("c"),))
    (spec,) = specs_of(scenes, Path("out"), "classify", JobInputs((Path("a"),)), task_options("classify"), **models)
    assert spec.inputs.references == spec.inputs.found_references == ()


def test_a_batch_records_its_references_and_resumes_by_them(write_raster, cloudy_dn, radar_db, small_model, tmp_path):
    s1 = write_raster("in/s1.tif", radar_db(40, 40), bands=("VV", "VH"))
    lines = ["name,s2,s1"]
    for seed, day in enumerate(("2020-01-01", "2020-01-11", "2020-02-01")):
        cloud = (slice(10, 25), slice(8, 30))
        write_raster(f"in/{day}.tif", cloudy_dn(40, 40, cloud, seed), bands=S2_BANDS)
        lines.append(f"{day},in/{day}.tif,{s1}")
    table = tmp_path / "t.csv"
    table.write_text("\n".join(lines), encoding="utf-8")
    how = {"task": "clean", "model": small_model.path, "options": {"detector": "s2cloudless"}, "references": 1}
    done = sunbreak.batch(table, tmp_path / "out", **how)
    assert [outcome.status for outcome in done.outcomes] == ["done"] * 3
    item = json.loads((tmp_path / "out" / "2020-02-01" / "2020-02-01_cleaned.stac.json").read_text())
    assert item["properties"]["sunbreak:references"] == "2020-01-11.tif (2020-01-11)"
    again = sunbreak.batch(table, tmp_path / "out", resume=True, **how)
    assert [outcome.status for outcome in again.outcomes] == ["skipped"] * 3
    again = sunbreak.batch(table, tmp_path / "out", resume=True, **{**how, "references": 2})
    assert [outcome.status for outcome in again.outcomes] == ["done"] * 3
    with pytest.raises(InputError, match="references are for clean and run"):
        sunbreak.batch(table, tmp_path / "out", task="classify", references="auto")


def test_the_references_of_a_spec_are_files_of_its_marker(small_model, scene):
    one, other = scene("a_2020-01-01"), scene("b_2020-02-01")
    scenes = [replace(one, found_references=other.s2)]
    model = str(small_model.path)
    (spec,) = specs_of(scenes, Path("out"), "clean", JobInputs((Path("a"),)), task_options("clean"), removal=model)
    assert [path for path, *_ in inputs_of(spec)] == [str(one.s2[0]), str(other.s2[0])]
