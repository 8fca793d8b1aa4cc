"""`sunbreak compare` as run by a person and by another program."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from rasterio.transform import from_origin

from sunbreak.scene import S2_BANDS

RUN = [sys.executable, "-I", "-u", "-m", "sunbreak", "compare"]


def compare(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*RUN, *map(str, arguments)],
        capture_output=True, text=True, encoding="utf-8", timeout=120, env={"COLUMNS": "400"},
    )  # fmt: skip


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
    command = [*RUN, rasters["cleaned"], rasters["clear"], "-o", tmp_path / "out", "--events"]
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
