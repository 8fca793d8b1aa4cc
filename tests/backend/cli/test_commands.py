"""The command line as used by a person and by another program. Every command is a real process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio
from program import RUN, sunbreak

from sunbreak.scene import S2_BANDS


def protocol(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def call(scene_files, small_model, tmp_path) -> list[object]:
    s2, s1 = scene_files
    how = ["--detector", "s2cloudless", "--model", small_model.path]
    return ["clean", s2, "--s1", s1, "-o", tmp_path / "out", *how]


def test_a_person_sees_the_layers_and_the_fractions(call, tmp_path):
    done = sunbreak(*call)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    paths = dict(line.split(maxsplit=1) for line in lines[:-1])
    assert paths["cleaned"].endswith("place_cleaned.tif")
    assert all(Path(path).is_file() for path in paths.values())
    assert "% cloud, 0.0% thin cloud, 0.0% shadow" in lines[-1]
    assert (tmp_path / "out" / "place_quicklook.png").is_file()


def test_a_person_sees_how_much_comes_from_other_dates(call, write_raster, cloudy_dn):
    other = write_raster("place_2020-06-01.tif", cloudy_dn(70, 90, None, 5), bands=S2_BANDS)
    done = sunbreak(*call, "--reference", other)
    assert done.returncode == 0, done.stderr
    said = dict(part.split("% ")[::-1] for part in done.stdout.splitlines()[-1].split(", ") if "% " in part)
    assert 0 < float(said["from other dates"]) <= float(said["reconstructed"])
    assert "from other dates" not in sunbreak(*call, "--overwrite").stdout


def test_another_program_reads_one_json_object_per_line_and_nothing_else(call):
    running = subprocess.Popen(
        [*RUN, *map(str, call), "--events"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    out = running.stdout.read()
    running.stdin.close()
    assert running.wait() == 0
    events = protocol(out)
    assert events[0]["event"] == "started"
    assert events[0]["version"] == 1
    assert events[-1]["event"] == "result"
    assert {event["role"] for event in events if event["event"] == "layer"} == set(events[-1]["layers"])
    steps = [event for event in events if event["event"] == "progress" and event["unit"] == "tiles"]
    assert steps[-1]["done"] == steps[-1]["total"]
    assert 0 < events[-1]["numbers"]["cloud_share"] < 1


@pytest.fixture
def long_call(write_raster, cloudy_dn, radar_db, small_model, tmp_path) -> list[object]:
    s2 = write_raster("wide.tif", cloudy_dn(1400, 1400), bands=S2_BANDS)
    s1 = write_raster("wide_s1.tif", radar_db(1400, 1400))
    return ["clean", s2, "--s1", s1, "-o", tmp_path / "out", "--model", small_model.path, "--replace-all"]


def wait_for_tile(running) -> None:
    for line in running.stdout:
        event = json.loads(line)
        if event["event"] == "progress" and event["done"] >= 3:
            return


@pytest.mark.parametrize("how", ["terminate", "close stdin"])
def test_cancelling_exits_130_leaves_nothing_and_the_same_command_succeeds_again(long_call, tmp_path, how):
    running = subprocess.Popen(
        [*RUN, *map(str, long_call), "--events", "--runtime", "torch"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_for_tile(running)
    start = time.monotonic()
    if how == "terminate":
        running.send_signal(signal.SIGTERM)
    else:
        running.stdin.close()
    rest = running.stdout.read()
    assert running.wait() == 130
    assert time.monotonic() - start < 10
    assert protocol(rest)[-1]["code"] == "cancelled"
    assert not (tmp_path / "out").exists()
    assert sunbreak(*long_call).returncode == 0


def test_a_killed_run_leaves_nothing_under_a_final_name_and_the_next_one_cleans_up(long_call, tmp_path):
    running = subprocess.Popen(
        [*RUN, *map(str, long_call), "--events", "--runtime", "torch"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_for_tile(running)
    running.kill()
    running.wait()
    assert not [path for path in (tmp_path / "out").iterdir() if not path.name.startswith(".sunbreak-")]
    assert sunbreak(*long_call).returncode == 0
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]


def test_without_events_an_empty_standard_input_is_no_cancel(call):
    assert subprocess.run([*RUN, *map(str, call)], stdin=subprocess.DEVNULL, timeout=120, check=False).returncode == 0


def corrupt(path: Path, how: str, tmp_path: Path) -> Path:
    """A broken copy of a scene."""
    out = tmp_path / f"{how}.tif"
    with rasterio.open(path) as source:
        profile, values = source.profile, source.read()
    if how == "missing":
        return out
    if how == "empty":
        out.write_bytes(b"")
        return out
    if how == "text":
        out.write_text("this is no raster")
        return out
    if how == "truncated":
        content = path.read_bytes()
        out.write_bytes(content[: len(content) // 2])
        return out
    change = {
        "no-crs": {"crs": None},
        "rotated": {"transform": profile["transform"] * rasterio.Affine.rotation(20)},
        "rgb": {"count": 3, "dtype": "uint8"},
        "twelve": {"count": 12},
        "all-nodata": {"nodata": 0},
    }[how]
    profile.update(change)
    if how == "all-nodata":
        values[:] = 0
    with rasterio.open(out, "w", **profile) as target:
        target.write(values[: profile["count"]].astype(profile["dtype"]))
        if how == "rgb":
            target.colorinterp = [rasterio.enums.ColorInterp[c] for c in ("red", "green", "blue")]
    return out


@pytest.mark.parametrize(
    ("how", "named"),
    [
        ("missing", "missing"),
        ("empty", "empty"),
        ("text", "not a raster"),
        ("truncated", "truncated"),
        ("no-crs", "coordinate reference"),
        ("rotated", "rotated"),
        ("rgb", "picture"),
        ("twelve", "--mask"),
        ("all-nodata", "nodata"),
    ],
)
def test_bad_input_gets_one_line_and_status_2_and_nothing_is_written(call, tmp_path, how, named):
    broken = corrupt(Path(call[1]), how, tmp_path)
    before = broken.read_bytes() if broken.exists() else None
    done = sunbreak(call[0], broken, *call[2:])
    assert done.returncode == 2, done.stderr
    line = done.stderr.strip().splitlines()[-1]
    assert broken.name in line
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
    assert (broken.read_bytes() if broken.exists() else None) == before


def test_a_mask_of_uncertain_coding_stops_with_the_option_that_then_reads_it(call, write_raster, tmp_path):
    classes = np.ones((1, 70, 90), np.uint8)
    classes[0, 20:50, 30:70] = 2
    mask = write_raster("clouds.tif", classes)
    masked = [*call, "--detector", "auto", "--mask", mask]
    done = sunbreak(*masked)
    assert done.returncode == 2
    line = done.stderr.strip().splitlines()[-1]
    assert "clouds.tif" in done.stderr and "fmask" in done.stderr and "--mask-coding" in line
    assert not (tmp_path / "out").exists()
    done = sunbreak(*masked, "--mask-coding", "fmask")
    assert done.returncode == 0, done.stderr
    with rasterio.open(tmp_path / "out" / "place_cloud_mask.tif") as written:
        np.testing.assert_array_equal(written.read(1) > 0, classes[0] == 2)


def test_an_unknown_coding_of_masks_is_refused_with_a_list(call, tmp_path):
    done = sunbreak(*call, "--mask", "clouds.tif", "--mask-coding", "sen2cor")
    assert done.returncode == 2
    assert "omnicloudmask" in done.stderr and "msk-classi" in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--replace", "clouds, fog"], "fog cannot be replaced"),
        (["--replace", ","], "No class is chosen"),
        (["--buffer-thin", "99"], "The buffer of thin clouds is 99 pixels"),
        (["--detector", "scl"], "no scene classification"),
        (["--detector", "fmask"], "There is no cloud detector 'fmask'"),
    ],
)
def test_a_wrong_choice_about_clouds_is_said_in_one_line(call, tmp_path, options, said):
    done = sunbreak(*call, *options)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split()) and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_every_coding_of_masks_can_be_chosen():
    from sunbreak.cli.options import MaskCoding
    from sunbreak.scene.mask_codings import OPTIONS

    assert {coding.value for coding in MaskCoding} == set(OPTIONS)


def test_radar_elsewhere_is_refused_with_both_places(call, write_raster, radar_db, tmp_path):
    from rasterio.transform import from_origin

    far = write_raster("far.tif", radar_db(50, 50), transform=from_origin(700000, 5000000, 10, 10))
    done = sunbreak(*call[:3], far, *call[4:])
    assert done.returncode == 2
    assert "far.tif" in done.stderr
    assert "overlap" in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_the_input_or_exists_already_is_refused(call, tmp_path):
    assert sunbreak(*call).returncode == 0
    again = sunbreak(*call)
    assert again.returncode == 2
    assert "--overwrite" in again.stderr
    cleaned = tmp_path / "out" / "place_cleaned.tif"
    before = cleaned.read_bytes()
    # cleaned again, its own name would be place_cleaned_cleaned.tif; a mask of that very name is an input
    mask = tmp_path / "out" / "place_cloud_mask.tif"
    onto_input = sunbreak(*call, "--detector", "none", "--mask", mask, "--overwrite")
    assert onto_input.returncode == 2
    assert "input" in onto_input.stderr
    assert cleaned.read_bytes() == before


def test_infinities_and_nan_are_kept_as_they_are(write_raster, cloudy_dn, call, tmp_path):
    values = (cloudy_dn(70, 90, (slice(20, 50), slice(30, 70))) / 1e4).astype(np.float32)
    values[3, 5, 5], values[:, 6, 6] = np.inf, np.nan
    s2 = write_raster("float.tif", values, bands=S2_BANDS)
    done = sunbreak(call[0], s2, *call[2:])
    assert done.returncode == 0, done.stderr
    with rasterio.open(tmp_path / "out" / "float_cleaned.tif") as cleaned:
        np.testing.assert_array_equal(cleaned.read()[:, 5:7, 5:7], values[:, 5:7, 5:7])
    with rasterio.open(tmp_path / "out" / "float_reconstructed.tif") as share:
        assert (share.read(1)[[5, 6], [5, 6]] == share.nodata).all()


def test_detect_clouds_writes_its_two_layers(scene_files, tmp_path):
    done = sunbreak("detect-clouds", scene_files[0], "-o", tmp_path / "out", "--window", 10, 0, 60, 70)
    assert done.returncode == 0, done.stderr
    with rasterio.open(tmp_path / "out" / "place_cloud_mask.tif") as mask, rasterio.open(scene_files[0]) as scene:
        assert mask.shape == (70, 60)
        assert mask.transform * (0, 0) == scene.transform * (10, 0)


def test_paths_with_spaces_and_other_alphabets_work(scene_files, small_model, tmp_path):
    folder = tmp_path / "Öl und Wolken 雲"
    folder.mkdir()
    s2, s1 = folder / "Szene ä.tif", folder / "Rädar.tif"
    s2.write_bytes(scene_files[0].read_bytes())
    s1.write_bytes(scene_files[1].read_bytes())
    done = sunbreak("clean", s2, "--s1", s1, "-o", folder / "aus gabe", "--model", small_model.path)
    assert done.returncode == 0, done.stderr
    assert (folder / "aus gabe" / "Szene ä_cleaned.tif").is_file()


def test_an_imported_model_is_listed_shown_verified_and_used(scene_files, small_model, tmp_path):
    environment = {**os.environ, "SUNBREAK_MODELS": str(tmp_path / "models")}
    # conf.json beside it is missing, so the architecture is read off the tensors
    done = sunbreak("models", "import", small_model.weights, "--name", "mine", env=environment)
    assert done.returncode == 0, done.stderr
    rows = json.loads(sunbreak("models", "list", "--json", env=environment).stdout)
    assert {"mine"} < {row["name"] for row in rows}
    assert "sha256" in sunbreak("models", "show", "mine", env=environment).stdout
    assert "weights loaded" in sunbreak("models", "verify", "mine", env=environment).stdout
    weights = tmp_path / "models" / "mine.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    broken = sunbreak("models", "verify", "mine", env=environment)
    assert broken.returncode == 2
    assert "checksum" in broken.stderr


def test_an_unknown_model_names_the_known_ones(call):
    done = sunbreak(*call[:-1], "nobody")
    assert done.returncode == 2
    assert "uncrtaints" in done.stderr


def test_the_doctor_says_what_works():
    done = sunbreak("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert list(checks) == [
        "python", "packages", "gdal", "proj", "device", "openvino", "clouds", "models", "self-test", "disk", "proxy",
    ]  # fmt: skip
    assert checks["models"]["well"], checks["models"]
    assert "cleaned 256 x 256 px in" in checks["self-test"]["found"]
    assert done.returncode == (0 if all(check["well"] for check in checks.values()) else 1)


def test_the_doctor_gives_another_program_one_result(tmp_path):
    # an unreachable proxy is a finding, not a failure of the doctor
    environment = {**os.environ, "https_proxy": "http://me:secret@127.0.0.1:9"}
    running = subprocess.Popen(
        [*RUN, "doctor", "--events", "--folder", tmp_path / "not there yet"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    out = running.stdout.read()
    running.stdin.close()
    assert running.wait() == 0
    assert "secret" not in out
    events = protocol(out)
    assert [event["done"] for event in events if event["event"] == "progress"] == list(range(12))
    numbers = events[-1]["numbers"]
    checks = {check["name"]: check for check in json.loads(numbers["checks"])}
    assert numbers["failures"] == sum(not check["well"] for check in checks.values()) >= 1
    assert "http://127.0.0.1:9 does not answer" in checks["proxy"]["found"]
    assert "folder of wheels" in checks["proxy"]["advice"]


def test_start_up_imports_nothing_heavy():
    code = (
        "import sys, sunbreak.cli.app; print([m for m in ('torch', 'rasterio', 'scipy', 'openvino') if m in "
        "sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def dates(write_raster, cloudy_dn) -> list[Path]:
    return [
        write_raster(f"dates/place_{day}.tif", cloudy_dn(70, 90, None, seed), bands=S2_BANDS)
        for seed, day in enumerate(("2020-06-01", "2020-07-01"), 5)
    ]


def test_other_dates_are_given_one_by_one_or_as_a_folder(call, dates, write_raster, radar_db, tmp_path):
    radar = write_raster("radar_2020-07-02.tif", radar_db(70, 90), bands=("VV", "VH"))
    done = sunbreak(*call, "--reference", dates[1], "--reference", dates[0], "--reference-s1", radar)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stderr.split())
    first, second = "Other date 2020-07-01: place_2020-07-01.tif, with Sentinel-1.", "Other date 2020-06-01: place"
    assert 0 < said.index(first) < said.index(second)
    (dates[0].parent / "broken_2020-08-01.tif").write_bytes(b"nothing")
    done = sunbreak(*call, "--references", dates[0].parent, "--overwrite")
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stderr.split())
    assert "Other date 2020-06-01: place_2020-06-01.tif." in said
    assert "! Left out of the other dates: " in said
    # a long path is broken into lines
    assert "broken_2020-08-01.tifisnotaraster" in "".join(done.stderr.split())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--references", "nowhere"], "there is no such folder"),
        (["--reference-s1", "s1.tif"], "--reference-s1 is given without another date"),
        (["--reference", "nowhere.tif"], "there is no such file"),
    ],
)
def test_wrong_other_dates_are_refused_in_one_line(call, tmp_path, options, said):
    done = sunbreak(*call, *options, cwd=tmp_path)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split()) and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_help_of_clean_and_run_has_a_panel_for_other_dates():
    for command in ("clean", "run"):
        text = sunbreak(command, "--help", env={**os.environ, "COLUMNS": "120"}).stdout
        assert "Other dates" in text and "--reference-s1" in text


def test_a_scene_is_simulated_with_other_dates_of_its_place(tmp_path):
    alone, place = tmp_path / "alone", tmp_path / "place"
    assert sunbreak("simulate", "-o", alone, "--size", "64", "--seed", "3").returncode == 0
    done = sunbreak("simulate", "-o", place, "--size", "64", "--seed", "3", "--dates", "2")
    assert done.returncode == 0, done.stderr
    assert len(list(place.glob("scene_20*_s2_cloudy.tif"))) == 2
    with (
        rasterio.open(alone / "scene_s2_cloudy.tif") as without,
        rasterio.open(place / "scene_s2_cloudy.tif") as with_dates,
    ):
        np.testing.assert_array_equal(without.read(), with_dates.read())


def test_the_demo_scene_has_its_own_other_dates(tmp_path):
    done = sunbreak("simulate", "-o", tmp_path, "--demo", "--dates", "2")
    assert done.returncode == 2
    assert "--demo and --dates" in done.stderr
