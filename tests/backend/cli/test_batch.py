"""A batch as run by a person and by another program. Every command is a real process."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from program import RUN, sunbreak
from rasterio.transform import from_origin

from sunbreak.scene import S2_BANDS

SIDE = 40


def batch(*arguments: object, **how: Any) -> subprocess.CompletedProcess[str]:
    return sunbreak("batch", *arguments, **how)


def rows_of(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


@pytest.fixture
def make_scene(write_raster, cloudy_dn, radar_db):
    def make(name: str, seed: int = 0, side: int = SIDE) -> tuple[Path, Path]:
        cloud = (slice(10, 25), slice(8, 30))
        s2 = write_raster(f"in/{name}_s2.tif", cloudy_dn(side, side, cloud, seed), bands=S2_BANDS)
        return s2, write_raster(f"in/{name}_s1.tif", radar_db(side, side, seed), bands=("VV", "VH"))

    return make


@pytest.fixture
def rest(small_model, tmp_path) -> list[object]:
    return ["-o", tmp_path / "out", "--model", small_model.path, "--task", "clean", "--detector", "s2cloudless"]


def test_twelve_scenes_with_two_broken_ones_and_then_only_these_two_again(
    make_scene, write_raster, radar_db, rest, tmp_path
):
    manifest = tmp_path / "scenes.csv"
    lines = ["name,s2,s1"]
    for index in range(12):
        make_scene(f"place{index}", index)
        lines.append(f"scene {index},in/place{index}_s2.tif,in/place{index}_s1.tif")
    manifest.write_text("\n".join(lines), encoding="utf-8")
    truncated = tmp_path / "in" / "place3_s2.tif"
    whole = truncated.read_bytes()
    truncated.write_bytes(whole[: len(whole) // 2])
    write_raster("in/place7_s1.tif", radar_db(SIDE, SIDE), transform=from_origin(700000, 5000000, 10, 10))

    done = batch(manifest, *rest)
    assert done.returncode == 1, done.stderr
    rows = rows_of(tmp_path / "out" / "summary.csv")
    assert list(rows) == [f"scene {index}" for index in range(12)]
    assert [name for name, row in rows.items() if row["status"] == "failed"] == ["scene 3", "scene 7"]
    assert "place3_s2.tif" in rows["scene 3"]["reason"] and "truncated" in rows["scene 3"]["reason"]
    assert "overlap" in rows["scene 7"]["reason"]
    assert all(rows[name]["code"] for name in ("scene 3", "scene 7"))
    assert 0 < float(rows["scene 0"]["cloud_share"]) < 1
    assert (rows["scene 0"]["thin_cloud_share"], rows["scene 0"]["shadow_share"]) == ("0.0", "0.0")
    assert rows["scene 0"]["model"] == "small"
    assert "10 done, 2 failed" in done.stdout
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "scene 3").exists()
    layers = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.tif")}
    assert len(list((tmp_path / "out").rglob("*_cleaned.tif"))) == 10

    truncated.write_bytes(whole)
    make_scene("place7", 7)
    # the device does not change the result
    again = batch(manifest, *rest, "--resume", "--device", "cpu")
    assert again.returncode == 0, again.stderr
    assert "10 of 12 scenes are done already, 2 are left." in again.stderr
    assert {path: path.stat().st_mtime_ns for path in layers} == layers
    assert len(list((tmp_path / "out").rglob("*_cleaned.tif"))) == 12
    after = rows_of(tmp_path / "out" / "summary.csv")
    assert [row["status"] for row in after.values()].count("skipped") == 10
    assert after["scene 3"]["status"] == after["scene 7"]["status"] == "done"
    assert after["scene 0"]["mean_sigma"] == rows["scene 0"]["mean_sigma"]


def test_a_program_is_told_the_scenes_that_a_pattern_matches(make_scene, rest, tmp_path):
    make_scene("one")
    make_scene("two", 1)
    running = subprocess.Popen(
        [*RUN, "batch", str(tmp_path / "**" / "*.tif"), "--s1-pattern", "{stem}_s1.tif", *map(str, rest), "--events"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    events = [json.loads(line) for line in running.stdout.read().splitlines()]
    running.stdin.close()
    assert running.wait() == 0
    assert events[0]["event"] == "started"
    assert events[0]["command"] == "batch"
    assert [event["event"] for event in events].count("result") == 1
    assert events[-1]["event"] == "result"
    numbers = events[-1]["numbers"]
    assert (numbers["done"], numbers["failed"], numbers["skipped"]) == (2, 0, 0)
    assert Path(numbers["summary"]).is_file()
    cleaned = [event["path"] for event in events if event["event"] == "layer" and event["role"] == "cleaned"]
    assert [Path(path).parent.name for path in cleaned] == ["one_s2", "two_s2"]
    assert all(event["unit"] == "scenes" for event in events if event["event"] == "progress")
    assert any(event["text"].startswith("two_s2: Model small") for event in events if event["event"] == "message")
    assert not list(tmp_path.rglob("one_s1_cleaned.tif"))


def test_resume_repeats_scenes_after_a_changed_setting(make_scene, rest, tmp_path):
    s2, s1 = make_scene("one")
    call = [s2, "--s1-pattern", s1.name, *rest]
    assert batch(*call).returncode == 0
    layer = tmp_path / "out" / "one_s2" / "one_s2_cleaned.tif"
    first = layer.stat().st_mtime_ns
    again = batch(*call, "--resume", "--feather", "0")
    assert again.returncode == 0, again.stderr
    assert "0 of 1 scenes are done already" in again.stderr
    assert layer.stat().st_mtime_ns > first


def test_cancelling_exits_130_keeps_finished_scenes_and_resume_continues(make_scene, rest, tmp_path):
    make_scene("a")
    make_scene("b", 1, side=700)
    call = [str(tmp_path / "in" / "*_s2.tif"), "--s1-pattern", "{stem}_s1.tif", *map(str, rest), "--replace-all"]
    running = subprocess.Popen(
        [*RUN, "batch", *call, "--events"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    for line in running.stdout:
        event = json.loads(line)
        if event["event"] == "progress" and event["done"] > 1:
            break
    running.stdin.close()
    last = [json.loads(line) for line in running.stdout][-1]
    assert running.wait() == 130
    assert last["code"] == "cancelled"
    assert "1 of 2 scenes are done" in last["message"]
    assert list(rows_of(tmp_path / "out" / "summary.csv")) == ["a_s2"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a_s2", "summary.csv"]
    done = batch(*call, "--resume")
    assert done.returncode == 0, done.stderr
    assert "1 done, 0 failed, 1 skipped" in done.stdout


def test_a_row_whose_file_is_missing_is_a_failed_scene(make_scene, rest, tmp_path):
    make_scene("one")
    manifest = tmp_path / "scenes.csv"
    manifest.write_text("s2,s1\nin/nothing.tif,\nin/one_s2.tif,in/one_s1.tif\n", encoding="utf-8")
    done = batch(manifest, *rest)
    assert done.returncode == 1, done.stderr
    rows = rows_of(tmp_path / "out" / "summary.csv")
    assert rows["nothing"]["code"] == "missing-file"
    assert rows["one_s2"]["status"] == "done"
    assert "nothing" in done.stdout


@pytest.mark.parametrize(
    ("text", "options", "named"),
    [
        ("s1\nr.tif\n", [], "column s2"),
        ("s2\na.tif\n", ["--s1-pattern", "{stem}_s1.tif"], "--s1-pattern"),
        ("s2\na/x.tif\nb/x.tif\n", [], "line 2 and line 3"),
        ("s2\na.tif\n", ["--threshold", "3"], "threshold"),
        ("s2\na.tif\n", ["--model", "nobody"], "nobody"),
        ("s2\na.tif\n", ["--s2-offset", "much"], "--s2-offset"),
        ("s2\na.tif\n", ["--runtime", "openvino", "--device", "cuda"], "cuda"),
    ],
)
def test_a_wrong_call_exits_2_with_one_line_before_anything_is_done(tmp_path, rest, text, options, named):
    manifest = tmp_path / "scenes.csv"
    manifest.write_text(text, encoding="utf-8")
    done = batch(manifest, *rest, *options)
    assert done.returncode == 2, done.stderr
    assert named in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("task", "layers", "figure"),
    [
        ("run", ["cleaned.tif", "landcover.tif", "trust.tif", "saliency_water.tif", "report.html"], "changed_share"),
        ("classify", ["landcover.tif", "landcover_probabilities.tif"], "mean_confidence"),
        ("explain", ["saliency_water.tif", "saliency_water_bands.csv"], "strongest_band_share"),
    ],
)
def test_every_task_runs_and_is_skipped_by_a_second_command(
    make_scene, small_model, small_classifier, tmp_path, task, layers, figure
):
    make_scene("place", side=64)
    options = ["--task", task, "--model", small_model.path, "--classifier", small_classifier.path, "--class", "water"]
    call = [tmp_path / "in/*_s2.tif", "--s1-pattern", "{stem}_s1.tif", "-o", tmp_path / "out", *options]
    done = batch(*call)
    assert done.returncode == 0, done.stderr
    for name in layers:
        assert (tmp_path / "out" / "place_s2" / f"place_s2_{name}").is_file()
    (row,) = rows_of(tmp_path / "out" / "summary.csv").values()
    assert 0 <= float(row[figure]) <= 1
    again = batch(*call, "--resume")
    assert again.returncode == 0
    assert next(iter(rows_of(tmp_path / "out" / "summary.csv").values()))["status"] == "skipped"
    other = batch(*call[:-1], "forest", "--resume")
    assert other.returncode == 0, other.stderr
    assert next(iter(rows_of(tmp_path / "out" / "summary.csv").values()))["status"] == (
        "skipped" if task == "classify" else "done"
    )


def test_a_batch_of_one_place_takes_its_other_dates_from_the_table(make_scene, rest, tmp_path):
    for seed, day in enumerate(("2020-05-01", "2020-05-11", "2020-06-01")):
        make_scene(f"place_{day}", seed)
    pattern = ["in/*_s2.tif", "--s1-pattern", "{stem}_s1.tif"]
    done = batch(*pattern, *rest, "--references", "auto", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stderr.split())
    assert "Other dates from the table: 2 to 2 for each scene." in said
    assert (
        "place_2020-06-01_s2: Other date 2020-05-11 (21 days before): place_2020-05-11_s2.tif, with Sentinel-1." in said
    )
    wrong = batch(
        tmp_path / "in" / "place_2020-05-01_s2.tif", "-o", tmp_path / "no", "--task", "classify", "--references", 2
    )
    assert wrong.returncode == 2 and "--references is an option of the tasks clean and run" in wrong.stderr
