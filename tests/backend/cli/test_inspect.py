"""`sunbreak inspect` as used by a person and by another program. Every command is a real process."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from program import RUN, sunbreak

from sunbreak.scene import S2_BANDS


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_person_reads_what_was_found_why_and_what_a_run_says(scene_files, tmp_path):
    s2, s1 = scene_files
    before = content(tmp_path)
    done = sunbreak("inspect", s2, "--s1", s1)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "level L1C band B10 is there" in [" ".join(line.split()) for line in lines]
    assert any(line.startswith("no data ") and "0.0% of the pixels" in line for line in lines)
    assert any(
        line.startswith("Sentinel-1 ") and "VV: band 1 of radar.tif; VH: band 2 of radar.tif" in line for line in lines
    )
    assert any("possible with uncrtaints-guided" in line for line in lines)
    said = lines[lines.index("What a run says:") :]
    assert "  Level L1C, since band B10 is there." in said
    assert content(tmp_path) == before


def test_another_program_reads_json(scene_files):
    s2, s1 = scene_files
    done = sunbreak("inspect", s2, "--s1", s1, "--json", "--window", 10, 20, 30, 40)
    found = json.loads(done.stdout)
    assert found["sentinel2"]["grid"]["part"] == [10, 20, 30, 40]
    assert found["sentinel1"]["unit"] == "db"
    assert found["picture"] is None
    assert [fit["job"] for fit in found["fits"]] == ["detect-clouds", "clean", "classify"]
    assert found["table"][0] == {
        "key": "scene", "title": "Sentinel-2", "found": "place.tif", "why": f"one file in {s2.parent.name}", "well": True,
    }  # fmt: skip


def test_with_events_the_notes_are_messages_and_the_inspection_is_in_the_result(scene_files, tmp_path):
    s2, _ = scene_files
    picture = tmp_path / "seen.png"
    command = [*RUN, "inspect", s2, "--picture", picture, "--events"]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    events = [json.loads(line) for line in running.stdout.read().splitlines()]
    running.stdin.close()
    assert running.wait() == 0
    assert (events[0]["event"], events[0]["command"]) == ("started", "inspect")
    result = events[-1]
    assert (result["event"], result["layers"]) == ("result", {"picture": str(picture)})
    found = json.loads(result["numbers"]["inspection"])
    assert found["picture"] == str(picture)
    assert [event["text"] for event in events[1:-1]] == [*found["notes"], *found["warnings"]]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_picture_replaces_no_file_unless_told_to(scene_files, tmp_path):
    s2, _ = scene_files
    picture = tmp_path / "seen.png"
    picture.write_bytes(b"mine")
    refused = sunbreak("inspect", s2, "--picture", picture)
    assert refused.returncode == 2
    assert (
        refused.stderr
        == f"The output {picture} exists already. Choose another folder, or allow overwriting (--overwrite).\n"
    )
    assert picture.read_bytes() == b"mine"
    assert sunbreak("inspect", s2, "--picture", picture, "--overwrite").returncode == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "bands", "options"),
    [
        ("two unnamed bands", 2, []),
        ("a wrong name", 13, ["--s2-bands", "B99"]),
        ("a window outside", 13, ["--window", 0, 0, 500, 500]),
        ("an offset that is none", 13, ["--s2-offset", "much"]),
        ("a missing radar", 13, ["--s1", "nothing.tif"]),
        ("a mask that is radar", 13, ["--mask", "place.tif"]),
        ("numbers that are no reflectance", 13, ["--s2-unit", "reflectance", "--s2-scale", "-1"]),
        ("the scene as another date", 13, ["--reference", "place.tif"]),
    ],
)
def test_what_a_run_refuses_is_refused_with_the_same_line(write_raster, cloudy_dn, tmp_path, name, bands, options):
    path = write_raster("place.tif", cloudy_dn(70, 90)[:bands], bands=S2_BANDS if bands == 13 else ())
    given = [str(path.parent / str(one)) if str(one).endswith(".tif") else one for one in options]
    before = content(tmp_path)
    cleaned = sunbreak("clean", path, *given, "-o", tmp_path / "out")
    inspected = sunbreak("inspect", path, *given, "--picture", tmp_path / "seen.png")
    assert (inspected.returncode, inspected.stderr.splitlines()[-1]) == (2, cleaned.stderr.splitlines()[-1])
    assert len(inspected.stderr.splitlines()) == 1
    assert inspected.stdout == ""
    assert content(tmp_path) == before


def test_names_of_files_do_not_act_on_the_terminal(write_raster, cloudy_dn):
    path = write_raster("[red]x\x1b[31m.tif", cloudy_dn(70, 90), bands=S2_BANDS)
    done = sunbreak("inspect", path)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert "[red]x\\x1b[31m.tif" in done.stdout


def test_all_pixels_may_be_missing_in_a_part(write_raster, cloudy_dn):
    dn = np.zeros_like(cloudy_dn(70, 90))
    done = sunbreak("inspect", write_raster("empty.tif", dn, bands=S2_BANDS))
    assert done.returncode == 2
    assert "holds no valid pixel" in done.stderr
