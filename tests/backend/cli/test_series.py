"""A series as run by a person and by another program. Every command is a real process."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path

import pytest
from program import RUN, sunbreak

from sunbreak.scene import S2_BANDS

DAYS = ("2020-05-01", "2020-05-11", "2020-06-20")


def series(*arguments: object) -> subprocess.CompletedProcess[str]:
    return sunbreak("series", *arguments)


@pytest.fixture
def rest(small_model, tmp_path) -> list[object]:
    return ["-o", tmp_path / "out", "--model", small_model.path, "--detector", "s2cloudless", "--runtime", "torch"]


@pytest.fixture
def folder(write_raster, cloudy_dn, radar_db, tmp_path) -> Path:
    for seed, day in enumerate(DAYS):
        dn = cloudy_dn(40, 40, (slice(10, 25), slice(8, 30)), seed)
        write_raster(f"in/place_{day}.tif", dn, bands=S2_BANDS)
        write_raster(f"in/radar_{day}.tif", radar_db(40, 40, seed), bands=("VV", "VH"))
    return tmp_path / "in"


def test_a_folder_is_cleaned_date_by_date(folder, rest, tmp_path):
    done = series(folder, *rest, "--dates", 1, "--bbox", 500_000, 5_299_700, 500_300, 5_300_000)
    assert done.returncode == 0, done.stderr
    assert "3 done, 0 failed" in done.stdout
    said = done.stdout + done.stderr
    assert "3 dates from 2020-05-01 to 2020-06-20, 3 with Sentinel-1." in " ".join(said.split())
    with (tmp_path / "out" / "summary.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["status"]) for row in rows] == [(day, "done") for day in DAYS]
    assert all((tmp_path / "out" / day / f"place_{day}_cleaned.tif").is_file() for day in DAYS)


def test_another_program_reads_one_bar_the_dates_of_the_layers_and_one_result(folder, rest):
    running = subprocess.Popen(
        [*RUN, "series", str(folder), *map(str, rest), "--only", "2020-05-11", "--only", str(folder / "place_2020-06-20.tif"),
         "--events"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    events = [json.loads(line) for line in running.stdout.read().splitlines()]
    running.stdin.close()
    assert running.wait() == 0
    assert (events[0]["event"], events[0]["command"]) == ("started", "series")
    progress = [(event["done"], event["total"]) for event in events if event["event"] == "progress"]
    assert progress == sorted(progress) and progress[-1] == (2, 2)
    cleaned = [Path(event["path"]) for event in events if event["event"] == "layer" and event["role"] == "cleaned"]
    assert [path.parent.name for path in cleaned] == ["2020-05-11", "2020-06-20"]
    (result,) = [event for event in events if event["event"] == "result"]
    assert {key: result["numbers"][key] for key in ("done", "failed", "skipped")} == {
        "done": 2, "failed": 0, "skipped": 0
    }  # fmt: skip


def test_one_date_is_refused_in_one_line(folder, rest):
    alone = series(folder / "place_2020-05-01.tif", *rest)
    assert alone.returncode == 2
    said = " ".join((alone.stdout + alone.stderr).split())
    assert "1 date of one place, and a series needs two" in said
    assert "Traceback" not in said
