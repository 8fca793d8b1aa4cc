"""`sunbreak compare` as run by a person and by another program."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest
from program import RUN, sunbreak
from rasterio.transform import from_origin

from sunbreak.scene import S2_BANDS


def compare(*arguments: object) -> subprocess.CompletedProcess[str]:
    return sunbreak("compare", *arguments, env={"COLUMNS": "400"})


@pytest.fixture
def rasters(write_raster, cloudy_dn):
    clear = cloudy_dn(40, 50)
    cleaned = clear.copy()
    cleaned[:, :20] += 300
    mask = np.zeros((1, 40, 50), np.uint8)
    mask[:, :20] = 1
    return {
        "cleaned": write_raster("cleaned.tif", cleaned, bands=S2_BANDS),
        "clear": write_raster("clear.tif", clear, bands=S2_BANDS),
        "mask": write_raster("mask.tif", mask),
        "moved": write_raster("moved.tif", clear, bands=S2_BANDS, transform=from_origin(500100, 5300000, 10, 10)),
    }


def test_a_person_reads_a_table_and_a_sentence(rasters, tmp_path):
    done = compare(rasters["cleaned"], rasters["clear"], "--mask", rasters["mask"], "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert any(line.startswith("evaluated, inside the mask") and "30.46" in line and "0.0300" in line for line in lines)
    assert any(line.startswith("B8A") for line in lines)
    assert lines[-1].startswith("Inside the mask, the mean absolute error is 0.0300 in reflectance.")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "cleaned_comparison.csv", "cleaned_comparison.html", "cleaned_error.qml", "cleaned_error.stac.json",
        "cleaned_error.tif", "cleaned_spectral_angle.qml", "cleaned_spectral_angle.stac.json",
        "cleaned_spectral_angle.tif",
    ]  # fmt: skip


def test_another_program_reads_every_figure_in_the_result(rasters, tmp_path):
    command = [*RUN, "compare", rasters["cleaned"], rasters["clear"], "-o", tmp_path / "out", "--events"]
    with subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        out = running.stdout.read()
    result = [json.loads(line) for line in out.splitlines()][-1]
    assert result["event"] == "result"
    assert set(result["layers"]) == {"error", "spectral_angle"}
    assert result["numbers"]["mae"] == pytest.approx(0.015, abs=1e-6)
    assert result["numbers"]["bias_B04"] == pytest.approx(0.015, abs=1e-6)
    assert result["numbers"]["report"].endswith("cleaned_comparison.html")


def test_a_part_can_be_compared_alone(rasters, tmp_path):
    done = compare(rasters["cleaned"], rasters["clear"], "--window", 0, 0, 50, 20, "-o", tmp_path / "out")
    assert "evaluated, everywhere  30.46" in done.stdout


def test_rasters_that_do_not_fit_are_refused_in_one_line_with_status_2(rasters, tmp_path):
    done = compare(rasters["cleaned"], rasters["moved"], "-o", tmp_path / "out")
    assert done.returncode == 2
    assert f"{rasters['moved']} is not on the grid of {rasters['cleaned']}: it is shifted +100 east" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.fixture
def dated(write_raster, cloudy_dn):
    """A cleaned scene, and a folder with its truth, itself before cleaning, and one other date."""
    truth, cloudy = cloudy_dn(60, 80), cloudy_dn(60, 80, (slice(20, 40), slice(30, 60)))
    mask = np.zeros((1, 60, 80), np.uint8)
    mask[:, 20:40, 30:60] = 1
    return {
        "cleaned": write_raster("cleaned.tif", np.where(mask == 1, truth + 300, truth), bands=S2_BANDS),
        "truth": write_raster("dates/S2_2020-06-03.tif", truth, bands=S2_BANDS),
        "cloudy": write_raster("dates/S2_2020-06-01.tif", cloudy, bands=S2_BANDS),
        "other": write_raster("dates/S2_2020-07-01.tif", truth + 200, bands=S2_BANDS),
        "mask": write_raster("mask.tif", mask),
    }


def test_a_folder_of_other_dates_gives_baselines_and_does_not_give_the_answer(dated, tmp_path):
    files = [dated["cleaned"], dated["truth"], "--cloudy", dated["cloudy"], "--mask", dated["mask"]]
    done = compare(*files, "--references", dated["other"].parent, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    line = next(line for line in lines if line.startswith("nearest date, inside the mask"))
    assert "33.98" in line and "0.0200" in line  # 0.02 is the difference of the other date
    assert lines[-1].count("best fill from other dates (nearest, gain and offset) has 0.0000")


def test_evaluate_removal_gives_the_same_baselines_as_json(dated):
    run = ["evaluate", "removal", "--pred", dated["cleaned"], "--target", dated["truth"], "--json"]
    run += ["--cloudy", dated["cloudy"], "--mask", dated["mask"], "--reference", dated["other"]]
    done = sunbreak(*run)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert rows["nearest date"]["psnr_cloud"] == pytest.approx(-20 * np.log10(0.02), abs=1e-3)
    assert rows["cleaned"]["psnr_cloud"] == pytest.approx(-20 * np.log10(0.03), abs=1e-3)


def test_other_dates_without_the_cloudy_scene_or_for_folders_are_refused_in_one_line(dated, tmp_path):
    done = compare(dated["cleaned"], dated["truth"], "--reference", dated["other"], "-o", tmp_path / "out")
    assert done.returncode == 2 and "--cloudy" in done.stderr and "Traceback" not in done.stderr
    run = ["evaluate", "removal", "--pred", tmp_path, "--target", tmp_path, "--reference", dated["other"]]
    done = sunbreak(*run)
    assert done.returncode == 2 and "are for two rasters" in done.stderr
