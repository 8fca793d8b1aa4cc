"""Every command takes a folder of `sunbreak get` as it is. Every command is a real process."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path

import pytest
import rasterio
from fetched_folders import EARLY, EARLY_RADAR, LATE, LATE_RADAR, RADAR, SCENE, write_fetched
from program import sunbreak

TAKEN = f"Taken from the folder: radar {RADAR}, 2 other dates."


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return [event["text"] for line in done.stdout.splitlines() if (event := json.loads(line))["event"] == "message"]


def layers(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.tif")}


@pytest.fixture
def folder(write_raster, cloudy_dn, radar_db) -> Path:
    return write_fetched(write_raster, cloudy_dn, radar_db)


def test_cleaning_the_folder_is_cleaning_its_files(folder, small_model, tmp_path):
    how = ["--model", small_model.path, "--detector", "s2cloudless", "--device", "cpu", "--events"]
    found = sunbreak("clean", folder, "-o", tmp_path / "found", *how)
    assert TAKEN in said(found)
    scene, radar, early, late, *others = (
        folder / f"{name}.tif" for name in (SCENE, RADAR, EARLY, LATE, EARLY_RADAR, LATE_RADAR)
    )
    dates = ["--reference", early, "--reference", late, "--reference-s1", others[1], "--reference-s1", others[0]]
    named = sunbreak("clean", scene, "--s1", radar, *dates, "-o", tmp_path / "named", *how)
    assert TAKEN not in said(named)
    written = layers(tmp_path / "found")
    assert f"{SCENE}_cleaned.tif" in written
    assert f"{SCENE}_source.tif" in written
    assert written == layers(tmp_path / "named")
    with rasterio.open(tmp_path / "found" / f"{SCENE}_cleaned.tif") as cleaned:
        assert cleaned.tags()["SUNBREAK_REFERENCES"] == f"{early.name} (2018-05-31), {late.name} (2018-06-25)"


def test_radar_and_dates_that_are_given_replace_those_of_the_folder(folder, small_model, tmp_path):
    how = ["--model", small_model.path, "--detector", "s2cloudless", "--device", "cpu", "--events"]
    own = ["--s1", folder / f"{LATE_RADAR}.tif", "--reference", folder / f"{LATE}.tif"]
    texts = said(sunbreak("clean", folder, *own, "-o", tmp_path / "out", *how))
    assert f"Taken from the folder: the scene {SCENE}." in texts
    with rasterio.open(tmp_path / "out" / f"{SCENE}_cleaned.tif") as cleaned:
        tags = cleaned.tags()
    assert tags["SUNBREAK_INPUTS"] == f"{SCENE}.tif, {SCENE}.stac.json, {Path(LATE_RADAR).name}.tif"
    assert tags["SUNBREAK_REFERENCES"] == f"{Path(LATE).name}.tif (2018-06-25)"


def test_radar_of_other_dates_alone_replaces_that_of_the_folder(folder):
    other = folder / f"{LATE_RADAR}.tif"
    done = sunbreak("inspect", folder, "--reference-s1", other, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found["dates"]) == 2
    assert TAKEN in found["notes"]
    early_radar = Path(EARLY_RADAR).name
    assert not any(early_radar in text for text in found["notes"])


def test_detecting_takes_the_scene_alone(folder, tmp_path):
    texts = said(sunbreak("detect-clouds", folder, "-o", tmp_path / "out", "--detector", "s2cloudless", "--events"))
    assert f"Taken from the folder: the scene {SCENE}." in texts
    assert f"{SCENE}_cloud_mask.tif" in layers(tmp_path / "out")


def test_classifying_and_explaining_take_the_scene_and_its_radar(folder, small_classifier, tmp_path):
    for command in ("classify", "explain"):
        out = tmp_path / command
        texts = said(sunbreak(command, folder, "-o", out, "--model", small_classifier.path, "--events"))
        assert f"Taken from the folder: radar {RADAR}." in texts
        assert layers(out)


def test_inspecting_shows_the_scene_its_radar_and_its_other_dates(folder):
    done = sunbreak("inspect", folder, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["sentinel2"]["name"] == f"{SCENE}.tif"
    assert (found["sentinel1"]["unit"], found["sentinel1"]["days_apart"]) == ("linear", -1)
    assert [date["name"] for date in found["dates"]] == [f"{Path(EARLY).name}.tif", f"{Path(LATE).name}.tif"]
    assert TAKEN in found["notes"]
    assert done.stderr == ""


def test_the_chain_takes_everything(folder, small_model, small_classifier, tmp_path):
    how = ["--detector", "s2cloudless", "--class", "none", "--events"]
    models = ["--model", small_model.path, "--classifier", small_classifier.path]
    assert TAKEN in said(sunbreak("run", folder, "-o", tmp_path / "out", *models, *how))
    assert {f"{SCENE}_source.tif", f"{SCENE}_landcover.tif"} <= set(layers(tmp_path / "out"))


def test_a_batch_takes_folders_and_one_that_is_broken_fails_alone(
    folder, write_raster, cloudy_dn, radar_db, small_model, tmp_path
):
    broken = write_fetched(write_raster, cloudy_dn, radar_db, "got-broken")
    (broken / f"{RADAR}.tif").unlink()
    how = ["--task", "clean", "--model", small_model.path, "--detector", "s2cloudless", "--events"]
    done = sunbreak("batch", tmp_path / "got*", "-o", tmp_path / "out", *how)
    assert done.returncode == 1, done.stderr
    with (tmp_path / "out" / "summary.csv").open(newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert {name: row["status"] for name, row in rows.items()} == {"got": "done", "got-broken": "failed"}
    assert f"{RADAR}.tif: there is no such file" in rows["got-broken"]["reason"]
    assert f"{SCENE}_source.tif" in layers(tmp_path / "out" / "got")


def test_a_series_is_made_of_all_dates_of_the_folder(folder, small_model, tmp_path):
    how = ["--model", small_model.path, "--detector", "s2cloudless", "--events"]
    texts = said(sunbreak("series", folder, "-o", tmp_path / "out", *how))
    assert "3 dates from 2018-05-31 to 2018-06-25, 3 with Sentinel-1." in texts
    assert f"{SCENE}_cleaned.tif" in layers(tmp_path / "out" / "2018-06-10")


def test_what_is_wrong_with_the_folder_is_one_line(folder, tmp_path):
    (folder / f"{LATE}.tif").unlink()
    done = sunbreak("clean", folder, "-o", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr.strip() == (
        f"{folder / LATE}.tif: there is no such file, and {Path(LATE).name}.stac.json names it. Run sunbreak get again."
    )
    assert not (tmp_path / "out").exists()
