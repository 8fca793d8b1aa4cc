"""A series: the dates of one place in a folder, each cleaned with the others."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from rasterio.warp import transform_bounds

import sunbreak
from sunbreak.batches.manifest import BatchScene
from sunbreak.batches.other_dates import Acquisition, look, nearest
from sunbreak.batches.series import find_series
from sunbreak.errors import InputError
from sunbreak.scene import S2_BANDS

CLOUD = slice(8, 20), slice(5, 25)
DAYS = ("2020-05-01", "2020-05-11", "2020-06-20", "2020-08-01")


@pytest.fixture
def date(write_raster, cloudy_dn):
    """One acquisition of 30 x 40 pixels with a cloud; `east` moves it by pixels."""

    def make(day: str, *, east: int = 0, folder: str = "in", **options) -> Path:
        place = from_origin(500_000 + 10 * east, 5_300_000, 10, 10)
        seed = int(day.replace("-", ""))
        dn = cloudy_dn(30, 40, CLOUD, seed)
        return write_raster(f"{folder}/place_{day}.tif", dn, bands=S2_BANDS, **{"transform": place, **options})

    return make


@pytest.fixture
def folder(date, tmp_path) -> Path:
    for day in DAYS:
        date(day)
    return tmp_path / "in"


@pytest.fixture
def clean(small_model, write_raster, radar_db, tmp_path):
    """Clean the dates of a folder with a tiny network and the radar that lies beside them."""
    for day in DAYS:
        write_raster(f"in/s1_{day}.tif", radar_db(30, 40), bands=("VV", "VH"))

    def run(*given: Path, **more):
        options = {"detector": "s2cloudless", "runtime": "torch"}
        return sunbreak.series(list(given), tmp_path / "out", model=small_model.path, options=options, **more)

    return run


def rows_of(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def references(found) -> dict[str, list[str]]:
    return {scene.name: [path.stem[-10:] for path in scene.found_references] for scene in found.scenes}


def bounds(path: Path) -> tuple[float, ...]:
    with rasterio.open(path) as file:
        return tuple(file.bounds)


def test_each_date_gets_the_nearest_others_and_is_called_by_its_date(folder):
    found = find_series([folder], count=2)
    assert references(found) == {
        "2020-05-01": ["2020-05-11", "2020-06-20"],
        "2020-05-11": ["2020-05-01", "2020-06-20"],
        "2020-06-20": ["2020-05-11", "2020-08-01"],
        "2020-08-01": ["2020-06-20", "2020-05-11"],
    }
    assert found.notes == ("4 dates from 2020-05-01 to 2020-08-01, 0 with Sentinel-1.",)
    assert found.warnings == ()


def test_files_and_folders_may_be_given_together_and_count_once(folder, date):
    later = date("2020-09-01", folder="more")
    found = find_series([folder / "place_2020-05-01.tif", folder, later])
    assert [scene.name for scene in found.scenes] == [*DAYS, "2020-09-01"]


def test_dates_of_another_place_are_left_out_and_named(folder, date):
    date("2020-05-05", east=1000)
    date("2020-05-06", east=25)  # 15 of 40 columns are of the place
    found = find_series([folder])
    assert [scene.name for scene in found.scenes] == list(DAYS)
    text = "Left out, since it is of another place: place_2020-05-05.tif, place_2020-05-06.tif."
    assert found.warnings == (text,)


def test_what_is_damaged_or_undated_is_left_out_of_a_folder_and_refused_by_name(folder, write_raster, cloudy_dn):
    broken = folder / "broken_2020-07-01.tif"
    broken.write_bytes(b"II*\0 no raster")
    write_raster("in/someday.tif", cloudy_dn(30, 40), bands=S2_BANDS)
    found = find_series([folder])
    assert [scene.name for scene in found.scenes] == list(DAYS)
    damaged, undated = found.warnings
    assert damaged.startswith("Left out: ") and "broken_2020-07-01.tif" in damaged
    assert undated == "Left out, since its date is not known (put YYYY-MM-DD into the name): someday.tif."
    with pytest.raises(InputError, match="broken"):
        find_series([folder, broken])


def test_fewer_than_two_dates_are_refused_in_one_line(date, tmp_path):
    date("2020-05-01")
    date("2020-05-05", east=1000)
    with pytest.raises(InputError, match="1 date of one place, and a series needs two") as caught:
        find_series([tmp_path / "in"])
    assert caught.value.code == "too-few-dates"
    assert "place_2020-05-05.tif" in caught.value.message and "\n" not in str(caught.value)


def test_two_acquisitions_of_a_day_get_folders_of_their_own_and_are_no_references_of_each_other(folder, date):
    date("2020-05-11", folder="again")
    found = find_series([folder, folder.parent / "again"])
    assert [scene.name for scene in found.scenes][1:3] == ["2020-05-11", "2020-05-11_2"]
    assert references(found)["2020-05-11_2"] == ["2020-05-01", "2020-06-20", "2020-08-01"]


def test_of_two_levels_of_a_date_that_of_the_own_level_is_the_reference(date):
    def at_level(text: str) -> list[Acquisition]:
        paths = [date(f"2020-05-0{day}", folder=text) for day in (1, 2)]
        known = [look(BatchScene(f"{path.stem}_{text}", (path,))) for path in paths]
        return [replace(one, level=text) for one in known]

    known = [*at_level("L1C"), *at_level("L2A")]
    for one in known:
        (other,) = nearest(one, known, 8)
        assert (other.level, other.acquired == one.acquired) == (one.level, False)


def test_radar_belongs_to_the_dates_by_date(folder, write_raster, radar_db):
    given = write_raster("radar/s1_2020-06-19.tif", radar_db(30, 40), bands=("VV", "VH"))
    found_there = write_raster("in/s1_2020-05-02.tif", radar_db(30, 40), bands=("VV", "VH"))
    write_raster("in/s1_2020-07-15.tif", radar_db(30, 40), bands=("VV", "VH"))
    found = find_series([folder], [given])
    radar = {scene.name: [path.name for path in scene.s1] for scene in found.scenes}
    assert radar == {"2020-05-01": [found_there.name], "2020-05-11": [], "2020-06-20": [given.name], "2020-08-01": []}
    assert found.scenes[1].found_s1 == (found_there, given)
    assert found.notes[0].endswith("2 with Sentinel-1.")
    assert "belongs to no date is not used: s1_2020-07-15.tif" in found.notes[1]
    with pytest.raises(InputError, match="was not acquired within 3 days of a date"):
        find_series([folder], [folder / "s1_2020-07-15.tif"])


def test_the_same_place_is_chosen_on_all_dates_also_in_another_zone(folder, date):
    first = bounds(folder / "place_2020-05-01.tif")
    left, top = transform_bounds("EPSG:32632", "EPSG:32631", *first)[::3]
    date("2020-09-01", crs="EPSG:32631", transform=from_origin(left - 50, top + 50, 10, 10))
    date("2020-05-03", east=-20)
    found = find_series([folder], window=(2, 4, 10, 12))
    boxes = {scene.name: scene.bbox for scene in found.scenes}
    assert boxes["2020-05-01"] == boxes["2020-05-03"] == (500_020, 5_299_840, 500_120, 5_299_960)
    assert boxes["2020-09-01"] == pytest.approx(transform_bounds("EPSG:32632", "EPSG:32631", *boxes["2020-05-01"]))
    with pytest.raises(InputError, match="outside"):
        find_series([folder], bbox=(0, 0, 10, 10))


def test_a_date_that_does_not_reach_the_chosen_part_is_of_another_place(folder, date):
    date("2020-05-03", east=12)
    assert len(find_series([folder]).scenes) == 5
    found = find_series([folder], window=(0, 0, 10, 10))
    assert [scene.name for scene in found.scenes] == list(DAYS)
    assert "place_2020-05-03.tif" in found.warnings[0]


def test_all_dates_are_cleaned_and_listed_by_date(folder, clean, tmp_path):
    done = clean(folder, window=(0, 0, 30, 28))
    assert [(one.name, one.status) for one in done.outcomes] == [(day, "done") for day in DAYS]
    rows = rows_of(done.summary)
    assert list(rows) == list(DAYS)
    # all dates have their cloud at the same place
    assert {row["other_dates_share"] for row in rows.values()} == {"0.0"}
    for day in DAYS:
        cleaned = tmp_path / "out" / day / f"place_{day}_cleaned.tif"
        assert bounds(cleaned) == (500_000, 5_299_720, 500_300, 5_300_000)
        with rasterio.open(cleaned) as file:
            recorded = file.tags()["SUNBREAK_REFERENCES"]
        assert all((other in recorded) == (other != day) for other in DAYS)


def test_a_date_that_fails_does_not_stop_the_others_and_is_done_again(folder, clean, write_raster):
    path = folder / "place_2020-06-20.tif"
    whole = path.read_bytes()
    write_raster("in/place_2020-06-20.tif", np.zeros((13, 30, 40), np.uint16), bands=S2_BANDS)
    done = clean(folder)
    failed = rows_of(done.summary)["2020-06-20"]
    assert [one.status for one in done.outcomes] == ["done", "done", "failed", "done"]
    assert "place_2020-06-20.tif" in failed["reason"] and failed["code"] == "all-nodata"
    path.write_bytes(whole)
    done = clean(folder, only="2020-06-20")
    assert [one.status for one in done.outcomes] == ["done"]  # the others were cleaned without this date
    again = clean(folder, resume=True)
    assert [one.status for one in again.outcomes] == ["done", "done", "skipped", "done"]
    assert [one.status for one in clean(folder, resume=True).outcomes] == ["skipped"] * 4


def test_other_parts_and_numbers_of_dates_are_not_resumed(folder, clean):
    clean(folder, only="2020-05-01", count=1)
    for more in ({"count": 2}, {"count": 1, "window": (0, 0, 30, 30)}):
        (done,) = clean(folder, only="2020-05-01", resume=True, **more).outcomes
        assert done.status == "done"
    (done,) = clean(folder, only="2020-05-01", resume=True, **more).outcomes
    assert done.status == "skipped"


def test_only_names_dates_and_files_and_keeps_the_rows_of_the_others(folder, clean):
    clean(folder)
    done = clean(folder, only=["2020-05-11", folder / "place_2020-08-01.tif"], overwrite=True)
    assert [one.status for one in done.outcomes] == ["skipped", "done", "skipped", "done"]
    assert list(rows_of(done.summary)) == list(DAYS)
    with pytest.raises(InputError, match="2020-05-12 is none of the dates: 2020-05-01") as caught:
        clean(folder, only="2020-05-12")
    assert caught.value.code == "unknown-date"


def test_a_date_of_a_series_is_cleaned_as_alone_with_its_references(folder, clean, small_model, tmp_path):
    clean(folder, count=2)
    one, *_ = find_series([folder], count=2).scenes
    alone = sunbreak.clean(
        one.s2[0], one.s1, output=tmp_path / "alone", references=list(one.found_references),
        reference_s1=list(one.found_s1), model=small_model.path, detector="s2cloudless", runtime="torch",
    )  # fmt: skip
    for role, path in alone.layers.items():
        with rasterio.open(path) as file, rasterio.open(tmp_path / "out" / one.name / path.name) as other:
            np.testing.assert_array_equal(file.read(), other.read(), role)


def test_the_marker_names_the_part(folder, clean, tmp_path):
    clean(folder, only="2020-05-01", bbox=(500_000, 5_299_800, 500_200, 5_300_000))
    marker = json.loads((tmp_path / "out" / "2020-05-01" / ".sunbreak-done.json").read_text(encoding="utf-8"))
    assert marker["parameters"]["bbox"] == [500_000, 5_299_800, 500_200, 5_300_000]
